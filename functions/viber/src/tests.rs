//! Recorded requests, rendered replies and Viber's answers, each in its table.

use channel::local::recorded::{self, NOW, body, named, request};
use channel::local::{Local, Message};
use channel::{
    Address, Auth, Channel, Choice, Connect, Fetch, Inbound, Kind, Part, Received, Reject, Request, Response,
    Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Viber;

fn read(path: &str) -> Value {
    recorded::read("viber", path)
}

fn secrets(token: &str) -> Secrets {
    named(&json!({"auth_token": token}))
}

fn receive(request: &Request, secrets: &Secrets) -> Result<Received, Reject> {
    recorded::receive(&Viber, request, secrets, &Value::Null)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secrets = secrets(vector["secrets"]["auth_token"].as_str().unwrap());
        let mut request = request(&vector["request"]);
        let valid = vector["expected"]["valid"].as_bool().unwrap();
        assert_eq!(receive(&request, &secrets).is_ok(), valid, "{}", vector["name"]);
        let upper = request.headers.get("x-viber-content-signature").unwrap().to_uppercase();
        request.headers.set("x-viber-content-signature", upper);
        assert!(receive(&request, &secrets).is_err(), "{}: lower case only", vector["name"]);
    }
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    assert_eq!(receive(&unsigned, &secrets("t")), Err(Reject::Forged("no signature")));
    assert_eq!(receive(&unsigned, &Secrets::default()), Err(Reject::NotSetUp("auth_token")));
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Inbound, String> {
    match recorded::received(&Viber, case, &secrets("t")) {
        Received::Handshake(answer) => Err(format!("handshake {}", answer.status)),
        Received::Nothing(ack, kind) => {
            assert_eq!(ack.status, 200, "{case}");
            Err(kind.into())
        }
        Received::Events { mut inbound, .. } => Ok(inbound.remove(0)),
    }
}

#[test]
fn reads_recorded_requests() {
    for (case, text, file) in [
        ("dm_text", "Qual é a capital? 👋", None),
        ("dm_command", "/new", None),
        ("keyboard", "Yes, please", None),
        ("dm_picture", "what is this?", Some(("cat.jpg", Some(51_234)))),
        ("dm_file", "", Some(("report.pdf", Some(2_138)))),
        ("dm_video", "", Some(("video.mp4", Some(99)))),
        ("dm_sticker", "[sticker: 46105]", None),
        ("dm_contact", "[contact: Bob, +351911234567]", None),
        ("dm_location", "[location: 37.7898, -122.3942]", None),
        ("dm_url", "look\nhttps://example.com/page", None),
    ] {
        let inbound = came_to(case).unwrap();
        let attached = inbound.attachments.first().map(|file| (file.name.as_str(), file.size));
        assert_eq!((inbound.text(), inbound.kind, attached), (text, Kind::Dm, file), "{case}");
        let about = (inbound.id.as_str(), inbound.sender.name.as_str(), inbound.at);
        assert_eq!(about, ("5741311803571721087", "Ana", 1_795_000_000_000), "{case}");
    }
    for (case, kind) in [
        ("webhook", "handshake 200"),
        ("conversation_started", "conversation started"),
        ("subscribed", "membership"),
        ("unsubscribed", "membership"),
        ("seen", "receipt"),
        ("failed", "failed delivery"),
        ("empty", "empty"),
        ("unknown", "unknown message"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_file_is_fetched_without_the_token() {
    let file = came_to("dm_file").unwrap().attachments.remove(0);
    let step = Viber.fetch(&file.fetch).steps.remove(0);
    let url = "https://dl-media.viber.com/5/media/2/short/any/x.pdf";
    assert_eq!((&step.target, &step.auth), (&Target::Url(url.into()), &Auth::None));
    assert_eq!(Viber.settle(&step, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    assert_eq!(Viber.settle(&step, &Response::empty(404)), Settled::Gone);
}

fn steps(part: Part) -> Vec<Step> {
    let to = Address { chat: "A=".into(), ..Address::default() };
    let ctx = recorded::context(Way::Reply, &Value::Null);
    Viber.post(&[part], &to, &ctx).steps
}

#[test]
fn the_largest_message_keeps_within_30_kb() {
    let choice = |n: usize| Choice { label: "é".repeat(150), says: format!("{n}{}", "é".repeat(10)) };
    for text in ["語".repeat(6_990), "👋".repeat(3_490), "a\n\n".repeat(2_300)] {
        let buttons = Part::Buttons { text, choices: (0..12).map(choice).collect() };
        for step in steps(buttons) {
            let bytes = body(&step).to_string().len();
            assert!(bytes < 30_000, "{bytes}");
        }
    }
    let long = Choice { label: "é".repeat(2_001), says: "x".into() };
    let numbered = steps(Part::Buttons { text: "Which?".into(), choices: vec![long] });
    assert!(body(&numbered[0]).get("keyboard").is_none());
}

#[test]
fn answers_of_viber_are_understood() {
    let post = steps(Part::Text("hi".into())).remove(0);
    let check = |body: Value, expected: Settled| {
        assert_eq!(Viber.settle(&post, &Response::json(200, &body)), expected, "{body}");
    };
    check(
        json!({"status": 0, "message_token": 5_741_311_803_571_721_087_u64}),
        Settled::Posted(Some("5741311803571721087".into())),
    );
    check(json!({"status": 12, "status_message": "Too many requests"}), Settled::Later(None));
    check(json!({"status": 3, "status_message": "badData"}), Settled::Broken("3: badData".into()));
    check(json!({}), Settled::Broken("an answer without a status".into()));
    for (status, part) in [(2, "auth_token"), (5, "person"), (6, "person")] {
        let settled = Viber.settle(&post, &Response::json(200, &json!({"status": status})));
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(part)), "{settled:?}");
    }
    assert_eq!(Viber.settle(&post, &Response::empty(503)), Settled::Later(None));
}

#[test]
fn connecting_asks_for_messages_only() {
    let Connect::Call(connect, _) = crate::spec::SPEC.connect else { panic!("by calls") };
    let step = connect(&registration("https://x.example/", &Value::Null)).remove(0);
    assert_eq!(body(&step)["url"], "https://x.example/");
    assert!(!body(&step)["event_types"].to_string().contains("seen"));
    let answer = Viber.answer(&call(&step, "t"));
    assert!(matches!(Viber.settle(&step, &answer.response), Settled::Posted(_)));
}

/// The call as Viber gets it.
fn call(step: &Step, token: &str) -> Request {
    let Target::Base { base, path } = &step.target else { panic!("a base") };
    let mut headers = step.headers.clone();
    headers.set("x-viber-auth-token", token);
    Request::new("POST", &format!("/{base}{path}"), headers, body(step).to_string())
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    let secrets = secrets("t");
    let message = Message {
        url: "https://x.example/",
        account: "main",
        text: "hi",
        user: "ana",
        conversation: None,
        id: "7",
        secrets: &secrets,
        platform: "http://127.0.0.1:1",
        now: NOW,
    };
    let event = Viber.event(&message);
    let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets) else { panic!("taken") };
    assert_eq!(inbound[0].text(), "hi");
    let ctx = recorded::context(Way::Reply, &Value::Null);
    let step = Viber.post(&[Part::Text("**yes**".into())], &inbound[0].address, &ctx).steps.remove(0);
    let answer = Viber.answer(&call(&step, "t"));
    assert!(matches!(Viber.settle(&step, &answer.response), Settled::Posted(Some(_))));
    assert_eq!((&answer.said[0].reply_key, answer.said[0].text.as_str()), (&event.reply_key, "*yes*"));
    let refused = Viber.answer(&call(&step, ""));
    assert!(refused.said.is_empty());
    assert!(
        matches!(Viber.settle(&step, &refused.response), Settled::Broken(why) if why.contains("auth_token"))
    );
    let elsewhere = Fetch { account: "main".into(), id: "https://example.com/x".into() };
    assert_eq!(Viber.fetch(&elsewhere).steps[0].auth, Auth::None);
}

fn registration<'a>(url: &'a str, settings: &'a Value) -> channel::Registration<'a> {
    channel::Registration { url, settings, commands: &[] }
}
