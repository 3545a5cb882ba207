//! An answer as mail: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

use channel::markdown::{CommonMark, Plain, html, render};
use channel::{Address, Auth, Body, Fetch, Part, Post, PostContext, Step, Target, encode};
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

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let texts = parts.iter().filter_map(Part::as_text);
    let pieces = texts.flat_map(|text| render(&text, &CommonMark, PIECE));
    Post { steps: pieces.map(|piece| mail(&piece, to, ctx)).collect() }
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

fn mail(piece: &str, to: &Address, ctx: &PostContext<'_>) -> Step {
    let data = |name: &str| to.data.get(name).map(String::as_str);
    let from = ctx.settings.get(FROM).and_then(Value::as_str).or(data(OWN)).unwrap_or("");
    let part = |text: String| json!({"Data": text, "Charset": "UTF-8"});
    let plain = render(piece, &Plain, SPEC.text).join("\n\n");
    let mut body = json!({"Text": part(plain)});
    if let Some(body) = body.as_object_mut().filter(|_| !ctx.plain) {
        body.insert("Html".to_owned(), part(html(piece)));
    }
    // Other assistants must not answer: www.rfc-editor.org/rfc/rfc3834#section-5
    let headers = [
        ("Auto-Submitted", Some("auto-replied")),
        ("In-Reply-To", to.reply_to.as_deref()),
        ("References", data(REFERENCES)),
    ];
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some(json!({"Name": name, "Value": value?})));
    let content = json!({
        "Subject": part(data(SUBJECT).unwrap_or("Re:").to_owned()),
        "Body": body,
        "Headers": headers.collect::<Vec<_>>(),
    });
    let mail = json!({
        "FromEmailAddress": from,
        "Destination": {"ToAddresses": [to.chat]},
        "Content": {"Simple": content},
    });
    Step::json("api", "/v2/email/outbound-emails", mail).auth(Auth::SigV4("ses".to_owned()))
}
