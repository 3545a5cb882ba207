//! What the configuration sets, each setting seen to take effect.

use model_invoker::now;
use serde_json::json;
use tests::world::{Sent, Words, World};

use crate::alone;
use crate::hooks::{asked, talk};
use crate::operations::crabhook;

const HOUR_MS: i64 = 3_600_000;

/// As if the conversation's last answer had been given so many hours ago.
async fn hours_pass(world: &World, sent: &Sent, hours: i64) {
    let conversation = sent.conversation.as_ref().expect("a message that was taken");
    let update = json!({
        "TableName": world.cloud.endpoints().table,
        "Key": {"pk": {"S": format!("C#{conversation}")}, "sk": {"S": "HEAD"}},
        "UpdateExpression": "SET last_at = :at",
        "ConditionExpression": "attribute_exists(last_at)",
        "ExpressionAttributeValues": {":at": {"N": (now() - hours * HOUR_MS).to_string()}},
    });
    world.aws("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
}

/// After a pause, or at a time of day; what was summed up is forgotten with the rest, and there is nothing left to answer anew.
#[test]
fn conversations_start_over_by_themselves() {
    let hour_ago = turn::calendar::local(now() - HOUR_MS, None).strftime("%H:%M").to_string();
    let config = format!(
        "
version: 1
models:
  default: {{provider: openai, model: scripted, base_url: '{{platform}}/model/v1', key: openai}}
assistants:
  default: {{disclosure: never, reset: {{idle_hours: 5}}}}
  daily: {{disclosure: never, reset: {{daily_at: '{hour_ago}'}}}}
channels:
  slack: {{assistant: daily}}
"
    );
    alone(
        "resets",
        &config,
        |options| options.channels = ["telegram", "slack"].map(String::from).to_vec(),
        async |world| {
            // Slack's border was an hour ago, Telegram's is five hours after the last answer.
            for (channel, before_it, after_it) in [("telegram", 4, 6), ("slack", 0, 2)] {
                let words = Words::of(channel, "7", "");
                let sent = talk(world, words, "my cat is Tom", "my cat is Tom").await;
                hours_pass(world, &sent, before_it).await;
                talk(world, words, "and my dog is Rex", "my dog is Rex").await;
                assert!(asked(world).await.contains("Tom"), "{channel}: it is one conversation");
                world.tell("/model/answers", json!({"answers": ["SUMMARY of pets"]})).await;
                talk(world, words, "/compact", "summed up").await;
                talk(world, words, "which pets?", "which pets?").await;
                assert!(asked(world).await.contains("SUMMARY of pets"), "{channel}");

                hours_pass(world, &sent, after_it).await;
                let before = world.questions().await.len();
                talk(world, words, "/retry", "nothing that I could answer anew").await;
                assert_eq!(world.questions().await.len(), before, "{channel}");
                talk(world, words, "which city?", "You said: which city?").await;
                let question = asked(world).await;
                assert!(!question.contains("pets") && !question.contains("Tom"), "{channel}: {question}");
                talk(world, words, "and which street?", "You said: and which street?").await;
                let question = asked(world).await;
                assert!(
                    question.contains("which city?") && !question.contains("pets"),
                    "{channel}: {question}"
                );
            }
        },
    );
}

/// In a group as alone, and while an answer is being written: each is done after it, in order.
#[test]
fn groups_take_back_sum_up_and_ask_anew() {
    alone(
        "settings-group",
        crate::OPEN,
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            let group =
                |user, text| Words { conversation: Some("team"), ..Words::of("telegram", user, text) };
            let (ana, ben) = (group("7", ""), group("8", ""));
            let answers = json!({"answers": ["The first plan.", "The second plan."]});
            world.tell("/model/answers", answers).await;
            talk(world, ana, "make a plan", "The first plan.").await;
            talk(world, ben, "/retry", "The second plan.").await;
            let question = asked(world).await;
            assert!(question.contains(": make a plan") && !question.contains("first plan"), "{question}");
            talk(world, ben, "is it good?", "is it good?").await;
            talk(world, ana, "/undo", "taken back").await;
            talk(world, ana, "go on", "You said:").await;
            let question = asked(world).await;
            assert!(question.contains("second plan") && !question.contains("is it good?"), "{question}");
            world.tell("/model/answers", json!({"answers": ["SUMMARY of plans"]})).await;
            talk(world, ben, "/compact", "summed up").await;
            talk(world, ana, "what now?", "what now?").await;
            let question = asked(world).await;
            assert!(question.contains("SUMMARY of plans") && !question.contains("second plan"), "{question}");

            // While an answer is being written.
            let answers = json!({"answers": ["The first \u{23f8}draft.", "The second draft."]});
            world.tell("/model/answers", answers).await;
            let before = world.questions().await.len();
            world.send(Words { text: "write it", ..ana }).await;
            world.asked(before + 1).await;
            let again = world.send(Words { text: "/retry", ..ana }).await;
            world.kept(std::slice::from_ref(&again)).await;
            world.tell("/model/go", json!({"pauses": 1_000})).await;
            let said = world.until(&again, |said| said.iter().any(|text| text == "The second draft.")).await;
            assert!(said.iter().any(|text| text == "The first draft."), "{said:?}");
            world.at_rest(&again).await;
            let question = asked(world).await;
            assert!(question.contains("write it") && !question.contains("first draft"), "{question}");
        },
    );
}

const CAPPED: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  free: {provider: openai, model: free, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
  second: {disclosure: never}
  cheap: {disclosure: never, model: free}
channels:
  slack: {assistant: second}
  discord: {assistant: cheap}
prices:
  default: {input: 1000, output: 0}
  free: {input: 0, output: 0}
limits:
  output_tokens: 100
  soft_percent: 0
  tokens_per_person_day: 2500
  usd_per_conversation_day: 0.5
  usd_per_person_month: 0.85
  usd_per_assistant_day: 1.4
  usd_per_stack_day: 2.05
";

/// Every answer costs $0.30; each cap stops what goes over it, and only that.
#[test]
fn every_cap_holds() {
    alone(
        "caps",
        CAPPED,
        |options| options.channels = ["telegram", "slack", "discord"].map(String::from).to_vec(),
        async |world| {
            let answer = |n: u32, input: u32| json!({"text": format!("Answer {n}."), "usage": {"input": input, "output": 3}});
            let costs = [2_000, 2_000].into_iter().chain([300; 7]);
            let answers: Vec<_> = (1..).zip(costs).map(|(n, input)| answer(n, input)).collect();
            world.tell("/model/answers", json!({ "answers": answers })).await;
            let person = |channel, user| Words::of(channel, user, "");
            let room = |user, room| Words { conversation: Some(room), ..Words::of("telegram", user, "") };
            for (words, expected) in [
                // Tokens of a person, whatever they cost.
                (person("discord", "6"), "Answer 1."),
                (person("discord", "6"), "Answer 2."),
                (person("discord", "6"), "You have used up what you may spend today."),
                // A conversation, whoever writes there.
                (room("7", "a"), "Answer 3."),
                (room("7", "a"), "Answer 4."),
                (room("8", "a"), "This conversation has used up what it may spend today."),
                // A person's month, in all conversations.
                (room("7", "b"), "Answer 5."),
                (room("7", "b"), "You have used up what you may spend this month."),
                // An assistant, whoever it talks to.
                (room("8", "c"), "Answer 6."),
                (room("8", "c"), "Answer 7."),
                (room("9", "d"), "This assistant has used up what it may spend today."),
                // All of them together.
                (person("slack", "10"), "Answer 8."),
                (person("slack", "11"), "Answer 9."),
                (person("slack", "12"), "This assistant has used up what it may spend today."),
            ] {
                let sent = talk(world, words, "go on", expected).await;
                assert!(
                    world.said(&sent).await.last().unwrap().contains(expected),
                    "{} in {:?}",
                    words.user,
                    words.conversation
                );
            }
            assert_eq!(world.questions().await.len(), 9, "who is stopped costs nothing");

            let by = |what: &str| crabhook("caps", &["usage", "--month", "--by", what]);
            let usage = by("assistant");
            assert!(
                usage.contains(": 9 answers, 6100 tokens read") && usage.contains("about $2.10"),
                "{usage}"
            );
            let lines: Vec<&str> = usage.lines().skip(1).map(str::trim).collect();
            assert!(lines[0].starts_with("default") && lines[0].ends_with("about $1.50"), "{usage}");
            assert!(lines[1].starts_with("second") && lines[1].ends_with("about $0.60"), "{usage}");
            assert!(lines[2].starts_with("cheap") && lines[2].contains("2 answers"), "{usage}");
            assert!(by("user").contains("telegram main 7") && by("model").contains("free"));
        },
    );
}

const SAID: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {prompt: 'You are at the front desk.', greeting: 'Hello {user_name}!'}
  french: {language: fr}
commands:
  hours: {reply: 'Nine to five.', keywords: [opening hours]}
channels:
  telegram: {conversations: {'4711': {prompt: 'You are in the back office.'}}}
  slack: {assistant: french}
";

const TOLD: &str = "You are talking to an AI assistant.";

/// Whatever answers first says who answers, in their language, once. A chat has a prompt of its own, and a change is live.
#[test]
fn first_words_prompts_and_changes() {
    alone(
        "said",
        SAID,
        |options| options.channels = ["telegram", "slack"].map(String::from).to_vec(),
        async |world| {
            let last = async |sent: &Sent| world.said(sent).await.pop().expect("something was said");
            let german = Words::of("telegram", "7", "");
            let sent = talk(world, german, "Guten Tag, ich bin neu hier", "You said: Guten Tag").await;
            assert!(last(&sent).await.contains("Sie schreiben mit einem KI-Assistenten."));
            let sent = talk(world, german, "und wer bist du?", "wer bist du?").await;
            assert!(!last(&sent).await.contains("KI-Assistenten"));
            let french = talk(world, Words::of("slack", "7", ""), "hello", "You said: hello").await;
            assert!(last(&french).await.contains("Vous échangez avec un assistant IA."));

            // A reply of the operator's, and a greeting, stand in the place of an answer.
            let words = Words::of("telegram", "8", "");
            let ready = talk(world, words, "what are your opening hours?", "Nine to five.").await;
            assert!(last(&ready).await.contains(TOLD) && world.questions().await.len() == 3);
            let next = talk(world, words, "thanks", "You said: thanks").await;
            assert!(!last(&next).await.contains(TOLD));
            let words = Words::of("telegram", "9", "");
            let greeted = world.send(Words { text: "/start", ..words }).await;
            let said = world.reply(&greeted).await;
            assert!(said.contains(TOLD) && said.contains("Hello "), "{said}");
            world.settled().await;
            let next = talk(world, words, "thank you", "You said: thank you").await;
            assert!(!last(&next).await.contains(TOLD));

            talk(world, Words::of("telegram", "4711", ""), "hi", "You said: hi").await;
            assert!(asked(world).await.contains("You are in the back office."));
            talk(world, words, "hi", "You said: hi").await;
            assert!(asked(world).await.contains("You are at the front desk."));

            let store = world.store();
            let stored = store.configuration().await.unwrap().expect("a configuration").json;
            let changed = stored.replace("Nine to five.", "Ten to six.").replace("front desk", "reception");
            assert_ne!(changed, stored);
            store.put_configuration(&changed, now()).await.unwrap();
            // In force within half a minute, in the process that runs.
            let (mut said, mut tries) = (String::new(), 0..200);
            while !said.contains("Ten to six.") {
                assert!(tries.next().is_some(), "the change never came: {said}");
                let sent = talk(world, words, "what are your opening hours?", " to ").await;
                said = last(&sent).await;
            }
            talk(world, words, "hi again", "You said: hi again").await;
            assert!(asked(world).await.contains("You are at the reception."));
        },
    );
}
