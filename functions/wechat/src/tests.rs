//! Recorded requests, rendered replies and WeChat's answers, each in its table.

use channel::local::recorded::{self, NOW, named, request};
use channel::local::{Local, Message};
use channel::{
    Address, Body, Channel, Headers, Inbound, Kind, Part, PostContext, Received, Reject, Request, Response,
    Secrets, Settled, Step, Target, Way, tencent,
};
use serde_json::{Value, json};

use crate::{WeChat, spec};

const RECEIVER: &str = "wx1";

fn read(path: &str) -> Value {
    recorded::read("wechat", path)
}

fn secrets() -> Secrets {
    named(&json!({"token": "T0ken", "encoding_aes_key": KEY, "receive_id": RECEIVER}))
}

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&WeChat, request, secrets, settings)
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    recorded::came_to(&WeChat, case, &secrets()).map(|mut inbound| inbound.remove(0))
}

fn steps(parts: &[Part], to: &Address) -> Vec<Step> {
    let ctx = recorded::context(Way::Reply, &Value::Null);
    WeChat.post(parts, to, &ctx).steps
}

fn path(step: &Step) -> &str {
    let Target::Base { path, .. } = &step.target else { panic!("{step:?}") };
    path
}

fn check(step: &Step, status: u16, body: Value, expected: Settled) {
    assert_eq!(WeChat.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
}

fn advised(step: &Step, code: i64, says: &str) {
    let settled = WeChat.settle(step, &Response::json(200, &json!({"errcode": code, "errmsg": "x"})));
    assert!(matches!(&settled, Settled::Broken(why) if why.contains(says)), "{settled:?}");
}

fn picture() -> Part {
    let url = "https://example.com/a.png".to_owned();
    let (name, media_type) = ("a.png".to_owned(), "image/png".to_owned());
    Part::Media(channel::Media { url, name, media_type, caption: String::new() })
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let (secrets, expected) = (named(&vector["secrets"]), &vector["expected"]);
        if vector["request"]["method"] == "RESPONSE" {
            answers_as_documented(&secrets, expected);
            continue;
        }
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), expected["valid"].as_bool().unwrap(), "{}", vector["name"]);
        if let Some(body) = expected["response_body"].as_str() {
            let Ok(Received::Handshake(answer)) = judged else { panic!("{}", vector["name"]) };
            assert_eq!((answer.status, String::from_utf8(answer.body).unwrap().as_str()), (200, body));
        }
    }
}

/// The platform's own example of an answer in secure mode: none of ours is one, but the envelope is the same.
fn answers_as_documented(secrets: &Secrets, expected: &Value) {
    let secret = |name: &str| secrets.get(name).unwrap();
    let random = secret("random16").as_bytes().try_into().unwrap();
    let plain = expected["plaintext"].as_str().unwrap().as_bytes();
    let sealed = tencent::encrypt(secret("encoding_aes_key"), random, plain, secret("receive_id")).unwrap();
    assert_eq!(sealed, expected["encrypt"].as_str().unwrap());
    let parts = [secret("token"), secret("timestamp"), secret("nonce"), &sealed];
    assert_eq!(tencent::signature(&parts), expected["signature"].as_str().unwrap());
}

#[test]
fn nothing_plain_is_taken_where_a_key_is_set() {
    let event = request(&read("receive/text.json")["request"]);
    let plain = named(&json!({"token": "T0ken"}));
    let (open, sealed) =
        (WeChat.sign(event.clone(), &plain, NOW), WeChat.sign(event.clone(), &secrets(), NOW));
    let judged = |request: &Request, secrets: &Secrets| receive(request, secrets, &Value::Null).map(drop);
    assert_eq!(judged(&open, &plain), Ok(()));
    assert_eq!(judged(&sealed, &secrets()), Ok(()));
    assert_eq!(judged(&open, &secrets()), Err(Reject::Forged("not encrypted")));
    assert_eq!(judged(&sealed, &plain), Err(Reject::NotSetUp("encoding_aes_key")));
    assert_eq!(judged(&open, &Secrets::default()), Err(Reject::NotSetUp("token")));
    let other = named(&json!({"token": "T0ken", "encoding_aes_key": KEY, "receive_id": "wx2"}));
    assert_eq!(judged(&sealed, &other), Err(Reject::Forged("meant for another receiver")));
    let settings = json!({"max_age_s": 60});
    let old = WeChat.sign(event, &secrets(), NOW - 90_000);
    assert_eq!(receive(&old, &secrets(), &settings), Err(Reject::Forged("too old")));
    assert!(receive(&sealed, &secrets(), &settings).is_ok());
}

#[test]
fn reads_recorded_requests() {
    for (case, text, uses) in [
        ("text", "Qual é a capital? 👋", 5),
        ("command", "/new", 5),
        ("json", "hello", 5),
        ("menu_answer", "Yes, please", 5),
        ("voice", "hello there", 5),
        ("location", "[location: Guangzhou, 23.134521, 113.358803]", 5),
        ("link", "WeChat https://example.com", 5),
        ("click", "/status", 3),
    ] {
        let inbound = came_to(case).unwrap();
        let got = (inbound.text(), inbound.kind, inbound.address.window.unwrap().uses);
        assert_eq!(got, (text, Kind::Dm, Some(uses)), "{case}");
    }
    assert_eq!(
        (came_to("text").unwrap().id, came_to("json").unwrap().id),
        ("23234567890123456".into(), "23234567890123456".into())
    );
    for case in ["image", "voice", "video"] {
        let inbound = came_to(case).unwrap();
        let step = WeChat.fetch(&inbound.attachments[0].fetch).steps.remove(0);
        assert!(path(&step).starts_with("/cgi-bin/media/get?access_token={token:access}&media_id=MEDIA_"));
    }
    for (case, kind) in [
        ("verify", "handshake"),
        ("follow", "membership"),
        ("view", "sign"),
        ("template_sent", "unknown event"),
        ("unknown", "unknown message"),
        ("not_xml", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn an_answer_has_as_many_messages_as_are_allowed() {
    let long = [Part::Typing, Part::Text("word ".repeat(9_000)), picture()];
    for (case, messages) in [("text", 5), ("click", 3)] {
        let said = steps(&long, &came_to(case).unwrap().address);
        let said: Vec<&Step> = said.iter().filter(|step| !step.optional).collect();
        let Body::Json(last) = &said[messages - 1].body else { panic!() };
        let last = last["text"]["content"].as_str().unwrap();
        assert_eq!(
            (said.len(), last.ends_with("… [cut]"), last.len() <= 2_000),
            (messages, true, true),
            "{case}"
        );
    }
    let few = steps(&[Part::Text("one".into()), picture()], &came_to("text").unwrap().address);
    assert_eq!(
        few.iter().map(|step| path(step).split('?').next().unwrap()).collect::<Vec<_>>(),
        ["/cgi-bin/message/custom/send", "/cgi-bin/media/upload", "/cgi-bin/message/custom/send"]
    );
    assert!(matches!(&few[2].body, Body::JsonWithSecrets { fill, .. } if fill[0].0 == "/image/media_id"));
}

#[test]
fn answers_of_wechat_are_understood() {
    let to = came_to("text").unwrap().address;
    let post = steps(&[Part::Text("yes".into())], &to).remove(0);
    let mint = (spec::SPEC.tokens[0].mint)(&Value::Null);
    let get = WeChat.fetch(&came_to("image").unwrap().attachments[0].fetch).steps.remove(0);
    let upload = steps(&[picture()], &to).remove(0);
    let choice = channel::Choice { label: "No".into(), says: "No".into() };
    let menu = steps(&[Part::Buttons { text: "Go on?".into(), choices: vec![choice] }], &to).remove(0);
    check(&post, 200, json!({"errcode": 0, "errmsg": "ok"}), Settled::Posted(None));
    check(&post, 200, json!({"errcode": 40_001}), Settled::Renew("access".into()));
    check(&post, 200, json!({"errcode": -1}), Settled::Later(None));
    check(
        &post,
        200,
        json!({"errcode": 45_002, "errmsg": "content size out of limit rid: 1"}),
        Settled::Broken("45002: content size out of limit".into()),
    );
    advised(&post, 45_015, "48 hours");
    advised(&post, 45_047, "write again");
    advised(&post, 48_001, "verified");
    advised(&post, 40_164, "allow list");
    advised(&mint, 40_164, "allow list");
    advised(&mint, 40_125, "app_secret");
    check(&menu, 200, json!({"errcode": 40_200}), Settled::Unformatted);
    check(&upload, 200, json!({"type": "image", "media_id": "M"}), Settled::Posted(Some("M".into())));
    check(&upload, 200, json!({"errcode": 40_009, "errmsg": "invalid image size"}), Settled::Unformatted);
    assert_eq!(WeChat.settle(&get, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    check(
        &get,
        200,
        json!({"errcode": 40_007, "errmsg": "invalid media_id"}),
        Settled::Broken("40007: invalid media_id".into()),
    );
}

#[test]
fn links_keep_the_places_of_files() {
    let mut picture = picture();
    if let Part::Media(media) = &mut picture {
        media.caption = "here".to_owned();
    }
    let parts = [picture.clone(), picture, Part::Text("done".into())];
    let to = Address { chat: "o1".into(), ..Address::default() };
    let count = |plain| {
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
        WeChat.post(&parts, &to, &ctx).steps.len()
    };
    assert_eq!((count(false), count(true)), (7, 7));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    let secrets = secrets();
    let message = Message {
        url: "https://x.example/",
        account: "main",
        text: "a < b",
        user: "ana",
        conversation: None,
        id: "7",
        secrets: &secrets,
        platform: "http://127.0.0.1:1",
        now: NOW,
    };
    let event = WeChat.event(&message);
    let received = receive(&event.request, &secrets, &Value::Null);
    let Ok(Received::Events { inbound, ack, .. }) = received else { panic!("taken") };
    assert_eq!((inbound[0].text(), ack.body.as_slice()), ("a < b", b"success".as_slice()));
    let step = steps(&[Part::Text("**yes**".into())], &inbound[0].address).remove(0);
    let Body::Json(body) = &step.body else { panic!() };
    let url = format!("/api{}", path(&step));
    let answer = WeChat.answer(&Request::new("POST", &url, Headers::default(), body.to_string()));
    assert_eq!(WeChat.settle(&step, &answer.response), Settled::Posted(None));
    assert_eq!(
        (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
        (event.reply_key.as_str(), "yes")
    );
}
