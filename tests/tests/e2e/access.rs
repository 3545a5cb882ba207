//! Who gets an answer.

use serde_json::json;
use tests::world::Words;

use crate::{alone, shared};

const OWNER: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
channels:
  telegram: {access: owner}
  webhook: {access: open}
limits: {per_person: 3, per_stack: 100}
";

#[test]
fn a_stranger_gets_no_reply_until_the_code_is_claimed_and_caps_hold() {
    alone(
        "owner",
        OWNER,
        |_| {},
        async |world| {
            let stranger = world.send(Words::of("telegram", "11", "let me in")).await;
            assert_eq!(stranger.status, 200, "the platform is answered all the same");
            world.settled().await;
            assert!(world.said(&stranger).await.is_empty());
            assert!(world.questions().await.is_empty(), "a stranger costs no model call");
            let people = world.store().people().await.unwrap();
            assert!(people.iter().any(|person| person.user == "11" && person.waiting), "{people:?}");

            let code = turn::commands::claim_code(&[9; 10]);
            world.store().offer_claim(&code, model_invoker::now() + 60_000).await.unwrap();
            let claim = world.send(Words::of("telegram", "12", &code)).await;
            world.until(&claim, |said| said.iter().any(|text| text.contains("You own this assistant"))).await;
            let hello = world.send(Words::of("telegram", "12", "hello")).await;
            world.until(&hello, |said| said.iter().any(|text| text.contains("You said: hello"))).await;
            let again = world.send(Words::of("telegram", "11", &code)).await;
            world.settled().await;
            assert!(world.said(&again).await.is_empty(), "a code works once");

            let group =
                |user, text| Words { conversation: Some("team"), ..Words::of("telegram", user, text) };
            let early = world.send(group("11", "hello from the group")).await;
            world.settled().await;
            assert!(world.said(&early).await.is_empty());
            let allow = world.send(group("12", "/allow")).await;
            world.until(&allow, |said| said.iter().any(|text| text.contains("from now on"))).await;
            let member = world.send(group("11", "hello again")).await;
            world.until(&member, |said| said.iter().any(|text| text.contains("hello again"))).await;

            for n in 1..=5 {
                world.send(Words::of("webhook", "13", &format!("message {n}"))).await;
                world.settled().await;
            }
            let last = world.send(Words::of("webhook", "13", "message 6")).await;
            world.settled().await;
            let said = world.said(&last).await;
            assert_eq!(said.iter().filter(|text| text.starts_with("You said")).count(), 3, "{said:?}");
            assert_eq!(
                said.iter().filter(|text| text.contains("today's limit")).count(),
                1,
                "one honest line: {said:?}"
            );
        },
    );
}

#[test]
fn a_forged_request_is_refused_and_goes_nowhere() {
    shared(async |world| {
        for room in model_invoker::channels::LOCAL {
            let spec = room.spec();
            let secrets = tests::fixtures::secrets(*room);
            let before = world.calls(spec.name).await.len();
            let sent =
                world.deliver_with(Words::of(spec.name, "66", "I am forged"), &world.id(), &secrets).await;
            assert_eq!(sent.status, spec.reject.status, "{}", spec.name);
            world.settled().await;
            assert_eq!(world.calls(spec.name).await.len(), before, "{}", spec.name);
        }
    });
}

/// The local build echoes when it has no model; everything else says once that it is not set up.
#[test]
fn without_a_model_it_says_so_once() {
    let config = "
version: 1
models:
  default: {provider: openai, model: '', base_url: '{platform}/model/v1', key: openai}
";
    alone(
        "unset",
        config,
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            let first = world.send(Words::of("telegram", "7", "hello?")).await;
            world.until(&first, |said| said.iter().any(|text| text.contains("not set up yet"))).await;
            let second = world.send(Words::of("telegram", "7", "hello??")).await;
            world.settled().await;
            assert_eq!(world.said(&second).await.len(), 1, "it is said once a day");
        },
    );
    alone(
        "echo",
        "version: 1\n",
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            let sent = world.send(Words::of("telegram", "7", "hello")).await;
            assert!(world.reply(&sent).await.contains("[no model set up]"));
            world.tell("/fault", json!({"channel": "telegram", "status": 500, "times": 0})).await;
        },
    );
}

/// Slack's own default: the platform is asked who a sender is, once, and members are answered.
#[test]
fn members_of_the_workspace_are_answered() {
    let config = format!("{}channels:\n  slack: {{access: workspace}}\n", crate::OPEN);
    alone(
        "workspace",
        &config,
        |options| options.channels = vec!["slack".into()],
        async |world| {
            for text in ["am I a member?", "still?"] {
                let sent = world.send(Words::of("slack", "7", text)).await;
                world.until(&sent, |said| said.iter().any(|said| said.contains(text))).await;
                world.at_rest(&sent).await;
            }
            let calls = world.calls("slack").await;
            let asked = calls
                .iter()
                .filter(|call| call["path"].as_str().is_some_and(|path| path.contains("users.info")));
            assert_eq!(asked.count(), 1, "once a day is enough");
        },
    );
}
