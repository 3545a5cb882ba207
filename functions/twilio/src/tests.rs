//! Recorded requests, rendered replies and Twilio's answers, each in its table.

use std::path::PathBuf;

use channel::local::{Local, Message};
use channel::{
    Body, Channel, Context, Fetch, Headers, Inbound, Part, PostContext, Received, Reject, Request, Response,
    Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Twilio;

const NOW: i64 = 1_795_000_002_000;

fn read(path: &str) -> Value {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/twilio");
    serde_json::from_slice(&std::fs::read(events.join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap();
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

fn secrets(token: &str) -> Secrets {
    [("auth_token".to_owned(), token.to_owned())].into_iter().collect()
}

fn receive(request: &Request, secrets: &Secrets) -> Result<Received, Reject> {
    let context =
        Context { account: "main", secrets, settings: &Value::Null, keys: &Default::default(), now: NOW };
    Twilio.receive(request, &context)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let token = vector["secrets"]["auth_token"].as_str().unwrap();
        let request = request(&vector["request"]);
        for tokens in [token.to_owned(), format!("old {token}")] {
            let judged = receive(&request, &secrets(&tokens));
            assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
        }
        assert!(receive(&request, &secrets("other")).is_err(), "{}", vector["name"]);
    }
    let unsigned = request(&read("receive/sms.json")["request"]);
    assert_eq!(receive(&unsigned, &secrets("t")), Err(Reject::Forged("no signature")));
    assert_eq!(receive(&unsigned, &Secrets::default()), Err(Reject::NotSetUp("auth_token")));
}

#[test]
fn json_is_signed_by_its_hash() {
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    let json = Request::new("POST", "https://x.example/", headers, "{}");
    let signed = Twilio.sign(json, &secrets("t"), NOW);
    assert!(receive(&signed, &secrets("t")).is_err(), "a body that nothing covers");
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    let signed = Twilio.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets("t"), NOW);
    match receive(&signed, &secrets("t")).unwrap() {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(ack, kind) => {
            assert!(String::from_utf8_lossy(&ack.body).ends_with("<Response/>"), "{case}");
            Err(kind)
        }
        Received::Events { mut inbound, .. } => Ok(inbound.remove(0)),
    }
}

#[test]
fn reads_recorded_requests() {
    for (case, text, files, chat) in [
        ("sms", "héllo 👋", 0, "+14155238886 +16505551234"),
        ("sms_command", "/new", 0, "+14155238886 +16505551234"),
        ("mms", "", 2, "+14155238886 +16505551234"),
        ("whatsapp", "héllo 👋", 0, "whatsapp:+14155238886 whatsapp:+16505551234"),
        ("whatsapp_button", "yes", 0, "whatsapp:+14155238886 whatsapp:+16505551234"),
        (
            "whatsapp_location",
            "[location: Twilio, 375 Beale St, 37.787, -122.4]",
            0,
            "whatsapp:+14155238886 whatsapp:+16505551234",
        ),
        ("rcs", "héllo 👋", 0, "rcs:brand_agent rcs:+16505551234"),
    ] {
        let inbound = came_to(case).unwrap();
        let got = (inbound.text(), inbound.attachments.len(), inbound.conversation.chat.as_str());
        assert_eq!(got, (text, files, chat), "{case}");
        assert_eq!(inbound.address.window.is_some(), case.starts_with("whatsapp"), "{case}");
    }
    for (case, kind) in
        [("status", "status"), ("opt_out", "opt-out"), ("empty", "empty"), ("voice", "unknown request")]
    {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_file_is_a_redirect_away_and_the_key_stays_behind() {
    let file = &came_to("mms").unwrap().attachments[1];
    assert_eq!((file.name.as_str(), file.media_type.as_str()), ("file2.pdf", "application/pdf"));
    let steps = Twilio.fetch(&file.fetch).steps;
    assert!(matches!(&steps[0].target, Target::Url(url) if url.starts_with("https://api.twilio.com/")));
    assert_eq!((&steps[1].target, &steps[1].auth), (&Target::Answer, &channel::Auth::None));
    let mut moved = Response::empty(307);
    moved.headers.set("location", "https://mms.twiliocdn.com/x");
    let next = Settled::Posted(Some("https://mms.twiliocdn.com/x".into()));
    assert_eq!(Twilio.settle(&steps[0], &moved), next);
    assert_eq!(Twilio.settle(&steps[1], &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    let elsewhere = Fetch { account: "main".into(), id: "https://evil.example/x".into() };
    assert_eq!(Twilio.fetch(&elsewhere).steps[0].auth, channel::Auth::None);
}

fn text_to(to: &channel::Address, way: Way, settings: &Value) -> Step {
    let ctx = PostContext { settings, key: "k", way, plain: false, now: NOW };
    Twilio.post(&[Part::Text("**yes**".into())], to, &ctx).steps.remove(0)
}

fn fields(step: &Step) -> Vec<(String, String)> {
    let Body::Form(fields) = &step.body else { panic!("a form") };
    fields.clone()
}

#[test]
fn after_a_day_whatsapp_gets_a_template() {
    let to = came_to("whatsapp").unwrap().address;
    let settings = json!({"template": "HX1", "messaging_service": "MG1"});
    let has =
        |step: &Step, name: &str, value: &str| fields(step).contains(&(name.to_owned(), value.to_owned()));
    let reply = text_to(&to, Way::Reply, &settings);
    assert!(has(&reply, "Body", "*yes*") && has(&reply, "MessagingServiceSid", "MG1"));
    let push = text_to(&to, Way::Push, &settings);
    assert!(has(&push, "ContentSid", "HX1") && has(&push, "ContentVariables", r#"{"1":"*yes*"}"#));
    let sms = text_to(&came_to("sms").unwrap().address, Way::Push, &settings);
    assert!(has(&sms, "Body", "yes") && has(&sms, "To", "+16505551234"));
}

#[test]
fn answers_of_twilio_are_understood() {
    let post = text_to(&came_to("sms").unwrap().address, Way::Reply, &Value::Null);
    let check = |status: u16, code: u64, expected: Settled| {
        let body = json!({"code": code, "message": "words", "status": status});
        assert_eq!(Twilio.settle(&post, &Response::json(status, &body)), expected, "{status} {code}");
    };
    check(429, 20_429, Settled::Later(None));
    check(400, 63_016, Settled::Gone);
    check(400, 21_211, Settled::Broken("21211: words".into()));
    check(500, 20_500, Settled::Later(None));
    let broken = |status, code, part: &str| {
        let settled = Twilio.settle(&post, &Response::json(status, &json!({"code": code})));
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(part)), "{settled:?}");
    };
    broken(400, 21_610, "STOP");
    broken(401, 20_003, "api_key_sid");
    let sent = Response::json(201, &json!({"sid": "SM1"}));
    assert_eq!(Twilio.settle(&post, &sent), Settled::Posted(Some("SM1".into())));
}

#[test]
fn connecting_asks_for_repetitions() {
    let channel::Connect::Call(connect, _) = crate::spec::SPEC.connect else { panic!("by calls") };
    assert!(connect(&registration("https://x.example/", &Value::Null)).is_empty());
    let steps = connect(&registration("https://x.example/", &json!({"number": "PN1/x"})));
    let url = ("SmsUrl".to_owned(), "https://x.example/#rc=3&rp=5xx,ct,rt".to_owned());
    assert!(fields(&steps[0]).contains(&url));
    assert!(format!("{:?}", steps[0].target).contains("/PN1%2Fx.json"));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    let secrets = secrets("t");
    let message = Message {
        url: "https://x.example/",
        account: "main",
        text: "hi & <b>",
        user: "ana",
        conversation: None,
        id: "7",
        secrets: &secrets,
        platform: "http://127.0.0.1:1",
        now: NOW,
    };
    let event = Twilio.event(&message);
    let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets) else { panic!("taken") };
    assert_eq!(inbound[0].text(), "hi & <b>");
    let step = text_to(&inbound[0].address, Way::Reply, &Value::Null);
    let pairs = fields(&step);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let headers: Headers = [("authorization", "Basic x")].into_iter().collect();
    let path = "/api/2010-04-01/Accounts/AC1/Messages.json";
    let answer = Twilio.answer(&Request::new("POST", path, headers, channel::encode::to_form(&pairs)));
    assert!(matches!(Twilio.settle(&step, &answer.response), Settled::Posted(Some(_))));
    assert_eq!((&answer.said[0].reply_key, answer.said[0].text.as_str()), (&event.reply_key, "yes"));
}

fn registration<'a>(url: &'a str, settings: &'a Value) -> channel::Registration<'a> {
    channel::Registration { url, settings, commands: &[] }
}
