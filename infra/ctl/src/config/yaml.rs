//! YAML as JSON, with the line that every entry stands on.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Number, Value};

/// A document of one file.
#[derive(Debug, Default)]
pub struct Document {
    pub value: Value,
    /// Line of an entry, from 1, by its dotted path: `channels.telegram.people.0`. A map's entry stands where its key does.
    lines: BTreeMap<String, usize>,
}

/// What is wrong, and on which line.
pub struct Fault {
    pub line: usize,
    pub text: String,
}

impl Document {
    /// Reads a text that holds one YAML document, or nothing.
    ///
    /// # Errors
    /// It is no YAML, names a key twice, or uses what JSON has no word for.
    pub fn parse(text: &str) -> Result<Document, Fault> {
        let nodes = MarkedYaml::load_from_str(text).map_err(|error| {
            let tab = text.lines().any(|line| line.trim_start_matches(' ').starts_with('\t'));
            let hint = if tab { " (a tab? YAML is indented with spaces)" } else { "" };
            Fault { line: error.marker().line(), text: format!("{}{hint}", error.info()) }
        })?;
        let mut document = Document::default();
        let mut nodes = nodes.iter();
        if let Some(node) = nodes.next() {
            document.value = document.read(node, "")?;
        }
        match nodes.next() {
            Some(second) => Err(fault(second, "a second document begins; there must be only one")),
            None => Ok(document),
        }
    }

    /// The line of an entry, or of the nearest entry around it.
    pub fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rsplit_once('.') {
                Some((around, _)) => path = around,
                None => return 1,
            }
        }
    }

    fn read(&mut self, node: &MarkedYaml<'_>, path: &str) -> Result<Value, Fault> {
        match &node.data {
            YamlData::Value(scalar) => value(scalar).ok_or_else(|| fault(node, "this number cannot be used")),
            YamlData::Sequence(items) => {
                let mut list = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let path = join(path, &index.to_string());
                    self.lines.insert(path.clone(), item.span.start.line());
                    list.push(self.read(item, &path)?);
                }
                Ok(Value::Array(list))
            }
            YamlData::Mapping(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    let name = match &key.data {
                        YamlData::Value(Scalar::String(name)) => name.to_string(),
                        YamlData::Value(Scalar::Integer(number)) => number.to_string(),
                        _ => return Err(fault(key, "a key must be text")),
                    };
                    let path = join(path, &name);
                    self.lines.insert(path.clone(), key.span.start.line());
                    let item = self.read(item, &path)?;
                    map.insert(name, item);
                }
                Ok(Value::Object(map))
            }
            YamlData::Tagged(_, inner) => self.read(inner, path),
            YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
                Err(fault(node, "this cannot be read; is a value not of the kind that its tag says?"))
            }
        }
    }
}

/// The dotted path of an entry below another.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn value(scalar: &Scalar<'_>) -> Option<Value> {
    Some(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(yes) => Value::Bool(*yes),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => Value::Number(Number::from_f64(number.into_inner())?),
        Scalar::String(text) => Value::from(text.as_ref()),
    })
}

fn fault(node: &MarkedYaml<'_>, text: &str) -> Fault {
    Fault { line: node.span.start.line(), text: text.to_owned() }
}
