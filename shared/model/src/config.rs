//! From one entry of the configuration to a model.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use reqwest::Url;
use secrecy::SecretString;

use crate::bedrock::Bedrock;
use crate::chat::{Chat, Dialect};
use crate::echo::Echo;
use crate::stream::Limits;
use crate::{Error, Model};

/// One entry under `models`, its key already read from the secrets.
#[derive(Clone, Default)]
pub struct ModelConfig {
    /// `openai`, `anthropic`, `ollama`, `bedrock` or `echo`.
    pub provider: String,
    /// The provider's name for the model; on Bedrock a model id, inference profile id or ARN.
    pub model: String,
    /// Where the provider is, when it is not the usual place.
    pub base_url: Option<String>,
    pub key: Option<SecretString>,
    /// The model thinks before it writes: its first token may take 60 s instead of 20 s.
    pub reasoning: bool,
    /// Most tokens an answer of this model may have, whatever is asked for.
    pub max_output_tokens: Option<u32>,
}

/// The clients models are asked with: the process's own, made once.
#[derive(Clone)]
pub struct Clients {
    /// For addresses of the operator. Must have a connect time-out and follow no redirects.
    pub http: reqwest::Client,
    /// Absent where there is no AWS: `bedrock` is then not set up.
    pub aws: Option<Aws>,
}

/// What the AWS SDK needs.
#[derive(Clone)]
pub struct Aws {
    pub http: SharedHttpClient,
    pub region: String,
    pub credentials: Credentials,
}

/// Makes the model; touches no network.
///
/// # Errors
/// [`Error::NotSetUp`], saying what to change in the configuration.
pub fn build(config: ModelConfig, clients: &Clients) -> Result<Box<dyn Model>, Error> {
    let limits = Limits::of(config.reasoning);
    let dialect = match config.provider.as_str() {
        "openai" => Dialect::OpenAi,
        "anthropic" => Dialect::Anthropic,
        "ollama" => Dialect::Ollama,
        "bedrock" => return Ok(Box::new(Bedrock::new(config, clients, limits)?)),
        "echo" => return Ok(Box::new(Echo)),
        other => {
            return Err(Error::NotSetUp(format!(
                "there is no provider `{other}`: use openai, anthropic, ollama, bedrock or echo"
            )));
        }
    };
    Ok(Box::new(Chat::new(dialect, config, clients, limits)?))
}

impl ModelConfig {
    /// The name for logs and for [`crate::Answer::model`].
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.provider, self.model)
    }

    /// The smaller of what is asked for and what the configuration allows.
    pub(crate) fn cap(&self, asked: u32) -> u32 {
        self.max_output_tokens.map_or(asked, |most| most.min(asked))
    }

    /// The model's name, which only `echo` does without.
    pub(crate) fn model_name(&self) -> Result<&str, Error> {
        match self.model.trim() {
            "" => Err(Error::NotSetUp(format!("provider `{}` needs a `model`", self.provider))),
            name => Ok(name),
        }
    }

    pub(crate) fn base(&self) -> Result<Option<Url>, Error> {
        let Some(text) = &self.base_url else {
            return Ok(None);
        };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
            _ => Err(Error::NotSetUp(format!(
                "the `base_url` of provider `{}` must begin with http:// or https://",
                self.provider
            ))),
        }
    }
}
