//! What holds for every call, whatever the tool.

use model::ToolCall;
use serde_json::{Value, json};
use turn::config::{Confirm, Tool, ToolKind};

use super::{Reply, Stand, context, secrets, tools};
use crate::{Budget, Called, Context, Desk, Given, Reminder, ToolResult, Toolbox, Tools};

pub struct NoDesk;

#[async_trait::async_trait]
impl Desk for NoDesk {
    async fn remember(&self, _: &str) -> Result<String, String> {
        Ok("noted".into())
    }
    async fn forget(&self, _: &str) -> Result<String, String> {
        Err("there is no such note".into())
    }
    async fn remind(&self, _: &Reminder) -> Result<String, String> {
        Err("no reminders here".into())
    }
    async fn list_reminders(&self) -> Result<String, String> {
        Ok("there are none".into())
    }
    async fn cancel_reminder(&self, _: &str) -> Result<String, String> {
        Err("there is no such reminder".into())
    }
    async fn hand_off(&self, _: &str) -> Result<String, String> {
        Err("nobody is there".into())
    }
}

pub fn http(url: &str) -> Tool {
    Tool {
        kind: ToolKind::Http,
        url: Some(url.to_owned()),
        secret: Some("orders".into()),
        description: Some("Finds an order".into()),
        timeout_s: 20,
        max_bytes: 20_000,
        ..Tool::default()
    }
}

pub async fn open<'t>(tools: &'t Tools, entries: Vec<(&str, Tool)>, budget: Budget) -> Toolbox<'t> {
    open_as(tools, entries, budget, context()).await
}

async fn open_as<'t>(
    tools: &'t Tools,
    entries: Vec<(&str, Tool)>,
    budget: Budget,
    context: Context,
) -> Toolbox<'t> {
    let secrets = secrets();
    let entries = entries.into_iter().map(|(name, tool)| (name.to_owned(), tool)).collect();
    Toolbox::open(tools, Given { tools: entries, secrets: &secrets, knowledge: vec![] }, context, budget)
        .await
}

pub fn budget() -> Budget {
    Budget::new(10, 60)
}

pub fn asked(name: &str, arguments: Value) -> ToolCall {
    ToolCall { id: "c1".into(), name: name.into(), arguments, signature: None }
}

pub async fn call(toolbox: &Toolbox<'_>, name: &str, arguments: Value) -> ToolResult {
    match toolbox.call(&asked(name, arguments), &NoDesk, false).await {
        Called::Done(result) => result,
        Called::NeedsConfirmation { text } => panic!("asks: {text}"),
    }
}

/// `Ok` and `Err` hold words of the result that it succeeds or fails with.
pub async fn check(toolbox: &Toolbox<'_>, name: &str, arguments: Value, expected: Result<&str, &str>) {
    let result = call(toolbox, name, arguments).await;
    let (Ok(words) | Err(words)) = expected;
    assert_eq!(result.is_error, expected.is_err(), "{}", result.text);
    assert!(result.text.contains(words), "{}", result.text);
}

#[tokio::test]
async fn what_cannot_be_called_is_told() {
    let tools = tools(None);
    let toolbox = open(&tools, vec![("remember", Tool::built_in("remember").unwrap())], budget()).await;
    for (name, arguments, words) in [
        ("forget", json!({}), "there is no tool forget; there is remember"),
        ("remember", json!("text"), "must be a JSON object"),
        ("remember", json!([1]), "must be a JSON object"),
        ("remember", Value::Null, "missing field `text`"),
    ] {
        check(&toolbox, name, arguments, Err(words)).await;
    }
    assert_eq!(call(&toolbox, "remember", json!({"text": "likes tea"})).await, ToolResult::ok("noted"));
}

#[tokio::test]
async fn the_budget_ends_the_calls_and_the_model_is_told_of_no_tool() {
    let tools = tools(None);
    let toolbox =
        open(&tools, vec![("remember", Tool::built_in("remember").unwrap())], Budget::new(1, 60)).await;
    assert_eq!(toolbox.specs().len(), 1);
    assert!(!call(&toolbox, "remember", json!({"text": "a"})).await.is_error);
    let refused = call(&toolbox, "remember", json!({"text": "b"})).await;
    assert!(refused.is_error && refused.text.contains("answer with what you know"), "{}", refused.text);
    assert!(toolbox.specs().is_empty() && toolbox.budget().spent());
}

#[tokio::test]
async fn calls_that_are_asked_about_are_made_when_somebody_agreed() {
    let stand = Stand::new(|_, _| Reply::new(200, "cancelled")).await;
    let tools = tools(None);
    let tool = Tool { confirm: Confirm::All, ..http(&stand.url) };
    let toolbox = open(&tools, vec![("cancel_order", tool)], budget()).await;
    let call = asked("cancel_order", json!({"order": "A-1", "refund": true}));
    let text = "cancel_order\n• order: A-1\n• refund: true".to_owned();
    assert_eq!(toolbox.call(&call, &NoDesk, false).await, Called::NeedsConfirmation { text });
    assert!(stand.seen().is_empty());
    assert_eq!(toolbox.call(&call, &NoDesk, true).await, Called::Done(ToolResult::ok("cancelled")));
    assert_eq!(stand.seen().len(), 1);
}

/// Whoever is asked sees something of every argument, and what they do not see.
#[tokio::test]
async fn nobody_agrees_to_what_they_do_not_know_of() {
    let tools = tools(None);
    let tool = Tool { confirm: Confirm::All, ..http("https://shop.example.com") };
    let toolbox = open(&tools, vec![("mail", tool)], budget()).await;
    let check = async |arguments: Value, expected: &str| {
        let text = expected.to_owned();
        let asked = toolbox.call(&asked("mail", arguments), &NoDesk, false).await;
        assert_eq!(asked, Called::NeedsConfirmation { text });
    };
    check(json!({}), "mail").await;
    let whole = "ä".repeat(300);
    check(json!({"body": whole, "to": "Ana"}), &format!("mail\n• body: {whole}\n• to: Ana")).await;
    let long = "ä".repeat(1_234);
    let cut = format!("mail\n• body: {whole}… [934 more characters are not shown]\n• to: Ana");
    check(json!({"body": long, "to": "Ana"}), &cut).await;
    let many: serde_json::Map<String, Value> = (10..30).map(|n| (n.to_string(), n.into())).collect();
    let lines: String = (10..22).map(|n| format!("\n• {n}: {n}")).collect();
    check(many.into(), &format!("mail{lines}\n• 8 more arguments are not shown")).await;
}

/// The assistant that we ship has them: a "hello" stays small.
#[tokio::test]
async fn the_tools_for_notes_take_few_words() {
    let tools = tools(None);
    let named = ["remember", "forget"].map(|name| (name, Tool::built_in(name).unwrap()));
    let told = open(&tools, named.to_vec(), budget()).await.specs();
    let bytes = |spec: &model::ToolSpec| {
        json!({"name": spec.name, "description": spec.description, "input_schema": spec.schema})
            .to_string()
            .len()
    };
    let all: usize = told.iter().map(bytes).sum();
    assert!(told.len() == 2 && all < 550, "{all} bytes");
}

#[tokio::test]
async fn a_call_has_one_key_until_it_is_done() {
    let stand = Stand::new(|_, before| Reply::new(if before == 0 { 500 } else { 200 }, "ok")).await;
    let tools = tools(None);
    let key = |index: usize| stand.seen()[index].header("webhook-id").to_owned();
    let toolbox = open(&tools, vec![("pay", http(&stand.url)), ("refund", http(&stand.url))], budget()).await;
    assert!(call(&toolbox, "pay", json!({"a": 1, "b": 2})).await.is_error);
    assert!(!call(&toolbox, "pay", json!({"a": 1, "b": 2})).await.is_error);
    assert_eq!(key(0), key(1), "it may have been done the first time");
    // A killed turn that is asked again.
    let again = open(&tools, vec![("pay", http(&stand.url))], budget()).await;
    call(&again, "pay", json!({"a": 1, "b": 2})).await;
    assert_eq!(key(1), key(2));
    // Other arguments, another tool, the same once more, another turn.
    call(&toolbox, "pay", json!({"a": 2, "b": 2})).await;
    call(&toolbox, "refund", json!({"a": 1, "b": 2})).await;
    call(&toolbox, "pay", json!({"a": 1, "b": 2})).await;
    let other = Context { turn: "abc/13".into(), ..context() };
    let other = open_as(&tools, vec![("pay", http(&stand.url))], budget(), other).await;
    call(&other, "pay", json!({"a": 1, "b": 2})).await;
    let keys: std::collections::BTreeSet<String> = (2..7).map(key).collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
}

#[tokio::test]
async fn results_are_cut_and_silence_is_borne_for_a_while_only() {
    let stand =
        Stand::new(
            |seen, _| if seen.path == "/slow" { Reply::never() } else { Reply::new(200, "x".repeat(5_000)) },
        )
        .await;
    let tools = tools(None);
    let long = Tool { max_bytes: 100, ..http(&stand.url) };
    let slow = Tool { timeout_s: 1, ..http(&format!("{}/slow", stand.url)) };
    let toolbox = open(&tools, vec![("long", long), ("slow", slow)], budget()).await;
    let result = call(&toolbox, "long", json!({})).await;
    assert!(result.text.len() <= 100 && result.text.ends_with("[cut]"), "{}", result.text);
    check(&toolbox, "slow", json!({}), Err("it may have been done")).await;
}

#[tokio::test]
async fn what_is_not_set_up_is_left_out_and_named() {
    let tools = tools(None);
    let unset = Tool { secret: Some("nowhere".into()), ..http("http://127.0.0.1:1") };
    let unnamed = Tool { url: None, ..http("") };
    let entries = vec![
        ("unset", unset),
        ("unnamed", unnamed),
        ("search_knowledge", Tool::built_in("search_knowledge").unwrap()),
        ("remember", Tool::built_in("remember").unwrap()),
    ];
    let toolbox = open(&tools, entries, budget()).await;
    let missing: Vec<String> =
        toolbox.missing().iter().map(|missing| format!("{}: {}", missing.name, missing.why)).collect();
    assert_eq!(
        missing,
        [
            "unset: not set up: the secret nowhere is not set: crabhook secrets set tool nowhere",
            "unnamed: not set up: it needs either `url` or `function`",
            "search_knowledge: not set up: there is nothing to search: add an entry under `knowledge`",
        ]
    );
    assert_eq!(toolbox.specs().iter().map(|spec| spec.name.clone()).collect::<Vec<_>>(), ["remember"]);
}
