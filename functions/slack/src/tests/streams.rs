//! Streams: what Slack's answers to them mean, and how strictly the stand-in takes them.

use std::time::Duration;

use channel::local::{Local, Streams};
use channel::{Address, Channel, Headers, Request, Response, Settled};
use serde_json::{Value, json};

use crate::{Slack, stream};

fn to() -> Address {
    Address { chat: "C1".into(), thread: Some("1.1".into()), ..Address::default() }
}

#[test]
fn what_the_stream_does_not_take_becomes_an_edit() {
    let (finish, end) = (stream::finish(&to(), "1.2", "the rest", None), stream::end(&to(), "1.2"));
    let check = |error: &str, of_finish: Settled, of_end: Settled| {
        let response = Response::json(200, &json!({ "ok": false, "error": error }));
        assert_eq!(Slack.settle(&finish, &response), of_finish, "{error}");
        assert_eq!(Slack.settle(&end, &response), of_end, "{error}");
    };
    let over = || Settled::Posted(Some("1.2".into()));
    check("message_not_in_streaming_state", Settled::Gone, over());
    check("stopped_by_user", Settled::Stopped, over());
    for error in ["msg_too_long", "streaming_mode_mismatch", "invalid_blocks", "channel_type_not_supported"] {
        check(error, Settled::Gone, Settled::Gone);
    }
    check("ratelimited", Settled::Later(None), Settled::Later(None));
    check("internal_error", Settled::Later(None), Settled::Later(None));
    let response = Response::json(200, &json!({ "ok": false, "error": "token_revoked" }));
    assert!(matches!(Slack.settle(&finish, &response), Settled::Broken(why) if why.contains("Reinstall")));
    let update = channel::Step::json("api", "/chat.update", json!({ "ts": "1.2", "markdown_text": "x" }));
    let response = Response::json(200, &json!({ "ok": false, "error": "streaming_state_conflict" }));
    assert_eq!(Slack.settle(&update, &response), Settled::Later(Some(Duration::from_secs(1))));
}

/// A call of the method: its error, or all that the message says then.
fn play(streams: &mut Streams, method: &str, body: &Value) -> Result<(String, String), String> {
    let request = Request::new("POST", &format!("/api/{method}"), Headers::default(), body.to_string());
    let answer = Slack.play(&request, streams);
    let says = answer.response.body_json();
    match says["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok((says["ts"].as_str().unwrap().to_owned(), answer.said[0].text.clone())),
    }
}

#[test]
fn the_stand_in_takes_a_stream_as_slack_does() {
    let mut streams = Streams::new();
    let begin = json!({
        "channel": "C1", "thread_ts": "1.1", "markdown_text": "So",
        "recipient_user_id": "U1", "recipient_team_id": "T1",
    });
    for lacks in ["thread_ts", "recipient_user_id", "recipient_team_id"] {
        let mut begin = begin.clone();
        begin.as_object_mut().unwrap().remove(lacks);
        assert!(play(&mut streams, "chat.startStream", &begin).is_err(), "without {lacks}");
    }
    let (ts, _) = play(&mut streams, "chat.startStream", &begin).unwrap();
    let mut call = |method: &str, ts: &str, more: &str, expected: Result<&str, &str>| {
        let body = json!({ "channel": "C1", "ts": ts, "markdown_text": more });
        let says = play(&mut streams, method, &body).map(|(_, text)| text);
        assert_eq!(says.as_deref().map_err(String::as_str), expected, "{method} {ts} {more:.10}");
    };
    call("chat.appendStream", "9.9", " far", Err("message_not_in_streaming_state"));
    call("chat.appendStream", &ts, " far", Ok("So far"));
    call("chat.appendStream", &ts, "", Err("no_text"));
    call("chat.appendStream", &ts, &"x".repeat(12_000), Err("msg_too_long"));
    call("chat.update", &ts, "Another", Err("streaming_state_conflict"));
    call("chat.stopStream", &ts, ", so good", Ok("So far, so good"));
    call("chat.stopStream", &ts, ", so good", Err("message_not_in_streaming_state"));
    call("chat.appendStream", &ts, "!", Err("message_not_in_streaming_state"));
    call("chat.update", &ts, "Another", Ok("Another"));
}
