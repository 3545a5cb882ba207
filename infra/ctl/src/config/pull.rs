//! The configuration in force, as YAML again.

use saphyr::{Mapping, Scalar, Yaml, YamlEmitter};
use serde_json::Value;

use crate::Error;
use crate::place::Place;

/// The configuration in force. Comments of the file that it came from are not kept.
pub async fn pull(place: &Place) -> Result<String, Error> {
    let stored = place.store().configuration().await?;
    let stored = stored.ok_or_else(|| {
        Error::failed(format!("{}: no configuration yet; crabhook config push makes one", place.title()))
    })?;
    let value: Value = serde_json::from_str(&stored.json)
        .map_err(|error| Error::failed(format!("what is stored is no JSON ({error}): push a good one")))?;
    text(&value)
}

/// A value as a YAML document.
pub fn text(value: &Value) -> Result<String, Error> {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(&yaml(value)).map_err(|error| Error::failed(error.to_string()))?;
    Ok(text.strip_prefix("---\n").unwrap_or(&text).trim_end().to_owned() + "\n")
}

fn yaml(value: &Value) -> Yaml<'_> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(yes) => Yaml::Value(Scalar::Boolean(*yes)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Yaml::Value(Scalar::Integer(whole)),
            (None, float) => Yaml::Value(Scalar::FloatingPoint(float.unwrap_or_default().into())),
        },
        Value::String(text) => Yaml::Value(Scalar::String(text.as_str().into())),
        Value::Array(items) => Yaml::Sequence(items.iter().map(yaml).collect()),
        Value::Object(entries) => {
            let mut mapping = Mapping::new();
            for (name, value) in entries {
                mapping.insert(Yaml::Value(Scalar::String(name.as_str().into())), yaml(value));
            }
            Yaml::Mapping(mapping)
        }
    }
}
