//! Recorded requests, rendered replies and the homeserver's answers, each in its table.

use std::path::PathBuf;
use std::time::Duration;

use channel::local::{Local, Message};
use channel::{
    Address, Body, Channel, Context, Fetch, Grown, Headers, Inbound, Kind, Part, PostContext, Received,
    Reject, Request, Response, Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Matrix;

const NOW: i64 = 1_795_000_002_000;

fn read(path: &str) -> Value {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/matrix");
    serde_json::from_slice(&std::fs::read(events.join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap();
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

/// The id that the recorded events mention.
fn us() -> String {
    let request = request(&read("receive/user.json")["request"]);
    request.path.rsplit_once('/').unwrap().1.to_owned()
}

fn secrets() -> Secrets {
    [("hs_token", "h1"), ("as_token", "a1"), ("user_id", &us())]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

fn receive(request: &Request, secrets: &Secrets) -> Result<Received, Reject> {
    let context =
        Context { account: "main", secrets, settings: &Value::Null, keys: &Default::default(), now: NOW };
    Matrix.receive(request, &context)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let token = vector["secrets"]["hs_token"].as_str().unwrap();
        let of =
            |token: &str| -> Secrets { [("hs_token".to_owned(), token.to_owned())].into_iter().collect() };
        let request = request(&vector["request"]);
        let judged = receive(&request, &of(token));
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
        assert!(matches!(receive(&request, &of("other")), Err(Reject::Forged(_))), "{}", vector["name"]);
        assert_eq!(receive(&request, &Secrets::default()), Err(Reject::NotSetUp("hs_token")));
    }
}

#[test]
fn every_token_that_comes_must_be_right() {
    let judged = |header: Option<&str>, query: &str| {
        let headers: Headers = header.map(|value| ("authorization", value)).into_iter().collect();
        let url = format!("https://x.example/_matrix/app/v1/transactions/1{query}");
        receive(&Request::new("PUT", &url, headers, "{\"events\":[]}"), &secrets()).is_ok()
    };
    for (header, query, valid) in [
        (Some("Bearer h1"), "", true),
        (None, "?access_token=h1", true),
        (Some("Bearer h1"), "?access_token=h1", true),
        (Some("Bearer h1"), "?access_token=h2", false),
        (Some("Bearer h2"), "?access_token=h1", false),
        (Some("bearer"), "?access_token=h1", false),
        (Some("h1"), "", false),
        (None, "?access_token=", false),
        (None, "", false),
    ] {
        assert_eq!(judged(header, query), valid, "{header:?} {query}");
    }
}

fn received(case: &str) -> Received {
    let signed = Matrix.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets(), NOW);
    receive(&signed, &secrets()).unwrap()
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Vec<Inbound>, String> {
    match received(case) {
        Received::Handshake(answer) => Err(format!("handshake {}", answer.status)),
        Received::Nothing(answer, kind) if answer.status == 200 => Err(kind.into()),
        Received::Nothing(answer, kind) => Err(format!("{kind} {}", answer.status)),
        Received::Events { ack, on_failure, inbound } => {
            assert_eq!((ack.body.as_slice(), on_failure.status), (b"{}".as_slice(), 503), "{case}");
            Ok(inbound)
        }
    }
}

#[test]
fn reads_recorded_requests() {
    let (direct, root) = (None, Some("$root"));
    for (case, text, kind, thread) in [
        ("dm_text", "Qual é a capital? 👋", Kind::Dm, direct),
        ("dm_command", "/new", Kind::Dm, direct),
        ("dm_reply", "and Spain?", Kind::Dm, direct),
        ("dm_thread", "go on", Kind::Dm, root),
        ("dm_image", "what is this?", Kind::Dm, direct),
        ("dm_image_large", "what is this?", Kind::Dm, direct),
        ("dm_file", "", Kind::Dm, direct),
        ("dm_location", "[location: Big Ben, geo:51.5008,0.1247]", Kind::Dm, direct),
        ("dm_sticker", "[sticker: thumbs up]", Kind::Dm, direct),
        ("room_mention", "what is 2 < 3?", Kind::Group, Some("$e1:example.org")),
        ("room_mention_only", "/help", Kind::Group, Some("$e1:example.org")),
        ("room_thread", "/status", Kind::Group, root),
        ("invite_direct", "/help", Kind::Dm, None),
        ("invite_room", "/help", Kind::Group, None),
    ] {
        let inbound = came_to(case).unwrap().remove(0);
        let got = (inbound.text(), inbound.kind, inbound.conversation.thread.as_deref());
        assert_eq!(got, (text, kind, thread), "{case}");
        assert!(inbound.addressed && inbound.at == 1_795_000_000_000, "{case}");
    }
    assert!(came_to("dm_encrypted").unwrap()[0].text().contains("encrypted"));
    for (case, kind) in [
        ("room_not_addressed", "not addressed"),
        ("room_encrypted", "encrypted"),
        ("invite_other_kind", "invitation of the other kind"),
        ("membership", "membership"),
        ("state", "state"),
        ("edit", "edit"),
        ("notice", "notice"),
        ("reaction", "reaction"),
        ("own_message", "own message"),
        ("unknown", "unknown message"),
        ("not_json", "no events"),
        ("ping", "handshake 200"),
        ("user", "handshake 200"),
        ("other_user", "query 404"),
        ("unknown_path", "unknown path 404"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn one_that_cannot_be_read_does_not_take_the_others_with_it() {
    let several = came_to("several").unwrap();
    assert_eq!(several.iter().map(Inbound::text).collect::<Vec<_>>(), ["one", "two"]);
    for body in [
        "{\"events\":[",
        "{\"events\":[{]}",
        "{\"events\":{}}",
        "[[[[",
        "}}}}",
        "{\"events\":[{}, \"{\\\"\", 7]}",
    ] {
        let request = Request::new("PUT", "/_matrix/app/v1/transactions/1", Headers::default(), body);
        let judged = receive(&Matrix.sign(request, &secrets(), NOW), &secrets()).unwrap();
        assert!(matches!(judged, Received::Nothing(ref ack, _) if ack.status == 200), "{body}");
    }
}

#[test]
fn without_its_id_it_takes_nothing_for_its_own() {
    let secrets: Secrets = [("hs_token".to_owned(), "h1".to_owned())].into_iter().collect();
    for case in ["room_mention", "invite_room", "invite_direct"] {
        let signed = Matrix.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets, NOW);
        assert!(matches!(receive(&signed, &secrets), Ok(Received::Nothing(..))), "{case}");
    }
}

#[test]
fn files_are_asked_for_at_the_homeserver() {
    let file = came_to("dm_image").unwrap().remove(0).attachments.remove(0);
    assert_eq!(
        (file.name.as_str(), file.media_type.as_str(), file.size),
        ("cat.jpg", "image/jpeg", Some(51_234))
    );
    let step = Matrix.fetch(&file.fetch).steps.remove(0);
    assert_eq!(path(&step), "/_matrix/client/v1/media/download/example.org/abc");
    assert_eq!(Matrix.settle(&step, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    let large = came_to("dm_image_large").unwrap().remove(0).attachments.remove(0);
    assert_eq!(large.size, None);
    assert_eq!(
        path(&Matrix.fetch(&large.fetch).steps[0]),
        "/_matrix/client/v1/media/thumbnail/example.org/abc?width=1600&height=1600&method=scale"
    );
    let odd = Fetch { account: "main".into(), id: "mxc://../../x?y/{as_token}".into() };
    assert_eq!(
        path(&Matrix.fetch(&odd).steps[0]),
        "/_matrix/client/v1/media/download/%2E%2E/..%2Fx%3Fy%2F%7Bas_token%7D"
    );
    let document = came_to("dm_file").unwrap().remove(0);
    assert_eq!((document.text(), document.attachments[0].name.as_str()), ("", "report.pdf"));
}

fn steps(parts: &[Part], to: &Address) -> Vec<Step> {
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
    Matrix.post(parts, to, &ctx).steps
}

fn path(step: &Step) -> &str {
    let Target::Base { path, .. } = &step.target else { panic!("a base") };
    path
}

fn body(step: &Step) -> &Value {
    let Body::Json(body) = &step.body else { panic!("JSON") };
    body
}

#[test]
fn an_invitation_is_followed_with_an_answer_or_from_home() {
    let to = |join: &str| Address {
        chat: "!r:x".into(),
        data: [("join".to_owned(), join.to_owned())].into(),
        ..Address::default()
    };
    let joins = |part: Part, join: &str| {
        steps(&[part], &to(join)).iter().any(|step| path(step) == "/_matrix/client/v3/join/%21r%3Ax")
    };
    for (join, silent) in [("at once", true), ("with an answer", false)] {
        assert!(joins(Part::Text("hi".into()), join));
        assert!(!joins(Part::Typing, join));
        assert_eq!(joins(Part::Dismiss, join), silent, "{join}");
    }
    let invited = |sender: &str, us: &str| {
        let event = json!({
            "type": "m.room.member", "event_id": "$1", "room_id": "!r:x", "sender": sender, "state_key": us,
            "content": {"membership": "invite"},
        });
        let secrets =
            [("hs_token", "h1"), ("user_id", us)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets: Secrets = secrets.into_iter().collect();
        let call = Request::new(
            "PUT",
            "/_matrix/app/v1/transactions/1",
            Headers::default(),
            json!({"events": [event]}).to_string(),
        );
        let Ok(Received::Events { inbound, .. }) = receive(&Matrix.sign(call, &secrets, NOW), &secrets)
        else {
            panic!()
        };
        inbound[0].address.data["join"].clone()
    };
    assert_eq!(invited("@ada:example.org:8448", "@bot:example.org:8448"), "at once");
    assert_eq!(invited("@ada:evil.example", "@bot:example.org"), "with an answer");
    assert_eq!(invited("ada", "bot"), "with an answer");
}

#[test]
fn the_same_answer_has_the_same_keys_and_each_message_its_own() {
    let to = came_to("room_mention").unwrap().remove(0).address;
    let long = [Part::Text("word ".repeat(8_000))];
    let keys = |steps: &[Step]| steps.iter().map(|step| path(step).to_owned()).collect::<Vec<_>>();
    let (one, again) = (steps(&long, &to), steps(&long, &to));
    assert!(one.len() > 2 && keys(&one) == keys(&again));
    assert_eq!(keys(&one).into_iter().collect::<std::collections::BTreeSet<_>>().len(), one.len());
    assert!(one.iter().all(|step| body(step)["m.relates_to"]["event_id"] == "$e1:example.org"));
    // The answer is no repetition of its draft, nor is one draft of another.
    let draft =
        |text: &str| Part::Draft { text: text.into(), posted: Some("$p1".into()), grown: Grown::Edited };
    let parts = [
        Part::Draft { text: "So".into(), posted: None, grown: Grown::Edited },
        draft("So"),
        draft("So far"),
        Part::Edit { posted: "$p1".into(), text: "So far, so good".into(), grown: Grown::Edited },
        Part::Text("So".into()),
    ];
    let all: Vec<String> =
        parts.iter().flat_map(|part| keys(&steps(std::slice::from_ref(part), &to))).collect();
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), parts.len(), "{all:?}");
}

#[test]
fn events_stay_within_their_size() {
    let to = came_to("room_mention").unwrap().remove(0).address;
    for text in [
        "\"\n".repeat(20_000),
        ">".repeat(400) + &"<\"&".repeat(9_000),
        "a\n".repeat(30_000),
        "👋".repeat(9_000),
    ] {
        for part in [Part::Text(text.clone()), Part::Edit { posted: "$p".into(), text, grown: Grown::Edited }]
        {
            for step in steps(&[part], &to) {
                let bytes = body(&step).to_string().len();
                assert!(bytes < 64_000, "{bytes}");
            }
        }
    }
}

#[test]
fn a_file_is_uploaded_first_and_is_a_link_where_it_is_refused() {
    let to = came_to("room_mention").unwrap().remove(0).address;
    let media = |caption: &str, kind: &str| channel::Media {
        url: "https://e.x/a.bin".into(),
        name: "a b.bin".into(),
        media_type: kind.into(),
        caption: caption.into(),
    };
    let made = |media: channel::Media, plain: bool| {
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
        Matrix.post(&[Part::Media(media)], &to, &ctx).steps
    };
    for (kind, msgtype) in
        [("image/png", "m.image"), ("audio/ogg", "m.audio"), ("video/mp4", "m.video"), ("", "m.file")]
    {
        let steps = made(media("**this**", kind), false);
        let [upload, send] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!(path(upload), "/_matrix/media/v3/upload?filename=a%20b.bin");
        assert!(upload.repeatable && upload.file.as_ref().unwrap().media_type == kind);
        let Body::JsonWithSecrets { value, fill } = &send.body else { panic!("{send:?}") };
        assert_eq!(fill, &[("/url".to_owned(), "answer".to_owned())]);
        assert_eq!((&value["msgtype"], &value["filename"]), (&json!(msgtype), &json!("a b.bin")));
        assert_eq!(value["formatted_body"], "<p><strong>this</strong></p>");
        assert_eq!(value["m.relates_to"]["event_id"], "$e1:example.org");
        let done = Response::json(200, &json!({"content_uri": "mxc://x/1"}));
        assert_eq!(Matrix.settle(upload, &done), Settled::Posted(Some("mxc://x/1".into())));
        for (status, code) in [(403, "M_FORBIDDEN"), (413, "M_TOO_LARGE"), (400, "M_BAD_JSON")] {
            let refused = Response::json(status, &json!({"errcode": code}));
            assert_eq!(Matrix.settle(upload, &refused), Settled::Unformatted, "{code}");
        }
    }
    // As many steps, and nothing is lost of what there is to say.
    for caption in ["", "this", &"word ".repeat(6_000)] {
        let (rich, plain) =
            (made(media(caption, "image/png"), false), made(media(caption, "image/png"), true));
        assert_eq!(rich.len(), plain.len());
        assert!(plain.last().unwrap().upload().is_none());
        let said: String = plain
            .iter()
            .filter_map(|step| match &step.body {
                Body::Json(body) => body["body"].as_str(),
                _ => None,
            })
            .collect();
        assert!(
            said.contains("https://e.x/a.bin")
                && said.matches("word").count() == caption.matches("word").count()
        );
    }
}

#[test]
fn answers_of_the_homeserver_are_understood() {
    let to = came_to("dm_text").unwrap().remove(0).address;
    let post = steps(&[Part::Text("hi".into())], &to).remove(0);
    let check = |status: u16, body: Value, expected: Settled| {
        assert_eq!(Matrix.settle(&post, &Response::json(status, &body)), expected, "{status} {body}");
    };
    check(200, json!({"event_id": "$p1"}), Settled::Posted(Some("$p1".into())));
    check(
        429,
        json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1_500}),
        Settled::Later(Some(Duration::from_millis(1_500))),
    );
    check(429, json!({}), Settled::Later(None));
    check(413, json!({"errcode": "M_TOO_LARGE"}), Settled::Unformatted);
    check(400, json!({"errcode": "M_BAD_JSON"}), Settled::Broken("400 M_BAD_JSON".into()));
    check(404, json!({"errcode": "M_NOT_FOUND"}), Settled::Gone);
    for (status, code, part) in [(401, "M_UNKNOWN_TOKEN", "as_token"), (403, "M_FORBIDDEN", "invite")] {
        let settled = Matrix.settle(&post, &Response::json(status, &json!({"errcode": code})));
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(part)), "{settled:?}");
    }
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for (conversation, account) in [(None, "main"), (Some("team"), "main"), (None, "other")] {
        let secrets = secrets();
        let url = if account == "main" { "https://x.example/" } else { "https://x.example/other/" };
        let message = Message {
            url,
            account,
            text: "hi",
            user: "ana",
            conversation,
            id: "7",
            secrets: &secrets,
            platform: "http://127.0.0.1:1",
            now: NOW,
        };
        let event = Matrix.event(&message);
        assert!(event.request.path.starts_with(&format!("/{account}/")), "{}", event.request.path);
        let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets) else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].addressed), ("hi", true));
        let step = steps(&[Part::Text("**yes**".into())], &inbound[0].address).remove(0);
        let headers: Headers = [("authorization", "Bearer a1")].into_iter().collect();
        let call = Request::new("PUT", &format!("/api{}", path(&step)), headers, body(&step).to_string());
        let answer = Matrix.answer(&call);
        assert!(matches!(Matrix.settle(&step, &answer.response), Settled::Posted(Some(_))));
        assert_eq!(
            (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
            (event.reply_key.as_str(), "**yes**")
        );
    }
}
