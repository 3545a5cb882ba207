//! Webhooks and invokers of different releases on one queue and one table.

use std::time::Duration;

use channel::{ConversationKey, short_id};
use serde_json::{Value, json};
use tests::compatibility::{frozen, with_unknown_fields};
use tests::world::{Sent, Words, World};

use crate::{OPEN, alone};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn releases_side_by_side_lose_nothing_and_block_nobody() {
    alone(
        "releases",
        OPEN,
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            jobs_of_webhooks_before_and_after_this_one(world).await;
            world.settled().await;
            newer_job(world).await;
            newer_message_in_the_inbox(world).await;
            newer_head(world).await;
            newer_turn(world).await;
            assert!(world.dead().await.is_empty(), "what is newer is not poison");
        },
    );
}

/// Without what was added later, and with what nobody knows yet.
async fn jobs_of_webhooks_before_and_after_this_one(world: &World) {
    let (older, mut newer) = (frozen("job_least"), frozen("job"));
    with_unknown_fields(&mut newer);
    for (job, said) in [(older, "You said: hello from before"), (newer, "You said: hello from here")] {
        let chat = job["inbound"]["address"]["chat"].as_str().unwrap();
        let of = ConversationKey::of("telegram", "main", chat, "");
        world.queue().resend(&job.to_string(), of.as_str()).await.unwrap();
        let reply = world.reply(&sent(chat, &of)).await;
        assert!(reply.starts_with(said), "{reply}");
    }
}

fn sent(chat: &str, of: &ConversationKey) -> Sent {
    Sent {
        status: 200,
        taken: true,
        channel: "telegram".into(),
        reply_key: chat.into(),
        id: String::new(),
        conversation: Some(of.clone()),
        message: None,
        took: Duration::ZERO,
    }
}

/// Its token is hidden for an hour, its message not even kept; the conversation goes on.
async fn newer_job(world: &World) {
    let words = Words::of("telegram", "191", "I am for the next release");
    let inbound = world.inbound(words, &world.id()).unwrap();
    let (of, id) = (inbound.conversation_key(), short_id(&inbound.id));
    let mut job = json!({"v": 99, "kind": "message", "inbound": inbound});
    with_unknown_fields(&mut job);
    world.queue().resend(&job.to_string(), of.as_str()).await.unwrap();
    logged(world, &["newer shape waits"]).await;
    let next = world.send(Words::of("telegram", "191", "I am for this one")).await;
    assert_eq!(world.reply(&next).await, "You said: I am for this one");
    world.at_rest(&next).await;
    hidden(world, 1).await;
    assert!(!world.store().seen(&of, &id).await.unwrap(), "its tries are untouched");
}

/// A newer invoker kept it and was rolled back: it stays, and so does its token; the others in its conversation are answered.
async fn newer_message_in_the_inbox(world: &World) {
    let words = Words::of("telegram", "192", "kept by the next release");
    let inbound = world.inbound(words, &world.id()).unwrap();
    let (of, id) = (inbound.conversation_key(), short_id(&inbound.id));
    let item = |sk: &str| json!({"pk": {"S": format!("C#{of}")}, "sk": {"S": format!("{sk}#{id}")}, "v": {"N": "2"}});
    for item in [item("SEEN"), item("IN")] {
        table(world, "PutItem", json!({"Item": item})).await;
    }
    world.queue().send(&[inbound], None, Duration::from_secs(5)).await.unwrap();
    logged(world, &[&id, "Returned(3600)"]).await;
    let next = world.send(Words::of("telegram", "192", "I came later")).await;
    assert_eq!(world.reply(&next).await, "You said: I came later");
    world.at_rest(&next).await;
    hidden(world, 2).await;
    assert!(world.store().waits(&of, &id).await.unwrap());
}

/// Nobody touches a conversation of a newer release. Once that one is back, all that came meanwhile is answered.
async fn newer_head(world: &World) {
    let first = world.send(Words::of("telegram", "193", "hello")).await;
    world.reply(&first).await;
    world.at_rest(&first).await;
    let of = first.conversation.as_ref().unwrap();
    set_version(world, of, "HEAD", 2).await;
    let meanwhile = world.send(Words::of("telegram", "193", "is anybody there?")).await;
    let id = short_id(meanwhile.message.as_ref().unwrap());
    logged(world, &[&id, "Returned(3600)"]).await;
    assert!(world.store().waits(of, &id).await.unwrap(), "it is kept all the same");
    set_version(world, of, "HEAD", 1).await;
    let next = world.send(Words::of("telegram", "193", "and now?")).await;
    let said = world.until(&next, |said| said.last().is_some_and(|last| last.contains("and now?"))).await;
    assert!(said.len() == 2 && said[1].contains("is anybody there?"), "{said:?}");
    world.at_rest(&next).await;
}

/// The model does not see what this release cannot read.
async fn newer_turn(world: &World) {
    let first = world.send(Words::of("telegram", "194", "remember pears")).await;
    world.reply(&first).await;
    world.at_rest(&first).await;
    set_version(world, first.conversation.as_ref().unwrap(), "TURN#0000000000", 2).await;
    let asked = world.questions().await.len();
    let next = world.send(Words::of("telegram", "194", "what was it?")).await;
    world.until(&next, |said| said.len() == 2).await;
    let question = world.questions().await[asked].to_string();
    assert!(question.contains("what was it?") && !question.contains("pears"), "{question}");
    world.at_rest(&next).await;
}

async fn set_version(world: &World, of: &ConversationKey, sk: &str, v: u32) {
    let change = json!({
        "Key": {"pk": {"S": format!("C#{of}")}, "sk": {"S": sk}},
        "UpdateExpression": "SET v = :v",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":v": {"N": v.to_string()}},
    });
    table(world, "UpdateItem", change).await;
}

/// A call that the product never makes: only a newer release would write this.
async fn table(world: &World, call: &str, mut body: Value) {
    body["TableName"] = world.cloud.endpoints().table.as_str().into();
    world.aws("dynamodb", &format!("DynamoDB_20120810.{call}"), body).await;
}

/// Waits until the queue holds nothing but so many hidden messages.
async fn hidden(world: &World, wanted: u64) {
    until(async || {
        let counts = world.queue().counts().await.unwrap();
        (counts.waiting, counts.hidden) == (0, wanted)
    })
    .await;
}

/// Waits for a line in the invoker's log that holds all of these.
async fn logged(world: &World, all: &[&str]) {
    until(async || {
        world.cloud.log("model-invoker").iter().any(|line| all.iter().all(|part| line.contains(part)))
    })
    .await;
}

async fn until(done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never came to that");
}
