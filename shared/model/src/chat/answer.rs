//! From genai's events to pieces of an answer.

use genai::chat::{ChatResponse, ChatStreamEvent, ContentPart, StopReason, StreamEnd};
use serde_json::{Value, json};

use super::frames::Frames;
use super::{Provider, thought};
use crate::prompt::{arguments, sealed};
use crate::stream::{End, Piece};
use crate::{Error, Stop, ToolCall, Usage};

pub(super) fn piece(
    provider: Provider,
    title: &str,
    event: ChatStreamEvent,
    frames: &Frames,
) -> Result<Piece, Error> {
    match event {
        ChatStreamEvent::Chunk(chunk) => Ok(Piece::Text(chunk.content)),
        ChatStreamEvent::ReasoningChunk(_)
        | ChatStreamEvent::ThoughtSignatureChunk(_)
        | ChatStreamEvent::ToolCallChunk(_) => Ok(Piece::Thinking),
        ChatStreamEvent::Start | ChatStreamEvent::Heartbeat => Ok(Piece::Pulse),
        ChatStreamEvent::End(end) => ended(provider, title, end, frames),
    }
}

fn ended(provider: Provider, title: &str, end: StreamEnd, frames: &Frames) -> Result<Piece, Error> {
    // Older servers of Ollama give no reason, but what they counted.
    let counted = provider == Provider::Ollama && end.captured_usage.is_some();
    if provider.may_make_up_an_end() && end.captured_stop_reason.is_none() && !counted {
        return Err(Error::busy("it closed the connection before the end of the answer"));
    }
    let mut parts = end.captured_content.map(|content| content.into_parts()).unwrap_or_default();
    let details = frames.details().into_iter().map(|detail| ContentPart::from_custom(detail, None));
    parts.splice(0..0, details);
    let has_thoughts = parts.iter().any(|part| matches!(part, ContentPart::ReasoningContent(_)));
    if let Some(thoughts) = end.captured_reasoning_content.filter(|_| !has_thoughts) {
        parts.insert(0, ContentPart::ReasoningContent(thoughts));
    }
    Ok(Piece::End(End {
        usage: usage(end.captured_usage.unwrap_or_default()),
        stop: stop(end.captured_stop_reason.as_ref()),
        calls: calls(parts, title),
    }))
}

/// An answer that came in one go.
pub(super) fn pieces(answer: ChatResponse, title: &str) -> impl Iterator<Item = Piece> + use<> {
    let (usage, stop) = (usage(answer.usage), stop(answer.stop_reason.as_ref()));
    let (texts, parts): (Vec<_>, Vec<_>) =
        answer.content.into_parts().into_iter().partition(|part| matches!(part, ContentPart::Text(_)));
    let end = Piece::End(End { usage, stop, calls: calls(parts, title) });
    texts.into_iter().filter_map(ContentPart::into_text).map(Piece::Text).chain([end])
}

/// The calls of an answer. The first takes along what the provider wants back before all of them.
fn calls(parts: Vec<ContentPart>, title: &str) -> Vec<ToolCall> {
    let (calls, rest): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| matches!(part, ContentPart::ToolCall(_)));
    let mut leading: Vec<Value> = rest.into_iter().filter_map(thought::kept).collect();
    let mut read: Vec<ToolCall> = Vec::new();
    for call in calls.into_iter().filter_map(ContentPart::into_tool_call) {
        let signature = signature(std::mem::take(&mut leading), call.thought_signatures, title);
        let call = ToolCall {
            id: call.call_id,
            name: call.fn_name,
            arguments: arguments(call.fn_arguments),
            signature,
        };
        // genai fills a gap in the provider's numbering with a copy of the next call. The ids that it makes up for
        // Gemini ("call#…") may be the same by themselves.
        read.retain(|earlier| {
            earlier.id != call.id || earlier.id.is_empty() || earlier.id.starts_with("call#")
        });
        read.push(call);
    }
    read
}

fn signature(leading: Vec<Value>, own: Option<Vec<String>>, title: &str) -> Option<Value> {
    if leading.is_empty() && own.is_none() {
        return None;
    }
    Some(sealed(title, json!({ "parts": leading, "signatures": own })))
}

fn usage(counted: genai::chat::Usage) -> Usage {
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(0);
    let reasoning = count(counted.completion_tokens_details.and_then(|details| details.reasoning_tokens));
    Usage {
        input: count(counted.prompt_tokens),
        // Gemini counts thoughts apart, and nothing else when it wrote nothing else.
        output: count(counted.completion_tokens).max(reasoning),
        cached: count(counted.prompt_tokens_details.and_then(|details| details.cached_tokens)),
        reasoning,
    }
}

fn stop(reason: Option<&StopReason>) -> Stop {
    match reason {
        None | Some(StopReason::Completed(_) | StopReason::StopSequence(_)) => Stop::End,
        Some(StopReason::MaxTokens(_)) => Stop::Length,
        Some(StopReason::ContentFilter(_)) => Stop::Filtered,
        Some(StopReason::ToolCall(_)) => Stop::Tools,
        Some(StopReason::Other(_)) => Stop::Other,
    }
}
