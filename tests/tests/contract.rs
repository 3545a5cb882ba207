//! What every channel must hold to: the contract of `shared/channel`, run over the whole registry.

#[path = "contract/streams.rs"]
mod streams;

use channel::local::{Local, Message};
use channel::{
    AuthKind, Choice, ConversationKey, Grown, Inbound, Kind, Media, Part, PostContext, Received, Request,
    Secrets, Way, encode, text,
};
use model_invoker::channels::LOCAL;
use model_invoker::outgoing::{self, Filling};
use serde_json::{Value, json};
use tests::fixtures::{NOW, leaks, secrets};

const PLATFORM: &str = "http://127.0.0.1:4567";
const URL: &str = "https://example.lambda-url.us-east-1.on.aws/";

fn message<'a>(
    secrets: &'a Secrets,
    text: &'a str,
    user: &'a str,
    conversation: Option<&'a str>,
    id: &'a str,
) -> Message<'a> {
    Message { url: URL, account: "main", text, user, conversation, id, secrets, platform: PLATFORM, now: NOW }
}

fn judge(room: &dyn Local, request: &Request, secrets: &Secrets) -> ingress::Verdict {
    let keys = room.keys(&Value::Null);
    let context =
        channel::Context { account: "main", secrets, settings: &Value::Null, keys: &keys, now: NOW };
    ingress::judge(room, request, &context)
}

/// The messages in an event of the room's own making.
fn inbound(room: &dyn Local, secrets: &Secrets, message: &Message<'_>) -> Inbound {
    let judged = judge(room, &room.event(message).request, secrets);
    let name = room.spec().name;
    assert!(
        (200..300).contains(&judged.response.status),
        "{name}: its own event got {}",
        judged.response.status
    );
    assert_eq!(judged.messages.len(), 1, "{name}");
    judged.messages.into_iter().next().unwrap()
}

/// The message's text, from the stand-in where the event only points to it.
fn text_of(room: &dyn Local, secrets: &Secrets, inbound: &Inbound) -> String {
    let channel::Content::Deferred(what) = &inbound.content else { return inbound.text().to_owned() };
    let mut settled = None;
    for step in room.fetch(what).steps {
        let request = outgoing::request(&step, room.spec(), &reachable(room), secrets, NOW).unwrap();
        settled = Some(room.settle(&step, &room.answer(&as_seen(room.spec().name, &request)).response));
    }
    let Some(channel::Settled::Fetched(text)) = settled else { panic!("{}: {settled:?}", room.spec().name) };
    String::from_utf8(text).unwrap()
}

#[test]
fn a_message_comes_through_whole() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let sent = message(&secrets, "héllo 👋 & <b>", "7", None, "1001");
        let inbound = inbound(*room, &secrets, &sent);
        assert_eq!(text_of(*room, &secrets, &inbound), "héllo 👋 & <b>", "{}", spec.name);
        assert_eq!((inbound.channel.as_str(), inbound.account.as_str()), (spec.name, "main"));
        assert_eq!(inbound.address.channel, spec.name);
        assert_eq!(inbound.address.account, "main", "{}", spec.name);
        assert_eq!(
            (inbound.kind, inbound.addressed, inbound.sender.bot),
            (Kind::Dm, true, false),
            "{}",
            spec.name
        );
        assert!((inbound.at - NOW).abs() <= 1_000, "{}: written at {}", spec.name, inbound.at);
        let stored = serde_json::to_string(&inbound).unwrap();
        assert_eq!(serde_json::from_str::<Inbound>(&stored).unwrap(), inbound);
        assert!(!leaks(&secrets, &stored), "{}: a secret is in the job", spec.name);
    }
}

#[test]
fn two_dms_share_a_history_and_nobody_elses() {
    for room in LOCAL {
        let secrets = secrets(*room);
        let key = |text, user, conversation, id| -> ConversationKey {
            inbound(*room, &secrets, &message(&secrets, text, user, conversation, id)).conversation_key()
        };
        let name = room.spec().name;
        assert_eq!(key("one", "7", None, "1001"), key("two", "7", None, "1002"), "{name}: two DMs");
        assert_ne!(
            key("one", "7", None, "1001"),
            key("one", "8", None, "1003"),
            "{name}: another person's DM"
        );
        if !room.spec().groups {
            continue;
        }
        assert_ne!(key("one", "7", None, "1001"), key("one", "7", Some("team"), "1004"), "{name}: a group");
        assert_ne!(
            key("one", "7", Some("team"), "1004"),
            key("one", "7", Some("other"), "1005"),
            "{name}: two groups"
        );
    }
}

#[test]
fn a_group_message_is_known_as_one() {
    for room in LOCAL.iter().filter(|room| room.spec().groups) {
        let secrets = secrets(*room);
        let inbound = inbound(*room, &secrets, &message(&secrets, "hello", "7", Some("team"), "1001"));
        assert_eq!((inbound.kind, inbound.addressed), (Kind::Group, true), "{}", room.spec().name);
        assert_eq!(inbound.text(), "hello", "{}: the mention is not part of the text", room.spec().name);
    }
}

#[test]
fn a_redelivery_has_the_same_id_and_another_message_another() {
    for room in LOCAL {
        let secrets = secrets(*room);
        let id = |id| inbound(*room, &secrets, &message(&secrets, "hello", "7", None, id)).id;
        assert_eq!(id("1001"), id("1001"), "{}", room.spec().name);
        assert_ne!(id("1001"), id("1002"), "{}", room.spec().name);
    }
}

/// Every forgery gets the same bytes; which they are stands in `Spec::reject`.
#[test]
fn what_is_not_authentic_is_refused_without_a_reason() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let good = room.event(&message(&secrets, "hello", "7", None, "1001")).request;
        let refused = |what: &str, request: &Request, secrets: &Secrets| {
            let judged = judge(*room, request, secrets);
            assert_eq!(judged.response.status, spec.reject.status, "{}: {what}", spec.name);
            assert_eq!(judged.response.body, spec.reject.body.as_bytes(), "{}: {what}", spec.name);
            assert!(judged.messages.is_empty());
        };
        if spec.auth == AuthKind::Signature {
            for at in [0, good.body.len() / 2, good.body.len() - 1] {
                let mut forged = good.clone();
                forged.body[at] ^= 1;
                refused(&format!("byte {at} of the body flipped"), &forged, &secrets);
            }
        }
        let proofs: Vec<String> = good
            .headers
            .iter()
            .map(|(name, _)| name.to_owned())
            .filter(|name| name != "content-type")
            .collect();
        let mut load_bearing = 0;
        for proof in proofs {
            let without = Request {
                headers: good.headers.iter().filter(|(name, _)| *name != proof).collect(),
                ..good.clone()
            };
            if judge(*room, &without, &secrets).response.status == spec.reject.status {
                load_bearing += 1;
                refused(&format!("without {proof}"), &without, &secrets);
                let value = good.headers.get(&proof).unwrap();
                for (what, value) in [
                    ("a character changed", flipped(value)),
                    ("cut", value[..value.len() - 1].to_owned()),
                    ("empty", String::new()),
                    ("not hexadecimal, not base64", "%%%é".to_owned()),
                    ("very long", "a".repeat(100_000)),
                ] {
                    let mut forged = good.clone();
                    forged.headers.set(&proof, value);
                    refused(&format!("{proof} {what}"), &forged, &secrets);
                }
            }
        }
        for (name, value) in encode::form(good.query.as_bytes()) {
            let changed = |value: Option<&str>| in_query(&good, &name, value);
            if judge(*room, &changed(None), &secrets).response.status == spec.reject.status {
                load_bearing += 1;
                refused(&format!("without {name}"), &changed(None), &secrets);
                for value in
                    [&flipped(&value), &value[..value.len() - 1], "", "%%%é", "a".repeat(100_000).as_str()]
                {
                    refused(&format!("{name}={value:.20}"), &changed(Some(value)), &secrets);
                }
            }
        }
        assert!(
            load_bearing > 0 || spec.auth == AuthKind::Path,
            "{}: nothing proves where it comes from",
            spec.name
        );
        let others: Secrets =
            secrets.names().map(|name| (name.to_owned(), flipped(secrets.get(name).unwrap()))).collect();
        refused("other secrets", &good, &others);
    }
}

/// The request with another value of a query parameter, or without it.
fn in_query(request: &Request, name: &str, value: Option<&str>) -> Request {
    let mut fields = encode::form(request.query.as_bytes());
    fields.retain(|(have, _)| have != name);
    fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let address = request.url.split('?').next().unwrap();
    let url = format!("{address}?{}", encode::to_form(&fields));
    Request::new(&request.method, &url, request.headers.clone(), request.body.clone())
}

fn flipped(value: &str) -> String {
    let mut chars: Vec<char> = value.chars().collect();
    let middle = chars.len() / 2;
    chars[middle] = if chars[middle] == '1' { '2' } else { '1' };
    chars.into_iter().collect()
}

#[test]
fn without_its_secrets_a_channel_is_closed() {
    for room in LOCAL {
        let secrets = secrets(*room);
        let good = room.event(&message(&secrets, "hello", "7", None, "1001")).request;
        assert_eq!(judge(*room, &good, &Secrets::default()).response.status, 503, "{}", room.spec().name);
    }
}

/// Well signed and unknown to us: the platform must not think that we are broken.
#[test]
fn unknown_events_are_acknowledged() {
    for room in LOCAL {
        let secrets = secrets(*room);
        let good = room.event(&message(&secrets, "hello", "7", None, "1001")).request;
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for body in [
            "{}",
            "{\"type\":\"unheard_of\",\"event\":{\"type\":\"x\"}}",
            "[]",
            "null",
            "not json",
            "",
            &deep,
        ] {
            let request =
                room.sign(Request { body: body.as_bytes().to_vec(), ..good.clone() }, &secrets, NOW);
            let judged = judge(*room, &request, &secrets);
            assert!(
                (200..300).contains(&judged.response.status),
                "{}: {body:.30} got {}",
                room.spec().name,
                judged.response.status
            );
            assert!(judged.messages.is_empty());
        }
        let request = room.sign(Request { body: vec![0xff, 0xfe, 0], ..good.clone() }, &secrets, NOW);
        assert!(
            (200..300).contains(&judge(*room, &request, &secrets).response.status),
            "{}: no UTF-8",
            room.spec().name
        );
    }
}

#[test]
fn an_enqueue_that_fails_is_not_called_taken() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let request = room.event(&message(&secrets, "hello", "7", None, "1001")).request;
        let context = channel::Context {
            account: "main",
            secrets: &secrets,
            settings: &Value::Null,
            keys: &room.keys(&Value::Null),
            now: NOW,
        };
        match room.receive(&request, &context).unwrap() {
            Received::Events { on_failure, .. } if spec.retries => {
                assert!(on_failure.status >= 500, "{}: {}", spec.name, on_failure.status);
            }
            Received::Events { ack, on_failure, .. } => {
                assert_ne!(
                    ack.body, on_failure.body,
                    "{}: it never asks again, so the person must",
                    spec.name
                );
            }
            other => panic!("{}: {other:?}", spec.name),
        }
    }
}

#[test]
fn replies_keep_the_limits_on_adversarial_text() {
    let family = "👨‍👩‍👧‍👦".repeat(3_000);
    let fence = format!("```rust\n{}\n```", "let x = \"<&>\";\n".repeat(2_000));
    let link = format!("[a]({})", format_args!("https://example.com/{}", "x".repeat(9_000)));
    let texts = [
        "hello".to_owned(),
        "a".repeat(50_000),
        "word ".repeat(10_000),
        family,
        fence,
        link,
        "*_~`[](<>".repeat(3_000),
        "<script>alert(1)</script> & @everyone <!channel> <@U1>".repeat(300),
        "| a | b |\n|---|---|\n".to_owned() + &"| 1 | 2 |\n".repeat(2_000),
        "> quote\n> - item\n>   1. nested\n".repeat(800),
        "שלום עולם ".repeat(4_000),
        "a\u{301}\u{302}\u{303}".repeat(8_000),
    ];
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let settings = reachable(*room);
        let to = inbound(*room, &secrets, &message(&secrets, "hello", "7", Some("team"), "1001")).address;
        for (text, plain) in texts.iter().flat_map(|text| [(text, false), (text, true)]) {
            for way in [Way::Reply, Way::Push] {
                let context = PostContext { settings: &settings, key: "turn", way, plain, now: NOW };
                let post = room.post(&[Part::Text(text.clone())], &to, &context);
                assert!(!post.steps.is_empty(), "{}: nothing to post for {text:.20}", spec.name);
                let mut said = 0;
                for step in &post.steps {
                    let request = outgoing::request(step, spec, &settings, &secrets, NOW).unwrap();
                    let answer = room.answer(&as_seen(spec.name, &request));
                    assert_eq!(answer.response.status / 100, 2, "{}: {}", spec.name, request.url);
                    for words in answer.said {
                        said += 1;
                        let length = text::length(&words.text, spec.text.unit);
                        assert!(
                            length <= spec.text.max,
                            "{}: {length} of {} for {text:.20}",
                            spec.name,
                            spec.text.max
                        );
                        assert!(!words.text.trim().is_empty(), "{}: an empty message", spec.name);
                    }
                }
                assert!(said > 0, "{}", spec.name);
            }
        }
    }
}

/// Settings under which every base of the room is its stand-in.
fn reachable(room: &dyn Local) -> Value {
    let spec = room.spec();
    let urls: serde_json::Map<String, Value> = spec
        .bases
        .iter()
        .map(|(base, _)| ((*base).to_owned(), json!(format!("{PLATFORM}/{}/{base}", spec.name))))
        .collect();
    let mut settings: serde_json::Map<String, Value> =
        spec.settings.iter().map(|(name, _)| ((*name).to_owned(), json!("1234567890"))).collect();
    settings.retain(|name, _| name == "application_id");
    settings.insert("urls".into(), urls.into());
    settings.into()
}

/// A request of ours as the room's stand-in gets it.
fn as_seen(channel: &str, request: &Request) -> Request {
    let path = request.path.strip_prefix(&format!("/{channel}")).unwrap_or(&request.path).to_owned();
    Request { path, ..request.clone() }
}

/// What a room has no form of its own for becomes text; a sign may be left out.
#[test]
fn every_part_is_said_or_a_sign() {
    let choice = |says: &str| Choice { label: says.to_uppercase(), says: says.to_owned() };
    let media = |name: &str, media_type: &str, caption: &str| {
        let (name, media_type, caption) = (name.to_owned(), media_type.to_owned(), caption.to_owned());
        Part::Media(Media { url: format!("https://example.com/{name}"), name, media_type, caption })
    };
    let buttons = |text: &str, choices: Vec<Choice>| Part::Buttons { text: text.to_owned(), choices };
    let (text, posted) = ("so far".to_owned(), "1".to_owned());
    let parts = [
        (Part::Edit { posted: posted.clone(), text: text.clone(), grown: Grown::Edited }, true),
        (
            Part::Edit { posted: posted.clone(), text: "a long answer ".repeat(9_000), grown: Grown::Edited },
            true,
        ),
        (Part::Draft { text: text.clone(), posted: None, grown: Grown::Edited }, false),
        (Part::Draft { text, posted: Some(posted), grown: Grown::Edited }, false),
        (media("a.png", "image/png", "**here**"), true),
        (media("b.pdf", "application/pdf", ""), true),
        (media("c.mp4", "video/mp4", "here"), true),
        (buttons("Which?", vec![choice("one"), choice("two")]), true),
        (buttons("Which?", (0..40).map(|n| choice(&format!("{n} {}", "long ".repeat(99)))).collect()), true),
        (Part::Typing, false),
        (Part::Dismiss, false),
    ];
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let settings = reachable(*room);
        for conversation in [None, Some("team")] {
            let to = inbound(*room, &secrets, &message(&secrets, "hello", "7", conversation, "1001")).address;
            for ((part, must), plain) in parts.iter().flat_map(|part| [(part, false), (part, true)]) {
                let context =
                    PostContext { settings: &settings, key: "turn", way: Way::Reply, plain, now: NOW };
                let steps = room.post(std::slice::from_ref(part), &to, &context).steps;
                // Clearing a placeholder may be done for sure or not.
                if *part != Part::Dismiss {
                    assert!(*must != steps.iter().all(|step| step.optional), "{}: {part:?}", spec.name);
                }
                let (mut answer, mut earlier) = (String::new(), String::new());
                for step in &steps {
                    let file: &[u8] = if step.upload().is_some() { b"bytes" } else { &[] };
                    let before = Filling { answer: &answer, earlier: &earlier, ..Filling::of(&secrets, NOW) };
                    let filling = Filling { file, ..before };
                    let request = outgoing::request_with(step, spec, &settings, &filling).unwrap();
                    let settled = room.settle(step, &room.answer(&as_seen(spec.name, &request)).response);
                    // A step that only fills a place is no post.
                    let id = match settled {
                        channel::Settled::Posted(id) => id,
                        channel::Settled::Fetched(_) if step.optional => None,
                        settled => panic!("{}: {settled:?} {part:?}", spec.name),
                    };
                    (earlier, answer) = (answer, id.unwrap_or_default());
                }
            }
        }
    }
}

#[test]
fn a_reply_carries_its_key_and_names_no_secret() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let settings = reachable(*room);
        let event =
            room.event(&message(&secrets, "{bot_token} {signing_secret}", "{bot_token}", None, "1001"));
        let judged = judge(*room, &event.request, &secrets);
        let inbound = &judged.messages[0];
        let text = "the value of {bot_token}, {secret} and {reply_secret}";
        let context =
            PostContext { settings: &settings, key: "turn", way: Way::Reply, plain: false, now: NOW };
        let post = room.post(&[Part::Text(text.into())], &inbound.address, &context);
        assert!(!leaks(&secrets, &serde_json::to_string(&post).unwrap()), "{}", spec.name);
        let mut reply_keys = Vec::new();
        for step in &post.steps {
            let request = outgoing::request(step, spec, &settings, &secrets, NOW).unwrap();
            assert!(
                !leaks(&secrets, &String::from_utf8_lossy(&request.body)),
                "{}: a secret in a body",
                spec.name
            );
            let answer = room.answer(&as_seen(spec.name, &request));
            let settled = room.settle(step, &answer.response);
            assert!(matches!(settled, channel::Settled::Posted(_)), "{}: {settled:?}", spec.name);
            reply_keys.extend(answer.said.into_iter().map(|said| said.reply_key));
        }
        assert!(
            reply_keys.iter().all(|key| *key == event.reply_key) && !reply_keys.is_empty(),
            "{}: {reply_keys:?} {}",
            spec.name,
            event.reply_key
        );
    }
}

#[test]
fn waiting_and_failing_are_told_apart() {
    for room in LOCAL {
        let secrets = secrets(*room);
        let settings = reachable(*room);
        let to = inbound(*room, &secrets, &message(&secrets, "hello", "7", None, "1001")).address;
        let context =
            PostContext { settings: &settings, key: "turn", way: Way::Reply, plain: false, now: NOW };
        let post = room.post(&[Part::Text("hello".into())], &to, &context);
        let step = post.steps.iter().find(|step| !step.optional).unwrap();
        let mut slow = channel::Response::empty(429);
        slow.headers.set("retry-after", "7");
        let name = room.spec().name;
        match room.settle(step, &slow) {
            channel::Settled::Later(Some(wait)) => assert_eq!(wait.as_secs(), 7, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        for status in [500, 502, 503] {
            let settled = room.settle(step, &channel::Response::text(status, "<html>"));
            assert!(matches!(settled, channel::Settled::Later(_)), "{name} {status}: {settled:?}");
        }
        for status in [400, 401, 403, 404] {
            let settled = room.settle(step, &channel::Response::text(status, "{"));
            assert!(
                !matches!(settled, channel::Settled::Posted(_) | channel::Settled::Later(_)),
                "{name} {status}: {settled:?}"
            );
        }
    }
}
