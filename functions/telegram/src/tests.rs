use std::path::PathBuf;

use channel::local::{Local as _, Message};
use channel::{Keys, Secrets, Settled, Target, Way};
use channel::{Received, Reject, Response, text};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_000_000_000;

fn secrets() -> Secrets {
    [("secret_token".to_owned(), "Abc_123-xyz".to_owned())].into_iter().collect()
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    Telegram.receive(request, &Context { account: "main", secrets, settings, keys: &Keys::new(), now: NOW })
}

fn fixture(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/telegram").join(path);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

fn request(of: &Value) -> Request {
    let text = |name: &str| of[name].as_str().unwrap_or("/");
    let headers = serde_json::from_value(of["headers"].clone()).unwrap();
    let url = if of["url"].is_string() { text("url") } else { text("path") };
    Request::new(text("method"), url, headers, text("body"))
}

#[test]
fn vectors_are_judged_right() {
    for vector in fixture("vectors.json").as_array().unwrap() {
        let secrets: Secrets =
            serde_json::from_value::<std::collections::BTreeMap<String, String>>(vector["secrets"].clone())
                .unwrap()
                .into_iter()
                .collect();
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"] == true, "{}", vector["name"]);
    }
}

#[test]
fn forged_requests_are_refused() {
    let good = Telegram.sign(request(&fixture("receive/dm_text.json")["request"]), &secrets(), NOW);
    assert!(receive(&good, &secrets(), &Value::Null).is_ok());
    for token in ["", "Abc_123-xy", "Abc_123-xyzz", "abc_123-xyz", "Abc_123-xyz\u{e9}"] {
        let mut bad = good.clone();
        bad.headers.set(verify::SECRET_HEADER, token);
        assert!(matches!(receive(&bad, &secrets(), &Value::Null), Err(Reject::Forged(_))), "{token}");
    }
    let unset = receive(&good, &Secrets::default(), &Value::Null);
    assert_eq!(unset, Err(Reject::NotSetUp("secret_token")));
}

/// A line that says what a recorded request became.
fn told(received: Received) -> String {
    let Received::Events { ack, on_failure, inbound } = received else {
        let Received::Nothing(ack, kind) = received else { return "handshake".to_owned() };
        assert_eq!(ack, Response::empty(200));
        return format!("nothing: {kind}");
    };
    assert_eq!((ack, on_failure), (Response::empty(200), Response::empty(503)));
    let [one] = inbound.as_slice() else { panic!("one message") };
    assert_eq!((&one.address.chat, &one.address.thread), (&one.conversation.chat, &one.conversation.thread));
    let files: String =
        one.attachments.iter().map(|a| format!(" [{} {}]", a.media_type, a.fetch.id)).collect();
    let place = one.conversation.thread.as_ref().map_or(String::new(), |thread| format!("/{thread}"));
    let quote = one.address.reply_to.as_deref().unwrap_or("-");
    let heard = if one.addressed { "to us" } else { "aside" };
    format!("{:?} {}{place} ^{quote} {heard}: {}{files}", one.kind, one.conversation.chat, one.text())
}

#[test]
fn recorded_requests_become_messages() {
    for (name, expected) in [
        ("dm_text", "Dm 7123456789 ^- to us: Qual é a capital da Austrália? 👋"),
        ("dm_command", "Dm 1111111 ^- to us: /start"),
        ("group_mention", "Group -1001234567890 ^77 to us: 👋 what is @bob up to?"),
        ("group_mention_unset", "Group -1001234567890 ^77 to us: 👋 what is @bob up to?"),
        ("group_other_mention", "Group -1001234567890 ^77 aside: @bob look at this"),
        ("group_text_mention", "Group -1001234567890 ^77 to us: what time is it"),
        ("group_command", "Group -1001234567890 ^77 to us: /new"),
        ("group_other_command", "Group -1001234567890 ^77 aside: /ban@rose_bot bob"),
        ("group_reply", "Group -1001234567890 ^77 to us: and in winter?"),
        ("topic_mention", "Group -1001234567890/5 ^77 to us: olá 👋"),
        ("topic_chatter", "Group -1001234567890/5 ^77 aside: lunch?"),
        (
            "group_photo_caption",
            "Group -1001234567890 ^77 to us: what is this? [image/jpeg AgACAgQAAx_large]",
        ),
        ("dm_voice", "Dm 1111111 ^- to us:  [audio/ogg AwACAgQAAx_voice]"),
        ("dm_animation", "Dm 1111111 ^- to us:  [video/mp4 CgACAgQAAx_gif]"),
        ("dm_location", "Dm 1111111 ^- to us: [location: 48.8584, 2.2945]"),
        ("dm_sticker", "Dm 1111111 ^- to us: 👍"),
        ("dm_rich", "Dm 1111111 ^- to us: Plan\nDo this now\none\ntwo"),
        ("callback", "Group -1001234567890/5 ^78 to us: option 2"),
        ("ignored_bot", "nothing: bot"),
        ("ignored_service", "nothing: service"),
        ("ignored_migrated", "nothing: service"),
        ("ignored_edited", "nothing: edited"),
        ("unknown", "nothing: unknown"),
        ("no_json", "nothing: unknown"),
    ] {
        let case = fixture(&format!("receive/{name}.json"));
        let signed = Telegram.sign(request(&case["request"]), &secrets(), NOW);
        assert_eq!(told(receive(&signed, &secrets(), &case["settings"]).unwrap()), expected, "{name}");
    }
}

#[test]
fn odd_entities_are_passed_over() {
    for entities in [
        json!([{"type": "mention", "offset": 1, "length": 4}, {"type": "mention", "offset": 0, "length": 99}]),
        json!([{"type": "mention", "offset": 18446744073709551615u64, "length": 1}]),
        json!([{"type": "bot_command", "offset": 3, "length": 0}, {"type": "text_mention", "offset": 0, "length": 2}]),
    ] {
        let entities: Vec<update::Entity> = serde_json::from_value(entities).unwrap();
        let read = addressing::read("👋 @a_bot", &entities, &addressing::Bot::of(&Value::Null));
        assert_eq!(read, ("👋 @a_bot".to_owned(), false));
    }
}

/// The calls that a recorded answer becomes: method and body.
fn calls(name: &str) -> Vec<(String, Value)> {
    let case = fixture(&format!("post/{name}.json"));
    let parts: Vec<Part> = serde_json::from_value(case["parts"].clone()).unwrap();
    let to: Address = serde_json::from_value(case["address"].clone()).unwrap();
    let plain = case["plain"] == true;
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain, now: NOW };
    let steps = Telegram.post(&parts, &to, &ctx).steps.into_iter();
    let call = |step: Step| {
        let (Target::Base { path, .. }, channel::Body::Json(body)) = (step.target, step.body) else {
            panic!()
        };
        let method = path.strip_prefix("/bot{bot_token}/").unwrap().to_owned();
        assert_eq!(step.optional, method != "sendMessage", "{method}");
        (method, body)
    };
    steps.map(call).collect()
}

#[test]
fn answers_become_calls() {
    let place = json!({"chat_id": -1001234567890i64, "message_thread_id": 5});
    let with = |mut more: Value| {
        more.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        more
    };
    let typing = ("sendChatAction".to_owned(), with(json!({"action": "typing"})));
    let pressed = ("answerCallbackQuery".to_owned(), json!({"callback_query_id": "4382bfdwdsb323b2d9"}));
    let yes = with(json!({
        "text": "Yes.", "parse_mode": "HTML", "link_preview_options": {"is_disabled": true},
        "reply_parameters": {"message_id": 77, "allow_sending_without_reply": true},
    }));
    assert_eq!(calls("topic_reply"), [typing.clone(), ("sendMessage".to_owned(), yes)]);
    assert_eq!(calls("callback"), [pressed.clone(), typing]);
    assert_eq!(calls("dismiss"), [pressed]);
}

#[test]
fn markdown_becomes_html() {
    let text = |name: &str| calls(name).remove(0).1["text"].as_str().unwrap().to_owned();
    let html = text("dm_markdown");
    for piece in [
        "<b>Title</b>",
        "<b>bold</b>",
        "<code>code&lt;T&gt;</code> &amp; a <a href=\"https://example.com/?a=1&amp;b=%222%22\">link</a>",
        "<blockquote>quoted</blockquote>",
        "1. one\n2. two",
        "• deep",
        "<pre><code class=\"language-rust\">fn main() { println!(&quot;&lt;hi&gt;&quot;); }</code></pre>",
        "<pre>a | b\n",
    ] {
        assert!(html.contains(piece), "{piece} in {html}");
    }
    let (_, plain) = calls("dm_plain").remove(0);
    assert!(plain["parse_mode"].is_null() && plain["text"].as_str().unwrap().contains("code<T> & a link ("));
    assert_eq!(
        text("mentions"),
        "@\u{2060}bob and (@\u{2060}ana_t) and @@\u{2060}eve, mail bob@example.com, <code>@code</code>, \
         you (tg://user?id=1), https://example.com/@path"
    );
    assert_eq!(text("mentions_plain"), "@\u{2060}bob, mail bob@example.com");
}

#[test]
fn long_answers_are_split_and_quote_once() {
    let calls = calls("long");
    assert_eq!(calls.len(), 2);
    for (index, (_, body)) in calls.iter().enumerate() {
        assert!(text::fits(body["text"].as_str().unwrap(), spec::SPEC.text));
        assert_eq!(body["reply_parameters"].is_object(), index == 0);
    }
}

#[test]
fn answers_of_telegram_are_understood() {
    let send = render::call("sendMessage", json!({}));
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        let settled = Telegram.settle(step, &Response::json(status, &body));
        assert_eq!(settled, expected, "{body}");
    };
    let no = |code: u16, said: &str| json!({"ok": false, "error_code": code, "description": said});
    let wait = |seconds| Settled::Later(Some(std::time::Duration::from_secs(seconds)));
    check(&send, 200, json!({"ok": true, "result": {"message_id": 79}}), Settled::Posted(Some("79".into())));
    check(&send, 200, json!({"ok": true, "result": true}), Settled::Posted(None));
    check(&send, 200, Value::Null, Settled::Posted(None));
    check(
        &send,
        400,
        no(400, "Bad Request: can't parse entities: Unsupported start tag"),
        Settled::Unformatted,
    );
    check(&send, 400, no(400, "Bad Request: wrong type of the web page content"), Settled::Unformatted);
    let edit = Step::json("api", "/bot{bot_token}/editMessageText", json!({"message_id": 79, "text": "yes"}));
    let twice = "Bad Request: message is not modified: specified new message content is exactly the same";
    check(&edit, 400, no(400, twice), Settled::Posted(Some("79".into())));
    let flood = json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7}});
    check(&send, 429, flood, wait(7));
    check(&send, 502, json!("<html>"), Settled::Later(None));
    check(&send, 200, no(500, "Internal Server Error"), Settled::Later(None));
    check(&send, 404, json!("?"), Settled::Broken("HTTP 404".into()));
    let blocked = "Forbidden: bot was blocked by the user";
    check(&send, 403, no(403, blocked), Settled::Broken(blocked.into()));
    // Of a message that showed a draft: it says that already, or is not there to be changed.
    let same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same";
    check(&send, 400, no(400, same), Settled::Posted(None));
    check(&send, 400, no(400, "Bad Request: message to edit not found"), Settled::Gone);

    let steps = Telegram.fetch(&Fetch { account: "main".into(), id: "f".into() }).steps;
    let [find, download] = steps.as_slice() else { panic!("two steps") };
    let found = json!({"ok": true, "result": {"file_id": "f", "file_path": "photos/1.jpg"}});
    check(find, 200, found, Settled::Posted(Some("photos/1.jpg".into())));
    check(
        find,
        400,
        no(400, "Bad Request: file is too big"),
        Settled::Broken("Bad Request: file is too big".into()),
    );
    let file = Telegram.settle(download, &Response::text(200, "bytes"));
    assert_eq!(file, Settled::Fetched(b"bytes".to_vec()));
}

#[test]
fn the_stand_in_speaks_as_telegram_does() {
    for (conversation, said, heard) in
        [(None, "/help", "/help"), (Some("team"), "hello", "hello"), (Some("team"), "/new now", "/new now")]
    {
        let message = Message {
            url: "https://x.example/main/",
            account: "main",
            text: said,
            user: "ana",
            conversation,
            id: "m1",
            secrets: &secrets(),
            platform: "http://127.0.0.1:1/telegram",
            now: NOW,
        };
        let event = Telegram.event(&message);
        let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets(), &Value::Null) else {
            panic!("taken");
        };
        assert_eq!((inbound[0].text(), inbound[0].addressed, inbound[0].at), (heard, true, NOW));
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
        let step =
            Telegram.post(&[Part::Text("**2 < 3**".into())], &inbound[0].address, &ctx).steps.remove(0);
        let channel::Body::Json(body) = &step.body else { panic!("JSON") };
        let call = Request::new("POST", "/api/bot1:x/sendMessage", Default::default(), body.to_string());
        let answer = Telegram.answer(&call);
        assert!(matches!(Telegram.settle(&step, &answer.response), Settled::Posted(Some(_))));
        let said = answer.said[0].clone();
        assert_eq!((said.reply_key, said.text.as_str()), (event.reply_key, "2 < 3"));
    }
    for body in ["", "[]", "{\"text\":7}", r#"{"chat_id":1,"parse_mode":"HTML","text":"<b></b>"}"#] {
        let odd = Request::new("POST", "/api/bot1:x/sendMessage", Default::default(), body);
        assert_eq!(Telegram.answer(&odd).response.status, 400, "{body}");
    }
}

#[test]
fn connecting_sets_the_webhook_and_the_commands() {
    let channel::Connect::Call(connect, _) = spec::SPEC.connect else { panic!("by calls") };
    let offered = |name: &str| channel::Offered {
        name: name.into(),
        about: "What it does".into(),
        arguments: vec![],
        takes_file: false,
    };
    let commands = ["help", "order_status", "order-status", &"x".repeat(33)].map(offered);
    let registration =
        channel::Registration { url: "https://x.example/main/", settings: &Value::Null, commands: &commands };
    let steps = connect(&registration);
    let channel::Body::JsonWithSecrets { value, fill } = &steps[0].body else { panic!("with the secret") };
    assert_eq!(value["url"], "https://x.example/main/");
    assert!(fill.iter().all(|(pointer, name)| value.pointer(pointer).is_some() && name == "secret_token"));
    let channel::Body::Json(menu) = &steps[1].body else { panic!("JSON") };
    let menu: Vec<&Value> = menu["commands"].as_array().unwrap().iter().map(|one| &one["command"]).collect();
    assert_eq!(menu, ["help", "order_status"]);
    assert_eq!(steps.len(), 2);
}
