//! Recorded requests, rendered replies and Discord's answers, each in its table.

use std::path::PathBuf;

use channel::local::{Local, Message};
use channel::{
    Address, Auth, Body, Channel, Choice, Connect, Context, Headers, Media, Part, PostContext, Received,
    Reject, Request, Response, Secrets, Settled, Step, Target, Way, Window,
};
use serde_json::{Value, json};

use crate::Discord;

const NOW: i64 = 1_795_000_002_000;
const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const PUBLIC_KEY: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/discord")
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(events().join(path)).unwrap()).unwrap()
}

fn request(from: &Value) -> Request {
    let url = from["url"].as_str().or(from["path"].as_str()).unwrap();
    let headers: Headers = serde_json::from_value(from["headers"].clone()).unwrap();
    Request::new(from["method"].as_str().unwrap(), url, headers, from["body"].as_str().unwrap())
}

fn secrets() -> Secrets {
    let pairs = [("public_key", PUBLIC_KEY), ("public_key_seed", SEED)];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    let context = Context { account: "main", secrets, settings, keys: &Default::default(), now: NOW };
    Discord.receive(request, &context)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let key = vector["secrets"]["public_key"].as_str().unwrap().to_owned();
        let secrets = [("public_key".to_owned(), key)].into_iter().collect();
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn refuses_what_is_not_signed_and_never_breaks() {
    let signed = Discord.sign(request(&read("receive/ask-dm.json")["request"]), &secrets(), NOW);
    assert!(receive(&signed, &secrets(), &Value::Null).is_ok());
    let changed: [fn(&mut Request); 7] = [
        |r| r.headers = Headers::default(),
        |r| {
            let upper = r.headers.get("x-signature-ed25519").unwrap().to_ascii_uppercase();
            r.headers.set("x-signature-ed25519", upper);
        },
        |r| r.headers.set("x-signature-ed25519", "zz\u{e9}"),
        |r| r.headers.set("x-signature-ed25519", "abc"),
        |r| r.headers.set("x-signature-ed25519", ""),
        |r| r.headers.set("x-signature-timestamp", "1795000003"),
        |r| r.body[10] ^= 1,
    ];
    for (index, change) in changed.into_iter().enumerate() {
        let mut request = signed.clone();
        change(&mut request);
        let judged = receive(&request, &secrets(), &Value::Null);
        assert!(matches!(judged, Err(Reject::Forged(_))), "{index}");
    }
    let not_set_up = Err(Reject::NotSetUp("public_key"));
    assert_eq!(receive(&signed, &Secrets::default(), &Value::Null), not_set_up);
    let not_hex = [("public_key".to_owned(), "MTIzNDU2.bot.token".to_owned())].into_iter().collect();
    assert_eq!(receive(&signed, &not_hex, &Value::Null), not_set_up);
}

/// A recorded request, and what it comes to in one line: chat, kind, sender, home, messages allowed, text, files.
fn check_receive(case: &str, expected: &str) {
    let recorded = read(&format!("receive/{case}.json"));
    let signed = Discord.sign(request(&recorded["request"]), &secrets(), NOW);
    let body = |response: &Response| String::from_utf8_lossy(&response.body).into_owned();
    let came_to = match receive(&signed, &secrets(), &recorded["settings"]).unwrap() {
        Received::Handshake(response) => format!("handshake {} {}", response.status, body(&response)),
        Received::Nothing(response, kind) => {
            format!("nothing: {kind}: {} type {}", response.status, response.body_json()["type"])
        }
        Received::Events { ack, on_failure, inbound } => {
            assert_eq!((ack.status, body(&ack).as_str(), inbound.len()), (200, r#"{"type":5}"#, 1), "{case}");
            assert_eq!(
                (on_failure.status, on_failure.body_json()["data"]["flags"].as_u64()),
                (200, Some(64))
            );
            let m = &inbound[0];
            let files: Vec<_> = m.attachments.iter().map(|file| file.name.as_str()).collect();
            let uses = m.address.window.unwrap().uses;
            let head = format!("{} {:?} {} {:?}", m.conversation.chat, m.kind, m.sender.name, m.sender.home);
            format!("{head} {uses:?} {:?} {}", m.text(), files.join(",")).trim_end().to_owned()
        }
    };
    assert_eq!(came_to, expected, "{case}");
}

#[test]
fn reads_recorded_requests() {
    let cases = [
        ("ping", r#"handshake 200 {"type":1}"#),
        ("ask-dm", r#"1300000000000000077 Dm Tess Unknown None "hello""#),
        ("ask-guild", r#"645027906669510667 Group Tess Unknown None "what is the plan?""#),
        ("ask-guild-home", r#"645027906669510667 Group Tess Yes None "what is the plan?""#),
        ("ask-guild-foreign", r#"645027906669510667 Group Tess No None "what is the plan?""#),
        ("ask-thread", r#"1300000000000000099 Group Tess Unknown None "and here?""#),
        ("ask-file", r#"645027906669510667 Group Tess Unknown None "what is this?" a.png"#),
        ("ask-file-large", r#"645027906669510667 Group Tess Unknown None "what is this?" a.jpg"#),
        ("press-button", r#"645027906669510667 Group Tess Unknown None "/yes 3f9a1b""#),
        ("ask-user-install", r#"645027906669510667 Group Tess Unknown Some(5) "hello""#),
        ("ask-subcommand", r#"645027906669510667 Group Tess Unknown None "hello""#),
        ("ask-nothing", "nothing: nothing asked: 200 type 4"),
        ("new", r#"1300000000000000077 Dm Tess Unknown None "/new""#),
        ("command", r#"1300000000000000077 Dm Tess Unknown None "/translate:es good morning""#),
        (
            "about-message",
            r#"645027906669510667 Group Tess Unknown None "Bob wrote:\n\n> The release slips\n> past Friday\n\nWhat can you tell me about this message?" plan.pdf"#,
        ),
        ("reply-button", "nothing: form opened: 200 type 9"),
        ("reply-form", r#"645027906669510667 Group Tess Unknown None "and tomorrow?" b.png"#),
        ("reply-form-rows", r#"645027906669510667 Group Tess Unknown None "and tomorrow?""#),
        ("unknown-button", "nothing: unknown component: 200 type 6"),
        ("autocomplete", "nothing: autocomplete: 200 type 8"),
        ("unknown-kind", "nothing: unknown kind: 200 type 4"),
        ("webhook-ping", "handshake 204 "),
        ("webhook-event", "nothing: webhook event: 204 type null"),
        ("not-json", "nothing: unknown body: 200 type 4"),
    ];
    cases.iter().for_each(|(case, expected)| check_receive(case, expected));
    let recorded = std::fs::read_dir(events().join("receive")).unwrap();
    let recorded =
        recorded.filter(|file| !file.as_ref().unwrap().file_name().to_string_lossy().contains("golden"));
    assert_eq!(recorded.count(), cases.len(), "a recorded request without an expectation");
}

/// Where a recorded file is fetched from, and how large it is said to be.
#[test]
fn large_pictures_are_asked_for_in_a_smaller_size() {
    let file = |case: &str| {
        let signed =
            Discord.sign(request(&read(&format!("receive/{case}.json"))["request"]), &secrets(), NOW);
        match receive(&signed, &secrets(), &Value::Null).unwrap() {
            Received::Events { mut inbound, .. } => inbound.remove(0).attachments.remove(0),
            other => panic!("{other:?}"),
        }
    };
    let (small, large) = (file("ask-file"), file("ask-file-large"));
    assert!(small.fetch.id.starts_with("https://cdn.discordapp.com/") && small.size == Some(9_000));
    let query = "ex=6a000000&is=69000000&hm=00&width=696&height=1568";
    let expected = format!("https://media.discordapp.net/ephemeral-attachments/1/1200/a.png?{query}");
    assert_eq!((large.fetch.id, large.size), (expected, None));
}

fn post(text: &str, way: Way, uses: Option<u32>) -> Vec<Step> {
    posts(&[Part::Text(text.to_owned())], way, uses, false)
}

fn posts(parts: &[Part], way: Way, uses: Option<u32>, plain: bool) -> Vec<Step> {
    let mut to =
        Address { chat: "7".into(), window: Some(Window { deadline: NOW, uses }), ..Address::default() };
    to.data = [("application_id", "1"), ("token", "a/b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let ctx = PostContext { settings: &Value::Null, key: "k", way, plain, now: NOW };
    Discord.post(parts, &to, &ctx).steps
}

fn body(step: &Step) -> Value {
    serde_json::to_value(step).unwrap()["body"]["json"].clone()
}

fn line(step: &Step) -> String {
    let Target::Base { path, .. } = &step.target else { panic!("{step:?}") };
    let button = body(step).get("components").map_or("", |_| " button");
    format!("{} {path}{button}", step.method)
}

#[test]
fn answers_in_the_slot_then_after_it() {
    let check = |way, uses, expected: &[&str]| {
        let steps = post(&"words and words. ".repeat(300), way, uses);
        assert_eq!(steps.iter().map(line).collect::<Vec<_>>(), expected);
        for step in &steps {
            let text = body(step)["content"].as_str().unwrap().encode_utf16().count();
            assert!(text <= 2_000 && step.headers.get("user-agent").is_some(), "{text}");
            assert_eq!(body(step)["allowed_mentions"], json!({ "parse": [] }));
        }
        steps
    };
    let (first, next) = ("PATCH /webhooks/1/a%2Fb/messages/@original", "POST /webhooks/1/a%2Fb");
    check(Way::Reply, None, &[first, next, "POST /webhooks/1/a%2Fb button"]);
    let cut = check(Way::Reply, Some(2), &[first, "POST /webhooks/1/a%2Fb button"]);
    assert!(body(&cut[1])["content"].as_str().unwrap().ends_with("allowed here]"));
    let push = "POST /channels/7/messages";
    let pushed = check(Way::Push, Some(2), &[push, push, "POST /channels/7/messages button"]);
    let nonce = |step: &Step| body(step)["nonce"].as_str().unwrap().to_owned();
    assert_eq!((nonce(&pushed[0]).len(), nonce(&pushed[0]) == nonce(&pushed[1])), (25, false));
    assert_eq!(pushed[0].auth, Auth::Scheme { scheme: "Bot".into(), secret: "bot_token".into() });
}

#[test]
fn choices_are_buttons_where_they_fit() {
    let choice = |label: &str, says: &str| Choice { label: label.into(), says: says.into() };
    let rows = |choices: Vec<Choice>| {
        let buttons = Part::Buttons { text: "Shall I?".into(), choices };
        let step = posts(&[buttons], Way::Reply, None, false).remove(0);
        let rows = body(&step)["components"].as_array().unwrap().clone();
        rows.iter().map(|row| row["components"].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    let found = rows(vec![choice("Yes", "/yes 3f9a"), choice(&"No ".repeat(40), "/no 3f9a")]);
    assert_eq!(found.len(), 2, "the choices, and the button to go on by");
    assert_eq!((&found[0][0]["label"], &found[0][0]["custom_id"]), (&json!("Yes"), &json!("say:/yes 3f9a")));
    assert!(found[0][1]["label"].as_str().unwrap().chars().count() <= 80);
    assert_eq!(found[1][0]["custom_id"], "reply");
    let many = |n: usize| (0..n).map(|n| choice("x", &n.to_string())).collect::<Vec<_>>();
    assert_eq!(rows(many(20)).iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 1]);
    // What does not fit, or says the same twice, is lines of text.
    for choices in [
        many(21),
        vec![choice("x", "same"), choice("y", "same")],
        vec![choice("x", &"long ".repeat(20))],
        vec![choice(" ", "blank")],
        Vec::new(),
    ] {
        assert_eq!(rows(choices).len(), 1, "the button to go on by");
    }
}

#[test]
fn files_come_along_and_are_links_where_they_are_refused() {
    let media = |caption: String| {
        Part::Media(Media {
            url: "https://e.x/a.png".into(),
            name: "a.png".into(),
            media_type: "image/png".into(),
            caption,
        })
    };
    let parts = [Part::Text("Here:".into()), media("sales".into()), media("word ".repeat(900))];
    let rich = posts(&parts, Way::Reply, None, false);
    let plain = posts(&parts, Way::Reply, None, true);
    assert_eq!(rich.len(), plain.len(), "each file keeps its place");
    let Body::Multipart { fields, file } = &rich[1].body else { panic!("{:?}", rich[1].body) };
    let told: Value = serde_json::from_str(&fields[0].1).unwrap();
    assert_eq!((fields[0].0.as_str(), file.field.as_str()), ("payload_json", "files[0]"));
    assert_eq!((&told["content"], &told["attachments"][0]["filename"]), (&json!("sales"), &json!("a.png")));
    assert_eq!(body(&plain[1])["content"], "sales\n\na.png (https://e.x/a.png)");
    let refused = Response::json(413, &json!({"code": 40_005, "message": "Request entity too large"}));
    assert_eq!(Discord.settle(&rich[1], &refused), Settled::Unformatted);
    assert!(matches!(Discord.settle(&plain[1], &refused), Settled::Broken(_)), "and only once");
    // The whole address or none of it.
    let long =
        Media { url: format!("https://e.x/{}", "a".repeat(3_000)), name: "a.png".into(), ..Media::default() };
    let step = posts(&[Part::Media(long)], Way::Push, None, true).remove(0);
    assert_eq!(body(&step)["content"], "a.png");
}

#[test]
fn somebody_who_never_wrote_is_told_in_direct_messages() {
    let to = Discord.private("main", "80").unwrap();
    let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Push, plain: false, now: NOW };
    let steps = Discord.post(&[Part::Text("words and words. ".repeat(200))], &to, &ctx).steps;
    let (open, say) = ("POST /users/@me/channels", "POST /channels/{answer}/messages");
    let lines: Vec<_> = steps.iter().map(line).collect();
    assert_eq!(lines, [open, say, open, &format!("{say} button")]);
    assert_eq!(body(&steps[0]), json!({ "recipient_id": "80" }));
}

#[test]
fn writes_what_discord_shows() {
    let check = |markdown: &str, expected: &str| {
        assert_eq!(body(&post(markdown, Way::Reply, None)[0])["content"], expected, "{markdown}");
    };
    check("#### Four", "**Four**");
    check("## Two", "## Two");
    check("<@1> ||x||", "\\<@1> \\|\\|x\\|\\|");
    check("````\na ``` b\n````", "```\na ``\u{200B}` b\n```");
    check("---", "———");
}

#[test]
fn settles_what_discord_answers() {
    let reply = post("hi", Way::Reply, None).remove(0);
    let push = post("hi", Way::Push, None).remove(0);
    let check = |step: &Step, status: u16, body: Value, expected: Settled| {
        assert_eq!(Discord.settle(step, &Response::json(status, &body)), expected, "{status} {body}");
    };
    let error = |code: u64| json!({ "code": code, "message": "words" });
    check(&reply, 200, json!({ "id": "9" }), Settled::Posted(Some("9".into())));
    let later = Settled::Later(Some(std::time::Duration::from_millis(64_570)));
    check(&reply, 429, json!({ "message": "limited", "retry_after": 64.57, "global": false }), later);
    check(&reply, 429, json!({ "retry_after": -1.0 }), Settled::Later(None));
    check(&reply, 502, Value::Null, Settled::Later(None));
    check(&reply, 401, error(50_027), Settled::Gone);
    check(&reply, 404, error(10_015), Settled::Gone);
    check(&reply.clone().method("DELETE"), 404, error(10_008), Settled::Posted(None));
    check(&push, 404, error(10_003), Settled::Gone);
    check(&push, 400, error(50_035), Settled::Broken("50035: words".into()));
    for (status, code) in [(401, 0), (403, 50_001), (403, 50_007), (403, 50_013)] {
        let settled = Discord.settle(&push, &Response::json(status, &error(code)));
        assert!(matches!(settled, Settled::Broken(_)), "{status} {code}");
    }
}

#[test]
fn registers_commands_and_address() {
    let Connect::Call(connect, _) = Discord.spec().connect else { panic!() };
    let settings = json!({ "application_id": "12" });
    let argument = |name, required, choices: &[&str]| channel::Argument {
        name,
        about: "What about".into(),
        required,
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
    };
    let offered = |name: &str, arguments, takes_file| channel::Offered {
        name: name.into(),
        about: "a".repeat(120),
        arguments,
        takes_file,
    };
    let offered = [
        offered("help", vec![], false),
        offered("bot", vec![argument("state", true, &["on", "off"])], false),
        offered("translate", vec![argument("argument", false, &[]), argument("text", true, &[])], true),
        offered("ask", vec![], false),
        offered(&"x".repeat(33), vec![], false),
    ];
    let registration =
        |settings| channel::Registration { url: "https://x.example/", settings, commands: &offered };
    assert!(connect(&registration(&Value::Null)).is_empty());
    let steps = connect(&registration(&settings));
    let lines: Vec<_> = steps.iter().map(line).collect();
    assert_eq!(lines, ["PUT /applications/12/commands", "PATCH /applications/@me"]);
    let commands = body(&steps[0]);
    let names: Vec<&Value> = commands.as_array().unwrap().iter().map(|command| &command["name"]).collect();
    assert_eq!(names, ["ask", "Ask about this", "help", "bot", "translate"]);
    assert_eq!(commands[2]["description"].as_str().unwrap().len(), 100);
    assert_eq!(commands[3]["options"][0]["choices"][1], json!({ "name": "off", "value": "off" }));
    let options: Vec<(&Value, &Value)> = commands[4]["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["required"]))
        .collect();
    let (yes, no) = (json!(true), json!(false));
    let [text, behind, file] = ["text", "argument", "file"].map(Value::from);
    assert_eq!(options, [(&text, &yes), (&behind, &no), (&file, &no)]);
    for command in commands.as_array().unwrap() {
        assert_eq!(
            (&command["contexts"], &command["integration_types"]),
            (&json!([0, 1, 2]), &json!([0, 1]))
        );
    }
    assert_eq!(body(&steps[1])["interactions_endpoint_url"], "https://x.example/");
}

#[test]
fn plays_its_own_platform() {
    for (conversation, text) in [
        (None, "/help"),
        (None, "/translate:es good  morning"),
        (None, "/model fast"),
        (Some("general"), "a < b & \"c\" 👋"),
    ] {
        let secrets = secrets();
        let message = Message {
            url: "https://x.example/",
            account: "main",
            text,
            user: "alice",
            conversation,
            id: "m1",
            secrets: &secrets,
            platform: "http://127.0.0.1:1",
            now: NOW,
        };
        let event = Discord.event(&message);
        let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets, &Value::Null) else {
            panic!()
        };
        assert_eq!(inbound[0].text(), text);
        let ctx = PostContext { settings: &Value::Null, key: "k", way: Way::Reply, plain: false, now: NOW };
        let step = Discord.post(&[Part::Text("hi".into())], &inbound[0].address, &ctx).steps.remove(0);
        let Target::Base { path, .. } = &step.target else { panic!() };
        let call =
            Request::new(&step.method, &format!("/api{path}"), Headers::default(), body(&step).to_string());
        let answer = Discord.answer(&call);
        assert_eq!(answer.said[0].clone().reply_key, event.reply_key);
        assert!(matches!(Discord.settle(&step, &answer.response), Settled::Posted(Some(_))));
        // It refuses what Discord refuses.
        for wrong in [
            json!({ "content": "" }),
            json!({ "content": "x".repeat(2_001) }),
            json!({ "content": "x", "attachments": [{ "id": 0, "filename": "a.png" }] }),
            json!({ "content": "x", "components": [{ "type": 1, "components": [] }] }),
            json!({ "content": "x", "components": [
                { "type": 1, "components": [{ "label": "x", "custom_id": "1" }, { "label": "y", "custom_id": "1" }] },
            ] }),
        ] {
            let wrong = Request { body: wrong.to_string().into_bytes(), ..call.clone() };
            assert_eq!(
                Discord.answer(&wrong).response.status,
                400,
                "{}",
                String::from_utf8_lossy(&wrong.body)
            );
        }
        for (pressed, says) in [("Go on", "Go on"), ("/yes 3f", "/yes 3f")] {
            let press = Discord.press(&Message { text: pressed, id: "m2", ..message }, "");
            let Ok(Received::Events { inbound, .. }) = receive(&press.request, &secrets, &Value::Null) else {
                panic!("{pressed}")
            };
            assert_eq!(inbound[0].text(), says);
        }
    }
}
