//! What the model is told: as much of the history as its budget holds, newest first, then what waits for an answer.

use crate::state::{Spoken, Summary, Turn};

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub by_assistant: bool,
    pub text: String,
}

/// Ends a stopped answer for the model, which would else answer the question after all together with the next one.
const STOPPED: &str = "(stopped by the user)";

/// What whoever sets reminders must know. With the newest message, not the instructions: those stay as they are, so that
/// providers can keep them.
pub const PRESENT: &str = "[It is {weekday}, {date}, {time}, {zone}.]\n";

/// Instructions, notes, summary: what changes seldom comes first, so that providers can keep it.
pub fn system(instructions: &str, notes: &str, summary: Option<&Summary>) -> String {
    let notes = Some(notes).filter(|notes| !notes.is_empty());
    let notes = notes.map(|notes| format!("Your notes about this person, each with its id:\n{notes}"));
    let summary = summary.map(|summary| format!("What was said before, summed up:\n{}", summary.text));
    let parts = [Some(instructions.to_owned()), notes, summary];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// What a text costs, in estimated tokens.
pub type Estimate = fn(&str) -> u32;

/// The lines to send, oldest first: earlier turns within `budget` tokens, then the new messages, which are always sent.
/// `history` comes newest first. In a group every line says who wrote it.
pub fn lines(history: &[Turn], new: &[Spoken], group: bool, budget: u32, estimate: Estimate) -> Vec<Line> {
    let mut left = budget;
    let mut turns = Vec::new();
    for turn in history.iter().filter(|turn| turn.history && !turn.undone) {
        let lines = of_turn(turn, group);
        let cost: u32 = lines.iter().map(|line| estimate(&line.text)).fold(0, u32::saturating_add);
        if cost > left {
            break;
        }
        left -= cost;
        turns.push(lines);
    }
    let earlier = turns.into_iter().rev().flatten();
    merge(earlier.chain(new.iter().map(|spoken| said(spoken, group))))
}

fn of_turn(turn: &Turn, group: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = turn.messages.iter().map(|spoken| said(spoken, group)).collect();
    let answer = match (turn.stopped, turn.answer.as_str()) {
        (true, "") => STOPPED.to_owned(),
        (true, partial) => format!("{partial} … {STOPPED}"),
        (false, whole) => whole.to_owned(),
    };
    lines.push(Line { by_assistant: true, text: answer });
    lines
}

/// A human's words on the business's side read as the assistant's own: that is whom the customer took them for.
fn said(spoken: &Spoken, group: bool) -> Line {
    let named = group && !spoken.operator && !spoken.name.is_empty();
    let text = if named { format!("{}: {}", spoken.name, spoken.text) } else { spoken.text.clone() };
    Line { by_assistant: spoken.operator, text }
}

/// Providers want the two sides to take turns: neighbours of one side become one line.
fn merge(lines: impl Iterator<Item = Line>) -> Vec<Line> {
    let mut merged: Vec<Line> = Vec::new();
    for line in lines.filter(|line| !line.text.trim().is_empty()) {
        match merged.last_mut() {
            Some(last) if last.by_assistant == line.by_assistant => {
                last.text.push_str("\n\n");
                last.text.push_str(&line.text);
            }
            _ => merged.push(line),
        }
    }
    // A conversation begins with a person's words.
    if merged.first().is_some_and(|line| line.by_assistant) {
        merged.remove(0);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(name: &str, text: &str) -> Spoken {
        Spoken {
            id: text.into(),
            sender: name.into(),
            name: name.into(),
            text: text.into(),
            at: 0,
            operator: false,
            checked: Default::default(),
        }
    }

    fn turn(number: u32, said: &str, answer: &str) -> Turn {
        Turn {
            v: 1,
            number,
            messages: vec![spoken("Ana", said)],
            answer: answer.into(),
            history: true,
            address: Default::default(),
            way: Default::default(),
            plain: false,
            steps: vec![],
            ids: vec![],
            usage: Default::default(),
            model: String::new(),
            at: 0,
            stopped: false,
            ..Turn::default()
        }
    }

    fn check(history: &[Turn], new: &[Spoken], group: bool, budget: u32, expected: &[(bool, &str)]) {
        let lines = lines(history, new, group, budget, |text| u32::try_from(text.len()).unwrap());
        let lines: Vec<(bool, &str)> =
            lines.iter().map(|line| (line.by_assistant, line.text.as_str())).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn history_is_bounded_newest_first() {
        let history = [turn(2, "two", "zwei"), turn(1, "one", "eins")];
        let new = [spoken("Ana", "three"), spoken("Ben", "four")];
        let all = [(false, "one"), (true, "eins"), (false, "two"), (true, "zwei"), (false, "three\n\nfour")];
        check(&history, &new, false, 100, &all);
        check(&history, &new, false, 7, &all[2..]);
        check(&history, &new, false, 6, &all[4..]);
        check(&history, &new[..1], true, 14, &[(false, "Ana: two"), (true, "zwei"), (false, "Ana: three")]);
    }

    #[test]
    fn a_stopped_answer_is_not_asked_for_again() {
        let stopped = |number, said, answer| Turn { stopped: true, ..turn(number, said, answer) };
        let history = [stopped(2, "two", ""), stopped(1, "one", "ei")];
        let said = "(stopped by the user)";
        let half = format!("ei … {said}");
        let all = [(false, "one"), (true, &*half), (false, "two"), (true, said), (false, "three")];
        check(&history, &[spoken("Ana", "three")], false, 100, &all);
    }

    #[test]
    fn hello_is_a_short_prompt() {
        let config = crate::config::Config::default();
        let variables = crate::template::Variables::default();
        let hello = lines(&[], &[spoken("Ana", "hello")], false, 4_000, |_| 1);
        let prompts = crate::prompts::BUILT_IN.iter().map(|(_, prompt)| (*prompt).to_owned());
        for prompt in prompts.chain([config.assistant(None).prompt]) {
            let system = crate::template::fill(&prompt, &variables);
            let bytes = system.len() + hello.iter().map(|line| line.text.len()).sum::<usize>();
            assert!(bytes < 2_048, "{bytes} bytes: {system}");
        }
    }

    #[test]
    fn notices_stay_out_and_operators_speak_for_the_business() {
        let mut notice = turn(3, "/help", "I can…");
        notice.history = false;
        let mut human = turn(2, "I am Eva from sales", "");
        human.messages[0].operator = true;
        let undone = Turn { undone: true, ..turn(4, "forget that", "I will") };
        let new = [spoken("Ana", "thanks")];
        let history = [undone, notice, human, turn(1, "help!", "")];
        check(
            &history,
            &new,
            false,
            100,
            &[(false, "help!"), (true, "I am Eva from sales"), (false, "thanks")],
        );
    }
}
