//! Recorded events, rendered replies and Feishu's answers, each in its table.

use std::time::Duration;

use channel::local::recorded::{self, NOW, named, request};
use channel::local::{Local, Message};
use channel::{
    Address, Body, Channel, Fetch, Grown, Headers, Home, Inbound, Kind, Part, PostContext, Received, Reject,
    Request, Response, Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::{Feishu, spec, verify};

fn read(path: &str) -> Value {
    recorded::read("feishu", path)
}

fn secrets() -> Secrets {
    named(&json!({"encrypt_key": "s3cret", "verification_token": "vtok"}))
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&Feishu, request, secrets, settings)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let (secrets, expected) = (named(&vector["secrets"]), &vector["expected"]);
        let request = request(&vector["request"]);
        if let Some(plain) = expected["plaintext"].as_str() {
            let sealed: Value = serde_json::from_slice(&request.body).unwrap();
            let key = secrets.get("encrypt_key").unwrap();
            let opened = verify::open(key, sealed["encrypt"].as_str().unwrap()).unwrap();
            assert_eq!(String::from_utf8(opened).unwrap(), plain, "{}", vector["name"]);
        }
        if request.method == "DECRYPT" {
            continue;
        }
        let judged = receive(&request, &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), expected["valid"].as_bool().unwrap(), "{}", vector["name"]);
        if let Some(body) = expected["response_body"].as_str() {
            let Ok(Received::Handshake(answer)) = judged else { panic!("{}", vector["name"]) };
            assert_eq!(String::from_utf8(answer.body).unwrap(), body);
        }
    }
}

#[test]
fn only_the_check_of_the_address_may_come_unsigned() {
    let check = |body: Value, secrets: &Secrets, expected: Result<(), Reject>| {
        let bare = Request::new("POST", "/", Headers::default(), body.to_string());
        let mut sealed = Feishu.sign(bare, secrets, NOW);
        sealed.headers = Headers::default();
        assert_eq!(receive(&sealed, secrets, &Value::Null).map(drop), expected, "{body}");
    };
    let asks = |token: &str| json!({"challenge": "c", "token": token, "type": "url_verification"});
    let unsigned = Err(Reject::Forged("no signature"));
    check(asks("vtok"), &secrets(), Ok(()));
    check(asks("other"), &secrets(), unsigned.clone());
    check(asks(""), &named(&json!({"encrypt_key": "s3cret"})), unsigned.clone());
    check(json!({"schema": "2.0", "header": {"token": "vtok"}}), &secrets(), unsigned);
}

#[test]
fn nothing_plain_is_taken_where_an_encrypt_key_is_set() {
    let plain = request(&read("receive/verify.json")["request"]);
    let judged = |secrets: Value| receive(&plain, &named(&secrets), &Value::Null).map(drop);
    assert_eq!(
        judged(json!({"encrypt_key": "s3cret", "verification_token": "vtok"})),
        Err(Reject::Forged("not encrypted"))
    );
    assert_eq!(judged(json!({"verification_token": "vtok"})), Ok(()));
    assert_eq!(judged(json!({"verification_token": "other"})), Err(Reject::Forged("token")));
    assert_eq!(judged(json!({})), Err(Reject::NotSetUp("encrypt_key")));
    let sealed = Feishu.sign(plain.clone(), &secrets(), NOW);
    let without_key = receive(&sealed, &named(&json!({"verification_token": "vtok"})), &Value::Null);
    assert_eq!(without_key, Err(Reject::NotSetUp("encrypt_key")));
}

#[test]
fn old_events_are_refused_where_that_is_set() {
    let event = request(&read("receive/dm_text.json")["request"]);
    let signed = |at: i64| Feishu.sign(event.clone(), &secrets(), at);
    let settings = json!({"max_age_s": 3600});
    assert!(receive(&signed(NOW - 7_200_000), &secrets(), &Value::Null).is_ok());
    assert!(receive(&signed(NOW - 3_500_000), &secrets(), &settings).is_ok());
    let old = receive(&signed(NOW - 7_200_000), &secrets(), &settings);
    assert_eq!(old, Err(Reject::Forged("too old")));
}

/// What a recorded event comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    recorded::came_to(&Feishu, case, &secrets()).map(|mut inbound| inbound.remove(0))
}

#[test]
fn reads_recorded_events() {
    for (case, text, kind, addressed, thread) in [
        ("dm_text", "Qual é a capital? 👋", Kind::Dm, true, None),
        ("dm_thread", "and here?", Kind::Dm, true, Some("om_root")),
        ("dm_sticker", "[sticker]", Kind::Dm, true, None),
        ("dm_location", "[location: Tiananmen, 39.9, 116.39]", Kind::Dm, true, None),
        ("dm_rich", "Plan\nsee this (https://example.com)\nx := 1", Kind::Dm, true, None),
        ("group_mention", "ask @Bob please", Kind::Group, true, Some("om_5ce6d572455d361153b7cb51da133945")),
        (
            "group_mention_second",
            "@Bob  hello",
            Kind::Group,
            true,
            Some("om_5ce6d572455d361153b7cb51da133945"),
        ),
        ("group_thread", "and then?", Kind::Group, true, Some("om_root")),
        ("group_quote", "what is this?", Kind::Group, true, Some("om_5ce6d572455d361153b7cb51da133945")),
        ("group_mention_only", "/help", Kind::Group, true, Some("om_5ce6d572455d361153b7cb51da133945")),
        ("group_chatter", "hi @Bob", Kind::Group, false, Some("om_5ce6d572455d361153b7cb51da133945")),
        ("group_people_only", "hi @Bob", Kind::Group, false, Some("om_5ce6d572455d361153b7cb51da133945")),
        ("group_rich", "summarise", Kind::Group, true, Some("om_5ce6d572455d361153b7cb51da133945")),
        ("click", "/status", Kind::Group, true, Some("om_root")),
    ] {
        let inbound = came_to(case).unwrap();
        let got = (inbound.text(), inbound.kind, inbound.addressed, inbound.conversation.thread.as_deref());
        assert_eq!(got, (text, kind, addressed, thread), "{case}");
        assert_eq!((inbound.sender.home, inbound.at / 1_000), (Home::Yes, 1_795_000_000), "{case}");
    }
    assert_eq!(came_to("foreign_tenant").unwrap().sender.home, Home::No);
    for (case, kind) in [
        ("verify", "handshake"),
        ("from_app", "bot"),
        ("read", "receipt"),
        ("member", "membership"),
        ("reaction", "sign"),
        ("click_unknown", "unknown button"),
        ("unknown", "unknown event"),
        ("unknown_message", "unknown message"),
        ("version_1", "event of version 1"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn files_are_fetched_in_the_cloud_that_they_lie_in() {
    for (case, base, rest) in [
        ("dm_image", "api", "/resources/img_7ea74629?type=image"),
        ("dm_lark", "lark", "/resources/img_v3_lark?type=image"),
        ("dm_file", "api", "/resources/file_v2_1?type=file"),
        ("dm_audio", "api", "/resources/file_v2_2?type=file"),
        ("dm_video", "api", "/resources/file_v2_3?type=file"),
        ("dm_rich", "api", "/resources/img_2?type=image"),
    ] {
        let inbound = came_to(case).unwrap();
        assert_eq!(inbound.attachments.len(), 1, "{case}");
        let path = format!("/open-apis/im/v1/messages/om_5ce6d572455d361153b7cb51da133945{rest}");
        let step = Feishu.fetch(&inbound.attachments[0].fetch).steps.remove(0);
        assert_eq!(step.target, Target::Base { base: base.into(), path }, "{case}");
    }
    let odd = Feishu.fetch(&Fetch { account: "main".into(), id: "api ../x file a b/{app_secret}".into() });
    assert!(
        format!("{:?}", odd.steps[0].target).contains("/..%2Fx/resources/a%20b%2F%7Bapp_secret%7D?type=file")
    );
}

fn context(way: Way) -> PostContext<'static> {
    recorded::context(way, &Value::Null)
}

#[test]
fn answers_of_feishu_are_understood() {
    let to = came_to("group_mention").unwrap().address;
    let post = Feishu.post(&[Part::Text("**yes**".into())], &to, &context(Way::Reply)).steps.remove(0);
    let mint = (spec::SPEC.tokens[0].mint)(&Value::Null);
    let get = Feishu.fetch(&came_to("dm_file").unwrap().attachments[0].fetch).steps.remove(0);
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        assert_eq!(Feishu.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    check(
        &post,
        200,
        json!({"code": 0, "data": {"message_id": "om_9"}}),
        Settled::Posted(Some("om_9".into())),
    );
    for code in [99_991_661, 99_991_663] {
        check(&post, 400, json!({"code": code}), Settled::Renew("tenant".into()));
    }
    check(&post, 200, json!({"code": 230_011, "msg": "withdrawn"}), Settled::Gone);
    check(&post, 400, json!({"code": 230_072, "msg": "edits"}), Settled::Gone);
    check(&post, 400, json!({"code": 230_001, "msg": "invalid"}), Settled::Unformatted);
    check(&post, 400, json!({"code": 230_020}), Settled::Later(None));
    check(&post, 200, json!({"code": 230_999, "msg": "odd"}), Settled::Broken("230999: odd".into()));
    check(&post, 500, json!({"code": 5000}), Settled::Later(None));
    for status in [400, 429] {
        let mut busy = Response::json(status, &json!({"code": 99_991_400}));
        busy.headers.set("x-ogw-ratelimit-reset", "52");
        assert_eq!(Feishu.settle(&post, &busy), Settled::Later(Some(Duration::from_secs(52))));
    }
    let advice = |step: &Step, code: i64, says: &str| {
        let settled = Feishu.settle(step, &Response::json(200, &json!({"code": code, "msg": "x"})));
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(says)), "{settled:?}");
    };
    advice(&post, 230_002, "add it again");
    advice(&post, 99_991_672, "im:message");
    advice(&mint, 10_014, "app_secret");
    check(&mint, 503, json!({}), Settled::Later(None));
    assert_eq!(Feishu.settle(&get, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    check(&get, 400, json!({"code": 234_003, "msg": "no file"}), Settled::Broken("234003: no file".into()));
}

#[test]
fn a_file_is_uploaded_and_then_quoted() {
    let media = |name: &str, media_type: &str| {
        let url = format!("https://example.com/{name}");
        Part::Media(channel::Media {
            url,
            name: name.into(),
            media_type: media_type.into(),
            caption: String::new(),
        })
    };
    let to = Address { chat: "oc_1".into(), ..Address::default() };
    for (part, answer, content) in [
        (media("a.png", "image/png"), json!({"image_key": "img_1"}), r#"{"image_key":"img_1"}"#),
        (media("b.pdf", "application/pdf"), json!({"file_key": "file_1"}), r#"{"file_key":"file_1"}"#),
    ] {
        let steps = Feishu.post(&[part], &to, &context(Way::Reply)).steps;
        assert_eq!(steps.len(), 2);
        let uploaded = Feishu.settle(&steps[0], &Response::json(200, &json!({"code": 0, "data": answer})));
        assert_eq!(uploaded, Settled::Posted(Some(content.into())));
        assert!(
            matches!(&steps[1].body, Body::JsonWithSecrets { fill, .. } if fill[0] == ("/content".into(), "answer".into()))
        );
        let refused =
            Feishu.settle(&steps[0], &Response::json(400, &json!({"code": 234_006, "msg": "too large"})));
        assert_eq!(refused, Settled::Unformatted);
    }
}

#[test]
fn both_ways_have_as_many_steps_and_the_same_keys() {
    let to = came_to("group_mention").unwrap().address;
    let long = [
        Part::Text("word ".repeat(6_000)),
        Part::Edit { posted: "om_2".into(), text: "x".into(), grown: Grown::Edited },
    ];
    let bodies = |way| -> Vec<Value> {
        let steps = Feishu.post(&long, &to, &context(way)).steps.into_iter();
        steps.map(|step| if let Body::Json(body) = step.body { body } else { panic!() }).collect()
    };
    let (reply, push) = (bodies(Way::Reply), bodies(Way::Push));
    assert_eq!((reply.len(), push.len()), (6, 6));
    let keys = |bodies: &[Value]| bodies[..5].iter().map(|body| body["uuid"].clone()).collect::<Vec<_>>();
    assert_eq!(keys(&reply), keys(&push));
    assert_ne!(keys(&reply)[0], keys(&reply)[1]);
    assert_eq!((&reply[0]["reply_in_thread"], &push[0]["receive_id"]), (&json!(true), &json!(to.chat)));
}

#[test]
fn links_keep_the_places_of_files() {
    let url = "https://example.com/a.png".to_owned();
    let (name, media_type, caption) = ("a.png".to_owned(), "image/png".to_owned(), "here".to_owned());
    let picture = Part::Media(channel::Media { url, name, media_type, caption });
    let parts = [picture.clone(), picture, Part::Text("done".into())];
    let to = Address { chat: "oc_1".into(), ..Address::default() };
    let count = |plain| {
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
        Feishu.post(&parts, &to, &ctx).steps.len()
    };
    assert_eq!((count(false), count(true)), (7, 7));
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
        let event = Feishu.event(&message);
        let received = receive(&event.request, &secrets, &Value::Null);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!(
            (inbound[0].text(), inbound[0].addressed, inbound[0].sender.home),
            ("hi", true, Home::Yes)
        );
        let step = Feishu
            .post(&[Part::Text("**yes**".into())], &inbound[0].address, &context(Way::Reply))
            .steps
            .remove(0);
        let (Target::Base { base, path }, Body::Json(body)) = (&step.target, &step.body) else { panic!() };
        let headers: Headers = [("authorization", "Bearer t")].into_iter().collect();
        let answer =
            Feishu.answer(&Request::new("POST", &format!("/{base}{path}"), headers, body.to_string()));
        assert!(matches!(Feishu.settle(&step, &answer.response), Settled::Posted(Some(_))));
        assert_eq!(
            (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
            (event.reply_key.as_str(), "**yes**")
        );
    }
}
