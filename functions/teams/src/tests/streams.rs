//! Streams: what the service's answers to them mean, and how strictly the stand-in takes them.

use channel::local::{Local, Streams};
use channel::{Address, Channel, Headers, Request, Response, Settled};
use serde_json::{Value, json};

use crate::{Teams, stream};

#[test]
fn what_the_stream_does_not_take_becomes_an_edit() {
    let step = stream::finish(&Address::default(), "7", json!({"type": "message", "text": "so"}));
    let check = |status: u16, body: Value, expected: Settled| {
        assert_eq!(Teams.settle(&step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    let error = |code: &str, why: &str| json!({"error": {"code": code, "message": why}});
    let not_allowed = |why: &str| error("ContentStreamNotAllowed", why);
    check(202, json!({}), Settled::Posted(Some("7".into())));
    check(202, error("ContentStreamSequenceOrderPreConditionFailed", ""), Settled::Posted(Some("7".into())));
    check(403, not_allowed("Content stream finished due to exceeded streaming time."), Settled::Gone);
    check(403, not_allowed("Content stream is not allowed"), Settled::Gone);
    check(403, not_allowed("Content stream was canceled by user."), Settled::Stopped);
    check(403, not_allowed("Content stream was cancelled by user."), Settled::Stopped);
    check(400, error("BadRequest", ""), Settled::Gone);
    check(401, json!({}), Settled::Renew("bot".into()));
    check(429, json!({}), Settled::Later(None));
    check(503, json!({}), Settled::Later(None));
}

#[test]
fn the_stand_in_takes_a_stream_as_teams_does() {
    let mut streams = Streams::new();
    let mut call = |place: &str, activity: Value, expected: (u16, &str)| {
        let path = format!("/api/v3/conversations/{}/activities", channel::encode::segment(place));
        let headers: Headers = [("authorization", "Bearer t")].into_iter().collect();
        let answer = Teams.play(&Request::new("POST", &path, headers, activity.to_string()), &mut streams);
        let said = answer.said.first().map_or("", |said| said.text.as_str());
        assert_eq!((answer.response.status, said), expected, "{place} {activity}");
        answer.response.body_json()["id"].as_str().map(str::to_owned)
    };
    let typing = |id: Option<&str>, sequence: u64, text: &str| {
        let mut info = json!({"type": "streaminfo", "streamType": "streaming", "streamSequence": sequence});
        if let Some(id) = id {
            info["streamId"] = json!(id);
        }
        json!({"type": "typing", "text": text, "entities": [info]})
    };
    let last = |id: &str, text: &str| {
        let info = json!({"type": "streaminfo", "streamType": "final", "streamId": id});
        json!({"type": "message", "text": text, "entities": [info]})
    };
    call("19:group@thread.v2", typing(None, 1, "So"), (403, ""));
    call("a:ana", typing(None, 2, "So"), (400, ""));
    call("a:ana", typing(None, 1, ""), (400, ""));
    let id = call("a:ana", typing(None, 1, "So"), (201, "So")).unwrap();
    let id = id.as_str();
    call("a:ana", typing(None, 1, "Two at a time"), (403, ""));
    call("a:ana", typing(Some("9"), 2, "So far"), (400, ""));
    call("a:ana", typing(Some(id), 2, "So far"), (202, "So far"));
    call("a:ana", typing(Some(id), 2, "So far, so"), (202, ""));
    call("a:ana", typing(Some(id), 3, "Another"), (403, ""));
    call("a:ana", last(id, "Another"), (403, ""));
    call("a:ana", last(id, "So far, so good."), (202, "So far, so good."));
    call("a:ana", typing(Some(id), 4, "So far, so good. And"), (403, ""));
    call("a:ana", typing(None, 1, "Next"), (201, "Next"));
}
