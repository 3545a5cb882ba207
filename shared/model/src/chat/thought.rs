//! Thoughts as they are kept with a call and given back with it.

use genai::chat::ContentPart;
use serde_json::{Value, json};

/// `None`: nothing that a provider wants back.
pub(super) fn kept(part: ContentPart) -> Option<Value> {
    match part {
        ContentPart::ThoughtSignature(signature) => Some(json!({ "signature": signature })),
        ContentPart::ReasoningContent(thought) => Some(json!({ "thought": thought })),
        // Redacted thoughts of Anthropic's.
        ContentPart::Custom(block) => Some(json!({ "block": block.data })),
        _ => None,
    }
}

pub(super) fn given_back(kept: &Value) -> Option<ContentPart> {
    let text = |field: &str| kept.get(field).and_then(Value::as_str).map(str::to_owned);
    text("signature")
        .map(ContentPart::ThoughtSignature)
        .or_else(|| text("thought").map(ContentPart::ReasoningContent))
        .or_else(|| Some(ContentPart::from_custom(kept.get("block")?.clone(), None)))
}
