//! The whole way of a request with stand-ins for the queue, the secrets and the web.

use std::cell::{Cell, RefCell};

use channel::*;
use serde_json::{Value, json};

use super::*;
use crate::event::tests::post;

/// Its requests are signed by repeating the body in a header and naming the secret in the body.
struct Room;

static SPEC: Spec = Spec {
    name: "room",
    title: "Room",
    secrets: &[],
    bases: &[],
    hosts: &[],
    tokens: &[],
    key_hosts: &["keys.example"],
    max_body: 100,
    text: Limit { max: 100, unit: Unit::Chars },
    ack_deadline_ms: 3_000,
    retries: true,
    retry_window_s: 60,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "no" },
    groups: true,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Manual(""),
    settings: &[],
};

const KEYS_AT: &str = "https://keys.example/jwks";

impl Channel for Room {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn receive(&self, request: &Request, ctx: &Context<'_>) -> Result<Received, Reject> {
        let secret = ctx.secrets.get("signing").ok_or(Reject::NotSetUp("signing"))?;
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if body.starts_with("jwt") && ctx.keys.get(KEYS_AT).is_none_or(|keys| !body.contains(keys.as_str())) {
            return Err(Reject::NeedKey { url: KEYS_AT.into(), kid: body });
        }
        if !body.contains(secret) || request.headers.get("x-signature") != Some(&body) {
            return Err(Reject::Forged("bad signature"));
        }
        let said = |text: &str| inbound(ctx.account, text);
        let inbound = match body.split(' ').next().unwrap_or_default() {
            "ping" => return Ok(Received::Handshake(Response::text(200, "pong"))),
            "receipt" => return Ok(Received::Nothing(Response::empty(200), "receipt")),
            "chatter" => vec![Inbound { kind: Kind::Group, addressed: false, ..said("chatter") }],
            "bot" => vec![
                Inbound { sender: Sender { bot: true, ..said("").sender }, ..said("bot") },
                said("human"),
            ],
            _ => vec![said("hello")],
        };
        Ok(Received::Events {
            ack: Response::text(202, "thanks"),
            on_failure: Response::text(500, "again"),
            inbound,
        })
    }

    fn post(&self, _: &[Part], _: &Address, _: &PostContext<'_>) -> Post {
        Post::default()
    }

    fn settle(&self, _: &Step, response: &Response) -> Settled {
        Settled::by_status(response)
    }

    fn fetch(&self, _: &channel::Fetch) -> Post {
        Post::default()
    }
}

fn inbound(account: &str, id: &str) -> Inbound {
    Inbound {
        v: 1,
        id: id.into(),
        channel: "room".into(),
        account: account.into(),
        conversation: Conversation { chat: "1".into(), thread: None },
        kind: Kind::Dm,
        sender: Sender { id: "7".into(), name: "Ana".into(), home: Home::Unknown, bot: false, lookup: None },
        addressed: true,
        content: Content::Text(id.into()),
        attachments: vec![],
        at: 0,
        address: Address::default(),
        echo_of: None,
        due: false,
    }
}

/// The secret of account `main` now, and what an early look finds; `None` = no account at all.
struct Given {
    now: Option<&'static str>,
    newer: Option<&'static str>,
    refreshes: Cell<usize>,
}

fn accounts(secret: Option<&str>) -> Accounts {
    let account = |secret: &str| {
        let secrets = [("signing".to_owned(), secret.to_owned())].into_iter().collect();
        ("main".to_owned(), Account { secrets, settings: Value::Null })
    };
    secret.map(account).into_iter().collect()
}

impl Source for Given {
    async fn accounts(&self) -> Result<Accounts, secrets::Error> {
        Ok(accounts(self.now))
    }

    async fn refresh(&self) -> Result<Option<Accounts>, secrets::Error> {
        self.refreshes.set(self.refreshes.get() + 1);
        Ok(self.newer.map(|secret| accounts(Some(secret))))
    }

    fn path(&self) -> &str {
        "/stack/room"
    }
}

/// What was put on it; `broken` takes nothing.
#[derive(Default)]
struct Taken {
    ids: RefCell<Vec<String>>,
    broken: bool,
}

impl Sink for Taken {
    async fn send(&self, messages: &[Inbound], trace: &str, budget: Duration) -> Result<(), SendError> {
        assert_eq!(trace, "r-1");
        assert!(budget <= Duration::from_millis(SPEC.ack_deadline_ms / 2), "{budget:?}");
        if self.broken {
            return Err(SendError { failed: messages.len(), of: messages.len(), why: "broken".into() });
        }
        self.ids
            .borrow_mut()
            .extend(messages.iter().map(|message| format!("{}/{}", message.account, message.id)));
        Ok(())
    }
}

struct Web(Result<&'static str, &'static str>, Cell<usize>);

impl crate::keys::Fetch for Web {
    async fn fetch(&self, url: &str, _: &Spec, _: &Value) -> Result<String, String> {
        assert_eq!(url, KEYS_AT);
        self.1.set(self.1.get() + 1);
        self.0.map(str::to_owned).map_err(str::to_owned)
    }
}

fn webhook(now: Option<&'static str>, newer: Option<&'static str>) -> Webhook<Given, Taken, Web> {
    listen();
    Webhook {
        channel: &Room,
        secrets: Given { now, newer, refreshes: Cell::new(0) },
        queue: Taken::default(),
        topic: None,
        keys: KeyCache::new(Web(Ok("k1"), Cell::new(0))),
    }
}

async fn ask(webhook: &Webhook<Given, Taken, Web>, path: &str, body: &str, at: i64) -> (u16, String) {
    let call = Call { request_id: "r-1".into(), ends_at: crate::now() + 5_000, now: at };
    let reply = serde_json::to_value(webhook.handle(post(path, body), &call).await).unwrap();
    (
        u16::try_from(reply["statusCode"].as_u64().unwrap()).unwrap(),
        reply["body"].as_str().unwrap().to_owned(),
    )
}

async fn ask_event(webhook: &Webhook<Given, Taken, Web>, event: Value) -> u16 {
    let call = Call { request_id: "r-1".into(), ends_at: crate::now() + 5_000, now: 0 };
    let event: Event = serde_json::from_value(event).unwrap();
    webhook.handle(event, &call).await.status_code
}

async fn check(body: &str, status: u16, answer: &str, queued: &[&str]) {
    let webhook = webhook(Some("s1"), None);
    let expected = (status, answer.to_owned());
    assert_eq!(ask(&webhook, "/", body, 0).await, expected, "{body}");
    assert_eq!(webhook.queue.ids.borrow().as_slice(), queued, "{body}");
}

#[tokio::test]
async fn requests_are_answered_and_their_messages_queued() {
    check("hello s1", 202, "thanks", &["main/hello"]).await;
    check("ping s1", 200, "pong", &[]).await;
    check("receipt s1", 200, "", &[]).await;
    check("chatter s1", 202, "thanks", &[]).await;
    check("bot s1", 202, "thanks", &["main/human"]).await;
    check("hello s2", 401, "no", &[]).await;
    check(&"x".repeat(101), 413, "too large", &[]).await;
}

#[tokio::test]
async fn what_is_too_large_or_compressed_is_refused_before_anything_is_looked_at() {
    let unset = webhook(None, None);
    let sent = |encoding: &str, body: &str| json!({"rawPath": "/", "headers": {"content-encoding": encoding, "x-signature": body}, "body": body});
    for (encoding, body, status) in [
        ("identity", "hello s1", 503),
        ("", "hello s1", 503),
        ("", &"x".repeat(101) as &str, 413),
        ("gzip", "hello s1", 415),
        (" BR ", "hello s1", 415),
        ("deflate, gzip", "", 415),
    ] {
        assert_eq!(ask_event(&unset, sent(encoding, body)).await, status, "{encoding} {body}");
    }
    assert_eq!(unset.secrets.refreshes.get(), 2, "secrets were looked for only where the request came in");
    let open = webhook(Some("s1"), None);
    assert_eq!(ask_event(&open, sent("gzip", "hello s1")).await, 415);
    assert_eq!(ask_event(&open, sent("identity", "hello s1")).await, 202);
}

/// Whoever may invoke the function directly, or writes `Records` into a body, is a stranger like any other.
#[tokio::test]
async fn records_of_other_services_are_a_request_without_a_signature() {
    let webhook = webhook(Some("s1"), None);
    let sns = json!({"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:aws:sns:us-east-1:1:t:s",
        "Sns": {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "hello s1"}});
    let sqs =
        json!({"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "body": "hello s1"});
    for record in [sns, sqs] {
        let event = json!({"Records": [record]});
        let in_a_body = json!({"rawPath": "/", "headers": {}, "body": event.to_string()});
        // Its fields beside `Records` are those of a request, and judged like one.
        let beside = json!({"Records": event["Records"], "rawPath": "/", "headers": {"x-signature": "hello"}, "body": "hello s1"});
        for event in [event, in_a_body, beside] {
            assert_ne!(ask_event(&webhook, event.clone()).await / 100, 2, "{event}");
        }
    }
    assert!(webhook.queue.ids.borrow().is_empty());
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_not_acknowledged() {
    let mut webhook = webhook(Some("s1"), None);
    webhook.queue.broken = true;
    assert_eq!(ask(&webhook, "/", "hello s1", 0).await, (500, "again".into()));
    assert_eq!(ask(&webhook, "/", "receipt s1", 0).await.0, 200);
}

#[tokio::test]
async fn newer_secrets_get_a_second_judgement() {
    let rotated = webhook(Some("s1"), Some("s2"));
    assert_eq!(ask(&rotated, "/", "hello s2", 0).await.0, 202);
    assert_eq!(rotated.secrets.refreshes.get(), 1);
    assert_eq!(ask(&rotated, "/", "hello s1", 0).await.0, 202);
    assert_eq!(rotated.secrets.refreshes.get(), 1, "what is authentic needs no newer secrets");
    assert_eq!(ask(&webhook(Some(""), Some("s2")), "/", "hello s2", 0).await.0, 202);
    assert_eq!(ask(&webhook(None, Some("s2")), "/", "hello s2", 0).await.0, 202);
}

#[tokio::test]
async fn without_secrets_nothing_is_taken() {
    for webhook in [webhook(None, None), webhook(Some(""), None)] {
        for body in ["hello ", "ping ", ""] {
            assert_eq!(ask(&webhook, "/", body, 0).await.0, 503);
        }
        assert!(webhook.queue.ids.borrow().is_empty());
    }
    let one = webhook(Some("s1"), Some("s1"));
    assert_eq!(ask(&one, "/support", "hello s1", 0).await.0, 503);
    assert_eq!(ask(&one, "/main", "hello s1", 0).await.0, 202);
}

#[tokio::test]
async fn keys_are_fetched_when_needed_and_not_for_every_stranger() {
    let day = 24 * 3_600_000;
    let webhook = webhook(Some("s1"), None);
    let fetches = || webhook.keys.fetch.1.get();
    assert_eq!(ask(&webhook, "/", "jwt k1 s1", day).await.0, 202);
    assert_eq!((ask(&webhook, "/", "jwt k1 s1", day + 1).await.0, fetches()), (202, 1));
    for at in 2..5 {
        assert_eq!(ask(&webhook, "/", "jwt k9 s1", day + at).await, (401, "no".into()));
    }
    assert_eq!(fetches(), 1);
    assert_eq!((ask(&webhook, "/", "jwt k9 s1", day + 300_000).await.0, fetches()), (401, 2));
    assert_eq!(
        (ask(&webhook, "/", "jwt k1 s1", 2 * day + 300_000).await.0, fetches()),
        (202, 3),
        "kept for a day"
    );
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_leave_it_to_the_platform_to_try_again() {
    let mut webhook = webhook(Some("s1"), None);
    webhook.keys.fetch.0 = Err("HTTP 500");
    for at in 0..3 {
        assert_eq!(ask(&webhook, "/", "jwt k1 s1", at).await.0, 503);
    }
    assert_eq!(webhook.keys.fetch.1.get(), 1);
    webhook.keys.fetch.0 = Ok("k1");
    assert_eq!(ask(&webhook, "/", "jwt k1 s1", 10_000).await.0, 202);
}

thread_local! {
    /// What this test's thread has logged.
    static LOG: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One subscriber serves all threads, from before the first request on: a log line or span that some test meets without having any
/// is switched off for all.
fn listen() {
    static LISTEN: std::sync::Once = std::sync::Once::new();
    LISTEN.call_once(|| {
        tracing_subscriber::fmt().json().event_format(crate::log::Flat).with_writer(|| Log).init()
    });
}

/// What a request leaves in the log.
async fn logged(webhook: &Webhook<Given, Taken, Web>, path: &str, body: &str) -> Value {
    LOG.take();
    ask(webhook, path, body, 0).await;
    let log = String::from_utf8(LOG.take()).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(!log.contains("words") && !log.contains("x-signature"), "{log}");
    serde_json::from_str(&log).unwrap()
}

#[tokio::test]
async fn one_line_a_request_says_what_became_of_it_and_nothing_that_was_said() {
    let line = logged(&webhook(Some("s1"), None), "/", "words s1").await;
    assert_eq!(
        (&line["verdict"], &line["count"], &line["status"]),
        (&json!("accepted"), &json!(1), &json!(202))
    );
    assert_eq!(
        (&line["request_id"], &line["account"], &line["level"]),
        (&json!("r-1"), &json!("main"), &json!("INFO"))
    );
    assert_eq!(
        (&line["trace"], &line["channel"], &line["id"]),
        (&json!("r-1"), &json!("room"), &json!("hello"))
    );
    assert_eq!(line["conversation"], inbound("main", "").conversation_key().as_str());
    assert!(line.get("rejected").is_none() && line.get("failed").is_none(), "{line}");

    let line = logged(&webhook(Some("s1"), None), "/", "words s9").await;
    assert_eq!(
        (&line["rejected"], &line["why"], &line["level"]),
        (&json!(true), &json!("bad signature"), &json!("WARN"))
    );

    let line = logged(&webhook(Some(""), None), "/", "words").await;
    assert_eq!((&line["failed"], &line["level"]), (&json!(true), &json!("ERROR")));
    assert_eq!(line["why"], "/stack/room/main/signing is not set: crabhook secrets set");

    let line = logged(&webhook(Some("s1"), None), "/support", "words").await;
    assert_eq!((&line["rejected"], &line["failed"]), (&json!(true), &Value::Null));
    assert_eq!(line["why"], "there is nothing at /stack/room/support/: crabhook secrets set");
}

/// Nobody reads an answer to a notification: an error makes Lambda try again, everything else is done with.
#[tokio::test]
async fn notifications_are_taken_or_tried_again() {
    let taken = async |secret: Option<&'static str>, topic: &str| {
        let webhook = Webhook { topic: Some(topic.to_owned()), ..webhook(secret, None) };
        let sns = json!({"TopicArn": "arn:t", "Message": "hello s1"});
        let event = json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]});
        let call = Call { request_id: "r-1".into(), ends_at: crate::now() + 5_000, now: 0 };
        let reply = webhook.take(serde_json::from_value(event).unwrap(), &call).await;
        reply.map(|reply| reply.status_code).map_err(|error| error.to_string())
    };
    let again = Err("the notification was answered 503: it is tried again".to_owned());
    assert_eq!(taken(None, "arn:t").await, again, "nothing to judge it by");
    assert_eq!(taken(Some("s1"), "arn:t").await, Ok(200), "refused by the room, and that will not change");
    assert_eq!(taken(Some("s1"), "arn:u").await, Ok(401), "of another topic it is a request like any other");
}
