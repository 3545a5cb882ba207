//! Several assistants in one configuration, their prompts, the operator's own commands.

use serde_json::json;
use tests::world::{Sent, Words, World};

use crate::alone;

const SEVERAL: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  other: {provider: openai, model: other, api: responses, base_url: '{platform}/model/v1', key: openai}
  claude: {provider: anthropic, model: claude-scripted, base_url: '{platform}/model/anthropic/v1/', key: openai}
  nova: {provider: bedrock, model: 'amazon.nova-lite-v1:0', base_url: '{platform}/model/bedrock'}
assistants:
  default: {disclosure: never, models: [other], prompt: 'You help {user_name} on {channel}.'}
  reviewer: {disclosure: never, model: claude, prompt: 'You review code.'}
  poet: {disclosure: never, model: nova, prompt: 'You are a poet.'}
commands:
  translate: {prompt: 'Translate into {argument}: {text}', about: translates}
  hours: {reply: 'Nine to five.', keywords: [opening hours]}
  verse: {assistant: poet}
channels:
  telegram: {assistants: [poet]}
  slack: {assistant: reviewer}
  discord: {prompt: 'You are brief.'}
";

async fn talk(world: &World, words: Words<'_>, text: &str, expected: &str) -> Sent {
    let sent = world.send(Words { text, ..words }).await;
    world.until(&sent, |said| said.iter().any(|said| said.contains(expected))).await;
    world.at_rest(&sent).await;
    sent
}

/// The last question, whole.
async fn asked(world: &World) -> String {
    world.questions().await.last().expect("a question").to_string()
}

#[test]
fn assistants_are_chosen_by_channel_and_command() {
    alone(
        "personas",
        SEVERAL,
        |options| options.channels = ["telegram", "slack", "discord"].map(String::from).to_vec(),
        async |world| {
            let words = Words::of("telegram", "7", "");
            for (channel, prompt) in
                [("slack", "You review code."), ("discord", "You are brief."), ("telegram", "You help")]
            {
                talk(world, Words::of(channel, "7", ""), "hi", "You said: hi").await;
                let asked = asked(world).await;
                assert!(asked.contains(prompt), "{channel}: {asked}");
            }
            assert!(asked(world).await.contains("on Telegram."), "templates are filled");

            talk(world, words, "/assistant poet", "poet answers here").await;
            let sent = talk(world, words, "a verse", "You said: a verse").await;
            assert!(asked(world).await.contains("You are a poet."));
            let number = world.store().head(sent.conversation.as_ref().unwrap()).await.unwrap().next - 1;
            let turn =
                world.store().turn(sent.conversation.as_ref().unwrap(), number).await.unwrap().unwrap();
            assert_eq!(turn.assistant, "poet");
            talk(world, words, "/assistant reviewer", "There is no such assistant").await;
            talk(world, words, "/assistant default", "default answers here").await;
            talk(world, words, "/model other", "other").await;
            talk(world, words, "with which model?", "with which model?").await;
            assert_eq!(world.questions().await.last().unwrap()["model"], "other");

            talk(world, words, "/translate:es good morning", "Translate into es: good morning").await;
            world.tell("/model/answers", json!({"answers": ["Buenos días."]})).await;
            talk(world, words, "/retry", "Buenos días.").await;
            let again = asked(world).await;
            assert!(
                again.contains("Translate into es: good morning") && !again.contains("/translate"),
                "{again}"
            );
            let before = world.questions().await.len();
            talk(world, words, "what are your opening hours?", "Nine to five.").await;
            assert_eq!(world.questions().await.len(), before, "a ready-made reply asks no model");
            talk(world, words, "/verse about rain", "You said: about rain").await;
            assert!(asked(world).await.contains("You are a poet."));
            talk(world, words, "more", "You said: more").await;
            assert!(asked(world).await.contains("You are a poet."), "it answers from then on");
            talk(world, words, "/help", "/translate").await;
            world.tell("/model/answers", json!({"answers": []})).await;
        },
    );
}
