//! What people attach, what answers show, and who gets no answer.

use channel::{End, Media, Outcome};

use super::*;

const ID: &str = "00112233445566778899aabbccddeeff";

fn session(known: bool) -> Session {
    Session {
        id: "5e55".repeat(8),
        user: "u-7".into(),
        name: "Ada".into(),
        known,
        origin: SITE.into(),
        until: NOW + LIFE_MS,
    }
}

/// The offer for a file, or the status and the reason why there is none.
fn offer(settings: Value, known: bool, asked: &Value) -> Result<upload::Offer, (u16, String)> {
    let request = request("POST", "/files", &[], asked);
    let (secrets, keys) = (secrets(), Keys::new());
    let ctx = Context { account: "main", secrets: &secrets, settings: &settings, keys: &keys, now: NOW };
    upload::offer(&request, &session(known), ID, &ctx)
        .map_err(|refused| (refused.status, refused.body_json()["error"].as_str().unwrap().to_owned()))
}

fn file(name: &str, mime: &str, size: u64) -> Value {
    json!({"name": name, "mime": mime, "size": size})
}

#[test]
fn files_that_can_be_read_are_taken_in_their_size() {
    let kind = |asked: Value| offer(Value::Null, false, &asked).map(|offer| offer.media_type);
    for (name, mime, kept) in [
        ("a.png", "image/png", "image/png"),
        ("A.JPG", "Image/JPEG", "image/jpeg"),
        ("voice", "audio/webm;codecs=opus", "audio/webm"),
        ("b.pdf", "application/pdf", "application/pdf"),
        ("notes.MD", "", "text/markdown"),
        ("list.csv", "application/octet-stream", "text/csv"),
        ("page", "text/html", "text/html"),
    ] {
        assert_eq!(kind(file(name, mime, 7)).as_deref(), Ok(kept), "{name} {mime}");
    }
    for (asked, status, why) in [
        (
            file("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 7),
            415,
            "only pictures",
        ),
        (file("a.mp4", "video/mp4", 7), 415, "only pictures"),
        (file("a.svg", "image/svg+xml", 7), 415, "only pictures"),
        (file("a.exe", "", 7), 415, "only pictures"),
        (file("a", "text/plain\r\nx-amz-acl: public-read", 7), 415, "only pictures"),
        (file("a.png", "image/png", 3_750_001), 413, "3.75 MB"),
        (file("a.pdf", "application/pdf", (20 << 20) + 1), 413, "20 MB"),
        (file("a.png", "image/png", 0), 400, "not empty"),
        (file(&"x".repeat(5_000), "image/png", 7), 400, "name, mime and size"),
        (json!([1]), 400, "name, mime and size"),
    ] {
        let (got, said) = offer(Value::Null, false, &asked).unwrap_err();
        assert!(got == status && said.contains(why), "{got} {said}");
    }
    assert!(
        kind(file("a.png", "image/png", 3_750_000)).is_ok()
            && kind(file("a.pdf", "application/pdf", 20 << 20)).is_ok()
    );
}

#[test]
fn the_operator_says_who_may_attach() {
    let picture = file("a.png", "image/png", 7);
    for (who, stranger, known) in [
        (Value::Null, true, true),
        (json!("everybody"), true, true),
        (json!("known"), false, true),
        (json!("nobody"), false, false),
        (json!(false), false, false),
    ] {
        let settings = json!({"uploads": who});
        let may = |is_known| offer(settings.clone(), is_known, &picture).is_ok();
        assert_eq!((may(false), may(true)), (stranger, known), "{settings}");
    }
}

#[test]
fn a_message_names_files_of_its_own_session_only() {
    let offered = offer(Value::Null, false, &file("a.png", "image/png", 7)).unwrap();
    let own = session(false);
    assert_eq!(offered.key, format!("media/web/main/{}/{ID}", own.id));
    assert_eq!(offered.json("https://x")["file"], ID);
    let proof = session::mint("session-key", &own);
    let body = json!({"id": "m-1", "text": "", "attachments": [
        {"file": ID, "name": "a.png", "mime": "image/png", "size": 7},
        {"file": format!("../{}/{ID}", "0".repeat(32)), "name": "another's"},
        {"file": format!("{}/{ID}", "0".repeat(32))}, {"file": ID.to_uppercase()}, {"url": offered.key}]});
    let Received::Events { inbound, .. } = receive("/messages", &proof, &body).unwrap() else {
        panic!("a message")
    };
    let [attachment] = inbound[0].attachments.as_slice() else { panic!("{:?}", inbound[0].attachments) };
    assert_eq!((attachment.fetch.id.as_str(), attachment.name.as_str()), (offered.key.as_str(), "a.png"));
    assert_eq!(Web.kept(&attachment.fetch), Some(offered.key));

    // The same name in another's mouth is another file.
    let other = session::mint("session-key", &Session { id: "0".repeat(32), ..own });
    let Received::Events { inbound, .. } = receive("/messages", &other, &body).unwrap() else {
        panic!("a message")
    };
    assert_eq!(inbound[0].attachments[0].fetch.id, format!("media/web/main/{}/{ID}", "0".repeat(32)));
}

#[test]
fn pictures_in_a_programs_request_are_taken_out_of_it() {
    let ask = |url: &str| {
        let parts = json!([{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]);
        json!({"messages": [{"role": "user", "content": parts}]})
    };
    let unpack = |url: &str| openai::unpack(ask(url).to_string().as_bytes());
    assert_eq!(unpack("https://example.com/a.png"), Ok(None));
    assert_eq!(openai::unpack(b"no json"), Ok(None));
    let openai::Unpacked { body, pictures } = unpack("data:image/png;base64,aGVsbG8=").unwrap().unwrap();
    let [picture] = pictures.as_slice() else { panic!("one") };
    assert_eq!((picture.media_type.as_str(), picture.bytes.as_slice()), ("image/png", b"hello".as_slice()));
    let body: Value = serde_json::from_slice(&body).unwrap();
    let Received::Events { inbound, .. } = receive("/v1/chat/completions", "key-one", &body).unwrap() else {
        panic!("a question")
    };
    assert_eq!(inbound[0].attachments[0].fetch.id, format!("media/web/main/api/{}", picture.id));
    for (url, why) in [
        ("data:image/svg+xml;base64,aGVsbG8=", "png, jpeg"),
        ("data:image/png,hello", "base64"),
        ("data:image/png;base64,***", "cannot be read"),
        ("data:image/png;base64,", "cannot be read"),
    ] {
        assert!(unpack(url).unwrap_err().contains(why), "{url}");
    }
    let large = format!("data:image/png;base64,{}", "A".repeat(5_000_004));
    assert!(unpack(&large).unwrap_err().contains("3.75 MB"));
}

/// The items of a reply as the table gives them back.
pub fn items(parts: &[Part], chat: &str) -> View {
    let data = [("at".to_owned(), "1".to_owned())].into();
    let (channel, account) = ("web".to_owned(), "main".to_owned());
    let to = Address { channel, account, chat: chat.to_owned(), data, ..Address::default() };
    let ctx = PostContext { settings: &Value::Null, key: "turn", way: Way::Reply, plain: false, now: NOW };
    let read = |step: &Step| {
        let mut fields = json!({});
        for (name, value) in item(step)["Item"].as_object().unwrap() {
            let number = value["N"].as_str().map(|number| number.parse::<i64>().unwrap());
            fields[name] = number.map_or_else(|| value["S"].clone(), Value::from);
        }
        serde_json::from_value(fields).unwrap()
    };
    View::of(Web.post(parts, &to, &ctx).steps.iter().map(read).collect())
}

#[test]
fn a_picture_of_an_answer_is_shown_and_linked() {
    let url = "https://charts.example.com/7.png".to_owned();
    let media = Media { url, name: "7.png".into(), media_type: "image/png".into(), caption: "sales".into() };
    let view = items(&[Part::Text("Here:".into()), Part::Media(media)], "s-1");
    let said = view.json();
    assert_eq!(
        (&said["messages"][0]["media"], said["messages"][0]["text"].as_str()),
        (&Value::Null, Some("Here:"))
    );
    let shown = &said["messages"][1];
    assert_eq!(
        (&shown["media"]["url"], &shown["media"]["media_type"]),
        (&json!("https://charts.example.com/7.png"), &json!("image/png"))
    );
    assert!(shown["text"].as_str().unwrap().contains("https://charts.example.com/7.png"), "{shown}");
}

#[test]
fn a_program_is_told_that_it_gets_no_answer() {
    let line = |end| {
        let outcome = Part::Outcome(Outcome { end, ..Outcome::default() });
        [Part::Text("You have reached today's limit.".into()), outcome]
    };
    let refused =
        |view: &View| view.whole().and_then(|whole| whole.fault()).map(|fault| (fault.status, fault.why));
    let (status, why) = refused(&items(&[Part::Dismiss], "v1-1")).unwrap();
    assert!(status == 403 && why.contains("channels.web.access"), "{status} {why}");
    let (status, why) = refused(&items(&line(End::Capped), "v1-1")).unwrap();
    assert_eq!((status, why.as_str()), (429, "You have reached today's limit."));
    assert_eq!(refused(&items(&line(End::Whole), "v1-1")), None);
    // A page gets a cap's line as what it is, and of a refusal nothing.
    assert_eq!(refused(&items(&line(End::Capped), "5e55")), None);
    let dismissed = items(&[Part::Dismiss], "5e55");
    assert!(!dismissed.is_empty() && !dismissed.is_writing(), "it is no use to wait");
    assert_eq!(
        (&dismissed.json()["dismissed"], &items(&line(End::Whole), "5e55").json()["dismissed"]),
        (&json!(1), &Value::Null)
    );
    assert_ne!(dismissed.state(), View::default().state(), "a page that waits is told");
    for (status, code) in [(403, "access_denied"), (429, "rate_limit_exceeded")] {
        assert_eq!(openai::error(status, "no")["error"]["code"], code);
    }
}
