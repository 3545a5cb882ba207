//! Recorded requests, rendered replies and Meta's answers, each in its table.

use channel::local::recorded::{self, NOW, body, named, request};
use channel::local::{Local, Message};
use channel::{
    Body, Channel, Connect, Headers, Inbound, Kind, Part, Received, Reject, Request, Response, Secrets,
    Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Messenger;

fn read(path: &str) -> Value {
    recorded::read("messenger", path)
}

fn secrets() -> Secrets {
    named(&json!({"app_secret": "s3cret", "verify_token": "tok"}))
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&Messenger, request, secrets, settings)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secret = vector["secrets"]["app_secret"].as_str().unwrap();
        let secrets = named(&json!({"app_secret": secret}));
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    assert_eq!(receive(&unsigned, &secrets(), &Value::Null), Err(Reject::Forged("no signature")));
    assert_eq!(receive(&unsigned, &Secrets::default(), &Value::Null), Err(Reject::NotSetUp("app_secret")));
}

#[test]
fn the_handshake_is_answered_with_the_challenge() {
    let get = |token: &str| {
        let url = format!(
            "https://x.example/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"
        );
        receive(&Request::new("GET", &url, Headers::default(), ""), &secrets(), &Value::Null)
    };
    assert_eq!(get("tok"), Ok(Received::Handshake(Response::text(200, "1158201444"))));
    assert_eq!(get("other"), Err(Reject::Forged("verify token")));
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Vec<Inbound>, &'static str> {
    match recorded::received(&Messenger, case, &secrets()) {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(ack, kind) => {
            assert_eq!(ack.body, b"EVENT_RECEIVED", "{case}");
            Err(kind)
        }
        Received::Events { inbound, .. } => Ok(inbound),
    }
}

#[test]
fn reads_recorded_requests() {
    for (case, text, files, kind) in [
        ("dm_text", "Olá 👋 <a@b.c> https://example.com", 0, Kind::Dm),
        ("dm_reply", "and this?", 0, Kind::Dm),
        ("dm_image", "", 1, Kind::Dm),
        ("dm_files", "read these", 2, Kind::Dm),
        ("quick_reply", "/new", 0, Kind::Dm),
        ("postback", "/help", 0, Kind::Dm),
        ("operator", "I take over here", 0, Kind::OperatorSaid),
        ("operator_image", "", 1, Kind::OperatorSaid),
        ("standby_operator", "I take over here", 0, Kind::OperatorSaid),
        ("dm_location", "[location: Ana's location, 35.67966, 139.73669]", 0, Kind::Dm),
        ("dm_link", "look\n[link: Moon, https://example.com/moon]", 0, Kind::Dm),
    ] {
        let inbound = came_to(case).unwrap().remove(0);
        let got = (inbound.text(), inbound.attachments.len(), inbound.kind);
        assert_eq!(got, (text, files, kind), "{case}");
        assert_eq!(inbound.at, 1_795_000_000_000, "{case}");
    }
    assert_eq!(came_to("several").unwrap().len(), 2);
    for (case, kind) in [
        ("own_message", "own message"),
        ("standby", "standby"),
        ("read", "receipt"),
        ("reaction", "reaction"),
        ("unsent", "unsent"),
        ("unsupported", "unknown message"),
        ("other_object", "unknown body"),
        ("not_json", "unknown body"),
        ("edit", "edit"),
        ("referral", "referral"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn an_operators_words_belong_to_the_customers_chat() {
    let (customer, operator) =
        (came_to("dm_text").unwrap().remove(0), came_to("operator").unwrap().remove(0));
    assert_eq!(operator.conversation_key(), customer.conversation_key());
    assert_eq!(operator.echo_of.as_deref(), Some("m_ECHO"));
    assert_ne!(operator.sender.id, customer.sender.id);
}

#[test]
fn files_are_fetched_where_the_platform_has_them_and_without_the_token() {
    let files = came_to("dm_files").unwrap().remove(0).attachments;
    assert_eq!((files[0].name.as_str(), files[1].name.as_str()), ("report final.pdf", "video.mp4"));
    let step = Messenger.fetch(&files[0].fetch).steps.remove(0);
    assert!(matches!(&step.target, Target::Url(url) if url.starts_with("https://cdn.fbsbx.com/")));
    assert_eq!(step.auth, channel::Auth::None);
    assert_eq!(Messenger.settle(&step, &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    assert_eq!(Messenger.settle(&step, &Response::empty(404)), Settled::Gone);
}

fn posted(part: Part, way: Way, settings: &Value) -> Vec<Step> {
    let to = came_to("dm_text").unwrap().remove(0).address;
    let ctx = recorded::context(way, settings);
    Messenger.post(&[part], &to, &ctx).steps
}

#[test]
fn a_day_later_only_a_tag_lets_a_reply_through() {
    let settings = json!({"tag": "HUMAN_AGENT"});
    let sent = |way, settings: &Value| {
        let step = posted(Part::Text("**yes**".into()), way, settings).remove(0);
        let body = body(&step);
        assert_eq!(body["message"], json!({"text": "yes"}));
        [body["messaging_type"].clone(), body["tag"].clone()]
    };
    let plain = [json!("RESPONSE"), Value::Null];
    assert_eq!(sent(Way::Reply, &settings), plain);
    assert_eq!(sent(Way::Push, &Value::Null), plain);
    assert_eq!(sent(Way::Push, &settings), [json!("MESSAGE_TAG"), json!("HUMAN_AGENT")]);
    let window = came_to("dm_text").unwrap().remove(0).address.window.unwrap();
    assert!(window.is_open(NOW) && !window.is_open(NOW + 24 * 3_600_000));
}

#[test]
fn quick_replies_keep_their_limits() {
    let choice = |says: &str| channel::Choice { label: "l".repeat(30), says: says.to_owned() };
    let replies = |choices: Vec<channel::Choice>| {
        let steps = posted(Part::Buttons { text: "Which?".into(), choices }, Way::Reply, &Value::Null);
        body(&steps[0])["message"]["quick_replies"].clone()
    };
    assert_eq!(replies(vec![choice("1")])[0]["title"], "l".repeat(20));
    assert_eq!(replies((0..13).map(|_| choice("x")).collect()).as_array().unwrap().len(), 13);
    assert_eq!(replies((0..14).map(|_| choice("x")).collect()), Value::Null);
    assert_eq!(replies(vec![choice(&"x".repeat(1_001))]), Value::Null);
    assert_eq!(replies(vec![choice("")]), Value::Null);
}

#[test]
fn files_go_out_as_what_the_platform_shows() {
    let sent = |media_type: &str, url: &str| {
        let media = channel::Media {
            url: url.to_owned(),
            name: "a".to_owned(),
            media_type: media_type.to_owned(),
            caption: String::new(),
        };
        let message = body(&posted(Part::Media(media), Way::Reply, &Value::Null)[0])["message"].clone();
        message["attachment"]["type"].as_str().unwrap_or("a text").to_owned()
    };
    assert_eq!(sent("image/png", "https://x.example/a"), "image");
    assert_eq!(sent("audio/wav", "https://x.example/a"), "audio");
    assert_eq!(sent("application/pdf", "https://x.example/a"), "file");
    assert_eq!(sent("image/png", "http://x.example/a"), "a text");
}

#[test]
fn answers_of_the_send_api_are_understood() {
    let post = posted(Part::Text("hi".into()), Way::Reply, &Value::Null).remove(0);
    let check = |status: u16, error: Value, expected: &str| {
        let answer = Response::json(status, &json!({"error": error}));
        let settled = format!("{:?}", Messenger.settle(&post, &answer));
        assert!(settled.starts_with(expected), "{status} {error}: {settled}");
    };
    check(400, json!({"code": 10, "error_subcode": 2_018_278}), "Gone");
    check(403, json!({"code": 10, "error_subcode": 2_534_022}), "Gone");
    check(
        400,
        json!({"code": 10, "message": "(#10) lacks permission"}),
        "Broken(\"10: the access token lacks",
    );
    check(400, json!({"code": 613}), "Later");
    check(400, json!({"code": 190}), "Broken(\"190: Meta does not take the access token");
    check(400, json!({"code": 551, "message": "not available"}), "Broken(\"551: not available");
    let sent = Response::json(200, &json!({"recipient_id": "2000", "message_id": "m_OUT"}));
    assert_eq!(Messenger.settle(&post, &sent), Settled::Posted(Some("m_OUT".into())));
    let typing = posted(Part::Typing, Way::Reply, &Value::Null).remove(0);
    assert!(typing.optional);
    let shown = Response::json(200, &json!({"recipient_id": "2000"}));
    assert_eq!(Messenger.settle(&typing, &shown), Settled::Posted(None));
}

#[test]
fn connecting_registers_the_address() {
    let Connect::Call(connect, _) = crate::spec::SPEC.connect else { panic!("by calls") };
    assert_eq!(connect(&registration("https://x.example/", &Value::Null)).len(), 0);
    let steps = connect(&registration("https://x.example/", &json!({"app_id": 12})));
    let Body::JsonWithSecrets { value, fill } = &steps[0].body else { panic!("with the verify token") };
    assert_eq!((&value["object"], &value["callback_url"]), (&json!("page"), &json!("https://x.example/")));
    assert_eq!(fill[0], ("/verify_token".to_owned(), "verify_token".to_owned()));
    assert!(format!("{:?}", steps[1].target).contains("/me/subscribed_apps"));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    let secrets = secrets();
    let message = Message {
        url: "https://x.example/",
        account: "main",
        text: "héllo / 👋",
        user: "ana",
        conversation: None,
        id: "7",
        secrets: &secrets,
        platform: "http://127.0.0.1:1",
        now: NOW,
    };
    let event = Messenger.event(&message);
    assert!(event.request.body.is_ascii());
    let received = receive(&event.request, &secrets, &Value::Null);
    let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
    assert_eq!(inbound[0].text(), "héllo / 👋");
    let ctx = recorded::context(Way::Reply, &Value::Null);
    let step = Messenger.post(&[Part::Text("**yes**".into())], &inbound[0].address, &ctx).steps.remove(0);
    let Target::Base { base, path } = &step.target else { panic!("a path") };
    let headers: Headers = [("authorization", "Bearer x")].into_iter().collect();
    let call =
        |headers, body: &Value| Request::new("POST", &format!("/{base}{path}"), headers, body.to_string());
    let answer = Messenger.answer(&call(headers.clone(), body(&step)));
    assert!(matches!(Messenger.settle(&step, &answer.response), Settled::Posted(Some(_))));
    let said = (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str());
    assert_eq!(said, (event.reply_key.as_str(), "yes"));
    let mut long = body(&step).clone();
    long["message"]["text"] = json!("é".repeat(2_001));
    let refused = Messenger.answer(&call(headers, &long));
    assert!(
        matches!(Messenger.settle(&step, &refused.response), Settled::Broken(why) if why.starts_with("100"))
    );
    let stranger = Messenger.answer(&call(Headers::default(), body(&step)));
    assert!(
        matches!(Messenger.settle(&step, &stranger.response), Settled::Broken(why) if why.starts_with("190"))
    );
}

fn registration<'a>(url: &'a str, settings: &'a Value) -> channel::Registration<'a> {
    channel::Registration { url, settings, commands: &[] }
}
