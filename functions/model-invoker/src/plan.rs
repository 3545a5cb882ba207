//! From an answer to the requests that say it.

use std::sync::PoisonError;

use channel::{Address, Media, Outcome, Part, PostContext, Step, Way};
use turn::{Kept, Turn, Waiting};

use crate::run::Run;
use crate::{now, pictures};

/// A turn has at most so many parts; what is left of a longer answer is cut.
const MAX_PARTS: usize = 20;

impl Run<'_> {
    /// A turn that answers these messages with this text, its parts planned. Without text it has no parts.
    pub(crate) fn turn(&self, number: u32, waiting: &[&Waiting], answer: &str) -> Turn {
        let at = now();
        let newest = waiting.last().map_or(&self.inbound, |waiting| &waiting.inbound);
        let mut turn = Turn {
            v: turn::VERSION,
            number,
            messages: waiting.iter().map(|waiting| self.spoken(&waiting.inbound, false)).collect(),
            files: waiting.iter().flat_map(|waiting| self.kept_of(&waiting.inbound)).collect(),
            made: std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner)),
            answer: answer.to_owned(),
            history: true,
            address: newest.address.clone(),
            way: match newest.address.window {
                _ if newest.due => Way::Push,
                Some(window) if !window.is_open(at) => Way::Push,
                _ => Way::Reply,
            },
            at,
            ..Turn::default()
        };
        if let Some(message) = self.draft.as_ref().filter(|_| !answer.is_empty()) {
            (turn.draft, turn.grown) = (Some(message.posted.clone()), message.grown.clone());
        }
        self.plan_again(&mut turn, waiting);
        turn
    }

    /// Plans a turn that says something else than it did.
    pub(crate) fn plan_again(&self, turn: &mut Turn, waiting: &[&Waiting]) {
        turn.steps = self.plan(turn);
        // A coalesced answer goes to the newest message: what the others show instead of one is cleared.
        for other in waiting.iter().rev().skip(1).map(|waiting| &waiting.inbound.address) {
            let dismissed = self.steps(&[Part::Dismiss], other, "dismiss", turn.at);
            turn.steps.extend(dismissed.into_iter().map(Step::optional));
        }
    }

    /// The requests that say the turn's answer.
    pub(crate) fn plan(&self, turn: &Turn) -> Vec<Step> {
        let key = format!("{}/{}", self.conversation, turn.number);
        let context = PostContext {
            settings: &self.place.settings,
            key: &key,
            way: turn.way,
            plain: turn.plain,
            now: now(),
        };
        let parts = match self.place.room.is_verbatim(&turn.address) {
            true => verbatim(turn),
            false => parts(turn, &self.place.channel.media_hosts, self.made(turn)),
        };
        let steps = self.place.room.post(&parts, &turn.address, &context).steps;
        let mut steps: Vec<Step> = steps.into_iter().map(|step| self.place.channel.doubted(step)).collect();
        if parts.contains(&Part::Dismiss) {
            steps = steps.into_iter().map(Step::optional).collect();
        }
        if steps.len() > MAX_PARTS {
            tracing::warn!(conversation = %self.conversation, parts = steps.len(), "a long answer is cut");
            steps.truncate(MAX_PARTS);
        }
        steps
    }

    /// What tools made, at addresses that are good for some hours.
    fn made(&self, turn: &Turn) -> Vec<Media> {
        let media = |kept: &Kept| match self.services.tools.link(kept) {
            Ok(url) => Some(Media {
                url,
                name: kept.name.clone(),
                media_type: kept.media_type.clone(),
                caption: String::new(),
            }),
            Err(error) => {
                tracing::warn!(conversation = %self.conversation, error = error.kind(), "a file cannot be sent");
                None
            }
        };
        turn.made.iter().filter_map(media).collect()
    }

    /// The requests of parts that are no turn (typing, a cleared placeholder).
    pub(crate) fn steps(&self, parts: &[Part], to: &Address, key: &str, now: i64) -> Vec<Step> {
        self.requests(parts, to, key, Way::Reply, now)
    }

    /// The requests of parts that nobody asked for here.
    pub(crate) fn pushed(&self, parts: &[Part], to: &Address, key: &str, now: i64) -> Vec<Step> {
        self.requests(parts, to, key, Way::Push, now)
    }

    fn requests(&self, parts: &[Part], to: &Address, key: &str, way: Way, now: i64) -> Vec<Step> {
        let context = PostContext { settings: &self.place.settings, key, way, plain: false, now };
        self.place.room.post(parts, to, &context).steps
    }
}

/// What a turn says, in the channel's words. Pictures of these hosts are shown, and what tools made follows.
fn parts(turn: &Turn, media_hosts: &[String], made: Vec<Media>) -> Vec<Part> {
    let answer = match &turn.buttons {
        Some(buttons) => turn.answer.strip_suffix(&buttons.text).unwrap_or(&turn.answer).trim_end(),
        None => &turn.answer,
    };
    let text = [turn.before.as_str(), answer].into_iter().filter(|text| !text.is_empty());
    let text = text.collect::<Vec<_>>().join("\n\n");
    let (mut text, mut media) = pictures::taken_out(&text, media_hosts);
    media.extend(made);
    if let (true, Some(first), Some(_)) = (text.is_empty(), media.first(), &turn.draft) {
        text.clone_from(if first.caption.is_empty() { &first.name } else { &first.caption });
    }
    if let (true, Some(buttons), Some(_)) = (text.is_empty(), &turn.buttons, &turn.draft) {
        text.clone_from(&buttons.text);
    }
    let first = match &turn.draft {
        _ if text.is_empty() => None,
        Some(posted) => Some(Part::Edit { posted: posted.clone(), text, grown: turn.grown.clone() }),
        None => Some(Part::Text(text)),
    };
    let buttons = turn
        .buttons
        .as_ref()
        .map(|buttons| Part::Buttons { text: buttons.text.clone(), choices: buttons.choices.clone() });
    let parts: Vec<Part> =
        first.into_iter().chain(media.into_iter().map(Part::Media)).chain(buttons).collect();
    if parts.is_empty() { vec![Part::Dismiss] } else { parts }
}

/// What a program is told: the words as they are, and what became of its question.
fn verbatim(turn: &Turn) -> Vec<Part> {
    if turn.answer.is_empty() {
        return vec![Part::Dismiss];
    }
    let turn::Usage { input, output, cached, reasoning } = turn.usage;
    let outcome = Outcome { end: turn.end, input, output, cached, reasoning };
    vec![Part::Text(turn.answer.clone()), Part::Outcome(outcome)]
}

#[cfg(test)]
mod tests {
    use channel::Choice;
    use turn::Buttons;

    use super::*;

    #[test]
    fn a_turn_says_notice_answer_and_question_in_this_order() {
        let turn = |before: &str, answer: &str, draft: Option<&str>, buttons: Option<&str>| Turn {
            before: before.into(),
            answer: answer.into(),
            draft: draft.map(str::to_owned),
            buttons: buttons.map(|text| Buttons { text: text.into(), choices: vec![choice()] }),
            ..Turn::default()
        };
        let check = |turn: Turn, expected: &[Part]| assert_eq!(parts(&turn, &[], Vec::new()), expected);
        let text = |text: &str| Part::Text(text.into());
        let buttons = || Part::Buttons { text: "Shall I?".into(), choices: vec![choice()] };
        check(turn("", "", None, None), &[Part::Dismiss]);
        check(turn("", "hi", None, None), &[text("hi")]);
        check(turn("I am an AI.", "hi", None, None), &[text("I am an AI.\n\nhi")]);
        check(
            turn("", "hi", Some("1"), None),
            &[Part::Edit { posted: "1".into(), text: "hi".into(), grown: channel::Grown::Edited }],
        );
        check(turn("", "Shall I?", None, Some("Shall I?")), &[buttons()]);
        check(turn("", "One moment.\n\nShall I?", None, Some("Shall I?")), &[text("One moment."), buttons()]);
    }

    #[test]
    fn a_program_gets_the_words_alone_and_what_became_of_them() {
        let usage = turn::Usage { input: 7, output: 3, ..turn::Usage::default() };
        let (answer, before) = ("![a](https://example.com/a.png) ".to_owned(), "I am an AI.".to_owned());
        let turn = Turn { answer: answer.clone(), before, usage, end: channel::End::Cut, ..Turn::default() };
        let outcome = Outcome { end: channel::End::Cut, input: 7, output: 3, ..Outcome::default() };
        assert_eq!(verbatim(&turn), [Part::Text(answer), Part::Outcome(outcome)]);
        assert_eq!(verbatim(&Turn::default()), [Part::Dismiss]);
    }

    #[test]
    fn what_tools_made_follows_the_answer_and_can_be_all_of_it() {
        let media = || Media {
            url: "https://bucket.example/1".into(),
            name: "may.png".into(),
            media_type: "image/png".into(),
            caption: String::new(),
        };
        let turn = |answer: &str, draft: Option<&str>| Turn {
            answer: answer.into(),
            draft: draft.map(str::to_owned),
            ..Turn::default()
        };
        let said = parts(&turn("Sales rise.", None), &[], vec![media()]);
        assert_eq!(said, [Part::Text("Sales rise.".into()), Part::Media(media())]);
        assert_eq!(parts(&turn("", None), &[], vec![media()]), [Part::Media(media())]);
        let over = Part::Edit { posted: "1".into(), text: "may.png".into(), grown: channel::Grown::Edited };
        assert_eq!(parts(&turn("", Some("1")), &[], vec![media()]), [over, Part::Media(media())]);
    }

    fn choice() -> Choice {
        Choice { label: "Yes".into(), says: "/yes 1".into() }
    }
}
