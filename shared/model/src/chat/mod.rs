//! Providers with an HTTP API of their own, through genai.

mod failure;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatResponse, ChatStreamEvent, ReasoningEffort, StopReason,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, Headers, ModelIden, ServiceTarget};
use reqwest::Url;
use secrecy::ExposeSecret;

use crate::stream::{Limits, Piece, read};
use crate::{Answer, Ask, Clients, Error, Model, ModelConfig, OnText, Role, Stop, Usage, prompt};

/// Which API is spoken; the model's name never decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Ollama,
}

pub(crate) struct Chat {
    client: Client,
    target: ServiceTarget,
    dialect: Dialect,
    config: ModelConfig,
    title: String,
    limits: Limits,
    /// The endpoint ignored `stream` and answered in one go: it is asked for that from now on.
    unstreamed: AtomicBool,
}

impl Chat {
    pub fn new(
        dialect: Dialect,
        config: ModelConfig,
        clients: &Clients,
        limits: Limits,
    ) -> Result<Self, Error> {
        let model = ModelIden::new(dialect.kind(), config.model_name()?.to_owned());
        let endpoint = Endpoint::from_owned(dialect.endpoint(&config)?);
        let target = ServiceTarget { endpoint, auth: dialect.auth(&config)?, model };
        let client = Client::builder().with_reqwest(clients.http.clone()).build();
        let client = client.map_err(|_| Error::NotSetUp("the client for models cannot be built".into()))?;
        let title = config.title();
        Ok(Self { client, target, dialect, config, title, limits, unstreamed: AtomicBool::new(false) })
    }

    fn options(&self, ask: &Ask) -> ChatOptions {
        let mut options = ChatOptions::default()
            .with_max_tokens(self.config.cap(ask.max_output_tokens))
            .with_capture_usage(true);
        options.temperature = ask.temperature.map(f64::from);
        match (self.dialect, &self.config.key) {
            // Without an effort genai takes one from the end of the model's name ("-high") and shortens the
            // name. A budget is an effort that it does not send to this API.
            (Dialect::OpenAi, _) => options.with_reasoning_effort(ReasoningEffort::Budget(0)),
            // genai sends Ollama no key; one behind a proxy, or ollama.com, wants it.
            (Dialect::Ollama, Some(key)) => {
                let bearer = format!("Bearer {}", key.expose_secret());
                options.with_extra_headers(Headers::from(("Authorization".to_owned(), bearer)))
            }
            _ => options,
        }
    }

    fn streamed(&self, ask: &Ask) -> impl Stream<Item = Result<Piece, Error>> + Send + '_ {
        let (request, options) = (request(ask), self.options(ask));
        stream::once(async move {
            let answer = self.client.exec_chat_stream(self.target.clone(), request, Some(&options)).await;
            let answer = answer.map_err(|error| failure::judge(&error))?;
            Ok(stream::unfold((answer.stream, false), move |(mut events, answered)| async move {
                let event = events.next().await;
                if event.is_none() && !answered {
                    self.unstreamed.store(true, Ordering::Relaxed);
                }
                let answered = answered || !matches!(event, Some(Ok(ChatStreamEvent::Start)));
                let piece = event?.map_err(|error| failure::judge(&error));
                Some((piece.and_then(|event| self.piece(event)), (events, answered)))
            }))
        })
        .try_flatten()
    }

    /// The answer of an endpoint that does not stream, as one piece.
    fn whole(&self, ask: &Ask) -> impl Stream<Item = Result<Piece, Error>> + Send + '_ {
        let (request, options) = (request(ask), self.options(ask));
        stream::once(async move {
            let answer = self.client.exec_chat(self.target.clone(), request, Some(&options)).await;
            let answer = answer.map_err(|error| failure::judge(&error))?;
            Ok(stream::iter(pieces(answer).map(Ok)))
        })
        .try_flatten()
    }

    fn piece(&self, event: ChatStreamEvent) -> Result<Piece, Error> {
        let end = match event {
            ChatStreamEvent::Chunk(chunk) => return Ok(Piece::Text(chunk.content)),
            ChatStreamEvent::ReasoningChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::ToolCallChunk(_) => return Ok(Piece::Thinking),
            ChatStreamEvent::Start | ChatStreamEvent::Heartbeat => return Ok(Piece::Pulse),
            ChatStreamEvent::End(end) => end,
        };
        // genai makes up an end when Ollama's stream breaks off; only a real one says why it ends.
        if self.dialect == Dialect::Ollama
            && end.captured_stop_reason.is_none()
            && end.captured_usage.is_none()
        {
            return Err(Error::busy("it closed the connection before the end of the answer"));
        }
        Ok(Piece::End {
            usage: usage(end.captured_usage.unwrap_or_default()),
            stop: stop(end.captured_stop_reason.as_ref()),
        })
    }
}

#[async_trait::async_trait]
impl Model for Chat {
    fn name(&self) -> &str {
        &self.title
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let (pieces, limits): (BoxStream<'_, _>, _) = if self.unstreamed.load(Ordering::Relaxed) {
            (self.whole(ask).boxed(), Limits::whole(deadline))
        } else {
            (self.streamed(ask).boxed(), self.limits)
        };
        read(pieces, &self.title, limits, deadline, on_text).await
    }
}

impl Dialect {
    const fn kind(self) -> AdapterKind {
        match self {
            Self::OpenAi => AdapterKind::OpenAI,
            Self::Anthropic => AdapterKind::Anthropic,
            Self::Ollama => AdapterKind::Ollama,
        }
    }

    /// Where genai appends `chat/completions`, `messages` or `api/chat`: it must end in a slash.
    ///
    /// As people know it from the providers' own libraries, `base_url` holds the `/v1` for OpenAI and lacks it
    /// for Anthropic and Ollama; written the other way it means the same.
    fn endpoint(self, config: &ModelConfig) -> Result<String, Error> {
        let Some(mut url) = config.base()? else {
            return Ok(match self {
                Self::OpenAi => "https://api.openai.com/v1/",
                Self::Anthropic => "https://api.anthropic.com/v1/",
                Self::Ollama => "http://localhost:11434/",
            }
            .to_owned());
        };
        let path = url.path().trim_end_matches('/').to_owned();
        let root = path.strip_suffix("/v1");
        let path = match self {
            Self::OpenAi => format!("{path}/"),
            Self::Anthropic => format!("{}/v1/", root.unwrap_or(&path)),
            Self::Ollama => format!("{}/", root.unwrap_or(&path)),
        };
        url.set_path(&path);
        Ok(Url::to_string(&url))
    }

    fn auth(self, config: &ModelConfig) -> Result<AuthData, Error> {
        match (self, &config.key) {
            (_, Some(key)) => Ok(AuthData::from_single(key.expose_secret())),
            (Self::Ollama, None) => Ok(AuthData::None),
            // Servers on one's own machine want no key, but genai wants one to send.
            (Self::OpenAi | Self::Anthropic, None) if config.base_url.is_some() => {
                Ok(AuthData::from_single("none"))
            }
            (Self::OpenAi | Self::Anthropic, None) => Err(Error::NotSetUp(format!(
                "provider `{}` needs a key: store it with `crabhook secrets set`",
                config.provider
            ))),
        }
    }
}

fn request(ask: &Ask) -> ChatRequest {
    let messages = prompt::turns(ask).into_iter().map(|(role, text)| match role {
        Role::User | Role::Tool => ChatMessage::user(text),
        Role::Assistant => ChatMessage::assistant(text),
    });
    let request = ChatRequest::from_messages(messages.collect());
    if ask.system.trim().is_empty() { request } else { request.with_system(&ask.system) }
}

fn pieces(answer: ChatResponse) -> impl Iterator<Item = Piece> {
    let end = Piece::End { usage: usage(answer.usage), stop: stop(answer.stop_reason.as_ref()) };
    let text = answer.content.into_joined_texts().map(Piece::Text);
    text.into_iter().chain([end])
}

fn usage(counted: genai::chat::Usage) -> Usage {
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(0);
    Usage {
        input: count(counted.prompt_tokens),
        output: count(counted.completion_tokens),
        cached: count(counted.prompt_tokens_details.and_then(|details| details.cached_tokens)),
        reasoning: count(counted.completion_tokens_details.and_then(|details| details.reasoning_tokens)),
    }
}

fn stop(reason: Option<&StopReason>) -> Stop {
    match reason {
        None | Some(StopReason::Completed(_) | StopReason::StopSequence(_)) => Stop::End,
        Some(StopReason::MaxTokens(_)) => Stop::Length,
        Some(StopReason::ContentFilter(_)) => Stop::Filtered,
        Some(StopReason::ToolCall(_) | StopReason::Other(_)) => Stop::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_understood_with_and_without_slash_and_version() {
        let check = |dialect: Dialect, base: &str, expected: &str| {
            let config = ModelConfig { base_url: Some(base.into()), ..ModelConfig::default() };
            assert_eq!(dialect.endpoint(&config).unwrap(), expected, "{base}");
        };
        check(Dialect::OpenAi, "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/");
        check(Dialect::OpenAi, "http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/");
        check(Dialect::OpenAi, "https://h/api?version=2", "https://h/api/?version=2");
        check(Dialect::OpenAi, "http://127.0.0.1:8080", "http://127.0.0.1:8080/");
        check(Dialect::Anthropic, "https://h", "https://h/v1/");
        check(Dialect::Anthropic, "https://h/v1/", "https://h/v1/");
        check(Dialect::Anthropic, "https://h/proxy", "https://h/proxy/v1/");
        check(Dialect::Ollama, "http://127.0.0.1:11434", "http://127.0.0.1:11434/");
        check(Dialect::Ollama, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/");
    }
}
