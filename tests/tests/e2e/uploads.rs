//! Files that pages attach and programs send along: into the bucket by addresses for one file each, out of it by the invoker.
//! Without roles: the local cloud speaks plain HTTP, which the bucket's own policy refuses where policies count. Signatures count
//! in any case.

use channel::sign;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::world::World;

use crate::alone;
use crate::web::{CONFIG, Page, SITE, VISITOR, texts};

fn only_web(options: &mut local::Options) {
    options.channels = vec!["web".into()];
}

/// A picture of one pixel: <https://www.w3.org/TR/png-3/>.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// What a model gets that also hears.
fn hearing() -> String {
    let ears = "  ears: {provider: openai, model: whisper-1, base_url: '{platform}/model/v1', key: openai}\nassistants:";
    let config = CONFIG
        .replace("assistants:", ears)
        .replace("{disclosure: never}", "{disclosure: never, transcribe: ears}");
    config.replace("per_person: 3", "per_person: 50")
}

/// A file as its page knows it, once it is in the bucket.
async fn attach(page: &Page<'_>, name: &str, mime: &str, bytes: &[u8]) -> Value {
    let offer = offer(page, name, mime, bytes.len()).await;
    let put = put(page, &offer, bytes).await;
    assert_eq!(put, StatusCode::OK, "{name}");
    json!({"file": offer["file"], "name": name, "mime": offer["mime"], "size": bytes.len()})
}

async fn offer(page: &Page<'_>, name: &str, mime: &str, size: usize) -> Value {
    let answer = page.post("files", json!({"name": name, "mime": mime, "size": size})).await;
    assert_eq!(answer.status(), StatusCode::OK, "{name}");
    answer.json().await.expect("JSON")
}

async fn put(page: &Page<'_>, offer: &Value, bytes: &[u8]) -> StatusCode {
    let request = page.http.put(offer["url"].as_str().expect("an address"));
    let request = request.header("content-type", offer["mime"].as_str().unwrap()).body(bytes.to_vec());
    request.send().await.expect("the bucket answers").status()
}

async fn say(page: &Page<'_>, id: &str, text: &str, files: &[&Value]) {
    let answer = page.post("messages", json!({"id": id, "text": text, "attachments": files})).await;
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["status"], "queued", "{answer}");
}

/// The newest question, as the model got it.
async fn newest(world: &World) -> String {
    world.questions().await.pop().expect("the model was asked").to_string()
}

#[test]
fn what_a_page_attaches_is_read_like_everywhere() {
    alone("uploads", &hearing(), only_web, async |world| {
        let mut page = Page::new(world, SITE);
        page.begin(json!({"visitor": VISITOR})).await;
        let pixel = attach(&page, "dot.png", "image/png", &sign::from_base64(PIXEL).unwrap()).await;
        let list = attach(&page, "prices.csv", "", b"thing,price\nlamp,4711").await;
        say(&page, "m-1", "what is this?", &[&pixel, &list]).await;
        assert!(page.replies(1).await[0].contains("what is this?"));
        let asked = newest(world).await;
        assert!(
            asked.contains(PIXEL) && asked.contains("lamp,4711") && asked.contains("prices.csv"),
            "{asked:.2000}"
        );

        let voice = attach(&page, "voice.ogg", "audio/ogg", b"OggSplease call me back\r\n").await;
        say(&page, "m-2", "", &[&voice]).await;
        assert!(page.replies(2).await[1].contains("please call me back"));

        // Another session may say the same name: it is another file, which is not there.
        let mut thief = Page::new(world, SITE);
        thief.begin(json!({"visitor": VISITOR.replace('0', "9")})).await;
        let asked = world.questions().await.len();
        say(&thief, "m-1", "", &[&list]).await;
        let said = thief.replies(1).await;
        assert!(said[0].contains("cannot read what you sent"), "{said:?}");
        assert_eq!(world.questions().await.len(), asked, "no model is asked about it");
    });
}

#[test]
fn the_bucket_takes_what_was_offered_and_gives_nothing() {
    alone("uploads-refused", &hearing(), only_web, async |world| {
        let mut page = Page::new(world, SITE);
        let asked = json!({"name": "a.txt", "mime": "text/plain", "size": 5});
        assert_eq!(
            page.post("files", asked.clone()).await.status(),
            StatusCode::UNAUTHORIZED,
            "without a session"
        );
        page.begin(json!({"visitor": VISITOR})).await;
        let evil = Page { token: page.token.clone(), ..Page::new(world, "https://evil.example") };
        assert_eq!(evil.post("files", asked).await.status(), StatusCode::UNAUTHORIZED, "a copied session");
        for (name, mime, size, status) in [
            ("film.mp4", "video/mp4", 5, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("book.pdf", "application/pdf", (20 << 20) + 1, StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            let answer = page.post("files", json!({"name": name, "mime": mime, "size": size})).await;
            assert_eq!(
                (answer.status(), answer.headers()["access-control-allow-origin"].to_str().unwrap()),
                (status, SITE)
            );
        }

        let offer = offer(&page, "a.txt", "text/plain", 5).await;
        assert_eq!(put(&page, &offer, b"longer").await, StatusCode::FORBIDDEN, "another size");
        let mut other = offer.clone();
        other["mime"] = "text/html".into();
        assert_eq!(put(&page, &other, b"hello").await, StatusCode::FORBIDDEN, "another kind");
        let url = offer["url"].as_str().unwrap();
        let id = offer["file"].as_str().unwrap();
        other.clone_from(&offer);
        other["url"] = url.replace(id, &"0".repeat(32)).into();
        assert_eq!(put(&page, &other, b"hello").await, StatusCode::FORBIDDEN, "another place");
        assert_eq!(put(&page, &offer, b"hello").await, StatusCode::OK);
        let read = page.http.get(url).send().await.expect("the bucket answers");
        assert_eq!(read.status(), StatusCode::FORBIDDEN, "what takes a file does not give it");
    });
}

/// `uploads: known` is for people that the site knows.
#[test]
fn strangers_attach_nothing_where_the_operator_says_so() {
    let config = CONFIG.replace("{access: open, ", "{access: open, uploads: known, ");
    alone("uploads-known", &config, only_web, async |world| {
        let mut page = Page::new(world, SITE);
        page.begin(json!({"visitor": VISITOR})).await;
        let answer = page.post("files", json!({"name": "a.txt", "mime": "text/plain", "size": 5})).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        page.say("m-1", "but I may write").await;
        assert_eq!(texts(&page.until(|view| !texts(view).is_empty()).await), ["You said: but I may write"]);
    });
}

#[test]
fn a_program_sends_pictures_in_its_request() {
    alone("pictures", &CONFIG.replace("access: open, ", ""), only_web, async |world| {
        let mut program = Page::new(world, "");
        let ask = |url: String| {
            let parts = json!([{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]);
            json!({"model": "m", "messages": [{"role": "user", "content": parts}]})
        };
        let picture = || format!("data:image/png;base64,{PIXEL}");
        assert_eq!(
            program.post("v1/chat/completions", ask(picture())).await.status(),
            StatusCode::UNAUTHORIZED
        );
        program.token = world.cloud.secrets("web", "main").get("api_key").unwrap().to_owned();
        let whole = program.post("v1/chat/completions", ask(picture())).await.json::<Value>().await.unwrap();
        assert!(
            whole["choices"][0]["message"]["content"].as_str().unwrap().contains("what is it?"),
            "{whole}"
        );
        assert!(newest(world).await.contains(PIXEL), "the model sees it");
        let bad = program.post("v1/chat/completions", ask("data:image/svg+xml;base64,AAAA".to_owned())).await;
        assert_eq!(bad.status(), StatusCode::BAD_REQUEST);
    });
}

/// At once: with TurnSeconds of 300 a time-out would be the test's end.
#[test]
fn a_program_that_gets_no_answer_is_told_so_at_once() {
    let config = CONFIG
        .replace("access: open", "access: list, people: ['api:ana']")
        .replace("per_person: 3", "per_person: 1");
    alone("refused", &config, only_web, async |world| {
        let mut program = Page::new(world, "");
        program.token = world.cloud.secrets("web", "main").get("api_key").unwrap().to_owned();
        let ask = |user: &str, stream: bool| json!({"model": "m", "user": user, "stream": stream, "messages": [{"role": "user", "content": "hello"}]});
        let whole = program.post("v1/chat/completions", ask("ana", false)).await;
        assert_eq!(whole.status(), StatusCode::OK);
        for (user, stream, status, code, says) in [
            ("bob", false, StatusCode::FORBIDDEN, "access_denied", "channels.web.access"),
            ("bob", true, StatusCode::FORBIDDEN, "access_denied", "channels.web.access"),
            ("ana", false, StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", "limit"),
            ("ana", true, StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", "limit"),
        ] {
            let refused = program.post("v1/chat/completions", ask(user, stream)).await;
            assert_eq!(
                (refused.status(), refused.headers()["x-should-retry"].as_bytes()),
                (status, &b"false"[..]),
                "{user}"
            );
            let error = refused.json::<Value>().await.unwrap()["error"].take();
            assert!(error["code"] == code && error["message"].as_str().unwrap().contains(says), "{error}");
        }
        assert_eq!(world.questions().await.len(), 1);
    });
}
