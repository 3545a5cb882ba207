//! One readable line per message and reply.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use queue::Job;
use serde_json::Value;

use crate::functions::Told;
use crate::platform::Call;

/// Where the lines go.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Longer texts are cut, characters.
const SHOWN: usize = 300;

pub(crate) struct Story {
    say: Say,
    stack: String,
    /// When the newest message of a channel came.
    heard: Mutex<BTreeMap<String, Instant>>,
}

impl Story {
    pub fn new(say: Say, stack: &str) -> Story {
        Story { say, stack: stack.to_owned(), heard: Mutex::default() }
    }

    /// Where its lines go.
    pub fn says(&self) -> Say {
        self.say.clone()
    }

    pub fn say(&self, line: &str) {
        (self.say)(line);
    }

    pub fn told(&self, told: &Told) {
        match told {
            // Later receives are retries of the same message.
            Told::Given { body, receives: 1, .. } => self.message(body),
            Told::Line { function, line, .. } => {
                if let Some(trouble) = trouble(line) {
                    let name = function.strip_prefix(&self.stack).unwrap_or(function).trim_start_matches('-');
                    self.say(&format!("{name:<9} ! {trouble}"));
                }
            }
            Told::Given { .. } | Told::Over { .. } | Told::Started { .. } | Told::Ended { .. } => {}
        }
    }

    fn message(&self, body: &str) {
        let Ok(Job::Message { inbound, .. }) = Job::parse(body) else { return };
        let (channel, account) = (&inbound.channel, &inbound.account);
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.clone(), Instant::now());
        let account = if account == "main" { String::new() } else { format!("{account}, ") };
        let text = shown(inbound.text());
        self.say(&format!("{channel:<9} {account}user {}: {text}", inbound.sender.id));
    }

    pub fn called(&self, call: &Call) {
        let Call { channel, status, .. } = call;
        // A table refuses what it was asked to refuse: a reply that is there, a sign of writing that would hide what is written.
        let is_asked_for = *status == 400 && call.body.get("ConditionExpression").is_some();
        if !(200..300).contains(status) && !is_asked_for {
            let what = if *status == 0 { "connection closed".to_owned() } else { status.to_string() };
            self.say(&format!("{channel:<9} ! the platform answers {what}"));
        }
        if let Some(said) = &call.said {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(channel).copied();
            let took = heard.map(|at| format!(" ({} ms)", at.elapsed().as_millis())).unwrap_or_default();
            self.say(&format!("{channel:<9} → {}{took}", shown(&said.text)));
        }
    }
}

/// A text as one line.
fn shown(text: &str) -> String {
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ⏎ ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// What is wrong, where a function's log line says that something is.
fn trouble(line: &str) -> Option<String> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
        // Not a log line: a panic, or the runtime's last words.
        return (!line.trim().is_empty()).then(|| line.to_owned());
    };
    let level = fields.get("level").and_then(Value::as_str).unwrap_or("INFO").to_owned();
    if !matches!(level.as_str(), "WARN" | "ERROR") {
        return None;
    }
    // Every line of a webhook function is one request; of a bad one, people want to know why.
    if let (Some(why), Some(status)) = (fields.get("why").and_then(Value::as_str), fields.get("status")) {
        return Some(format!("answered {status}: {why}"));
    }
    for context in ["level", "timestamp", "target", "request_id", "trace", "job", "receives", "_aws"] {
        fields.remove(context);
    }
    let message = fields.remove("message").unwrap_or_default();
    let rest = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
    Some(format!("{}{rest}", message.as_str().unwrap_or(&level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(told: &[&str]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let into = lines.clone();
        let story =
            Story::new(Arc::new(move |line: &str| into.lock().unwrap().push(line.to_owned())), "crabhook");
        told.iter().for_each(|told| story.told(&serde_json::from_str(told).unwrap()));
        lines.lock().unwrap().clone()
    }

    #[test]
    fn only_what_people_care_for_becomes_a_line() {
        let lines = check(&[
            r#"{"what":"line","function":"crabhook-slack","pid":1,"line":"{\"level\":\"INFO\",\"message\":\"m\"}"}"#,
            r#"{"what":"line","function":"crabhook-slack","pid":1,"line":"{\"level\":\"WARN\",\"message\":\"no key\",\"n\":2}"}"#,
            r#"{"what":"line","function":"crabhook-slack","pid":1,"line":"{\"level\":\"WARN\",\"status\":401,\"why\":\"forged\"}"}"#,
            r#"{"what":"line","function":"crabhook-model-invoker","pid":1,"line":"thread 'main' panicked"}"#,
            r#"{"what":"given","function":"crabhook-model-invoker","worker":1,"job":"j","group":"g","receipt":"r","body":"{}","receives":1}"#,
        ]);
        let expected = [
            "slack     ! no key n=2",
            "slack     ! answered 401: forged",
            "model-invoker ! thread 'main' panicked",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_text_is_one_line() {
        assert_eq!(shown("a\n\n  b "), "a ⏎ b");
        assert_eq!(shown(&"ü".repeat(400)).chars().count(), SHOWN + 1);
    }
}
