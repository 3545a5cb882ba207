//! What the functions are given, and what tells that they did their work.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use channel::local::{Local, Message};
use channel::{Context, Keys, Received, Request, Secrets};
use serde_json::{Value, json};
use tests::fixtures;
use turn::config::{Access, Assistant, Channel, Config, Limits, Model};

/// The channel that stands for all.
pub const CHANNEL: &str = "telegram";
/// The root of the secrets.
pub const SECRETS: &str = "/bench";
/// A URL as Lambda gives it to a function.
const DOMAIN: &str = "k5s7d2hq3vexample0o4yzzvbm0wabcd.lambda-url.us-east-1.on.aws";
const ACCOUNT: &str = "main";
/// Counted as in a deployed stack, and never reached.
const NEVER: u32 = 1_000_000;

pub fn room() -> &'static dyn Local {
    model_invoker::channels::local(CHANNEL).expect("the bench's channel is registered")
}

fn secrets() -> Secrets {
    fixtures::secrets(room())
}

/// What lies in Parameter Store.
pub fn parameters() -> BTreeMap<String, String> {
    let secrets = secrets();
    let mut parameters: BTreeMap<String, String> = secrets
        .names()
        .filter_map(|name| {
            Some((format!("{SECRETS}/{CHANNEL}/{ACCOUNT}/{name}"), secrets.get(name)?.to_owned()))
        })
        .collect();
    parameters.insert(format!("{SECRETS}/model/openai"), "sk-bench".to_owned());
    parameters
}

/// The stack's configuration: model and platform are at that address.
pub fn configuration(address: &str, streamed: bool) -> String {
    let how = if streamed { "streamed" } else { "whole" };
    let model = Model {
        provider: "openai".to_owned(),
        model: "bench".to_owned(),
        base_url: Some(format!("{address}/model/{how}/v1/")),
        ..Model::default()
    };
    let channel = Channel {
        access: Some(Access::Open),
        urls: BTreeMap::from([("api".to_owned(), format!("{address}/{CHANNEL}/api"))]),
        ..Channel::default()
    };
    let config = Config {
        assistants: BTreeMap::from([("default".to_owned(), Assistant::default())]),
        models: BTreeMap::from([("default".to_owned(), model)]),
        channels: BTreeMap::from([(CHANNEL.to_owned(), channel)]),
        limits: Limits { per_person: NEVER, per_stack: NEVER, per_minute: NEVER, ..Limits::default() },
        ..Config::default()
    };
    serde_json::to_string(&config).expect("a configuration is JSON")
}

/// The n-th message of somebody, as the platform sends it.
fn request(n: usize) -> Request {
    let message = Message {
        url: &format!("https://{DOMAIN}/"),
        account: ACCOUNT,
        text: "What is the difference between a queue and a stack, and when would I want which of them?",
        user: "1001",
        conversation: None,
        id: &(5_000 + n).to_string(),
        secrets: &secrets(),
        platform: "",
        now: now(),
    };
    room().event(&message).request
}

/// Something small, for what does nothing with it.
pub fn small(n: usize) -> String {
    json!({"text": "hello", "user": "u1", "n": n}).to_string()
}

/// It as the function URL hands it over.
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>
pub fn webhook(n: usize) -> String {
    let request = request(n);
    let mut headers: BTreeMap<String, String> = request.headers.into();
    for (name, value) in [
        ("host", DOMAIN),
        ("accept-encoding", "gzip, deflate"),
        ("x-forwarded-for", "91.108.6.1"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
        ("x-amzn-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
    ] {
        headers.insert(name.to_owned(), value.to_owned());
    }
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "k5s7d2hq3vexample0o4yzzvbm0wabcd",
            "domainName": DOMAIN,
            "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "91.108.6.1", "userAgent": ""},
            "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": now(),
        },
        "body": String::from_utf8_lossy(&request.body),
        "isBase64Encoded": false,
    });
    event.to_string()
}

/// It as the queue hands it over, after the webhook function has put it there.
pub fn queued(n: usize) -> String {
    let (secrets, settings, keys) = (secrets(), json!({}), Keys::new());
    let context =
        Context { account: ACCOUNT, secrets: &secrets, settings: &settings, keys: &keys, now: now() };
    let Ok(Received::Events { inbound, .. }) = room().receive(&request(n), &context) else {
        panic!("the platform's own event is authentic and holds a message");
    };
    let record = json!({
        "messageId": format!("059f36b4-87a3-44ab-83d2-{n:012}"),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": queue::Job::message(&inbound[0], Some("8476a536-e9f4-11e8-9739-2dfe598c3fcd")),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now().to_string(),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": now().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "0".repeat(32),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:bench",
        "awsRegion": "us-east-1",
    });
    json!({"Records": [record]}).to_string()
}

/// The platform got its 200.
pub fn was_taken(answer: &Value) -> bool {
    answer["statusCode"] == 200
}

/// The queue may forget the message.
pub fn was_acknowledged(answer: &Value) -> bool {
    answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty)
}

/// Unix milliseconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
