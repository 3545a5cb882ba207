//! Models: each one of the configuration is asked for a word.

use std::time::{Duration, Instant};

use aws_credential_types::provider::ProvideCredentials as _;
use model::{Ask, Aws, Clients, Cooldowns, Message, Model as _, Role};
use model_invoker::{Keys, Models};
use turn::config::Config;

use super::Findings;
use crate::place::Place;
use crate::{Error, http};

/// Long enough for a model that thinks before it writes.
const PATIENCE: Duration = Duration::from_secs(60);
/// A busy model is asked once more.
const CALLS: u32 = 2;
/// The fewest that some providers take.
const TOKENS: u32 = 16;

/// Asks every model by itself, without the fallback that would hide its failure.
pub async fn check(place: &Place, config: &Config, findings: &mut Findings) -> Result<(), Error> {
    if config.models.is_empty() {
        findings.wrong(
            "models",
            "none is configured, so nobody gets an answer",
            "Add models.default, then crabhook config push",
        );
        return Ok(());
    }
    let (models, secrets) = (models(place).await?, place.secrets());
    let keys = Keys { secrets: &secrets, root: &format!("/{}", place.stack) };
    for (name, entry) in &config.models {
        let title = format!("models.{name} ({})", format!("{} {}", entry.provider, entry.model).trim());
        if entry.provider == "echo" {
            match place.is_local() {
                true => findings.good(format!("{title}: no real model, good enough for the local run")),
                false => findings.wrong(
                    title,
                    "a deployed stack never echoes",
                    "Choose a provider, then crabhook config push",
                ),
            }
            continue;
        }
        let mut alone = config.clone();
        if let Some(entry) = alone.models.get_mut(name) {
            entry.fallback = None;
        }
        match ask(&models, keys, &alone, name).await {
            Ok(ms) => findings.good(format!("{title}: answers in {ms} ms")),
            Err(error) => findings.wrong(title, &error, to_do(&error, &entry.provider, entry.key.as_deref())),
        }
    }
    Ok(())
}

async fn ask(models: &Models, keys: Keys<'_>, config: &Config, name: &str) -> Result<u128, model::Error> {
    let chain = models.chain(keys, config, name, Cooldowns::default(), CALLS).await?;
    let started = Instant::now();
    let question = Message { role: Role::User, text: "Say: ok".to_owned(), ..Message::default() };
    let ask = Ask { messages: vec![question], max_output_tokens: TOKENS, ..Ask::default() };
    match chain.ask(&ask, started + PATIENCE, &mut |_: &str| ()).await {
        Ok(_) | Err(model::Error::Interrupted { .. }) => Ok(started.elapsed().as_millis()),
        Err(error) => Err(error),
    }
}

fn to_do(error: &model::Error, provider: &str, key: Option<&str>) -> String {
    match error {
        model::Error::NotSetUp(_) | model::Error::Refused(_) | model::Error::Unfit(_)
            if provider == "bedrock" =>
        {
            "Is the model open to the account, in this region (Bedrock console, Model access)?".to_owned()
        }
        model::Error::NotSetUp(_) => format!("crabhook secrets set model {}", key.unwrap_or(provider)),
        model::Error::Refused(_) | model::Error::Unfit(_) => "Is the model's name right?".to_owned(),
        _ => "Is its address right, and the provider up?".to_owned(),
    }
}

/// As the invoker asks, with the operator's own credentials.
pub async fn models(place: &Place) -> Result<Models, Error> {
    let credentials = match place.aws.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.ok(),
        None => None,
    };
    let region = place.aws.region().map(ToString::to_string);
    let aws = match (place.aws.http_client(), region, credentials) {
        (Some(http), Some(region), Some(credentials)) => Some(Aws { http, region, credentials }),
        _ => None,
    };
    Ok(Models { clients: Clients { http: http::egress()?.configured_client(), aws } })
}
