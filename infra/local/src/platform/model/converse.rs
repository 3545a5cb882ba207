//! Bedrock's ConverseStream, in AWS's binary frames.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>

use serde_json::{Value, json};

use super::Turn;

pub(super) fn events(turn: &Turn) -> Vec<Vec<u8>> {
    let mut events = vec![frame("messageStart", &json!({"role": "assistant"}))];
    let mut index = 0;
    if !turn.text.is_empty() {
        for word in turn.text.split_inclusive(' ') {
            events.push(delta(index, json!({"text": word})));
        }
        events.push(frame("contentBlockStop", &json!({"contentBlockIndex": index})));
        index += 1;
    }
    for (number, call) in turn.calls.iter().enumerate() {
        let start = json!({"toolUse": {"toolUseId": format!("tooluse_{number}"), "name": call.name}});
        events.push(frame("contentBlockStart", &json!({"contentBlockIndex": index, "start": start})));
        events.push(delta(index, json!({"toolUse": {"input": call.arguments.to_string()}})));
        events.push(frame("contentBlockStop", &json!({"contentBlockIndex": index})));
        index += 1;
    }
    let reason = if turn.calls.is_empty() { "end_turn" } else { "tool_use" };
    events.push(frame("messageStop", &json!({"stopReason": reason})));
    let usage = turn.usage();
    let tokens = json!({"inputTokens": usage.input - usage.cached, "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output, "cacheReadInputTokens": usage.cached});
    events.push(frame("metadata", &json!({"usage": tokens, "metrics": {"latencyMs": 1}})));
    events
}

fn delta(index: u32, delta: Value) -> Vec<u8> {
    frame("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta}))
}

/// Lengths, headers, payload, each half with its checksum.
/// <https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html>
fn frame(event: &str, payload: &Value) -> Vec<u8> {
    let payload = payload.to_string().into_bytes();
    let mut headers = Vec::new();
    for (name, value) in
        [(":message-type", "event"), (":event-type", event), (":content-type", "application/json")]
    {
        headers.push(u8::try_from(name.len()).unwrap_or(0));
        headers.extend(name.as_bytes());
        // 7 = a text, its length in two bytes.
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = Vec::new();
    frame.extend(length(16 + headers.len() + payload.len()));
    frame.extend(length(headers.len()));
    frame.extend(checksum(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(checksum(&frame).to_be_bytes());
    frame
}

/// CRC-32 as gzip has it.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn checksums_are_those_of_gzip() {
        assert_eq!(super::checksum(b"123456789"), 0xCBF4_3926);
    }
}
