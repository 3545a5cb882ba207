//! What the model calls, and what the operator hooks in.

use serde_json::{Value, json};
use tests::programs::{Programs, mcp};
use tests::world::{Words, World};

use crate::alone;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw";

/// Programs of the operator's: two tools, two hooks, an MCP server.
fn programs() -> Programs {
    Programs::start(|path, asked| match path {
        "/weather" => {
            (200, json!({"text": format!("sunny in {}", asked["arguments"]["city"].as_str().unwrap_or("?"))}))
        }
        "/mail" => (200, json!("sent")),
        "/before" => match asked["text"].as_str().unwrap_or_default() {
            text if text.contains("price list") => (200, json!({"reply": "Prices are on our page."})),
            text if text.contains("ignore me") => (200, json!({"stop": true})),
            text => (200, json!({"text": text.replace("4111 1111", "[card]")})),
        },
        "/after" => {
            (200, json!({"text": asked["text"].as_str().unwrap_or_default().replace("Acme", "our company")}))
        }
        "/mcp" => mcp(&["lookup"], asked, |_, arguments| format!("found {}", arguments["word"])),
        _ => (404, json!({})),
    })
}

fn config(programs: &Programs) -> String {
    let url = &programs.url;
    format!(
        "
version: 1
models:
  default: {{provider: openai, model: scripted, base_url: '{{platform}}/model/v1', key: openai}}
  claude: {{provider: anthropic, model: claude-scripted, base_url: '{{platform}}/model/anthropic/v1/', key: openai}}
  nova: {{provider: bedrock, model: 'amazon.nova-lite-v1:0', base_url: '{{platform}}/model/bedrock'}}
assistants:
  default: {{model: default, disclosure: never, tools: [weather, mail, docs, remind_me, hand_off]}}
  claude: {{model: claude, disclosure: never, tools: [weather, mail, docs]}}
  nova: {{model: nova, disclosure: never, tools: [weather, mail, docs]}}
  guarded: {{model: default, disclosure: never, hooks: [before, after], tools: [mail]}}
tools:
  weather: {{kind: http, url: '{url}/weather', description: 'The weather in a city.', secret: weather,
    arguments: {{type: object, properties: {{city: {{type: string}}}}, required: [city]}}}}
  mail: {{kind: http, url: '{url}/mail', description: 'Sends a mail.', confirm: all,
    arguments: {{type: object, properties: {{to: {{type: string}}}}, required: [to]}}}}
  docs: {{kind: mcp, url: '{url}/mcp', headers: {{authorization: docs}}}}
  hand_off: {{kind: hand_off, to: 'slack/main/C0OPS'}}
hooks:
  before: {{on: pre_process, url: '{url}/before', secret: weather}}
  after: {{on: post_process, url: '{url}/after'}}
channels:
  slack: {{assistant: claude}}
  discord: {{assistant: nova}}
  webhook: {{assistant: guarded}}
"
    )
}

fn on_tools_cloud(name: &str, programs: &Programs, die_at: Option<&str>, test: impl AsyncFnOnce(&World)) {
    let channels = ["telegram", "slack", "discord", "webhook"].map(String::from).to_vec();
    let die_at = die_at.map(str::to_owned);
    alone(
        name,
        &config(programs),
        |options| {
            let secrets =
                json!({"model": {"openai": "sk-local"}, "tool": {"weather": SECRET, "docs": "Bearer d-1"}});
            std::fs::write(options.state.join("secrets.json"), secrets.to_string())
                .expect("the secrets can be written");
            (options.channels, options.die_at) = (channels, die_at);
        },
        test,
    );
}

async fn tell(world: &World, answers: Value) {
    world.tell("/model/answers", json!({ "answers": answers })).await;
}

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

/// In the protocol of each provider: two calls side by side, their results in the model's order, then the answer.
#[test]
fn tools_are_called_in_every_protocol() {
    let programs = programs();
    on_tools_cloud("tools", &programs, None, async |world| {
        for channel in ["telegram", "slack", "discord"] {
            let before = (world.questions().await.len(), programs.asked("/weather").len());
            let calls = ["Berlin", "Rome"].map(|city| call("weather", json!({"city": city})));
            let words = call("docs__lookup", json!({"word": "rain"}));
            tell(world, json!([{"text": "Let me look.", "calls": [calls[0], calls[1], words]}, "No umbrella needed."])).await;
            let sent = world.send(Words::of(channel, "7", "do I need an umbrella?")).await;
            let said = world.until(&sent, |said| said.join(" ").contains("umbrella needed")).await;
            world.at_rest(&sent).await;
            assert!(said.join("\n").contains("Let me look."), "{channel}: {said:?}");
            let asked = programs.asked("/weather");
            assert_eq!(asked.len(), before.1 + 2, "{channel}");
            let questions = world.questions().await;
            assert!(
                questions[before.0].to_string().contains("docs__lookup"),
                "{channel}: the model is told of the tools"
            );
            let second = questions[before.0 + 1].to_string();
            let places = ["sunny in Berlin", "sunny in Rome", "found"].map(|result| second.find(result));
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{channel}: {second}");
            let turn = world.store().turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
            assert_eq!(turn.tools, ["weather", "weather", "docs__lookup"], "{channel}");
            assert_eq!((turn.usage.input, turn.usage.output), (20, 6), "{channel}: both calls are counted");
        }
        // A program knows us by our signature, and sees who asks.
        let asked = programs.asked("/weather").remove(0);
        let at: i64 = asked.header("webhook-timestamp").parse().expect("a time");
        let signature = channel::sign::sign_webhook(SECRET, asked.header("webhook-id"), at, &asked.raw);
        assert_eq!(Some(asked.header("webhook-signature").to_owned()), signature);
        assert_eq!((&asked.body["tool"], &asked.body["user"]["id"]), (&json!("weather"), &json!("7")));
        assert_eq!(programs.asked("/mcp")[0].header("authorization"), "Bearer d-1");

        // What somebody has to agree to is asked about, and done once.
        for channel in ["telegram", "slack", "discord"] {
            let before = programs.asked("/mail").len();
            let mail = call("mail", json!({"to": "ana@example.com"}));
            tell(
                world,
                json!([{"calls": [mail, call("weather", json!({"city": "Oslo"}))]}, "It is on its way."]),
            )
            .await;
            let words = Words::of(channel, "8", "write to Ana");
            let sent = world.send(words).await;
            let said = world.until(&sent, |said| said.join(" ").contains("Shall I")).await.join("\n");
            world.at_rest(&sent).await;
            assert!(
                said.contains("ana@example.com") && programs.asked("/mail").len() == before,
                "{channel}: {said}"
            );
            let pending = world.store().pending(sent.conversation.as_ref().unwrap()).await.unwrap().unwrap();
            let press = turn::pending::press(true, &pending.id);
            let shown = world.calls(channel).await.iter().any(|call| call.to_string().contains(&press));
            assert!(shown, "{channel}: no button says {press}");
            let other = world.send(Words { user: "9", text: &press, conversation: None, ..words }).await;
            let yes = world.press(Words { text: &press, ..words }, "1").await;
            world.until(&yes, |said| said.join(" ").contains("on its way")).await;
            world.at_rest(&yes).await;
            world.at_rest(&other).await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(asked.contains("sent") && asked.contains("sunny in Oslo"), "{channel}: {asked}");
            let again = world.send(Words { text: &press, ..words }).await;
            world.until(&again, |said| said.join(" ").contains("is over")).await;
            world.at_rest(&again).await;
            assert_eq!(programs.asked("/mail").len(), before + 1, "{channel}");
        }
        let mail = call("mail", json!({"to": "ben@example.com"}));
        tell(world, json!([{"calls": [mail]}, "As you like."])).await;
        let before = programs.asked("/mail").len();
        let sent = world.send(Words::of("telegram", "8", "write to Ben")).await;
        world.until(&sent, |said| said.join(" ").contains("ben@example.com")).await;
        world.at_rest(&sent).await;
        let no = world.send(Words::of("telegram", "8", "Nein.")).await;
        world.until(&no, |said| said.join(" ").contains("As you like.")).await;
        world.at_rest(&no).await;
        assert_eq!(programs.asked("/mail").len(), before);

        // A word is about what was asked last: with something else in between, nothing is done.
        let mail = call("mail", json!({"to": "cat@example.com"}));
        tell(world, json!([{"calls": [mail]}, "It is noon.", "You are welcome."])).await;
        for (text, answer) in [
            ("write to Cat", "cat@example.com"),
            ("what time is it?", "It is noon."),
            ("ok", "You are welcome."),
        ] {
            let sent = world.send(Words::of("telegram", "8", text)).await;
            world.until(&sent, |said| said.join(" ").contains(answer)).await;
            world.at_rest(&sent).await;
        }
        assert_eq!(programs.asked("/mail").len(), before);
    });
}

/// Hooks change, answer and stop messages, and change answers.
#[test]
fn hooks_see_messages_before_the_model_and_answers_before_people() {
    let programs = programs();
    on_tools_cloud("hooks", &programs, None, async |world| {
        let say = |text| Words::of("webhook", "7", text);
        tell(world, json!(["Acme thanks you."])).await;
        let sent = world.send(say("my card is 4111 1111")).await;
        assert_eq!(world.reply(&sent).await, "our company thanks you.");
        world.at_rest(&sent).await;
        let asked = world.questions().await;
        assert!(
            asked[0].to_string().contains("[card]") && !asked[0].to_string().contains("4111"),
            "{asked:?}"
        );
        // What a hook took out of a message is in no later question, either.
        tell(world, json!(["Nothing."])).await;
        let next = world.send(say("and now?")).await;
        world.until(&next, |said| said.len() == 2).await;
        world.at_rest(&next).await;
        let asked = world.questions().await.pop().unwrap().to_string();
        assert!(asked.contains("[card]") && !asked.contains("4111"), "{asked}");
        // What the model writes before it asks goes by the hooks, too.
        let mail = call("mail", json!({"to": "ana@example.com"}));
        tell(world, json!([{"text": "Acme writes to her.", "calls": [mail]}])).await;
        let asks = world.send(say("write to Ana")).await;
        let said = world.until(&asks, |said| said.join(" ").contains("ana@example.com")).await.join("\n");
        world.at_rest(&asks).await;
        assert!(said.contains("our company writes to her.") && !said.contains("Acme"), "{said}");
        let ready = world.send(say("send me the price list")).await;
        world.until(&ready, |said| said.iter().any(|text| text == "Prices are on our page.")).await;
        world.at_rest(&ready).await;
        let silent = world.send(say("please ignore me")).await;
        world.kept(std::slice::from_ref(&silent)).await;
        world.at_rest(&silent).await;
        world.settled().await;
        assert_eq!(world.questions().await.len(), 3, "neither was asked of the model");
        assert_eq!(programs.asked("/before").len(), 5);
    });
}

/// A reminder comes in its conversation when its time has come; handing over tells the operators and leaves the chat to them.
#[test]
fn reminders_come_due_and_people_take_over() {
    let programs = programs();
    on_tools_cloud("desk", &programs, None, async |world| {
        let soon = store_time(model_invoker::now() + 8_000);
        tell(world, json!([{"calls": [call("remind_me", json!({"when": soon, "text": "drink tea"}))]}, "I will.", "Time for tea!"])).await;
        let words = Words::of("telegram", "7", "remind me of my tea");
        let sent = world.send(words).await;
        world.until(&sent, |said| said.iter().any(|text| text == "I will.")).await;
        world.until(&sent, |said| said.iter().any(|text| text == "Time for tea!")).await;
        world.at_rest(&sent).await;
        let asked = world.questions().await.last().unwrap().to_string();
        assert!(asked.contains("reminder") && asked.contains("drink tea"), "{asked}");
        let first = world.questions().await[0].to_string();
        assert!(first.contains("[It is ") && first.contains(", UTC.]"), "the model knows the time: {first}");

        let reason = json!({"reason": "wants a refund"});
        tell(world, json!([{"calls": [call("hand_off", reason)]}, "A colleague takes over."])).await;
        let sent = world.send(Words { text: "give me a human", ..words }).await;
        world.until(&sent, |said| said.iter().any(|text| text == "A colleague takes over.")).await;
        world.at_rest(&sent).await;
        let told = world
            .calls("slack")
            .await
            .iter()
            .filter(|call| call.to_string().contains("wants a refund"))
            .count();
        assert_eq!(told, 1);
        let before = world.questions().await.len();
        let later = world.send(Words { text: "hello?", ..words }).await;
        world.kept(std::slice::from_ref(&later)).await;
        world.at_rest(&later).await;
        world.settled().await;
        assert_eq!(world.questions().await.len(), before, "people answer there now");
    });
}

/// Killed after a tool was called and before its answer was kept: the same call comes again, under the same key.
#[test]
fn a_killed_turn_calls_its_tools_under_the_same_keys() {
    let programs = programs();
    on_tools_cloud("tools-killed", &programs, Some("ask:after=umbrella@1"), async |world| {
        let round = json!({"calls": [call("weather", json!({"city": "Berlin"}))]});
        tell(world, json!([round, "No.", round, "No umbrella."])).await;
        let sent = world.send(Words::of("telegram", "7", "umbrella?")).await;
        assert_eq!(world.reply(&sent).await, "No umbrella.");
        world.at_rest(&sent).await;
        let keys: Vec<String> =
            programs.asked("/weather").iter().map(|asked| asked.header("webhook-id").to_owned()).collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0], keys[1]);
        // The function that took over knew the server's tools without asking for them.
        let listed =
            programs.asked("/mcp").iter().filter(|asked| asked.body["method"] == "tools/list").count();
        assert_eq!((listed, world.questions().await.len()), (1, 4));
        let told =
            world.questions().await.iter().all(|question| question.to_string().contains("docs__lookup"));
        assert!(told, "and so did the model");
    });
}

/// `2026-11-21T12:00:00Z`.
fn store_time(ms: i64) -> String {
    let local = turn::calendar::local(ms, None);
    local.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
