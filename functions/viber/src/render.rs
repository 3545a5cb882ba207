//! An answer as calls of Viber's API: <https://developers.viber.com/docs/api/rest-bot-api/#send-message>.

use std::borrow::Cow;

use channel::markdown::{Dialect, Markup, Place, Plain, Starred, Style, render};
use channel::{Address, Body, Choice, Fetch, Limit, Media, Part, Post, PostContext, Step, Target, Unit};
use serde_json::{Value, json};

use crate::spec::{AVATAR, SENDER, SPEC, auth};

/// Text under a picture: <https://developers.viber.com/docs/api/rest-bot-api/#picture-message>.
const CAPTION: Limit = Limit { max: 768, unit: Unit::Utf16 };
/// Lines of a keyboard: <https://developers.viber.com/docs/faq/>.
const LINES: usize = 12;
/// Bytes of what the buttons of a keyboard show and say together: our own bound, so that the message keeps within 30 KB.
const KEYBOARD: usize = 4_000;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut messages = Vec::new();
    for part in parts {
        match part {
            Part::Media(media) if is_picture(media) => messages.extend(picture(media, ctx)),
            Part::Buttons { text, choices } if fit(text, choices) => {
                let mut said = texts(text, ctx);
                if let Some(last) = said.last_mut() {
                    set(last, "keyboard", keyboard(choices));
                }
                messages.extend(said);
            }
            // No sign of writing, no edits.
            part => messages.extend(texts(&part.as_text().unwrap_or(Cow::Borrowed("")), ctx)),
        }
    }
    Post { steps: messages.into_iter().map(|message| send(message, to, ctx.settings)).collect() }
}

/// Public for a while, without a token.
pub fn fetch(what: &Fetch) -> Post {
    Post { steps: vec![Step::new("GET", Target::Url(what.id.clone()), Body::None)] }
}

fn send(mut message: Value, to: &Address, settings: &Value) -> Step {
    let setting = |name: &str| settings.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let name: String = setting(SENDER).unwrap_or("Assistant").chars().take(28).collect();
    let mut sender = json!({"name": name});
    if let Some(avatar) = setting(AVATAR) {
        set(&mut sender, "avatar", json!(avatar));
    }
    set(&mut message, "receiver", json!(to.chat));
    set(&mut message, "sender", sender);
    Step::json("api", "/pa/send_message", message).auth(auth())
}

fn texts(markdown: &str, ctx: &PostContext<'_>) -> Vec<Value> {
    let texts = render(markdown, dialect(ctx.plain), SPEC.text).into_iter();
    texts.map(|text| json!({"type": "text", "text": text})).collect()
}

/// Kinds that Viber shows. It asks for the size of every other file, which we do not know: they are links.
fn is_picture(media: &Media) -> bool {
    matches!(media.media_type.as_str(), "image/jpeg" | "image/png" | "image/gif")
}

/// A caption that does not fit goes before the picture.
fn picture(media: &Media, ctx: &PostContext<'_>) -> Vec<Value> {
    let captions = render(&media.caption, dialect(ctx.plain), CAPTION);
    let picture = |text: &str| json!({"type": "picture", "text": text, "media": media.url});
    match captions.as_slice() {
        [] => vec![picture("")],
        [caption] => vec![picture(caption)],
        _ => texts(&media.caption, ctx).into_iter().chain([picture("")]).collect(),
    }
}

fn fit(text: &str, choices: &[Choice]) -> bool {
    let bytes: usize = choices.iter().map(|choice| choice.label.len() + choice.says.len()).sum();
    !text.trim().is_empty()
        && (1..=LINES).contains(&choices.len())
        && bytes <= KEYBOARD
        && choices.iter().all(|choice| !choice.label.trim().is_empty() && !choice.says.trim().is_empty())
}

/// One button a line: <https://developers.viber.com/docs/tools/keyboards/>. Labels may hold HTML.
fn keyboard(choices: &[Choice]) -> Value {
    let button = |choice: &Choice| {
        let mut label = String::new();
        channel::markdown::escape_html(&choice.label, &mut label);
        json!({"Columns": 6, "Rows": 1, "ActionType": "reply", "ActionBody": choice.says, "Text": label})
    };
    json!({"Type": "keyboard", "DefaultHeight": false, "Buttons": choices.iter().map(button).collect::<Vec<_>>()})
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn dialect(plain: bool) -> &'static dyn Dialect {
    if plain { &Plain } else { &Marks }
}

/// WhatsApp's marks, but code always stands between three backticks:
/// <https://developers.viber.com/docs/tools/text-formatting/>.
struct Marks;

const STARRED: Starred = Starred { angled: false };

impl Dialect for Marks {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Code(_) => Markup::around("```", "```"),
            _ => STARRED.markup(style),
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        STARRED.escape(text, place, out);
    }

    fn url(&self, url: &str) -> String {
        STARRED.url(url)
    }
}
