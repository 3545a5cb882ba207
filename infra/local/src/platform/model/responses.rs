//! OpenAI's Responses. <https://platform.openai.com/docs/api-reference/responses-streaming>

use serde_json::{Value, json};

use super::Turn;

pub(super) fn events(turn: &Turn) -> Vec<Vec<u8>> {
    let mut events = vec![event("response.created", json!({"response": response("in_progress")}))];
    let mut index = 0;
    if !turn.text.is_empty() {
        let item = |content: Value| json!({"id": "msg_1", "type": "message", "role": "assistant", "content": content});
        let part = json!({"type": "output_text", "text": "", "annotations": []});
        let place = json!({"item_id": "msg_1", "output_index": 0, "content_index": 0});
        events.push(event("response.output_item.added", json!({"output_index": 0, "item": item(json!([]))})));
        events.push(event("response.content_part.added", with(&place, "part", part)));
        let words = turn.text.split_inclusive(' ');
        events.extend(
            words.map(|word| event("response.output_text.delta", with(&place, "delta", word.into()))),
        );
        events.push(event("response.output_text.done", with(&place, "text", turn.text.as_str().into())));
        let whole = item(json!([{"type": "output_text", "text": turn.text, "annotations": []}]));
        events.push(event("response.output_item.done", json!({"output_index": 0, "item": whole})));
        index += 1;
    }
    for (number, call) in turn.calls.iter().enumerate() {
        let (id, arguments) = (format!("fc_{number}"), call.arguments.to_string());
        let item = |arguments: &str| {
            json!({"type": "function_call", "id": id, "call_id": format!("call_{number}"),
            "name": call.name, "arguments": arguments})
        };
        let place = json!({"item_id": id, "output_index": index});
        let delta = with(&place, "delta", arguments.as_str().into());
        let done = with(&place, "arguments", arguments.as_str().into());
        events.push(event("response.output_item.added", json!({"output_index": index, "item": item("")})));
        events.push(event("response.function_call_arguments.delta", delta));
        events.push(event("response.function_call_arguments.done", done));
        events.push(event(
            "response.output_item.done",
            json!({"output_index": index, "item": item(&arguments)}),
        ));
        index += 1;
    }
    let usage = turn.usage();
    let usage = json!({"input_tokens": usage.input, "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output});
    let completed = with(&response("completed"), "usage", usage);
    events.push(event("response.completed", json!({"response": completed})));
    events
}

fn response(status: &str) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "scripted", "output": []})
}

fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
    object
}

fn event(kind: &str, data: Value) -> Vec<u8> {
    format!("event: {kind}\ndata: {}\n\n", with(&data, "type", kind.into())).into_bytes()
}
