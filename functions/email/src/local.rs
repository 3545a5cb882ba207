//! SES's and S3's own part, for the local run and the tests. The stand-in keeps nothing: what a mail says is in its key.

use channel::local::{Answer, Event, Local, Message, Said, number};
use channel::{Headers, Request, Response, Secrets, sign, text};
use mail_parser::DateTime;
use serde_json::{Value, json};

use crate::Email;
use crate::spec::{SPEC, TOPIC};
use crate::verify::{EVENT, TOPIC_HEADER};

/// The address that is written to.
const OWN: &str = "bot@bots.example";

impl Local for Email {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = number(message.user);
        let from = format!("person{user}@people.example");
        let root = format!("<hello.{user}@people.example>");
        let id = format!("<{}@people.example>", sign::sha256_hex(message.id.as_bytes()));
        let at = DateTime::from_timestamp(message.now.div_euclid(1_000)).to_rfc3339();
        let pass = json!({"status": "PASS"});
        let header = |name: &str, value: &str| json!({"name": name, "value": value});
        let notification = json!({
            "notificationType": "Received",
            "mail": {
                "timestamp": at,
                "source": from,
                "messageId": sign::sha256_hex(message.id.as_bytes()),
                "destination": [OWN],
                "headersTruncated": false,
                "headers": [
                    header("Message-ID", &id), header("In-Reply-To", &root), header("References", &root),
                    header("Content-Type", "text/plain; charset=utf-8"),
                ],
                "commonHeaders": {"from": [format!("Person <{from}>")], "to": [OWN], "subject": "Re: Hello", "messageId": id},
            },
            "receipt": {
                "recipients": [OWN],
                "spamVerdict": pass, "virusVerdict": pass, "spfVerdict": pass, "dkimVerdict": pass, "dmarcVerdict": pass,
                "action": {"type": "S3", "bucketName": "mail", "objectKey": format!("in/{}", sign::hex(message.text.as_bytes()))},
            },
        });
        let request = Request::new(EVENT, message.url, Headers::default(), notification.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: from }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        request.headers.set(TOPIC_HEADER, secrets.get(TOPIC).unwrap_or(""));
        request
    }

    fn answer(&self, request: &Request) -> Answer {
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("AWS4-HMAC-SHA256 ")) {
            return refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
        }
        match request.path.strip_prefix("/s3/mail/in/") {
            Some(key) => Answer { response: stored(key), said: Vec::new() },
            None if request.path == "/api/v2/email/outbound-emails" => sent(&request.body),
            None if request.method == "GET" => Answer { response: known(&request.path), said: Vec::new() },
            None => refused(404, "NotFoundException", "no such address"),
        }
    }
}

/// The mail whose key is its text.
fn stored(key: &str) -> Response {
    let Some(text) = sign::from_hex(key) else { return Response::empty(404) };
    let head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n";
    Response::text(200, &format!("{head}\r\n{}\r\n", sign::base64(&text)))
}

/// What SES knows of the account and its domain: both are as they should be.
fn known(path: &str) -> Response {
    match path.strip_prefix("/api/v2/email/") {
        Some("account") => {
            Response::json(200, &json!({"ProductionAccessEnabled": true, "SendingEnabled": true}))
        }
        Some(path) if path.starts_with("identities/") => {
            Response::json(200, &json!({"VerifiedForSendingStatus": true}))
        }
        _ => Response::json(404, &json!({"message": "no such address"})),
    }
}

fn sent(body: &[u8]) -> Answer {
    let mail: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |at: &str| mail.pointer(at).and_then(Value::as_str).unwrap_or("");
    let (from, to) = (text("/FromEmailAddress"), text("/Destination/ToAddresses/0"));
    let words = text("/Content/Simple/Body/Text/Data");
    let headers = mail.pointer("/Content/Simple/Headers").and_then(Value::as_array);
    let takes = |header: &Value| {
        let value = header.get("Value").and_then(Value::as_str).unwrap_or("");
        !value.is_empty() && value.len() <= 995 && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let has_headers = headers.is_some_and(|headers| headers.len() <= 15 && headers.iter().all(takes));
    let has_subject = !text("/Content/Simple/Subject/Data").is_empty();
    if !from.contains('@') || !to.contains('@') || words.trim().is_empty() || !has_headers || !has_subject {
        return refused(400, "BadRequestException", "Missing or malformed field");
    }
    let files = mail.pointer("/Content/Simple/Attachments").and_then(Value::as_array);
    let files: Vec<&Value> = files.into_iter().flatten().collect();
    if !files.iter().all(|file| is_file(file)) {
        return refused(400, "BadRequestException", "Malformed attachment");
    }
    if !text::fits(words, SPEC.text) {
        return refused(400, "BadRequestException", "Message length is more than 10485760 bytes long");
    }
    let id = sign::sha256_hex(body);
    let names = files.iter().filter_map(|file| file.get("FileName").and_then(Value::as_str));
    let names = names.map(|name| format!("\n[attached: {name}]")).collect::<String>();
    Answer {
        response: Response::json(200, &json!({"MessageId": id})),
        said: vec![Said { reply_key: to.to_owned(), text: format!("{words}{names}") }],
    }
}

/// A named file in Base64, of a kind.
fn is_file(file: &Value) -> bool {
    let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or("");
    let name = text("FileName").chars().count();
    (1..=255).contains(&name)
        && text("ContentType").contains('/')
        && text("ContentDisposition") == "ATTACHMENT"
        && file.get("RawContent").and_then(Value::as_str).is_some_and(|raw| sign::from_base64(raw).is_some())
}

fn refused(status: u16, kind: &str, why: &str) -> Answer {
    let mut response = Response::json(status, &json!({"message": why}));
    response.headers.set("x-amzn-errortype", kind);
    Answer { response, said: Vec::new() }
}
