//! Platforms that are slow, rude or broken: what people see of it, what is counted, what ends in the dead letters.
//!
//! Most cases need a call to run into its time-out, so all of them run side by side on one cloud.

use std::collections::BTreeMap;

use queue::DeadLetter;
use serde_json::{Value, json};
use tests::world::{Sent, Words, World};

use crate::{OPEN, alone, operations};

/// The second bot would rather lose a message than show it twice.
const CONFIG: &str = "channels:
  telegram: {accounts: {support: {on_doubt: skip}}}
";

/// Longer than a call may take, milliseconds.
const LATE_MS: u64 = 12_000;

/// What happens to the first call with a person's reply, and what it comes to.
struct Case {
    name: &'static str,
    fault: Value,
    /// By channel (`skip` is the second Telegram bot): how often the reply is seen, how often it was posted, how often that was
    /// in doubt.
    expected: &'static [(&'static str, usize, usize, u64)],
    /// What the dead letter says.
    dead: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let case = |name, fault, expected| Case { name, fault, expected, dead: None };
    let dead = |name, fault, expected, why| Case { name, fault, expected, dead: Some(why) };
    // Telegram and Discord say with the status whether it is posted, and Slack within its answer; a webhook's receiver knows
    // repetitions by our key, an edit of Discord's placeholder is none. Only the rest is in doubt.
    let harmed: &[_] =
        &[("telegram", 1, 1, 0), ("slack", 2, 2, 1), ("webhook", 1, 1, 0), ("discord", 1, 1, 0)];
    let unsure: &[_] = &[
        ("telegram", 2, 2, 1),
        ("skip", 1, 1, 1),
        ("slack", 2, 2, 1),
        ("webhook", 1, 2, 0),
        ("discord", 1, 2, 0),
    ];
    let waits: &[_] =
        &[("telegram", 1, 2, 0), ("slack", 1, 2, 0), ("webhook", 1, 2, 0), ("discord", 1, 2, 0)];
    let failed: &[_] =
        &[("telegram", 1, 2, 1), ("slack", 1, 2, 1), ("webhook", 1, 2, 0), ("discord", 1, 2, 0)];
    vec![
        case("late", json!({"delay_ms": LATE_MS}), unsure),
        case("answerlost", json!({"status": 0, "done": true}), unsure),
        case(
            "requestlost",
            json!({"status": 0}),
            &[("telegram", 1, 2, 1), ("skip", 0, 1, 1), ("webhook", 1, 2, 0)],
        ),
        case("slow", json!({"harm": "slow"}), &[("telegram", 1, 1, 0), ("slack", 2, 2, 1)]),
        case("broken", json!({"harm": "broken"}), harmed),
        case("short", json!({"harm": "short"}), harmed),
        case("truncated", json!({"harm": "truncated"}), harmed),
        case("huge", json!({"harm": "huge"}), harmed),
        case("toomany", json!({"status": 429}), waits),
        case("toomanywait", json!({"status": 429, "retry_after": 3}), waits),
        // Nobody knows whether it posted before it failed; a 503 says that it has not begun.
        case("failed", json!({"status": 500}), failed),
        case("downandhuge", json!({"status": 503, "harm": "huge"}), waits),
        dead(
            "moved",
            json!({"status": 302, "location": "http://169.254.169.254/latest/meta-data/"}),
            &[("telegram", 0, 1, 0), ("slack", 0, 1, 0)],
            "HTTP 302: redirects are not followed",
        ),
        dead(
            "left",
            json!({"status": 403, "body": {"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}}),
            &[("telegram", 0, 1, 0)],
            "blocked by the user",
        ),
        dead(
            "unsubscribed",
            json!({"status": 410}),
            &[("webhook", 0, 1, 0)],
            "HTTP 410: the program wants no more",
        ),
    ]
}

#[test]
fn a_rude_platform_delays_its_own_conversation_and_nothing_is_seen_twice_without_being_counted() {
    alone(
        "rude",
        &format!("{OPEN}{CONFIG}"),
        |options| options.parameters.push(("MaximumConcurrency".into(), "10".into())),
        async |world| {
            let before = uncertain(world).await;
            let (cases, hanging) = (cases(), hanging());
            let mut sent =
                vec![(&hanging, &hanging.expected[0], polite_while_it_hangs(world, &hanging).await)];
            for case in &cases {
                for expected in case.expected {
                    sent.push((case, expected, provoke(world, case, expected.0).await));
                }
            }
            let mut doubts = 0;
            for (case, expected, sent) in &sent {
                world.at_rest(sent).await;
                judge(world, case, expected, sent).await;
                doubts += expected.3;
            }
            assert_eq!(uncertain(world).await - before, doubts, "each doubt is counted once");
            let status = operations::crabhook("rude", &["status"]);
            let line = status.lines().find(|line| line.contains("posts in doubt"));
            assert!(line.is_some_and(|line| line.ends_with(&format!(" {doubts}"))), "{status}");
            let dead = dead(
                world,
                cases.iter().filter(|case| case.dead.is_some()).map(|case| case.expected.len()).sum(),
            )
            .await;
            for (case, _, sent) in sent.iter().filter(|(case, ..)| case.dead.is_some()) {
                let letter = &dead[sent.conversation.as_ref().unwrap().as_str()];
                assert!(letter.reason.contains(case.dead.unwrap()), "{}: {}", case.name, letter.reason);
                let turn = letter.turn.as_ref().expect("the turn that was not posted");
                assert!(turn["answer"].as_str().unwrap().contains(case.name), "{turn}");
            }
        },
    );
}

/// Two calls in a row that are not answered in time.
fn hanging() -> Case {
    let fault = json!({"delay_ms": LATE_MS, "times": 2});
    Case { name: "hanging", fault, expected: &[("telegram", 3, 3, 2)], dead: None }
}

/// While a platform does not answer, others are served, on its channel too.
async fn polite_while_it_hangs(world: &World, hanging: &Case) -> Sent {
    let first = provoke(world, hanging, "telegram").await;
    world.until(&first, |said| !said.is_empty()).await;
    for channel in ["telegram", "webhook"] {
        let sent = world.send(Words::of(channel, "polite", "me too")).await;
        world.reply(&sent).await;
    }
    assert!(
        world.said(&first).await.len() < hanging.expected[0].1,
        "the others waited for the one that hangs"
    );
    first
}

/// Somebody writes a text that nobody else writes, and the call with the reply to it goes wrong.
async fn provoke(world: &World, case: &Case, channel: &str) -> Sent {
    let (platform, account) = if channel == "skip" { ("telegram", "support") } else { (channel, "main") };
    let text = text(case, channel);
    let mut fault = case.fault.clone();
    fault["channel"] = platform.into();
    fault["holds"] = text.as_str().into();
    world.tell("/fault", fault).await;
    world.send(Words { account, ..Words::of(platform, &text, &text) }).await
}

fn text(case: &Case, channel: &str) -> String {
    format!("it is {} at {channel}", case.name)
}

async fn judge(
    world: &World,
    case: &Case,
    &(channel, seen, posted, _): &(&str, usize, usize, u64),
    sent: &Sent,
) {
    let text = text(case, channel);
    let calls = world.calls(&sent.channel).await;
    let said =
        calls.iter().filter(|call| call["said"]["text"].as_str().is_some_and(|said| said.contains(&text)));
    let with: Vec<&Value> = calls.iter().filter(|call| call["body"].to_string().contains(&text)).collect();
    assert_eq!((said.count(), with.len()), (seen, posted), "{text}: seen and posted: {with:#?}");
    if let (Some(wait), [first, second]) = (case.fault["retry_after"].as_i64(), with.as_slice()) {
        let waited = second["at"].as_i64().unwrap() - first["at"].as_i64().unwrap();
        assert!(waited >= wait * 1_000, "{text}: it was to wait {wait} s, and waited {waited} ms");
    }
}

/// Doubts that were counted.
pub async fn uncertain(world: &World) -> u64 {
    // A test may begin on one day and end on the next.
    let now = model_invoker::now();
    let (store, today, yesterday) =
        (world.store(), model_invoker::day(now), model_invoker::day(now - 24 * 3_600_000));
    store.counted("uncertain", &today).await.unwrap() + store.counted("uncertain", &yesterday).await.unwrap()
}

/// The dead letters by conversation, once there are so many.
pub async fn dead(world: &World, wanted: usize) -> BTreeMap<String, DeadLetter> {
    let mut dead = BTreeMap::new();
    while dead.len() < wanted {
        dead.extend(world.dead().await.into_iter().map(|letter| (letter.conversation.clone(), letter)));
    }
    dead
}

/// A turn that was told to wait keeps later turns' parts behind it, not later questions.
#[test]
fn a_waiting_turn_holds_back_the_parts_of_later_ones_and_not_their_questions() {
    crate::shared(async |world| {
        let parts: Vec<String> = (1..=3).map(|n| format!("Piece {n} {}", "word ".repeat(700))).collect();
        world.tell("/model/answers", json!({"answers": [parts.join("\n\n")]})).await;
        world
            .tell(
                "/fault",
                json!({"channel": "telegram", "status": 429, "retry_after": 20, "holds": "Piece 2"}),
            )
            .await;
        let asked = world.questions().await.len();
        let long = world.send(Words::of("telegram", "181", "a long story")).await;
        world.until(&long, |said| said.len() == 1).await;
        let next = world.send(Words::of("telegram", "181", "and now?")).await;
        world.asked(asked + 2).await;
        let question_at = world.questions().await[asked + 1]["at"].as_i64().unwrap();
        let said = world.until(&next, |said| said.last().is_some_and(|last| last.contains("and now?"))).await;
        let begins: Vec<&str> = said.iter().map(|text| text.get(..7).unwrap_or(text)).collect();
        assert_eq!(begins, ["Piece 1", "Piece 2", "Piece 3", "You sai"]);
        let calls = world.calls("telegram").await;
        let second = calls
            .iter()
            .rfind(|call| call["body"]["text"].as_str().is_some_and(|text| text.contains("Piece 2")));
        assert!(
            question_at < second.unwrap()["at"].as_i64().unwrap(),
            "the next question waited for the parts"
        );
        world.at_rest(&next).await;
    });
}
