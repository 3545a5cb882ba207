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
                keys: &room.keys(&case.settings),
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
        let (name, secrets) = (room.spec().name, secrets(*room));
        let (mut private, mut group, mut files, mut ignored) = (0, 0, 0, std::collections::BTreeSet::new());
        for (path, case) in cases::<Receive>(name, "receive") {
            assert!(case.about.len() > 10, "{path}: say what it is");
            let request = room.sign(case.request.request(), &secrets, NOW);
            let context = channel::Context {
                account: "main",
                secrets: &secrets,
                settings: &case.settings,
                keys: &room.keys(&case.settings),
                now: NOW,
            };
            match room.receive(&request, &context) {
                Ok(Received::Nothing(_, kind)) => drop(ignored.insert(kind)),
                Ok(Received::Events { inbound, .. }) => {
                    private += inbound.iter().filter(|message| message.kind == channel::Kind::Dm).count();
                    group += inbound.iter().filter(|message| message.kind == channel::Kind::Group).count();
                    files += inbound.iter().filter(|message| !message.attachments.is_empty()).count();
                }
                Ok(Received::Handshake(_)) => {}
                Err(reject) => panic!("{path}: a signed request was refused: {reject}"),
            }
        }
        assert!(
            private > 0 && (group > 0 || !room.spec().groups) && files > 0,
            "{name}: {private} private, {group} in groups, {files} with files"
        );
        assert!(ignored.len() >= 2, "{name}: kinds that are ignored: {ignored:?}");
        assert!(cases::<Posting>(name, "post").len() >= 2, "events/{name}/post");
    }
}
