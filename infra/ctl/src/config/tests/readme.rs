//! What the README files tell operators to write is accepted, each piece by itself and all of the main one together.

use std::path::Path;

use serde_json::Value;

use crate::config::yaml::Document;
use crate::config::{parse, pull};

/// What a reader has by other chapters.
const BASE: &str = "
version: 1
models:
  default: {provider: bedrock, model: m}
  openai: {provider: openai, model: m}
  home: {provider: ollama, model: m}
  embeddings: {provider: openai, model: e}
  ears: {provider: openai, model: t}
assistants:
  default: {}
  reviewer: {}
tools:
  handbook: {kind: search_knowledge, knowledge: [handbook]}
knowledge:
  handbook: {model: embeddings, about: how we work}
";

#[test]
fn what_readmes_show_is_a_good_configuration() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rooms = std::fs::read_dir(root.join("functions")).unwrap();
    let rooms = rooms.map(|room| room.unwrap().path().join("README.md")).filter(|path| path.exists());
    let mut shown = 0;
    for path in rooms.chain([root.join("README.md")]) {
        for block in blocks(&path) {
            let mut whole = read(BASE);
            lay_over(&mut whole, read(&block));
            accept(&whole, &format!("{}:\n{block}", path.display()));
            shown += 1;
        }
    }
    assert!(shown >= 10, "only {shown} blocks were found");
}

#[test]
fn the_readme_shows_one_good_configuration() {
    let mut whole = read("version: 1");
    for block in blocks(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")) {
        lay_over(&mut whole, read(&block));
    }
    accept(&whole, "README.md, all of it");
}

/// The YAML in a text, without the indentation that a list around it has.
fn blocks(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while let Some(fence) = lines.next() {
        let indent = fence.len() - fence.trim_start().len();
        if fence.trim_start().starts_with("```yaml") {
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            let inside: Vec<&str> = inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
            blocks.push(inside.join("\n"));
        }
    }
    blocks
}

fn read(text: &str) -> Value {
    let document = Document::parse(text);
    document.unwrap_or_else(|fault| panic!("line {}: {}\n{text}", fault.line, fault.text)).value
}

/// Entries of maps one by one, everything else whole.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay_over(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

fn accept(written: &Value, what: &str) {
    let text = pull::text(written).unwrap();
    let problems = parse(&text, "shown").err().unwrap_or_default();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{what}\n{}", problems.join("\n"));
}
