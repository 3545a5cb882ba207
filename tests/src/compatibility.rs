//! What releases wrote, frozen, and what a later one may write.

use serde_json::{Value, json};

/// Something as version 1 writes it, from `tests/compatibility/v1`. These files never change: a new shape gets files of its own.
pub fn frozen(name: &str) -> Value {
    let text = crate::read(&format!("tests/compatibility/v1/{name}.json"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where a name stands for something else than a field: other names would be other content.
const NOT_FIELDS: &[&str] = &[
    "accounts",
    "assistants",
    "auth",
    "body",
    "channels",
    "content",
    "data",
    "headers",
    "models",
    "target",
    "telegram",
    "urls",
];

/// Adds a field that nobody knows to every object with fields.
pub fn with_unknown_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let known = fields.iter_mut().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()));
            known.for_each(|(_, value)| with_unknown_fields(value));
            fields.insert("added_later".to_owned(), json!({"a": [1, null, "x"]}));
        }
        Value::Array(values) => values.iter_mut().for_each(with_unknown_fields),
        _ => {}
    }
}
