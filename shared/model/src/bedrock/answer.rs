//! From Converse's events to pieces of an answer.

use std::collections::BTreeMap;

use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ContentBlockStart, ConverseStreamOutput, ReasoningContentBlockDelta, StopReason,
    TokenUsage,
};
use data_encoding::BASE64;
use futures::{Stream, stream};
use serde_json::{Value, json};

use super::failure::judge;
use crate::prompt::{arguments, sealed};
use crate::stream::{End, Piece};
use crate::{Error, Stop, ToolCall, Usage};

type Events = EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>;

pub(super) fn pieces(events: Events, title: String) -> impl Stream<Item = Result<Piece, Error>> + Send {
    let gathered = Gathered { title, ..Gathered::default() };
    stream::unfold((events, gathered), |(mut events, mut gathered)| async move {
        let piece = match events.recv().await {
            Ok(Some(event)) => Ok(gathered.take(event)),
            Ok(None) => Ok(Piece::End(std::mem::take(&mut gathered).end()?)),
            Err(error) => Err(judge(&error, None)),
        };
        Some((piece, (events, gathered)))
    })
}

/// What belongs to the end: the reason for it comes in one event, the usage in the next, thoughts and calls in
/// blocks before them.
#[derive(Default)]
struct Gathered {
    title: String,
    stop: Option<Stop>,
    usage: Usage,
    /// By the number of their block.
    thoughts: BTreeMap<i32, Thought>,
    calls: BTreeMap<i32, (ToolCall, String)>,
}

#[derive(Default)]
struct Thought {
    text: String,
    signature: String,
    redacted: Vec<u8>,
}

impl Gathered {
    fn take(&mut self, event: ConverseStreamOutput) -> Piece {
        match event {
            ConverseStreamOutput::ContentBlockDelta(block) => match block.delta {
                Some(ContentBlockDelta::Text(text)) => return Piece::Text(text),
                Some(ContentBlockDelta::ReasoningContent(delta)) => {
                    self.thoughts.entry(block.content_block_index).or_default().add(delta);
                }
                Some(ContentBlockDelta::ToolUse(delta)) => {
                    if let Some((_, arguments)) = self.calls.get_mut(&block.content_block_index) {
                        arguments.push_str(&delta.input);
                    }
                }
                _ => {}
            },
            ConverseStreamOutput::ContentBlockStart(block) => {
                if let Some(ContentBlockStart::ToolUse(call)) = block.start {
                    let call = ToolCall { id: call.tool_use_id, name: call.name, ..ToolCall::default() };
                    self.calls.insert(block.content_block_index, (call, String::new()));
                }
            }
            ConverseStreamOutput::MessageStop(end) => self.stop = Some(reason(&end.stop_reason)),
            ConverseStreamOutput::Metadata(end) => {
                self.usage = end.usage.as_ref().map(count).unwrap_or_default();
            }
            _ => return Piece::Pulse,
        }
        Piece::Thinking
    }

    /// `None`: the stream ended before the answer did.
    fn end(self) -> Option<End> {
        let thoughts: Vec<Value> = self.thoughts.into_values().map(Thought::kept).collect();
        let mut calls: Vec<ToolCall> = self
            .calls
            .into_values()
            .map(|(call, written)| ToolCall { arguments: arguments(Value::String(written)), ..call })
            .collect();
        if let Some(first) = calls.first_mut().filter(|_| !thoughts.is_empty()) {
            first.signature = Some(sealed(&self.title, thoughts.into()));
        }
        Some(End { usage: self.usage, stop: self.stop?, calls })
    }
}

impl Thought {
    fn add(&mut self, delta: ReasoningContentBlockDelta) {
        match delta {
            ReasoningContentBlockDelta::Text(text) => self.text.push_str(&text),
            ReasoningContentBlockDelta::Signature(signature) => self.signature.push_str(&signature),
            ReasoningContentBlockDelta::RedactedContent(hidden) => self.redacted.extend(hidden.into_inner()),
            _ => {}
        }
    }

    fn kept(self) -> Value {
        if !self.redacted.is_empty() {
            return json!({ "redacted": BASE64.encode(&self.redacted) });
        }
        let signature = Some(self.signature).filter(|signature| !signature.is_empty());
        json!({ "text": self.text, "signature": signature })
    }
}

/// Bedrock counts cached tokens apart from the others.
fn count(usage: &TokenUsage) -> Usage {
    let count = |tokens: i32| u32::try_from(tokens).unwrap_or(0);
    let read = count(usage.cache_read_input_tokens.unwrap_or(0));
    let written = count(usage.cache_write_input_tokens.unwrap_or(0));
    Usage {
        input: count(usage.input_tokens) + read + written,
        output: count(usage.output_tokens),
        cached: read,
        reasoning: 0,
    }
}

fn reason(stop: &StopReason) -> Stop {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence => Stop::End,
        StopReason::ToolUse => Stop::Tools,
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Stop::Length,
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => Stop::Filtered,
        _ => Stop::Other,
    }
}
