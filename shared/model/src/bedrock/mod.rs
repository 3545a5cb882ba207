//! Amazon Bedrock, by ConverseStream and the role's own credentials: no key.

mod answer;
mod document;
mod embed;
mod failure;
mod family;
mod request;

use std::time::{Duration, Instant};

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use futures::TryFutureExt;

use crate::stream::{Limits, read};
use crate::{Answer, Ask, Clients, Error, Model, ModelConfig, OnText};
pub(crate) use embed::embed;

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
        let client = client(&config, clients)?;
        let title = config.title();
        Ok(Self { client, config, title, limits })
    }
}

#[async_trait::async_trait]
impl Model for Bedrock {
    fn name(&self) -> &str {
        &self.title
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let request = request::fill(self.client.converse_stream(), &self.config, &self.title, ask)?;
        let pieces = async move {
            let answer = request.send().await.map_err(|error| failure::unsent(&error))?;
            Ok(answer::pieces(answer.stream, self.title.clone()))
        };
        read(pieces.try_flatten_stream(), &self.title, self.limits, deadline, on_text).await
    }
}

fn client(config: &ModelConfig, clients: &Clients) -> Result<Client, Error> {
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
    Ok(Client::from_conf(sdk.build()))
}
