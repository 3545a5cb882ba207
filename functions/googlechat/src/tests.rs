//! Recorded events, rendered replies and Google's answers, each in its table.

use std::path::PathBuf;

use channel::local::{Local, Message, platform_key};
use channel::{
    Address, Auth, Body, Channel, Choice, Context, Fetch, Grown, Headers, Home, Inbound, Keys, Kind, Part,
    PostContext, Received, Reject, Request, Response, Secrets, Settled, Step, Target, Way, jwt,
};
use serde_json::{Value, json};

use crate::GoogleChat;
use crate::spec::SPEC;

const NOW: i64 = 1_795_000_002_000;
const URL: &str = "https://gw.example.com/googlechat";
const ACCOUNT: &str = "service-1234567890@gcp-sa-gsuiteaddons.iam.gserviceaccount.com";

fn read(path: &str) -> Value {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/googlechat");
    serde_json::from_slice(&std::fs::read(events.join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap_or("/");
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

fn secrets(of: &[(&str, &str)]) -> Secrets {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn addon() -> Secrets {
    secrets(&[("audience", URL), ("addon_account", ACCOUNT)])
}

fn classic() -> Secrets {
    secrets(&[("audience", "1234567890")])
}

fn receive(request: &Request, secrets: &Secrets, keys: &Keys, settings: &Value) -> Result<Received, Reject> {
    GoogleChat.receive(request, &Context { account: "main", secrets, settings, keys, now: NOW })
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let name = &vector["name"];
        let secrets = GoogleChat.expecting(&vector["expect_claims"]);
        let (request, now) = (request(&vector["request"]), vector["now"].as_i64().unwrap() * 1_000);
        let judge = |keys: &Keys| {
            let settings = &Value::Null;
            GoogleChat.receive(&request, &Context { account: "main", secrets: &secrets, settings, keys, now })
        };
        let judged = match judge(&Keys::new()) {
            Err(Reject::NeedKey { url, .. }) => judge(&Keys::from([(url, vector["jwks"].to_string())])),
            first => first,
        };
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{name}: {judged:?}");
    }
}

/// Judges a request whose token has these claims beside the times.
fn with_claims(secrets: &Secrets, claims: Value) -> Result<Received, Reject> {
    let mut claims = claims;
    claims["exp"] = json!(NOW / 1_000 + 3_600);
    let token = jwt::sign_rs256(platform_key().0, "local", &claims).unwrap();
    let headers: Headers = [("authorization", format!("Bearer {token}"))].into_iter().collect();
    receive(&Request::new("POST", URL, headers, "{}"), secrets, &GoogleChat.keys(&Value::Null), &Value::Null)
}

#[test]
fn only_the_account_of_this_app_is_taken() {
    let by_url = secrets(&[("audience", URL)]);
    let chat = "chat@system.gserviceaccount.com";
    let claims = |iss: &str, aud: &str, email: &str| json!({"iss": iss, "aud": aud, "email": email, "email_verified": true});
    let check = |secrets: &Secrets, claims: Value, taken: bool| {
        assert_eq!(with_claims(secrets, claims.clone()).is_ok(), taken, "{claims}");
    };
    check(&addon(), claims("https://accounts.google.com", URL, ACCOUNT), true);
    check(&addon(), claims("accounts.google.com", URL, ACCOUNT), true);
    // All classic apps share this account: anybody may point his app at our address.
    check(&addon(), claims("https://accounts.google.com", URL, chat), false);
    check(&addon(), claims("https://accounts.google.com", URL, &ACCOUNT.replace('1', "2")), false);
    check(&addon(), json!({"iss": "accounts.google.com", "aud": URL, "email": ACCOUNT}), false);
    check(&addon(), json!({"iss": "accounts.google.com", "aud": URL, "email_verified": true}), false);
    check(&addon(), claims(chat, URL, ACCOUNT), false);
    check(&by_url, claims("https://accounts.google.com", URL, chat), true);
    check(&by_url, claims("https://accounts.google.com", URL, ACCOUNT), false);
    check(&classic(), json!({"iss": chat, "aud": "1234567890"}), true);
    check(&classic(), claims("https://accounts.google.com", "1234567890", chat), false);
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    let judged = |secrets: &Secrets| receive(&unsigned, secrets, &Keys::new(), &Value::Null);
    assert_eq!(judged(&addon()), Err(Reject::Forged("no authorization")));
    assert_eq!(judged(&Secrets::default()), Err(Reject::NotSetUp("audience")));
    let need = |secrets: &Secrets| match receive(
        &GoogleChat.sign(unsigned.clone(), secrets, NOW),
        secrets,
        &Keys::new(),
        &Value::Null,
    ) {
        Err(Reject::NeedKey { url, .. }) => url,
        other => panic!("{other:?}"),
    };
    assert_eq!(need(&addon()), "https://www.googleapis.com/oauth2/v3/certs");
    let own = "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com";
    assert_eq!(need(&classic()), own);
}

/// What a recorded event comes to.
fn received(case: &str) -> Received {
    let recorded = read(&format!("receive/{case}.json"));
    let secrets = if case.starts_with("addon") { addon() } else { classic() };
    let signed = GoogleChat.sign(request(&recorded["request"]), &secrets, NOW);
    receive(&signed, &secrets, &GoogleChat.keys(&Value::Null), &recorded["settings"]).unwrap()
}

fn came_to(case: &str) -> Result<Inbound, &'static str> {
    match received(case) {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(_, kind) => Err(kind),
        Received::Events { mut inbound, .. } => Ok(inbound.remove(0)),
    }
}

#[test]
fn reads_recorded_events() {
    let (dm, group) = (Kind::Dm, Kind::Group);
    let (t1, none) = (Some("spaces/SSS/threads/T1"), None);
    for (case, text, kind, addressed, thread) in [
        ("dm_text", "Qual é a capital? 👋", dm, true, none),
        ("dm_thread", "and then?", dm, true, Some("spaces/DDD/threads/T1")),
        ("dm_command", "/new", dm, true, none),
        ("dm_file", "", dm, true, none),
        ("dm_drive_file", "read this\n\nPlan https://drive.google.com/open?id=1AbC-d", dm, true, none),
        ("space_mention", "summarise this", group, true, t1),
        ("space_mention_only", "/help", group, true, t1),
        ("space_link", "https://support.example.com/cases/1", group, false, t1),
        ("group_mention", "hi", group, true, none),
        ("added_by_mention", "hello", group, true, t1),
        ("button", "/new", group, true, t1),
        ("quick_command", "/help", dm, true, none),
        ("addon_dm", "Another test message.", dm, true, none),
        ("addon_mention", "hello", group, true, t1),
        ("addon_command", "/ask what is new?", group, true, t1),
        ("addon_button", "Yes, please", dm, true, none),
    ] {
        let inbound = came_to(case).unwrap();
        assert_eq!((inbound.text(), inbound.kind, inbound.addressed), (text, kind, addressed), "{case}");
        assert_eq!(inbound.address.thread.as_deref(), thread, "{case}");
        assert_eq!(inbound.sender.id, "users/1000", "{case}");
        assert_eq!(inbound.address.data.contains_key("addon"), case.starts_with("addon"), "{case}");
    }
    for (case, kind) in [
        ("added", "membership"),
        ("addon_removed", "membership"),
        ("app_home", "card"),
        ("bot", "bot"),
        ("other_button", "another button"),
        ("unknown_command", "unknown command"),
        ("empty", "empty"),
        ("unknown", "unknown kind"),
        ("addon_unknown", "unknown kind"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_message_is_known_by_its_name_and_a_click_by_its_time() {
    let (text, click) = (came_to("dm_text").unwrap(), came_to("button").unwrap());
    assert_eq!((text.id.as_str(), text.at), ("spaces/DDD/messages/T1.M1", 1_795_000_000_123));
    assert_eq!(click.id, "spaces/SSS/messages/T1.M1:users/1000:2026-11-18T11:06:42Z");
    assert_eq!(click.at, 1_795_000_002_000);
    assert_eq!(came_to("quick_command").unwrap().id, "spaces/DDD:users/1000:2026-11-18T11:06:40.123456Z");
}

#[test]
fn at_home_is_a_workspace_account_of_our_domain() {
    for (case, home) in [("home", Home::Yes), ("foreign", Home::No), ("dm_text", Home::Unknown)] {
        assert_eq!(came_to(case).unwrap().sender.home, home, "{case}");
    }
    // The same address with an account that belongs to no Workspace.
    let mut recorded = read("receive/home.json");
    let body = recorded["request"]["body"].as_str().unwrap().replace("\"domainId\":\"1abc\"", "\"x\":\"\"");
    recorded["request"]["body"] = json!(body);
    let signed = GoogleChat.sign(request(&recorded["request"]), &classic(), NOW);
    let keys = GoogleChat.keys(&Value::Null);
    let Received::Events { inbound, .. } =
        receive(&signed, &classic(), &keys, &recorded["settings"]).unwrap()
    else {
        panic!("taken")
    };
    assert_eq!(inbound[0].sender.home, Home::No);
}

#[test]
fn acknowledges_as_each_kind_of_app_must() {
    for (case, ack, failure) in [
        ("dm_text", json!({}), "/text"),
        ("addon_dm", json!({}), "/hostAppDataAction/chatDataAction/createMessageAction/message/text"),
        (
            "addon_button",
            json!({"hostAppDataAction": {"chatDataAction": {"updateMessageAction": {"message":
                {"text": "*Go on?*", "markupSyntax": "MARKUP_SYNTAX_CHAT"}}}}}),
            "/hostAppDataAction/chatDataAction/createMessageAction/message/text",
        ),
    ] {
        let Received::Events { ack: got, on_failure, .. } = received(case) else { panic!("{case}") };
        assert_eq!((got.status, got.body_json()), (200, ack), "{case}");
        let asks = on_failure.body_json().pointer(failure).and_then(Value::as_str).map(str::to_owned);
        assert!(asks.is_some_and(|text| text.contains("send that again")), "{case}");
    }
}

#[test]
fn files_are_fetched_by_their_name_with_the_token() {
    let inbound = came_to("dm_file").unwrap();
    let step = GoogleChat.fetch(&inbound.attachments[0].fetch).steps.remove(0);
    let path = "/v1/media/ClxzcGFjZXMv/REREL2F0%3D%3D?alt=media".to_owned();
    assert_eq!(step.target, Target::Base { base: "api".into(), path });
    assert_eq!(step.auth, Auth::Token("chat".into()));
    let file = Response::text(200, "bytes");
    assert_eq!(GoogleChat.settle(&step, &file), Settled::Fetched(b"bytes".to_vec()));
    let odd = Fetch { account: "main".into(), id: "../{service_account}".into() };
    let Target::Base { path, .. } = GoogleChat.fetch(&odd).steps.remove(0).target else { panic!() };
    assert_eq!(path, "/v1/media/%2E%2E/%7Bservice_account%7D?alt=media");
    assert!(came_to("dm_drive_file").unwrap().attachments.is_empty());
}

fn steps(parts: &[Part], to: &Address) -> Vec<Step> {
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
    GoogleChat.post(parts, to, &ctx).steps
}

fn path(step: &Step) -> &str {
    let Target::Base { path, .. } = &step.target else { panic!("{:?}", step.target) };
    path
}

#[test]
fn no_draft_has_the_key_of_its_answer() {
    let to = Address { chat: "spaces/S".into(), ..Address::default() };
    let text = || "hello".to_owned();
    let draft = steps(&[Part::Draft { text: text(), posted: None, grown: Grown::Edited }], &to).remove(0);
    let answer = steps(&[Part::Text(text())], &to).remove(0);
    assert!(draft.optional && !answer.optional);
    assert_ne!(path(&draft), path(&answer));
    assert_eq!(path(&answer), path(&steps(&[Part::Text("else".into())], &to)[0]), "the same on every retry");
    let two = steps(&[Part::Text("word ".repeat(1_000))], &to);
    assert_ne!(path(&two[0]), path(&two[1]));
}

#[test]
fn an_add_ons_buttons_call_the_endpoint() {
    let choice = |says: &str| Choice { label: says.to_owned(), says: says.to_owned() };
    let buttons = Part::Buttons { text: "Go on?".into(), choices: vec![choice("yes"), choice("no")] };
    let mut to = Address { chat: "spaces/S".into(), ..Address::default() };
    assert!(matches!(steps(std::slice::from_ref(&buttons), &to)[0].body, Body::Json(_)));
    to.data.insert("addon".into(), "yes".into());
    let Body::JsonWithSecrets { value, fill } = steps(&[buttons], &to).remove(0).body else { panic!() };
    assert_eq!(fill.len(), 2);
    for (pointer, secret) in fill {
        assert_eq!((value.pointer(&pointer), secret.as_str()), (Some(&json!("say")), "audience"));
    }
    let many =
        Part::Buttons { text: "?".into(), choices: (0..99).map(|_| choice(&"x".repeat(99))).collect() };
    assert!(matches!(&steps(&[many], &to)[0].body, Body::Json(body) if body["accessoryWidgets"].is_null()));
}

#[test]
fn answers_of_google_are_understood() {
    let to = Address { chat: "spaces/S".into(), ..Address::default() };
    let post = steps(&[Part::Text("hello".into())], &to).remove(0);
    let mint = (SPEC.tokens[0].mint)(&Value::Null);
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        assert_eq!(GoogleChat.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    let refused = |name: &str| json!({"error": {"status": name, "message": "our text"}});
    check(
        &post,
        200,
        json!({"name": "spaces/S/messages/1.2"}),
        Settled::Posted(Some("spaces/S/messages/1.2".into())),
    );
    check(&post, 401, refused("UNAUTHENTICATED"), Settled::Renew("chat".into()));
    check(&post, 429, refused("RESOURCE_EXHAUSTED"), Settled::Later(None));
    check(&post, 503, json!({}), Settled::Later(None));
    check(&post, 404, refused("NOT_FOUND"), Settled::Gone);
    check(&post, 400, refused("INVALID_ARGUMENT"), Settled::Broken("INVALID_ARGUMENT".into()));
    let gone = GoogleChat.settle(&post, &Response::json(403, &refused("PERMISSION_DENIED")));
    assert!(
        matches!(gone, Settled::Broken(why) if why.starts_with("PERMISSION_DENIED") && !why.contains("our text"))
    );
    check(&mint, 500, json!({}), Settled::Later(None));
    let over = GoogleChat.settle(&mint, &Response::json(400, &json!({"error": "invalid_grant"})));
    assert!(matches!(over, Settled::Broken(why) if why.contains("service_account")));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for (secrets, conversation) in
        [(classic(), None), (classic(), Some("team")), (addon(), None), (addon(), Some("team"))]
    {
        let message = Message {
            url: URL,
            account: "main",
            text: "a < b",
            user: "ana",
            conversation,
            id: "7",
            secrets: &secrets,
            platform: "http://127.0.0.1:1/googlechat",
            now: NOW,
        };
        let event = GoogleChat.event(&message);
        let received = receive(&event.request, &secrets, &GoogleChat.keys(&Value::Null), &Value::Null);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].addressed, inbound[0].at), ("a < b", true, NOW));
        let call = |step: &Step, token: bool| {
            let Body::Json(body) = &step.body else { panic!() };
            let headers: Headers = [("authorization", "Bearer t")].into_iter().filter(|_| token).collect();
            let url = format!("/api{}", path(step));
            GoogleChat.answer(&Request::new(&step.method, &url, headers, body.to_string()))
        };
        let step = steps(&[Part::Text("**yes**".into())], &inbound[0].address).remove(0);
        let answer = call(&step, true);
        let Settled::Posted(Some(posted)) = GoogleChat.settle(&step, &answer.response) else { panic!() };
        let said = |answer: channel::local::Answer| {
            answer.said.into_iter().map(|said| (said.reply_key, said.text)).collect::<Vec<_>>()
        };
        assert_eq!(said(answer), [(event.reply_key.clone(), "*yes*".to_owned())]);
        let edit =
            steps(&[Part::Edit { posted, text: "no".into(), grown: Grown::Edited }], &inbound[0].address)
                .remove(0);
        assert_eq!(said(call(&edit, true)), [(event.reply_key, "no".to_owned())]);
        assert_eq!(call(&edit, false).response.status, 401);
    }
}
