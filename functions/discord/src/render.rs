//! An answer as calls of Discord's API.
//!
//! Inside the window: the placeholder is edited, what does not fit follows, both by the interaction's token
//! (<https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages>). Outside of it: the
//! bot's own messages to the channel (<https://docs.discord.com/developers/resources/message#create-message>).

use channel::markdown::{CommonMark, Dialect, Markup, Place, Plain, Style, break_fences, render};
use channel::{
    Address, Auth, Body, Fetch, Limit, Media, Part, Post, PostContext, Step, Target, Upload, Way, encode,
    text,
};
use serde_json::{Value, json};

use crate::spec::{BOT_TOKEN, SPEC};
use crate::{buttons, commands};

/// Where [`Address::data`] keeps what a reply by the interaction's token needs.
pub const APPLICATION: &str = "application_id";
pub const TOKEN: &str = "token";

/// Where it names somebody whose direct messages are opened first.
pub const PERSON: &str = "recipient_id";

/// Discord asks for this form and turns away calls without it: docs.discord.com/developers/reference#user-agent.
pub fn user_agent() -> &'static str {
    concat!("DiscordBot (crabhook, ", env!("CARGO_PKG_VERSION"), ")")
}

/// The longest `nonce`.
const NONCE: usize = 25;

/// `SUPPRESS_EMBEDS`: what a model links to is fetched only when somebody clicks.
const NO_PREVIEWS: u32 = 1 << 2;

/// What an answer ends with that is longer than a user's own installation allows, and the room kept for it.
const CUT: &str = "\n\n… [cut: no more messages are allowed here]";
const CUT_ROOM: usize = 60;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    if let [Part::Draft { text, .. }] = parts {
        return draft(text, to, ctx);
    }
    let slot = Slot::of(to).filter(|_| ctx.way == Way::Reply);
    let uses = to.window.and_then(|window| window.uses).filter(|_| slot.is_some());
    let messages = messages(parts, ctx.plain, uses.map_or(usize::MAX, |uses| uses.max(1) as usize));
    let last = messages.len().saturating_sub(1);
    let mut steps = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if let (None, Some(person)) = (&slot, to.data.get(PERSON)) {
            steps.push(open(person));
        }
        let content = message.content(index == last);
        steps.push(match &slot {
            Some(slot) if index == 0 => {
                slot.call("PATCH", "/messages/@original", message.body(content)).repeatable()
            }
            Some(slot) => slot.call("POST", "", message.body(content)),
            None => push(to, message, content, &ctx.part_key(index)),
        });
    }
    // An answer has taken the placeholder's place; without one it is taken away.
    if messages.is_empty() && parts.contains(&Part::Dismiss) {
        steps.extend(slot.map(|slot| slot.call("DELETE", "/messages/@original", Body::None)));
    }
    Post { steps }
}

/// What is written so far, in the placeholder's place. Outside of the window nothing is shown before the answer.
fn draft(text: &str, to: &Address, ctx: &PostContext<'_>) -> Post {
    let slot = Slot::of(to).filter(|_| ctx.way == Way::Reply);
    let parts = [Part::Text(text.to_owned())];
    let so_far = messages(&parts, ctx.plain, usize::MAX).into_iter().next();
    let step = slot.zip(so_far).map(|(slot, so_far)| {
        let body = Body::Json(so_far.content(false));
        slot.call("PATCH", "/messages/@original", body).optional().repeatable()
    });
    Post { steps: step.into_iter().collect() }
}

/// Discord's signed addresses need no token.
pub fn fetch(what: &Fetch) -> Post {
    let step = Step::new("GET", Target::Url(what.id.clone()), Body::None);
    Post { steps: vec![step.header("user-agent", user_agent())] }
}

/// One message on its way.
struct Message<'a> {
    text: String,
    /// Rows of buttons.
    rows: Vec<Value>,
    file: Option<&'a Media>,
}

impl Message<'_> {
    /// A message that calls nobody, whatever is in it. The last one has the button to go on by.
    fn content(&self, last: bool) -> Value {
        let mut rows = self.rows.clone();
        rows.extend(last.then(commands::reply_button));
        let mut body =
            json!({ "content": self.text, "allowed_mentions": { "parse": [] }, "flags": NO_PREVIEWS });
        if !rows.is_empty() {
            set(&mut body, "components", Value::Array(rows));
        }
        if let Some(media) = self.file {
            set(&mut body, "attachments", json!([{ "id": 0, "filename": media.name }]));
        }
        body
    }

    /// With its file: <https://docs.discord.com/developers/reference#uploading-files>.
    fn body(&self, content: Value) -> Body {
        match self.file {
            Some(media) => Body::Multipart {
                fields: vec![("payload_json".to_owned(), content.to_string())],
                file: Upload::of(media, "files[0]"),
            },
            None => Body::Json(content),
        }
    }
}

/// The messages of the parts, at most so many. The sign of an answer being written is there from the start.
fn messages<'a>(parts: &'a [Part], plain: bool, most: usize) -> Vec<Message<'a>> {
    let within = |limit: Limit| -> Vec<Message<'a>> {
        parts.iter().flat_map(|part| said(part, plain, limit)).collect()
    };
    let all = within(SPEC.text);
    if all.len() <= most {
        return all;
    }
    let mut some = within(Limit { max: SPEC.text.max - CUT_ROOM, ..SPEC.text });
    some.truncate(most);
    if let Some(last) = some.last_mut() {
        last.text.push_str(CUT);
    }
    some
}

/// The messages of one part.
fn said<'a>(part: &'a Part, plain: bool, limit: Limit) -> Vec<Message<'a>> {
    let dialect: &dyn Dialect = if plain { &Plain } else { &DiscordMarkdown };
    let texts = |markdown: &str| -> Vec<Message<'a>> {
        let texts = render(markdown, dialect, limit).into_iter();
        texts.map(|text| Message { text, rows: Vec::new(), file: None }).collect()
    };
    match part {
        Part::Media(media) => {
            let mut messages = texts(&media.caption);
            let caption = messages.pop().map_or(String::new(), |message| message.text);
            messages.push(match plain {
                true => Message { text: linked(media, &caption, limit), rows: Vec::new(), file: None },
                false => Message { text: caption, rows: Vec::new(), file: Some(media) },
            });
            messages
        }
        Part::Buttons { text, choices } => match buttons::rows(choices).filter(|_| !text.trim().is_empty()) {
            Some(rows) => {
                let mut messages = texts(text);
                if let Some(last) = messages.last_mut() {
                    last.rows = rows;
                }
                messages
            }
            None => texts(&part.as_text().unwrap_or_default()),
        },
        part => texts(&part.as_text().unwrap_or_default()),
    }
}

/// The link that stands for a file, below its caption where both fit: one message, as the file is.
fn linked(media: &Media, caption: &str, limit: Limit) -> String {
    let one = |markdown: &str| {
        let mut texts = render(markdown, &Plain, limit);
        texts.pop().filter(|_| texts.is_empty())
    };
    // An address that is longer than a message helps nobody.
    let name = || text::split(&media.name, limit).into_iter().next().unwrap_or_default();
    let link = one(&media.link()).unwrap_or_else(name);
    let both = format!("{caption}\n\n{link}");
    if !caption.is_empty() && text::fits(&both, limit) { both } else { link }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// A message of the bot's own. Discord takes one with a known `nonce` for a repetition, for a few minutes
/// (`enforce_nonce`, <https://docs.discord.com/developers/resources/message#create-message>). Replies by an interaction's token
/// have no such key.
fn push(to: &Address, message: &Message<'_>, mut content: Value, key: &str) -> Step {
    set(&mut content, "nonce", Value::String(key.chars().take(NONCE).collect()));
    set(&mut content, "enforce_nonce", Value::Bool(true));
    let path = match to.data.contains_key(PERSON) {
        true => "/channels/{answer}/messages".to_owned(),
        false => format!("/channels/{}/messages", encode::segment(&to.chat)),
    };
    as_bot(path, message.body(content))
}

/// The direct messages with somebody: new ones, or those that are there.
/// <https://docs.discord.com/developers/resources/user#create-dm>
fn open(person: &str) -> Step {
    as_bot("/users/@me/channels".to_owned(), Body::Json(json!({ "recipient_id": person })))
}

fn as_bot(path: String, body: Body) -> Step {
    let auth = Auth::Scheme { scheme: "Bot".to_owned(), secret: BOT_TOKEN.to_owned() };
    let target = Target::Base { base: "api".to_owned(), path };
    Step::new("POST", target, body).auth(auth).header("user-agent", user_agent()).repeatable()
}

/// Where an interaction is answered: its token is all the proof that Discord wants.
struct Slot {
    path: String,
}

impl Slot {
    fn of(to: &Address) -> Option<Slot> {
        let (application, token) = (to.data.get(APPLICATION)?, to.data.get(TOKEN)?);
        Some(Slot { path: format!("/webhooks/{}/{}", encode::segment(application), encode::segment(token)) })
    }

    fn call(&self, method: &str, rest: &str, body: Body) -> Step {
        let target = Target::Base { base: "api".to_owned(), path: format!("{}{rest}", self.path) };
        Step::new(method, target, body).header("user-agent", user_agent())
    }
}

/// Near to CommonMark: <https://support.discord.com/hc/en-us/articles/210298617>. No tables, no images, three depths of
/// headings, a fence is always three backticks, and every line end shows.
struct DiscordMarkdown;

impl Dialect for DiscordMarkdown {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Heading(4..) => CommonMark.markup(&Style::Strong),
            Style::CodeBlock { language, .. } => Markup::around(format!("```{language}\n"), "\n```"),
            _ => CommonMark.markup(style),
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        match place {
            Place::CodeBlock => break_fences(text, out),
            _ => CommonMark.escape(text, place, out),
        }
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    fn url(&self, url: &str) -> String {
        CommonMark.url(url)
    }
}
