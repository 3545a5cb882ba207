//! Recorded platform requests and planned replies against their goldens; `UPDATE=1` rewrites them.

use channel::{PostContext, Received};
use model_invoker::channels::LOCAL;
use serde_json::{Value, json};
use tests::fixtures::{NOW, Posting, Receive, cases, secrets};
use tests::golden;

#[test]
fn requests_become_messages() {
    for room in LOCAL {
        let secrets = secrets(*room);
        for (path, case) in cases::<Receive>(room.spec().name, "receive") {
            let request = room.sign(case.request.request(), &secrets, NOW);
            let context = channel::Context {
                account: "main",
                secrets: &secrets,
                settings: &case.settings,
                keys: &Default::default(),
                now: NOW,
            };
            let shown = match room.receive(&request, &context) {
                Ok(received) => show(&received),
                Err(reject) => json!({"rejected": reject.to_string()}),
            };
            golden(&format!("{path}.golden.json"), &(serde_json::to_string_pretty(&shown).unwrap() + "\n"));
        }
    }
}

fn show(received: &Received) -> Value {
    match received {
        Received::Handshake(answer) => json!({"handshake": response(answer)}),
        Received::Nothing(ack, kind) => json!({"nothing": kind, "ack": response(ack)}),
        Received::Events { ack, on_failure, inbound } => {
            json!({"ack": response(ack), "on_failure": response(on_failure), "inbound": inbound})
        }
    }
}

fn response(response: &channel::Response) -> Value {
    json!({
        "status": response.status,
        "headers": response.headers,
        "body": String::from_utf8_lossy(&response.body),
    })
}

#[test]
fn replies_become_requests() {
    for room in LOCAL {
        for (path, case) in cases::<Posting>(room.spec().name, "post") {
            let context = PostContext {
                settings: &case.settings,
                key: "golden",
                way: case.way,
                plain: case.plain,
                now: NOW,
            };
            let post = room.post(&case.parts, &case.address, &context);
            golden(&format!("{path}.golden.json"), &(serde_json::to_string_pretty(&post).unwrap() + "\n"));
        }
    }
}

/// A room without these cases is not shown to work.
#[test]
fn the_recorded_cases_cover_what_people_do() {
    for room in LOCAL {
        let name = room.spec().name;
        let received = cases::<Receive>(name, "receive");
        assert!(received.len() >= 6, "events/{name}/receive has {} cases", received.len());
        for wanted in ["dm", "group", "ignored", "unknown"] {
            assert!(received.iter().any(|(path, _)| path.contains(wanted)), "events/{name}/receive lacks a case *{wanted}*");
        }
        assert!(received.iter().all(|(_, case)| case.about.len() > 10));
        assert!(cases::<Posting>(name, "post").len() >= 2, "events/{name}/post");
    }
}
