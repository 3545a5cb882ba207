//! A message's path, put together from log lines.

use std::fmt;

use model_invoker::cost;
use serde::Serialize;
use serde_json::Value;

use crate::clock::{date, time};

/// As `infra/template.yaml` sets it, MB.
const WEBHOOK_MEMORY: u64 = 128;

/// What happened to one message, in order.
#[derive(Debug, Serialize)]
pub struct Path {
    id: String,
    channel: String,
    account: String,
    conversation: String,
    trace: String,
    steps: Vec<Step>,
    used: Used,
}

#[derive(Debug, PartialEq, Serialize)]
struct Step {
    /// Unix milliseconds.
    at: i64,
    what: &'static str,
    detail: String,
}

#[derive(Debug, Default, Serialize)]
struct Used {
    read_units: f64,
    write_units: f64,
    queue_requests: u64,
    usd: f64,
    /// Invocations whose line is there.
    invocations: u64,
    /// How often the message was given out, so far as the lines say.
    receives: u64,
}

/// Whether the line is about that message itself, not about one that was answered together with it.
pub fn is_about(line: &Value, id: &str) -> bool {
    text(line, "id").split(',').any(|each| is(each, id))
}

/// The id, or its end where the platform's ids have parts: `1795000001.000100` of `D0TEST:1795000001.000100`. A failed message
/// that was tried again is the same one: its id has the time of its failure behind a `~`.
fn is(id: &str, wanted: &str) -> bool {
    let id = match id.rsplit_once('~') {
        Some((before, time)) if time.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => id,
    };
    id == wanted || id.strip_suffix(wanted).is_some_and(|rest| rest.ends_with(':'))
}

impl Path {
    /// The path of that message; `None` where no line is about it.
    pub fn of(id: &str, lines: &[Value]) -> Option<Path> {
        let own = |line: &&Value| is_about(line, id);
        let first = lines.iter().find(own)?;
        let of = |name| text(first, name).to_owned();
        let mut path = Path {
            id: text(first, "id").split(',').find(|each| is(each, id)).unwrap_or(id).to_owned(),
            channel: of("channel"),
            account: of("account"),
            conversation: of("conversation"),
            trace: of("trace"),
            steps: Vec::new(),
            used: Used::default(),
        };
        // In the order in which steps of the same millisecond follow one another: sorting leaves it as it is.
        let called = |line: &&Value, name: &str| text(line, "message") == name;
        lines.iter().filter(own).filter(|line| called(line, "request")).for_each(|line| path.webhook(line));
        lines.iter().filter(own).filter(|line| called(line, "done")).for_each(|line| path.invocation(line));
        lines.iter().filter(|line| called(line, "done")).for_each(|line| path.turns(line));
        let others =
            lines.iter().filter(own).filter(|line| !called(line, "request") && !called(line, "done"));
        others.for_each(|line| path.remark(line));
        path.steps.sort_by_key(|step| step.at);
        Some(path)
    }

    fn step(&mut self, at: Option<i64>, what: &'static str, detail: impl Into<String>) {
        if let Some(at) = at.filter(|at| *at > 0) {
            self.steps.push(Step { at, what, detail: detail.into() });
        }
    }

    fn webhook(&mut self, line: &Value) {
        let ms = line["ms"].as_u64().unwrap_or(0);
        // Both are rounded down: a millisecond more, so that it is not later than what followed.
        let at = logged_at(line).map(|at| at - i64::try_from(ms).unwrap_or(0) - 1);
        let detail = format!("answered {} in {ms} ms, request {}", line["status"], text(line, "request_id"));
        self.step(at, "received", detail);
        self.used.queue_requests += 1;
        self.used.usd += cost::webhook(ms, WEBHOOK_MEMORY);
    }

    /// A queue message of this message: once for every time that it was given out.
    fn invocation(&mut self, line: &Value) {
        let receives = line["receives"].as_u64().unwrap_or(1);
        let queued_at = line["queued_at"].as_i64();
        if !self.steps.iter().any(|step| step.what == "queued" && Some(step.at) == queued_at) {
            self.step(queued_at, "queued", "");
        }
        let taken = match receives {
            1 => String::new(),
            times => format!("given out for the {times}. time"),
        };
        self.step(line["started_at"].as_i64(), "taken up", taken);
        self.step(line["kept_at"].as_i64(), "kept", "");
        self.step(line["said_at"].as_i64(), "posted", "a command's answer");
        let ended = logged_at(line);
        if text(line, "fate") == "drop" {
            self.step(ended, "refused", "by access or a cap: crabhook people, crabhook status");
        }
        let outcome = text(line, "outcome");
        if let Some(seconds) = outcome.strip_prefix("Returned(").and_then(|rest| rest.strip_suffix(')')) {
            self.step(ended, "put back", format!("to be looked at again in {seconds} s"));
        }
        self.used.invocations += 1;
        self.used.receives = self.used.receives.max(receives);
        self.used.read_units += line["read_units"].as_f64().unwrap_or(0.0);
        self.used.write_units += line["write_units"].as_f64().unwrap_or(0.0);
        self.used.queue_requests += line["queue_requests"].as_u64().unwrap_or(0) + cost::RECEIVE_AND_DELETE;
        self.used.usd += line["Spend"].as_f64().unwrap_or(0.0);
    }

    /// What went wrong on the way: the line's own words, and the few fields that say why.
    fn remark(&mut self, line: &Value) {
        let why = ["trouble", "error", "why", "reason", "outcome"].map(|name| text(line, name));
        let why: Vec<&str> = why.into_iter().filter(|why| !why.is_empty()).collect();
        let detail = [&[text(line, "message")], why.as_slice()].concat().join(": ");
        self.step(logged_at(line), "trouble", detail);
    }

    /// The turns that answer the message, whichever queue message they were worked off with.
    fn turns(&mut self, line: &Value) {
        for turn in line["turns"].as_array().into_iter().flatten() {
            let ids: Vec<&str> =
                turn["messages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if !ids.iter().any(|id| is(id, &self.id)) {
                continue;
            }
            let together = match ids.len() {
                0 | 1 => String::new(),
                several => format!("{several} messages at once"),
            };
            let model =
                format!("by {}, {} tokens in, {} out", text(turn, "model"), turn["input"], turn["output"]);
            self.step(turn["asked_at"].as_i64(), "asked", together);
            self.step(turn["answered_at"].as_i64(), "answered", model);
            self.step(turn["committed_at"].as_i64(), "stored", format!("turn {}", turn["number"]));
            let parts = match turn["parts"].as_u64() {
                Some(1) => "1 part".to_owned(),
                parts => format!("{} parts", parts.unwrap_or(0)),
            };
            self.step(turn["posted_at"].as_i64(), "posted", parts);
        }
    }
}

/// The text of a field; empty where there is none.
fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

fn logged_at(line: &Value) -> Option<i64> {
    crate::clock::parse(text(line, "timestamp"))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Path { id, channel, account, conversation, trace, steps, used } = self;
        let day = steps.first().map_or_else(String::new, |step| format!(", {}", date(step.at)));
        writeln!(f, "message {id} on {channel}, account {account}{day}")?;
        writeln!(f, "conversation {conversation}, trace {trace}")?;
        let mut before = None;
        for Step { at, what, detail } in steps {
            let since = before.map_or_else(String::new, |before: i64| format!("+{} ms", at - before));
            let line = format!("  {what:<9} {} {since:>12}   {detail}", time(*at));
            writeln!(f, "{}", line.trim_end())?;
            before = Some(*at);
        }
        let posted = steps.iter().rev().find(|step| step.what == "posted");
        match (steps.first(), posted) {
            (Some(first), Some(posted)) => writeln!(f, "  {:<9} {} ms", "total", posted.at - first.at)?,
            _ => writeln!(f, "  {:<9} not answered so far", "total")?,
        }
        writeln!(
            f,
            "  {:<9} {} read units, {} write units, {} queue requests",
            "used", used.read_units, used.write_units, used.queue_requests
        )?;
        write!(f, "  {:<9} ${:.6}, the model not included", "cost", used.usd)?;
        match used.receives.saturating_sub(used.invocations) {
            0 => writeln!(f),
            killed => writeln!(f, ", nor {killed} of {} invocations, which left no line", used.receives),
        }
    }
}

#[cfg(test)]
mod tests;
