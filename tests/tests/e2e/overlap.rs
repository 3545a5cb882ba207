//! Messages that come while an answer is being written, and too many of them.

use tests::world::Words;

use crate::{OPEN, alone};

#[test]
fn a_newer_message_has_the_answer_written_anew_where_the_channel_says_interrupt() {
    let config = format!("{OPEN}channels:\n  telegram: {{overlap: interrupt}}\n");
    alone(
        "interrupt",
        &config,
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            world.think(600_000).await;
            world.send(Words::of("telegram", "7", "tell me about cats")).await;
            world.asked(1).await;
            // The first question is never answered: only an interruption leads to a second one.
            world.think(0).await;
            let dogs = world.send(Words::of("telegram", "7", "no, about dogs")).await;
            let said = world.reply(&dogs).await;
            assert!(said.contains("cats") && said.contains("dogs"), "{said}");
            world.at_rest(&dogs).await;
            assert_eq!((world.said(&dogs).await.len(), world.questions().await.len()), (1, 2));
        },
    );
}

#[test]
fn rates_are_capped_by_person_and_by_channel() {
    let open = "{access: open}";
    let config = format!(
        "{OPEN}channels:\n  telegram: {open}\n  webhook: {open}\nlimits: {{person_per_minute: 2, channel_per_minute: 4, per_person: 1000, per_stack: 1000}}\n"
    );
    alone(
        "rates",
        &config,
        |options| options.channels = vec!["telegram".into(), "webhook".into()],
        async |world| {
            // One person in many conversations; five messages are too many even where a minute ends among them.
            let mut said = Vec::new();
            for room in ["a", "b", "c", "d", "e"] {
                let words = Words { conversation: Some(room), ..Words::of("telegram", "7", "hello") };
                let sent = world.send(words).await;
                said.push(world.reply(&sent).await);
            }
            let refused = said.iter().filter(|text| text.contains("a lot at once")).count();
            assert!((1..=3).contains(&refused), "{said:?}");
            // Many persons on one channel; another channel has a counter of its own.
            let mut said = Vec::new();
            for user in ["11", "12", "13", "14", "15", "16", "17", "18", "19"] {
                let sent = world.send(Words::of("webhook", user, "hello")).await;
                said.push(world.reply(&sent).await);
            }
            let refused = said.iter().filter(|text| text.contains("Too many people")).count();
            assert!((1..=5).contains(&refused), "{said:?}");
        },
    );
}
