//! From one entry of the configuration to a model.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use reqwest::Url;
use secrecy::SecretString;

use crate::bedrock::Bedrock;
use crate::chat::{Chat, Provider};
use crate::echo::Echo;
use crate::stream::Limits;
use crate::{Error, Model};

/// What `provider` may be.
pub const PROVIDERS: &[&str] = &[
    "openai",
    "anthropic",
    "gemini",
    "azure",
    "mistral",
    "groq",
    "openrouter",
    "deepseek",
    "ollama",
    "bedrock",
    "echo",
];

/// How many tokens a model with [`ModelConfig::reasoning`] may think, beyond those of its answer.
pub const THINKING_TOKENS: u32 = 8_192;

/// One entry under `models`, its key already read from the secrets.
#[derive(Clone, Default)]
pub struct ModelConfig {
    /// One of [`PROVIDERS`]. With a `base_url`, `openai` is any server that speaks OpenAI's API.
    pub provider: String,
    /// The provider's name for the model; on Azure the deployment's name, on Bedrock a model id, inference
    /// profile id or ARN.
    pub model: String,
    /// Where the provider is, when it is not the usual place.
    pub base_url: Option<String>,
    /// `chat` (the default) or `responses`: which of their two APIs `openai` and `azure` are asked by.
    pub api: Option<String>,
    pub key: Option<SecretString>,
    /// The name under which the key is stored, if it is not the provider's.
    pub key_name: Option<String>,
    /// The model thinks before it writes: its first token may take 60 s instead of 20 s, and it gets
    /// [`THINKING_TOKENS`] on top.
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
    match config.provider.as_str() {
        "bedrock" => Ok(Box::new(Bedrock::new(config, clients, limits)?)),
        "echo" => Ok(Box::new(Echo)),
        _ => Ok(Box::new(Chat::new(Provider::of(&config)?, config, clients, limits)?)),
    }
}

impl ModelConfig {
    /// The name for logs and for [`crate::Answer::model`].
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.provider, self.model)
    }

    /// The smaller of what is asked for and what the configuration allows, and room for thoughts. `None`: as much
    /// as the model can.
    pub(crate) fn most_tokens(&self, asked: u32) -> Option<u32> {
        let most = self.max_output_tokens.map_or(asked, |most| most.min(asked));
        let thoughts = if self.reasoning { THINKING_TOKENS } else { 0 };
        (most < u32::MAX).then(|| most.saturating_add(thoughts))
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

    pub(crate) fn no_key(&self) -> Error {
        let name = self.key_name.as_deref().unwrap_or(&self.provider);
        Error::NotSetUp(format!(
            "provider `{}` needs a key: store it with `crabhook secrets set model {name}`",
            self.provider
        ))
    }

    pub(crate) fn no_such_provider(&self) -> Error {
        Error::NotSetUp(format!(
            "there is no provider `{}`: use one of {}",
            self.provider,
            PROVIDERS.join(", ")
        ))
    }
}
