//! Reminders: once and again, listed, taken back, and not promised where they cannot come.

use channel::{Content, Inbound};
use queue::Job;
use serde_json::{Value, json};
use store::Who;
use tests::world::{Sent, Words, World};
use turn::calendar;
use turn::reminders::{MAX_OPEN, Reminder, Repeat};

use crate::alone;

const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never, tools: [remind_me], zone: Europe/Berlin}
";

const DAY: i64 = 86_400_000;

fn on_cloud(name: &str, channels: &[&str], test: impl AsyncFnOnce(&World)) {
    let channels = channels.iter().map(ToString::to_string).collect();
    alone(name, CONFIG, |options| options.channels = channels, test);
}

/// `2026-11-21T12:00:00Z`.
fn time(ms: i64) -> String {
    calendar::local(ms, None).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The model calls the tool and then says this; what it was told of the call.
async fn told(world: &World, words: Words<'_>, tool: &str, arguments: Value, says: &str) -> (Sent, String) {
    let answers = json!([{"calls": [{"name": tool, "arguments": arguments}]}, says]);
    world.tell("/model/answers", json!({ "answers": answers })).await;
    let sent = world.send(words).await;
    world.until(&sent, |said| said.iter().any(|text| text == says)).await;
    world.at_rest(&sent).await;
    let question = world.questions().await.pop().expect("a question with the result");
    let result = question["messages"].as_array().and_then(|messages| messages.last().cloned());
    (sent, result.unwrap_or_default()["content"].as_str().unwrap_or_default().to_owned())
}

/// One that repeats comes, is set again for the next day, is listed, and is gone once it is cancelled: from the list, from the
/// scheduler, and where its message comes all the same.
#[test]
fn a_reminder_comes_again_until_it_is_cancelled() {
    on_cloud("reminders", &["telegram"], async |world| {
        let words = Words::of("telegram", "7", "remind me of my tea, every day");
        let who = Who { channel: "telegram", account: "main", user: "7" };
        let at = model_invoker::now() + 8_000;
        let arguments = json!({"when": time(at), "text": "drink tea", "repeat": "daily"});
        world.tell("/model/answers", json!({"answers": [{"calls": [{"name": "remind_me", "arguments": arguments}]}, "I will.", "Time for tea!"]})).await;
        let sent = world.send(words).await;
        world.until(&sent, |said| said.iter().any(|text| text == "Time for tea!")).await;
        world.at_rest(&sent).await;
        let asked = world.questions().await;
        assert!(asked[0].to_string().contains("cancel_reminder"), "{}", asked[0]);
        assert!(asked[1].to_string().contains("Reminder 1: "), "{}", asked[1]);
        assert!(asked[2].to_string().contains("It says: drink tea"), "{}", asked[2]);
        let all = world.store().reminders(who).await.unwrap();
        let found = &all.reminders[0];
        let first = at.div_euclid(1_000) * 1_000;
        assert_eq!((found.first, found.repeat), (first, Some(Repeat::Daily)));
        assert!((found.at - first - DAY).abs() <= 3_600_000, "the next day, by the clock of Berlin");
        let schedule = found.schedule();
        assert_eq!(scheduled(world, &schedule).await, 200);

        let (_, list) =
            told(world, Words { text: "what is coming?", ..words }, "list_reminders", json!({}), "Tea.")
                .await;
        assert!(
            list.starts_with("1: ") && list.contains("daily until ") && list.ends_with("drink tea"),
            "{list}"
        );
        let (_, none) = told(world, Words { user: "8", ..words }, "list_reminders", json!({}), "None.").await;
        assert_eq!(none, "there are none", "another person's are another person's");
        let (_, other) =
            told(world, Words { user: "8", ..words }, "cancel_reminder", json!({"id": 1}), "No.").await;
        assert_eq!(other, "there is no reminder 1");
        let (_, done) = told(
            world,
            Words { text: "no more tea", ..words },
            "cancel_reminder",
            json!({"id": "1"}),
            "Cancelled.",
        )
        .await;
        assert_eq!(done, "reminder 1 is cancelled");
        assert_eq!(scheduled(world, &schedule).await, 404);

        // Its message was on the way already.
        let inbound = world.inbound(words, "900").expect("a message");
        let late = Inbound { id: found.message(), due: true, content: Content::text("drink tea"), ..inbound };
        let before = world.questions().await.len();
        world.queue().resend(&Job::message(&late, None), &late.conversation_key().to_string()).await.unwrap();
        world.kept(&[Sent { message: Some(late.id.clone()), ..sent.clone() }]).await;
        world.at_rest(&sent).await;
        world.settled().await;
        assert_eq!(world.questions().await.len(), before, "nobody is reminded");

        // So many at once, and no more.
        let now = model_invoker::now();
        for n in 0..MAX_OPEN {
            let reminder = Reminder {
                id: 0,
                key: format!("many-{n}"),
                at: now + DAY,
                first: now + DAY,
                cancelled: false,
                ..found.clone()
            };
            world.store().change_reminders(who, now, |all| all.add(&reminder, now)).await.unwrap();
        }
        let once = json!({"when": time(now + DAY), "text": "drink tea"});
        let (_, full) = told(world, Words { text: "once more", ..words }, "remind_me", once, "Full.").await;
        assert!(full.contains("20 reminders are still to come"), "{full}");
    });
}

/// What the scheduler says of a schedule, by status.
async fn scheduled(world: &World, name: &str) -> u16 {
    let endpoints = world.cloud.endpoints();
    let url = format!("{}/schedules/{name}?groupName={}", endpoints.aws, endpoints.stack);
    let credential = "Credential=test/20260101/us-east-1/scheduler/aws4_request";
    let request = egress::Egress::new()
        .expect("clients")
        .configured_client()
        .get(url)
        .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"));
    request.send().await.expect("the local cloud answers").status().as_u16()
}

/// Where the platform would not take it, the model is told, and nothing is set.
#[test]
fn no_reminder_is_promised_that_the_platform_would_not_take() {
    on_cloud("reminders-window", &["whatsapp", "telegram"], async |world| {
        let later = model_invoker::now() + 3 * DAY;
        let arguments = json!({"when": time(later), "text": "drink tea"});
        let words = Words::of("whatsapp", "49170", "remind me on Tuesday");
        let (_, why) = told(world, words, "remind_me", arguments.clone(), "I cannot.").await;
        assert!(
            why.contains("takes messages in this chat until") && why.contains("offer a time before"),
            "{why}"
        );
        let words = Words::of("telegram", "7", "remind me on Tuesday");
        let (_, set) = told(world, words, "remind_me", arguments, "I will.").await;
        assert!(set.starts_with("it is set") && set.ends_with("drink tea"), "{set}");
        let soon = json!({"when": time(model_invoker::now() + 3_600_000), "text": "drink tea"});
        let words = Words::of("whatsapp", "49170", "in an hour, then");
        let (_, set) = told(world, words, "remind_me", soon, "That I can.").await;
        assert!(set.starts_with("it is set"), "{set}");
    });
}
