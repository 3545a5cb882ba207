//! CloudFormation templates as JSON: short tags written out, loops unrolled.

use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};

/// Reads a template; `!Ref x` becomes `{"Ref": "x"}`, `!GetAtt a.b` `{"Fn::GetAtt": ["a", "b"]}`, `!Sub x` `{"Fn::Sub": "x"}`.
pub fn load(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    to_json(documents.first().expect("a document"))
}

/// Unrolls each `Fn::ForEach` over the channels, in resources and outputs.
pub fn expand(mut template: Value, channels: &[String]) -> Value {
    let maps = template["Mappings"].clone();
    for section in ["Resources", "Outputs"] {
        let mut flat = Map::new();
        for (name, value) in template[section].as_object().expect("a section") {
            if name.starts_with("Fn::ForEach::") {
                for channel in channels {
                    for (name, value) in value[2].as_object().expect("the body of a loop") {
                        let value = found(&fill(value, channel), &maps);
                        flat.insert(name.replace("${Channel}", channel), value);
                    }
                }
            } else {
                flat.insert(name.clone(), value.clone());
            }
        }
        template[section] = Value::Object(flat);
    }
    template
}

/// The resources of one type, with their logical names.
pub fn of_type<'a>(resources: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = resources.as_object().expect("resources").iter();
    all.filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), resource))
        .collect()
}

/// What roles and policies allow: every Allow statement, those under a condition too, with the logical name of whom it belongs to.
pub fn statements(resources: &Value) -> impl Iterator<Item = (&str, &Value)> {
    resources.as_object().expect("resources").iter().flat_map(|(name, resource)| {
        let properties = &resource["Properties"];
        let inline =
            properties["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
        let is_policy =
            resource["Type"] == "AWS::IAM::ManagedPolicy" || resource["Type"] == "AWS::IAM::Policy";
        let own = is_policy.then(|| &properties["PolicyDocument"]);
        let documents = inline.chain(own);
        let statements =
            documents.flat_map(|document| document["Statement"].as_array().expect("a list of statements"));
        let statements = statements.map(|statement| match &statement["Fn::If"] {
            Value::Array(choice) => choice.get(1).expect("what holds under the condition"),
            _ => statement,
        });
        statements
            .filter(|statement| statement["Effect"] == "Allow")
            .map(move |statement| (name.as_str(), statement))
    })
}

/// The actions of a statement, which may be one or a list.
pub fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        list => list
            .as_array()
            .expect("actions")
            .iter()
            .map(|action| action.as_str().expect("an action").to_owned())
            .collect(),
    }
}

fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Tagged(tag, node) => match (tag.suffix.as_str(), to_json(node)) {
            (name @ ("Ref" | "Condition"), value) => json!({name: value}),
            ("GetAtt", Value::String(path)) => json!({"Fn::GetAtt": path.split('.').collect::<Vec<_>>()}),
            (name, value) => json!({format!("Fn::{name}"): value}),
        },
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| (key.as_str().expect("a text key").to_owned(), to_json(value)))
            .collect(),
        other => {
            let number =
                other.as_integer().map(Value::from).or_else(|| other.as_floating_point().map(Value::from));
            let plain = number.or_else(|| other.as_bool().map(Value::from));
            plain.or_else(|| other.as_str().map(Value::from)).unwrap_or(Value::Null)
        }
    }
}

/// Puts the channel's name where the loop's variable stands. A `Fn::Sub` with nothing left to substitute is its text.
fn fill(value: &Value, channel: &str) -> Value {
    match value {
        Value::String(text) => text.replace("${Channel}", channel).into(),
        Value::Array(items) => items.iter().map(|item| fill(item, channel)).collect(),
        Value::Object(entries) => {
            let filled: Map<_, _> =
                entries.iter().map(|(key, item)| (key.clone(), fill(item, channel))).collect();
            match (filled.get("Fn::Sub"), filled.get("Ref")) {
                (Some(Value::String(text)), _) if !text.contains("${") => text.clone().into(),
                (_, Some(Value::String(name))) if name == "Channel" => channel.into(),
                _ => Value::Object(filled),
            }
        }
        other => other.clone(),
    }
}

/// Looks up what a mapping says of a channel; where it says nothing, the default.
fn found(value: &Value, maps: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| found(item, maps)).collect(),
        Value::Object(entries) => {
            if let Some([map, first, second, otherwise]) =
                entries.get("Fn::FindInMap").and_then(Value::as_array).map(Vec::as_slice)
            {
                let key = |key: &Value| key.as_str().unwrap_or("").to_owned();
                let row = maps[key(map)].get(key(first));
                return match (row, second) {
                    (None, _) => otherwise["DefaultValue"].clone(),
                    (Some(row), Value::String(column)) => row[column].clone(),
                    (Some(_), _) => value.clone(),
                };
            }
            entries.iter().map(|(key, item)| (key.clone(), found(item, maps))).collect()
        }
        other => other.clone(),
    }
}
