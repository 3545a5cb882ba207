//! What is remembered: notes, summaries; and what is taken back.

use serde_json::{Value, json};
use tests::world::{Sent, Words, World};

use crate::protocols::in_every_protocol;

async fn tell(world: &World, answers: Value) {
    world.tell("/model/answers", json!({ "answers": answers })).await;
}

/// Says something, waits for an answer that holds these words.
async fn talk(world: &World, words: Words<'_>, text: &str, expected: &str) -> Sent {
    let before = world.questions().await.len();
    let sent = world.send(Words { text, ..words }).await;
    world.until(&sent, |said| said.iter().any(|said| said.contains(expected))).await;
    world.at_rest(&sent).await;
    assert!(world.questions().await.len() >= before, "{text}");
    sent
}

#[test]
fn what_people_want_remembered_is_and_what_they_take_back_is_not() {
    in_every_protocol(
        "memory",
        "disclosure: never, tools: [remember, forget]",
        |options| options.channels = vec!["telegram".to_owned()],
        async |world, user| {
            let words = Words::of("telegram", user, "");
            tell(world, json!([{"calls": [{"name": "remember", "arguments": {"text": "likes green tea"}}]}, "Noted."])).await;
            talk(world, words, "remember that I like green tea", "Noted.").await;
            talk(world, words, "/new", "start over").await;
            talk(world, words, "what do I like?", "what do I like?").await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(asked.contains("likes green tea") && !asked.contains("Noted."), "{asked}");
            talk(world, words, "/memory", "1: likes green tea").await;
            talk(world, words, "/forget 1", "forgotten it").await;
            talk(world, words, "and now?", "You said: and now?").await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(!asked.contains("green tea"), "{asked}");

            // Anew, and back.
            tell(world, json!(["The first draft.", "The second draft."])).await;
            talk(world, words, "write me a poem", "The first draft.").await;
            talk(world, words, "/retry", "The second draft.").await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(
                asked.contains("write me a poem")
                    && !asked.contains("first draft")
                    && !asked.contains("/retry"),
                "{asked}"
            );
            talk(world, words, "which draft?", "You said: which draft?").await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(asked.contains("second draft") && !asked.contains("first draft"), "{asked}");
            assert!(asked.contains("write me a poem") && !asked.contains("/retry"), "{asked}");
            talk(world, words, "/undo", "taken back").await;
            talk(world, words, "once more", "You said: once more").await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(asked.contains("second draft") && !asked.contains("which draft"), "{asked}");

            talk(world, words, "/help", "/memory shows").await;
        },
    );
}

/// Once, and the summary stands for it.
#[test]
fn what_no_longer_fits_is_summed_up() {
    in_every_protocol(
        "summary",
        "disclosure: never, history: {tokens: 50}",
        |options| options.channels = vec!["telegram".to_owned()],
        async |world, user| {
            let words = Words::of("telegram", user, "");
            let long = |n: u32| format!("fact {n} is that {}", "word ".repeat(20));
            talk(world, words, &long(1), "fact 1").await;
            let before = world.questions().await.len();
            tell(world, json!(["SUMMARY: fact 1", "I see."])).await;
            talk(world, words, &long(2), "I see.").await;
            let questions = world.questions().await;
            assert_eq!(questions.len(), before + 2, "a call for the summary, a call for the answer");
            let answer = questions.last().unwrap().to_string();
            assert!(answer.contains("SUMMARY: fact 1") && !answer.contains("You said: fact 1"), "{answer}");
            tell(world, json!(["SUMMARY: facts 1 and 2"])).await;
            talk(world, words, "/compact", "summed up").await;
            let sent = talk(world, words, "what do you know?", "what do you know?").await;
            let answer = world.questions().await.last().unwrap().to_string();
            assert!(answer.contains("facts 1 and 2") && !answer.contains("word word"), "{answer}");
            let head = world.store().head(sent.conversation.as_ref().unwrap()).await.unwrap();
            let summary = world.store().summary(sent.conversation.as_ref().unwrap()).await.unwrap().unwrap();
            assert_eq!((head.summary_to, summary.text.as_str()), (summary.upto, "SUMMARY: facts 1 and 2"));
            talk(world, words, "/new", "start over").await;
            talk(world, words, "and after that?", "and after that?").await;
            let answer = world.questions().await.last().unwrap().to_string();
            assert!(!answer.contains("SUMMARY"), "{answer}");

            // Who has no tool for notes promises none.
            talk(world, words, "/memory", "I keep no notes here.").await;
            let help = talk(world, words, "/help", "/new starts over").await;
            assert!(!world.said(&help).await.join("\n").contains("/memory shows"));
        },
    );
}
