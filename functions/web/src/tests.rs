use channel::local::{Local as _, Message};
use channel::{Headers, Home, Keys, Secrets, Settled, Target, Way, sign};
use serde_json::{Value, json};

use super::*;
use crate::session::{LIFE_MS, Session};

mod files;
mod programs;

const NOW: i64 = 1_795_000_002_000;
const SITE: &str = "https://www.example.com";
const VISITOR: &str = "0123456789abcdef0123456789abcdef";

fn secrets() -> Secrets {
    [("session_key", "session-key"), ("identity_key", "identity-key"), ("api_key", "key-one key-two")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

fn with<T>(now: i64, test: impl FnOnce(&Context<'_>) -> T) -> T {
    let (secrets, settings, keys) = (secrets(), json!({"origins": [SITE]}), Keys::new());
    test(&Context { account: "main", secrets: &secrets, settings: &settings, keys: &keys, now })
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Request {
    let headers: Headers = headers.iter().copied().collect();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Request::new(method, &format!("https://x.example/{}", path.trim_start_matches('/')), headers, body)
}

/// The answer to a page that asks for a session.
fn begin(origin: &str, address: &str, body: &Value) -> Response {
    let request = request("POST", "/main/session", &[("origin", origin)], body);
    with(NOW, |ctx| session::begin(&request, address, ctx))
}

fn token(origin: &str, address: &str, body: &Value) -> String {
    let answer = begin(origin, address, body);
    assert_eq!(answer.status, 200, "{}", answer.body_json());
    answer.body_json()["token"].as_str().unwrap().to_owned()
}

fn opened(token: &str) -> Session {
    session::open("session-key", token, Some(SITE), NOW).unwrap()
}

/// A token of the site's server.
fn identity(key: &str, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| sign::base64url(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(header), encode(claims));
    format!("{signed}.{}", sign::base64url(&sign::hmac_sha256(key.as_bytes(), &[signed.as_bytes()])))
}

fn receive(path: &str, proof: &str, body: &Value) -> Result<Received, Reject> {
    let method = if body.is_null() { "GET" } else { "POST" };
    let request =
        request(method, path, &[("origin", SITE), ("authorization", &format!("Bearer {proof}"))], body);
    with(NOW, |ctx| Web.receive(&request, ctx))
}

#[test]
fn requests_are_told_apart_by_method_and_end_of_path() {
    for (method, path, route) in [
        ("GET", "/main/widget.js", Route::Widget),
        ("OPTIONS", "/main/messages", Route::Preflight),
        ("POST", "/session", Route::Session),
        ("POST", "/messages/", Route::Message),
        ("POST", "/main/files", Route::File),
        ("GET", "/main/messages", Route::Read),
        ("GET", "/events", Route::Events),
        ("POST", "/v1/chat/completions", Route::Complete),
        ("GET", "/main/v1/models", Route::Models),
        ("GET", "/main/v1/models/crabhook", Route::Model),
        ("POST", "/v1/responses", Route::OtherOfPrograms),
        ("GET", "/main/v1/chat/completions", Route::OtherOfPrograms),
        ("PUT", "/messages", Route::Other),
        ("GET", "/", Route::Other),
    ] {
        assert_eq!(Route::of(&request(method, path, &[], &Value::Null)), route, "{method} {path}");
    }
}

#[test]
fn a_session_is_for_allowed_sites_and_the_same_for_the_same_visitor() {
    let asked = json!({"visitor": VISITOR});
    let first = opened(&token(SITE, "192.0.2.1", &asked));
    let again = opened(&token(SITE, "198.51.100.7", &asked));
    assert_eq!(first.id, again.id, "the same conversation from anywhere");
    assert_ne!(first.user, again.user, "caps are on the address");
    assert!(first.user.starts_with("visitor:") && !first.user.contains("192.0.2.1") && !first.known);
    assert_eq!(first.until, NOW + LIFE_MS);
    let other = opened(&token(SITE, "192.0.2.1", &json!({"visitor": VISITOR.replace('0', "9")})));
    assert_ne!(first.id, other.id);
    assert_eq!(first.user, other.user);
    for (origin, body, status) in [
        ("https://evil.example", &asked, 403),
        ("", &asked, 403),
        ("null", &asked, 403),
        (SITE, &json!({"visitor": "short"}), 400),
        (SITE, &json!({"visitor": "x".repeat(129)}), 400),
        (SITE, &json!({"visitor": "not/allowed/not/allowed/"}), 400),
        (SITE, &json!([]), 400),
    ] {
        assert_eq!(begin(origin, "192.0.2.1", body).status, status, "{origin} {body}");
    }
}

/// Otherwise the widget of everybody who will get no answer would wait for one.
#[test]
fn whom_nobody_would_answer_gets_no_session() {
    let request = request("POST", "/session", &[("origin", SITE)], &json!({"visitor": VISITOR}));
    for (access, status) in [
        (Value::Null, 200),
        (json!("open"), 200),
        (json!("pairing"), 200),
        (json!("workspace"), 403),
        (json!("owner"), 403),
    ] {
        let (secrets, keys, settings) = (secrets(), Keys::new(), json!({"origins": "*", "access": access}));
        let ctx = Context { account: "main", secrets: &secrets, settings: &settings, keys: &keys, now: NOW };
        assert_eq!(session::begin(&request, "192.0.2.1", &ctx).status, status, "{access}");
    }
}

#[test]
fn an_address_of_ipv6_is_its_network() {
    for (address, network) in [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ] {
        assert_eq!(session::network(address), network);
    }
}

#[test]
fn who_is_signed_in_is_known_by_the_sites_own_token_only() {
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let soon = NOW / 1_000 + 3_600;
    let person = json!({"sub": "u-7", "name": "Ada", "exp": soon});
    let ask = |token: String| json!({"visitor": VISITOR, "identity": token});
    let session = opened(&token(SITE, "192.0.2.1", &ask(identity("identity-key", &hs256, &person))));
    assert_eq!((session.user.as_str(), session.name.as_str(), session.known), ("u-7", "Ada", true));
    let elsewhere = ask(identity("identity-key", &hs256, &person)).to_string().replace(VISITOR, "another");
    let elsewhere: Value = serde_json::from_str(&elsewhere).unwrap();
    assert_eq!(
        opened(&token(SITE, "198.51.100.7", &elsewhere)).id,
        session.id,
        "another browser, one conversation"
    );

    let with = |name: &str, value: Value| {
        let mut claims = person.clone();
        claims[name] = value;
        identity("identity-key", &hs256, &claims)
    };
    for (bad, why) in [
        (identity("other-key", &hs256, &person), "not signed with"),
        (identity("identity-key", &json!({"alg": "none"}), &person), "HS256"),
        (with("exp", json!(NOW / 1_000 - 61)), "is over"),
        (with("exp", json!(NOW / 1_000 + 90_000)), "too long"),
        (with("exp", Value::Null), "exp"),
        (with("sub", json!("")), "sub"),
        (with("sub", json!("visitor:1")), "sub"),
        (with("sub", json!("api:1")), "sub"),
        ("a.b".to_owned(), "three parts"),
    ] {
        let answer = begin(SITE, "192.0.2.1", &ask(bad));
        let said = answer.body_json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == 401 && said.contains(why), "{said}");
    }
}

#[test]
fn a_token_counts_for_an_hour_for_its_own_page_and_unchanged() {
    let good = token(SITE, "192.0.2.1", &json!({"visitor": VISITOR}));
    let open = |token: &str, origin, now| session::open("session-key", token, origin, now).is_ok();
    assert!(open(&good, Some(SITE), NOW) && open(&good, Some(SITE), NOW + LIFE_MS - 1));
    assert!(!open(&good, Some(SITE), NOW + LIFE_MS));
    assert!(!open(&good, Some("https://evil.example"), NOW) && !open(&good, None, NOW));
    assert!(session::open("another-key", &good, Some(SITE), NOW).is_err());
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(!open(&changed, Some(SITE), NOW), "character {at}");
    }
}

/// A key is replaced in three steps, between which nobody is signed out and no conversation ends: both, the new one first; the
/// old one as `id_seed`; the new one alone.
#[test]
fn keys_are_replaced_while_people_talk() {
    let claims = json!({"sub": "u-7", "exp": NOW / 1_000 + 60});
    let signed = |key: &str| json!({"identity": identity(key, &json!({"alg": "HS256"}), &claims)});
    let begin = |session: &str, seed: &str, key: &str| {
        let request = request("POST", "/main/session", &[("origin", SITE)], &signed(key));
        let named =
            [("session_key", session), ("id_seed", seed), ("identity_key", "identity-new identity-old")];
        let secrets: Secrets =
            named.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let (settings, keys) = (json!({"origins": [SITE]}), Keys::new());
        let ctx = Context { account: "main", secrets: &secrets, settings: &settings, keys: &keys, now: NOW };
        let answer = session::begin(&request, "192.0.2.1", &ctx);
        assert_eq!(session::is_taken(&request, &ctx), answer.status == 200);
        answer.body_json()["token"].as_str().map(str::to_owned)
    };
    let open = |keys: &str, token: &Option<String>| {
        session::open(keys, token.as_ref().unwrap(), Some(SITE), NOW).map(|session| session.id)
    };
    let before = begin("old", "", "identity-old");
    let id = open("old", &before).unwrap();
    let meanwhile = begin("new old", "", "identity-new");
    assert_eq!(open("new", &meanwhile).as_ref(), Ok(&id), "the first key signs");
    assert_eq!(open("new old", &before).as_ref(), Ok(&id), "all of them open");
    assert_eq!(open("new", &begin("new", "old", "identity-old")).as_ref(), Ok(&id));
    assert!(open("new", &before).is_err(), "what was given up opens nothing");
    assert_ne!(open("new", &begin("new", "", "identity-old")).as_ref(), Ok(&id));
    assert_eq!(begin("new", "", "identity-key"), None);
}

#[test]
fn pages_of_named_sites_may_read_answers() {
    let allowed = |settings: Value, origin: Option<&str>| {
        let mut answer = Response::empty(200);
        cors::allow(&mut answer, origin, &settings);
        assert_eq!(answer.headers.get("vary"), Some("Origin"));
        assert_eq!(answer.headers.get("access-control-allow-credentials"), None);
        answer.headers.get("access-control-allow-origin").map(str::to_owned)
    };
    let list = json!({"origins": [SITE, "http://127.0.0.1:8080/"]});
    assert_eq!(allowed(list.clone(), Some(SITE)).as_deref(), Some(SITE));
    assert_eq!(
        allowed(list.clone(), Some("http://127.0.0.1:8080")).as_deref(),
        Some("http://127.0.0.1:8080")
    );
    assert_eq!(allowed(list.clone(), Some("https://www.example.com.evil.example")), None);
    assert_eq!(allowed(list, None), None);
    assert_eq!(
        allowed(json!({"origins": "*"}), Some("https://a.example")).as_deref(),
        Some("https://a.example")
    );
    assert_eq!(allowed(Value::Null, Some(SITE)), None);
    let preflight = cors::preflight();
    assert_eq!(
        (preflight.status, preflight.headers.get("access-control-allow-headers")),
        (204, Some("authorization, content-type"))
    );
}

#[test]
fn a_visitors_message_is_a_message_of_an_address() {
    let proof = token(SITE, "192.0.2.1", &json!({"visitor": VISITOR}));
    let body = json!({"id": "m-1", "text": "hello", "attachments": [
        {"url": "https://files.example.com/a.png", "name": "a.png", "mime": "image/png", "size": 5}, {"url": "http://10.0.0.1/"}]});
    let Received::Events { ack, on_failure, inbound } = receive("/messages", &proof, &body).unwrap() else {
        panic!("a message")
    };
    assert_eq!((ack.status, on_failure.status), (202, 503));
    assert_eq!(ack.body_json(), json!({"status": "queued", "id": "m-1", "at": NOW}));
    let [one] = inbound.as_slice() else { panic!("one") };
    assert_eq!((one.sender.home, one.text(), one.attachments.len()), (Home::No, "hello", 1));
    assert!(one.sender.id.starts_with("visitor:") && one.id.ends_with(":m-1"));
    for (body, why) in [
        (json!({"text": "no id"}), "id must be"),
        (json!({"id": "x".repeat(65), "text": "long id"}), "id must be"),
        (json!({"id": "1", "text": "  "}), "neither text"),
        (json!({"id": "1", "text": " CLAIM-00ff"}), "signed in"),
        (json!(7), "no JSON"),
    ] {
        let Received::Nothing(ack, _) = receive("/messages", &proof, &body).unwrap() else {
            panic!("{body}")
        };
        let said = ack.body_json();
        assert!(ack.status == 202 && said["reason"].as_str().unwrap().contains(why), "{said}");
    }
    assert!(receive("/messages", "key-one", &body).is_err(), "a program's key is no session");
    assert!(receive("/v1/models", &proof, &Value::Null).is_err(), "a session is no program's key");
}

#[test]
fn whoever_is_signed_in_may_claim_the_assistant() {
    let claims = json!({"sub": "u-7", "exp": NOW / 1_000 + 60});
    let asked = json!({"identity": identity("identity-key", &json!({"alg": "HS256"}), &claims)});
    let proof = token(SITE, "192.0.2.1", &asked);
    let received = receive("/messages", &proof, &json!({"id": "1", "text": "claim-00ff"})).unwrap();
    let Received::Events { inbound, .. } = received else { panic!("taken") };
    assert_eq!((inbound[0].sender.id.as_str(), inbound[0].sender.home), ("u-7", Home::Yes));
}

fn post(parts: &[Part], now: i64) -> Vec<Step> {
    let data = [("at".to_owned(), "1795000000123".to_owned()), ("to".to_owned(), "m-1".to_owned())].into();
    let (channel, account) = ("web".to_owned(), "main".to_owned());
    let to = Address { channel, account, chat: "s-1".to_owned(), data, ..Address::default() };
    let ctx = PostContext { settings: &Value::Null, key: "turn", way: Way::Reply, plain: false, now };
    Web.post(parts, &to, &ctx).steps
}

fn item(step: &Step) -> Value {
    let channel::Body::JsonWithSecrets { value, fill } = &step.body else { panic!("{step:?}") };
    assert_eq!(fill, &[("/TableName".to_owned(), "aws:table".to_owned())]);
    value.clone()
}

#[test]
fn a_reply_is_an_item_that_is_put_once() {
    let steps = post(&[Part::Text("Hello, **Ada**.".into())], NOW);
    let [step] = steps.as_slice() else { panic!("one part") };
    let put = item(step);
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(pk)");
    assert_eq!(put["Item"]["pk"]["S"], "WEB#main#s-1");
    assert_eq!(
        (&put["Item"]["text"]["S"], &put["Item"]["to"]["S"]),
        (&json!("Hello, **Ada**."), &json!("m-1"))
    );
    assert!(step.repeatable && !step.optional);
    let later = item(&post(&[Part::Text("Hello, **Ada**.".into())], NOW + 60_000)[0]);
    assert_eq!(put["Item"]["sk"], later["Item"]["sk"], "the same key on every try");
    let parts = post(&[Part::Text("word ".repeat(20_000))], NOW);
    let keys: Vec<String> =
        parts.iter().map(|step| item(step)["Item"]["sk"]["S"].as_str().unwrap().to_owned()).collect();
    assert!(keys.len() > 2 && keys.is_sorted(), "{keys:?}");
    let sign = post(&[Part::Draft { text: "Hel".into(), posted: None }], NOW);
    assert_eq!((&item(&sign[0])["Item"]["sk"]["S"], sign[0].optional), (&json!("SIGN"), true));
}

#[test]
fn what_the_table_answers_is_understood() {
    let step = post(&[Part::Text("hi".into())], NOW).remove(0);
    let key = item(&step)["Item"]["sk"]["S"].as_str().unwrap().to_owned();
    let says = |status: u16, kind: &str| {
        Response::json(status, &json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}")}))
    };
    let settled = |response: &Response| Web.settle(&step, response);
    assert_eq!(settled(&Response::json(200, &json!({}))), Settled::Posted(Some(key.clone())));
    assert_eq!(settled(&says(400, "ConditionalCheckFailedException")), Settled::Posted(Some(key)));
    assert_eq!(settled(&says(400, "ThrottlingException")), Settled::Later(None));
    assert_eq!(settled(&says(500, "InternalServerError")), Settled::Later(None));
    for kind in ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"] {
        assert_eq!(settled(&says(400, kind)), Settled::Broken(format!("the table answers 400 {kind}")));
    }
    let what = Fetch { account: "main".into(), id: "https://files.example.com/a.png".into() };
    let fetch = Web.fetch(&what).steps.remove(0);
    assert!(matches!(&fetch.target, Target::Url(url) if *url == what.id));
    assert_eq!(Web.settle(&fetch, &Response::text(200, "png")), Settled::Fetched(b"png".to_vec()));
}

fn stored(sk: &str, at: i64, text: &str, of: u32) -> Item {
    let (sk, text, format) = (sk.to_owned(), text.to_owned(), "markdown".to_owned());
    Item { sk, at, text, part: 0, of, format, to: None, choices: None, media: None, kind: None, told: None }
}

#[test]
fn a_view_changes_when_something_is_said_or_written() {
    let (one, two) = (stored("OUT#1#00#a", 1, "one", 2), stored("OUT#1#01#b", 1, "two", 2));
    let sign = |at, text: &str| stored("SIGN", at, text, 0);
    let none = View::of(vec![]);
    let writing = View::of(vec![sign(1, "")]);
    let draft = View::of(vec![sign(1, "on")]);
    let first = View::of(vec![sign(1, "on"), one.clone()]);
    let whole = View::of(vec![two.clone(), one.clone()]);
    let states: std::collections::BTreeSet<String> =
        [&none, &writing, &draft, &first, &whole].map(View::state).into();
    assert_eq!(states.len(), 5);
    assert!(
        none.is_empty() && writing.is_writing() && !first.is_writing(),
        "an answered question is not being answered"
    );
    let text = whole.whole().map(|whole| whole.text);
    assert_eq!((draft.draft(), first.whole(), text.as_deref()), ("on", None, Some("one\n\ntwo")));
    let next = View::of(vec![one, two, sign(2, "more")]).json();
    assert_eq!(
        (&next["writing"], next["messages"][1]["text"].as_str()),
        (&json!({"at": 2, "text": "more"}), Some("two"))
    );
}

#[test]
fn the_stand_in_takes_what_the_table_would_take() {
    let own = secrets();
    let message = Message {
        url: "https://x.example/support",
        account: "support",
        text: "hello",
        user: "ana",
        conversation: None,
        id: "m1",
        secrets: &own,
        platform: "http://127.0.0.1:1/web",
        now: NOW,
    };
    let event = Web.event(&message);
    assert_eq!(event.request.url, "https://x.example/support/messages");
    let received = with(NOW, |ctx| Web.receive(&event.request, ctx)).unwrap();
    let Received::Events { inbound, .. } = received else { panic!("a message") };
    assert_eq!(
        (inbound[0].conversation.chat.as_str(), inbound[0].sender.id.as_str()),
        (event.reply_key.as_str(), "ana")
    );
    let put = |step: &Step, signed: bool| {
        let mut request = Request::new("POST", "/table/", step.headers.clone(), item(step).to_string());
        if signed {
            request.headers.set("authorization", "AWS4-HMAC-SHA256 …");
        }
        (Web.answer(&request), Web.known_by(&request))
    };
    let reply = post(&[Part::Text("hi".into())], NOW).remove(0);
    let (answer, key) = put(&reply, true);
    assert_eq!((answer.said[0].reply_key.as_str(), answer.said[0].text.as_str()), ("s-1", "hi"));
    assert!(key.unwrap().starts_with("WEB#main#s-1 OUT#1795000000123#00#"));
    assert_eq!(put(&reply, false).0.response.status, 400);
    let (sign, key) = put(&post(&[Part::Typing], NOW).remove(0), true);
    assert!(sign.said.is_empty() && sign.response.status == 200 && key.is_none());
}

/// Pages load it on every visit, so it stays small; what is left of it compressed is asserted in `tests/tests/web.rs`.
#[test]
fn the_widget_is_small_and_says_what_is_set() {
    let readme = include_str!("../README.md");
    let until = |text: &str, end: char| text.split(end).next().unwrap_or("").to_owned();
    let words = WIDGET.split("words('").skip(1).map(|rest| format!("`data-{}", until(rest, '\'')));
    let colours =
        WIDGET.split("var(--crabhook").skip(1).map(|rest| format!("--crabhook{}", until(rest, ',')));
    let others =
        ["`data-greeting`", "`data-identity`", "`data-identity-url`", "`data-uploads", "`data-address`"];
    let all: Vec<String> = words.chain(colours).chain(others.map(str::to_owned)).collect();
    assert!(all.len() > 30, "{all:?}");
    for setting in all {
        assert!(readme.contains(&setting), "{setting}");
    }
    let served = widget();
    assert!(served.len() <= 24 * 1024, "{} bytes", served.len());
    assert!(
        !served.contains("innerHTML")
            && !served.lines().any(|line| line.starts_with(' ') || line.starts_with("//"))
    );
}
