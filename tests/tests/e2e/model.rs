//! Providers, fallbacks, and what the model is asked.

use channel::Streaming;
use serde_json::json;
use tests::world::Words;

use crate::protocols::in_every_protocol;
use crate::{alone, shared};

const PROVIDERS: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  claude: {provider: anthropic, model: claude-scripted, base_url: '{platform}/model/anthropic/v1/', key: openai}
  nova: {provider: bedrock, model: 'amazon.nova-lite-v1:0', base_url: '{platform}/model/bedrock'}
  shaky: {provider: anthropic, model: shaky, base_url: '{platform}/model/anthropic/v1/', key: openai, fallback: default}
assistants:
  default: {model: default, disclosure: never}
  claude: {model: claude, disclosure: never}
  nova: {model: nova, disclosure: never}
  shaky: {model: shaky, disclosure: never}
channels:
  slack: {assistant: claude}
  discord: {assistant: nova}
  webhook: {assistant: shaky}
";

#[test]
fn providers_answer_and_a_failed_one_is_left_alone() {
    alone(
        "providers",
        PROVIDERS,
        |options| options.channels = ["telegram", "slack", "discord", "webhook"].map(String::from).to_vec(),
        async |world| {
            for (channel, model) in [
                ("telegram", "openai scripted"),
                ("slack", "anthropic claude-scripted"),
                ("discord", "bedrock amazon.nova-lite-v1:0"),
            ] {
                let usage = json!({"input": 100, "output": 7, "cached": 60});
                world
                    .tell("/model/answers", json!({"answers": [{"text": "Good morning.", "usage": usage}]}))
                    .await;
                let sent = world.send(Words::of(channel, "7", "hello")).await;
                assert_eq!(world.reply(&sent).await, "Good morning.", "{channel}");
                world.at_rest(&sent).await;
                let turn = world.store().turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
                assert_eq!(turn.model, model, "{channel}");
                let usage = (turn.usage.input, turn.usage.output, turn.usage.cached, turn.calls);
                assert_eq!(usage, (100, 7, 60, 1), "{channel}");
            }

            // The first model fails: its fallback answers, now and, without another look at the first, in the next turn.
            world
                .tell("/fault", json!({"channel": "model", "status": 529, "times": 50, "path": "anthropic"}))
                .await;
            let first = world.send(Words::of("webhook", "8", "are you there?")).await;
            assert_eq!(world.reply(&first).await, "You said: are you there?");
            world.at_rest(&first).await;
            let tries = |questions: Vec<serde_json::Value>| {
                questions.iter().filter(|question| question["model"] == "shaky").count()
            };
            let before = tries(world.questions().await);
            assert!((1..=2).contains(&before), "{before}");
            let second = world.send(Words::of("webhook", "9", "and now?")).await;
            assert_eq!(world.reply(&second).await, "You said: and now?");
            world.at_rest(&second).await;
            assert_eq!(tries(world.questions().await), before, "it is left alone for a while");
        },
    );
}

/// Everything that is sent for a "hello": the instructions, the question, the settings.
#[test]
fn a_hello_is_asked_in_less_than_two_kilobytes() {
    in_every_protocol(
        "hello",
        "disclosure: auto",
        |options| options.channels = vec!["telegram".to_owned()],
        async |world, user| {
            let sent = world.send(Words::of("telegram", user, "hello")).await;
            let said = world.reply(&sent).await;
            world.at_rest(&sent).await;
            let mut asked = world.questions().await.pop().unwrap();
            asked.as_object_mut().unwrap().remove("at");
            let bytes = asked.to_string().len();
            eprintln!("the request body for a hello: {bytes} bytes");
            assert!(bytes < 2_048, "{bytes}: {asked}");
            // Nobody configured it away: the first answer says who answers, later ones do not, and the model never sees it.
            let (line, answer) = said.split_once("\n").unwrap();
            assert!(!line.is_empty() && answer.trim() == "You said: hello", "{said}");
            let head = world.store().head(sent.conversation.as_ref().unwrap()).await.unwrap();
            assert!(head.disclosed);
            let again = world.send(Words::of("telegram", user, "once more")).await;
            world.until(&again, |said| said.last().is_some_and(|text| text == "You said: once more")).await;
            world.at_rest(&again).await;
            let asked = world.questions().await.pop().unwrap().to_string();
            assert!(asked.contains("You said: hello") && !asked.contains(line), "{asked}");
        },
    );
}

/// Where every model fails, people are told, and asked for patience.
#[test]
fn nobody_answers_and_people_are_told() {
    shared(async |world| {
        for room in model_invoker::channels::LOCAL
            .iter()
            .filter(|room| room.spec().streaming == Streaming::Off)
            .take(2)
        {
            let name = room.spec().name;
            world.tell("/fault", json!({"channel": "model", "status": 503, "times": 2})).await;
            let sent = world.send(Words::of(name, "441", "hello?")).await;
            let said = world.reply(&sent).await;
            assert!(said.contains("not answering at the moment"), "{name}: {said}");
            world.at_rest(&sent).await;
        }
    });
}
