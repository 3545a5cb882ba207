//! Amazon Bedrock, by ConverseStream and the role's own credentials: no key.

use std::time::{Duration, Instant};

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::operation::converse_stream::builders::ConverseStreamFluentBuilder;
use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
    StopReason, SystemContentBlock, TokenUsage,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures::{Stream, TryFutureExt, stream};

use crate::error::{from_status, retry_after};
use crate::stream::{Limits, Piece, read};
use crate::{Answer, Ask, Clients, Error, Model, ModelConfig, OnText, Role, Stop, Usage, prompt};

/// As for the other providers' client.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);

pub(crate) struct Bedrock {
    client: Client,
    config: ModelConfig,
    title: String,
    limits: Limits,
}

impl Bedrock {
    pub fn new(config: ModelConfig, clients: &Clients, limits: Limits) -> Result<Self, Error> {
        config.model_name()?;
        let Some(aws) = clients.aws.clone() else {
            return Err(Error::NotSetUp("provider `bedrock` needs AWS credentials and a region".into()));
        };
        // Retries and patience are decided here, once for all providers, not in the SDK.
        let mut sdk = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region))
            .credentials_provider(aws.credentials)
            .http_client(aws.http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIME_OUT).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = config.base()? {
            sdk = sdk.endpoint_url(url.as_str().trim_end_matches('/'));
        }
        let title = config.title();
        Ok(Self { client: Client::from_conf(sdk.build()), config, title, limits })
    }

    fn request(&self, ask: &Ask) -> Result<ConverseStreamFluentBuilder, Error> {
        let most = i32::try_from(self.config.cap(ask.max_output_tokens)).unwrap_or(i32::MAX);
        let inference =
            InferenceConfiguration::builder().max_tokens(most).set_temperature(ask.temperature).build();
        let mut request = self.client.converse_stream().model_id(self.config.model_name()?);
        if !ask.system.trim().is_empty() {
            request = request.system(SystemContentBlock::Text(ask.system.clone()));
        }
        for (role, text) in prompt::turns(ask) {
            let role = match role {
                Role::User | Role::Tool => ConversationRole::User,
                Role::Assistant => ConversationRole::Assistant,
            };
            let message = Message::builder().role(role).content(ContentBlock::Text(text)).build();
            request =
                request.messages(message.map_err(|_| Error::Refused("a message is incomplete".into()))?);
        }
        Ok(request.inference_config(inference))
    }
}

#[async_trait::async_trait]
impl Model for Bedrock {
    fn name(&self) -> &str {
        &self.title
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let request = self.request(ask)?;
        let pieces = async move {
            let answer = request.send().await.map_err(|error| unsent(&error))?;
            Ok(pieces(answer.stream))
        };
        read(pieces.try_flatten_stream(), &self.title, self.limits, deadline, on_text).await
    }
}

type Events = EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>;

/// The reason for stopping comes in one event, the usage in the next, and both belong to the end.
fn pieces(events: Events) -> impl Stream<Item = Result<Piece, Error>> + Send {
    stream::unfold((events, None, Usage::default()), |(mut events, mut stop, mut usage)| async move {
        loop {
            let piece = match events.recv().await {
                Ok(Some(ConverseStreamOutput::ContentBlockDelta(block))) => match block.delta {
                    Some(ContentBlockDelta::Text(text)) => Ok(Piece::Text(text)),
                    Some(_) => Ok(Piece::Thinking),
                    None => continue,
                },
                Ok(Some(ConverseStreamOutput::MessageStop(end))) => {
                    stop = Some(reason(&end.stop_reason));
                    continue;
                }
                Ok(Some(ConverseStreamOutput::Metadata(end))) => {
                    usage = end.usage.as_ref().map(count).unwrap_or_default();
                    continue;
                }
                Ok(Some(_)) => Ok(Piece::Pulse),
                Ok(None) => Ok(Piece::End { usage, stop: stop? }),
                Err(error) => Err(judge(&error, None)),
            };
            return Some((piece, (events, stop, usage)));
        }
    })
}

/// Bedrock counts cached tokens apart from the others.
fn count(usage: &TokenUsage) -> Usage {
    let count = |tokens: i32| u32::try_from(tokens).unwrap_or(0);
    let read = count(usage.cache_read_input_tokens.unwrap_or(0));
    let written = count(usage.cache_write_input_tokens.unwrap_or(0));
    Usage {
        input: count(usage.input_tokens) + read + written,
        output: count(usage.output_tokens),
        cached: read,
        reasoning: 0,
    }
}

fn reason(stop: &StopReason) -> Stop {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence => Stop::End,
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Stop::Length,
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => Stop::Filtered,
        _ => Stop::Other,
    }
}

fn unsent<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Error {
    let response = error.raw_response();
    let pause =
        response.and_then(|response| retry_after(|name| response.headers().get(name).map(str::to_owned)));
    let status = response.map(|response| response.status().as_u16());
    match (judge(error, status), pause) {
        (Error::Busy { why, .. }, retry_after @ Some(_)) => Error::Busy { retry_after, why },
        (error, _) => error,
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>
fn judge<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, status: Option<u16>) -> Error {
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::TimeoutError(_) => Error::busy("it did not answer in time"),
            SdkError::DispatchFailure(_) => Error::busy("it cannot be reached, or the connection broke"),
            SdkError::ConstructionFailure(_) => {
                Error::NotSetUp("Bedrock cannot be asked: check `model` and the AWS region".into())
            }
            _ => Error::busy("it answered something unreadable"),
        };
    };
    let message = service.err().message().unwrap_or_default();
    match service.err().code().unwrap_or_default() {
        "ThrottlingException" | "ServiceQuotaExceededException" => Error::busy("it limits our rate"),
        "ServiceUnavailableException" | "ModelNotReadyException" => Error::busy("it is overloaded"),
        "InternalServerException" | "ModelErrorException" | "ModelStreamErrorException" => Error::busy("it failed"),
        "ModelTimeoutException" => Error::busy("it did not answer in time"),
        "AccessDeniedException" => Error::NotSetUp(
            "Bedrock denies access: the model must be available to this account and region, and the role needs \
             bedrock:InvokeModelWithResponseStream on it"
                .into(),
        ),
        "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" => {
            Error::NotSetUp("AWS does not accept the credentials: renew them".into())
        }
        "ResourceNotFoundException" => from_status(404, None, ""),
        "ValidationException" => from_status(400, None, message),
        _ => from_status(status.unwrap_or(500), None, message),
    }
}
