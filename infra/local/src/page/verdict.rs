//! Whether a promise held: out of what was recorded, and nothing else.

use serde::Serialize;

use super::facts::Facts;

/// What a button shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Promise {
    /// The same event is delivered twice.
    Twice,
    /// Five messages at once.
    Five,
    /// The invoker is killed in the middle of a turn.
    Kill,
    /// The platform refuses the answer for a while.
    Busy,
    /// One character of the proof is changed.
    Forged,
}

/// How often the platform refuses in [`Promise::Busy`], and how long it asks to wait, milliseconds.
pub(super) const REFUSALS: u32 = 2;
pub(super) const WAIT: i64 = 2_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    /// `None`: what happened shows nothing.
    pub held: Option<bool>,
    pub expected: String,
    pub happened: String,
}

/// What is to be said about it.
pub(super) fn verdict(promise: Promise, facts: &Facts) -> Verdict {
    match promise {
        Promise::Twice => twice(facts),
        Promise::Five => five(facts),
        Promise::Kill => kill(facts),
        Promise::Busy => busy(facts),
        Promise::Forged => forged(facts),
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "no answer".to_owned(),
        1 => "one answer".to_owned(),
        more => format!("{more} answers"),
    }
}

fn twice(facts: &Facts) -> Verdict {
    let taken = facts.acks.len() == 2 && facts.acks.iter().all(|ack| ack.taken);
    let answers = facts.messages.first().map_or(0, |id| facts.answers(id)).max(facts.copies());
    Verdict {
        held: Some(taken && facts.once()),
        expected: "Both deliveries are acknowledged, and the message is answered once.".to_owned(),
        happened: format!(
            "{} times delivered: {}; {} appeared.{}",
            facts.acks.len(),
            facts.acked(),
            times(answers),
            facts.waiting()
        ),
    }
}

fn five(facts: &Facts) -> Verdict {
    let mut covered: Vec<(usize, &str)> =
        facts.messages.iter().map(|id| (facts.answers(id), id.as_str())).collect();
    covered.sort_unstable();
    covered.dedup();
    let turns = facts.turns.iter().filter(|(_, posted)| posted.is_some()).count();
    let [never, more] = [0, 2].map(|n| covered.iter().filter(|(times, _)| (*times).min(2) == n).count());
    let left = match (never, more) {
        (0, 0) => "each message is in exactly one of them".to_owned(),
        (never, more) => format!("{never} messages are in none of them, {more} in several"),
    };
    let taken = facts.acks.iter().all(|ack| ack.taken);
    Verdict {
        held: Some(covered.len() == 5 && taken && facts.once()),
        expected: "Each of the five messages is answered, none of them twice; those that come together are answered together \
                   where the channel allows it."
            .to_owned(),
        happened: format!("{}; {} appeared, {left}.{}", capital(&facts.acked()), times(turns), facts.waiting()),
    }
}

fn kill(facts: &Facts) -> Verdict {
    let expected =
        "The queue gives the message to another process, and it is answered once, some 30 s later."
            .to_owned();
    let receives = facts.given.iter().map(|given| given.receives).max().unwrap_or_default();
    let Some((pid, at)) = facts.killed.filter(|_| facts.died) else {
        return Verdict {
            held: None,
            expected,
            happened: "No process was killed: this shows nothing.".to_owned(),
        };
    };
    let taken_at = facts.given.first().map_or(at, |given| given.at);
    let killed =
        format!("Process {pid} was killed (kill -9) {} ms after it had taken the message", at - taken_at);
    if receives < 2 && facts.is_answered() {
        let happened = format!("{killed}, and had answered it already: this shows nothing, press again.");
        return Verdict { held: None, expected, happened };
    }
    let answers = facts.messages.first().map_or(0, |id| facts.answers(id)).max(facts.copies());
    let after = facts.posted_at().map(|posted| posted - facts.sent_at);
    let after = after.map_or_else(String::new, |ms| format!(", {:.1} s after it was sent", ms as f64 / 1e3));
    Verdict {
        held: Some(facts.once()),
        expected,
        happened: format!("{killed}. It was given out {receives} times; {} appeared{after}.", times(answers)),
    }
}

fn busy(facts: &Facts) -> Verdict {
    let refused: Vec<i64> =
        facts.posts.iter().filter(|(_, status)| *status == 429).map(|(at, _)| *at).collect();
    let waits: Vec<i64> = refused
        .iter()
        .filter_map(|at| facts.posts.iter().map(|(next, _)| next - at).find(|wait| *wait > 0))
        .collect();
    let patient = waits.len() == refused.len() && waits.iter().all(|wait| *wait >= WAIT);
    let waited =
        waits.iter().map(|ms| format!("{:.1} s", *ms as f64 / 1e3)).collect::<Vec<_>>().join(" and ");
    let answers = facts.messages.first().map_or(0, |id| facts.answers(id)).max(facts.copies());
    Verdict {
        held: Some(refused.len() == REFUSALS as usize && patient && facts.once()),
        expected: format!(
            "The platform refuses the answer {REFUSALS} times and asks for {} s each time: it comes after that, once.",
            WAIT / 1_000
        ),
        happened: format!(
            "{} refusals, tried again after {waited}; {} appeared.{}",
            refused.len(),
            times(answers),
            facts.waiting()
        ),
    }
}

fn forged(facts: &Facts) -> Verdict {
    let (status, body) = &facts.refusal;
    let ack = facts.acks.first();
    let same = ack.is_some_and(|ack| (ack.status, &ack.body) == (*status, body));
    let answered = ack.map_or(0, |ack| ack.status);
    let words = if same {
        "as to every request that is not authentic"
    } else {
        "which is not what it should have been"
    };
    let why = facts.why.as_ref().map_or_else(String::new, |why| format!(" (its log: {why})"));
    let nothing = facts.given.is_empty() && facts.appeared.is_empty();
    let after = if nothing { "nothing reached the queue" } else { "yet a message reached the queue" };
    Verdict {
        held: Some(same && nothing),
        expected: format!(
            "The webhook answers {status} and says no more than that; nothing reaches the queue or the model."
        ),
        happened: format!("It answered {answered}, {words}{why}; {after}."),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
