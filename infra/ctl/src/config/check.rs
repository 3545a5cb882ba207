//! Judges a document by the schema, in words for its author.

use serde_json::{Map, Value};

use super::yaml::join;

/// What is wrong, at the dotted path of an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub text: String,
}

/// Everything in `value` that the schema does not allow. A list or map without entries may be written as nothing at all;
/// it becomes an empty one here.
pub fn check(schema: &Value, value: &mut Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(schema, value, "", &mut findings);
    findings
}

fn walk(schema: &Value, value: &mut Value, path: &str, findings: &mut Vec<Finding>) {
    // Of several ways to write it, the one that is of the value's kind; the first where none is.
    if let Some(ways) = schema.get("anyOf").and_then(Value::as_array) {
        let way = ways.iter().find(|way| is_of(kind_of(way), value)).or(ways.first());
        return walk(way.unwrap_or(&Value::Null), value, path, findings);
    }
    let kind = kind_of(schema);
    match (kind, &mut *value) {
        ("object", Value::Null) => *value = Value::Object(Map::new()),
        ("array", Value::Null) => *value = Value::Array(Vec::new()),
        _ => {}
    }
    if let Some(text) = misfit(kind, schema, value) {
        findings.push(Finding { path: path.to_owned(), text });
        return;
    }
    match value {
        Value::Object(entries) => walk_map(schema, entries, path, findings),
        Value::Array(items) => {
            let each = schema.get("items").unwrap_or(&Value::Null);
            for (index, item) in items.iter_mut().enumerate() {
                walk(each, item, &join(path, &index.to_string()), findings);
            }
        }
        _ => {}
    }
}

fn walk_map(schema: &Value, entries: &mut Map<String, Value>, path: &str, findings: &mut Vec<Finding>) {
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties");
    for (name, value) in entries.iter_mut() {
        let path = join(path, name);
        match (known.and_then(|known| known.get(name)), others) {
            (Some(schema), _) => walk(schema, value, &path, findings),
            (None, Some(Value::Bool(false))) => {
                let text = unknown(name, known.into_iter().flat_map(Map::keys).map(String::as_str));
                findings.push(Finding { path, text });
            }
            (None, Some(schema)) => walk(schema, value, &path, findings),
            (None, None) => {}
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !entries.contains_key(name) {
            findings.push(Finding { path: path.to_owned(), text: format!("{name:?} is missing") });
        }
    }
}

fn kind_of(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or("")
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

/// Why a value is not of the kind that it must be.
fn misfit(kind: &str, schema: &Value, value: &Value) -> Option<String> {
    if !is_of(kind, value) {
        return Some(match (kind, value) {
            (_, Value::Null) => "has no value".to_owned(),
            ("object", _) => "must have entries below it (name: value)".to_owned(),
            ("array", _) => "must be a list (- one entry a line)".to_owned(),
            ("string", Value::Number(_) | Value::Bool(_)) => format!("must be text: write \"{value}\""),
            ("string", _) => "must be text".to_owned(),
            ("boolean", _) => "must be true or false".to_owned(),
            ("number", _) => "must be a number".to_owned(),
            _ => "must be a whole number".to_owned(),
        });
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    if let Some(number) = value.as_i64().filter(|_| kind == "integer") {
        let (least, most) = (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(i64::MAX));
        if number < least || number > most {
            return Some(format!("must be between {least} and {most}"));
        }
    }
    if value.as_f64().is_some_and(|number| kind == "number" && number < 0.0) {
        return Some("must not be less than 0".to_owned());
    }
    let allowed = schema.get("enum").and_then(Value::as_array)?;
    if allowed.contains(value) {
        return None;
    }
    let names: Vec<String> =
        allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    let near = value.as_str().and_then(|value| nearest(value, names.iter().map(String::as_str)));
    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Some(format!("must be one of {}{hint}", names.join(", ")))
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("unknown key; did you mean {near:?}?"),
        None => format!("unknown key; there is {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The known name that a mistyped one was probably meant to be: at most a third of it differs.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typos = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    known
        .map(|other| (typos(other), other))
        .filter(|(typos, other)| *typos <= (other.chars().count() / 3).max(1))
        .min_by_key(|(typos, _)| *typos)
        .map(|(_, other)| other)
}
