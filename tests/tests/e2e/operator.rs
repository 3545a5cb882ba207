//! A human on the business's side writes in the same chat, in the platform's own app.

use channel::local::Local;
use model_invoker::{channels, now};
use serde_json::{Value, json};
use tests::world::{Sent, Words, World};

use crate::shared;

const HOUR_MS: i64 = 3_600_000;

/// Our own message comes back to us and changes nothing; a human's is kept, never answered, and silences the assistant.
#[test]
fn a_human_on_our_side_is_heard_and_makes_room() {
    shared(async |world| {
        for channel in ["whatsapp", "messenger", "instagram"] {
            let ask = async |text: &str| world.send(Words::of(channel, "311", text)).await;
            let first = ask("hello").await;
            world.reply(&first).await;
            world.at_rest(&first).await;
            let ours = newest_id(world, &first).await;
            echo(world, channel, &ours, "You said: hello").await;
            let second = ask("still there?").await;
            world.until(&second, |said| said.iter().any(|text| text == "You said: still there?")).await;
            world.at_rest(&second).await;

            let (asked, before) = (world.questions().await.len(), now());
            let theirs = echo(world, channel, "human-1", "I take over here").await;
            let paused = head(world, &theirs).await.paused;
            assert!((before + 12 * HOUR_MS..=now() + 12 * HOUR_MS).contains(&paused), "{channel}: 12 hours");
            silence(world, &ask("and now?").await, 2).await;
            assert_eq!(world.questions().await.len(), asked, "{channel}: nobody is asked");

            echo(world, channel, "human-2", "/bot on").await;
            let back = ask("back again?").await;
            world.until(&back, |said| said.iter().any(|text| text.contains("back again?"))).await;
            world.at_rest(&back).await;
            let question = world.questions().await[asked].to_string();
            let heard = ["I take over here", "and now?", "back again?"];
            assert!(heard.iter().all(|text| question.contains(text)), "{channel}: {question}");

            let off = echo(world, channel, "human-3", "/bot off").await;
            assert_eq!(head(world, &off).await.paused, i64::MAX, "{channel}: until somebody writes /bot on");
            silence(world, &ask("anybody?").await, 3).await;
            assert_eq!(world.questions().await.len(), asked + 1, "{channel}");
        }
    });
}

/// The platform's id of the newest thing that was posted there.
async fn newest_id(world: &World, sent: &Sent) -> String {
    let conversation = sent.conversation.as_ref().expect("a message that was taken");
    let turns =
        world.store().history(conversation, 0, 1, usize::MAX, now()).await.expect("the table answers");
    turns[0].ids.iter().flatten().next_back().expect("the platform's id").clone()
}

async fn head(world: &World, sent: &Sent) -> turn::Head {
    world
        .store()
        .head(sent.conversation.as_ref().expect("its conversation"))
        .await
        .expect("the table answers")
}

/// The message is kept, and no more is said than before.
async fn silence(world: &World, sent: &Sent, said: usize) {
    world.kept(std::slice::from_ref(sent)).await;
    world.at_rest(sent).await;
    let all = world.said(sent).await;
    assert_eq!(all.len(), said, "{}: {all:?}", sent.channel);
}

/// Tells of something that was written on our side, and waits until it is dealt with.
async fn echo(world: &World, channel: &str, id: &str, text: &str) -> Sent {
    let words = Words::of(channel, "311", text);
    let secrets = world.cloud.secrets(channel, "main");
    let room: &dyn Local = channels::local(channel).expect("a registered channel");
    let mut event = world.event(words, &world.id(), &secrets);
    let mut body: Value = serde_json::from_slice(&event.request.body).expect("events are JSON");
    if channel == "whatsapp" {
        written_by_business(&mut body["entry"][0]["changes"][0], id, text);
    } else {
        written_by_page(&mut body["entry"][0]["messaging"][0], id, text);
    }
    event.request.body = body.to_string().into_bytes();
    event.request = room.sign(event.request, &secrets, now());
    let sent = world.deliver_event(words, id, event).await;
    assert!(sent.taken && sent.message.as_deref() == Some(id), "{channel}: {sent:?}");
    world.kept(std::slice::from_ref(&sent)).await;
    world.at_rest(&sent).await;
    sent
}

/// As in `events/whatsapp/receive/operator.json`.
fn written_by_business(change: &mut Value, id: &str, text: &str) {
    change["field"] = "smb_message_echoes".into();
    let value = change["value"].as_object_mut().expect("a value");
    let message = value.remove("messages").expect("messages")[0].take();
    let echo = json!({
        "from": value["metadata"]["display_phone_number"], "to": message["from"], "to_user_id": message["from_user_id"],
        "id": id, "timestamp": message["timestamp"], "type": "text", "text": {"body": text},
    });
    value.insert("message_echoes".to_owned(), json!([echo]));
}

/// As in `events/messenger/receive/operator.json`.
fn written_by_page(event: &mut Value, id: &str, text: &str) {
    let (sender, recipient) = (event["sender"].take(), event["recipient"].take());
    event["sender"] = recipient;
    event["recipient"] = sender;
    event["message"] = json!({"mid": id, "text": text, "is_echo": true, "app_id": 263_902_037_430_900_u64});
}
