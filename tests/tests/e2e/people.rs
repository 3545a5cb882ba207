//! Owners are told that somebody needs a person; what is kept of somebody is taken away.

use serde_json::json;
use tests::world::{Words, World};
use turn::reminders::Reminder;

use crate::alone;
use crate::media::photo;
use crate::operations::crabhook;

const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never, tools: [hand_off]}
channels:
  telegram: {streaming: off}
  discord: {streaming: off}
";

async fn hands_off(world: &World, words: Words<'_>, reason: &str) {
    let call = json!({"name": "hand_off", "arguments": {"reason": reason}});
    world.tell("/model/answers", json!({"answers": [{"calls": [call]}, "A colleague takes over."]})).await;
    let sent = world.send(words).await;
    world.until(&sent, |said| said.iter().any(|text| text == "A colleague takes over.")).await;
    world.at_rest(&sent).await;
}

/// Where on Discord this was said.
async fn told_at(world: &World, reason: &str) -> Vec<String> {
    let calls = world.calls("discord").await;
    let told = calls.iter().filter(|call| call.to_string().contains(reason));
    told.map(|call| call["path"].as_str().unwrap().to_owned()).collect()
}

/// In direct messages that are opened for it, where the owner never wrote in private; there, once they did. Also for people of another
/// channel that has no owner.
#[test]
fn an_owner_is_told_in_private_that_somebody_needs_a_person() {
    alone(
        "hand-off",
        CONFIG,
        |options| options.channels = ["telegram", "discord"].map(String::from).to_vec(),
        async |world| {
            let code = turn::commands::claim_code(&[7; 10]);
            world.store().offer_claim(&code, model_invoker::now() + 60_000).await.unwrap();
            let claim = Words { conversation: Some("team"), ..Words::of("discord", "12", &code) };
            let claimed = world.send(claim).await;
            world.until(&claimed, |said| said.iter().any(|text| text.contains("You own"))).await;
            world.at_rest(&claimed).await;

            hands_off(world, Words::of("discord", "7", "I want a human"), "wants a refund").await;
            let first = told_at(world, "wants a refund").await;
            let opened = world.calls("discord").await;
            let opened = opened.iter().filter(|call| call.to_string().contains("users/@me/channels")).count();
            assert_eq!((first.len(), opened), (1, 1), "{first:?}");

            let hello = world.send(Words::of("discord", "12", "hello")).await;
            world.until(&hello, |said| said.iter().any(|text| text.contains("hello"))).await;
            world.at_rest(&hello).await;
            hands_off(world, Words::of("discord", "8", "I want a human"), "wants a discount").await;
            assert_eq!(told_at(world, "wants a discount").await, first, "the same chat");

            hands_off(world, Words::of("telegram", "9", "I want a human"), "wants a receipt").await;
            assert_eq!(told_at(world, "wants a receipt").await, first, "Telegram has no owner");
        },
    );
}

#[test]
fn what_is_kept_of_somebody_is_taken_away() {
    alone(
        "erase",
        CONFIG,
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            let answer = |text: &str| json!({"text": text, "usage": {"input": 100, "output": 10}});
            world.tell("/model/answers", json!({"answers": [answer("a dot"), answer("hi")]})).await;
            let sent = photo(world, Words::of("telegram", "7", "")).await;
            world.until(&sent, |said| said.iter().any(|text| text == "a dot")).await;
            world.at_rest(&sent).await;
            let other = world.send(Words::of("telegram", "8", "hello")).await;
            world.until(&other, |said| said.iter().any(|text| text == "hi")).await;
            world.at_rest(&other).await;
            let (store, now) = (world.store(), model_invoker::now());
            let who = |user| store::Who { channel: "telegram", account: "main", user };
            for user in ["7", "8"] {
                store.add_note(who(user), "likes tea", now).await.unwrap().unwrap();
                let tea = in_an_hour("tea", now);
                store.change_reminders(who(user), now, |all| all.add(&tea, now)).await.unwrap().unwrap();
            }
            let coming = async |user| store.reminders(who(user)).await.unwrap().open(now).len();
            let place = world.cloud.place().await.unwrap();
            let (client, bucket) = place.bucket().await.unwrap();
            let files = async || {
                let listed = client.list_objects_v2().bucket(&bucket).prefix("media/").send().await.unwrap();
                listed.contents().len()
            };
            let kept = async |sent: &tests::world::Sent, user| {
                let month = turn::calendar::month(now);
                let used = store.usage(&month, Some(("telegram", "main", user)), now).await.unwrap();
                let turn = store.turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap();
                (turn.is_some(), store.notes(who(user)).await.unwrap().notes.len(), used.len())
            };
            assert_eq!((kept(&sent, "7").await, files().await), ((true, 1, 1), 1));

            let asked = crabhook("erase", &["people", "erase", "telegram", "7"]);
            assert!(
                asked.contains("1 messages in 1 conversations, 1 lines of usage, 1 files, 1 reminders"),
                "{asked}"
            );
            assert_eq!((kept(&sent, "7").await, files().await), ((true, 1, 1), 1), "not without --yes");
            let done = crabhook("erase", &["people", "erase", "telegram", "7", "--yes"]);
            assert!(done.contains("taken away: 1 messages"), "{done}");
            assert_eq!((kept(&sent, "7").await, files().await), ((false, 0, 0), 0));
            assert_eq!(kept(&other, "8").await, (true, 1, 1), "nobody else's");
            assert_eq!((coming("7").await, coming("8").await), (0, 1));
            let again = world.send(Words::of("telegram", "7", "hello?")).await;
            world.until(&again, |said| said.iter().any(|text| text.contains("hello?"))).await;
        },
    );
}

fn in_an_hour(what: &str, now: i64) -> Reminder {
    let at = now + 3_600_000;
    Reminder {
        id: 0,
        key: what.to_owned(),
        conversation: "c".to_owned(),
        text: what.to_owned(),
        at,
        first: at,
        repeat: None,
        until: None,
        zone: None,
        cancelled: false,
    }
}
