//! Anthropic's Messages. <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde_json::{Value, json};

use super::Turn;

pub(super) fn events(turn: &Turn) -> Vec<Vec<u8>> {
    let usage = turn.usage();
    let input = json!({"input_tokens": usage.input - usage.cached, "cache_read_input_tokens": usage.cached, "output_tokens": 1});
    let mut events = vec![event(
        "message_start",
        json!({"message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": input}}),
    )];
    let mut index = 0;
    if !turn.text.is_empty() {
        let words = turn.text.split_inclusive(' ').map(|word| json!({"type": "text_delta", "text": word}));
        events.extend(block(&mut index, json!({"type": "text", "text": ""}), words));
    }
    for (number, call) in turn.calls.iter().enumerate() {
        let start =
            json!({"type": "tool_use", "id": format!("toolu_{number}"), "name": call.name, "input": {}});
        let delta = json!({"type": "input_json_delta", "partial_json": call.arguments.to_string()});
        events.extend(block(&mut index, start, [delta].into_iter()));
    }
    let reason = if turn.calls.is_empty() { "end_turn" } else { "tool_use" };
    let usage = json!({"output_tokens": usage.output});
    events.push(event("message_delta", json!({"delta": {"stop_reason": reason}, "usage": usage})));
    events.push(event("message_stop", json!({})));
    events
}

fn block(index: &mut u32, start: Value, deltas: impl Iterator<Item = Value>) -> Vec<Vec<u8>> {
    let at = *index;
    *index += 1;
    let first = event("content_block_start", json!({"index": at, "content_block": start}));
    let deltas = deltas.map(|delta| event("content_block_delta", json!({"index": at, "delta": delta})));
    let last = event("content_block_stop", json!({"index": at}));
    [first].into_iter().chain(deltas).chain([last]).collect()
}

fn event(kind: &str, mut data: Value) -> Vec<u8> {
    if let Some(fields) = data.as_object_mut() {
        fields.insert("type".to_owned(), kind.into());
    }
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}
