//! Conversations that go well.

use model_invoker::channels::LOCAL;
use serde_json::json;
use tests::world::Words;

use crate::{all, alone, shared};

#[test]
fn every_channel_answers() {
    shared(async |world| {
        for room in LOCAL {
            let name = room.spec().name;
            let sent = world.send(Words::of(name, "7", "hello there")).await;
            assert!((200..300).contains(&sent.status), "{name}: {}", sent.status);
            assert_eq!(world.reply(&sent).await, "You said: hello there", "{name}");
            world.at_rest(&sent).await;
        }
    });
}

#[test]
fn the_second_message_has_the_first_as_its_history() {
    shared(async |world| {
        for room in LOCAL {
            let name = room.spec().name;
            let first = world.send(Words::of(name, "31", "my name is Ana")).await;
            world.reply(&first).await;
            world.at_rest(&first).await;
            let before = world.questions().await.len();
            let second = world.send(Words::of(name, "31", "what is my name?")).await;
            world.until(&second, |said| said.iter().any(|text| text.contains("what is my name?"))).await;
            let asked = world.questions().await[before].to_string();
            assert!(
                asked.contains("my name is Ana") && asked.contains("You said: my name is Ana"),
                "{name}: {asked}"
            );
            let other = world.send(Words::of(name, "32", "and who am I?")).await;
            world.reply(&other).await;
            let asked = world.questions().await.last().unwrap().to_string();
            assert!(!asked.contains("Ana"), "{name}: another person's history: {asked}");
            world.at_rest(&second).await;
        }
    });
}

#[test]
fn a_redelivery_is_not_answered_again() {
    shared(async |world| {
        for room in LOCAL {
            let name = room.spec().name;
            let id = world.id();
            let words = Words::of(name, "41", "only once, please");
            let sent = world.deliver(words, &id).await;
            let again = world.deliver(words, &id).await;
            assert_eq!((again.status, &again.reply_key), (sent.status, &sent.reply_key), "{name}");
            world.reply(&sent).await;
            let late = world.deliver(words, &id).await;
            assert_eq!(late.status, sent.status, "{name}");
            // A later message is answered after whatever the redeliveries led to.
            let after = world.send(Words { text: "the next one", ..words }).await;
            world.until(&after, |said| said.iter().any(|text| text.contains("the next one"))).await;
            world.at_rest(&sent).await;
            let said = world.said(&sent).await;
            let answers = said.iter().filter(|text| text.contains("only once")).count();
            assert_eq!(answers, 1, "{name}: {said:?}");
        }
    });
}

#[test]
fn five_quick_messages_get_one_or_two_answers_that_cover_all() {
    shared(async |world| {
        for room in LOCAL {
            let spec = room.spec();
            let texts = ["one", "two", "three", "four", "five"].map(|word| format!("number {word}"));
            let sent = all(texts.iter().map(|text| world.send(Words::of(spec.name, "51", text)))).await;
            world.kept(&sent).await;
            world.at_rest(&sent[0]).await;
            let mut keys: Vec<_> = sent.iter().map(|sent| sent.reply_key.clone()).collect();
            keys.dedup();
            let mut said = Vec::new();
            for key in keys {
                said.extend(world.said(&tests::world::Sent { reply_key: key, ..sent[0].clone() }).await);
            }
            let all_said = said.join("\n");
            assert!(texts.iter().all(|text| all_said.contains(text.as_str())), "{}: {said:?}", spec.name);
            match spec.overlap {
                channel::Overlap::Coalesce => assert!(said.len() <= 2, "{}: {said:?}", spec.name),
                channel::Overlap::Each => assert_eq!(said.len(), 5, "{}: each has its reply slot", spec.name),
            }
        }
    });
}

#[test]
fn two_accounts_and_a_group_are_three_conversations() {
    shared(async |world| {
        let main = Words::of("telegram", "61", "I like tea");
        let support = Words { account: "support", text: "what do I like?", ..main };
        let group = Words { conversation: Some("team"), text: "what does she like?", ..main };
        let sent = world.send(main).await;
        world.reply(&sent).await;
        world.at_rest(&sent).await;
        for words in [support, group] {
            let before = world.questions().await.len();
            let sent = world.send(words).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains(words.text))).await;
            let asked = world.questions().await[before].to_string();
            assert!(
                !asked.contains("tea"),
                "{words:?} saw the other conversation: {asked}",
                words = words.text
            );
        }
        // Members of a group share its history, and are told apart in it.
        let other = Words { user: "62", text: "do you agree?", ..group };
        let sent = world.send(other).await;
        world.until(&sent, |said| said.iter().any(|text| text.contains("do you agree?"))).await;
        let asked = world.questions().await.last().unwrap().to_string();
        assert!(asked.contains("what does she like?"), "{asked}");
        world.at_rest(&sent).await;
    });
}

#[test]
fn acks_do_not_wait_for_the_model_and_everybody_is_answered_once() {
    shared(async |world| {
        world.think(2_000).await;
        let users: Vec<String> = (0..20).map(|user| format!("{}", 700 + user)).collect();
        let names: Vec<&str> = LOCAL.iter().map(|room| room.spec().name).collect();
        let sent = all(users
            .iter()
            .enumerate()
            .map(|(n, user)| world.send(Words::of(names[n % names.len()], user, "hi"))))
        .await;
        let slowest = sent.iter().map(|sent| sent.took).max().unwrap_or_default();
        eprintln!("20 users, a 2 s model: the slowest ack took {slowest:?}");
        let answered = all(sent.iter().map(|sent| world.said(sent))).await;
        assert!(
            answered.iter().any(Vec::is_empty),
            "every answer was there before the last ack: acks wait for the model"
        );
        for sent in &sent {
            assert!((200..300).contains(&sent.status));
            assert_eq!(world.reply(sent).await, "You said: hi");
            world.at_rest(sent).await;
            assert_eq!(world.said(sent).await.len(), 1, "{sent:?}");
        }
    });
}

#[test]
fn a_long_answer_comes_in_parts_and_in_order() {
    shared(async |world| {
        for room in LOCAL {
            let spec = room.spec();
            // A turn has at most 20 parts, WeChat takes 5: platforms with short messages get a shorter answer.
            let last = if spec.text.max <= 2_000 { 14 } else { 39 };
            let paragraphs: Vec<String> =
                (0..=last).map(|n| format!("Paragraph {n:02}. {}", "word ".repeat(120))).collect();
            world.tell("/model/answers", json!({"answers": [paragraphs.join("\n\n")]})).await;
            let sent = world.send(Words::of(spec.name, "81", "tell me everything")).await;
            let said = world
                .until(&sent, |said| said.join("").contains(&format!("Paragraph {last}")))
                .await
                .join("\n");
            let places: Vec<usize> =
                (0..=last).filter_map(|n| said.find(&format!("Paragraph {n:02}."))).collect();
            assert!(places.len() == last + 1 && places.is_sorted(), "{}: {places:?}", spec.name);
            world.at_rest(&sent).await;
        }
    });
}

#[test]
fn commands_are_answered_and_stop_stops() {
    shared(async |world| {
        let say = |text| Words::of("telegram", "91", text);
        let help = world.send(say("/help")).await;
        world.until(&help, |said| said.iter().any(|text| text.contains("/new"))).await;
        let sent = world.send(say("remember the word pear")).await;
        world.until(&sent, |said| said.iter().any(|text| text.contains("pear"))).await;
        let status = world.send(say("/status")).await;
        world.until(&status, |said| said.iter().any(|text| text.contains("openai scripted"))).await;
        let new = world.send(say("/new")).await;
        world.until(&new, |said| said.iter().any(|text| text.contains("forgotten"))).await;
        world.at_rest(&new).await;
        let before = world.questions().await.len();
        let sent = world.send(say("which word?")).await;
        world.until(&sent, |said| said.iter().any(|text| text.contains("which word?"))).await;
        let asked = world.questions().await[before].to_string();
        assert!(!asked.contains("pear"), "{asked}");

        world.think(60_000).await;
        let slow = world.send(say("think hard")).await;
        world.asked(before + 2).await;
        let (stop, sent) = (world.send(say("/stop")).await, std::time::Instant::now());
        world.until(&stop, |said| said.iter().any(|text| text == "Stopped.")).await;
        world.at_rest(&slow).await;
        eprintln!("/stop stopped the answer within {} ms", sent.elapsed().as_millis());
        let said = world.said(&slow).await;
        assert!(!said.iter().any(|text| text.contains("think hard")), "{said:?}");
    });
}

/// Even where it comes so soon that it is asked together with what was to be stopped.
#[test]
fn what_is_said_after_a_stop_is_answered() {
    shared(async |world| {
        // Long enough for a stop to be seen.
        world.think(8_000).await;
        let say = |text| Words::of("telegram", "92", text);
        let first = world.send(say("think hard")).await;
        let (store, conversation) = (world.store(), first.conversation.as_ref().unwrap());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !store.cancel(conversation, model_invoker::now()).await.unwrap() {
            assert!(std::time::Instant::now() < deadline, "nobody began to answer");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let next = world.send(say("and now?")).await;
        world.until(&next, |said| said.iter().any(|text| text.contains("and now?"))).await;
        world.at_rest(&next).await;
    });
}

/// The roles of the template are enough, and they are all there is.
#[test]
fn every_channel_answers_with_iam_enforced() {
    alone(
        "auth",
        crate::OPEN,
        |options| options.auth = true,
        async |world| {
            for room in LOCAL {
                let sent = world.send(Words::of(room.spec().name, "7", "hello")).await;
                assert_eq!(world.reply(&sent).await, "You said: hello", "{}", room.spec().name);
            }
            world.settled().await;
        },
    );
}
