//! A mail as it lies in the bucket, and what of it is for the assistant.

use channel::File;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::quotes;

/// Files that are named below the text.
const MAX_NAMED: usize = 20;

/// What the person wrote, the files that came along named below. HTML is read only where there is no plain text. Without
/// text the subject stands for it; where a machine wrote the mail, nothing does.
pub fn text(mail: &[u8]) -> String {
    let Some(message) = MessageParser::default().parse(mail) else { return String::new() };
    if is_automatic(&message) {
        return String::new();
    }
    let text = body(&message);
    let text = if text.is_empty() { message.subject().unwrap_or("").trim().to_owned() } else { text };
    let files = message.attachments().take(MAX_NAMED).map(|file| {
        let name = file.attachment_name().unwrap_or("without a name");
        format!("[attached: {}]", name.replace(['\r', '\n'], " "))
    });
    let lines: Vec<String> = std::iter::once(text).filter(|text| !text.is_empty()).chain(files).collect();
    lines.join("\n")
}

/// The files of a mail: what is attached, and the pictures that its HTML shows. A mail in the mail is its text.
pub fn files(mail: &[u8]) -> Vec<File> {
    let Some(message) = MessageParser::default().parse(mail) else { return Vec::new() };
    let file = |part: &MessagePart<'_>| File {
        name: part.attachment_name().unwrap_or("without a name").replace(['\r', '\n'], " "),
        media_type: media_type(part),
        bytes: match &part.body {
            PartType::Message(inner) => forwarded(inner).into_bytes(),
            PartType::Html(html) => readable(html).into_bytes(),
            _ => part.contents().to_vec(),
        },
    };
    message.attachments().filter(|part| is_file(part)).map(file).collect()
}

/// Whether a part is a file to people: the mail's own text in another form is none, nor is a signature.
fn is_file(part: &MessagePart<'_>) -> bool {
    let is_form =
        matches!(part.body, PartType::Html(_) | PartType::Text(_)) && part.attachment_name().is_none();
    let kind = media_type(part);
    let is_signature = kind.ends_with("pkcs7-signature") || kind.ends_with("pgp-signature");
    !is_form && !is_signature
}

/// Lower case, empty where the part does not say.
fn media_type(part: &MessagePart<'_>) -> String {
    let kind = part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("")));
    kind.unwrap_or_default().to_ascii_lowercase()
}

fn forwarded(message: &Message<'_>) -> String {
    let address = message.from().and_then(|from| from.first()).and_then(|from| from.address());
    let (from, subject) = (address.unwrap_or(""), message.subject().unwrap_or("").trim());
    let text = message.body_text(0).unwrap_or_default();
    format!("From: {from}\nSubject: {subject}\n\n{}", text.trim())
}

fn body(message: &Message<'_>) -> String {
    let first = message.text_body.first().and_then(|id| message.part(*id)).map(|part| &part.body);
    match first {
        Some(PartType::Text(text)) => quotes::cut(text),
        Some(PartType::Html(html)) => {
            let own = readable(quotes::cut_html(html));
            quotes::cut(&if own.trim().is_empty() { readable(html) } else { own })
        }
        _ => String::new(),
    }
}

fn readable(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

/// SES tells of the first 10 KB of headers only; here are all of them.
fn is_automatic(message: &Message<'_>) -> bool {
    let headers = message.headers_raw().map(|(name, value)| (name, value.trim()));
    crate::parse::written_by_machine(headers).is_some()
}
