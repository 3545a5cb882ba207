//! A mail as it lies in the bucket, and what of it is for the assistant.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

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
