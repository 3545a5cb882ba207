//! What an operator sees of it: the logs, a message's path, a configuration that cannot be read.

use std::process::Command;

use model_invoker::{Configuration, Metrics, now};
use serde_json::Value;
use tests::world::{Words, World};

use crate::{OPEN, alone};

/// What is said is to be found nowhere but in the table and at the platform.
const CANARY: &str = "a canary called marmalade";

/// One message is followed from webhook to reply by its id, on every channel.
#[test]
fn a_messages_path_is_shown_without_its_words() {
    alone(
        "trace",
        OPEN,
        |_| {},
        async |world| {
            let channels: Vec<String> = world.cloud.endpoints().channels.keys().cloned().collect();
            for channel in &channels {
                let sent = world.send(Words::of(channel, "171", CANARY)).await;
                world.reply(&sent).await;
                world.settled().await;
                let id = sent.message.as_deref().expect("a message that was taken");
                let mut path = crabhook("trace", &["trace", id]);
                for _ in 0..3 {
                    if path.contains("\n  posted ") && path.contains("\n  received ") {
                        break;
                    }
                    // MiniStack hands over a line that comes late with the next message.
                    let next = world.send(Words::of(channel, "172", "and another one")).await;
                    world.reply(&next).await;
                    world.settled().await;
                    path = crabhook("trace", &["trace", id]);
                }
                let steps =
                    ["received", "queued", "taken up", "kept", "asked", "answered", "stored", "posted"];
                let found: Vec<usize> =
                    steps.iter().filter_map(|step| path.find(&format!("\n  {step} "))).collect();
                assert!(found.len() == steps.len() && found.is_sorted(), "{channel}:\n{path}");
                let first = path.lines().next().unwrap_or_default();
                assert!(first.starts_with(&format!("message {id} on {channel}, account main")), "{path}");
                assert!(path.contains("scripted, "), "{path}");
                assert!(path.contains("write units") && path.contains("\n  cost      $0."), "{path}");
                assert!(!path.contains("marmalade"), "{path}");
                every_line_says_whose_it_is(world, channel, id);
            }
            let nothing = crabhook("trace", &["trace", "no-such-message"]);
            assert!(nothing.contains("no log line of the last 3 days names the message"), "{nothing}");
        },
    );
}

/// Invocation, conversation, message and trace stand on every line; the trace is the webhook's request.
fn every_line_says_whose_it_is(world: &World, channel: &str, id: &str) {
    let lines = |function: &str| -> Vec<Value> {
        let log = world.cloud.log(function);
        assert!(!log.join("\n").contains("marmalade"), "{function} logs what was said");
        log.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let taken = lines(channel);
    let request = taken.iter().find(|line| line["id"] == id).expect("the webhook's line");
    for line in &taken {
        assert!(line["request_id"].is_string() && line["trace"] == line["request_id"], "{line}");
    }
    let worked: Vec<Value> =
        lines("model-invoker").into_iter().filter(|line| line["channel"] == channel).collect();
    assert!(worked.iter().any(|line| line["message"] == "done"), "{channel}: no line `done`");
    for line in &worked {
        for field in ["request_id", "conversation", "id", "trace", "account", "level", "timestamp"] {
            assert!(line[field].is_string(), "{line} lacks {field}");
        }
    }
    let done = worked.iter().find(|line| line["message"] == "done" && line["id"] == id).expect("its line");
    assert_eq!((&done["trace"], &done["conversation"]), (&request["request_id"], &request["conversation"]));
    let metrics = &done["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metrics["Namespace"], "crabhook/crabhook");
    for metric in ["Answered", "ReplyLatency", "InputTokens", "OutputTokens", "Spend"] {
        assert!(done[metric].as_f64().is_some_and(|value| value > 0.0), "{metric} in {done}");
        let declared = metrics["Metrics"].as_array().expect("a list");
        assert!(declared.iter().any(|each| each["Name"] == metric), "{metric} in {done}");
    }
}

/// Whatever lies in the table, people are answered as before, and somebody is told.
#[test]
fn a_configuration_that_cannot_be_read_is_noticed_and_changes_nothing() {
    alone(
        "configuration",
        OPEN,
        |_| {},
        async |world| {
            let (store, metrics) = (world.store(), Metrics::of_stack("crabhook"));
            let good = store.configuration().await.expect("the table answers").expect("a configuration");
            let ask = async |text: &str| {
                let sent = world.send(Words::of("telegram", "181", text)).await;
                let said = format!("You said: {text}");
                world.until(&sent, |all| all.contains(&said)).await;
            };
            ask("before").await;
            let running = Configuration::default();
            let before = running.current(&store, &metrics, now()).await.expect("a configuration");
            assert!(before.models.contains_key("default"), "{before:?}");

            // Half a minute later this process looks again; a fresh one has never seen the good one.
            for broken in ["{ this is no JSON", r#"{"version": 1, "models": "none"}"#] {
                store.put_configuration(broken, now()).await.expect("the table takes anything");
                let after =
                    running.current(&store, &metrics, now() + 31_000).await.expect("the last good one");
                assert_eq!(after, before, "{broken}");
                let fresh = Configuration::default().current(&store, &metrics, now()).await;
                assert_eq!(fresh.expect("the table's last good one"), before, "{broken}");
            }
            // Without any, nobody can be judged: a message waits until the table answers again.
            let nowhere = world.cloud.aws().to_builder().endpoint_url("http://127.0.0.1:1").build();
            let nowhere = store::Store::connect(&nowhere, "table");
            assert!(Configuration::default().current(&nowhere, &metrics, now()).await.is_err());
            let kept = running.current(&nowhere, &metrics, now() + 62_000).await;
            assert_eq!(kept.expect("the one that it has"), before);

            assert!(world.cloud.kill("model-invoker") > 0, "no invoker to kill");
            ask("with a broken one, in a fresh process").await;
            assert!(noticed(world) >= 1.0, "the metric that the alarm watches was not written");
            let status = crabhook("configuration", &["status"]);
            assert!(status.contains("the stored configuration cannot be read"), "{status}");
            let doctor = crabhook("configuration", &["doctor", "--no-model"]);
            assert!(doctor.contains("version 1 of ") && doctor.contains("stays in use"), "{doctor}");

            // A good one is kept as the last good one in its turn.
            let version = store.put_configuration(&good.json, now()).await.expect("the table takes it");
            let fresh = Configuration::default().current(&store, &metrics, now()).await;
            assert_eq!(fresh.expect("the good one"), before);
            let kept = store.last_good_configuration().await.expect("the table answers");
            assert_eq!(kept.map(|kept| kept.version), Some(version));
        },
    );
}

/// The sum of `ConfigurationUnreadable` as CloudWatch would read it out of the invoker's log.
fn noticed(world: &World) -> f64 {
    let lines = world.cloud.log("model-invoker");
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let declared = lines.filter(|line| {
        line["configuration"] == "unreadable"
            && line["level"] == "ERROR"
            && line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == "ConfigurationUnreadable"
    });
    declared.filter_map(|line| line["ConfigurationUnreadable"].as_f64()).sum()
}

/// What `crabhook` says, on either output, about the cloud of the test of that name.
pub fn crabhook(test: &str, arguments: &[&str]) -> String {
    let this = std::env::current_exe().expect("a test has a file");
    let binary =
        this.ancestors().skip(1).take(3).map(|folder| folder.join("crabhook")).find(|file| file.is_file());
    let state = std::env::temp_dir().join(format!("crabhook-{test}-{}", std::process::id()));
    let output = Command::new(binary.expect("crabhook is built: make build"))
        .args(arguments)
        .env("STATE", state)
        .env_remove("CRABHOOK_STACK")
        .output()
        .expect("crabhook runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
