use super::super::seen::{Ack, Appeared, Chat, Given};
use super::*;

fn ack(status: u16) -> Ack {
    Ack { status, body: String::new(), ms: 7, taken: status == 200 }
}

fn given(job: &str, receives: u32, outcome: &str) -> Given {
    Given {
        at: 1_000,
        channel: "telegram".into(),
        message: "m".into(),
        job: job.into(),
        receives,
        worker: 1,
        pid: 7,
        over_at: Some(1_500),
        whole: outcome != "died",
        outcome: Some(outcome.into()),
    }
}

fn appeared(text: &str) -> Appeared {
    let chat = Chat { channel: "telegram".into(), user: "ana".into(), conversation: None };
    Appeared { at: 2_000, chat, id: text.into(), html: text.into() }
}

/// One message, answered once.
fn good() -> Facts {
    Facts {
        acks: vec![ack(200)],
        messages: vec!["m".into()],
        given: vec![given("j", 1, "Acknowledged")],
        turns: vec![(vec!["m".into()], Some(2_000))],
        appeared: vec![appeared("hello")],
        posts: vec![(1_900, 200)],
        sent_at: 900,
        refusal: (401, "no".into()),
        ..Facts::default()
    }
}

fn check(promise: Promise, facts: &Facts, held: Option<bool>, says: &str) {
    let verdict = verdict(promise, facts);
    assert_eq!(verdict.held, held, "{verdict:?}");
    assert!(verdict.happened.contains(says), "{verdict:?}");
}

#[test]
fn twice_holds_only_with_one_answer() {
    let both = || vec![ack(200), ack(200)];
    let jobs = |last| vec![given("j", 1, "Acknowledged"), given("k", 1, last)];
    let good = || Facts { acks: both(), given: jobs("Acknowledged"), ..good() };
    check(Promise::Twice, &good(), Some(true), "one answer appeared.");
    check(
        Promise::Twice,
        &Facts { given: jobs("Returned(60)"), ..good() },
        Some(true),
        "One queue message looks once more",
    );
    let doubled = vec![appeared("hello"), Appeared { id: "other".into(), ..appeared("hello") }];
    check(Promise::Twice, &Facts { appeared: doubled, ..good() }, Some(false), "2 answers");
    check(Promise::Twice, &Facts { turns: vec![], appeared: vec![], ..good() }, Some(false), "no answer");
    check(Promise::Twice, &Facts { acks: vec![ack(200), ack(503)], ..good() }, Some(false), "200, 503");
}

#[test]
fn five_hold_only_when_each_is_answered_once() {
    let messages: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    let all = || Facts {
        acks: vec![ack(200); 5],
        messages: messages.clone(),
        turns: vec![(messages.clone(), Some(2_000))],
        ..good()
    };
    check(Promise::Five, &all(), Some(true), "one answer appeared, each message is in exactly one of them");
    let some = (messages[..4].to_vec(), Some(2_000));
    check(
        Promise::Five,
        &Facts { turns: vec![some.clone()], ..all() },
        Some(false),
        "1 messages are in none",
    );
    let again = (vec!["a".to_owned(), "e".to_owned()], Some(3_000));
    check(
        Promise::Five,
        &Facts { turns: vec![some, again], ..all() },
        Some(false),
        "0 messages are in none of them, 1 in several",
    );
}

#[test]
fn a_kill_shows_something_only_where_it_struck_in_time() {
    let again = || vec![given("j", 1, "died"), given("j", 2, "Acknowledged")];
    let killed = || Facts { given: again(), killed: Some((7, 1_200)), died: true, ..good() };
    check(
        Promise::Kill,
        &killed(),
        Some(true),
        "killed (kill -9) 200 ms after it had taken the message. It was given out 2 times; one answer",
    );
    check(Promise::Kill, &Facts { given: vec![given("j", 1, "died")], ..killed() }, None, "press again");
    check(Promise::Kill, &Facts { died: false, ..killed() }, None, "shows nothing");
    check(Promise::Kill, &Facts { turns: vec![], appeared: vec![], ..killed() }, Some(false), "no answer");
}

#[test]
fn a_busy_platform_is_waited_for_as_long_as_it_says() {
    let posts = |second: i64, third| vec![(1_000, 429), (second, 429), (third, 200)];
    check(
        Promise::Busy,
        &Facts { posts: posts(3_000, 5_400), ..good() },
        Some(true),
        "2 refusals, tried again after 2.0 s and 2.4 s; one answer",
    );
    check(Promise::Busy, &Facts { posts: posts(2_900, 5_400), ..good() }, Some(false), "1.9 s");
    check(Promise::Busy, &good(), Some(false), "0 refusals");
}

#[test]
fn a_forged_request_gets_the_words_of_every_refusal_and_nothing_else() {
    let refused = || Facts {
        acks: vec![Ack { body: "no".into(), ..ack(401) }],
        why: Some("signature".into()),
        given: vec![],
        appeared: vec![],
        ..good()
    };
    check(
        Promise::Forged,
        &refused(),
        Some(true),
        "It answered 401, as to every request that is not authentic (its log: signature); nothing",
    );
    check(
        Promise::Forged,
        &Facts { given: vec![given("j", 1, "died")], ..refused() },
        Some(false),
        "reached the queue",
    );
    check(
        Promise::Forged,
        &Facts { acks: vec![ack(200)], ..refused() },
        Some(false),
        "answered 200, which is not",
    );
}
