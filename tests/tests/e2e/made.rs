//! Pictures and files that tools answer with, on their way to people.

use channel::sign;
use serde_json::{Value, json};
use tests::programs::Programs;
use tests::world::{Words, World};

use crate::alone;

const CHART: &[u8] = b"\x89PNG\r\n\x1a\n of a chart";

fn programs() -> Programs {
    Programs::start(|path, _| {
        let file = |name: &str, kind: &str, bytes: &[u8]| json!({"name": name, "media_type": kind, "data": sign::base64(bytes)});
        match path {
            "/chart" => {
                let files = [
                    file("may.png", "image/png", CHART),
                    file("may.csv", "text/csv", b"month,sales\nmay,7\n"),
                ];
                (200, json!({"text": "sales rise", "files": files}))
            }
            _ => (404, json!({})),
        }
    })
}

fn config(programs: &Programs) -> String {
    format!(
        "
version: 1
models:
  default: {{provider: openai, model: scripted, base_url: '{{platform}}/model/v1', key: openai}}
assistants:
  default: {{disclosure: never, tools: [chart]}}
tools:
  chart: {{kind: http, url: '{}/chart', description: 'Draws the sales.'}}
",
        programs.url
    )
}

async fn ask(world: &World, channel: &str) -> (Vec<String>, Vec<Value>) {
    let answers = json!([{"calls": [{"name": "chart", "arguments": {}}]}, "Here they are."]);
    world.tell("/model/answers", json!({ "answers": answers })).await;
    let sent = world.send(Words::of(channel, "7", "draw me the sales")).await;
    world.kept(std::slice::from_ref(&sent)).await;
    world.at_rest(&sent).await;
    (world.said(&sent).await, world.calls(channel).await)
}

/// A link where the platform fetches, an upload where it wants one; and the model knows what becomes of it.
#[test]
fn what_tools_make_goes_to_the_person() {
    let programs = programs();
    alone(
        "made",
        &config(&programs),
        |options| options.channels = vec!["telegram".into(), "feishu".into(), "slack".into()],
        async |world| {
            let (_, calls) = ask(world, "telegram").await;
            let told = world.questions().await.pop().unwrap().to_string();
            assert!(told.contains("[The person gets may.png with your answer.]"), "{told}");
            let photo = calls.iter().find(|call| call["path"].as_str().unwrap().ends_with("/sendPhoto"));
            let link = photo.expect("a photo")["body"]["photo"].as_str().unwrap().to_owned();
            assert!(link.contains("/media/") && link.contains("X-Amz-Signature="), "{link}");
            let fetched = egress::Egress::new().unwrap().configured_client().get(&link).send().await.unwrap();
            assert_eq!(fetched.headers()["content-type"], "image/png");
            assert_eq!(fetched.bytes().await.unwrap(), CHART);
            // Telegram fetches no tables: people get the link.
            let table = calls.iter().map(Value::to_string).find(|call| call.contains("may.csv"));
            assert!(table.is_some_and(|call| call.contains("X-Amz-Signature=")), "{calls:?}");
            assert_eq!(programs.asked("/chart").len(), 1);

            let (_, calls) = ask(world, "feishu").await;
            let paths: Vec<&str> = calls.iter().filter_map(|call| call["path"].as_str()).collect();
            for upload in ["/open-apis/im/v1/images", "/open-apis/im/v1/files"] {
                assert!(paths.iter().any(|path| path.ends_with(upload)), "{upload} {paths:?}");
            }

            let (said, calls) = ask(world, "slack").await;
            let shown = |name: &str| said.iter().any(|text| text.starts_with(&format!("[{name}: F0")));
            assert!(shown("may.png") && shown("may.csv"), "{said:?} {calls:?}");

            // Without the scope people get links, and read the answer once.
            let error = json!({"ok": false, "error": "missing_scope", "needed": "files:write"});
            let fault = json!({"channel": "slack", "path": "files.getUploadURLExternal", "status": 200, "body": error});
            world.tell("/fault", fault).await;
            let (said, _) = ask(world, "slack").await;
            assert_eq!(said.iter().filter(|text| text.contains("Here they are.")).count(), 2, "{said:?}");
            assert_eq!(said.iter().filter(|text| text.contains("X-Amz-Signature=")).count(), 2, "{said:?}");
            assert!(world.dead().await.is_empty());
        },
    );
}
