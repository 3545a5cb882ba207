//! Recognisable secrets and texts are sent everywhere that people, platforms, models and operators reach; then every
//! log, item, queue and print-out is searched for them.

use std::path::PathBuf;
use std::process::Command;

use channel::Secrets;
use local::Options;
use serde_json::{Value, json};
use tests::world::{Words, World};

/// What people write, what the model answers.
const ASKED: &str = "marmalade-canary-4711";
const ANSWERED: &str = "quince-canary-0815";
const MODEL_KEY: &str = "sk-canary-5b1f6c0d9e2a4837";

const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
channels:
  discord: {access: owner}
";

#[test]
fn secrets_are_seen_nowhere_and_words_only_where_they_belong() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let world = World::start("canary", CONFIG, with_a_model_key).await;
        let state = std::env::temp_dir().join(format!("crabhook-canary-{}", std::process::id()));
        let found = Sightings { secrets: every_secret(&world) };
        talk(&world).await;
        found.nothing_in("logs", &logs(&world, &state), "\"verdict\"");
        for (command, expected) in [
            (&["status"][..], "failed messages"),
            (&["doctor"], "ok"),
            (&["people"], "discord"),
            (&["dead", "list"], "answer not posted"),
        ] {
            found.nothing_in(&command.join(" "), &crabhook(&state, command), expected);
        }
        let (items, letters) = (items(&world).await, letters(&world).await);
        for (place, text) in &items {
            found.no_secret_in(place, text);
            // A message waits in its IN, and is history in its TURN; nothing else holds words.
            let words = text.contains(ASKED) || text.contains(ANSWERED);
            assert!(
                !words || place.contains("/IN#") || place.contains("/TURN#"),
                "{place} holds what was said: {text}"
            );
        }
        assert!(
            items.iter().any(|(place, text)| place.contains("/TURN#") && text.contains(ANSWERED)),
            "the search works"
        );
        for letter in &letters {
            found.no_secret_in("a dead letter", letter);
        }
        assert!(letters.iter().any(|letter| letter.contains(ASKED)), "the search works");
    });
}

/// Everything that may go wrong with somebody else's words in it.
async fn talk(world: &World) {
    let ask = format!("please, {ASKED}");
    world.tell("/model/answers", json!({"answers": [ANSWERED, ANSWERED, ANSWERED]})).await;
    for channel in ["slack", "telegram", "webhook"] {
        let sent = world.send(Words::of(channel, "201", &ask)).await;
        world.until(&sent, |said| said.iter().any(|text| text.contains(ANSWERED))).await;
    }
    // Nobody on Discord owns the assistant: refused.
    world.send(Words::of("discord", "202", &ask)).await;
    let forged: Secrets = [
        ("public_key_seed", "00".repeat(32)),
        ("signing_secret", "x".into()),
        ("secret_token", "x".into()),
        ("secret", format!("whsec_{}", "A".repeat(32))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for channel in world.cloud.endpoints().channels.keys() {
        let sent = world.deliver_with(Words::of(channel, "203", &ask), &world.id(), &forged).await;
        assert_eq!(sent.status / 100, 4, "{channel}");
    }
    world.settled().await;

    // Platforms and the model quote what they were sent, our credentials too.
    for status in [503, 400] {
        for channel in ["slack", "telegram", "webhook"] {
            let quoted = quoted(world, channel);
            let body = json!({"ok": false, "error_code": status, "code": 50_035, "description": quoted, "error": quoted, "message": quoted});
            let (path, status) = match (channel, status) {
                // Slack refuses with a 200.
                ("slack", 400) => ("chat.postMessage", 200),
                ("slack", status) => ("chat.postMessage", status),
                ("telegram", status) => ("sendMessage", status),
                (_, status) => ("reply", status),
            };
            world
                .tell("/fault", json!({"channel": channel, "status": status, "path": path, "body": body}))
                .await;
            world.send(Words::of(channel, "204", &ask)).await;
        }
        world.settled().await;
    }
    let quoted = format!("Incorrect API key provided: {MODEL_KEY}; the question was: {ask}");
    world
        .tell("/fault", json!({"channel": "model", "status": 401, "body": {"error": {"message": quoted}}}))
        .await;
    world.send(Words::of("telegram", "205", &ask)).await;
    // Neither of these is a job: buried as they are.
    for body in [ask.clone(), json!({"v": 1, "kind": "message", "inbound": {"v": 1, "id": ask}}).to_string()]
    {
        world.queue().resend(&body, "unknown").await.expect("the queue takes it");
    }
    world.settled().await;
}

/// What an angry platform says about a call.
fn quoted(world: &World, channel: &str) -> String {
    let secrets = world.cloud.secrets(channel, "main");
    let all: Vec<&str> = secrets.names().filter_map(|name| secrets.get(name)).collect();
    format!("bad {ASKED} You said: please, {ASKED} by {}", all.join(" "))
}

/// What is searched for.
struct Sightings {
    secrets: Vec<String>,
}

impl Sightings {
    fn no_secret_in(&self, place: &str, text: &str) {
        let seen = self.secrets.iter().position(|secret| text.contains(secret.as_str()));
        assert!(seen.is_none(), "{place} shows secret {seen:?}");
    }

    /// `expected` is there, so that it is known what was searched.
    fn nothing_in(&self, place: &str, text: &str, expected: &str) {
        assert!(text.contains(expected), "{place} lacks {expected}:\n{text}");
        self.no_secret_in(place, text);
        for said in [ASKED, ANSWERED] {
            let line = text.lines().find(|line| line.contains(said));
            assert!(line.is_none(), "{place} shows what was said: {line:?}");
        }
    }
}

fn with_a_model_key(options: &mut Options) {
    std::fs::create_dir_all(&options.state).expect("a folder for the state");
    let secrets = json!({"model": {"openai": MODEL_KEY}}).to_string();
    std::fs::write(options.state.join("secrets.json"), secrets).expect("the secrets can be written");
}

/// All of them, those with a prefix without it too.
fn every_secret(world: &World) -> Vec<String> {
    let mut all = vec![MODEL_KEY.to_owned()];
    for channel in world.cloud.endpoints().channels.keys() {
        let secrets = world.cloud.secrets(channel, "main");
        let public = ["public_key", "topic_arn"];
        let values =
            secrets.names().filter(|name| !public.contains(name)).filter_map(|name| secrets.get(name));
        all.extend(values.map(|value| value.trim_start_matches("whsec_").to_owned()));
    }
    assert!(all.len() > 6 && all.iter().all(|secret| secret.len() >= 16), "{} secrets", all.len());
    all
}

/// The lines of all functions, and of the cloud itself.
fn logs(world: &World, state: &std::path::Path) -> String {
    let mut all: Vec<String> =
        world.cloud.endpoints().channels.keys().flat_map(|name| world.cloud.log(name)).collect();
    all.extend(world.cloud.log("model-invoker"));
    all.push(std::fs::read_to_string(state.join("functions.log")).expect("the functions' log"));
    all.push(std::fs::read_to_string(state.join("ministack.log")).expect("MiniStack's log"));
    all.join("\n")
}

/// Everything in the table: key and item.
async fn items(world: &World) -> Vec<(String, String)> {
    let (aws, table) = (&world.cloud.endpoints().aws, &world.cloud.endpoints().table);
    let client = egress::Egress::new().expect("clients").configured_client();
    let scan =
        client.post(aws).header("x-amz-target", "DynamoDB_20120810.Scan").json(&json!({"TableName": table}));
    let credential = "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x";
    let answer = scan
        .header("authorization", credential)
        .header("content-type", "application/x-amz-json-1.0")
        .send()
        .await;
    let answer: Value = answer.expect("the table answers").json().await.expect("JSON");
    let items = answer["Items"].as_array().expect("items");
    assert!(answer.get("LastEvaluatedKey").is_none(), "one page holds them");
    let key = |item: &Value| {
        format!("{}/{}", item["pk"]["S"].as_str().unwrap_or(""), item["sk"]["S"].as_str().unwrap_or(""))
    };
    items.iter().map(|item| (key(item), item.to_string())).collect()
}

/// The dead letters as they lie there. The queue itself is empty by now.
async fn letters(world: &World) -> Vec<String> {
    let dead = queue::Queue::connect(world.cloud.aws(), &world.cloud.endpoints().dead_letter_url);
    let mut all = std::collections::BTreeMap::new();
    loop {
        let batch = dead.receive(5).await.expect("the dead letters can be read");
        let before = all.len();
        all.extend(batch.into_iter().map(|letter| (letter.id, letter.body)));
        if all.len() == before {
            break;
        }
    }
    all.into_values().collect()
}

/// What the operator's command prints, both ways.
fn crabhook(state: &std::path::Path, arguments: &[&str]) -> String {
    let built: PathBuf = std::env::current_exe().expect("this test is a program");
    let program = built.ancestors().nth(2).expect("target/local").join("crabhook");
    let output =
        Command::new(program).args(arguments).env("STATE", state).env_remove("CRABHOOK_STACK").output();
    let output = output.expect("crabhook was built");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
