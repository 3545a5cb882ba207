//! Recorded activities, rendered replies and the service's answers, each in its table.

mod streams;

use std::path::PathBuf;

use channel::local::{Local, Message};
use channel::{
    Address, Channel, Context, Headers, Home, Inbound, Keys, Kind, Part, PostContext, Received, Reject,
    Request, Response, Secrets, Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::Teams;

const NOW: i64 = 1_795_000_002_000;
const TENANT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn read(path: &str) -> Value {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/teams");
    serde_json::from_slice(&std::fs::read(events.join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap_or("/");
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

fn secrets() -> Secrets {
    [("app_id", "app-1"), ("tenant_id", TENANT), ("app_password", "hush")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

fn receive(request: &Request, secrets: &Secrets, keys: &Keys, now: i64) -> Result<Received, Reject> {
    Teams.receive(request, &Context { account: "main", secrets, settings: &Value::Null, keys, now })
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secrets = Teams.expecting(&vector["expect_claims"]);
        let (request, now) = (request(&vector["request"]), vector["now"].as_i64().unwrap() * 1_000);
        let Err(Reject::NeedKey { url, .. }) = receive(&request, &secrets, &Keys::new(), now) else {
            panic!("{} needs a key", vector["name"])
        };
        let keys = Keys::from([(url, vector["jwks"].to_string())]);
        let judged = receive(&request, &secrets, &keys, now);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    let judged = |secrets: &Secrets| receive(&unsigned, secrets, &Keys::new(), NOW);
    assert_eq!(judged(&secrets()), Err(Reject::Forged("no authorization")));
    assert_eq!(judged(&Secrets::default()), Err(Reject::NotSetUp("app_id")));
}

/// What a recorded activity comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    let signed = Teams.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets(), NOW);
    match receive(&signed, &secrets(), &Teams.keys(&Value::Null), NOW).unwrap() {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(_, kind) => Err(kind),
        Received::Events { mut inbound, .. } => Ok(inbound.remove(0)),
    }
}

#[test]
fn reads_recorded_activities() {
    for (case, text, kind, addressed, home) in [
        ("dm_text", "2 < 3 & olá 👋", Kind::Dm, true, Home::Yes),
        ("channel_mention", "summarise this", Kind::Group, true, Home::Yes),
        ("channel_other_mention", "<at>Bob</at> hi", Kind::Group, false, Home::Yes),
        ("groupchat_mention_only", "/help", Kind::Group, true, Home::Yes),
        ("foreign_tenant", "hello", Kind::Dm, true, Home::No),
        ("webchat", "hello", Kind::Dm, true, Home::No),
    ] {
        let inbound = came_to(case).unwrap();
        let got = (inbound.text(), inbound.kind, inbound.addressed, inbound.sender.home);
        assert_eq!(got, (text, kind, addressed, home), "{case}");
    }
    let thread = came_to("channel_mention").unwrap();
    assert_eq!(
        (thread.conversation.chat.as_str(), thread.address.thread.as_deref()),
        ("19:x@thread.tacv2", Some("1794999990000"))
    );
    assert_eq!(came_to("webchat").unwrap().sender.id, "webchat:u1");
    for (case, kind) in [
        ("own_message", "bot"),
        ("membership", "membership"),
        ("edit", "edit"),
        ("reaction", "sign"),
        ("invoke", "invoke"),
        ("unknown", "unknown kind"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn only_what_lies_with_the_service_is_opened_with_the_token() {
    for (case, url, with_token) in [
        ("dm_file", "https://contoso.sharepoint.com/_layouts/15/download.aspx?UniqueId=1&tempauth=x", false),
        ("dm_image", "https://smba.trafficmanager.net/emea/v3/attachments/0-eus-d1/views/original", true),
    ] {
        let inbound = came_to(case).unwrap();
        assert_eq!(inbound.attachments.len(), 1, "{case}");
        let step = Teams.fetch(&inbound.attachments[0].fetch).steps.remove(0);
        assert_eq!(step.target, Target::Url(url.into()), "{case}");
        assert_eq!(step.auth != channel::Auth::None, with_token, "{case}");
    }
}

fn text_to(to: &Address) -> Step {
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
    Teams.post(&[Part::Text("**yes**".into())], to, &ctx).steps.remove(0)
}

#[test]
fn answers_of_the_service_are_understood() {
    let post = text_to(&came_to("dm_text").unwrap().address);
    let mint = (crate::spec::SPEC.tokens[0].mint)(&Value::Null);
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        assert_eq!(Teams.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    check(&post, 201, json!({"id": "1"}), Settled::Posted(Some("1".into())));
    check(&post, 401, json!({}), Settled::Renew("bot".into()));
    check(&post, 412, json!({}), Settled::Later(None));
    check(&post, 429, json!({}), Settled::Later(None));
    check(&post, 413, json!({}), Settled::Broken("HTTP 413".into()));
    check(&post, 403, json!({"error": {"code": "Forbidden"}}), Settled::Broken("Forbidden".into()));
    let gone = json!({"error": {"code": "BotNotInConversationRoster"}});
    assert!(
        matches!(Teams.settle(&post, &Response::json(403, &gone)), Settled::Broken(why) if why.contains("install"))
    );
    check(&mint, 503, json!({}), Settled::Later(None));
    let over = Teams.settle(&mint, &Response::json(401, &json!({"error": "invalid_client"})));
    assert!(matches!(over, Settled::Broken(why) if why.contains("app_password")));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for conversation in [None, Some("team")] {
        let secrets = secrets();
        let platform = "http://127.0.0.1:1/teams";
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
        let event = Teams.event(&message);
        let received = receive(&event.request, &secrets, &Teams.keys(&Value::Null), NOW);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!(
            (inbound[0].text(), inbound[0].addressed, inbound[0].sender.home),
            ("a < b", true, Home::Yes)
        );
        let step = text_to(&inbound[0].address);
        let (Target::Url(url), channel::Body::Json(body)) = (&step.target, &step.body) else { panic!() };
        let path = url.strip_prefix(platform).unwrap();
        let headers: Headers = [("authorization", "Bearer t")].into_iter().collect();
        let answer = Teams.answer(&Request::new("POST", path, headers, body.to_string()));
        assert!(matches!(Teams.settle(&step, &answer.response), Settled::Posted(Some(_))));
        assert_eq!(
            (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()),
            (event.reply_key.as_str(), "**yes**")
        );
    }
}
