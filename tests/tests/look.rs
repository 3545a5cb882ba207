//! How the local page sees every channel: what is posted is drawn as its platform draws it, and its buttons can be pressed.

use channel::local::{Local, Look, Message};
use channel::{Choice, Grown, Inbound, Part, PostContext, Request, Secrets, Settled, Streaming, Way};
use model_invoker::channels::LOCAL;
use model_invoker::outgoing::{self, Filling};
use serde_json::{Map, Value, json};
use tests::fixtures::{NOW, secrets};

const PLATFORM: &str = "http://127.0.0.1:4567";

fn message<'a>(secrets: &'a Secrets, text: &'a str, group: Option<&'a str>, id: &'a str) -> Message<'a> {
    let url = "https://example.lambda-url.us-east-1.on.aws/";
    Message {
        url,
        account: "main",
        text,
        user: "7",
        conversation: group,
        id,
        secrets,
        platform: PLATFORM,
        now: NOW,
    }
}

fn taken(room: &dyn Local, secrets: &Secrets, request: &Request) -> Vec<Inbound> {
    let keys = room.keys(&Value::Null);
    let settings = &Value::Null;
    let verdict = ingress::judge(
        room,
        request,
        &channel::Context { account: "main", secrets, settings, keys: &keys, now: NOW },
    );
    assert!((200..300).contains(&verdict.response.status), "{}: {:?}", room.spec().name, verdict.outcome);
    verdict.messages
}

/// Posts a part where the message came from: the looks of its calls, and the id that the last was settled with.
fn posted(
    room: &dyn Local,
    secrets: &Secrets,
    part: &Part,
    group: Option<&str>,
) -> (Vec<Look>, Option<String>) {
    let spec = room.spec();
    let base = |name: &&str| ((*name).to_owned(), json!(format!("{PLATFORM}/{}/{name}", spec.name)));
    let urls: Map<String, Value> = spec.bases.iter().map(|(name, _)| base(name)).collect();
    let settings = json!({ "urls": urls });
    let event = room.event(&message(secrets, "hello", group, "1001"));
    let to = taken(room, secrets, &event.request).remove(0).address;
    let context = PostContext { settings: &settings, key: "turn", way: Way::Reply, plain: false, now: NOW };
    let (mut looks, mut id, mut earlier) = (Vec::new(), None::<String>, String::new());
    for step in room.post(std::slice::from_ref(part), &to, &context).steps {
        let before = id.unwrap_or_default();
        let filling = Filling { answer: &before, earlier: &earlier, ..Filling::of(secrets, NOW) };
        let request = outgoing::request_with(&step, spec, &settings, &filling).unwrap();
        let mut request = Request::new(&request.method, &request.url, request.headers, request.body);
        request.path = request.path.replacen(&format!("/{}", spec.name), "", 1);
        let answer = room.answer(&request);
        let look = room.look(&request, &answer.response);
        if let (Some(said), Some(place)) = (answer.said.first(), &look.place) {
            assert!(look.replaces.is_some() || said.reply_key == *place, "{}: {place} {said:?}", spec.name);
        }
        looks.push(look);
        earlier = before;
        id = match room.settle(&step, &answer.response) {
            Settled::Posted(id) => id,
            other => panic!("{}: {other:?}", spec.name),
        };
    }
    (looks, id)
}

/// What of them is a message.
fn shown(looks: &[Look]) -> Option<&Look> {
    looks.iter().find(|look| !look.writing && (look.text.is_some() || look.id.is_some()))
}

#[test]
fn an_answer_that_grows_stays_one_message() {
    for room in LOCAL.iter().filter(|room| room.spec().streaming != Streaming::Off) {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let (first, id) = posted(
            *room,
            &secrets,
            &Part::Draft { text: "so".into(), posted: None, grown: Grown::Edited },
            None,
        );
        // Elsewhere it is a sign, and the answer a message of its own.
        let Some(first) = shown(&first) else {
            let so_far = |look: &Look| look.writing && look.text.as_deref() == Some("so");
            assert!(first.iter().any(so_far), "{name} shows no draft");
            continue;
        };
        let edit =
            Part::Edit { posted: id.unwrap_or_default(), text: "so **far**".into(), grown: Grown::Edited };
        let (whole, _) = posted(*room, &secrets, &edit, None);
        let whole = shown(&whole).unwrap();
        assert_eq!(whole.replaces.as_ref(), first.id.as_ref(), "{name}");
        assert!(whole.text.as_ref().is_some_and(|text| text.contains("far")), "{name}: {whole:?}");
    }
}

#[test]
fn what_a_button_says_comes_back_as_its_presser_s_words() {
    let mut with_buttons = 0;
    for room in LOCAL {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let groups = room.spec().groups;
        for group in [None, Some("team")].into_iter().filter(|group| group.is_none() || groups) {
            let choice = Choice { label: "Go on".into(), says: "Go on".into() };
            let buttons = Part::Buttons { text: "Shall I?".into(), choices: vec![choice] };
            let (looks, _) = posted(*room, &secrets, &buttons, group);
            let look = shown(&looks).cloned().unwrap_or_default();
            // Where there are none, the choices are lines of text.
            let Some(button) = look.buttons.iter().find(|button| !button.form) else { continue };
            assert_eq!((button.label.as_str(), button.says.as_str()), ("Go on", "Go on"), "{name}");
            let said = message(&secrets, &button.says, group, "1002");
            let event = room.press(&said, look.id.as_deref().unwrap_or_default());
            let pressed = taken(*room, &secrets, &event.request).remove(0);
            assert_eq!((pressed.text(), pressed.addressed), ("Go on", true), "{name}");
            let asked = room.event(&message(&secrets, "hello", group, "1001"));
            let asked = taken(*room, &secrets, &asked.request).remove(0);
            assert_eq!(pressed.sender.id, asked.sender.id, "{name}: somebody else");
            assert_ne!(pressed.id, asked.id, "{name}: taken for a repetition");
            with_buttons += 1;
        }
    }
    assert!(with_buttons >= 14, "only {with_buttons} chats have buttons");
}

#[test]
fn a_button_with_a_form_asks_first() {
    let room = model_invoker::channels::local("discord").unwrap();
    let secrets = secrets(room);
    let (looks, _) = posted(room, &secrets, &Part::Text("hello".into()), None);
    let button = &shown(&looks).unwrap().buttons[0];
    assert!(button.form);
    let opened = room.press(&message(&secrets, "", None, "1002"), "");
    assert!(taken(room, &secrets, &opened.request).is_empty(), "nothing is said yet");
    let sent = room.fill(&message(&secrets, "and now?", None, "1003"), "");
    assert_eq!(taken(room, &secrets, &sent.request)[0].text(), "and now?");
}

/// Where the platform shows a file by itself, its name stands there as a link.
#[test]
fn files_of_an_answer_are_seen() {
    for name in ["telegram", "web"] {
        let room = model_invoker::channels::local(name).unwrap();
        let (url, caption) = ("https://example.com/sales.png".to_owned(), "in **May**".to_owned());
        let media = Part::Media(channel::Media {
            url,
            name: "sales.png".into(),
            media_type: "image/png".into(),
            caption,
        });
        let (looks, _) = posted(room, &secrets(room), &media, None);
        let text = shown(&looks).and_then(|look| look.text.clone()).unwrap_or_default();
        assert!(text.contains("https://example.com/sales.png") && text.contains("May"), "{name}: {text}");
    }
}

#[test]
fn who_is_written_to_sees_that_it_is_being_written() {
    let mut signs = 0;
    for room in LOCAL {
        let (name, secrets) = (room.spec().name, secrets(*room));
        let (looks, _) = posted(*room, &secrets, &Part::Typing, None);
        assert!(looks.iter().all(|look| look.writing || *look == Look::default()), "{name}: {looks:?}");
        signs += usize::from(looks.iter().any(|look| look.writing));
    }
    assert!(signs >= 7, "only {signs} channels show it");
}
