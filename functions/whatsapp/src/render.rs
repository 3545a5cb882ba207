//! An answer as calls of the Cloud API:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.

use channel::graph::ACCESS_TOKEN;
use channel::markdown::{Dialect, Plain, Starred, render};
use channel::{
    Address, Auth, Body, Choice, Fetch, Limit, Media, Part, Post, PostContext, Step, Target, Unit, Way,
    encode, text,
};
use serde_json::{Value, json};

use crate::spec::{SPEC, TEMPLATE, TEMPLATE_LANGUAGE, TEMPLATE_LENGTH};

/// Where [`Address::data`] keeps the id of our number, the person's phone number where it is known, the group, and the
/// message.
pub const NUMBER: &str = "number";
pub const PHONE: &str = "phone";
pub const GROUP: &str = "group";
pub const MESSAGE: &str = "message";

/// Captions, and texts over buttons:
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
const SHORT: Limit = Limit { max: 1_024, unit: Unit::Utf16 };

/// Characters in a template's variable, see the setting.
const TEMPLATE_CHARS: u64 = 900;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    let mut quote = to.reply_to.as_deref();
    for part in parts {
        if matches!(part, Part::Typing) {
            steps.extend(typing(to));
            continue;
        }
        for mut message in messages(part, to, ctx) {
            if let Some(quote) = quote.take() {
                set(&mut message, "context", json!({"message_id": quote}));
            }
            steps.push(send(message, to));
        }
    }
    Post { steps }
}

/// The file's address, which counts for five minutes and wants the token, then the file.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>
pub fn fetch(what: &Fetch) -> Post {
    let (number, media) = what.id.split_once('/').unwrap_or(("", &what.id));
    let path = format!("/{}?phone_number_id={}", encode::segment(media), encode::segment(number));
    let get = |target| {
        let step = Step::new("GET", target, Body::None).auth(Auth::bearer(ACCESS_TOKEN));
        step.header("user-agent", "crabhook")
    };
    Post { steps: vec![get(Target::Base { base: "api".to_owned(), path }), get(Target::Answer)] }
}

/// A part as messages, without whom they are for.
fn messages(part: &Part, to: &Address, ctx: &PostContext<'_>) -> Vec<Value> {
    let template = ctx.settings.get(TEMPLATE).and_then(Value::as_str).filter(|_| ctx.way == Way::Push);
    if template.is_none() {
        let of_its_own = match part {
            Part::Media(media) => file(media, ctx.plain),
            // Groups take texts, files and templates:
            // developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
            Part::Buttons { text, choices } if !to.data.contains_key(GROUP) => {
                buttons(text, choices, ctx.plain).map(|message| vec![message])
            }
            _ => None,
        };
        if let Some(messages) = of_its_own {
            return messages;
        }
    }
    // No edits, no placeholders.
    let texts = texts(&part.as_text().unwrap_or_default(), ctx.plain, SPEC.text).into_iter();
    let one = |text: String| match template {
        Some(name) => filled(name, &text, ctx.settings),
        None => json!({"type": "text", "text": {"body": text, "preview_url": false}}),
    };
    texts.map(one).collect()
}

fn texts(markdown: &str, plain: bool, limit: Limit) -> Vec<String> {
    let dialect: &dyn Dialect = if plain { &Plain } else { &Starred { angled: false } };
    render(markdown, dialect, limit)
}

/// A template with this text in its variable, which takes no line ends and no tabs (error 132018), and not much:
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.
fn filled(template: &str, said: &str, settings: &Value) -> Value {
    let language = settings.get(TEMPLATE_LANGUAGE).and_then(Value::as_str).unwrap_or("en_US");
    let max = settings.get(TEMPLATE_LENGTH).and_then(Value::as_u64).unwrap_or(TEMPLATE_CHARS).max(1);
    let limit = Limit { max: usize::try_from(max).unwrap_or(usize::MAX), unit: Unit::Chars };
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = if text::fits(&line, limit) {
        line
    } else {
        let room = Limit { max: limit.max.saturating_sub(1).max(1), ..limit };
        format!("{}…", text::split(&line, room).into_iter().next().unwrap_or_default())
    };
    let body = json!({"type": "body", "parameters": [{"type": "text", "text": line}]});
    json!({"type": "template", "template": {"name": template, "language": {"code": language}, "components": [body]}})
}

/// A file that WhatsApp fetches; of other types it is a link.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media#supported-media-types>
fn file(media: &Media, plain: bool) -> Option<Vec<Value>> {
    let kind = match media.media_type.as_str() {
        "image/jpeg" | "image/png" => "image",
        "video/mp4" | "video/3gpp" => "video",
        "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => "audio",
        "text/plain"
        | "application/pdf"
        | "application/msword"
        | "application/vnd.ms-excel"
        | "application/vnd.ms-powerpoint" => "document",
        other if other.starts_with("application/vnd.openxmlformats-officedocument.") => "document",
        _ => return None,
    };
    if !media.url.starts_with("https://") {
        return None;
    }
    let mut caption = texts(&media.caption, plain, SHORT).into_iter().peekable();
    let mut object = json!({"link": media.url});
    // A voice message has no words of its own.
    if kind != "audio"
        && let Some(first) = caption.next()
    {
        set(&mut object, "caption", json!(first));
    }
    if kind == "document" && !media.name.is_empty() {
        set(&mut object, "filename", json!(media.name));
    }
    let mut message = json!({"type": kind});
    set(&mut message, kind, object);
    let rest = caption.map(|text| json!({"type": "text", "text": {"body": text, "preview_url": false}}));
    Some([message].into_iter().chain(rest).collect())
}

/// Up to three choices are buttons, up to ten rows of a list; `None` where they are too many or too long.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>
fn buttons(text: &str, choices: &[Choice], plain: bool) -> Option<Value> {
    let mut said = texts(text, plain, SHORT);
    let body = said.pop().filter(|_| said.is_empty())?;
    let (title_length, id_length) = if choices.len() <= 3 { (20, 256) } else { (24, 200) };
    let title = |choice: &Choice| {
        let title: String = choice.label.trim().chars().take(title_length).collect();
        title.trim_end().to_owned()
    };
    let titles: Vec<String> = choices.iter().map(title).collect();
    let distinct = titles.iter().collect::<std::collections::BTreeSet<_>>().len();
    let fits = |choice: &Choice| (1..=id_length).contains(&choice.says.chars().count());
    if distinct != choices.len() || titles.iter().any(String::is_empty) || !choices.iter().all(fits) {
        return None;
    }
    let replies =
        choices.iter().zip(&titles).map(|(choice, title)| json!({"id": choice.says, "title": title}));
    let (kind, action) = match choices.len() {
        1..=3 => {
            let buttons: Vec<Value> = replies.map(|reply| json!({"type": "reply", "reply": reply})).collect();
            ("button", json!({"buttons": buttons}))
        }
        4..=10 => {
            let rows: Vec<Value> = replies.collect();
            ("list", json!({"button": "Choose", "sections": [{"rows": rows}]}))
        }
        _ => return None,
    };
    let interactive = json!({"type": kind, "body": {"text": body}, "action": action});
    Some(json!({"type": "interactive", "interactive": interactive}))
}

/// Shows for 25 seconds, and marks the message as read. In 1:1 chats.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators>
fn typing(to: &Address) -> Option<Step> {
    let message = to.data.get(MESSAGE).filter(|_| !to.data.contains_key(GROUP))?;
    let sign = json!({"messaging_product": "whatsapp", "status": "read", "message_id": message,
        "typing_indicator": {"type": "text"}});
    Some(call(sign, to).optional())
}

/// To a person by the phone number, else by the id (`recipient`):
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.
fn send(mut message: Value, to: &Address) -> Step {
    let (kind, field, id) = match (to.data.get(GROUP), to.data.get(PHONE)) {
        (Some(group), _) => ("group", "to", group),
        (None, Some(phone)) => ("individual", "to", phone),
        (None, None) => ("individual", "recipient", &to.chat),
    };
    set(&mut message, "messaging_product", json!("whatsapp"));
    set(&mut message, "recipient_type", json!(kind));
    set(&mut message, field, json!(id));
    call(message, to)
}

fn call(body: Value, to: &Address) -> Step {
    let number = to.data.get(NUMBER).map_or("", String::as_str);
    Step::json("api", format!("/{}/messages", encode::segment(number)), body).auth(Auth::bearer(ACCESS_TOKEN))
}

fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
