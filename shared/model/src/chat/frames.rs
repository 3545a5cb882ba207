//! What of a stream genai does not pass on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef};
use serde_json::Value;

/// Sees every event of one stream as it came.
#[derive(Default)]
pub(super) struct Frames {
    seen: AtomicBool,
    details: Mutex<Vec<Value>>,
}

impl Frames {
    /// Whether anything came that is an event. An endpoint that ignores `stream` sends none.
    pub fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    /// The thoughts of OpenRouter's providers, to be given back as they came.
    /// <https://openrouter.ai/docs/guides/best-practices/reasoning-tokens>
    pub fn details(&self) -> Vec<Value> {
        std::mem::take(&mut *self.details.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ChatFrameSink for Frames {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        if frame.data.is_empty() {
            return;
        }
        self.seen.store(true, Ordering::Relaxed);
        if !frame.data.contains("\"reasoning_details\"") {
            return;
        }
        let event = frame.json();
        let details = event.as_ref().and_then(|event| event.pointer("/choices/0/delta/reasoning_details"));
        let mut all = self.details.lock().unwrap_or_else(PoisonError::into_inner);
        for detail in details.and_then(Value::as_array).into_iter().flatten() {
            add(&mut all, detail);
        }
    }
}

/// Pieces of one thought have the same kind and number; their words follow each other, the rest is said once.
fn add(all: &mut Vec<Value>, piece: &Value) {
    let same = |one: &Value| ["type", "index"].iter().all(|field| one.get(field) == piece.get(field));
    let Some(Value::Object(thought)) = all.iter_mut().rev().find(|one| same(one)) else {
        all.push(piece.clone());
        return;
    };
    for (field, value) in piece.as_object().into_iter().flatten() {
        match (thought.get_mut(field), value) {
            (Some(Value::String(text)), Value::String(more))
                if matches!(field.as_str(), "text" | "summary" | "data") =>
            {
                text.push_str(more);
            }
            (_, Value::Null) => {}
            _ => {
                thought.insert(field.clone(), value.clone());
            }
        }
    }
}
