//! Servers on this machine that speak MCP as the specification says; the client is the official SDK.

mod server;

use std::time::Duration;

use serde_json::json;
use turn::config::{Confirm, Tool, ToolKind};

use self::server::{Manner, Server};
use crate::tests::toolbox::{NoDesk, asked, budget, call, check, open};
use crate::tests::{Remembered, Seen, tools, tools_with};
use crate::{Called, Toolbox, Tools};

fn mcp(url: &str) -> Tool {
    let headers = [("authorization".to_owned(), "github".to_owned())].into();
    Tool {
        kind: ToolKind::Mcp,
        url: Some(format!("{url}/mcp")),
        headers,
        timeout_s: 20,
        max_bytes: 20_000,
        confirm: Confirm::None,
        ..Tool::default()
    }
}

fn names(toolbox: &Toolbox<'_>) -> Vec<String> {
    toolbox.specs().iter().map(|spec| spec.name.clone()).collect()
}

/// What the server was asked, in order: JSON-RPC methods, `GET` and `DELETE`.
fn methods(seen: &[Seen]) -> Vec<String> {
    let method = |seen: &Seen| seen.json()["method"].as_str().map_or(seen.method.clone(), str::to_owned);
    // When the stream for the server's own messages is opened is up to the SDK.
    seen.iter().map(method).filter(|method| method != "GET").collect()
}

#[tokio::test]
async fn tools_are_listed_once_and_called_in_a_session_of_the_turn() {
    for manner in [Manner::Json, Manner::Stream] {
        let server = Server::new(manner).await;
        let tools = tools(None);
        let toolbox = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
        assert_eq!(
            names(&toolbox),
            ["github__search", "github__write", "github__fail", "github__sleep", "github__crash"]
        );
        let spec = &toolbox.specs()[0];
        assert_eq!(spec.description, "Searches the code");
        assert_eq!(spec.schema["required"], json!(["text"]));
        let result = call(&toolbox, "github__search", json!({"text": "lease"})).await;
        assert_eq!(
            (result.text.as_str(), result.is_error),
            (
                "[The person does not get picture.png: it cannot be sent at the moment.]\n\
                 found lease\n\n[a picture, image/png]\n\nrun.rs: file:///run.rs",
                false
            )
        );
        toolbox.close().await;
        assert_eq!(
            methods(&server.seen()),
            ["initialize", "notifications/initialized", "tools/list", "tools/list", "tools/call", "DELETE"],
            "{manner:?}"
        );
        let seen = server.seen();
        assert!(seen.iter().all(|seen| seen.header("authorization") == "Bearer ghp_1"));
        assert!(seen.iter().skip(1).all(|seen| seen.header("mcp-session-id") == "s-1"));
        let called = seen.iter().find(|seen| seen.json()["method"] == "tools/call").unwrap().json();
        assert_eq!(called["params"]["arguments"], json!({"text": "lease"}));
        assert_eq!(called["params"]["_meta"]["crabhook/idempotency-key"].as_str().map(str::len), Some(32));

        // The next turn knows the tools without asking, and greets only when one is called.
        let next = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
        assert_eq!(names(&next).len(), 5);
        assert_eq!(server.seen().len(), seen.len());
        check(&next, "github__search", json!({"text": "b"}), Ok("found b")).await;
        next.close().await;
        assert_eq!(
            methods(&server.seen()[seen.len()..]),
            ["initialize", "notifications/initialized", "tools/call", "DELETE"]
        );
    }
}

#[tokio::test]
async fn only_what_is_allowed_and_only_what_is_read_only_goes_unasked() {
    let server = Server::new(Manner::Json).await;
    let tools = tools(None);
    let tool =
        Tool { allow: vec!["search".into(), "write".into()], confirm: Confirm::Auto, ..mcp(&server.url) };
    let toolbox = open(&tools, vec![("github", tool)], budget()).await;
    assert_eq!(names(&toolbox), ["github__search", "github__write"]);
    check(&toolbox, "github__search", json!({"text": "a"}), Ok("found a")).await;
    check(&toolbox, "github__fail", json!({}), Err("there is no tool github__fail")).await;
    let write = asked("github__write", json!({"text": "a"}));
    let before = server.seen().len();
    assert!(matches!(toolbox.call(&write, &NoDesk, false).await, Called::NeedsConfirmation { .. }));
    assert_eq!(server.seen().len(), before);
    assert!(matches!(toolbox.call(&write, &NoDesk, true).await, Called::Done(_)));
    toolbox.close().await;
}

#[tokio::test]
async fn failures_of_calls_are_told() {
    let server = Server::new(Manner::Stream).await;
    let tools = tools(None);
    let tool = Tool { timeout_s: 1, ..mcp(&server.url) };
    let toolbox = open(&tools, vec![("github", tool)], budget()).await;
    check(&toolbox, "github__fail", json!({}), Err("the repository is archived")).await;
    check(&toolbox, "github__search", json!({}), Err("refused: text is missing")).await;
    check(&toolbox, "github__sleep", json!({}), Err("it may have been done")).await;
    check(&toolbox, "github__crash", json!({}), Err("it failed (500)")).await;
    check(&toolbox, "github__search", json!({"text": "still"}), Ok("found still")).await;
    toolbox.close().await;
}

#[tokio::test]
async fn a_session_that_the_server_ended_is_begun_anew() {
    let server = Server::new(Manner::Json).await;
    let tools = tools(None);
    let toolbox = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
    check(&toolbox, "github__search", json!({"text": "a"}), Ok("found a")).await;
    server.forget_sessions();
    check(&toolbox, "github__search", json!({"text": "b"}), Ok("found b")).await;
    let initialized = methods(&server.seen()).iter().filter(|method| *method == "initialize").count();
    assert_eq!(initialized, 2);
    toolbox.close().await;
}

#[tokio::test]
async fn a_server_without_sessions_is_as_good() {
    let server = Server::new(Manner::Stateless).await;
    let tools = tools(None);
    let toolbox = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
    check(&toolbox, "github__search", json!({"text": "a"}), Ok("found a")).await;
    toolbox.close().await;
    assert!(!methods(&server.seen()).contains(&"DELETE".to_owned()));
}

#[tokio::test]
async fn a_server_that_only_knows_discovery_is_spoken_to_in_its_way() {
    let server = Server::new(Manner::Discovery).await;
    let tools = tools(None);
    let toolbox = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
    assert_eq!(toolbox.missing(), []);
    check(&toolbox, "github__search", json!({"text": "a"}), Ok("found a")).await;
    toolbox.close().await;
    assert_eq!(methods(&server.seen())[..2], ["initialize", "server/discover"]);
}

#[tokio::test]
async fn servers_that_do_not_answer_are_left_out_and_left_alone_for_a_while() {
    let stranger = Server::new(Manner::Refusing(401)).await;
    let busy = Server::new(Manner::Refusing(503)).await;
    let nothing = Server::new(Manner::Refusing(404)).await;
    let good = Server::new(Manner::Json).await;
    let tools = tools(None);
    let entries = || {
        vec![
            ("stranger", mcp(&stranger.url)),
            ("busy", mcp(&busy.url)),
            ("nothing", mcp(&nothing.url)),
            ("nobody", mcp("http://127.0.0.1:1")),
            ("good", mcp(&good.url)),
        ]
    };
    let toolbox = open(&tools, entries(), budget()).await;
    assert_eq!(names(&toolbox).len(), 5);
    let missing: Vec<String> =
        toolbox.missing().iter().map(|missing| format!("{} {}", missing.name, missing.why)).collect();
    let expected = [
        "stranger not set up: it does not accept our credentials (401)",
        "busy it is overloaded (503)",
        "nothing not set up: there is no MCP server at its address (404)",
        "nobody it cannot be reached",
    ];
    assert_eq!(missing.len(), expected.len(), "{missing:?}");
    for (missing, expected) in missing.iter().zip(expected) {
        assert!(missing.starts_with(expected), "{missing}");
    }
    let before = stranger.seen().len();
    assert_eq!(open(&tools, entries(), budget()).await.missing().len(), 4);
    assert_eq!(stranger.seen().len(), before);
    toolbox.close().await;
}

#[tokio::test]
async fn nobody_waits_for_a_server_whose_tools_were_told_before() {
    let server = Server::new(Manner::Json).await;
    let memory = Remembered::default();
    let opened = async |tools: &Tools| {
        let toolbox = open(tools, vec![("github", mcp(&server.url))], budget()).await;
        let count = names(&toolbox).len();
        toolbox.close().await;
        (count, methods(&server.seen()).len())
    };
    let (count, asked) = opened(&tools_with(None, memory.clone())).await;
    assert_eq!(count, 5);

    // Another process: nothing is asked, whatever the server does now.
    let second = tools_with(None, memory.clone());
    assert_eq!(opened(&second).await, (5, asked));
    second.catch_up(Duration::from_secs(10)).await;
    assert_eq!(opened(&second).await, (5, asked), "what was told just now need not be told again");

    // A list of long ago is as good, and is asked for anew when the answer is out.
    memory.age(1_000_000);
    let third = tools_with(None, memory.clone());
    assert_eq!(opened(&third).await, (5, asked));
    third.catch_up(Duration::from_secs(10)).await;
    let again = methods(&server.seen())[asked..].to_vec();
    assert_eq!(again, ["initialize", "notifications/initialized", "tools/list", "tools/list", "DELETE"]);
    third.catch_up(Duration::from_secs(10)).await;
    assert_eq!(opened(&third).await, (5, asked + again.len()), "once");
}

#[tokio::test]
async fn a_server_that_did_not_answer_in_time_is_known_after_the_answer() {
    let server = Server::new(Manner::BusyOnce).await;
    let tools = tools(None);
    let toolbox = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
    assert_eq!((names(&toolbox).len(), toolbox.missing().len()), (0, 1));
    tools.catch_up(Duration::from_secs(10)).await;
    let next = open(&tools, vec![("github", mcp(&server.url))], budget()).await;
    assert_eq!((names(&next).len(), next.missing().len()), (5, 0));
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_once_by_all_processes() {
    let server = Server::new(Manner::Refusing(503)).await;
    let memory = Remembered::default();
    let first = tools_with(None, memory.clone());
    assert_eq!(open(&first, vec![("github", mcp(&server.url))], budget()).await.missing().len(), 1);
    let asked = methods(&server.seen()).len();
    memory.age(1_000_000);
    let second = tools_with(None, memory.clone());
    assert_eq!(open(&second, vec![("github", mcp(&server.url))], budget()).await.missing().len(), 1);
    assert_eq!(methods(&server.seen()).len(), asked);
    second.catch_up(Duration::from_secs(10)).await;
    assert!(methods(&server.seen()).len() > asked, "it is asked when nobody waits");
}
