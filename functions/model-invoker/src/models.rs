//! Which model answers: the configuration's, its fallbacks behind it, keys from the secrets.

use model::{Chain, Clients, Cooldowns, Model, ModelConfig};
use secrecy::SecretString;
use turn::config::Config;

use crate::services::Services;

/// More fallbacks than this are a ring.
const MAX_CHAIN: usize = 4;
/// Most calls of models for one turn.
const MAX_CALLS: u32 = 8;

/// The clients that models are asked with.
pub struct Models {
    pub clients: Clients,
}

impl Models {
    /// The chain that begins with the entry `name` of `models`.
    ///
    /// # Errors
    /// [`model::Error::NotSetUp`] when the first entry is not there or lacks its key; [`model::Error::Busy`] when the
    /// secrets cannot be read now.
    pub async fn chain(
        &self,
        services: &Services,
        config: &Config,
        name: &str,
    ) -> Result<Chain, model::Error> {
        let mut models: Vec<(String, Box<dyn Model>)> = Vec::new();
        let mut first_error = None;
        let mut next = Some(name);
        for _ in 0..MAX_CHAIN {
            let Some((name, entry)) = next.and_then(|name| config.models.get_key_value(name)) else { break };
            match self.model(services, entry).await {
                Ok(model) => models.push((name.clone(), model)),
                Err(error) => first_error = first_error.or(Some(error)),
            }
            next = entry.fallback.as_deref();
        }
        match first_error {
            Some(error) if models.is_empty() => Err(error),
            _ => Ok(Chain::new(models, Cooldowns::default(), MAX_CALLS)),
        }
    }

    async fn model(
        &self,
        services: &Services,
        entry: &turn::config::Model,
    ) -> Result<Box<dyn Model>, model::Error> {
        if entry.provider == "echo" && !cfg!(feature = "local") {
            return Err(model::Error::NotSetUp(
                "echo is for the local run; choose a provider under models".to_owned(),
            ));
        }
        let key_name = entry.key.as_deref().unwrap_or(&entry.provider);
        let keyless = matches!(entry.provider.as_str(), "bedrock" | "echo");
        let key = if keyless { None } else { self.key(services, key_name).await? };
        let config = ModelConfig {
            provider: entry.provider.clone(),
            model: entry.model.clone(),
            base_url: entry.base_url.clone(),
            key,
            reasoning: entry.reasoning,
            ..ModelConfig::default()
        };
        model::build(config, &self.clients)
    }

    async fn key(&self, services: &Services, name: &str) -> Result<Option<SecretString>, model::Error> {
        let path = format!("{}/model", services.secrets_root);
        let keys = services.secrets.of_account(&path).await.map_err(|error| {
            tracing::warn!(%error, "the models' keys cannot be read");
            model::Error::Busy { retry_after: None, why: "its key cannot be read" }
        })?;
        Ok(keys.get(name).map(SecretString::from))
    }
}
