//! Recorded requests, rendered replies and the server's answers, each in its table.

use channel::local::recorded::{self, NOW, named, request};
use channel::local::{Local, Message};
use channel::{
    Address, Body, Channel, Fetch, Grown, Headers, Inbound, Kind, Part, Received, Reject, Request, Response,
    Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Mattermost;

fn read(path: &str) -> Value {
    recorded::read("mattermost", path)
}

fn secrets(token: &str) -> Secrets {
    named(&json!({"token": token}))
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&Mattermost, request, secrets, settings)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let token = vector["secrets"]["token"].as_str().unwrap();
        let request = request(&vector["request"]);
        for tokens in [token.to_owned(), format!("other {token}")] {
            let judged = receive(&request, &secrets(&tokens), &Value::Null);
            assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
        }
        assert_eq!(
            receive(&request, &secrets("other"), &Value::Null),
            Err(Reject::Forged("token")),
            "{}",
            vector["name"]
        );
        assert_eq!(
            receive(&request, &Secrets::default(), &Value::Null),
            Err(Reject::NotSetUp("token")),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn a_command_proves_itself_twice() {
    let slash = Mattermost.sign(request(&read("receive/slash_dm.json")["request"]), &secrets("t1"), NOW);
    let judged = |authorization: Option<&str>, token: &str| {
        let mut request = slash.clone();
        request.headers = [("content-type", "application/x-www-form-urlencoded")]
            .into_iter()
            .chain(authorization.map(|value| ("authorization", value)))
            .collect();
        receive(&request, &secrets(token), &Value::Null).map(drop)
    };
    assert_eq!(judged(Some("Token t1"), "t1"), Ok(()));
    // An OAuth connection's token is none of ours; the body's own token remains.
    assert_eq!(judged(Some("Bearer x"), "t1"), Ok(()));
    assert_eq!(judged(Some("Bearer x"), "t2"), Err(Reject::Forged("token")));
    assert_eq!(judged(None, "t1"), Err(Reject::Forged("a command without authorization")));
    for wrong in ["Token t2", "Token ", "Token", "t1", "", "token t1"] {
        assert_eq!(judged(Some(wrong), "t1"), Err(Reject::Forged("authorization")), "{wrong}");
    }
    let bare = Request::new("POST", "/", Headers::default(), "{}");
    assert_eq!(receive(&bare, &secrets("t1"), &Value::Null), Err(Reject::Forged("no token")));
}

/// What a recorded request comes to, and how it is acknowledged.
fn came_to(case: &str) -> (Result<Inbound, &'static str>, Value) {
    match recorded::received(&Mattermost, case, &secrets("t1")) {
        Received::Handshake(_) => panic!("there is no handshake"),
        Received::Nothing(ack, kind) => (Err(kind), ack.body_json()),
        Received::Events { ack, on_failure, mut inbound } => {
            assert!(ack.status == 200 && on_failure.status == 200);
            assert!(on_failure.body_json()["text"].as_str().unwrap().contains("again"));
            (Ok(inbound.remove(0)), ack.body_json())
        }
    }
}

#[test]
fn reads_recorded_requests() {
    for (case, text, kind, files) in [
        ("mention", "hello", Kind::Group, 0),
        ("mention_json", "what is 2 < 3?", Kind::Group, 0),
        ("mention_only", "/help", Kind::Group, 0),
        ("mention_command", "/new", Kind::Group, 0),
        ("mention_files", "read these", Kind::Group, 2),
        ("slash_dm", "Qual é a capital? 👋", Kind::Dm, 0),
        ("slash_new", "/new", Kind::Dm, 0),
        ("slash_empty", "/help", Kind::Dm, 0),
        ("slash_channel", "Qual é a capital? 👋", Kind::Group, 0),
        ("slash_thread", "Qual é a capital? 👋", Kind::Group, 0),
    ] {
        let (inbound, ack) = came_to(case);
        let inbound = inbound.unwrap();
        let got = (inbound.text(), inbound.kind, inbound.addressed, inbound.attachments.len());
        assert_eq!(got, (text, kind, true, files), "{case}");
        assert_eq!(inbound.conversation.thread, None, "{case}");
        let shown = ack["text"].as_str();
        // A webhook's answer would appear in the channel; a command's must not be empty.
        assert_eq!(
            shown.is_some_and(|text| text.starts_with("/ask")),
            case.starts_with("slash"),
            "{case}: {ack}"
        );
        let at = if case.starts_with("slash") { NOW } else { 1_795_000_000_000 };
        assert_eq!(inbound.at, at, "{case}");
    }
    for (case, kind) in [
        ("not_addressed", "not addressed"),
        ("own_message", "own message"),
        ("slash_incomplete", "unknown request"),
        ("unknown", "unknown request"),
        ("not_json", "unknown request"),
    ] {
        assert_eq!(came_to(case).0.unwrap_err(), kind, "{case}");
    }
}

fn steps(part: Part, to: &Address, way: Way) -> Vec<Step> {
    let ctx = recorded::context(way, &Value::Null);
    Mattermost.post(&[part], to, &ctx).steps
}

fn path(step: &Step) -> &str {
    let Target::Base { path, .. } = &step.target else { panic!("never an address from a payload") };
    path
}

#[test]
fn both_ways_take_as_many_steps() {
    let long = || Part::Text("word ".repeat(10_000));
    for case in ["mention", "slash_dm", "slash_thread"] {
        let to = came_to(case).0.unwrap().address;
        let (reply, push) = (steps(long(), &to, Way::Reply), steps(long(), &to, Way::Push));
        assert_eq!(reply.len(), push.len(), "{case}");
        let by_hook =
            push.iter().filter(|step| path(step) == "/hooks/commands/hook4dqtby53pd64o4a4cmeooh").count();
        assert_eq!(by_hook, if case == "mention" { 0 } else { push.len() }, "{case}");
        assert!(
            push.iter().all(|step| path(step).starts_with("/api/") == (step.auth != channel::Auth::None))
        );
    }
}

#[test]
fn an_answer_is_no_repetition_of_its_draft() {
    let to = came_to("slash_dm").0.unwrap().address;
    let key = |part: Part| {
        let step = steps(part, &to, Way::Reply).remove(0);
        let Body::Json(body) = step.body else { panic!("JSON") };
        body.get("pending_post_id").cloned()
    };
    assert_eq!(key(Part::Draft { text: "So".into(), posted: None, grown: Grown::Edited }), None);
    let answer = || Part::Text("So far".into());
    assert!(key(answer()).is_some() && key(answer()) == key(answer()));
}

#[test]
fn an_answer_stands_in_the_thread_of_its_question() {
    let to = came_to("mention").0.unwrap().address;
    let steps = steps(Part::Text("yes".into()), &to, Way::Reply);
    let [asked, said] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!((asked.method.as_str(), path(asked)), ("GET", "/api/v4/posts/axdygg1957njfe5pu38saikdho"));
    // Nothing depends on it.
    assert!(asked.optional && !said.optional);
    let Body::JsonWithSecrets { fill, .. } = &said.body else { panic!("the thread is filled in") };
    assert_eq!(fill, &[("/root_id".to_owned(), "answer".to_owned())]);
    for (post, root) in
        [(json!({"id": "p2", "root_id": "p1"}), "p1"), (json!({"id": "p2", "root_id": ""}), "p2")]
    {
        let settled = Mattermost.settle(asked, &Response::json(200, &post));
        assert_eq!(settled, Settled::Posted(Some(root.into())));
    }
}

#[test]
fn answers_of_the_server_are_understood() {
    let after_command =
        steps(Part::Text("yes".into()), &came_to("slash_dm").0.unwrap().address, Way::Reply).remove(0);
    let after_mention =
        steps(Part::Text("yes".into()), &came_to("mention").0.unwrap().address, Way::Reply).remove(1);
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        assert_eq!(Mattermost.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    check(&after_command, 201, json!({"id": "p1"}), Settled::Posted(Some("p1".into())));
    check(&after_command, 403, json!({"id": "api.context.permissions.app_error"}), Settled::Gone);
    check(
        &after_command,
        400,
        json!({"id": "model.post.is_valid.msg.app_error", "message": "Invalid message."}),
        Settled::Broken("400: model.post.is_valid.msg.app_error".into()),
    );
    check(&after_command, 501, json!({}), Settled::Later(None));
    for (status, part) in [(401, "bot_token"), (403, "invite")] {
        let settled = Mattermost.settle(&after_mention, &Response::json(status, &json!({})));
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(part)), "{settled:?}");
    }
    let hook = steps(Part::Text("yes".into()), &came_to("slash_dm").0.unwrap().address, Way::Push).remove(0);
    assert_eq!(Mattermost.settle(&hook, &Response::text(200, "ok")), Settled::Posted(None));
    let file = Mattermost.fetch(&Fetch { account: "main".into(), id: "../f1".into() }).steps.remove(0);
    assert_eq!(path(&file), "/api/v4/files/..%2Ff1");
    assert_eq!(
        Mattermost.settle(&file, &Response::text(200, "{\"id\":1}")),
        Settled::Fetched(b"{\"id\":1}".to_vec())
    );
}

#[test]
fn a_file_is_uploaded_first_and_is_shown_by_its_address_where_it_is_refused() {
    let media = channel::Media {
        url: "https://e.x/a.pdf".into(),
        name: "a.pdf".into(),
        media_type: "application/pdf".into(),
        caption: "**this**".into(),
    };
    for (case, fill) in [
        ("slash_dm", vec![("/file_ids/0", "answer")]),
        ("slash_thread", vec![("/file_ids/0", "answer")]),
        // The thread is asked for in between.
        ("mention", vec![("/root_id", "answer"), ("/file_ids/0", "earlier")]),
    ] {
        let to = came_to(case).0.unwrap().address;
        let made = |way: Way, plain: bool| {
            let ctx = channel::PostContext { plain, ..recorded::context(way, &Value::Null) };
            Mattermost.post(&[Part::Media(media.clone())], &to, &ctx).steps
        };
        let (rich, plain) = (made(Way::Reply, false), made(Way::Reply, true));
        assert!(rich.len() == plain.len() && rich.len() == made(Way::Push, false).len(), "{case}");
        let upload = &rich[0];
        assert!(matches!(&upload.body, Body::Multipart { fields, file }
            if *fields == [("channel_id".to_owned(), to.chat.clone())] && file.field == "files"));
        let done = Response::json(201, &json!({"file_infos": [{"id": "f1"}], "client_ids": []}));
        assert_eq!(Mattermost.settle(upload, &done), Settled::Posted(Some("f1".into())));
        for status in [400, 403, 413, 501] {
            let refused = Response::json(status, &json!({"id": "api.file"}));
            assert_eq!(Mattermost.settle(upload, &refused), Settled::Unformatted, "{status}");
        }
        let Some(Body::JsonWithSecrets { value, fill: filled }) = rich.last().map(|step| &step.body) else {
            panic!("{rich:?}")
        };
        assert_eq!(value["message"], "**this**");
        let filled: Vec<_> = filled.iter().map(|(at, name)| (at.as_str(), name.as_str())).collect();
        assert_eq!(filled, fill, "{case}");
        let last = serde_json::to_string(&plain.last().unwrap().body).unwrap();
        assert!(plain[0].optional && last.contains("https://e.x/a.pdf") && last.contains("this"), "{last}");
    }
}

#[test]
fn an_image_whose_address_would_break_the_markup_is_a_link() {
    let to = came_to("slash_dm").0.unwrap().address;
    for (url, shown) in
        [("https://e.x/a.png", true), ("https://e.x/a) @all (.png", false), ("http://e.x/a.png", false)]
    {
        let media = channel::Media {
            url: url.into(),
            name: "a](b".into(),
            media_type: "image/png".into(),
            caption: String::new(),
        };
        let step = steps(Part::Media(media), &to, Way::Push).remove(1);
        let Body::Json(body) = &step.body else { panic!() };
        assert_eq!(body["text"] == "![ab](https://e.x/a.png)", shown, "{body}");
    }
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for conversation in [None, Some("team")] {
        let secrets = secrets("t1");
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
        let event = Mattermost.event(&message);
        let received = receive(&event.request, &secrets, &Value::Null);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].addressed), ("hi", true));
        for way in [Way::Reply, Way::Push] {
            let step = steps(Part::Text("**yes**".into()), &inbound[0].address, way).pop().unwrap();
            let (Body::Json(body) | Body::JsonWithSecrets { value: body, .. }) = &step.body else { panic!() };
            let headers: Headers = [("authorization", "Bearer t")].into_iter().collect();
            let call = Request::new("POST", &format!("/api{}", path(&step)), headers, body.to_string());
            let answer = Mattermost.answer(&call);
            assert!(matches!(Mattermost.settle(&step, &answer.response), Settled::Posted(_)));
            assert_eq!(
                (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
                (event.reply_key.as_str(), "**yes**")
            );
        }
    }
}
