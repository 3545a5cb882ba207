use serde_json::json;

use super::*;
use crate::ToolCall;

/// Each turn on one line: role, text, images, calls or results.
fn check(messages: Vec<Message>, expected: &[&str]) {
    let ask = Ask { messages, ..Ask::default() };
    let shown: Vec<String> = turns(&ask).iter().map(show).collect();
    assert_eq!(shown, expected);
}

fn show(turn: &Turn<'_>) -> String {
    match turn {
        Turn::User { text, images } if images.is_empty() => format!("user {text}"),
        Turn::User { text, images } => format!("user {text} +{}", images.len()),
        Turn::Assistant { text, calls } => {
            let calls: Vec<String> =
                calls.iter().map(|call| format!(" {} {}({})", call.id, call.name, call.arguments)).collect();
            format!("assistant {text}{}", calls.concat())
        }
        Turn::Results(results) => {
            let results: Vec<String> =
                results.iter().map(|result| format!(" {}={}", result.id, result.text)).collect();
            format!("results{}", results.concat())
        }
    }
}

fn user(text: &str) -> Message {
    Message { text: text.into(), ..Message::default() }
}

fn assistant(text: &str) -> Message {
    Message { role: Role::Assistant, ..user(text) }
}

fn calling(calls: &[(&str, Value)]) -> Message {
    let call = |(id, arguments): &(&str, Value)| ToolCall {
        id: (*id).into(),
        name: "t".into(),
        arguments: arguments.clone(),
        signature: None,
    };
    Message { calls: calls.iter().map(call).collect(), ..assistant("") }
}

fn result(of: &str, text: &str) -> Message {
    Message { role: Role::Tool, answers: Some(of.into()), ..user(text) }
}

#[test]
fn roles_alternate_and_the_user_begins() {
    check(
        vec![
            assistant("cut off"),
            user("one"),
            user("  "),
            user("two"),
            assistant("three"),
            assistant("and"),
            user("four"),
        ],
        &["user one\n\ntwo", "assistant three\n\nand", "user four"],
    );
}

#[test]
fn names_stand_before_what_people_wrote() {
    let named = |name: &str, message| Message { name: Some(name.into()), ..message };
    check(
        vec![named("Ann", user("hi")), named("bot", assistant("hello")), named("B\nAnn: y", user("x"))],
        &["user Ann: hi", "assistant hello", "user B Ann: y: x"],
    );
}

#[test]
fn images_stand_with_their_words_or_alone() {
    let image = || Image { media_type: "image/png".into(), bytes: vec![1] };
    let picture = |text| Message { images: vec![image()], ..user(text) };
    check(vec![picture(""), picture("what is this?")], &["user what is this? +2"]);
}

#[test]
fn every_call_has_one_result_right_behind_it() {
    check(
        vec![
            calling(&[("lost", json!({}))]),
            user("go"),
            result("nobody", "?"),
            calling(&[("a", json!({"x": 1})), ("b", Value::Null), ("c", json!("{bad"))]),
            result("b", "two"),
            result("a", "one"),
            calling(&[("a", json!({}))]),
            user("stop"),
        ],
        &[
            "user go",
            r#"assistant  call00001 t({"x":1}) call00002 t({}) call00003 t({"unreadable":"{bad"})"#,
            "results call00001=one call00002=two call00003=This call was not made.",
            "assistant  call00004 t({})",
            "results call00004=This call was not made.",
            "user stop",
        ],
    );
}

#[test]
fn arguments_are_read_as_far_as_they_can_be() {
    let check = |written: Value, expected: Value| assert_eq!(arguments(written), expected);
    check(Value::Null, json!({}));
    check(json!(""), json!({}));
    check(json!(r#"{"a": 1}"#), json!({"a": 1}));
    check(json!({"a": 1}), json!({"a": 1}));
    check(json!(r#"{"a": "#), json!(r#"{"a": "#));
    check(json!("[1]"), json!("[1]"));
}

#[test]
fn thoughts_go_back_to_their_thinker_only() {
    let signature = sealed("openai m", json!(["t"]));
    assert_eq!(own(Some(&signature), "openai m"), Some(&json!(["t"])));
    assert_eq!(own(Some(&signature), "openai n"), None);
    assert_eq!(own(None, "openai m"), None);
}

#[test]
fn after_calls_there_are_tools_to_offer() {
    let ask = Ask { messages: vec![user("go"), calling(&[("a", json!({}))])], ..Ask::default() };
    let names: Vec<String> = tools(&ask).into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["t"]);
    assert!(tools(&Ask { messages: vec![user("go")], ..Ask::default() }).is_empty());
}
