//! Tools in any language: what programs are sent, and what their answers mean.

use channel::sign;
use serde_json::{Value, json};
use turn::config::{Tool, ToolKind};

use super::stand::SIGNING;
use super::toolbox::{budget, call, check, http, open};
use super::{Reply, Seen, Stand, tools};

/// What a tool that answers so comes to.
async fn checked(reply: impl Fn() -> Reply + Send + Sync + 'static, expected: Result<&str, &str>) {
    let stand = Stand::new(move |_, _| reply()).await;
    let tools = tools(None);
    let toolbox = open(&tools, vec![("find_order", http(&stand.url))], budget()).await;
    check(&toolbox, "find_order", json!({}), expected).await;
}

fn is_signed(seen: &Seen) -> bool {
    let at = seen.header("webhook-timestamp").parse().unwrap();
    let expected = sign::sign_webhook(SIGNING, seen.header("webhook-id"), at, &seen.body).unwrap();
    seen.header("webhook-signature") == expected
}

#[tokio::test]
async fn an_endpoint_is_told_the_call_and_can_verify_it() {
    let stand = Stand::new(|_, _| Reply::json(json!({"state": "sent"}))).await;
    let tools = tools(None);
    let headers = [("authorization".to_owned(), "github".to_owned())].into();
    let tool = Tool { headers, ..http(&format!("{}/orders?v=2", stand.url)) };
    let toolbox = open(&tools, vec![("find_order", tool)], budget()).await;
    let result = call(&toolbox, "find_order", json!({"number": "A-1"})).await;
    assert_eq!((result.text.as_str(), result.is_error), (r#"{"state":"sent"}"#, false));
    let seen = stand.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/orders?v=2"));
    assert_eq!(seen.header("authorization"), "Bearer ghp_1");
    assert_eq!(seen.header("webhook-id").len(), 32);
    assert!(is_signed(&seen));
    let id = seen.header("webhook-id");
    assert_eq!(
        seen.json(),
        json!({
            "type": "tool", "id": id, "tool": "find_order", "arguments": {"number": "A-1"}, "assistant": "default",
            "channel": "telegram", "account": "main", "conversation": "abc", "chat": "42", "user": {"id": "7", "name": "Ana"},
        })
    );
    let mut forged = seen.clone();
    forged.body[0] ^= 1;
    assert!(!is_signed(&forged));
}

#[tokio::test]
async fn answers_are_text_or_json() {
    checked(|| Reply::new(200, "sent on Monday"), Ok("sent on Monday")).await;
    checked(|| Reply::json(json!({"text": "sent"})), Ok("sent")).await;
    checked(|| Reply::json(json!({"text": "no such order", "error": true})), Err("no such order")).await;
    checked(|| Reply::json(json!(["a", 1])), Ok(r#"["a",1]"#)).await;
    checked(|| Reply::new(204, ""), Ok("")).await;
}

#[tokio::test]
async fn failures_are_told_to_the_model() {
    checked(|| Reply::new(422, "number is missing"), Err("status 422 number is missing")).await;
    checked(|| Reply::new(401, ""), Err("does not accept our signature")).await;
    checked(
        || Reply::new(302, "").header("location", "http://169.254.169.254/"),
        Err("nothing at its address"),
    )
    .await;
    checked(|| Reply::new(429, ""), Err("nothing was done")).await;
    checked(|| Reply::new(500, "stack trace"), Err("it failed (500): it may have been done")).await;
    checked(|| Reply::new(200, vec![b'x'; (6 << 20) + 1]), Err("cannot be read")).await;
}

#[tokio::test]
async fn a_secret_that_is_no_key_is_named() {
    let tools = tools(None);
    let tool = Tool { secret: Some("bad".into()), ..http("http://127.0.0.1:1") };
    let toolbox = open(&tools, vec![("find_order", tool)], budget()).await;
    check(&toolbox, "find_order", json!({}), Err("whsec_")).await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_did_nothing() {
    let tools = tools(None);
    let toolbox = open(&tools, vec![("find_order", http("http://127.0.0.1:1"))], budget()).await;
    check(&toolbox, "find_order", json!({}), Err("nothing was done")).await;
}

/// What a function that answers so comes to.
async fn invoked(reply: impl Fn() -> Reply + Send + Sync + 'static, expected: Result<&str, &str>) -> Seen {
    let stand = Stand::new(move |_, _| reply()).await;
    let tools = tools(Some(&stand.url));
    let tool = Tool {
        kind: ToolKind::Lambda,
        function: Some("stock:live".into()),
        timeout_s: 20,
        max_bytes: 1_000,
        ..Tool::default()
    };
    let toolbox = open(&tools, vec![("stock", tool)], budget()).await;
    check(&toolbox, "stock", json!({"item": 7}), expected).await;
    stand.seen().remove(0)
}

#[tokio::test]
async fn a_function_is_invoked_by_iam() {
    let seen = invoked(|| Reply::json(json!("3 left")), Ok("3 left")).await;
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/2015-03-31/functions/stock%3Alive/invocations")
    );
    assert_eq!(seen.header("x-amz-invocation-type"), "RequestResponse");
    let authorization = seen.header("authorization");
    assert!(authorization.contains("/us-east-1/lambda/aws4_request"), "{authorization}");
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-invocation-type"),
        "{authorization}"
    );
    let question = seen.json();
    assert_eq!((&question["arguments"], &question["user"]["name"]), (&json!({"item": 7}), &json!("Ana")));
    assert_eq!(question["id"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn functions_fail_in_their_own_ways() {
    let failed = || {
        let body = json!({"errorType": "KeyError", "errorMessage": "secret words"});
        Reply::json(body).header("x-amz-function-error", "Unhandled")
    };
    invoked(failed, Err("the function failed (KeyError): it may have been done")).await;
    invoked(|| Reply::new(403, ""), Err("ToolFunctions")).await;
    invoked(|| Reply::new(404, ""), Err("there is no function stock:live")).await;
    invoked(|| Reply::new(429, ""), Err("nothing was done")).await;
    let answer = || Reply::json(json!({"text": "gone", "error": true, "more": Value::Null}));
    invoked(answer, Err("gone")).await;
}
