//! An answer as calls of the Messages resource: <https://www.twilio.com/docs/messaging/api/message-resource>.

use channel::markdown::{Dialect, Plain, Starred, render};
use channel::{Address, Body, Fetch, Part, Post, PostContext, Step, Target, Way};
use serde_json::{Value, json};

use crate::spec::{MESSAGING_SERVICE, SPEC, TEMPLATE, auth, path};

/// What addresses on WhatsApp begin with.
pub const WHATSAPP: &str = "whatsapp:";

/// Where [`Address::data`] keeps the address that was written to, and the id of the message.
pub const OWN: &str = "to";
pub const MESSAGE: &str = "message";

/// What the id of a [`Fetch`] begins with that our key opens.
pub const WITH_KEY: &str = "key:";

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.extend(typing(to)),
            Part::Media(media) => {
                let caption = texts(&media.caption, to, ctx.plain).into_iter().next();
                let caption = caption.map(|caption| ("Body", caption));
                steps.push(send(
                    [("MediaUrl", media.url.clone())].into_iter().chain(caption),
                    to,
                    ctx.settings,
                ));
            }
            part => {
                let text = part.as_text().unwrap_or_default();
                let texts = texts(&text, to, ctx.plain).into_iter();
                steps.extend(texts.map(|text| say(text, to, ctx)));
            }
        }
    }
    Post { steps }
}

/// Twilio answers with where the file is; there our key is nobody's business.
pub fn fetch(what: &Fetch) -> Post {
    let get = |url: &str| Step::new("GET", Target::Url(url.to_owned()), Body::None);
    let steps = match what.id.strip_prefix(WITH_KEY) {
        Some(url) => vec![get(url).auth(auth()), Step::new("GET", Target::Answer, Body::None)],
        None => vec![get(&what.id)],
    };
    Post { steps }
}

fn texts(markdown: &str, to: &Address, plain: bool) -> Vec<String> {
    let marked = to.chat.starts_with(WHATSAPP) && !plain;
    let dialect: &dyn Dialect = if marked { &Starred { angled: false } } else { &Plain };
    render(markdown, dialect, SPEC.text)
}

/// Once WhatsApp takes no free text any more, it is put into the template, where there is one.
fn say(text: String, to: &Address, ctx: &PostContext<'_>) -> Step {
    let template = ctx.settings.get(TEMPLATE).and_then(Value::as_str);
    match template.filter(|_| ctx.way == Way::Push && to.chat.starts_with(WHATSAPP)) {
        Some(template) => {
            let variables = json!({"1": text}).to_string();
            let fields = [("ContentSid", template.to_owned()), ("ContentVariables", variables)];
            send(fields.into_iter(), to, ctx.settings)
        }
        None => send([("Body", text)].into_iter(), to, ctx.settings),
    }
}

fn send<'a>(content: impl Iterator<Item = (&'a str, String)>, to: &Address, settings: &Value) -> Step {
    let service = settings.get(MESSAGING_SERVICE).and_then(Value::as_str);
    let from = match service {
        Some(service) => ("MessagingServiceSid", service.to_owned()),
        None => ("From", to.data.get(OWN).cloned().unwrap_or_default()),
    };
    let fields = [("To", to.chat.clone()), from].into_iter().chain(content);
    let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value)).collect());
    let target = Target::Base { base: "api".to_owned(), path: path("Messages.json") };
    Step::new("POST", target, form).auth(auth())
}

/// On WhatsApp only, and marks the message as read:
/// <https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource>.
fn typing(to: &Address) -> Option<Step> {
    let message = to.data.get(MESSAGE)?.clone();
    let fields = [("messageId", message), ("channel", "whatsapp".to_owned())];
    let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value)).into());
    let target = Target::Base { base: "messaging".to_owned(), path: "/v2/Indicators/Typing.json".to_owned() };
    Some(Step::new("POST", target, form).auth(auth()).optional())
}
