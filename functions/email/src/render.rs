//! An answer as mail: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

use channel::markdown::{CommonMark, Plain, html, render};
use channel::{Address, Auth, Body, Fetch, Media, Part, Post, PostContext, Step, Target, Upload, encode};
use serde_json::{Value, json};

use crate::spec::{FROM, PIECE, SPEC};

/// Where [`Address::data`] keeps the address that was written to, and what the answer's headers say.
pub const OWN: &str = "to";
pub const REFERENCES: &str = "references";
pub const SUBJECT: &str = "subject";

/// What the id of a [`Fetch`] begins with; then bucket and key.
pub const TEXT: &str = "text:";
pub const FILE: &str = "file:";

/// More of a mail is not read for its text: the text comes first, attachments follow.
const READ: &str = "bytes=0-999999";

/// Where the mail's file goes, and the longest name of one: characters, with its end.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Attachment.html>
const CONTENT: &str = "/Content/Simple/Attachments/0/RawContent";
const MAX_NAME: usize = 255;

/// One mail on its way.
struct Piece<'a> {
    /// CommonMark.
    text: String,
    file: Option<&'a Media>,
}

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for part in parts {
        match part {
            Part::Media(media) => add_file(media, &mut pieces),
            part => pieces.extend(texts(&part.as_text().unwrap_or_default())),
        }
    }
    Post { steps: pieces.into_iter().map(|piece| mail(piece, to, ctx)).collect() }
}

fn texts<'a>(markdown: &str) -> Vec<Piece<'a>> {
    render(markdown, &CommonMark, PIECE).into_iter().map(|text| Piece { text, file: None }).collect()
}

/// A file goes with the words before it; a second one has a mail of its own.
fn add_file<'a>(media: &'a Media, pieces: &mut Vec<Piece<'a>>) {
    let caption = if media.caption.is_empty() { &media.name } else { &media.caption };
    match pieces.last_mut() {
        Some(last) if last.file.is_none() && media.caption.is_empty() => last.file = Some(media),
        Some(last) if last.file.is_none() && last.text.len() + caption.len() + 2 <= PIECE.max => {
            last.text = format!("{}\n\n{caption}", last.text);
            last.file = Some(media);
        }
        _ => {
            pieces.extend(texts(caption));
            if let Some(last) = pieces.last_mut() {
                last.file = Some(media);
            }
        }
    }
}

/// The mail itself from the bucket; for its text, the beginning is enough.
pub fn fetch(what: &Fetch) -> Post {
    let (place, reads_all) = match (what.id.strip_prefix(FILE), what.id.strip_prefix(TEXT)) {
        (Some(place), _) => (place, true),
        (None, place) => (place.unwrap_or(&what.id), false),
    };
    let segments: Vec<String> = place.split('/').map(encode::segment).collect();
    let target = Target::Base { base: "s3".to_owned(), path: format!("/{}", segments.join("/")) };
    let step = Step::new("GET", target, Body::None).auth(Auth::SigV4("s3".to_owned()));
    Post { steps: vec![if reads_all { step } else { step.header("range", READ) }] }
}

fn mail(piece: Piece<'_>, to: &Address, ctx: &PostContext<'_>) -> Step {
    let data = |name: &str| to.data.get(name).map(String::as_str);
    let from = ctx.settings.get(FROM).and_then(Value::as_str).or(data(OWN)).unwrap_or("");
    let part = |text: String| json!({"Data": text, "Charset": "UTF-8"});
    let file = piece.file.filter(|_| !ctx.plain);
    // A file that cannot be had, or that SES does not take.
    let text = match piece.file.filter(|_| ctx.plain).map(Media::link) {
        Some(link) => format!("{}\n\n{link}", piece.text),
        None => piece.text,
    };
    let plain = render(&text, &Plain, SPEC.text).join("\n\n");
    let mut body = json!({"Text": part(plain)});
    if let Some(body) = body.as_object_mut().filter(|_| !ctx.plain) {
        body.insert("Html".to_owned(), part(html(&text)));
    }
    // Other assistants must not answer: www.rfc-editor.org/rfc/rfc3834#section-5
    let headers = [
        ("Auto-Submitted", Some("auto-replied")),
        ("In-Reply-To", to.reply_to.as_deref()),
        ("References", data(REFERENCES)),
    ];
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some(json!({"Name": name, "Value": value?})));
    let mut content = json!({
        "Subject": part(data(SUBJECT).unwrap_or("Re:").to_owned()),
        "Body": body,
        "Headers": headers.collect::<Vec<_>>(),
    });
    if let (Some(media), Some(content)) = (file, content.as_object_mut()) {
        content.insert("Attachments".to_owned(), json!([attachment(media)]));
    }
    let mail = json!({
        "FromEmailAddress": from,
        "Destination": {"ToAddresses": [to.chat]},
        "Content": {"Simple": content},
    });
    let target = Target::Base { base: "api".to_owned(), path: "/v2/email/outbound-emails".to_owned() };
    let step = match file {
        Some(media) => {
            let fill = vec![(CONTENT.to_owned(), "file".to_owned())];
            let body = Body::JsonWithSecrets { value: mail, fill };
            Step::new("POST", target, body).file(Upload::of(media, ""))
        }
        None => Step::new("POST", target, Body::Json(mail)),
    };
    step.auth(Auth::SigV4("ses".to_owned()))
}

/// A file, but for its bytes.
fn attachment(media: &Media) -> Value {
    // Its end says what it is.
    let excess = media.name.chars().count().saturating_sub(MAX_NAME);
    let name: String = media.name.chars().skip(excess).collect();
    json!({
        "FileName": name, "ContentType": media.media_type, "ContentDisposition": "ATTACHMENT",
        "ContentTransferEncoding": "BASE64", "RawContent": "",
    })
}
