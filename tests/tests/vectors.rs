//! Known-answer vectors of every channel, judged by the code that the Lambda runs.

use channel::{Headers, Keys, Request};
use model_invoker::channels::LOCAL;
use serde_json::Value;
use tests::read;

#[test]
fn vectors_are_judged_right() {
    for room in LOCAL {
        let name = room.spec().name;
        let (mut taken, mut refused) = (0, 0);
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
            let given: std::collections::BTreeMap<String, String> =
                serde_json::from_value(vector["secrets"].clone()).unwrap();
            let mut secrets = room.expecting(&vector["expect_claims"]);
            given.into_iter().for_each(|(name, value)| secrets.insert(name, value));
            let now = vector["now"].as_i64().unwrap_or(1_795_000_000) * 1_000;
            let judge = |keys: &Keys| {
                let (secrets, settings) = (&secrets, &Value::Null);
                let context = channel::Context { account: "main", secrets, settings, keys, now };
                ingress::judge(*room, &request, &context)
            };
            let mut judged_so = judge(&Keys::new());
            if let (ingress::Outcome::NeedKey { url, .. }, Some(keys)) =
                (&judged_so.outcome, vector.get("jwks"))
            {
                judged_so = judge(&Keys::from([(url.clone(), keys.to_string())]));
            }
            let answer = judged_so.response;
            let accepted = (200..300).contains(&answer.status);
            assert_eq!(Some(accepted), vector["expected"]["valid"].as_bool(), "{name}: {}", vector["name"]);
            if !accepted {
                assert_eq!(answer.status, room.spec().reject.status, "{name}: {}", vector["name"]);
            }
            if let Some(body) = vector["expected"]["response_body"].as_str() {
                assert_eq!(String::from_utf8_lossy(&answer.body), body, "{name}: {}", vector["name"]);
            }
            *if accepted { &mut taken } else { &mut refused } += 1;
        }
        println!("{name:<12}{taken:>3} taken {refused:>3} refused");
        // What proves a mail is the topic that it comes by: its vectors are about headers, and tested in the room.
        assert!(name == "email" || (taken > 0 && refused > 0), "{name}: {taken} taken, {refused} refused");
    }
}
