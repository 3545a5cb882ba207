//! Known-answer vectors of every channel, judged by the code that the Lambda runs.

use channel::{Headers, Request, Secrets};
use model_invoker::channels::LOCAL;
use serde_json::Value;
use tests::read;

#[test]
fn vectors_are_judged_right() {
    let mut judged = 0;
    for room in LOCAL {
        let name = room.spec().name;
        let vectors: Vec<Value> =
            serde_json::from_str(&read(&format!("events/{name}/vectors.json"))).unwrap();
        for vector in &vectors {
            let request = &vector["request"];
            let method = request["method"].as_str().unwrap();
            if !matches!(method, "GET" | "POST" | "PUT") {
                continue;
            }
            let headers: Headers = serde_json::from_value(request["headers"].clone()).unwrap();
            let body = request["body"].as_str().unwrap_or_default();
            let request = Request::new(method, request["url"].as_str().unwrap_or("/"), headers, body);
            let secrets: Secrets = serde_json::from_value::<std::collections::BTreeMap<String, String>>(
                vector["secrets"].clone(),
            )
            .unwrap()
            .into_iter()
            .collect();
            let now = vector["now"].as_i64().unwrap_or(1_795_000_000) * 1_000;
            let context = channel::Context {
                account: "main",
                secrets: &secrets,
                settings: &Value::Null,
                keys: &Default::default(),
                now,
            };
            let answer = ingress::judge(*room, &request, &context).response;
            let accepted = (200..300).contains(&answer.status);
            assert_eq!(Some(accepted), vector["expected"]["valid"].as_bool(), "{name}: {}", vector["name"]);
            if !accepted {
                assert_eq!(answer.status, room.spec().reject.status, "{name}: {}", vector["name"]);
            }
            if let Some(body) = vector["expected"]["response_body"].as_str() {
                assert_eq!(String::from_utf8_lossy(&answer.body), body, "{name}: {}", vector["name"]);
            }
            judged += 1;
        }
    }
    assert!(judged >= 20, "only {judged} vectors were judged");
}
