//! Recorded requests, rendered replies and Slack's answers, each in its table.

mod files;
mod streams;

use std::path::PathBuf;

use channel::local::{Local, Message};
use channel::{
    Address, Channel, Context, Fetch, Headers, Home, Part, PostContext, Received, Reject, Request, Response,
    Secrets, Settled, Way,
};
use serde_json::{Value, json};

use crate::Slack;

const NOW: i64 = 1_795_000_002_000;

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/slack")
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(events().join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap();
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

fn secrets() -> Secrets {
    [("signing_secret".to_owned(), "s3cret".to_owned())].into_iter().collect()
}

fn receive(request: &Request, secrets: &Secrets, now: i64) -> Result<Received, Reject> {
    let context =
        Context { account: "main", secrets, settings: &Value::Null, keys: &Default::default(), now };
    Slack.receive(request, &context)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secrets: Secrets =
            serde_json::from_value::<std::collections::BTreeMap<String, String>>(vector["secrets"].clone())
                .unwrap()
                .into_iter()
                .collect();
        let now = vector["now"].as_i64().unwrap() * 1_000;
        let judged = receive(&request(&vector["request"]), &secrets, now);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn refuses_what_is_not_signed_and_never_breaks() {
    let request = request(&read("receive/dm.json")["request"]);
    let signed = Slack.sign(request.clone(), &secrets(), NOW);
    assert!(receive(&signed, &secrets(), NOW).is_ok());
    let changed: [fn(&mut Request); 6] = [
        |r| r.headers = Headers::default(),
        |r| r.headers.set("x-slack-signature", "v0=zz\u{e9}"),
        |r| r.headers.set("x-slack-signature", ""),
        |r| r.headers.set("x-slack-request-timestamp", "99999999999999999999"),
        |r| r.headers.set("x-slack-request-timestamp", "1794999999"),
        |r| r.body[10] ^= 1,
    ];
    for (index, change) in changed.into_iter().enumerate() {
        let mut request = signed.clone();
        change(&mut request);
        assert!(matches!(receive(&request, &secrets(), NOW), Err(Reject::Forged(_))), "{index}");
    }
    assert_eq!(receive(&signed, &Secrets::default(), NOW), Err(Reject::NotSetUp("signing_secret")));
    assert!(receive(&signed, &secrets(), NOW + 299_000).is_ok());
    assert!(receive(&signed, &secrets(), NOW + 301_000).is_err());
    assert!(receive(&signed, &secrets(), NOW - 301_000).is_err());
}

/// A recorded request, and what it comes to in one line: chat, thread, kind, home, text, files.
fn check_receive(case: &str, expected: &str) {
    let signed = Slack.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets(), NOW);
    let came_to = match receive(&signed, &secrets(), NOW).unwrap() {
        Received::Handshake(response) => format!("handshake {}", String::from_utf8_lossy(&response.body)),
        Received::Nothing(response, kind) => {
            assert_eq!(response.status, 200, "{case}");
            format!("nothing: {kind}")
        }
        Received::Events { ack, inbound, .. } => {
            assert_eq!((ack.status, ack.body.len(), inbound.len()), (200, 0, 1), "{case}");
            let m = &inbound[0];
            assert_eq!(
                (m.sender.lookup.is_some(), m.addressed),
                (m.sender.home == Home::Unknown, true),
                "{case}"
            );
            let thread = m.conversation.thread.as_deref().unwrap_or("-");
            let files: Vec<_> = m.attachments.iter().map(|file| file.fetch.id.as_str()).collect();
            let head = format!(
                "{} {thread} {:?} {} {:?}",
                m.conversation.chat, m.kind, m.sender.name, m.sender.home
            );
            format!("{head} {:?} {}", m.text(), files.join(",")).trim_end().to_owned()
        }
    };
    assert_eq!(came_to, expected, "{case}");
}

#[test]
fn reads_recorded_requests() {
    let mention = r#"C0TEST 1795000000.000100 Group U0USER Unknown "summarise this page (https://example.com/a), @Bob""#;
    let cases = [
        (
            "url-verification",
            r#"handshake {"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#,
        ),
        ("ssl-check", "handshake "),
        ("dm", r#"D0TEST - Dm U0USER Unknown "what is 2 < 3?""#),
        ("dm-thread", r#"D0TEST 1794999000.000200 Dm U0USER Unknown "and in here?""#),
        ("mention", mention),
        ("mention-retry", mention),
        ("mention-as-message", mention),
        ("mention-thread", r#"C0TEST 1794999000.000200 Group U0USER Unknown "Hey is that right?""#),
        ("mention-only", r#"C0TEST 1795000000.000100 Group U0USER Unknown "/help""#),
        ("reply-to-us", r#"G0TEST 1794999000.000200 Group U0USER Unknown "thanks, and tomorrow?""#),
        ("not-addressed", "nothing: not addressed"),
        (
            "file",
            r#"D0TEST - Dm U0USER Unknown "what is this?" https://files.slack.com/files-pri/T0TEST-F0TEST/download/a.png"#,
        ),
        (
            "file-large",
            r#"D0TEST - Dm U0USER Unknown "what is this?" https://files.slack.com/files-tmb/T0TEST-F0TEST-1a2b3c/a_1024.png"#,
        ),
        (
            "slack-connect",
            r#"C0TEST 1795000000.000100 Group Eve No "summarise this page (https://example.com/a), @Bob""#,
        ),
        ("grid", mention),
        ("edit", "nothing: edit"),
        ("own-message", "nothing: own message"),
        ("bot-message", "nothing: bot"),
        ("notice", "nothing: notice"),
        ("stop-button", r#"C0TEST 1795000000.000100 Group U0USER Unknown "/stop""#),
        ("unknown-event", "nothing: unknown event"),
        ("unknown-kind", "nothing: unknown kind"),
        ("not-json", "nothing: unknown body"),
        ("slash", r#"C0TEST - Group tess Unknown "how far is the moon?""#),
        ("slash-new", r#"C0TEST - Group tess Unknown "/new""#),
        ("slash-empty", r#"C0TEST - Group tess Unknown "/help""#),
        ("slash-named", r#"D0TEST - Dm tess Unknown "/stop""#),
        ("button", r#"C0TEST 1795000000.000100 Group tess Unknown "go on""#),
        (
            "shortcut",
            r#"C0TEST 1794990000.000100 Group tess Unknown "> The release slips\n> to & past Friday\n\nWhat can you tell me about this message?""#,
        ),
        ("view-submission", "nothing: view"),
        ("suggestion", "nothing: suggestion"),
    ];
    cases.iter().for_each(|(case, expected)| check_receive(case, expected));
    let recorded = std::fs::read_dir(events().join("receive")).unwrap();
    let recorded =
        recorded.filter(|file| !file.as_ref().unwrap().file_name().to_string_lossy().contains("golden"));
    assert_eq!(recorded.count(), cases.len(), "a recorded request without an expectation");
}

#[test]
fn one_message_that_comes_as_two_events_has_one_id() {
    let id = |case: &str| {
        let signed = Slack.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets(), NOW);
        let Ok(Received::Events { inbound, .. }) = receive(&signed, &secrets(), NOW) else {
            panic!("{case}")
        };
        (inbound[0].id.clone(), inbound[0].at)
    };
    assert_eq!(id("mention"), ("C0TEST:1795000000.000100".to_owned(), 1_795_000_000_000));
    assert_eq!(id("mention-retry"), id("mention"));
    assert_eq!(id("mention-as-message"), id("mention"));
}

fn post(text: &str, way: Way, plain: bool, data: Value) -> Vec<Value> {
    let to: Address = serde_json::from_value(json!({
        "channel": "slack", "account": "main", "chat": "C1", "thread": "1.2", "data": data,
    }))
    .unwrap();
    let ctx = PostContext { settings: &Value::Null, key: "k", way, plain, now: NOW };
    let post = Slack.post(&[Part::Text(text.to_owned())], &to, &ctx);
    post.steps.iter().map(|step| serde_json::to_value(step).unwrap()["body"]["json"].clone()).collect()
}

#[test]
fn renders_so_that_nobody_is_called() {
    let check = |markdown: &str, expected: &str| {
        assert_eq!(post(markdown, Way::Reply, false, json!({}))[0]["markdown_text"], expected, "{markdown}");
    };
    check("**a** <!channel>", "**a** \\<\u{200B}!channel>");
    check("&lt;@U0123> `<!here>` <#C0123|x>", "\\<\u{200B}@U0123> `<\u{200B}!here>` \\<\u{200B}#C0123|x>");
    check("`<!DOCTYPE html>` `List<@NonNull T>`", "`<!DOCTYPE html>` `List<@NonNull T>`");
    let plain = post("a <!channel> & b", Way::Reply, true, json!({}));
    assert_eq!(plain[0]["text"], "a &lt;!channel&gt; &amp; b");
    let pushed = post(
        &"word ".repeat(20_000),
        Way::Push,
        false,
        json!({ "response_url": "https://hooks.slack.com/x" }),
    );
    assert_eq!((pushed.len(), pushed[0]["thread_ts"].as_str()), (5, Some("1.2")));
}

#[test]
fn settles_what_slack_answers() {
    let steps = |plain| {
        let to = Address { chat: "C1".into(), ..Address::default() };
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
        Slack.post(&[Part::Text("hi".into())], &to, &ctx).steps
    };
    let check = |plain: bool, status: u16, body: Value, expected: Settled| {
        let mut response = Response::json(status, &body);
        response.headers.set("retry-after", "7");
        assert_eq!(Slack.settle(&steps(plain)[0], &response), expected, "{status} {body}");
    };
    let later = Settled::Later(Some(std::time::Duration::from_secs(7)));
    let no = |error: &str| json!({ "ok": false, "error": error });
    check(false, 200, json!({ "ok": true, "ts": "1.2" }), Settled::Posted(Some("1.2".into())));
    check(false, 429, no("ratelimited"), later.clone());
    check(false, 200, no("ratelimited"), later.clone());
    check(false, 503, Value::Null, later);
    check(false, 200, no("not_in_channel"), Settled::Gone);
    check(false, 200, no("message_not_found"), Settled::Gone);
    check(false, 200, no("msg_too_long"), Settled::Unformatted);
    check(true, 200, no("msg_too_long"), Settled::Broken("msg_too_long".into()));
    check(false, 200, no("is_archived"), Settled::Broken("is_archived".into()));
    check(false, 200, no("duplicate_message_not_found"), Settled::Posted(None));
    check(false, 200, Value::Null, Settled::Broken("no JSON".into()));
    // By it a repetition may be known: the same for the same part, another for the next.
    let id = |body: &channel::Body| match body {
        channel::Body::Json(body) => body["client_msg_id"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let (markdown, plain) = (id(&steps(false)[0].body), id(&steps(true)[0].body));
    assert_eq!(markdown, plain);
    let groups: Vec<usize> = markdown.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{markdown}");
}

#[test]
fn asks_who_somebody_is() {
    let check = |user: Value, expected: Home| {
        let what = Fetch { account: "main".into(), id: "user:U1:T1".into() };
        let step = &Slack.fetch(&what).steps[0];
        let settled = Slack.settle(step, &Response::json(200, &json!({ "ok": true, "user": user })));
        assert_eq!(settled, Settled::Person(expected), "{user}");
    };
    check(json!({ "team_id": "T1" }), Home::Yes);
    check(json!({ "team_id": "T1", "is_restricted": true }), Home::No);
    check(json!({ "team_id": "T1", "is_stranger": true }), Home::No);
    check(json!({ "team_id": "T2" }), Home::No);
    check(json!({ "team_id": "T2", "enterprise_user": { "teams": ["T3", "T1"] } }), Home::Yes);
}

#[test]
fn plays_its_own_platform() {
    for (conversation, text) in [(None, "/help"), (Some("general"), "a < b & \"c\" 👋")] {
        let secrets = secrets();
        let message = Message {
            url: "https://x.example/",
            account: "main",
            text,
            user: "alice",
            conversation,
            id: "m1",
            secrets: &secrets,
            platform: "http://127.0.0.1:1",
            now: NOW,
        };
        let event = Slack.event(&message);
        let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets, NOW) else { panic!() };
        assert_eq!(inbound[0].text(), text);
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
        let step = &Slack.post(&[Part::Text("hi".into())], &inbound[0].address, &ctx).steps[0];
        let body = serde_json::to_value(step).unwrap()["body"]["json"].to_string();
        let call = Request::new("POST", "/api/chat.postMessage", Headers::default(), body);
        let answer = Slack.answer(&call);
        assert_eq!(answer.said[0].clone().reply_key, event.reply_key);
        assert!(matches!(Slack.settle(step, &answer.response), Settled::Posted(Some(_))));
    }
}
