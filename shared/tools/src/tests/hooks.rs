//! What hooks are sent and may do.

use serde_json::json;
use turn::config::{Hook, HookPoint, OnError};

use super::{Reply, Stand, context, secrets, tools};
use crate::{Before, Error, post_process, pre_process};

fn hook(on: HookPoint, url: &str) -> Hook {
    Hook { on, url: Some(url.to_owned()), secret: Some("orders".into()), timeout_s: 5, ..Hook::default() }
}

/// What a hook before the model that answers so makes of the message `hello`.
async fn before(reply: Reply, on_error: OnError) -> Result<Before, Error> {
    let reply = std::sync::Mutex::new(Some(reply));
    let stand = Stand::new(move |_, _| reply.lock().unwrap().take().unwrap()).await;
    let hooks = [("audit".to_owned(), Hook { on_error, ..hook(HookPoint::PreProcess, &stand.url) })];
    pre_process(&tools(None), &hooks, &secrets(), &context(), "hello".into()).await
}

fn ask(text: &str) -> Result<Before, Error> {
    Ok(Before::Ask(text.to_owned()))
}

#[tokio::test]
async fn a_message_may_be_changed_answered_or_stopped() {
    let check = async |reply: Reply, expected: Result<Before, Error>| {
        let made = before(reply, OnError::Stop).await;
        assert!(made == expected, "{:?}", made.err());
    };
    check(Reply::new(204, ""), ask("hello")).await;
    check(Reply::json(json!({})), ask("hello")).await;
    check(Reply::json(json!(null)), ask("hello")).await;
    check(Reply::json(json!({"text": "good day"})), ask("good day")).await;
    check(Reply::json(json!({"reply": "we are closed"})), Ok(Before::Reply("we are closed".into()))).await;
    check(Reply::json(json!({"stop": true})), Ok(Before::Stop)).await;
}

#[tokio::test]
async fn a_hook_that_fails_is_passed_over_or_stops_the_turn() {
    for reply in
        [|| Reply::new(500, ""), || Reply::new(200, "hello there"), || Reply::json(json!({"stop": "maybe"}))]
    {
        assert!(before(reply(), OnError::Continue).await == ask("hello"));
        assert!(before(reply(), OnError::Stop).await.is_err());
    }
}

#[tokio::test]
async fn a_hook_that_is_silent_is_given_up() {
    let stand = Stand::new(|_, _| Reply::never()).await;
    let hook = Hook { timeout_s: 1, on_error: OnError::Stop, ..hook(HookPoint::PreProcess, &stand.url) };
    let made =
        pre_process(&tools(None), &[("audit".into(), hook)], &secrets(), &context(), "hello".into()).await;
    assert!(matches!(made, Err(Error::InDoubt(_))));
}

#[tokio::test]
async fn hooks_run_in_order_and_each_on_its_side() {
    let stand = Stand::new(|seen, _| {
        let question = seen.json();
        let text = format!("{}+{}", question["text"].as_str().unwrap(), question["hook"].as_str().unwrap());
        Reply::json(json!({"text": text}))
    })
    .await;
    let hooks = [
        ("a".to_owned(), hook(HookPoint::PreProcess, &stand.url)),
        ("b".to_owned(), hook(HookPoint::PostProcess, &stand.url)),
        ("c".to_owned(), hook(HookPoint::PreProcess, &stand.url)),
    ];
    let (tools, secrets, context) = (tools(None), secrets(), context());
    let made = pre_process(&tools, &hooks, &secrets, &context, "hello".into()).await;
    assert!(made == ask("hello+a+c"));
    let made = post_process(&tools, &hooks, &secrets, &context, "hi".into()).await;
    assert_eq!(made, Ok("hi+b".to_owned()));
    let seen = stand.seen();
    let kinds: Vec<String> =
        seen.iter().map(|seen| seen.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["pre_process", "pre_process", "post_process"]);
    assert!(
        seen.iter().all(|seen| seen.header("webhook-id") == seen.json()["id"]
            && !seen.header("webhook-signature").is_empty())
    );
    assert_eq!(seen[0].json()["user"], json!({"id": "7", "name": "Ana"}));
}

#[tokio::test]
async fn a_hook_may_be_a_function() {
    let stand = Stand::new(|_, _| Reply::json(json!({"text": "changed"}))).await;
    let hook =
        Hook { function: Some("audit".into()), url: None, secret: None, ..hook(HookPoint::PostProcess, "") };
    let tools = tools(Some(&stand.url));
    let made = post_process(&tools, &[("audit".into(), hook)], &secrets(), &context(), "hi".into()).await;
    assert_eq!(made, Ok("changed".to_owned()));
    assert_eq!(stand.seen()[0].path, "/2015-03-31/functions/audit/invocations");
}
