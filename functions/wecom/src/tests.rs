//! Recorded requests, rendered replies and WeCom's answers, each in its table.

use channel::local::recorded::{self, NOW, named, request};
use channel::local::{Local, Message};
use channel::{
    Address, Body, Channel, Headers, Home, Inbound, Kind, Part, PostContext, Received, Reject, Request,
    Response, Secrets, Settled, Step, Target, Way, tencent,
};
use serde_json::{Value, json};

use crate::{WeCom, spec};

const RECEIVER: &str = "ww1";

fn read(path: &str) -> Value {
    recorded::read("wecom", path)
}

fn secrets() -> Secrets {
    named(&json!({"token": "T0ken", "encoding_aes_key": KEY, "receive_id": RECEIVER}))
}

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&WeCom, request, secrets, settings)
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    recorded::came_to(&WeCom, case, &secrets()).map(|mut inbound| inbound.remove(0))
}

fn steps(parts: &[Part], to: &Address) -> Vec<Step> {
    let ctx = recorded::context(Way::Reply, &Value::Null);
    WeCom.post(parts, to, &ctx).steps
}

fn path(step: &Step) -> &str {
    let Target::Base { path, .. } = &step.target else { panic!("{step:?}") };
    path
}

fn check(step: &Step, status: u16, body: Value, expected: Settled) {
    assert_eq!(WeCom.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
}

fn advised(step: &Step, code: i64, says: &str) {
    let settled = WeCom.settle(step, &Response::json(200, &json!({"errcode": code, "errmsg": "x"})));
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
        if let Some(plain) = expected["plaintext"].as_str() {
            let request = request(&vector["request"]);
            let sealed = crate::verify::encrypted(&request).unwrap();
            let (message, _) = tencent::decrypt(secrets.get("encoding_aes_key").unwrap(), &sealed).unwrap();
            assert_eq!(String::from_utf8(message).unwrap(), plain, "{}", vector["name"]);
        }
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), expected["valid"].as_bool().unwrap(), "{}", vector["name"]);
        if let Some(body) = expected["response_body"].as_str() {
            let Ok(Received::Handshake(answer)) = judged else { panic!("{}", vector["name"]) };
            assert_eq!((answer.status, String::from_utf8(answer.body).unwrap().as_str()), (200, body));
        }
    }
}

#[test]
fn only_the_receiver_that_is_set_is_taken_and_nobody() {
    let event = request(&read("receive/app_text.json")["request"]);
    let judged = |sealed_for: &str, ours: Value| {
        let mut sealing = secrets();
        sealing.insert("receive_id", sealed_for.to_owned());
        receive(&WeCom.sign(event.clone(), &sealing, NOW), &named(&ours), &Value::Null).map(drop)
    };
    let of = |id: &str| json!({"token": "T0ken", "encoding_aes_key": KEY, "receive_id": id});
    assert_eq!(judged("ww1", of("ww1")), Ok(()));
    assert_eq!(judged("", of("")), Ok(()));
    assert_eq!(judged("ww2", of("ww1")), Err(Reject::Forged("meant for another receiver")));
    assert_eq!(judged("ww1", of("")), Err(Reject::NotSetUp("receive_id")));
    assert_eq!(judged("ww1", json!({"token": "T0ken"})), Err(Reject::NotSetUp("encoding_aes_key")));
    assert_eq!(judged("ww1", json!({})), Err(Reject::NotSetUp("token")));
    let bare = Request::new("GET", "/", Headers::default(), "");
    assert_eq!(receive(&bare, &secrets(), &Value::Null), Err(Reject::Forged("nothing encrypted")));
}

#[test]
fn old_requests_are_refused_where_that_is_set() {
    let event = request(&read("receive/app_text.json")["request"]);
    let judged = |age: i64| {
        let signed = WeCom.sign(event.clone(), &secrets(), NOW - age);
        receive(&signed, &secrets(), &json!({"max_age_s": 60})).map(drop)
    };
    assert_eq!((judged(30_000), judged(90_000)), (Ok(()), Err(Reject::Forged("too old"))));
}

#[test]
fn reads_recorded_requests() {
    for (case, text, kind, home) in [
        ("app_text", "Qual é a capital? 👋", Kind::Dm, Home::Yes),
        ("app_command", "/new", Kind::Dm, Home::Yes),
        ("app_menu", "/status", Kind::Dm, Home::Yes),
        ("app_button", "/new", Kind::Dm, Home::Yes),
        ("app_location", "[location: Guangzhou, 23.134, 113.358]", Kind::Dm, Home::Yes),
        ("app_link", "WeCom https://example.com", Kind::Dm, Home::Yes),
        ("bot_text", "hello", Kind::Dm, Home::Yes),
        ("bot_voice", "hello there", Kind::Dm, Home::Yes),
        ("bot_image", "[image]", Kind::Dm, Home::Yes),
        ("bot_mixed", "what is this?\n[image]", Kind::Dm, Home::Yes),
        ("bot_foreign", "hello", Kind::Dm, Home::No),
        ("bot_group", "hello robot", Kind::Group, Home::Yes),
        ("bot_group_named", "hello", Kind::Group, Home::Yes),
        ("bot_group_only", "/help", Kind::Group, Home::Yes),
        ("bot_quote", "translate\n\n> bom dia\n> a todos", Kind::Group, Home::Yes),
    ] {
        let inbound = came_to(case).unwrap();
        let got = (inbound.text(), inbound.kind, inbound.sender.home, inbound.addressed);
        assert_eq!(got, (text, kind, home, true), "{case}");
    }
    for case in ["app_image", "app_voice", "app_video"] {
        let inbound = came_to(case).unwrap();
        let step = WeCom.fetch(&inbound.attachments[0].fetch).steps.remove(0);
        assert!(path(&step).starts_with("/cgi-bin/media/get?access_token={token:access}&media_id=MEDIA_"));
    }
    assert_eq!(came_to("app_text").unwrap().id, "7300000000000000001");
    assert_eq!(came_to("app_menu").unwrap().id, "zhangsan:1795000000:/status");
    for (case, kind) in [
        ("verify", "handshake"),
        ("app_subscribe", "membership"),
        ("app_opened", "opened"),
        ("app_unknown", "unknown message"),
        ("bot_event", "event"),
        ("bot_stream", "stream"),
        ("bot_unknown", "unknown message"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_bot_answers_once_and_an_app_as_often_as_it_must() {
    let long = [Part::Text("word ".repeat(9_000))];
    let bot = came_to("bot_group").unwrap().address;
    assert_eq!(bot.window.unwrap().uses, Some(1));
    let said = steps(&long, &bot);
    let Body::Json(body) = &said[0].body else { panic!() };
    let content = body["markdown"]["content"].as_str().unwrap();
    assert_eq!((said.len(), content.ends_with("… [cut]"), content.len() <= 20_480), (1, true, true));
    assert!(matches!(&said[0].target, Target::Url(url) if url.starts_with("https://qyapi.weixin.qq.com/")));
    let app = came_to("app_text").unwrap().address;
    let said = steps(&long, &app);
    // Of 409 words each, none of them lost.
    assert_eq!(said.len(), 23);
    for step in &said {
        let Body::Json(body) = &step.body else { panic!() };
        assert!(body["markdown"]["content"].as_str().unwrap().len() <= 2_048);
        assert_eq!((&body["touser"], &body["agentid"]), (&json!("zhangsan"), &json!(1_000_002)));
    }
}

#[test]
fn answers_of_wecom_are_understood() {
    let app = came_to("app_text").unwrap().address;
    let post = steps(&[Part::Text("yes".into())], &app).remove(0);
    let reply = steps(&[Part::Text("yes".into())], &came_to("bot_text").unwrap().address).remove(0);
    let mint = (spec::SPEC.tokens[0].mint)(&Value::Null);
    let get = WeCom.fetch(&came_to("app_image").unwrap().attachments[0].fetch).steps.remove(0);
    let upload = steps(&[picture()], &app);
    check(&post, 200, json!({"errcode": 0, "msgid": "m1"}), Settled::Posted(Some("m1".into())));
    check(&post, 200, json!({"errcode": 42_001}), Settled::Renew("access".into()));
    check(&post, 200, json!({"errcode": 45_009}), Settled::Later(None));
    check(&post, 200, json!({"errcode": -1}), Settled::Later(None));
    check(
        &post,
        200,
        json!({"errcode": 40_003, "errmsg": "invalid userid, hint: [1], from ip: 1.2.3.4"}),
        Settled::Broken("40003: invalid userid".into()),
    );
    advised(&post, 60_020, "trusted IP");
    advised(&mint, 60_020, "trusted IP");
    advised(&post, 81_013, "visible range");
    advised(&mint, 40_001, "corp_secret");
    check(&reply, 200, json!({"errcode": 0}), Settled::Posted(None));
    check(&reply, 503, json!({}), Settled::Later(None));
    advised(&reply, 60_140, "answers once");
    assert_eq!(WeCom.settle(&get, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    check(
        &get,
        200,
        json!({"errcode": 40_007, "errmsg": "invalid media_id"}),
        Settled::Broken("40007: invalid media_id".into()),
    );
    check(
        &upload[0],
        200,
        json!({"errcode": 0, "type": "image", "media_id": "M"}),
        Settled::Posted(Some("M".into())),
    );
    check(&upload[0], 200, json!({"errcode": 40_009, "errmsg": "too large"}), Settled::Unformatted);
    assert!(matches!(&upload[1].body, Body::JsonWithSecrets { fill, .. } if fill[0].0 == "/image/media_id"));
}

#[test]
fn links_keep_the_places_of_files() {
    let mut picture = picture();
    if let Part::Media(media) = &mut picture {
        media.caption = "here".to_owned();
    }
    let parts = [picture.clone(), picture, Part::Text("done".into())];
    let to = came_to("app_text").unwrap().address;
    let count = |plain| {
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
        WeCom.post(&parts, &to, &ctx).steps.len()
    };
    assert_eq!((count(false), count(true)), (7, 7));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for conversation in [None, Some("team")] {
        let secrets = secrets();
        let platform = "http://127.0.0.1:1/wecom";
        let message = Message {
            url: "https://x.example/",
            account: "main",
            text: "a < b",
            user: "ana",
            conversation,
            id: "7",
            secrets: &secrets,
            platform,
            now: NOW,
        };
        let event = WeCom.event(&message);
        let received = receive(&event.request, &secrets, &Value::Null);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].sender.home), ("a < b", Home::Yes));
        let step = steps(&[Part::Text("**yes**".into())], &inbound[0].address).remove(0);
        let Body::Json(body) = &step.body else { panic!() };
        let path = match &step.target {
            Target::Base { base, path } => format!("/{base}{path}"),
            Target::Url(url) => url.strip_prefix(platform).unwrap().to_owned(),
            Target::Answer => panic!(),
        };
        let answer = WeCom.answer(&Request::new("POST", &path, Headers::default(), body.to_string()));
        assert!(matches!(WeCom.settle(&step, &answer.response), Settled::Posted(_)));
        assert_eq!(
            (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
            (event.reply_key.as_str(), "**yes**")
        );
    }
}
