//! Answers that grow as streams of the platform's own: in Slack's threads, in Teams' 1:1 chats.

use serde_json::{Value, json};
use tests::world::{Words, World};

use crate::streaming::{drawn, go, tell};
use crate::{OPEN, alone};

const CHATS: [(&str, Option<&str>); 2] = [("slack", Some("team")), ("teams", None)];

const PIECES: &str = "The first words of it, ⏸then the next ones, ⏸and the rest.";
const WHOLE: &str = "The first words of it, then the next ones, and the rest.";

fn words(name: &'static str, conversation: Option<&'static str>, text: &'static str) -> Words<'static> {
    Words { conversation, ..Words::of(name, "7", text) }
}

fn both(options: &mut local::Options) {
    options.channels = vec!["slack".into(), "teams".into()];
}

/// A call that fails: the channel, its path, what its body holds, status and body of the answer.
async fn fault(world: &World, name: &str, path: &str, holds: &str, status: u16, body: &Value) {
    let fault = json!({
        "channel": name, "path": path, "holds": holds, "status": status, "times": 1, "body": body,
    });
    world.tell("/fault", fault).await;
}

/// The texts of the calls that made the message, each with its method or kind.
fn steps(calls: &[Value]) -> Vec<(String, String)> {
    let one = |call: &Value| {
        let (path, body) = (call["path"].as_str()?, &call["body"]);
        let text = body["markdown_text"].as_str().or(body["text"].as_str()).unwrap_or("").to_owned();
        let info = &body["entities"][0];
        let kind = match info["type"].as_str() {
            Some(_) => format!("{} {}", info["streamType"].as_str()?, info["streamSequence"]),
            None if body["type"] == "typing" || path.ends_with("setStatus") => return None,
            None if path.contains("/v3/") => call["method"].as_str()?.to_owned(),
            None => path.rsplit('/').next()?.to_owned(),
        };
        Some((kind, text)).filter(|(_, text)| !text.is_empty())
    };
    calls.iter().filter_map(one).collect()
}

#[test]
fn a_stream_begins_goes_on_and_ends() {
    alone("streams-native", OPEN, both, async |world| {
        for (name, conversation) in CHATS {
            tell(world, &[PIECES]).await;
            let sent = world.send(words(name, conversation, "go on")).await;
            drawn(world, name, 0, "The first words").await;
            world.tell("/model/go", json!({"pauses": 1})).await;
            drawn(world, name, 0, "the next ones").await;
            go(world).await;
            world.until(&sent, |said| said == [WHOLE]).await;
            world.at_rest(&sent).await;
            let calls = world.calls(name).await;
            let expected: &[(&str, &str)] = match name {
                "slack" => &[
                    ("chat.startStream", "The first words of it,"),
                    ("chat.appendStream", " then the next ones,"),
                    ("chat.stopStream", " and the rest."),
                ],
                _ => &[
                    ("streaming 1", "The first words of it,"),
                    ("streaming 2", "The first words of it, then the next ones,"),
                    ("final null", WHOLE),
                ],
            };
            let steps = steps(&calls);
            let steps: Vec<_> = steps.iter().map(|(kind, text)| (kind.as_str(), text.as_str())).collect();
            assert_eq!(steps, expected, "{name}");
        }
    });
}

/// Whatever the stream does not take, in the beginning, the middle or the end, the message says the answer, and is one.
#[test]
fn a_stream_that_is_refused_is_edited() {
    alone("streams-refused", OPEN, both, async |world| {
        let no = |error: &str| (200, json!({"ok": false, "error": error}));
        let not_allowed =
            |why: &str| (403, json!({"error": {"code": "ContentStreamNotAllowed", "message": why}}));
        let mut in_teams = 0;
        let late = "Content stream finished due to exceeded streaming time.";
        let cases = [
            ("slack", "chat.startStream", "", no("channel_type_not_supported")),
            ("slack", "chat.appendStream", "", no("message_not_in_streaming_state")),
            ("slack", "chat.appendStream", "", no("streaming_mode_mismatch")),
            ("slack", "chat.stopStream", "", no("msg_too_long")),
            ("teams", "activities", r#""streamSequence":1"#, not_allowed("Content stream is not allowed")),
            ("teams", "activities", r#""streamSequence":2"#, not_allowed(late)),
            ("teams", "activities", r#""streamType":"final""#, not_allowed(late)),
        ];
        for (name, path, holds, (status, body)) in &cases {
            fault(world, name, path, holds, *status, body).await;
            tell(world, &[PIECES]).await;
            let before = world.calls(name).await.len();
            let (name, conversation) = CHATS.into_iter().find(|(chat, _)| chat == name).unwrap();
            let sent = world.send(words(name, conversation, "go on")).await;
            drawn(world, name, before, "The first words").await;
            world.tell("/model/go", json!({"pauses": 1})).await;
            drawn(world, name, before, "the next ones").await;
            go(world).await;
            world.until(&sent, |said| said.last().is_some_and(|text| text == WHOLE)).await;
            world.at_rest(&sent).await;
            // The 1:1 chat keeps what was said in it before.
            in_teams += usize::from(name == "teams");
            let expected = vec![WHOLE; if name == "teams" { in_teams } else { 1 }];
            assert_eq!(world.said(&sent).await, expected, "{name} {path} {holds}");
        }
    });
}

/// Killed after the last call and before it was written down: the end comes twice, and the message says the answer.
#[test]
fn a_stream_whose_end_is_in_doubt_is_one_message() {
    alone(
        "streams-doubt",
        OPEN,
        |options| {
            both(options);
            options.die_at = Some("call:after=go on@1".to_owned());
        },
        async |world| {
            for (name, conversation) in CHATS {
                tell(world, &["The first words of it, ⏸and the rest."]).await;
                let sent = world.send(words(name, conversation, "go on")).await;
                drawn(world, name, 0, "The first words").await;
                go(world).await;
                world.until(&sent, |said| said == ["The first words of it, and the rest."]).await;
                world.at_rest(&sent).await;
                assert_eq!(world.said(&sent).await, ["The first words of it, and the rest."], "{name}");
                let ends = steps(&world.calls(name).await);
                let ends = ends.iter().filter(|(kind, _)| kind == "chat.stopStream" || kind == "final null");
                assert!(ends.count() > 1, "{name}: the end came once");
            }
        },
    );
}

/// Somebody presses the platform's own stop button: nothing is added, and what stands there is the answer.
#[test]
fn a_stream_that_is_stopped_at_the_platform_stays_as_it_is() {
    alone("streams-stopped-there", OPEN, both, async |world| {
        let stopped = json!({"ok": false, "error": "stopped_by_user"});
        fault(world, "slack", "chat.appendStream", "", 200, &stopped).await;
        let why = "Content stream was canceled by user.";
        let stopped = json!({"error": {"code": "ContentStreamNotAllowed", "message": why}});
        fault(world, "teams", "activities", r#""streamSequence":2"#, 403, &stopped).await;
        for (name, conversation) in CHATS {
            tell(world, &[PIECES]).await;
            let sent = world.send(words(name, conversation, "go on")).await;
            drawn(world, name, 0, "The first words").await;
            world.tell("/model/go", json!({"pauses": 1})).await;
            drawn(world, name, 0, "the next ones").await;
            world.at_rest(&sent).await;
            assert_eq!(world.said(&sent).await, ["The first words of it,"], "{name}");
            let turn = world.store().turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
            assert_eq!((turn.answer.as_str(), turn.stopped), ("The first words of it,", true), "{name}");
            go(world).await;
        }
    });
}
