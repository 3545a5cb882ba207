//! An answer as customer service messages:
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>.

use channel::markdown::{Dialect, Markup, Place, Plain, Style, render};
use channel::{
    Address, Body, Choice, Fetch, Limit, Media, Part, Post, PostContext, Step, Target, Upload, encode,
};
use serde_json::{Value, json};

use crate::spec::{ACCESS, SPEC};

pub const UPLOAD: &str = "/cgi-bin/media/upload";
pub const DOWNLOAD: &str = "/cgi-bin/media/get";

/// Messages that an answer may have, unless its address says otherwise.
const MESSAGES: u32 = 5;

/// What stands at the end of an answer that has more.
const CUT: &str = "\n… [cut]";

/// Entries of a menu, and their length: not in the reference; what is longer becomes numbered lines.
const ENTRIES: usize = 10;
const ENTRY: usize = 60;

/// One message of the few that are allowed.
enum Message<'a> {
    Text(String),
    Menu(String, &'a [Choice]),
    /// Two steps.
    Image(&'a Media),
    /// In place of an upload that was refused. Two steps as well, so that what was sent before keeps its place in the new
    /// plan: the second is only the sign for writing.
    Link(&'a Media),
}

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    let mut messages = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.push(typing(to).optional()),
            Part::Media(media) if media.is_image() => {
                messages.extend(texts(&media.caption, ctx.plain));
                messages.push(if ctx.plain { Message::Link(media) } else { Message::Image(media) });
            }
            Part::Buttons { text, choices } if !ctx.plain && fit(text, choices) => {
                messages.push(Message::Menu(render(text, &Plain, SPEC.text).join("\n"), choices));
            }
            part => messages.extend(texts(&part.as_text().unwrap_or_default(), ctx.plain)),
        }
    }
    let allowed = to.window.and_then(|window| window.uses).unwrap_or(MESSAGES);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).max(1);
    if messages.len() > allowed {
        messages.truncate(allowed);
        if let Some(Message::Text(last)) = messages.last_mut() {
            last.push_str(CUT);
        }
    }
    for message in messages {
        write(message, to, &mut steps);
    }
    Post { steps }
}

/// Kept for three days: <https://developers.weixin.qq.com/doc/service/api/material/temporary/api_getmedia>.
pub fn fetch(what: &Fetch) -> Post {
    let path = format!("{}&media_id={}", with_token(DOWNLOAD), encode::segment(&what.id));
    Post { steps: vec![Step::new("GET", Target::Base { base: "api".to_owned(), path }, Body::None)] }
}

fn texts<'a>(markdown: &str, plain: bool) -> impl Iterator<Item = Message<'a>> + use<'a> {
    let dialect: &dyn Dialect = if plain { &Plain } else { &Linked };
    let limit = Limit { max: SPEC.text.max - CUT.len(), ..SPEC.text };
    render(markdown, dialect, limit).into_iter().map(Message::Text)
}

fn write(message: Message<'_>, to: &Address, steps: &mut Vec<Step>) {
    match message {
        Message::Text(text) => steps.push(send(to, "text", json!({"content": text}))),
        Message::Menu(text, choices) => {
            let entry =
                |(choice, id): (&Choice, usize)| json!({"id": id.to_string(), "content": choice.label});
            let list: Vec<Value> = choices.iter().zip(1..).map(entry).collect();
            let menu = json!({"head_content": text, "list": list, "tail_content": ""});
            steps.push(send(to, "msgmenu", menu));
        }
        Message::Link(media) => {
            let bare = Part::Media(Media { caption: String::new(), ..media.clone() });
            let text = render(&bare.as_text().unwrap_or_default(), &Plain, SPEC.text).join("\n");
            steps.push(send(to, "text", json!({"content": text})));
            steps.push(typing(to).optional());
        }
        Message::Image(media) => {
            let file = Upload {
                field: "media".to_owned(),
                name: media.name.clone(),
                media_type: media.media_type.clone(),
                url: media.url.clone(),
            };
            let path = format!("{}&type=image", with_token(UPLOAD));
            let upload = Body::Multipart { fields: Vec::new(), file };
            // Nobody sees an upload by itself.
            let step = Step::new("POST", Target::Base { base: "api".to_owned(), path }, upload);
            steps.push(step.repeatable());
            let mut step = send(to, "image", json!({"media_id": ""}));
            if let Body::Json(value) = step.body {
                let fill = vec![("/image/media_id".to_owned(), "answer".to_owned())];
                step.body = Body::JsonWithSecrets { value, fill };
            }
            steps.push(step);
        }
    }
}

fn send(to: &Address, kind: &str, content: Value) -> Step {
    let body = json!({"touser": to.chat, "msgtype": kind, kind: content});
    Step::json("api", with_token("/cgi-bin/message/custom/send"), body)
}

/// <https://developers.weixin.qq.com/doc/service/api/customer/message/api_typing>
fn typing(to: &Address) -> Step {
    let body = json!({"touser": to.chat, "command": "Typing"});
    Step::json("api", with_token("/cgi-bin/message/custom/typing"), body)
}

fn with_token(path: &str) -> String {
    format!("{path}?access_token={{token:{ACCESS}}}")
}

/// What is pressed comes back as the words that stood there, so they must be what is to be said.
fn fit(text: &str, choices: &[Choice]) -> bool {
    render(text, &Plain, SPEC.text).len() == 1
        && (1..=ENTRIES).contains(&choices.len())
        && choices
            .iter()
            .all(|choice| choice.label == choice.says && (1..=ENTRY).contains(&choice.says.len()))
}

/// Plain text with links.
struct Linked;

impl Dialect for Linked {
    fn markup(&self, style: &Style<'_>) -> Markup {
        Plain.markup(style)
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        Plain.escape(text, place, out);
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        Some(format!("<a href=\"{url}\">{label}</a>"))
    }

    fn task(&self, done: bool) -> &'static str {
        Plain.task(done)
    }

    fn rule(&self) -> &'static str {
        Plain.rule()
    }
}
