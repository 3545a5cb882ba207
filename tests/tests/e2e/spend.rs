//! What answers cost, and the caps on it.

use serde_json::json;
use tests::world::{Words, World};

use crate::alone;
use crate::media::voice;
use crate::protocols::{MODELS, PROTOCOLS, assistants, people};

fn priced() -> String {
    let prices = PROTOCOLS.map(|(name, _)| format!("  {name}: {{input: 10, output: 20, cached: 1}}\n"));
    let limits = "limits: {output_tokens: 100, usd_per_person_day: 0.03}\n";
    format!("{}channels:\n{}prices:\n{}{limits}", assistants("disclosure: never"), people(), prices.concat())
}

#[test]
fn answers_cost_what_they_cost_and_a_cap_warns_and_stops() {
    alone(
        "spend",
        &priced(),
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            for (protocol, user) in PROTOCOLS {
                eprintln!("spend: {protocol}");
                warned_and_stopped(world, user).await;
            }
        },
    );
}

async fn warned_and_stopped(world: &World, user: &str) {
    let before = world.questions().await.len();
    // 500 fresh and 500 cached tokens in, 325 out: 12,000 millionths of a dollar.
    let answer = |text: &str| json!({"text": text, "usage": {"input": 1_000, "output": 325, "cached": 500}});
    let answers = ["one", "two", "three"].map(answer);
    world.tell("/model/answers", json!({ "answers": answers })).await;
    let words = Words::of("telegram", user, "go on");
    let mut said = Vec::new();
    for n in 1..=3 {
        let sent = world.send(words).await;
        said = world.until(&sent, |said| said.len() == n).await;
        world.at_rest(&sent).await;
        let turn =
            world.store().turn(sent.conversation.as_ref().unwrap(), n as u32 - 1).await.unwrap().unwrap();
        assert_eq!((turn.cost_micro_usd, turn.usage.cached), (12_000, 500));
    }
    assert_eq!(said[0], "one");
    assert!(said[1].contains("80 %") && said[1].ends_with("two"), "{said:?}");
    assert_eq!(said[2], "three", "the warning is said once");
    let stopped = world.send(words).await;
    let said = world.until(&stopped, |said| said.len() == 4).await;
    assert!(said[3].contains("used up"), "{said:?}");
    world.at_rest(&stopped).await;
    let silent = world.send(words).await;
    world.kept(std::slice::from_ref(&silent)).await;
    world.at_rest(&silent).await;
    world.settled().await;
    assert_eq!(world.said(&silent).await.len(), 4, "one honest line, then silence");
    assert_eq!(world.questions().await.len(), before + 3);

    let usage = world.send(Words { text: "/usage", ..words }).await;
    let said = world.until(&usage, |said| said.len() == 5).await;
    assert!(said[4].contains("3 answers") && said[4].contains("3975 tokens"), "{said:?}");
    // Somebody else has money left.
    let other = world.send(Words { user: &format!("{user}8"), ..words }).await;
    assert_eq!(world.reply(&other).await, "You said: go on");
    world.at_rest(&other).await;
}

const HEARING: &str =
    "  ears: {provider: openai, model: whisper-1, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {transcribe: ears, disclosure: never}
prices:
  default: {input: 0, output: 0}
  ears: {input: 0, output: 0, minute: 0.012}
limits: {usd_per_person_day: 0.02}
";

/// Listening costs by the minute; what the cap has no room for is not listened to.
#[test]
fn voice_messages_count() {
    alone(
        "spend-voice",
        &format!("{MODELS}{HEARING}"),
        |options| options.channels = vec!["telegram".to_owned()],
        async |world| {
            // Its last page says that it takes a minute.
            let end = [b"OggS\0\0".as_slice(), &(60 * 48_000_u64).to_le_bytes()].concat();
            let ogg = [b"OggSring me\r\n".as_slice(), &[0; 100_000], &end].concat();
            let words = Words::of("telegram", "7", "");
            let sent = voice(world, words, &ogg).await;
            assert!(world.reply(&sent).await.contains("ring me"));
            world.at_rest(&sent).await;
            let (store, conversation) = (world.store(), sent.conversation.as_ref().unwrap());
            let turn = store.turn(conversation, 0).await.unwrap().unwrap();
            assert_eq!(turn.cost_micro_usd, 12_000);
            let asked = world.questions().await.len();
            let refused = voice(world, words, &ogg).await;
            let said = world.until(&refused, |said| said.len() == 2).await;
            assert!(said[1].contains("used up"), "{said:?}");
            world.at_rest(&refused).await;
            assert_eq!(world.questions().await.len(), asked, "nobody listened to it");
            let day = turn::calendar::day(turn.at);
            assert_eq!(store.counted("spend#usd#person#telegram#main#7", &day).await.unwrap(), 12_000);
            // What costs nothing still goes.
            let text = world.send(Words { text: "hello", ..words }).await;
            let said = world.until(&text, |said| said.len() == 3).await;
            assert_eq!(said[2], "You said: hello");
        },
    );
}

/// Killed when the money was reserved and the model is about to be asked: its retry settles that, by what the question costs.
#[test]
fn a_killed_answer_leaves_nothing_reserved() {
    alone(
        "spend-killed",
        &priced(),
        |options| {
            options.channels = vec!["telegram".to_owned()];
            options.die_at = Some("model:before=umbrella@1".to_owned());
        },
        async |world| {
            let answer = json!({"text": "No.", "usage": {"input": 1_000, "output": 325, "cached": 500}});
            world.tell("/model/answers", json!({ "answers": [answer] })).await;
            let sent = world.send(Words::of("telegram", "7", "umbrella?")).await;
            assert_eq!(world.reply(&sent).await, "No.");
            world.at_rest(&sent).await;
            let store = world.store();
            let head = store.head(sent.conversation.as_ref().unwrap()).await.unwrap();
            assert_eq!((head.held, head.epoch > 1), (None, true), "it was killed, and all of it is settled");
            let turn = store.turn(sent.conversation.as_ref().unwrap(), 0).await.unwrap().unwrap();
            let day = turn::calendar::day(turn.at);
            let spent = store.counted("spend#usd#person#telegram#main#7", &day).await.unwrap();
            // The answer, and the question of the first try; not the 100 tokens that it might have been answered with.
            let first_try = spent - 12_000;
            assert!(0 < first_try && first_try < 2_000, "{spent}");
        },
    );
}
