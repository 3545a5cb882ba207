//! What people send along, and pictures in answers.

use channel::sign;
use serde_json::{Value, json};
use tests::world::{Sent, Words, World};

use crate::alone;
use crate::protocols::{MODELS, PROTOCOLS, people};

/// A model that hears, and pictures of one host in answers.
const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  ears: {provider: openai, model: whisper-1, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {transcribe: ears, tools: [remember]}
channels:
  telegram: {media_hosts: [charts.example.com]}
  twilio: {media_hosts: [charts.example.com]}
  discord: {media_hosts: [127.0.0.1]}
";

/// Everything is read in every protocol: photos in each, voice and documents in one.
const READING: &str = "
  ears: {provider: openai, model: whisper-1, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {transcribe: ears}
  responses: {model: responses}
  claude: {model: claude, transcribe: ears}
  nova: {model: nova}
channels:
  line: {assistant: claude}
  slack: {assistant: nova}
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

/// Sends a photo on Telegram, and asks what it is.
pub async fn photo(world: &World, words: Words<'_>) -> Sent {
    hand_over(world, "telegram", "/file/", &sign::from_base64(PIXEL).unwrap()).await;
    let with_photo = |update: &mut Value| {
        let message = update["message"].as_object_mut().unwrap();
        message.remove("text");
        message.insert("caption".into(), "what is this?".into());
        let photo =
            json!([{"file_id": "p1", "file_unique_id": "u1", "width": 1, "height": 1, "file_size": 70}]);
        message.insert("photo".into(), photo);
    };
    world.send_changed(words, with_photo).await
}

/// Sends a voice message on Telegram: an Ogg file, whose first page begins with what is said in it.
pub async fn voice(world: &World, words: Words<'_>, ogg: &[u8]) -> Sent {
    hand_over(world, "telegram", "/file/", ogg).await;
    let with_voice = |update: &mut Value| {
        let message = update["message"].as_object_mut().unwrap();
        message.remove("text");
        let voice = json!({"file_id": "v1", "file_unique_id": "u3", "duration": 2, "mime_type": "audio/ogg"});
        message.insert("voice".into(), voice);
    };
    world.send_changed(words, with_voice).await
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

/// A mail with words, a picture and a document, both in Base64.
fn mail(png: &str, pdf: &str) -> Vec<u8> {
    let part = |kind: &str, name: &str, content: &str| {
        format!(
            "--b\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{content}\r\n"
        )
    };
    let head = "MIME-Version: 1.0\r\nSubject: Files\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    let text = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nwhat do these show?\r\n";
    let (png, pdf) = (part("image/png", "a.png", png), part("application/pdf", "order.pdf", pdf));
    format!("{head}{text}{png}{pdf}--b--\r\n").into_bytes()
}

#[test]
fn pictures_voice_and_documents_are_read() {
    alone(
        "media",
        &format!("{MODELS}{READING}{}", people()),
        |options| options.channels = ["telegram", "line", "slack", "email"].map(String::from).to_vec(),
        async |world| {
            // A photo: the model sees it, and sees it again with the next question.
            for (protocol, user) in PROTOCOLS {
                let telegram = Words::of("telegram", user, "");
                let sent = photo(world, telegram).await;
                world.until(&sent, |said| said.iter().any(|text| text.contains("what is this?"))).await;
                world.at_rest(&sent).await;
                let asked = newest(world).await.to_string();
                assert!(asked.contains(PIXEL) && asked.contains("png"), "{protocol}: {asked:.2000}");
                let next = world.send(Words { text: "and its colour?", ..telegram }).await;
                world.until(&next, |said| said.iter().any(|text| text.contains("colour"))).await;
                world.at_rest(&next).await;
                let asked = newest(world).await.to_string();
                let seen = asked.contains(PIXEL) && asked.contains("image sent earlier");
                assert!(seen, "{protocol}: {asked:.2000}");
            }

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

            // A mail with a picture and a document: both, and nothing of how the mail carries them.
            hand_over(world, "email", "/s3/mail/in/4711", &mail(PIXEL, &sign::base64(&pdf("Order 4712."))))
                .await;
            let email = Words::of("email", "7", "");
            let sent = world
                .send_changed(email, |notification| {
                    let headers = notification["mail"]["headers"].as_array_mut().unwrap();
                    headers.retain(|header| header["name"] != "Content-Type");
                    headers.push(json!({"name": "Content-Type", "value": "multipart/mixed; boundary=b"}));
                    notification["receipt"]["action"]["objectKey"] = "in/4711".into();
                })
                .await;
            let said = world.until(&sent, |said| said.join(" ").contains("what do these show?")).await;
            world.at_rest(&sent).await;
            assert!(said.join(" ").contains("Order 4712."), "{said:?}");
            let asked = newest(world).await.to_string();
            assert!(asked.contains(PIXEL) && asked.contains("image/png"), "{asked:.2000}");
            assert!(
                asked.contains("[image: a.png]") && asked.contains("[file: order.pdf, its text]"),
                "{asked:.2000}"
            );
            assert!(!asked.contains("boundary=b") && !asked.contains("Content-Disposition"), "{asked:.2000}");
        },
    );
}

/// A picture is there for the tools' second question and for the answer anew, and gone once it is taken back.
#[test]
fn a_picture_is_answered_anew_and_taken_back() {
    alone(
        "media-again",
        CONFIG,
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            hand_over(world, "telegram", "/file/", &sign::from_base64(PIXEL).unwrap()).await;
            let words = Words::of("telegram", "7", "");
            let talk = async |text: &str, expected: &str| {
                let sent = world.send(Words { text, ..words }).await;
                world.kept(std::slice::from_ref(&sent)).await;
                world.at_rest(&sent).await;
                world.until(&sent, |said| said.iter().any(|said| said.contains(expected))).await;
                newest(world).await.to_string()
            };
            let call = json!({"name": "remember", "arguments": {"text": "has a red pixel"}});
            let answers = json!([{"calls": [call]}, "A pixel.", "A red pixel."]);
            world.tell("/model/answers", json!({ "answers": answers })).await;
            let sent = photo(world, words).await;
            world.until(&sent, |said| said.iter().any(|text| text.ends_with("A pixel."))).await;
            world.at_rest(&sent).await;
            let asked = newest(world).await.to_string();
            assert!(asked.contains(PIXEL) && asked.contains("kept as note"), "{asked:.2000}");
            let asked = talk("/retry", "A red pixel.").await;
            assert!(asked.contains(PIXEL) && asked.contains("what is this?"), "{asked:.2000}");
            let asked = talk("and its colour?", "You said:").await;
            assert!(asked.contains(PIXEL) && asked.contains("A red pixel."), "{asked:.2000}");
            for _ in 0..2 {
                talk("/undo", "taken back").await;
            }
            let asked = talk("what did I send?", "what did I send?").await;
            assert!(!asked.contains(PIXEL) && !asked.contains("A red pixel."), "{asked:.2000}");
        },
    );
}

/// Where there is nothing to answer, people are told; where there is, the model is.
#[test]
fn what_cannot_be_read_is_said() {
    alone(
        "media-unread",
        &CONFIG.replace("transcribe: ears, ", ""),
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

            let sent = voice(world, Words::of("telegram", "8", ""), b"OggSnobody hears this").await;
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
        |options| options.channels = ["telegram", "twilio", "discord"].map(String::from).to_vec(),
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

            // What would have to be handed over and cannot be had (nothing is fetched from this machine's own network) is a link,
            // below the text, which stays as it was.
            let answer = "Sales **rise**:\n\n![sales](https://127.0.0.1/7.png)";
            world.tell("/model/answers", json!({"answers": [answer]})).await;
            let discord = world.send(Words::of("discord", "7", "show me")).await;
            let said =
                world.until(&discord, |said| said.join("\n").contains("https://127.0.0.1/7.png")).await;
            world.at_rest(&discord).await;
            assert_eq!(said.len(), 2, "{said:?}");
            assert!(said[0].contains("**rise**") && said[1].starts_with("sales\n\n"), "{said:?}");
            assert!(world.dead().await.is_empty());
        },
    );
}
