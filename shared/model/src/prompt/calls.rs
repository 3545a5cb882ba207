//! Calls of tools, as they go to and come from providers.

use serde_json::{Value, json};

use super::{Call, Returned};
use crate::{Message, ToolCall};

/// What a model is told of a call that nobody made.
const NOT_MADE: &str = "This call was not made.";

/// The calls of an assistant's message with ids of their own, and a result for each, found among the messages
/// that `next_result` gives.
pub(super) fn numbered<'a>(
    message: &'a Message,
    numbered: &mut u32,
    mut next_result: impl FnMut() -> Option<&'a Message>,
) -> (Vec<Call<'a>>, Vec<Returned<'a>>) {
    let given: Vec<&Message> = std::iter::from_fn(&mut next_result).collect();
    let result = |call: &ToolCall| {
        let result = given.iter().find(|result| result.answers.as_ref() == Some(&call.id));
        result.map_or(NOT_MADE, |result| result.text.as_str())
    };
    let pair = |call: &'a ToolCall| {
        *numbered += 1;
        let id = format!("call{numbered:05}");
        let arguments = object(&call.arguments);
        let signature = call.signature.as_ref();
        let returned = Returned { id: id.clone(), name: &call.name, text: result(call) };
        (Call { id, name: &call.name, arguments, signature }, returned)
    };
    message.calls.iter().map(pair).unzip()
}

/// No provider takes back what is no object, not even from the model that wrote it.
fn object(arguments: &Value) -> Value {
    match arguments {
        Value::Object(_) => arguments.clone(),
        Value::Null => json!({}),
        other => json!({ "unreadable": other }),
    }
}

/// Arguments as a model wrote them: none at all means none, and what is no object stays as it is, to be answered
/// with an error.
pub(crate) fn arguments(written: Value) -> Value {
    match written {
        Value::Null => json!({}),
        Value::String(text) if text.trim().is_empty() => json!({}),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(object @ Value::Object(_)) => object,
            _ => Value::String(text),
        },
        other => other,
    }
}

/// What a model wants back with its call, under the name of the model: thoughts are signed for their thinker.
pub(crate) fn sealed(model: &str, thoughts: Value) -> Value {
    json!({ "model": model, "thoughts": thoughts })
}

/// The thoughts that came with a call, if they are this model's own.
pub(crate) fn own<'a>(signature: Option<&'a Value>, model: &str) -> Option<&'a Value> {
    let signature = signature?;
    (signature.get("model")?.as_str()? == model).then(|| signature.get("thoughts"))?
}
