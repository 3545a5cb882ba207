//! Models that cannot answer, and who answers in their place.

use serde_json::json;
use tests::world::{Words, World};

use crate::alone;
use crate::media::{PIXEL, photo};
use crate::protocols::{MODELS, PROTOCOLS, assistants, people};

/// As Anthropic's API and Bedrock's would say that a model takes no pictures.
async fn blind(world: &World, path: &str) {
    let body = json!({"type": "error", "message": "This model does not take pictures.",
        "error": {"type": "invalid_request_error", "message": "This model does not take pictures."}});
    let fault =
        json!({"channel": "model", "status": 400, "times": 9, "path": path, "holds": PIXEL, "body": body});
    world.tell("/fault", fault).await;
}

/// A picture goes to a model that sees; where there is none, the model says so.
#[test]
fn pictures_go_to_a_model_that_sees() {
    let config = format!(
        "{MODELS}  shaky: {{provider: anthropic, model: shaky, base_url: '{{platform}}/model/anthropic/v1/', key: openai,
    fallback: default}}
assistants:
  default: {{disclosure: never}}
  shaky: {{model: shaky, disclosure: never}}
  nova: {{model: nova, disclosure: never}}
channels:
  telegram: {{conversations: {{'73': {{assistant: shaky}}, '74': {{assistant: nova}}}}}}
"
    );
    alone(
        "pictures",
        &config,
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            blind(world, "anthropic").await;
            let words = Words::of("telegram", "73", "");
            let sent = photo(world, words).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("what is this?"))).await;
            world.at_rest(&sent).await;
            let turn = world.store().turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
            assert_eq!((turn.model.as_str(), turn.calls), ("openai scripted", 2));
            assert!(world.questions().await.last().unwrap().to_string().contains(PIXEL));
            assert!(world.store().cooldowns(model_invoker::now()).await.unwrap().is_empty());

            blind(world, "bedrock").await;
            let sent = photo(world, Words { user: "74", ..words }).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("what is this?"))).await;
            world.at_rest(&sent).await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(!asked.contains(PIXEL) && asked.contains("you cannot see"), "{asked}");

            // One that fails in a summary is left alone by the others, too.
            let words = Words::of("telegram", "73", "");
            let fault = json!({"channel": "model", "status": 529, "times": 2, "path": "anthropic"});
            world.tell("/fault", fault).await;
            let sent = world.send(Words { text: "/compact", ..words }).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("summed up"))).await;
            world.at_rest(&sent).await;
            let alone = world.store().cooldowns(model_invoker::now()).await.unwrap();
            assert!(alone.contains_key("shaky"), "{alone:?}");
        },
    );
}

/// Nothing was shown, so another answer takes the place of one that broke off; in every protocol.
#[test]
fn half_an_answer_that_nobody_saw_is_asked_anew() {
    let people = people().replace("telegram: {", "telegram: {streaming: off, ");
    let config = format!("{}channels:\n{people}", assistants("disclosure: never"));
    alone(
        "broken-off",
        &config,
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            for (protocol, user) in PROTOCOLS {
                let half =
                    json!({"text": "This is an answer of many words that ends too soon", "breaks_off": true});
                world.tell("/model/answers", json!({"answers": [half, "The whole of it."]})).await;
                let sent = world.send(Words::of("telegram", user, "go on")).await;
                world.until(&sent, |said| !said.is_empty()).await;
                world.at_rest(&sent).await;
                assert_eq!(world.said(&sent).await, ["The whole of it."], "{protocol}");
                let turn = world.store().turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
                assert_eq!(turn.calls, 2, "{protocol}");
            }
        },
    );
}

/// Where all models refuse a question, people are told so, and nobody says that the model does not want to.
#[test]
fn a_question_that_no_model_takes_is_apologised_for() {
    crate::shared(async |world| {
        let fault = json!({"channel": "model", "status": 422, "times": 1});
        world.tell("/fault", fault).await;
        let sent = world.send(Words::of("telegram", "171", "can you take this?")).await;
        let said = world.reply(&sent).await;
        assert!(said.contains("cannot take this message"), "{said}");
        world.at_rest(&sent).await;
    });
}
