//! The shape of the configuration as a JSON Schema: editors complete by it, and `config check` judges by it.

mod assistant;
mod tool;

use channel::Spec;
use serde_json::{Map, Value, json};
use turn::config::CONFIG_VERSION;

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
            "assistants": named("Who answers, by name. `default` is used where a channel names none.", assistant::assistant()),
            "models": named("Language models, by name.", assistant::model()),
            "prices": named("What models cost, by the name of an entry of `models` or by the provider's name of a model.", assistant::price()),
            "channels": object("Settings of the channels.", Value::Object(channels)),
            "limits": limits(),
            "tools": named("What models may call, by name.", tool::tool()),
            "hooks": named("Programs that run around a model, by name.", tool::hook()),
            "commands": named("Commands and keywords of your own, by name: `translate` is /translate.", tool::command()),
            "knowledge": named("Documents to search, by name.", assistant::knowledge()),
        }),
    );
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".into(), DIALECT.into());
        root.insert("required".into(), json!(["version"]));
    }
    root
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
    let streamings: &[&str] = match spec.streaming {
        channel::Streaming::Off => &["off"],
        channel::Streaming::Edit => &["off", "edit"],
        channel::Streaming::Native => &["off", "edit", "native"],
    };
    let mut keys = json!({
        "access": choice(
            "Who may talk: who claimed it, the people named here, the people let in, the platform's tenant, or everybody.",
            &["owner", "list", "pairing", "workspace", "open"],
        ),
        "assistant": text("Name of an entry of `assistants`."),
        "assistants": list("Names of entries of `assistants` that people may choose here with /assistant; owners may choose every one."),
        "prompt": assistant::prompt("What the model is told first here, in place of the assistant's own prompt."),
        "conversations": named("What is different in some conversations, by the platform's id of the chat.", object(
            "One conversation.",
            json!({
                "assistant": text("Name of an entry of `assistants`."),
                "prompt": assistant::prompt("What the model is told first in this conversation."),
            }),
        )),
        "streaming": choice(
            "How an answer is shown while it is being written: when it is complete, by editing a message, or by the platform's own way. What the platform has, unless given.",
            streamings,
        ),
        "media_hosts": list("Hosts whose pictures an answer may show as pictures, *.example.com for all below one; others stay links. None unless given."),
        "overlap": choice(
            "What a message does that comes while an answer is being written: wait and be answered with the others that wait, have the answer written anew for both, or wait for an answer of its own. `coalesce` unless given.",
            overlaps,
        ),
        "on_doubt": choice(
            "What is done about a message of ours that may or may not be posted, because the platform's answer was lost: post it again, which may show it twice, or leave it, which may lose it. `repeat` unless given.",
            &["repeat", "skip"],
        ),
        "people": list("Platform ids of those who may talk under `access: list`."),
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
            "tokens_per_person_day": count("Tokens a day of one person, read and written."),
            "tokens_per_person_month": count("Tokens a month of one person, read and written."),
            "tokens_per_conversation_day": count("Tokens a day in one conversation, read and written."),
            "tokens_per_conversation_month": count("Tokens a month in one conversation, read and written."),
            "tokens_per_assistant_day": count("Tokens a day of each assistant, read and written."),
            "tokens_per_assistant_month": count("Tokens a month of each assistant, read and written."),
            "tokens_per_stack_day": count("Tokens a day of everybody together, read and written."),
            "tokens_per_stack_month": count("Tokens a month of everybody together, read and written."),
            "usd_per_person_day": number("US dollars a day of one person. Needs `prices`."),
            "usd_per_person_month": number("US dollars a month of one person. Needs `prices`."),
            "usd_per_conversation_day": number("US dollars a day in one conversation. Needs `prices`."),
            "usd_per_conversation_month": number("US dollars a month in one conversation. Needs `prices`."),
            "usd_per_assistant_day": number("US dollars a day of each assistant. Needs `prices`."),
            "usd_per_assistant_month": number("US dollars a month of each assistant. Needs `prices`."),
            "usd_per_stack_day": number("US dollars a day of everybody together. Needs `prices`."),
            "usd_per_stack_month": number("US dollars a month of everybody together. Needs `prices`."),
            "soft_percent": count("Percent of a cap on tokens or dollars at which people are warned once. 80 unless given; 0 never warns."),
            "model_calls": count("Calls of models for one answer, fallbacks and rounds of tools included. 8 unless given."),
            "tool_calls": count("Calls of tools for one answer. 12 unless given."),
            "turn_seconds": count("Seconds that models and tools have for one answer; as many as the function has unless given."),
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

fn number(description: &str) -> Value {
    json!({"type": "number", "minimum": 0, "description": description})
}

fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

fn list(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

/// The object with entries that must be there.
fn required(mut object: Value, names: &[&str]) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.insert("required".into(), json!(names));
    }
    object
}
