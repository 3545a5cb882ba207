//! What people send along, and pictures in answers.

use channel::sign;
use serde_json::{Value, json};
use tests::world::{Words, World};

use crate::alone;

/// A model that hears, and pictures of one host in answers.
const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  ears: {provider: openai, model: whisper-1, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {transcribe: ears}
channels:
  telegram: {media_hosts: [charts.example.com]}
  twilio: {media_hosts: [charts.example.com]}
";

/// A picture of one pixel: <https://www.w3.org/TR/png-3/>.
pub const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async fn hand_over(world: &World, channel: &str, path: &str, bytes: &[u8]) {
    let file = json!({"channel": channel, "path": path, "base64": sign::base64(bytes)});
    world.tell("/file", file).await;
}

/// The newest question, as the model got it.
async fn newest(world: &World) -> Value {
    world.questions().await.pop().expect("the model was asked")
}

/// A PDF of one page that says this.
fn pdf(text: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
    format!(
        "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
         2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
         3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n\
         4 0 obj\n<< /Length {} >>\nstream\n{content}\nendstream\nendobj\n\
         5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n",
        content.len()
    )
    .into_bytes()
}

#[test]
fn pictures_voice_and_documents_are_read() {
    alone(
        "media",
        CONFIG,
        |options| options.channels = ["telegram", "line", "slack"].map(String::from).to_vec(),
        async |world| {
            // A photo: the model sees it, and sees it again with the next question.
            let pixel = sign::from_base64(PIXEL).unwrap();
            hand_over(world, "telegram", "/file/", &pixel).await;
            let telegram = Words::of("telegram", "7", "");
            let sent = world
                .send_changed(telegram, |update| {
                    let message = update["message"].as_object_mut().unwrap();
                    message.remove("text");
                    message.insert("caption".into(), "what is this?".into());
                    let photo = json!([{"file_id": "p1", "file_unique_id": "u1", "width": 1, "height": 1, "file_size": 70}]);
                    message.insert("photo".into(), photo);
                })
                .await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("what is this?"))).await;
            world.at_rest(&sent).await;
            let asked = newest(world).await.to_string();
            assert!(asked.contains(PIXEL) && asked.contains("image/png"), "{asked:.2000}");
            let next = world.send(Words { text: "and its colour?", ..telegram }).await;
            world.until(&next, |said| said.iter().any(|text| text.contains("colour"))).await;
            let asked = newest(world).await.to_string();
            assert!(asked.contains(PIXEL) && asked.contains("image sent earlier"), "{asked:.2000}");

            // Asked anew, it is about the same picture; taken back, the picture is, too.
            let mut pictures = Vec::new();
            for text in ["/undo", "/retry", "what now?", "/undo", "/undo", "and without it?"] {
                let before = world.said(&sent).await.len();
                let sent = world.send(Words { text, ..telegram }).await;
                world.until(&sent, |said| said.len() > before).await;
                world.at_rest(&sent).await;
                pictures.push(newest(world).await.to_string().contains(PIXEL));
            }
            assert_eq!(pictures[1..3], [true, true], "{pictures:?}");
            assert!(!pictures[5], "{pictures:?}");

            // A voice message: heard, and in the history as text.
            hand_over(world, "line", "/content", b"OggSplease call me back\r\n").await;
            let line = Words::of("line", "7", "");
            let sent = world
                .send_changed(line, |body| {
                    let provider = json!({"type": "line"});
                    body["events"][0]["message"] =
                        json!({"type": "audio", "id": "325708", "duration": 60_000, "contentProvider": provider});
                })
                .await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("please call me back"))).await;
            world.at_rest(&sent).await;

            // A document: its text, and again with the next question, though the history keeps only its beginning.
            let text = format!("{} The total is 4711.", "word ".repeat(900));
            hand_over(world, "slack", "/files/", &pdf(&text)).await;
            let url = format!("{}/slack/api/files/bill.pdf", world.cloud.endpoints().platform);
            let slack = Words::of("slack", "7", "how much is it?");
            let sent = world
                .send_changed(slack, |body| {
                    body["event"]["subtype"] = "file_share".into();
                    body["event"]["files"] =
                        json!([{"name": "bill.pdf", "mimetype": "application/pdf", "size": 2_000, "url_private_download": url}]);
                })
                .await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("4711"))).await;
            world.at_rest(&sent).await;
            let next = world.send(Words { text: "is that all of it?", ..slack }).await;
            world.until(&next, |said| said.iter().any(|text| text.contains("is that all"))).await;
            let asked = newest(world).await.to_string();
            assert!(asked.contains("bill.pdf") && asked.matches("4711").count() >= 2, "{asked:.2000}");
        },
    );
}

/// Where there is nothing to answer, people are told; where there is, the model is.
#[test]
fn what_cannot_be_read_is_said() {
    alone(
        "media-unread",
        &CONFIG.replace("{transcribe: ears}", "{}"),
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            hand_over(world, "telegram", "/file/", b"PK\x03\x04 a letter").await;
            let with_document = |text: &'static str| {
                move |update: &mut Value| {
                    let message = update["message"].as_object_mut().unwrap();
                    message.remove("text");
                    message.insert("caption".into(), text.into());
                    let document = json!({"file_id": "d1", "file_unique_id": "u2", "file_name": "a.docx", "file_size": 10});
                    message.insert("document".into(), document);
                }
            };
            let words = Words::of("telegram", "7", "");
            let sent = world.send_changed(words, with_document("")).await;
            let said = world.reply(&sent).await;
            assert!(said.contains("PDF or text") && world.questions().await.is_empty(), "{said}");
            world.at_rest(&sent).await;
            let sent = world.send_changed(words, with_document("is this fine?")).await;
            world.until(&sent, |said| said.iter().any(|text| text.contains("is this fine?"))).await;
            let asked = newest(world).await.to_string();
            assert!(asked.contains("a.docx, which you cannot read"), "{asked}");
            world.at_rest(&sent).await;

            hand_over(world, "telegram", "/file/", b"OggSnobody hears this").await;
            let sent = world
                .send_changed(Words::of("telegram", "8", ""), |update| {
                    let message = update["message"].as_object_mut().unwrap();
                    message.remove("text");
                    let voice = json!({"file_id": "v1", "file_unique_id": "u3", "duration": 2, "mime_type": "audio/ogg"});
                    message.insert("voice".into(), voice);
                })
                .await;
            let said = world.reply(&sent).await;
            assert!(said.contains("please write"), "{said}");
        },
    );
}

/// Pictures of hosts that the operator names are pictures where the channel shows some, and links elsewhere.
#[test]
fn pictures_in_answers_are_shown() {
    alone(
        "media-out",
        CONFIG,
        |options| options.channels = vec!["telegram".into(), "twilio".into()],
        async |world| {
            let answer = "Sales rise:\n\n![sales](https://charts.example.com/7.png)\n\n![no](https://elsewhere.example/8.png)";
            world.tell("/model/answers", json!({"answers": [answer, answer]})).await;
            let telegram = world.send(Words::of("telegram", "7", "show me")).await;
            world.until(&telegram, |said| said.iter().any(|text| text.contains("Sales rise"))).await;
            world.at_rest(&telegram).await;
            let calls = world.calls("telegram").await;
            let photos: Vec<&Value> =
                calls.iter().filter(|call| call["path"].as_str().unwrap().ends_with("/sendPhoto")).collect();
            assert_eq!(photos.len(), 1, "{calls:?}");
            assert_eq!(photos[0]["body"]["photo"], "https://charts.example.com/7.png");
            assert!(!calls.iter().any(|call| call["body"]["photo"] == "https://elsewhere.example/8.png"));
            let twilio = world.send(Words::of("twilio", "7", "show me")).await;
            world.until(&twilio, |said| said.join("\n").contains("https://elsewhere.example/8.png")).await;
            world.at_rest(&twilio).await;
        },
    );
}
