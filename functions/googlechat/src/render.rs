//! An answer as messages:
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>.

use channel::markdown::{Dialect, Plain, Starred, render};
use channel::{Address, Auth, Body, Choice, Fetch, Media, Part, Post, PostContext, Step, Target, encode};
use serde_json::{Value, json};

use crate::spec::{AUDIENCE, MESSAGE_BYTES, SPEC, TOKEN};

/// Where [`Address::data`] says that the app is an add-on.
pub const ADDON: &str = "addon";

/// The parameter that holds what a button says.
pub const SAYS: &str = "says";

/// `<url|label>` is a link, `<users/…>` a mention: <https://developers.google.com/workspace/chat/format-messages>.
const MARKUP: Starred = Starred { angled: true };

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    for part in parts {
        match part {
            // Chat shows no sign of writing, and has no placeholders.
            Part::Typing | Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, .. } => {
                let so_far = messages(text, ctx.plain).into_iter().next();
                steps.extend(so_far.map(|message| match posted {
                    Some(posted) => edit(posted, message).optional(),
                    None => create(to, &passing(ctx), message).optional(),
                }));
            }
            Part::Edit { posted, text, .. } => {
                let mut messages = messages(text, ctx.plain).into_iter();
                steps.extend(messages.next().map(|message| edit(posted, message)));
                for message in messages {
                    steps.push(create(to, &ctx.part_key(steps.len()), message));
                }
            }
            Part::Media(media) if media.is_image() && media.url.starts_with("https://") && !ctx.plain => {
                let mut captions = messages(&media.caption, false);
                let mut last = captions.pop().unwrap_or_else(|| json!({}));
                set(&mut last, "cardsV2", image(media));
                for message in captions.into_iter().chain([last]) {
                    steps.push(create(to, &ctx.part_key(steps.len()), message));
                }
            }
            Part::Buttons { text, choices } if !ctx.plain && fit(text, choices) => {
                let mut texts = messages(text, false);
                let last = texts.pop();
                for message in texts {
                    steps.push(create(to, &ctx.part_key(steps.len()), message));
                }
                steps.extend(last.map(|last| asking(to, &ctx.part_key(steps.len()), last, choices)));
            }
            Part::Text(_) | Part::Media(_) | Part::Buttons { .. } => {
                for message in messages(&part.as_text().unwrap_or_default(), ctx.plain) {
                    steps.push(create(to, &ctx.part_key(steps.len()), message));
                }
            }
        }
    }
    Post { steps }
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/media/download>
pub fn fetch(what: &Fetch) -> Post {
    let path = format!("/v1/media/{}?alt=media", resource(&what.id));
    let target = Target::Base { base: "api".to_owned(), path };
    Post { steps: vec![Step::new("GET", target, Body::None).auth(Auth::Token(TOKEN.to_owned()))] }
}

/// New apps read CommonMark unless a message says otherwise, older ones Chat's own marks: so every message says it.
/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/MarkupSyntax>
fn messages(markdown: &str, plain: bool) -> Vec<Value> {
    let dialect: &dyn Dialect = if plain { &Plain } else { &MARKUP };
    let texts = render(markdown, dialect, SPEC.text).into_iter();
    texts.map(|text| json!({"text": text, "markupSyntax": "MARKUP_SYNTAX_CHAT"})).collect()
}

/// The same `requestId` again makes no second message.
fn create(to: &Address, key: &str, mut message: Value) -> Step {
    let mut path = format!("/v1/{}/messages?requestId={key}", resource(&to.chat));
    if let Some(thread) = &to.thread {
        path.push_str("&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
        set(&mut message, "thread", json!({ "name": thread }));
    }
    call("POST", path, Body::Json(message)).repeatable()
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/patch>
fn edit(posted: &str, message: Value) -> Step {
    call("PATCH", format!("/v1/{}?updateMask=text", resource(posted)), Body::Json(message)).repeatable()
}

/// A message with buttons below: <https://developers.google.com/workspace/chat/create-messages#add-accessory-widgets>.
/// A click comes to the function of its button, which for add-ons is the address of the endpoint.
fn asking(to: &Address, key: &str, mut message: Value, choices: &[Choice]) -> Step {
    set(&mut message, "accessoryWidgets", buttons(choices));
    let mut step = create(to, key, message);
    if to.data.contains_key(ADDON)
        && let Body::Json(value) = step.body
    {
        let function =
            |index| format!("/accessoryWidgets/0/buttonList/buttons/{index}/onClick/action/function");
        let fill = (0..choices.len()).map(|index| (function(index), AUDIENCE.to_owned())).collect();
        step.body = Body::JsonWithSecrets { value, fill };
    }
    step
}

fn call(method: &str, path: String, body: Body) -> Step {
    Step::new(method, Target::Base { base: "api".to_owned(), path }, body).auth(Auth::Token(TOKEN.to_owned()))
}

/// The key of a draft: the same whatever it says, so that a retry finds the message that there is, and never that of the
/// answer, which would else be taken for its repetition.
fn passing(ctx: &PostContext<'_>) -> String {
    format!("{}-draft", ctx.part_key(0))
}

/// A name like `spaces/<space>/messages/<message>` in a path.
fn resource(name: &str) -> String {
    name.split('/').map(encode::segment).collect::<Vec<_>>().join("/")
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/cards#image>
fn image(media: &Media) -> Value {
    let widget = json!({"image": {"imageUrl": media.url, "altText": media.name}});
    json!([{"cardId": "image", "card": {"sections": [{"widgets": [widget]}]}}])
}

/// With the longest text that stands above them, in bytes.
fn fit(text: &str, choices: &[Choice]) -> bool {
    let size = buttons(choices).to_string().len() + SPEC.text.max * 4;
    !text.trim().is_empty() && !choices.is_empty() && size <= MESSAGE_BYTES
}

fn buttons(choices: &[Choice]) -> Value {
    let button = |choice: &Choice| {
        let parameters = json!([{"key": SAYS, "value": choice.says}]);
        json!({"text": choice.label, "onClick": {"action": {"function": "say", "parameters": parameters}}})
    };
    json!([{"buttonList": {"buttons": choices.iter().map(button).collect::<Vec<_>>()}}])
}

fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
