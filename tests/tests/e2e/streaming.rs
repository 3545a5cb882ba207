//! Answers that are seen while they are written.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use channel::Streaming;
use model_invoker::channels::LOCAL;
use serde_json::{Value, json};
use tests::programs::Programs;
use tests::world::{Sent, Words, World};

use crate::protocols::{PROTOCOLS, assistants};
use crate::{OPEN, all, alone};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first call to the channel, of those after that many, that says the words.
pub async fn drawn(world: &World, channel: &str, after: usize, words: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let calls = world.calls(channel).await;
        let found = calls.iter().skip(after).find(|call| call["body"].to_string().contains(words));
        if let Some(call) = found {
            return call.clone();
        }
        assert!(Instant::now() < deadline, "{channel}: never said {words:?}: {calls:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Until HEAD knows the message that grows.
async fn written_down(world: &World, sent: &Sent) -> turn::Draft {
    let (store, deadline) = (world.store(), Instant::now() + PATIENCE);
    let conversation = sent.conversation.as_ref().expect("a message that was taken");
    loop {
        if let Some(draft) = store.head(conversation).await.expect("the table answers").draft {
            return draft;
        }
        assert!(Instant::now() < deadline, "HEAD never knew the draft");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether the call begins a stream or adds to one.
fn is_streamed(call: &Value) -> bool {
    let path = call["path"].as_str().unwrap();
    path.ends_with("Stream") || call["body"]["entities"][0]["type"] == "streaminfo"
}

pub async fn tell(world: &World, answers: &[&str]) {
    world.tell("/model/answers", json!({ "answers": answers })).await;
}

pub async fn go(world: &World) {
    world.tell("/model/go", json!({"pauses": 1_000})).await;
}

/// In every channel that shows answers early, and every protocol: something is seen before the model has ended, and in the end there is one
/// message, which says what was committed.
#[test]
fn answers_are_seen_before_their_end_and_are_one_message() {
    let streams = LOCAL.iter().map(|room| room.spec()).filter(|spec| spec.streaming != Streaming::Off);
    let protocols = PROTOCOLS.iter().cycle();
    let channels = streams.zip(protocols);
    let channels = channels.map(|(spec, (name, _))| format!("  {}: {{assistant: {name}}}\n", spec.name));
    let channels: String = channels.collect();
    alone(
        "streams",
        &format!("{}channels:\n{channels}", assistants("disclosure: never")),
        |_| {},
        async |world| {
            let mut streamed = Vec::new();
            for room in LOCAL.iter().filter(|room| room.spec().streaming != Streaming::Off) {
                let name = room.spec().name;
                let groups = room.spec().groups;
                for conversation in [None, Some("team")].into_iter().filter(|group| group.is_none() || groups)
                {
                    tell(world, &["The first words of it, **and ⏸the** rest."]).await;
                    let before = world.calls(name).await.len();
                    let words = Words { conversation, ..Words::of(name, "7", "go on") };
                    let sent = world.send(words).await;
                    let call = drawn(world, name, before, "The first words of it").await;
                    let early = call["body"].to_string();
                    // What is edited shows a style that is open as closed; what is added to waits for its end.
                    let whole = early.contains("and") != is_streamed(&call);
                    assert!(!early.contains("rest") && whole, "{name}: {early}");
                    streamed.extend(is_streamed(&call).then_some((name, conversation)));
                    go(world).await;
                    world.until(&sent, |said| said.iter().any(|text| text.contains("rest."))).await;
                    world.at_rest(&sent).await;
                    let said = world.said(&sent).await;
                    let [text] = said.as_slice() else { panic!("{name}: {said:?}") };
                    assert!(
                        text.contains("The first words of it") && text.ends_with("rest."),
                        "{name}: {text}"
                    );
                    let head = world.store().head(sent.conversation.as_ref().unwrap()).await.unwrap();
                    assert_eq!(head.draft, None, "{name}");
                }
            }
            assert_eq!(streamed, [("slack", Some("team")), ("teams", None)]);
        },
    );
}

/// Telegram's draft is gone after half a minute: while a tool takes its time, what was written stays to be seen.
#[test]
fn a_draft_does_not_vanish_while_a_tool_is_at_work() {
    let (done, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(wait);
    let programs = Programs::start(move |_, _| {
        wait.lock().unwrap().recv().unwrap();
        (200, json!("sunny"))
    });
    let tools = format!(
        "tools:\n  weather: {{kind: http, url: '{}/', description: 'The weather.', timeout_s: 100}}\n",
        programs.url
    );
    let config =
        format!("{}{tools}", OPEN.replace("{disclosure: never}", "{disclosure: never, tools: [weather]}"));
    alone(
        "streams-stale",
        &config,
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            let calls = json!([{"name": "weather", "arguments": {}}]);
            let answers = json!([{"text": "Let me look out of the window.", "calls": calls}, "It is sunny."]);
            world.tell("/model/answers", json!({ "answers": answers })).await;
            let sent = world.send(Words::of("telegram", "7", "how is the weather?")).await;
            drawn(world, "telegram", 0, "Let me look").await;
            let drawn_before = world.calls("telegram").await.len();
            let again = drawn(world, "telegram", drawn_before, "Let me look").await;
            assert!(again["path"].as_str().unwrap().ends_with("/sendMessageDraft"), "{again}");
            done.send(()).unwrap();
            world.until(&sent, |said| said.iter().any(|text| text.contains("It is sunny."))).await;
            world.at_rest(&sent).await;
        },
    );
}

/// `off` shows nothing early, `edit` does without the platform's own drafts.
#[test]
fn channels_stream_as_they_are_told() {
    let config = format!("{OPEN}channels:\n  telegram: {{streaming: edit}}\n  slack: {{streaming: off}}\n");
    alone(
        "streams-told",
        &config,
        |options| options.channels = vec!["telegram".into(), "slack".into()],
        async |world| {
            tell(world, &["The first words of it ⏸and the rest.", "The first words of it ⏸and the rest."])
                .await;
            let slack = world.send(Words::of("slack", "7", "go on")).await;
            world.asked(1).await;
            let telegram = world.send(Words::of("telegram", "7", "go on")).await;
            let call = drawn(world, "telegram", 0, "The first words").await;
            assert!(call["path"].as_str().unwrap().ends_with("/sendMessage"), "{call}");
            assert!(world.said(&slack).await.is_empty(), "Slack was told to wait");
            go(world).await;
            for sent in [&slack, &telegram] {
                world.until(sent, |said| said.iter().any(|text| text.contains("rest."))).await;
                world.at_rest(sent).await;
                assert_eq!(world.said(sent).await, ["The first words of it and the rest."]);
            }
            let updates = world.calls("slack").await;
            assert!(!updates.iter().any(|call| call["path"].as_str().unwrap().contains("chat.update")));
        },
    );
}

/// Killed in mid-answer: whoever goes on finishes the message that there is. Killed before its id was written down: a doubt
/// that is counted, and the answer is whole all the same.
#[test]
fn a_killed_answer_is_finished_in_its_message() {
    let team = Some("team");
    let chats = [
        [("slack", None), ("teams", None), ("matrix", None), ("googlechat", None)].as_slice(),
        &[("slack", team), ("teams", team), ("mattermost", None), ("feishu", None)],
        &[("discord", None), ("telegram", None)],
    ];
    let channels: BTreeSet<&str> = chats.iter().copied().flatten().map(|(name, _)| *name).collect();
    alone(
        "streams-killed",
        OPEN,
        |options| {
            options.channels = channels.into_iter().map(String::from).collect();
            options.die_at = Some("draft:posted=unknown@1".to_owned());
        },
        async |world| {
            // As many at a time as the queue gives out at once.
            for chats in chats {
                let (first, second) =
                    ("The first words of it ⏸and the rest.", "Another beginning, and its end.");
                tell(world, &[vec![first; chats.len()], vec![second; chats.len()]].concat()).await;
                let mut before = Vec::new();
                for (name, _) in chats {
                    before.push(world.calls(name).await.len());
                }
                let words = |(name, conversation): &(&'static str, _)| Words {
                    conversation: *conversation,
                    ..Words::of(name, "7", "go on")
                };
                let sent = all(chats.iter().map(|chat| world.send(words(chat)))).await;
                for (((name, _), sent), before) in chats.iter().zip(&sent).zip(before) {
                    drawn(world, name, before, "The first words").await;
                    if !matches!(*name, "discord" | "telegram") {
                        written_down(world, sent).await;
                    }
                }
                assert!(world.cloud.kill("model-invoker") > 0, "no invoker to kill");
                for ((name, _), sent) in chats.iter().zip(&sent) {
                    world.until(sent, |said| said.iter().any(|text| text.contains("its end."))).await;
                    world.at_rest(sent).await;
                    assert_eq!(world.said(sent).await, ["Another beginning, and its end."], "{name}");
                }
            }
            tell(world, &["The first words of it ⏸and the rest.", "Another beginning, and its end."]).await;
            let sent = world.send(Words::of("slack", "8", "unknown")).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("its end."))).await;
            world.at_rest(&sent).await;
            assert_eq!(world.said(&sent).await, ["The first words of it", "Another beginning, and its end."]);
            let day = model_invoker::day(model_invoker::now());
            assert_eq!(world.store().counted("uncertain", &day).await.unwrap(), 1);
        },
    );
}

/// A draft that the platform does not want now is no failure, and the answer comes.
#[test]
fn a_platform_that_wants_fewer_changes_gets_fewer() {
    alone(
        "streams-429",
        OPEN,
        |options| options.channels = vec!["slack".into(), "teams".into(), "telegram".into()],
        async |world| {
            for (name, path, holds, conversation) in [
                ("slack", "chat.update", "", None),
                ("slack", "chat.startStream", "", Some("team")),
                ("slack", "chat.appendStream", "", Some("team")),
                ("teams", "activities", "streaminfo", None),
                ("telegram", "sendMessageDraft", "", None),
                ("telegram", "sendMessage", "", Some("team")),
            ] {
                let fault = json!({
                    "channel": name, "status": 429, "retry_after": 1, "times": 1, "path": path, "holds": holds,
                });
                world.tell("/fault", fault).await;
                tell(world, &["The first words of it, ⏸then the next ones, ⏸and the rest."]).await;
                let before = world.calls(name).await.len();
                let sent = world.send(Words { conversation, ..Words::of(name, "7", "go on") }).await;
                drawn(world, name, before, "The first words").await;
                world.tell("/model/go", json!({"pauses": 1})).await;
                drawn(world, name, before, "the next ones").await;
                go(world).await;
                world.until(&sent, |said| said.iter().any(|text| text.contains("the rest."))).await;
                world.at_rest(&sent).await;
                let said = world.said(&sent).await;
                assert_eq!(said, ["The first words of it, then the next ones, and the rest."], "{name}");
                let refused =
                    world.calls(name).await.iter().skip(before).filter(|call| call["status"] == 429).count();
                assert_eq!(refused, 1, "{name}: refused once, then slower");
            }
        },
    );
}

#[test]
fn stopped_in_mid_answer_its_message_says_what_there_was() {
    alone(
        "streams-stopped",
        OPEN,
        |options| options.channels = vec!["slack".into(), "teams".into(), "telegram".into()],
        async |world| {
            for name in ["slack", "teams", "telegram"] {
                tell(world, &["The first words of it **and ⏸the rest.**"]).await;
                let before = world.calls(name).await.len();
                let sent = world.send(Words::of(name, "7", "go on")).await;
                drawn(world, name, before, "The first words").await;
                let stop = world.send(Words::of(name, "7", "/stop")).await;
                world.until(&stop, |said| said.iter().any(|text| text == "Stopped.")).await;
                world.at_rest(&sent).await;
                let said = world.said(&sent).await;
                let written: Vec<&String> = said.iter().filter(|text| text.contains("first words")).collect();
                assert!(written.len() == 1 && !written[0].contains("rest"), "{name}: {said:?}");
            }
        },
    );
}

/// Half an answer that people have seen stands, and says so.
#[test]
fn what_was_seen_is_not_asked_anew() {
    alone(
        "streams-broken",
        OPEN,
        |options| options.channels = vec!["slack".into(), "telegram".into()],
        async |world| {
            for name in ["slack", "telegram"] {
                let text = "The first words of it ⏸and the rest, which never comes to its end at all.";
                let answers = json!([{"text": text, "breaks_off": true}, "Another answer."]);
                world.tell("/model/answers", json!({ "answers": answers })).await;
                let before = world.calls(name).await.len();
                let sent = world.send(Words::of(name, "7", "go on")).await;
                drawn(world, name, before, "The first words").await;
                go(world).await;
                world.until(&sent, |said| said.iter().any(|text| text.contains("broke off"))).await;
                world.at_rest(&sent).await;
                let said = world.said(&sent).await.join("\n");
                assert!(said.contains("The first words") && !said.contains("Another"), "{name}: {said}");
            }
        },
    );
}
