//! The shape of the configuration as a JSON Schema: editors complete by it, and `config check` judges by it.

use channel::Spec;
use serde_json::{Map, Value, json};
use turn::config::{CONFIG_VERSION, PROVIDERS};

/// Name under which editors find it, see the first line of `infra/assistant.yaml`.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema for these channels.
pub fn schema(specs: &[&'static Spec]) -> Value {
    let channels: Map<String, Value> =
        specs.iter().map(|spec| (spec.name.to_owned(), channel(spec))).collect();
    let mut root = object(
        "Configuration of crabhook",
        json!({
            "version": {"type": "integer", "enum": [CONFIG_VERSION], "description": "Version of this file's shape."},
            "assistants": named("Who answers, by name. `default` is used where a channel names none.", assistant()),
            "models": named("Language models, by name.", model()),
            "channels": object("Settings of the channels.", Value::Object(channels)),
            "limits": limits(),
        }),
    );
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".into(), DIALECT.into());
        root.insert("required".into(), json!(["version"]));
    }
    root
}

fn assistant() -> Value {
    object(
        "An assistant.",
        json!({
            "model": text("Name of an entry of `models`; `default` unless given."),
            "prompt": text("What the model is told first."),
            "history": object("How much of the conversation the model sees again.", json!({
                "tokens": count("Estimated tokens, newest turns first. 4000 unless given."),
                "days": count("Days after which a turn is forgotten. 30 unless given."),
            })),
        }),
    )
}

fn model() -> Value {
    let mut model = object(
        "A language model.",
        json!({
            "provider": choice("Who runs it. `echo` is for the local run only.", PROVIDERS),
            "model": text("The provider's name of the model; on Bedrock an inference profile."),
            "base_url": text("Another endpoint that speaks the provider's protocol."),
            "key": text("Name of the secret under `crabhook secrets set model`; the provider's name unless given."),
            "fallback": text("Name of the entry of `models` to ask when this one cannot answer."),
            "reasoning": {"type": "boolean", "description": "It thinks before it writes: it gets 60 s for the first token instead of 20 s."},
        }),
    );
    if let Some(model) = model.as_object_mut() {
        model.insert("required".into(), json!(["provider"]));
    }
    model
}

fn channel(spec: &Spec) -> Value {
    let mut keys = account(spec);
    if let Some(keys) = keys.as_object_mut() {
        let accounts = named(
            "Other bots on the same channel, by the first segment of their address.",
            json!(account_of(spec)),
        );
        keys.insert("accounts".into(), accounts);
    }
    object(spec.title, keys)
}

fn account_of(spec: &Spec) -> Value {
    object("An account; what it does not set is the channel's.", account(spec))
}

/// The keys of a channel that one account may have for itself.
fn account(spec: &Spec) -> Value {
    let urls: Map<String, Value> = spec
        .bases
        .iter()
        .map(|(base, url)| {
            (
                (*base).to_owned(),
                text(&format!(
                    "Instead of {}",
                    if url.is_empty() { "nothing: it must be set" } else { *url }
                )),
            )
        })
        .collect();
    let overlaps: &[&str] = match spec.overlap {
        channel::Overlap::Each => &["each"],
        channel::Overlap::Coalesce => &["coalesce", "interrupt", "each"],
    };
    let mut keys = json!({
        "access": choice(
            "Who may talk: who claimed it, the people named here, the people let in, the platform's tenant, or everybody.",
            &["owner", "list", "pairing", "workspace", "open"],
        ),
        "assistant": text("Name of an entry of `assistants`."),
        "overlap": choice(
            "What a message does that comes while an answer is being written: wait and be answered with the others that wait, have the answer written anew for both, or wait for an answer of its own. `coalesce` unless given.",
            overlaps,
        ),
        "on_doubt": choice(
            "What is done about a message of ours that may or may not be posted, because the platform's answer was lost: post it again, which may show it twice, or leave it, which may lose it. `repeat` unless given.",
            &["repeat", "skip"],
        ),
        "people": {"type": "array", "items": {"type": "string"}, "description": "Platform ids of those who may talk under `access: list`."},
        "pause_hours": count("Hours for which the assistant is silent in a conversation after a human on your side wrote there. 12 unless given."),
        "public_url": {"type": "string", "description": "The address that the platform knows, where something stands in front of the function."},
        "urls": object("Other addresses for the platform's own.", Value::Object(urls)),
    });
    if let Some(keys) = keys.as_object_mut() {
        let own = |(name, about): &(&str, &str)| ((*name).to_owned(), json!({"description": about}));
        keys.extend(spec.settings.iter().map(own));
    }
    keys
}

fn limits() -> Value {
    object(
        "Caps; 0 is none.",
        json!({
            "per_person": count("Turns a day. 50 unless given."),
            "per_stack": count("Turns a day. 500 unless given."),
            "per_minute": count("Turns a minute in one conversation. 10 unless given."),
            "person_per_minute": count("Turns a minute of one person on one channel, in all conversations together. No cap unless given."),
            "channel_per_minute": count("Turns a minute on one channel, everybody together. No cap unless given."),
            "output_tokens": count("Tokens of one answer. 1000 unless given."),
        }),
    )
}

fn object(description: &str, properties: Value) -> Value {
    json!({"type": "object", "description": description, "properties": properties, "additionalProperties": false})
}

fn named(description: &str, each: Value) -> Value {
    json!({"type": "object", "description": description, "additionalProperties": each})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn count(description: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": description})
}

fn choice(description: &str, values: &[&str]) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}
