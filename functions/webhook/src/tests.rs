use std::path::PathBuf;

use channel::local::{Local as _, Message};
use channel::{Keys, Secrets, Settled, Way, sign};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_000_000_000;
const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A secret of one byte repeated.
fn secret(byte: u8) -> String {
    format!("whsec_{}", sign::base64(&[byte; 32]))
}

fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn receive(request: &Request, secrets: &Secrets, now: i64) -> Result<Received, Reject> {
    Webhook.receive(
        request,
        &Context { account: "main", secrets, settings: &Value::Null, keys: &Keys::new(), now },
    )
}

fn fixture(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/webhook").join(path);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

fn request(of: &Value) -> Request {
    let headers = serde_json::from_value(of["headers"].clone()).unwrap();
    Request::new(of["method"].as_str().unwrap(), "/", headers, of["body"].as_str().unwrap())
}

#[test]
fn vectors_are_judged_right() {
    for vector in fixture("vectors.json").as_array().unwrap() {
        let secrets: std::collections::BTreeMap<String, String> =
            serde_json::from_value(vector["secrets"].clone()).unwrap();
        let now = vector["now"].as_i64().unwrap() * 1000;
        let judged = receive(&request(&vector["request"]), &secrets.into_iter().collect(), now);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"] == true, "{}: {judged:?}", vector["name"]);
    }
}

#[test]
fn keys_rotate_and_headers_have_two_names() {
    let (old, new, other) = (secret(1), secret(2), secret(3));
    let public = sign::hex(&sign::ed25519_public(&sign::from_hex(SEED).unwrap()).unwrap());
    let unsigned = request(&fixture("receive/dm_text.json")["request"]);
    let by = |pairs: &[(&str, &str)]| Webhook.sign(unsigned.clone(), &secrets(pairs), NOW);
    let check = |request: &Request, pairs: &[(&str, &str)], accepted: bool| {
        assert_eq!(receive(request, &secrets(pairs), NOW).is_ok(), accepted, "{request:?}");
    };
    let both = format!("{new} {old}");
    check(&by(&[("secret", &old)]), &[("secret", &both)], true);
    check(&by(&[("secret", &both)]), &[("secret", &old)], true);
    check(&by(&[("secret", &both)]), &[("secret", &other)], false);
    check(&by(&[("public_key_seed", SEED)]), &[("public_key", &public)], true);
    check(&by(&[("public_key_seed", SEED)]), &[("public_key", &public), ("secret", &other)], true);
    check(&by(&[("public_key_seed", SEED)]), &[("secret", &other)], false);
    check(&by(&[("secret", &old)]), &[("public_key", &public)], false);

    let signed = by(&[("secret", &old)]);
    let svix = |pairs: channel::Headers| {
        let renamed = pairs.iter().map(|(name, value)| (name.replace("webhook-", "svix-"), value.to_owned()));
        Request { headers: renamed.collect(), ..signed.clone() }
    };
    check(&svix(signed.headers.clone()), &[("secret", &old)], true);
}

#[test]
fn what_is_not_authentic_is_refused() {
    let own = secrets(&[("secret", &secret(1))]);
    let good = Webhook.sign(request(&fixture("receive/dm_text.json")["request"]), &own, NOW);
    assert!(receive(&good, &own, NOW).is_ok());
    for (name, value) in [
        ("webhook-id", "msg_other"),
        ("webhook-id", ""),
        ("webhook-timestamp", "1795000001"),
        ("webhook-timestamp", "99999999999999999999"),
        ("webhook-timestamp", "é"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,%%%é v1a,AAAA v2,AAAA"),
        ("webhook-signature", &good.headers.get("webhook-signature").unwrap().replace("v1,", "v1a,")),
        ("webhook-signature", good.headers.get("webhook-signature").unwrap().trim_end_matches('=')),
    ] {
        let mut bad = good.clone();
        bad.headers.set(name, value);
        assert!(matches!(receive(&bad, &own, NOW), Err(Reject::Forged(_))), "{name}: {value}");
    }
    let mut bad = good.clone();
    bad.body[3] ^= 1;
    assert!(receive(&bad, &own, NOW).is_err());
    for (later, fresh) in [(300_000, true), (301_000, false), (-300_000, true), (-301_000, false)] {
        assert_eq!(receive(&good, &own, NOW + later).is_ok(), fresh, "{later}");
    }
}

#[test]
fn without_a_usable_key_nothing_is_judged() {
    let good = request(&fixture("receive/dm_text.json")["request"]);
    for none in
        [&[][..], &[("secret", "whsec_")], &[("secret", "whsec_c2hvcnQ=")], &[("public_key", "whpk_AAEC")]]
    {
        assert_eq!(receive(&good, &secrets(none), NOW), Err(Reject::NotSetUp("secret")));
    }
}

/// A line that says what a recorded request became.
fn told(received: Received) -> String {
    match received {
        Received::Handshake(_) => "handshake".to_owned(),
        Received::Nothing(ack, kind) => {
            format!("{} {kind} {}", ack.status, ack.body_json()["reason"].as_str().unwrap_or("-"))
        }
        Received::Events { ack, on_failure, inbound } => {
            assert_eq!((ack.status, on_failure.status), (202, 503));
            assert_eq!(ack.body_json(), json!({"status": "queued"}));
            let [one] = inbound.as_slice() else { panic!("one message") };
            let files: String =
                one.attachments.iter().map(|a| format!(" [{} {}]", a.media_type, a.fetch.id)).collect();
            let thread = one.conversation.thread.as_deref().unwrap_or("-");
            let heard = if one.addressed { "to us" } else { "aside" };
            let quote = one.address.reply_to.as_deref().unwrap();
            let place = &one.conversation.chat;
            format!("{:?} {place}/{thread} ^{quote} {heard} at {}: {}{files}", one.kind, one.at, one.text())
        }
    }
}

#[test]
fn recorded_requests_become_messages() {
    let own = secrets(&[("secret", &secret(1))]);
    for (name, expected) in [
        ("dm_text", "Dm c-1/- ^m-1 to us at 1795000000000: Wie spät ist es? 👋"),
        ("dm_least", "Dm c-1/- ^msg_2KWPBgLlAfxdpx2AI54pPJ85f02 to us at 1795000000000: hi"),
        ("dm_command", "Dm c-1/- ^m-1 to us at 1795000000000: /new"),
        (
            "dm_attachment",
            "Dm c-1/- ^m-1 to us at 1795000000000: what is this? [image/png https://files.example.com/a.png]",
        ),
        ("group_mention", "Group team/- ^m-1 to us at 1795000000000: hello"),
        ("group_chatter", "Group team/- ^m-1 aside at 1795000000000: hello"),
        ("thread", "Group team/t-9 ^m-1 to us at 1795000000000: hello"),
        ("ignored_bot", "202 bot written by a bot"),
        ("ignored_empty", "202 empty neither text nor attachments"),
        ("incomplete", "202 incomplete data: missing field `conversation_id`"),
        ("unknown", "204 unknown -"),
        ("no_json", "202 unknown this is no JSON with a type"),
    ] {
        let case = fixture(&format!("receive/{name}.json"));
        let signed = Webhook.sign(request(&case["request"]), &own, NOW);
        assert_eq!(told(receive(&signed, &own, NOW).unwrap()), expected, "{name}");
    }
}

#[test]
fn answers_become_signed_posts_under_a_stable_id() {
    let post = |name: &str, now: i64| {
        let case = fixture(&format!("post/{name}.json"));
        let parts: Vec<Part> = serde_json::from_value(case["parts"].clone()).unwrap();
        let to: Address = serde_json::from_value(case["address"].clone()).unwrap();
        let plain = case["plain"] == true;
        let ctx = PostContext { settings: &Value::Null, key: "turn", way: Way::Reply, plain, now };
        Webhook.post(&parts, &to, &ctx).steps
    };
    let steps = post("thread", NOW);
    let [step] = steps.as_slice() else { panic!("one step") };
    let expected = json!({"type": "message.reply", "timestamp": "2026-11-18T11:06:40Z", "data":
        {"conversation_id": "c-1", "thread_id": "t-9", "in_reply_to": "m-1", "text": "Yes.", "format": "markdown"}});
    assert_eq!(step.body, channel::Body::Json(expected));
    assert_eq!(step.auth, post("thread", NOW + 60_000)[0].auth);
    let channel::Body::Json(markdown) = &post("markdown", NOW)[0].body else { panic!("JSON") };
    assert!(markdown["data"]["text"].as_str().unwrap().contains("| a | b |"));
    let channel::Body::Json(plain) = &post("plain", NOW)[0].body else { panic!("JSON") };
    assert_eq!((&plain["data"]["text"], &plain["data"]["format"]), (&json!("Yes."), &json!("text")));
}

#[test]
fn answers_of_the_program_are_understood() {
    let reply = Step::json("reply", "", json!({}));
    let check = |status: u16, expected: Settled| {
        assert_eq!(Webhook.settle(&reply, &Response::empty(status)), expected, "{status}");
    };
    check(202, Settled::Posted(None));
    for status in [404, 410] {
        let settled = Webhook.settle(&reply, &Response::empty(status));
        assert!(
            matches!(&settled, Settled::Broken(why) if why.starts_with(&format!("HTTP {status}: "))),
            "{settled:?}"
        );
    }
    check(400, Settled::Broken("HTTP 400".into()));
    check(503, Settled::Later(None));
    let what = Fetch { account: "main".into(), id: "https://files.example.com/a.png".into() };
    let fetched = Webhook.settle(&Webhook.fetch(&what).steps[0], &Response::text(200, "png"));
    assert_eq!(fetched, Settled::Fetched(b"png".to_vec()));
}

#[test]
fn the_stand_in_speaks_as_a_program_does() {
    let own = secrets(&[("secret", &secret(1))]);
    for (conversation, chat) in [(None, "dm-ana"), (Some("team"), "team")] {
        let message = Message {
            url: "https://x.example/main/",
            account: "main",
            text: "hello",
            user: "ana",
            conversation,
            id: "m1",
            secrets: &own,
            platform: "http://127.0.0.1:1/webhook",
            now: NOW,
        };
        let event = Webhook.event(&message);
        let heard = told(receive(&event.request, &own, NOW).unwrap());
        assert!(heard.contains(&format!("{chat}/- ^m1 to us at {NOW}: hello")), "{heard}");
        assert_eq!(event.reply_key, chat);
    }
    let body =
        json!({"type": "message.reply", "data": {"conversation_id": "team", "text": "hi"}}).to_string();
    let unsigned = Request::new("POST", "/reply", Default::default(), body);
    assert_eq!(Webhook.answer(&unsigned).response.status, 401);
    let said = Webhook.answer(&Webhook.sign(unsigned.clone(), &own, NOW)).said.remove(0);
    assert_eq!((said.reply_key.as_str(), said.text.as_str()), ("team", "hi"));
    let odd = Request { body: b"[7]".to_vec(), ..unsigned };
    assert_eq!(Webhook.answer(&Webhook.sign(odd, &own, NOW)).response.status, 422);
}
