//! When the steps of a queue message were done, and what the turns used that it moved on: what the line `done` says of it.
//! Numbers, ids and names only; never what was said.

use std::collections::{BTreeMap, HashMap};

use channel::Settled;
use serde::Serialize;
use serde_json::{Map, Value, json};
use turn::{Event, Fate, OpenTurn, PartState, Turn};

use crate::metrics::Metric;

/// All times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The own message, as in keys.
    id: String,
    /// When SQS took it; 0 where the event does not say.
    queued_at: i64,
    started_at: i64,
    kept_at: Option<i64>,
    /// What was decided about the own message, where this invocation decided it.
    fate: Option<&'static str>,
    /// When the question under way was asked.
    asked_at: Option<i64>,
    /// When something was first seen of its answer, which was still being written.
    pub seen_at: Option<i64>,
    turns: BTreeMap<u32, Moved>,
    /// When a command was answered that takes no turn.
    pub said_at: Option<i64>,
    /// Questions that no model answered.
    pub model_errors: u32,
    /// Posts that may be there twice.
    pub uncertain: u32,
}

/// What this invocation did for one turn. Steps that another one did are not known here.
#[derive(Debug, Default, Serialize)]
struct Moved {
    number: u32,
    /// Ids of the messages that it answers.
    messages: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    model: String,
    input: u32,
    output: u32,
    /// Of the input.
    #[serde(skip_serializing_if = "is_none")]
    cached: u64,
    /// By the configured prices, millionths of a US dollar.
    #[serde(skip_serializing_if = "is_none")]
    cost_micro_usd: u64,
    /// Tools that were called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<String>,
    parts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_at: Option<i64>,
}

impl Moved {
    fn of(turn: &Turn) -> Moved {
        Moved {
            number: turn.number,
            messages: turn.messages.iter().map(|message| channel::short_id(&message.id)).collect(),
            model: turn.model.clone(),
            input: turn.usage.input,
            output: turn.usage.output,
            cached: turn.usage.cached.into(),
            cost_micro_usd: turn.cost_micro_usd,
            tools: turn.tools.clone(),
            parts: turn.steps.len(),
            ..Moved::default()
        }
    }
}

/// Whether a number need not be told.
fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Timeline {
    /// For the message of that id, which SQS took at `queued_at`.
    pub fn new(id: &str, queued_at: i64, now: i64) -> Timeline {
        Timeline { id: channel::short_id(id), queued_at, started_at: now, ..Timeline::default() }
    }

    /// An effect of that name begins.
    pub fn begin(&mut self, effect: &str, now: i64) {
        if effect == "ask" {
            self.asked_at = Some(now);
        }
    }

    /// It led to that event. `open` is the turn that is being posted, `turns` are those that are known.
    pub fn end(
        &mut self,
        effect: &str,
        event: &Event,
        open: Option<&OpenTurn>,
        turns: &HashMap<u32, Turn>,
        now: i64,
    ) {
        match (effect, event) {
            ("keep", Event::Kept { .. }) => self.kept_at = Some(now),
            ("judge", Event::Judged(fates)) => {
                let own = fates.iter().find(|(id, _)| *id == self.id);
                self.fate = own.map(|(_, fate)| name(*fate)).or(self.fate);
            }
            ("ask", Event::Answered(turn)) => {
                let (asked_at, seen_at) = (self.asked_at, self.seen_at);
                let moved = Moved { asked_at, seen_at, answered_at: Some(now), ..Moved::of(turn) };
                self.turns.insert(turn.number, moved);
            }
            (_, Event::Answered(turn)) => {
                self.turns.insert(turn.number, Moved::of(turn));
            }
            ("commit", Event::Committed) => {
                for moved in self.turns.values_mut() {
                    moved.committed_at.get_or_insert(now);
                }
            }
            ("call", Event::Settled(Settled::Posted(_))) => {
                let Some(open) = open else { return };
                let left = open.parts.iter().filter(|part| **part != PartState::Sent).count();
                if let (1, Some(turn)) = (left, turns.get(&open.turn)) {
                    // Where another invocation asked, the turn itself says when it was answered.
                    let answered = || Moved { answered_at: Some(turn.at), ..Moved::of(turn) };
                    self.turns.entry(open.turn).or_insert_with(answered).posted_at = Some(now);
                }
            }
            _ => {}
        }
    }

    /// The members of the log line.
    pub fn fields(&self) -> Map<String, Value> {
        let turns: Vec<&Moved> = self.turns.values().collect();
        let all = json!({
            "queued_at": self.queued_at,
            "started_at": self.started_at,
            "kept_at": self.kept_at,
            "fate": self.fate,
            "turns": turns,
            "said_at": self.said_at,
        });
        match all {
            Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => Map::new(),
        }
    }

    /// What is to be counted of it.
    pub fn metrics(&self) -> Vec<(Metric, f64)> {
        let asked = || self.turns.values().filter(|turn| turn.asked_at.is_some());
        let posted = || self.turns.values().filter(|turn| turn.posted_at.is_some());
        let own = posted().find(|turn| turn.messages.contains(&self.id));
        let latency = own.and_then(|turn| turn.posted_at).map_or(0, |at| at - self.queued_at);
        vec![
            (Metric::Answered, posted().map(|turn| turn.messages.len() as f64).sum()),
            (Metric::ReplyLatency, if self.queued_at > 0 { latency.max(0) as f64 } else { 0.0 }),
            (Metric::ModelErrors, f64::from(self.model_errors)),
            (Metric::Uncertain, f64::from(self.uncertain)),
            (Metric::InputTokens, asked().map(|turn| f64::from(turn.input)).sum()),
            (Metric::OutputTokens, asked().map(|turn| f64::from(turn.output)).sum()),
        ]
    }
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Answer => "answer",
        Fate::Say { .. } => "say",
        Fate::Store => "store",
        Fate::Drop => "drop",
    }
}

#[cfg(test)]
mod tests;
