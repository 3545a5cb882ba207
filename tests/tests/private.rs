//! Where an owner is told that somebody needs a person: every channel can write to them in private.

use channel::local::{Local, Message};
use channel::{Address, Inbound, Part, PostContext, Request, Settled, Way};
use model_invoker::channels::LOCAL;
use model_invoker::outgoing::{self, Filling};
use serde_json::{Value, json};
use tests::fixtures::{NOW, secrets};

const PLATFORM: &str = "http://127.0.0.1:4567";

/// A message that an owner writes in private.
fn written(room: &dyn Local) -> Inbound {
    let secrets = secrets(room);
    let message = Message {
        url: "https://example.lambda-url.us-east-1.on.aws/",
        account: "main",
        text: "hello",
        user: "7",
        conversation: None,
        id: "1001",
        secrets: &secrets,
        platform: PLATFORM,
        now: NOW,
    };
    let keys = room.keys(&Value::Null);
    let context = channel::Context {
        account: "main",
        secrets: &secrets,
        settings: &Value::Null,
        keys: &keys,
        now: NOW,
    };
    let judged = ingress::judge(room, &room.event(&message).request, &context);
    judged.messages.into_iter().next().unwrap_or_else(|| panic!("{}: no message", room.spec().name))
}

/// What is said there, and where; each call may quote the answer of the one before it.
fn told(room: &dyn Local, to: &Address) -> Vec<(String, String)> {
    let (spec, secrets) = (room.spec(), secrets(room));
    let urls: serde_json::Map<String, Value> = spec
        .bases
        .iter()
        .map(|(base, _)| ((*base).to_owned(), json!(format!("{PLATFORM}/{}/{base}", spec.name))))
        .collect();
    let settings = json!({ "urls": urls });
    let context = PostContext { settings: &settings, key: "turn", way: Way::Push, plain: false, now: NOW };
    let mut said = Vec::new();
    let mut answer = None;
    for step in room.post(&[Part::Text("somebody needs you".into())], to, &context).steps {
        let quoted: String = answer.take().unwrap_or_default();
        let filling = Filling { secrets: &secrets, answer: &quoted, earlier: "", file: &[], now: NOW };
        let request = outgoing::request_with(&step, spec, &settings, &filling).unwrap();
        let path = request.path.strip_prefix(&format!("/{}", spec.name)).unwrap_or(&request.path).to_owned();
        let played = room.answer(&Request { path, ..request });
        match room.settle(&step, &played.response) {
            Settled::Posted(id) => answer = id,
            other => panic!("{}: {other:?}", spec.name),
        }
        said.extend(played.said.into_iter().map(|said| (said.reply_key, said.text)));
    }
    said
}

#[test]
fn an_owner_is_told_in_private_wherever_they_wrote_before() {
    for room in LOCAL {
        let inbound = written(*room);
        let said = told(*room, &inbound.address.lasting(room.keeps()));
        let texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        assert!(
            texts.len() == 1 && texts[0].contains("somebody needs you"),
            "{}: {said:?}",
            room.spec().name
        );
    }
}

#[test]
fn where_a_person_can_be_written_to_first_it_is_the_same_chat() {
    let mut without = Vec::new();
    for room in LOCAL {
        let inbound = written(*room);
        let Some(first) = room.private(&inbound.account, &inbound.sender.id) else {
            without.push(room.spec().name);
            continue;
        };
        let (first, later) = (told(*room, &first), told(*room, &inbound.address.lasting(room.keeps())));
        assert!(!first.is_empty(), "{}", room.spec().name);
        let texts = |said: &[(String, String)]| said.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&first), texts(&later), "{}", room.spec().name);
        // Slack takes the person for the direct message with them: https://docs.slack.dev/reference/methods/chat.postMessage#channels
        if room.spec().name != "slack" {
            assert_eq!(first, later, "{}", room.spec().name);
        }
    }
    // There somebody must write first: README.md names the others.
    let expected = [
        "email",
        "feishu",
        "googlechat",
        "matrix",
        "mattermost",
        "teams",
        "twilio",
        "web",
        "webhook",
        "wecom",
        "whatsapp",
    ];
    without.sort_unstable();
    assert_eq!(without, expected);
}
