//! What the operator's hooks change stays changed, and a yes is a yes to what was asked.

use serde_json::{Value, json};
use tests::programs::Programs;
use tests::world::{Sent, Words, World};

use crate::alone;
use crate::lookup::create_function;
use crate::web::{Page, SITE};

/// A zip of `tool.py`: a handler that gives {"text": event["text"].replace("4111", "[card]")}.
const FUNCTION: &str = "UEsDBBQAAAAAAAAAIQAnyQT5WgAAAFoAAAAHAAAAdG9vbC5weWRlZiBoYW5kbGVyKGV2ZW50LCBjb250ZXh0KToKICAgIHJldHVybiB7InRleHQiOiBldmVudFsidGV4dCJdLnJlcGxhY2UoIjQxMTEiLCAiW2NhcmRdIil9ClBLAQIUAxQAAAAAAAAAIQAnyQT5WgAAAFoAAAAHAAAAAAAAAAAAAACkAQAAAAB0b29sLnB5UEsFBgAAAAABAAEANQAAAH8AAAAAAA==";

fn programs() -> Programs {
    Programs::start(|path, asked| match path {
        "/before" => match asked["text"].as_str().unwrap_or_default() {
            text if text.contains("price list") => (200, json!({"reply": "Prices are on our page."})),
            text if text.contains("ignore me") => (200, json!({"stop": true})),
            text => (200, json!({"text": text.replace("4111 1111", "[card]")})),
        },
        "/after" => {
            (200, json!({"text": asked["text"].as_str().unwrap_or_default().replace("Acme", "our company")}))
        }
        "/mail" => (200, json!("sent")),
        _ => (404, json!({})),
    })
}

fn on_hooked_cloud(name: &str, programs: &Programs, test: impl AsyncFnOnce(&World)) {
    let url = &programs.url;
    let config = format!(
        "
version: 1
models:
  default: {{provider: openai, model: scripted, base_url: '{{platform}}/model/v1', key: openai}}
assistants:
  default: {{disclosure: never, hooks: [before, after], tools: [mail]}}
  by_iam: {{disclosure: never, hooks: [redact]}}
  telling: {{hooks: [before]}}
hooks:
  before: {{on: pre_process, url: '{url}/before'}}
  after: {{on: post_process, url: '{url}/after'}}
  redact: {{on: pre_process, function: redact, timeout_s: 20, on_error: stop}}
tools:
  mail: {{kind: http, url: '{url}/mail', description: 'Sends a mail.', confirm: all,
    arguments: {{type: object, properties: {{to: {{type: string}}}}, required: [to]}}}}
commands:
  say: {{prompt: 'Say this: {{text}}'}}
channels:
  slack: {{assistant: by_iam}}
  discord: {{assistant: telling}}
  web: {{assistant: telling, origins: ['{SITE}']}}
"
    );
    let channels = ["telegram", "slack", "discord", "web"].map(String::from).to_vec();
    alone(name, &config, |options| options.channels = channels, test);
}

async fn tell(world: &World, answers: Value) {
    world.tell("/model/answers", json!({ "answers": answers })).await;
}

/// Says something, waits for an answer that holds these words.
pub async fn talk(world: &World, words: Words<'_>, text: &str, expected: &str) -> Sent {
    let sent = world.send(Words { text, ..words }).await;
    world.kept(std::slice::from_ref(&sent)).await;
    world.at_rest(&sent).await;
    world.until(&sent, |said| said.iter().any(|said| said.contains(expected))).await;
    sent
}

/// The last question, whole.
pub async fn asked(world: &World) -> String {
    world.questions().await.last().expect("a question").to_string()
}

/// Neither the next question nor the one after `/retry` has what a hook took out, and the table has it nowhere.
#[test]
fn what_a_hook_takes_out_stays_out() {
    let programs = programs();
    on_hooked_cloud("hooks-kept", &programs, async |world| {
        let words = Words::of("telegram", "7", "");
        talk(world, words, "my card is 4111 1111", "You said: my card is [card]").await;
        let sent = talk(world, words, "and now?", "You said: and now?").await;
        let question = asked(world).await;
        assert!(question.contains("my card is [card]") && !question.contains("4111"), "{question}");
        let conversation = sent.conversation.as_ref().unwrap();
        let turn = world.store().turn(conversation, 0).await.unwrap().unwrap();
        assert_eq!(turn.messages[0].text, "my card is [card]");
        // A command stays as it was written, unless a hook changed what it stands for.
        talk(world, words, "/say hello", "You said: Say this: hello").await;
        talk(world, words, "/say 4111 1111", "You said: Say this: [card]").await;
        let before = programs.asked("/before").len();
        talk(world, words, "/retry", "You said: Say this: [card]").await;
        assert_eq!(programs.asked("/before").len(), before, "a hook's own text is not shown to it again");
        talk(world, words, "and then?", "You said: and then?").await;
        let question = asked(world).await;
        assert!(question.contains("/say hello") && question.contains("Say this: [card]"), "{question}");
        assert!(!question.contains("4111"), "{question}");

        // Said to people while the assistant was silent: the hook sees it before the model does.
        world.store().pause(conversation, i64::MAX).await.unwrap();
        let unheard = world.send(Words { text: "my other card is 4111 1111", ..words }).await;
        world.kept(std::slice::from_ref(&unheard)).await;
        world.at_rest(&unheard).await;
        world.store().pause(conversation, 0).await.unwrap();
        talk(world, words, "are you there?", "are you there?").await;
        let question = asked(world).await;
        assert!(question.contains("my other card is [card]") && !question.contains("4111"), "{question}");

        // A function of the account as a hook, known by IAM; without it nothing is asked.
        let words = Words::of("slack", "7", "");
        let questions = world.questions().await.len();
        talk(world, words, "hello", "cannot answer at the moment").await;
        assert_eq!(world.questions().await.len(), questions);
        create_function(world, "redact", FUNCTION).await;
        talk(world, words, "my card is 4111", "You said: my card is [card]").await;
        talk(world, words, "which card?", "You said: which card?").await;
        assert!(!asked(world).await.contains("4111"));

        // Who is answered by a hook is told by whom, once.
        let words = Words::of("discord", "7", "");
        let ready = talk(world, words, "the price list, please", "Prices are on our page.").await;
        let said = world.said(&ready).await.join("\n");
        assert!(said.contains("You are talking to an AI assistant."), "{said}");
        let next = talk(world, words, "thanks", "You said: thanks").await;
        let said = world.said(&next).await;
        assert!(!said.last().unwrap().contains("You are talking to"), "{said:?}");
    });
}

/// What stands in the place of an answer is taken away where none will come: a hook stopped the question, or people answer there.
#[test]
fn nobody_waits_for_an_answer_that_does_not_come() {
    let programs = programs();
    on_hooked_cloud("hooks-stop", &programs, async |world| {
        let words = Words::of("discord", "7", "please ignore me");
        let taken_away = async || {
            let calls = world.calls("discord").await;
            let path =
                |call: &Value| call["path"].as_str().unwrap_or_default().ends_with("/messages/@original");
            calls.iter().filter(|call| call["method"] == "DELETE" && path(call)).count()
        };
        for times in [1, 2] {
            let sent = world.send(words).await;
            world.kept(std::slice::from_ref(&sent)).await;
            world.at_rest(&sent).await;
            assert_eq!((taken_away().await, world.said(&sent).await.len()), (times, 0));
            // The second comes while people answer.
            world.store().pause(sent.conversation.as_ref().unwrap(), i64::MAX).await.unwrap();
        }
        let mut program = Page::new(world, "");
        program.token = world.cloud.secrets("web", "main").get("api_key").unwrap().to_owned();
        let question = json!({"model": "m", "messages": [{"role": "user", "content": "please ignore me"}]});
        let answer = program.post("v1/chat/completions", question).await;
        assert_eq!(answer.status(), 403);
        let why = answer.json::<Value>().await.unwrap().to_string();
        assert!(why.contains("a hook of theirs stops the question"), "{why}");
        assert!(world.questions().await.is_empty());
    });
}

/// What the model writes before it asks goes through the hooks; a word answers what was said last, a button its own question.
#[test]
fn a_yes_is_a_yes_to_what_was_asked() {
    let programs = programs();
    on_hooked_cloud("agreed", &programs, async |world| {
        let words = Words::of("telegram", "8", "");
        let mails = || programs.asked("/mail").len();
        let asks = |to: &str| json!({"text": "Acme will write.", "calls": [{"name": "mail", "arguments": {"to": to}}]});
        tell(world, json!([asks("ana@example.com"), "Done."])).await;
        let sent = talk(world, words, "write to Ana", "Shall I").await;
        let said = world.said(&sent).await.join("\n");
        assert!(said.contains("our company will write.") && !said.contains("Acme"), "{said}");
        talk(world, words, "ok", "Done.").await;
        assert_eq!(mails(), 1);

        // Other things were said since: that yes is to them.
        tell(world, json!([asks("ben@example.com"), "It is noon.", "Fine.", "Sent to Ben."])).await;
        talk(world, words, "write to Ben", "ben@example.com").await;
        let sent = talk(world, words, "what time is it?", "It is noon.").await;
        talk(world, words, "ok", "Fine.").await;
        assert_eq!(mails(), 1, "nobody agreed to it");
        let pending = world.store().pending(sent.conversation.as_ref().unwrap()).await.unwrap().unwrap();
        let press = turn::pending::press(true, &pending.id);
        talk(world, words, &press, "Sent to Ben.").await;
        assert_eq!(mails(), 2, "a button says which question it means");

        // A press among other messages is found.
        tell(world, json!([asks("cid@example.com"), "One \u{23f8}moment.", "Sent to Cid, and hello."])).await;
        let sent = talk(world, words, "write to Cid", "cid@example.com").await;
        let pending = world.store().pending(sent.conversation.as_ref().unwrap()).await.unwrap().unwrap();
        let press = turn::pending::press(true, &pending.id);
        let questions = world.questions().await.len();
        world.send(Words { text: "wait", ..words }).await;
        world.asked(questions + 1).await;
        let pressed = world.send(Words { text: &press, ..words }).await;
        let hello = world.send(Words { text: "and hello", ..words }).await;
        world.kept(&[pressed, hello.clone()]).await;
        world.tell("/model/go", json!({"pauses": 1_000})).await;
        world.until(&hello, |said| said.iter().any(|text| text.contains("Sent to Cid"))).await;
        world.at_rest(&hello).await;
        assert_eq!(mails(), 3);
        let question = asked(world).await;
        assert!(question.contains("and hello") && question.contains("sent"), "{question}");

        // A word after a fresh start is no yes to what was asked before.
        tell(world, json!([asks("dan@example.com"), "Hello."])).await;
        talk(world, words, "write to Dan", "dan@example.com").await;
        talk(world, words, "/new", "start over").await;
        talk(world, words, "yes", "Hello.").await;
        assert_eq!(mails(), 3);
    });
}
