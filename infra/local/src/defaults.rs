//! What the local run makes of the configuration before it is stored, so that everything works at once on one machine.
//! All of it is explicit in the stored configuration: the functions do not know that they run locally.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turn::config::{Access, Config, Limits, Model};

use crate::Error;
use crate::credentials::Credentials;

/// Applies the local defaults. `source` is the configuration as written: it tells what was named; `addresses` are the
/// webhooks' by channel, because the local cloud does not tell a function how it was addressed. Returns what people should
/// know.
///
/// # Errors
/// [`Error::Change`] for limits that are none.
pub(crate) fn apply(
    config: &mut Config,
    source: &Value,
    channels: &[String],
    credentials: &Credentials,
    platform: &str,
    addresses: &BTreeMap<String, String>,
) -> Result<Vec<String>, Error> {
    config.limits = limits(source)?;
    for name in channels {
        let Some(room) = model_invoker::channels::named(name) else { continue };
        let channel = config.channels.entry(name.clone()).or_default();
        channel.access.get_or_insert(Access::Open);
        if name == "web" {
            let origins = channel.settings.entry("origins").or_insert_with(|| json!([]));
            let (host, own) = (platform.replace("127.0.0.1", "localhost"), json!(platform));
            // The local page has the widget on it, too.
            if let Some(origins) = origins.as_array_mut().filter(|origins| !origins.contains(&own)) {
                origins.extend([own, json!(host)]);
            }
        }
        if let Some(address) = addresses.get(name) {
            let address = address.trim_end_matches('/');
            channel.settings.entry("public_url").or_insert_with(|| address.into());
        }
        for account in credentials.accounts(name) {
            if credentials.is_real(room.spec(), &account) {
                continue;
            }
            let named = channel.urls.clone();
            let urls = &mut channel.accounts.entry(account).or_default().urls;
            for (base, _) in room.spec().bases.iter().filter(|(base, _)| !named.contains_key(*base)) {
                urls.entry((*base).to_owned()).or_insert_with(|| format!("{platform}/{name}/{base}"));
            }
        }
    }
    Ok(models(config, credentials))
}

/// Only the caps that the configuration names.
pub(crate) fn limits(source: &Value) -> Result<Limits, Error> {
    let mut limits = json!(Limits::NONE);
    if let (Some(limits), Some(named)) =
        (limits.as_object_mut(), source.get("limits").and_then(Value::as_object))
    {
        limits.extend(named.clone());
    }
    serde_json::from_value(limits).map_err(|error| Error::Change(format!("limits: {error}")))
}

/// A model that cannot be asked from here becomes `echo`. Returns what to say about it.
fn models(config: &mut Config, credentials: &Credentials) -> Vec<String> {
    let mut said = Vec::new();
    config
        .models
        .entry("default".to_owned())
        .or_insert_with(|| Model { provider: "echo".to_owned(), ..Model::default() });
    for (name, model) in &mut config.models {
        let Some(lack) = lack(model, credentials) else { continue };
        said.push(format!("no model set up for {name:?}: echo answers ({lack})"));
        *model = Model { provider: "echo".to_owned(), ..Model::default() };
    }
    said
}

fn lack(model: &Model, credentials: &Credentials) -> Option<String> {
    let key = model.key.as_deref().unwrap_or(&model.provider);
    match model.provider.as_str() {
        // The functions have the local cloud's credentials, which Bedrock does not take.
        "bedrock" if model.base_url.is_none() => {
            Some("bedrock answers deployed stacks; openai, anthropic or ollama work here".to_owned())
        }
        "bedrock" | "ollama" | "echo" => None,
        // Another endpoint may need no key.
        _ if model.base_url.is_none() && !credentials.has_model_key(key) => {
            Some(format!("put its key into secrets.json: {{\"model\": {{{key:?}: \"…\"}}}}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The stored configuration for a written one and the user's secrets, and what is said.
    fn check(source: Value, secrets: &str) -> (Config, Vec<String>) {
        let mut config: Config = serde_json::from_value(source.clone()).unwrap();
        let state = folder();
        std::fs::write(state.join("secrets.json"), secrets).unwrap();
        let mut credentials = Credentials::load(&state).unwrap();
        std::fs::remove_dir_all(state).unwrap();
        credentials.complete(model_invoker::channels::named("telegram").unwrap().spec(), "main");
        let channels = ["telegram".to_owned()];
        let addresses = [("telegram".to_owned(), "http://127.0.0.1:2/_aws/lambda-url/x/".to_owned())].into();
        let platform = "http://127.0.0.1:1";
        let said = apply(&mut config, &source, &channels, &credentials, platform, &addresses).unwrap();
        (config, said)
    }

    fn folder() -> PathBuf {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("crabhook-defaults-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_empty_configuration_lets_everybody_talk_to_the_stand_in() {
        let (config, said) = check(json!({"version": 1}), "{}");
        let telegram = config.channel("telegram", "main");
        assert_eq!(telegram.access, Some(Access::Open));
        assert_eq!(telegram.urls["api"], "http://127.0.0.1:1/telegram/api");
        assert_eq!(telegram.settings["public_url"], "http://127.0.0.1:2/_aws/lambda-url/x");
        assert_eq!(config.limits, Limits::NONE);
        assert_eq!((config.models["default"].provider.as_str(), said.len()), ("echo", 0));
    }

    #[test]
    fn what_is_named_stays() {
        let source = json!({
            "version": 1,
            "channels": {"telegram": {"access": "owner", "urls": {"api": "http://mine"}}},
            "limits": {"per_person": 3},
            "models": {"default": {"provider": "openai", "model": "m"}, "other": {"provider": "ollama", "model": "m"}},
        });
        let (config, said) = check(source, r#"{"model": {"openai": "sk-1"}}"#);
        let telegram = config.channel("telegram", "main");
        assert_eq!((telegram.access, telegram.urls["api"].as_str()), (Some(Access::Owner), "http://mine"));
        assert_eq!(config.limits, Limits { per_person: 3, ..Limits::NONE });
        assert_eq!(config.models["default"].provider, "openai");
        assert_eq!((config.models["other"].provider.as_str(), said.len()), ("ollama", 0));
    }

    #[test]
    fn a_real_account_talks_to_the_platform_and_the_others_do_not() {
        let secrets = r#"{"telegram/real": {"bot_token": "110201543:AAHdq"}}"#;
        let (config, _) = check(json!({"version": 1}), secrets);
        assert!(config.channel("telegram", "real").urls.is_empty());
        assert!(!config.channel("telegram", "main").urls.is_empty());
    }

    #[test]
    fn a_model_without_its_key_becomes_echo_and_that_is_said() {
        let source = json!({"version": 1, "models": {"default": {"provider": "anthropic", "model": "m"}}});
        let (config, said) = check(source, "{}");
        assert_eq!(config.models["default"].provider, "echo");
        assert!(said[0].contains("echo answers") && said[0].contains("anthropic"), "{said:?}");
        let source = json!({"version": 1, "models": {"default": {"provider": "gemini", "model": "m"}}});
        assert_eq!(check(source, "{}").0.models["default"].provider, "echo");
        let source = json!({"version": 1, "models": {"default":
            {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1"}}});
        assert_eq!(check(source, "{}").0.models["default"].provider, "openai");
    }
}
