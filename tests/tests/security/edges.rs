//! What every channel refuses or bounds, whoever signed it.

use channel::local::{Local, Message};
use channel::{AuthKind, Request, Secrets, encode};
use model_invoker::channels::LOCAL;
use serde_json::{Value, json};
use tests::fixtures::{NOW, secrets};
use tests::read;

const URL: &str = "https://example.lambda-url.us-east-1.on.aws/";

/// Sent when a platform signs a time, it counts for so long before and after, milliseconds.
const WINDOW_MS: i64 = 300_000;

/// Somebody says hello.
fn hello(room: &dyn Local, secrets: &Secrets) -> Request {
    let message = Message {
        url: URL,
        account: "main",
        text: "hello",
        user: "7",
        conversation: None,
        id: "1001",
        secrets,
        platform: "http://127.0.0.1:4567",
        now: NOW,
    };
    room.event(&message).request
}

fn judge(room: &dyn Local, request: &Request, secrets: &Secrets, now: i64) -> ingress::Verdict {
    let keys = Default::default();
    let context = channel::Context { account: "main", secrets, settings: &Value::Null, keys: &keys, now };
    ingress::judge(room, request, &context)
}

/// The status and the number of messages of a request that the platform signed.
fn signed(room: &dyn Local, request: Request, secrets: &Secrets) -> (u16, usize) {
    let judged = judge(room, &room.sign(request, secrets, NOW), secrets, NOW);
    (judged.response.status, judged.messages.len())
}

#[test]
fn a_body_is_bounded_before_its_signature_is_looked_at() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let sized = |bytes: usize| Request { body: vec![b' '; bytes], ..hello(*room, &secrets) };
        assert_eq!(
            judge(*room, &sized(spec.max_body), &secrets, NOW).response.status / 100,
            reject(*room) / 100
        );
        assert_ne!(signed(*room, sized(spec.max_body), &secrets).0, 413, "{}", spec.name);
        assert_eq!(
            judge(*room, &sized(spec.max_body + 1), &secrets, NOW).response.status,
            413,
            "{}",
            spec.name
        );
        assert_eq!(signed(*room, sized(spec.max_body + 1), &secrets), (413, 0), "{}", spec.name);
    }
}

/// What an unsigned body of spaces gets: a shared secret in a header says nothing about the body.
fn reject(room: &dyn Local) -> u16 {
    if room.spec().auth == AuthKind::Signature { room.spec().reject.status } else { 200 }
}

#[test]
fn compressed_bodies_are_refused_even_when_they_are_signed() {
    for room in LOCAL {
        let (name, secrets) = (room.spec().name, secrets(*room));
        for encoding in ["gzip", "br", "deflate", "zstd", "GZIP", "identity, gzip"] {
            let mut request = hello(*room, &secrets);
            request.headers.set("content-encoding", encoding);
            assert_eq!(signed(*room, request, &secrets), (415, 0), "{name}: {encoding}");
        }
        let mut plain = hello(*room, &secrets);
        plain.headers.set("content-encoding", "identity");
        assert_eq!(signed(*room, plain, &secrets).1, 1, "{name}");
    }
}

#[test]
fn json_is_read_64_levels_deep_and_no_deeper() {
    for room in LOCAL {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let levels = |levels: usize| {
            let mut request = hello(*room, &secrets);
            let mut body: Value = serde_json::from_slice(&request.body).expect("an event is JSON");
            let nested = (1..levels - 1).fold(json!([]), |inner, _| json!([inner]));
            body.as_object_mut().expect("an object").insert("padding".into(), nested);
            request.body = body.to_string().into_bytes();
            assert_eq!(encode::json_depth(&request.body), levels);
            signed(*room, request, &secrets)
        };
        assert_eq!(levels(64).1, 1, "{name}");
        let (status, messages) = levels(65);
        assert!(status / 100 == 2 && messages == 0, "{name}: {status}, {messages} messages");
    }
}

#[test]
fn forms_of_any_size_break_nothing() {
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        for body in ["a=1&".repeat(spec.max_body / 4), "&".repeat(spec.max_body), "%".repeat(spec.max_body)] {
            let mut request = Request { body: body.into_bytes(), ..hello(*room, &secrets) };
            request.headers.set("content-type", "application/x-www-form-urlencoded");
            let (status, messages) = signed(*room, request, &secrets);
            assert!(status / 100 == 2 && messages == 0, "{}: {status}", spec.name);
        }
    }
}

/// Five minutes before and after, to the second; or, where the platform signs no time that counts, always.
#[test]
fn a_signed_time_counts_for_five_minutes_before_and_after() {
    let mut windows = Vec::new();
    for room in LOCAL {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let request = hello(*room, &secrets);
        let taken = |after: i64| judge(*room, &request, &secrets, NOW + after).messages.len() == 1;
        assert!(taken(WINDOW_MS) && taken(-WINDOW_MS), "{name}: within five minutes");
        let outside = [WINDOW_MS + 1_000, -WINDOW_MS - 1_000, 86_400_000, -86_400_000].map(taken);
        assert!(outside.iter().all(|taken| *taken == outside[0]), "{name}: {outside:?}");
        if !outside[0] {
            windows.push(name);
        }
    }
    for name in ["slack", "webhook"] {
        assert!(windows.contains(&name), "{name} signs a time, and any time is taken");
    }
}

/// `Records` mean something only as the top level of a Lambda event. In a body they are what anybody may write there.
#[test]
fn records_in_a_body_are_no_message() {
    let sns = json!({"EventSource": "aws:sns", "Sns": {"TopicArn": "arn:aws:sns:eu-west-1:1:mail", "Message": "hello"}});
    let sqs =
        json!({"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:jobs", "body": "{}"});
    let body = json!({"Records": [sns, sqs]}).to_string().into_bytes();
    for room in LOCAL {
        let (spec, secrets) = (room.spec(), secrets(*room));
        let unsigned = Request { headers: Default::default(), body: body.clone(), ..hello(*room, &secrets) };
        let refused = judge(*room, &unsigned, &secrets, NOW);
        assert_eq!(
            (refused.response.status, refused.messages.len()),
            (spec.reject.status, 0),
            "{}",
            spec.name
        );
        let (status, messages) = signed(*room, unsigned, &secrets);
        assert!(status / 100 == 2 && messages == 0, "{}: {status}", spec.name);
    }
}

/// Comparisons that end at the first difference tell, by their time, how much was right.
#[test]
fn proofs_are_compared_in_constant_time() {
    for room in LOCAL {
        let path = format!("functions/{}/src/verify.rs", room.spec().name);
        let source = read(&path);
        let constant = ["sign::equal(", "sign::ed25519_verify("];
        assert!(constant.iter().any(|how| source.contains(how)), "{path} compares nothing in constant time");
        for line in source.lines().filter(|line| line.contains("==") || line.contains("!=")) {
            // What was given may be compared with its own other spelling, and lengths may show.
            let harmless = [".len()", "is_empty()", "hex(bytes) == signature", "base64(given) == text"];
            assert!(harmless.iter().any(|form| line.contains(form)), "{path}: {line}");
        }
    }
    assert!(read("shared/channel/src/sign.rs").contains("constant_time::verify_slices_are_equal"));
}
