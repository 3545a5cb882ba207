//! An answer as calls of Discord's API.
//!
//! Inside the window: the placeholder is edited, what does not fit follows, both by the interaction's token
//! (<https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages>). Outside of it: the
//! bot's own messages to the channel (<https://docs.discord.com/developers/resources/message#create-message>).

use channel::markdown::{CommonMark, Dialect, Markup, Place, Plain, Style, break_fences, render};
use channel::{Address, Auth, Body, Fetch, Limit, Part, Post, PostContext, Step, Target, Way, encode};
use serde_json::{Value, json};

use crate::commands;
use crate::spec::{BOT_TOKEN, SPEC};

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
        let body = content(message, index == last);
        if let (None, Some(person)) = (&slot, to.data.get(PERSON)) {
            steps.push(open(person));
        }
        steps.push(match &slot {
            Some(slot) if index == 0 => {
                slot.call("PATCH", "/messages/@original", Body::Json(body)).repeatable()
            }
            Some(slot) => slot.call("POST", "", Body::Json(body)),
            None => push(to, body, &ctx.part_key(index)),
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
    let so_far = messages(&[Part::Text(text.to_owned())], ctx.plain, usize::MAX).into_iter().next();
    let step = slot.zip(so_far).map(|(slot, so_far)| {
        slot.call("PATCH", "/messages/@original", Body::Json(content(&so_far, false))).optional().repeatable()
    });
    Post { steps: step.into_iter().collect() }
}

/// Discord's signed addresses need no token.
pub fn fetch(what: &Fetch) -> Post {
    let step = Step::new("GET", Target::Url(what.id.clone()), Body::None);
    Post { steps: vec![step.header("user-agent", user_agent())] }
}

/// The texts of the parts, at most so many. The sign of an answer being written is there from the start.
fn messages(parts: &[Part], plain: bool, most: usize) -> Vec<String> {
    let within = |limit: Limit| {
        let texts = parts.iter().filter_map(Part::as_text);
        let dialect: &dyn Dialect = if plain { &Plain } else { &DiscordMarkdown };
        texts.flat_map(|text| render(&text, dialect, limit)).collect::<Vec<String>>()
    };
    let all = within(SPEC.text);
    if all.len() <= most {
        return all;
    }
    let mut some = within(Limit { max: SPEC.text.max - CUT_ROOM, ..SPEC.text });
    some.truncate(most);
    if let Some(last) = some.last_mut() {
        last.push_str(CUT);
    }
    some
}

/// A message that calls nobody, whatever is in it.
fn content(text: &str, last: bool) -> Value {
    let mut body = json!({ "content": text, "allowed_mentions": { "parse": [] }, "flags": NO_PREVIEWS });
    if let Some(fields) = body.as_object_mut().filter(|_| last) {
        fields.insert("components".to_owned(), commands::reply_button());
    }
    body
}

/// A message of the bot's own. Discord takes one with a known `nonce` for a repetition, for a few minutes
/// (`enforce_nonce`, <https://docs.discord.com/developers/resources/message#create-message>). Replies by an interaction's token
/// have no such key.
fn push(to: &Address, mut body: Value, key: &str) -> Step {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("nonce".to_owned(), Value::String(key.chars().take(NONCE).collect()));
        fields.insert("enforce_nonce".to_owned(), Value::Bool(true));
    }
    let path = match to.data.contains_key(PERSON) {
        true => "/channels/{answer}/messages".to_owned(),
        false => format!("/channels/{}/messages", encode::segment(&to.chat)),
    };
    as_bot(path, body)
}

/// The direct messages with somebody: new ones, or those that are there.
/// <https://docs.discord.com/developers/resources/user#create-dm>
fn open(person: &str) -> Step {
    as_bot("/users/@me/channels".to_owned(), json!({ "recipient_id": person }))
}

fn as_bot(path: String, body: Value) -> Step {
    let auth = Auth::Scheme { scheme: "Bot".to_owned(), secret: BOT_TOKEN.to_owned() };
    Step::json("api", path, body).auth(auth).header("user-agent", user_agent()).repeatable()
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
