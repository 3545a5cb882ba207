//! OpenAI's Chat Completions. <https://platform.openai.com/docs/api-reference/chat>

use serde_json::{Value, json};

use super::Turn;

pub(super) fn whole(turn: &Turn) -> Value {
    let message = json!({"role": "assistant", "content": turn.text, "tool_calls": calls(turn)});
    let choice = json!({"index": 0, "message": message, "finish_reason": reason(turn)});
    json!({"object": "chat.completion", "choices": [choice], "usage": usage(turn)})
}

/// Word by word, then the calls.
pub(super) fn events(turn: &Turn) -> Vec<Vec<u8>> {
    let chunk = |delta: Value, reason: Option<&str>| json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let words = turn.text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None));
    let calls = calls(turn).into_iter().map(|call| chunk(json!({"tool_calls": [call]}), None));
    let end = [chunk(json!({}), Some(reason(turn))), json!({"choices": [], "usage": usage(turn)})];
    let events = words.chain(calls).chain(end).map(|chunk| format!("data: {chunk}\n\n").into_bytes());
    events.chain([b"data: [DONE]\n\n".to_vec()]).collect()
}

fn calls(turn: &Turn) -> Vec<Value> {
    let calls = turn.calls.iter().enumerate();
    calls
        .map(|(index, call)| {
            let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
            json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": function})
        })
        .collect()
}

fn reason(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "stop" } else { "tool_calls" }
}

fn usage(turn: &Turn) -> Value {
    let usage = turn.usage();
    json!({"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached}})
}
