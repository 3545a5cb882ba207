//! What differs between the providers with an HTTP API of their own: facts.

use genai::adapter::AdapterKind;
use genai::chat::ReasoningEffort;
use genai::resolver::AuthData;
use reqwest::Url;
use secrecy::ExposeSecret;

use crate::{Error, ModelConfig};

/// Which API is spoken, and whose; the model's name never decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    OpenAi,
    /// Another server that speaks OpenAI's API.
    Compatible,
    Responses,
    Anthropic,
    Gemini,
    Azure,
    AzureResponses,
    Mistral,
    Groq,
    OpenRouter,
    DeepSeek,
    Ollama,
}

impl Provider {
    pub fn of(config: &ModelConfig) -> Result<Self, Error> {
        let responses = match config.api.as_deref() {
            None | Some("chat") => false,
            Some("responses") if matches!(config.provider.as_str(), "openai" | "azure") => true,
            Some(api) => {
                return Err(Error::NotSetUp(format!(
                    "provider `{}` has no `api: {api}`: leave it out, or say chat (openai and azure: or responses)",
                    config.provider
                )));
            }
        };
        Ok(match config.provider.as_str() {
            "openai" if responses => Self::Responses,
            "openai" if config.base_url.is_some() => Self::Compatible,
            "openai" => Self::OpenAi,
            "anthropic" => Self::Anthropic,
            "gemini" => Self::Gemini,
            "azure" if responses => Self::AzureResponses,
            "azure" => Self::Azure,
            "mistral" => Self::Mistral,
            "groq" => Self::Groq,
            "openrouter" => Self::OpenRouter,
            "deepseek" => Self::DeepSeek,
            "ollama" => Self::Ollama,
            _ => return Err(config.no_such_provider()),
        })
    }

    /// genai's own name for it.
    pub const fn kind(self) -> AdapterKind {
        match self {
            Self::OpenAi | Self::Compatible | Self::Azure => AdapterKind::OpenAI,
            Self::Responses | Self::AzureResponses => AdapterKind::OpenAIResp,
            Self::Anthropic => AdapterKind::Anthropic,
            Self::Gemini => AdapterKind::Gemini,
            Self::Mistral => AdapterKind::Mistral,
            Self::Groq => AdapterKind::Groq,
            Self::OpenRouter => AdapterKind::OpenRouter,
            Self::DeepSeek => AdapterKind::DeepSeek,
            Self::Ollama => AdapterKind::Ollama,
        }
    }

    /// Where genai appends `chat/completions`, `messages`, `models/…` or `api/chat`: it must end in a slash.
    ///
    /// As people know it from the providers' own libraries, `base_url` holds the `/v1` for OpenAI and lacks it
    /// for Anthropic, Gemini, Azure and Ollama; written the other way it means the same.
    pub fn endpoint(self, config: &ModelConfig) -> Result<String, Error> {
        let Some(mut url) = config.base()? else {
            return self.usual_endpoint(config);
        };
        let path = url.path().trim_end_matches('/').to_owned();
        let versioned = |version: &str| {
            let root = path.strip_suffix(version).unwrap_or(&path);
            format!("{root}{version}/")
        };
        let path = match self {
            Self::Anthropic => versioned("/v1"),
            Self::Gemini => versioned("/v1beta"),
            // https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
            Self::Azure | Self::AzureResponses => {
                let root = path.strip_suffix("/v1").unwrap_or(&path);
                format!("{}/openai/v1/", root.strip_suffix("/openai").unwrap_or(root))
            }
            Self::Ollama => format!("{}/", path.strip_suffix("/v1").unwrap_or(&path)),
            _ => format!("{path}/"),
        };
        url.set_path(&path);
        Ok(Url::to_string(&url))
    }

    fn usual_endpoint(self, config: &ModelConfig) -> Result<String, Error> {
        let url = match self {
            Self::OpenAi | Self::Compatible | Self::Responses => "https://api.openai.com/v1/",
            Self::Anthropic => "https://api.anthropic.com/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
            Self::Mistral => "https://api.mistral.ai/v1/",
            Self::Groq => "https://api.groq.com/openai/v1/",
            Self::OpenRouter => "https://openrouter.ai/api/v1/",
            Self::DeepSeek => "https://api.deepseek.com/v1/",
            Self::Ollama => "http://localhost:11434/",
            Self::Azure | Self::AzureResponses => {
                return Err(Error::NotSetUp(format!(
                    "provider `{}` needs the resource's address: `base_url: https://<resource>.openai.azure.com`",
                    config.provider
                )));
            }
        };
        Ok(url.to_owned())
    }

    pub fn auth(self, config: &ModelConfig) -> Result<AuthData, Error> {
        match (self, &config.key) {
            (_, Some(key)) => Ok(AuthData::from_single(key.expose_secret())),
            (Self::Ollama, None) => Ok(AuthData::None),
            // Servers on one's own machine want no key, but genai wants one to send.
            (Self::Compatible | Self::Responses | Self::Anthropic, None) if config.base_url.is_some() => {
                Ok(AuthData::from_single("none"))
            }
            _ => Err(config.no_key()),
        }
    }

    /// Without an effort genai takes one from the end of the model's name ("-high") and shortens the name; what
    /// is said here makes it send the name whole and no effort, unless the model is to think.
    pub const fn effort(self, reasoning: bool) -> Option<ReasoningEffort> {
        match self {
            // genai knows which of Anthropic's models takes which field; their names end in no effort.
            Self::Anthropic if reasoning => Some(ReasoningEffort::Medium),
            Self::Anthropic | Self::Ollama => None,
            // DeepSeek's switch for thinking is in the request, and this effort is off.
            Self::DeepSeek if !reasoning => Some(ReasoningEffort::Zero),
            Self::Gemini => Some(ReasoningEffort::Zero),
            // A budget is an effort that genai does not send to these.
            _ => Some(ReasoningEffort::Budget(0)),
        }
    }

    /// Whether genai keeps thoughts to be given back with the calls that they led to. Groq refuses them, OpenAI
    /// gives them only by its Responses API, where models that do not think must not be asked for them, Gemini
    /// signs its calls, thoughts or not, and OpenRouter's are kept in [`super::frames`].
    pub const fn keeps_thoughts(self, reasoning: bool) -> bool {
        match self {
            Self::OpenAi | Self::Azure | Self::Groq | Self::Gemini | Self::OpenRouter | Self::Ollama => false,
            Self::Responses | Self::AzureResponses => reasoning,
            Self::Compatible | Self::Anthropic | Self::Mistral | Self::DeepSeek => true,
        }
    }

    /// Models of these take no temperature while they think.
    pub const fn takes_temperature(self, reasoning: bool) -> bool {
        match self {
            Self::OpenAi | Self::Responses | Self::Anthropic | Self::Azure | Self::AzureResponses => {
                !reasoning
            }
            _ => true,
        }
    }

    /// genai makes up an end when these break off; only a real one says why it ends.
    pub const fn may_make_up_an_end(self) -> bool {
        matches!(self, Self::Responses | Self::AzureResponses | Self::Gemini | Self::Ollama)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_understood_with_and_without_slash_and_version() {
        let check = |provider: Provider, base: &str, expected: &str| {
            let config = ModelConfig { base_url: Some(base.into()), ..ModelConfig::default() };
            assert_eq!(provider.endpoint(&config).unwrap(), expected, "{base}");
        };
        check(Provider::Compatible, "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/");
        check(Provider::Compatible, "http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/");
        check(Provider::Compatible, "https://h/api?version=2", "https://h/api/?version=2");
        check(Provider::Compatible, "http://127.0.0.1:8080", "http://127.0.0.1:8080/");
        check(Provider::Anthropic, "https://h", "https://h/v1/");
        check(Provider::Anthropic, "https://h/v1/", "https://h/v1/");
        check(Provider::Anthropic, "https://h/proxy", "https://h/proxy/v1/");
        check(Provider::Gemini, "https://h", "https://h/v1beta/");
        check(Provider::Azure, "https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/");
        check(
            Provider::Azure,
            "https://r.openai.azure.com/openai/v1",
            "https://r.openai.azure.com/openai/v1/",
        );
        check(Provider::Azure, "https://r.openai.azure.com/openai/", "https://r.openai.azure.com/openai/v1/");
        check(Provider::Ollama, "http://127.0.0.1:11434", "http://127.0.0.1:11434/");
        check(Provider::Ollama, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/");
    }
}
