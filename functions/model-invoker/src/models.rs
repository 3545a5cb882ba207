//! Which model answers: the configuration's, its fallbacks behind it, keys from the secrets.

use model::{Chain, Clients, Cooldowns, Model, ModelConfig};
use secrecy::SecretString;
use tools::Knowledge;
use turn::config::{self, Config};

/// More fallbacks than this are a ring.
const MAX_CHAIN: usize = 4;

/// The clients that models are asked with.
pub struct Models {
    pub clients: Clients,
}

/// Where the models' keys are.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub secrets: &'a secrets::Secrets,
    /// `/<stack>`, the root of all secrets.
    pub root: &'a str,
}

impl Models {
    /// The chain that begins with the entry `name` of `models`. `cooldowns` are the models that others found failing; all asks
    /// together make at most `calls` calls.
    ///
    /// # Errors
    /// [`model::Error::NotSetUp`] when the first entry is not there or lacks its key; [`model::Error::Busy`] when the
    /// secrets cannot be read now.
    pub async fn chain(
        &self,
        keys: Keys<'_>,
        config: &Config,
        name: &str,
        cooldowns: Cooldowns,
        calls: u32,
    ) -> Result<Chain, model::Error> {
        let mut models: Vec<(String, Box<dyn Model>)> = Vec::new();
        let mut first_error = None;
        for (name, entry) in in_order(config, name) {
            match keys.model(entry).await.and_then(|model| model::build(model, &self.clients)) {
                Ok(model) => models.push((name.to_owned(), model)),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match first_error {
            Some(error) if models.is_empty() => Err(error),
            _ => Ok(Chain::new(models, cooldowns, calls)),
        }
    }
}

/// The entry of that name and its fallbacks.
pub fn in_order<'a>(config: &'a Config, name: &'a str) -> Vec<(&'a str, &'a config::Model)> {
    let mut all = Vec::new();
    let mut next = Some(name);
    while let Some((name, entry)) = next.and_then(|name| config.models.get_key_value(name)) {
        if all.len() == MAX_CHAIN || all.iter().any(|(seen, _)| *seen == name) {
            break;
        }
        all.push((name.as_str(), entry));
        next = entry.fallback.as_deref();
    }
    all
}

impl Keys<'_> {
    /// The entry with its key.
    ///
    /// # Errors
    /// See [`Models::chain`].
    pub async fn model(self, entry: &config::Model) -> Result<ModelConfig, model::Error> {
        if entry.provider == "echo" && !cfg!(feature = "local") {
            return Err(model::Error::NotSetUp(
                "echo is for the local run; choose a provider under models".to_owned(),
            ));
        }
        let key_name = entry.key.as_deref().unwrap_or(&entry.provider);
        let keyless = matches!(entry.provider.as_str(), "bedrock" | "echo");
        Ok(ModelConfig {
            provider: entry.provider.clone(),
            model: entry.model.clone(),
            base_url: entry.base_url.clone(),
            api: entry.api.clone(),
            key: if keyless { None } else { self.key(key_name).await? },
            key_name: entry.key.clone(),
            reasoning: entry.reasoning,
            max_output_tokens: None,
        })
    }

    /// What can be searched. Without its model's key an entry is left out; `search_knowledge` says so where none is left.
    pub async fn knowledge(self, config: &Config) -> Vec<Knowledge> {
        let mut all = Vec::new();
        for (name, entry) in &config.knowledge {
            let Some(model) = config.models.get(&entry.model) else { continue };
            match self.model(model).await {
                Ok(model) => all.push(Knowledge {
                    name: name.clone(),
                    about: entry.about.clone(),
                    results: entry.results,
                    model,
                }),
                Err(error) => tracing::warn!(knowledge = name, %error, "it cannot be searched"),
            }
        }
        all
    }

    async fn key(self, name: &str) -> Result<Option<SecretString>, model::Error> {
        let keys = self.secrets.of_account(&format!("{}/model", self.root)).await.map_err(|error| {
            tracing::warn!(%error, "the models' keys cannot be read");
            model::Error::Busy { retry_after: None, why: "its key cannot be read" }
        })?;
        Ok(keys.get(name).map(SecretString::from))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_configuration_offers_exactly_the_providers_there_are() {
        assert_eq!(turn::config::PROVIDERS, model::PROVIDERS);
    }
}
