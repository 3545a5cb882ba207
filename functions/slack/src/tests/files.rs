//! Files on their way out.

use channel::{Address, Body, Channel, Media, Part, PostContext, Response, Settled, Step, Target, Way};
use serde_json::{Value, json};

use super::NOW;
use crate::Slack;

fn steps(caption: &str, plain: bool) -> Vec<Step> {
    let media = Media {
        url: "https://e.x/a.csv".into(),
        name: "a & b.csv".into(),
        media_type: "text/csv".into(),
        caption: caption.into(),
    };
    let to = Address { thread: Some("1795.1".into()), ..Address::of("slack", "main", "C0TEST") };
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
    Slack.post(&[Part::Media(media)], &to, &ctx).steps
}

#[test]
fn a_file_is_uploaded_and_shown_in_its_thread() {
    let steps = steps("", false);
    let [reserve, hand_over, share] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(reserve.repeatable && hand_over.repeatable && !share.repeatable);
    let Body::FormWithSecrets { fields, fill } = &reserve.body else { panic!("{reserve:?}") };
    assert_eq!(fields, &[("filename".to_owned(), "a & b.csv".to_owned())]);
    assert_eq!(fill, &[("length".to_owned(), "length".to_owned())]);
    let place = json!({"ok": true, "upload_url": "https://files.slack.com/upload/v1/x", "file_id": "F1"});
    let settled = Slack.settle(reserve, &Response::json(200, &place));
    assert_eq!(settled, Settled::Posted(Some("https://files.slack.com/upload/v1/x#F1".into())));
    assert_eq!((&hand_over.target, hand_over.upload().is_some()), (&Target::Answer, true));
    assert_eq!(Slack.settle(hand_over, &Response::text(200, "OK - 7")), Settled::Posted(None));
    let Body::JsonWithSecrets { value, fill } = &share.body else { panic!("{share:?}") };
    assert_eq!(
        value,
        &json!({"files": [{"id": "", "title": "a & b.csv"}], "channel_id": "C0TEST", "thread_ts": "1795.1"})
    );
    assert_eq!(fill, &[("/files/0/id".to_owned(), "earlier#".to_owned())]);
}

/// Whatever Slack refuses of it becomes a link, and nothing else of the answer is said again: as many steps.
#[test]
fn a_file_that_slack_does_not_take_is_a_link() {
    for caption in ["", "**this**", &"word ".repeat(6_000)] {
        let (rich, plain) = (steps(caption, false), steps(caption, true));
        assert_eq!(rich.len(), plain.len());
        let text = |step: &Step| match &step.body {
            Body::Json(body) => body["text"].as_str().unwrap_or_default().to_owned(),
            other => panic!("{other:?}"),
        };
        let said: String = plain.iter().map(text).collect();
        assert!(said.contains("https://e.x/a.csv"), "{said}");
        assert_eq!(said.matches("word").count(), caption.matches("word").count());
        assert_eq!(plain.iter().filter(|step| step.optional).count(), 2, "what only keeps the places");
    }
    let all = steps("", false);
    let [reserve, hand_over, share] = all.as_slice() else { panic!("{all:?}") };
    let error = |step: &Step, error: &str| {
        Slack.settle(step, &Response::json(200, &json!({"ok": false, "error": error})))
    };
    for refused in ["missing_scope", "file_uploads_disabled", "file_type_not_allowed", "file_not_found"] {
        assert_eq!(error(reserve, refused), Settled::Unformatted, "{refused}");
        assert_eq!(error(share, refused), Settled::Unformatted, "{refused}");
    }
    assert_eq!(error(reserve, "ratelimited"), Settled::Later(None));
    assert_eq!(error(share, "not_in_channel"), Settled::Gone);
    assert!(matches!(error(share, "token_revoked"), Settled::Broken(why) if why.contains("bot token")));
    assert_eq!(Slack.settle(reserve, &Response::json(200, &json!({"ok": true}))), Settled::Unformatted);
    assert_eq!(Slack.settle(hand_over, &Response::text(400, "no")), Settled::Unformatted);
    assert!(matches!(Slack.settle(hand_over, &Response::text(503, "")), Settled::Later(_)));
}
