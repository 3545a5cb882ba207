//! What every channel refuses or bounds, whoever signed it.

use channel::local::Local;
use channel::{Request, Secrets, encode};
use model_invoker::channels::LOCAL;
use serde_json::{Value, json};
use tests::fixtures::{NOW, Receive, cases, secrets};
use tests::read;

/// Sent when a platform signs a time, it counts for so long before and after, milliseconds.
const WINDOW_MS: i64 = 300_000;

/// A recorded request that says one thing, as the platform writes it before it signs or seals it.
fn hello(room: &dyn Local, secrets: &Secrets) -> Request {
    let says_one_thing = |request: &Request| signed(room, request.clone(), secrets).1 == 1;
    let mut recorded =
        cases::<Receive>(room.spec().name, "receive").into_iter().map(|(_, case)| case.request.request());
    recorded.find(says_one_thing).unwrap_or_else(|| panic!("{}: no recorded message", room.spec().name))
}

fn judge(room: &dyn Local, request: &Request, secrets: &Secrets, now: i64) -> ingress::Verdict {
    let keys = room.keys(&Value::Null);
    let context = channel::Context { account: "main", secrets, settings: &Value::Null, keys: &keys, now };
    ingress::judge(room, request, &context)
}

/// Whether the signed body is another one, which is also longer.
fn is_sealed(room: &dyn Local, secrets: &Secrets) -> bool {
    let request = hello(room, secrets);
    room.sign(request.clone(), secrets, NOW).body != request.body
}

/// Whether a token comes along that a published key signed: it has times of its own.
fn has_token(room: &dyn Local) -> bool {
    !room.keys(&Value::Null).is_empty()
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
        let (name, most) = (spec.name, spec.max_body);
        let sized = |bytes: usize| Request { body: vec![b' '; bytes], ..hello(*room, &secrets) };
        let unsigned = |bytes: usize| judge(*room, &sized(bytes), &secrets, NOW).response.status;
        assert_eq!(unsigned(most), spec.reject.status, "{name}");
        assert_eq!(unsigned(most + 1), 413, "{name}");
        assert_eq!(signed(*room, sized(most + 1), &secrets), (413, 0), "{name}");
        let largest = if is_sealed(*room, &secrets) { most / 2 } else { most };
        assert_ne!(signed(*room, sized(largest), &secrets).0, 413, "{name}");
    }
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
    let speaks_json =
        |room: &&&dyn Local| serde_json::from_slice::<Value>(&hello(**room, &secrets(**room)).body).is_ok();
    // Each event of a Matrix transaction is read alone, up to that depth; what stands beside them is not read at all.
    for room in LOCAL.iter().filter(speaks_json).filter(|room| room.spec().name != "matrix") {
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
        let size = if is_sealed(*room, &secrets) { spec.max_body / 2 } else { spec.max_body };
        for body in ["a=1&".repeat(size / 4), "&".repeat(size), "%".repeat(size)] {
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
    // A session of `web` counts for an hour; its own tests say so to the millisecond.
    for room in LOCAL.iter().filter(|room| !has_token(**room) && room.spec().name != "web") {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let request = room.sign(hello(*room, &secrets), &secrets, NOW);
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
        let constant = ["sign::equal(", "sign::ed25519_verify(", "graph::verify(", "jwt::verify("];
        assert!(constant.iter().any(|how| source.contains(how)), "{path} compares nothing in constant time");
        // What a token claims is compared after its signature was verified, and is no secret.
        if has_token(*room) {
            continue;
        }
        for line in source.lines().filter(|line| line.contains("==") || line.contains("!=")) {
            // What was given may be compared with its own other spelling, and lengths may show.
            let harmless = [
                ".method == ",
                ".kind == ",
                ".content_type()",
                "have == name",
                "scheme == ",
                "encrypt_type",
                ".len()",
                "is_empty()",
                "hex(bytes) == signature",
                "base64(given) == text",
            ];
            assert!(harmless.iter().any(|form| line.contains(form)), "{path}: {line}");
        }
    }
    assert!(read("shared/channel/src/sign.rs").contains("constant_time::verify_slices_are_equal"));
}
