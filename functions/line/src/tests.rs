//! Recorded requests, rendered replies and LINE's answers, each in its table.

use channel::local::recorded::{self, NOW, named, request};
use channel::local::{Local, Message};
use channel::{
    Body, Channel, Fetch, Inbound, Kind, Part, Received, Reject, Request, Response, Secrets, Settled, Step,
    Way,
};
use serde_json::{Value, json};

use crate::Line;

fn read(path: &str) -> Value {
    recorded::read("line", path)
}

fn secrets() -> Secrets {
    named(&json!({"channel_secret": "s3cret"}))
}

fn receive(request: &Request, secrets: &Secrets) -> Result<Received, Reject> {
    recorded::receive(&Line, request, secrets, &Value::Null)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secret = vector["secrets"]["channel_secret"].as_str().unwrap();
        let secrets = named(&json!({"channel_secret": secret}));
        let judged = receive(&request(&vector["request"]), &secrets);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    assert_eq!(receive(&unsigned, &secrets()), Err(Reject::Forged("no signature")));
    assert_eq!(receive(&unsigned, &Secrets::default()), Err(Reject::NotSetUp("channel_secret")));
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Vec<Inbound>, String> {
    recorded::came_to(&Line, case, &secrets()).map_err(Into::into)
}

#[test]
fn reads_recorded_requests() {
    for (case, text, kind, addressed) in [
        ("dm_text", "Qual é a capital? 👋", Kind::Dm, true),
        ("postback", "/status", Kind::Dm, true),
        ("dm_sticker", "[sticker: cony, happy]", Kind::Dm, true),
        ("dm_external_image", "[file: https://example.com/original.jpg]", Kind::Dm, true),
        ("group_mention", "👋  what is this?", Kind::Group, true),
        ("group_command", "/allow", Kind::Group, true),
        ("group_chatter", "hi @bob", Kind::Group, false),
        ("room_unnamed", "/help", Kind::Group, true),
    ] {
        let inbound = came_to(case).unwrap().remove(0);
        assert_eq!((inbound.text(), inbound.kind, inbound.addressed), (text, kind, addressed), "{case}");
    }
    assert_eq!(came_to("several").unwrap().len(), 2);
    for (case, kind) in [
        ("verify", "handshake"),
        ("follow", "membership"),
        ("standby", "standby"),
        ("unsend", "unsent"),
        ("unknown", "unknown message"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_reply_token_counts_for_a_minute_and_never_twice() {
    let open = |case: &str, at: i64| came_to(case).unwrap().remove(0).address.window.unwrap().is_open(at);
    assert!(open("dm_text", NOW) && !open("dm_text", NOW + 49_000));
    assert!(!open("dm_redelivered", NOW));
    let to = came_to("dm_text").unwrap().remove(0).address;
    let long = [Part::Text("word ".repeat(8_000))];
    let steps = |way| {
        let ctx = recorded::context(way, &Value::Null);
        Line.post(&long, &to, &ctx).steps
    };
    let paths = |steps: &[Step]| steps.iter().map(|step| format!("{:?}", step.target)).collect::<Vec<_>>();
    let (reply, push) = (steps(Way::Reply), steps(Way::Push));
    // As many steps in both ways, so that a reply refused midway goes on as a push.
    assert_eq!(reply.len(), push.len());
    assert!(paths(&reply)[0].contains("/reply") && paths(&reply)[1].contains("/push"));
    assert!(paths(&push).iter().all(|path| path.contains("/push")));
    let keys: Vec<_> = push.iter().map(|step| step.headers.get("x-line-retry-key").unwrap()).collect();
    assert_ne!(keys[0], keys[1]);
    assert_eq!(
        keys,
        steps(Way::Push).iter().map(|s| s.headers.get("x-line-retry-key").unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn answers_of_line_are_understood() {
    let post = Step::json("api", "/v2/bot/message/push", json!({}));
    let check = |status: u16, body: Value, expected: Settled| {
        assert_eq!(Line.settle(&post, &Response::json(status, &body)), expected, "{status} {body}");
    };
    check(
        200,
        json!({"sentMessages": [{"id": "461230966842064897"}]}),
        Settled::Posted(Some("461230966842064897".into())),
    );
    check(409, json!({"message": "The retry key is already accepted"}), Settled::Posted(None));
    check(400, json!({"message": "Invalid reply token"}), Settled::Gone);
    check(
        400,
        json!({"message": "The property, 'to', is invalid"}),
        Settled::Broken("The property, 'to', is invalid".into()),
    );
    check(429, json!({"message": "The API rate limit has been exceeded"}), Settled::Later(None));
    check(500, json!({}), Settled::Later(None));
    let limit =
        Line.settle(&post, &Response::json(429, &json!({"message": "You have reached your monthly limit."})));
    assert!(matches!(limit, Settled::Broken(why) if why.contains("this month")));
    let get = Line.fetch(&Fetch { account: "main".into(), id: "1/../2".into() }).steps.remove(0);
    assert!(format!("{:?}", get.target).contains("/1%2F..%2F2/content"), "{:?}", get.target);
    assert_eq!(Line.settle(&get, &Response::empty(202)), Settled::Later(None));
    assert_eq!(Line.settle(&get, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for conversation in [None, Some("team")] {
        let secrets = secrets();
        let message = Message {
            url: "https://x.example/",
            account: "main",
            text: "hi",
            user: "ana",
            conversation,
            id: "7",
            secrets: &secrets,
            platform: "http://127.0.0.1:1",
            now: NOW,
        };
        let event = Line.event(&message);
        let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets) else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].addressed), ("hi", true));
        for way in [Way::Reply, Way::Push] {
            let ctx = recorded::context(way, &Value::Null);
            let step = Line.post(&[Part::Text("**yes**".into())], &inbound[0].address, &ctx).steps.remove(0);
            let (channel::Target::Base { base, path }, Body::Json(body)) = (&step.target, &step.body) else {
                panic!()
            };
            let call =
                Request::new("POST", &format!("/{base}{path}"), step.headers.clone(), body.to_string());
            let answer = Line.answer(&call);
            assert!(matches!(Line.settle(&step, &answer.response), Settled::Posted(Some(_))));
            assert_eq!(
                (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
                (event.reply_key.as_str(), "yes")
            );
        }
    }
}
