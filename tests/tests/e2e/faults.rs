//! What goes wrong, and what people see of it.

use std::time::Duration;

use channel::{Attachment, Fetch, Inbound};
use serde_json::json;
use tests::world::{Words, World};

use crate::{OPEN, alone, shared};

#[test]
fn a_platform_that_says_429_gets_its_parts_later_and_in_order() {
    shared(async |world| {
        for (channel, user) in [("telegram", "101"), ("webhook", "102")] {
            let answer = (0..12)
                .map(|n| format!("Part {n:02} {}", "word ".repeat(200)))
                .collect::<Vec<_>>()
                .join("\n\n");
            let answer = if channel == "webhook" { "Part 00 to Part 11".to_owned() } else { answer };
            world.tell("/model/answers", json!({"answers": [answer]})).await;
            let path = if channel == "telegram" { "sendMessage" } else { "reply" };
            world
                .tell(
                    "/fault",
                    json!({"channel": channel, "status": 429, "retry_after": 1, "times": 2, "path": path}),
                )
                .await;
            let sent = world.send(Words::of(channel, user, "go on")).await;
            let said = world.until(&sent, |said| said.join(" ").contains("Part 11")).await.join("\n");
            world.at_rest(&sent).await;
            let refused = world.calls(channel).await.iter().filter(|call| call["status"] == 429).count();
            assert_eq!(refused, 2, "{channel}");
            if channel == "telegram" {
                let places: Vec<usize> = (0..12).filter_map(|n| said.find(&format!("Part {n:02}"))).collect();
                assert!(places.len() == 12 && places.is_sorted(), "{places:?}");
            }
            assert_eq!(
                world.said(&sent).await.join("\n").matches("Part 00").count(),
                1,
                "{channel}: posted once"
            );
        }
    });
}

#[test]
fn a_platform_that_fails_for_a_while_delays_only_its_own() {
    shared(async |world| {
        world
            .tell(
                "/fault",
                json!({"channel": "slack", "status": 503, "times": 2, "path": "chat.postMessage"}),
            )
            .await;
        let slow = world.send(Words::of("slack", "111", "are you there?")).await;
        let other = world.send(Words::of("telegram", "112", "and you?")).await;
        assert_eq!(world.reply(&other).await, "You said: and you?");
        assert_eq!(world.reply(&slow).await, "You said: are you there?");
        world.at_rest(&slow).await;
    });
}

#[test]
fn markup_that_is_refused_is_posted_plain() {
    shared(async |world| {
        let body = json!({"ok": false, "error_code": 400, "description": "Bad Request: can't parse entities: unsupported tag"});
        world
            .tell("/fault", json!({"channel": "telegram", "status": 400, "times": 1, "path": "sendMessage", "body": body}))
            .await;
        world.tell("/model/answers", json!({"answers": ["this is **bold**"]})).await;
        let sent = world.send(Words::of("telegram", "121", "be bold")).await;
        let said = world.reply(&sent).await;
        assert_eq!(said, "this is bold");
        world.at_rest(&sent).await;
    });
}

#[test]
fn a_model_that_fails_is_apologised_for() {
    shared(async |world| {
        world.tell("/fault", json!({"channel": "model", "status": 500, "times": 2})).await;
        let sent = world.send(Words::of("telegram", "131", "anybody?")).await;
        assert!(world.reply(&sent).await.contains("the model is not answering"));
        world.at_rest(&sent).await;
        let sent = world.send(Words::of("telegram", "131", "and now?")).await;
        world.until(&sent, |said| said.iter().any(|text| text.contains("and now?"))).await;
        world.at_rest(&sent).await;
    });
}

/// What a stored address makes of a kill: nothing is lost, nothing is said twice.
#[test]
fn killed_in_mid_turn_it_answers_once() {
    alone(
        "kill",
        OPEN,
        |_| {},
        async |world| {
            for (n, channel) in ["telegram", "webhook"].into_iter().enumerate() {
                world.think(3_000).await;
                let user = format!("14{n}");
                let asked = world.questions().await.len();
                let sent = world.send(Words::of(channel, &user, "do not die")).await;
                world.asked(asked + 1).await;
                assert!(world.cloud.kill("model-invoker") > 0, "no invoker to kill");
                world.think(0).await;
                assert_eq!(world.reply(&sent).await, "You said: do not die");
                world.settled().await;
                assert_eq!(world.said(&sent).await.len(), 1);
            }
        },
    );
}

/// Killed at each step between question and reply, by a failpoint of the local build. What may be posted twice is counted.
#[test]
fn killed_at_a_named_point_it_answers_once() {
    let points = [
        "keep:after",
        "take:after",
        "ask:after",
        "commit:before",
        "commit:after",
        "mark:after",
        "release:before",
    ];
    let die_at = points.map(|point| format!("{point}=<{point}>@1")).join(",");
    alone(
        "points",
        OPEN,
        |options| options.die_at = Some(die_at),
        async |world| {
            let mut all = Vec::new();
            for (n, point) in points.iter().enumerate() {
                for channel in ["telegram", "webhook"] {
                    // Posted and not yet written down: the one window in which a platform without a key gets it twice.
                    let twice = usize::from(*point == "release:before" && channel == "telegram");
                    let (user, text) = (format!("15{n}"), format!("at <{point}>"));
                    all.push((point, twice, world.send(Words::of(channel, &user, &text)).await));
                }
            }
            world.settled().await;
            for (point, twice, sent) in &all {
                assert_eq!(world.said(sent).await.len(), 1 + twice, "{point} {}", sent.channel);
            }
            // `commit:after` as well: the commit says that the first part is about to be posted.
            assert_eq!(crate::rude::uncertain(world).await, 2, "each doubt is counted");
        },
    );
}

/// Three tries, the third alone; then a dead letter that holds all of the message, one honest line, and nobody else is harmed.
#[test]
fn a_poisonous_message_becomes_a_dead_letter_and_blocks_nobody() {
    let die_at = Some("ask:before=poison".to_owned());
    alone(
        "poison",
        OPEN,
        |options| options.die_at = die_at,
        async |world| {
            let poison = world.send(Words::of("telegram", "161", "this is poison")).await;
            let neighbour = world.send(Words::of("telegram", "161", "I came right after it")).await;
            let other = world.send(Words::of("telegram", "162", "I am fine")).await;
            let attached = poison_with_attachment(world).await;
            assert_eq!(world.reply(&other).await, "You said: I am fine");
            world.until(&poison, |said| said.len() == 2).await;
            world.settled().await;
            let said = world.said(&neighbour).await;
            let lines = |what: &str| said.iter().filter(|text| text.contains(what)).count();
            assert_eq!(
                (said.len(), lines("could not answer"), lines("I came right after it")),
                (2, 1, 1),
                "{said:?}"
            );
            let dead = world.dead().await;
            assert_eq!(dead.len(), 2, "{dead:?}");
            for letter in &dead {
                assert!(letter.reason.contains("tried 3 times"), "{}", letter.reason);
                assert!(letter.job().is_some(), "it can be tried again");
            }
            assert!(dead.iter().any(|letter| letter.inbound.as_deref() == Some(&attached)), "{dead:?}");
            let mine = dead.iter().filter_map(|letter| letter.inbound.as_ref());
            let mine = mine.filter(|inbound| Some(&inbound.id) == poison.message.as_ref());
            assert_eq!(mine.map(|inbound| inbound.text()).collect::<Vec<_>>(), ["this is poison"]);
            let asked = world.questions().await;
            assert!(
                !asked.iter().any(|asked| asked.to_string().contains("poison")),
                "it killed before the question"
            );
            let after = world.send(Words::of("telegram", "161", "and I am fine too")).await;
            world.until(&after, |said| said.iter().any(|text| text.contains("and I am fine too"))).await;
            world.settled().await;
        },
    );
}

/// One with everything that a message may have, as its webhook would put it on the queue.
async fn poison_with_attachment(world: &World) -> Inbound {
    let mut inbound =
        world.inbound(Words::of("webhook", "163", "poison and a picture"), &world.id()).unwrap();
    inbound.attachments.push(Attachment {
        name: "cat.png".into(),
        media_type: "image/png".into(),
        size: Some(3),
        fetch: Fetch { account: "main".into(), id: "https://files.example.com/cat.png".into() },
    });
    inbound.address.data.insert("anything".into(), "else".into());
    world.queue().send(std::slice::from_ref(&inbound), None, Duration::from_secs(5)).await.unwrap();
    inbound
}
