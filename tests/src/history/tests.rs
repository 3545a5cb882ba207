//! A checker that cannot fail proves nothing: every way to break a promise is fed to it.

use super::*;

const CONVERSATION: &str = "c";

fn message(id: &str, marks: &[&str]) -> Message {
    let marks = marks.iter().map(|mark| Mark::Word((*mark).to_owned())).collect();
    Message {
        id: id.into(),
        conversation: CONVERSATION.into(),
        about: id.into(),
        marks,
        taken: true,
        meant: Meant::Answered,
    }
}

fn post(at: i64, text: &str) -> Post {
    Post { at, conversation: Some(CONVERSATION.into()), text: text.into(), unanswered: false }
}

fn turn(number: u32, messages: &[&str], at: i64) -> Turn {
    let messages = messages.iter().map(|id| (*id).to_owned()).collect();
    Turn { conversation: CONVERSATION.into(), number, messages, at }
}

fn run(begun: i64, ended: i64, whole: bool, frozen: bool) -> Run {
    Run { conversation: CONVERSATION.into(), begun, ended, whole, frozen }
}

fn letter(id: &str, reason: &str) -> Letter {
    Letter { messages: vec![id.into()], reason: reason.into() }
}

/// Two messages, the first answered in two parts.
fn good() -> History {
    History {
        messages: vec![message("1", &["a1", "a2"]), message("2", &["b1"])],
        posts: vec![post(20, "You said: a1"), post(21, "a2"), post(30, "You said: b1")],
        turns: vec![turn(0, &["1"], 15), turn(1, &["2"], 25)],
        questions: vec![Question { at: 10, text: "a1 a2".into() }, Question { at: 22, text: "b1".into() }],
        runs: vec![run(5, 31, true, false)],
        ..History::default()
    }
}

/// The product says so often that a post may be there twice.
fn doubt(history: &mut History, times: usize) {
    history.doubts = vec![CONVERSATION.into(); times];
    history.uncertain = times as u64;
}

/// The promises that a history breaks, each once.
fn broken(change: impl FnOnce(&mut History)) -> Vec<Promise> {
    let mut history = good();
    change(&mut history);
    let mut promises: Vec<Promise> = check(&history).broken.iter().map(|broken| broken.promise).collect();
    promises.dedup();
    promises
}

#[test]
fn a_good_history_is_good() {
    assert_eq!(broken(|_| {}), []);
    let verdict = check(&good());
    assert_eq!((verdict.lost, verdict.twice, verdict.uncertain), (0, 0, 0));
}

#[test]
fn what_is_lost_is_found() {
    // Without a trace.
    let lost = |history: &mut History| {
        history.turns.pop();
        history.posts.pop();
    };
    assert_eq!(broken(lost), [Promise::NothingLost]);
    let mut history = good();
    lost(&mut history);
    assert_eq!(check(&history).lost, 1);
    // Committed, and the reply never posted; or one part of it.
    assert_eq!(broken(|history| drop(history.posts.pop())), [Promise::NothingLost]);
    assert_eq!(broken(|history| drop(history.posts.remove(1))), [Promise::NothingLost]);
    // A command's answer.
    let command = |history: &mut History| {
        let marks = vec![Mark::Phrase("I am idle".into())];
        history.messages.push(Message { meant: Meant::AnsweredAtOnce, marks, ..message("3", &[]) });
    };
    assert_eq!(broken(command), [Promise::NothingLost]);
    let answered = |history: &mut History| {
        command(history);
        history.posts.push(post(40, "I am idle, thank you."));
    };
    assert_eq!(broken(answered), []);
    // What nobody was promised may be lost.
    assert_eq!(
        broken(|history| {
            history.messages.push(Message { taken: false, ..message("3", &["c1"]) });
        }),
        []
    );
}

#[test]
fn what_is_answered_twice_is_found() {
    let again = |history: &mut History| history.posts.insert(1, post(21, "You said: a1"));
    assert_eq!(broken(again), [Promise::NothingTwice]);
    // A kill explains it only where it hit that very post, and only when the doubt was counted.
    for (begun, ended, uncertain, expected) in [
        (18, 20, 1, vec![]),
        (18, 20, 0, vec![Promise::NothingTwice]),
        (8, 12, 1, vec![Promise::NothingTwice]),
        (21, 25, 1, vec![Promise::NothingTwice]),
    ] {
        let found = broken(|history| {
            again(history);
            doubt(history, uncertain);
            history.runs.push(run(begun, ended, false, false));
        });
        assert_eq!(found, expected, "{begun} to {ended}, {uncertain} counted");
    }
    // So does an answer of the platform's that got lost.
    let unanswered = |history: &mut History| {
        again(history);
        history.posts[0].unanswered = true;
        doubt(history, 1);
    };
    assert_eq!(broken(unanswered), []);
    // A doubt somewhere else explains nothing.
    let elsewhere = |history: &mut History| {
        unanswered(history);
        history.doubts = vec!["d".into()];
    };
    assert_eq!(broken(elsewhere), [Promise::NothingTwice]);
    assert_eq!(broken(|history| history.doubts.push(CONVERSATION.into())), [Promise::NothingTwice]);
    let mut history = good();
    again(&mut history);
    assert_eq!(check(&history).twice, 1);
}

#[test]
fn what_is_shown_again_where_doubts_are_left_out_is_found() {
    let skipping = |change: fn(&mut History)| {
        broken(|history| {
            history.messages[0].meant = Meant::AnsweredOnce;
            history.posts[0].unanswered = true;
            doubt(history, 1);
            change(history);
        })
    };
    assert_eq!(skipping(|_| {}), []);
    // Left out, and counted; left out, and nobody knows why; not asked at all.
    assert_eq!(skipping(|history| drop(history.posts.remove(1))), []);
    let silently = |history: &mut History| {
        history.posts.remove(1);
        doubt(history, 0);
    };
    assert_eq!(skipping(silently), [Promise::NothingLost]);
    let lost = |history: &mut History| {
        history.posts.drain(..2);
        history.turns.remove(0);
    };
    assert_eq!(skipping(lost), [Promise::NothingLost]);
    // A counted doubt excuses no second showing here.
    assert_eq!(
        skipping(|history| history.posts.insert(1, post(21, "You said: a1"))),
        [Promise::NothingTwice]
    );
}

#[test]
fn what_is_stopped_still_ends_in_a_turn() {
    let stopped = |change: fn(&mut History)| {
        broken(|history| {
            history.messages[1].meant = Meant::Stopped;
            history.posts.pop();
            change(history);
        })
    };
    assert_eq!(stopped(|_| {}), []);
    assert_eq!(stopped(|history| drop(history.turns.pop())), [Promise::NothingLost]);
}

#[test]
fn two_turns_for_one_message_are_found() {
    assert_eq!(broken(|history| history.turns.push(turn(2, &["2"], 26))), [Promise::OneEnd]);
}

#[test]
fn what_comes_to_two_ends_is_found() {
    assert_eq!(broken(|history| history.letters.push(letter("2", "poison"))), [Promise::OneEnd]);
    assert_eq!(
        broken(|history| {
            history.refused = 1;
            history.messages[1].meant = Meant::Refused;
        }),
        [Promise::OneEnd]
    );
    // What may come to either end.
    for posted in [true, false] {
        let found = broken(|history| {
            history.messages[1].meant = Meant::AnsweredOrDead;
            history.letters.push(letter("2", "the chat is gone"));
            history.posts.truncate(if posted { 3 } else { 2 });
        });
        assert_eq!(found, if posted { vec![Promise::OneEnd] } else { vec![] });
    }
    // Refused, and not counted.
    let refused = |history: &mut History| {
        history.messages.push(Message { meant: Meant::Refused, ..message("3", &["c1"]) });
    };
    assert_eq!(broken(refused), [Promise::OneEnd]);
    assert_eq!(
        broken(|history| {
            refused(history);
            history.refused = 2;
        }),
        []
    );
}

#[test]
fn what_is_given_up_too_early_is_found() {
    let given_up = |history: &mut History, hits: i64| {
        history.posts.pop();
        history.letters.push(letter("2", "it was tried 3 times"));
        history.runs.extend((0..hits).map(|n| run(40 + n, 41 + n, false, false)));
    };
    assert_eq!(broken(|history| given_up(history, 2)), [Promise::NothingGivenUp]);
    assert_eq!(broken(|history| given_up(history, 3)), []);
    // What is poison must be given up.
    assert_eq!(broken(|history| history.messages[1].meant = Meant::Dead), [Promise::NothingLost]);
}

#[test]
fn what_is_out_of_order_is_found() {
    // Parts of one turn, then turns.
    assert_eq!(broken(|history| history.posts.swap(0, 1)), [Promise::Order]);
    assert_eq!(broken(|history| history.posts.rotate_right(1)), [Promise::Order]);
    // Two turns' parts through each other.
    assert_eq!(broken(|history| history.posts.swap(1, 2)), [Promise::Order]);
    // In another conversation.
    let elsewhere = |history: &mut History| {
        let mut stray = post(50, "You said: b1");
        stray.conversation = Some("d".into());
        history.posts.push(stray);
    };
    assert_eq!(broken(elsewhere), [Promise::Order]);
}

#[test]
fn what_is_asked_again_is_found() {
    let again = |history: &mut History| history.questions.push(Question { at: 40, text: "so: b1".into() });
    assert_eq!(broken(again), [Promise::AskedOnce]);
    // Asked again before there was an answer: somebody was killed over it.
    assert_eq!(broken(|history| history.questions.push(Question { at: 24, text: "b1".into() })), []);
    // Somebody slept over it. A kill is no excuse.
    for (frozen, expected) in [(true, vec![]), (false, vec![Promise::AskedOnce])] {
        let found = broken(|history| {
            again(history);
            history.runs.push(run(23, 45, false, frozen));
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn what_stays_behind_is_found() {
    assert_eq!(broken(|history| history.left.push("c holds its lease".into())), [Promise::Rest]);
}
