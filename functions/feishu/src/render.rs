//! An answer as calls of Feishu's API: <https://open.feishu.cn/document/server-docs/im-v1/message/create>.

use std::borrow::Cow;

use channel::markdown::{CommonMark, Dialect, Markup, Near, Place, Plain, Style, render};
use channel::{
    Address, Auth, Body, Choice, Fetch, Media, Part, Post, PostContext, Step, Target, Upload, Way, encode,
};
use serde_json::{Value, json};

use crate::spec::{REACTION, SPEC, TOKEN, cloud};

/// Where [`Address::data`], and the value of a button, say that a chat is a group.
pub const GROUP: &str = "group";

const MESSAGES: &str = "/open-apis/im/v1/messages";
pub const IMAGES: &str = "/open-apis/im/v1/images";
pub const FILES: &str = "/open-apis/im/v1/files";
const ABOUT_US: &str = "/open-apis/bot/v3/info";

/// A message's type and content.
struct Message {
    kind: &'static str,
    content: Value,
}

/// Writes the steps of one post.
struct Writer<'a> {
    to: &'a Address,
    ctx: &'a PostContext<'a>,
    steps: Vec<Step>,
}

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut writer = Writer { to, ctx, steps: Vec::new() };
    for part in parts {
        writer.part(part);
    }
    Post { steps: writer.steps }
}

/// <https://open.feishu.cn/document/server-docs/im-v1/message/get-2>; up to 100 MB.
pub fn fetch(what: &Fetch) -> Post {
    let mut parts = what.id.splitn(4, ' ');
    let mut next = || parts.next().unwrap_or_default();
    let (cloud, message, kind, key) = (next(), encode::segment(next()), next(), encode::segment(next()));
    let path = format!("{MESSAGES}/{message}/resources/{key}?type={}", encode::segment(kind));
    let target = Target::Base { base: cloud.to_owned(), path };
    Post { steps: vec![Step::new("GET", target, Body::None).auth(Auth::Token(TOKEN.to_owned()))] }
}

impl Writer<'_> {
    fn part(&mut self, part: &Part) {
        let plain = self.ctx.plain;
        match part {
            Part::Typing => self.react(),
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, .. } => {
                let so_far = messages(text, plain).into_iter().next();
                self.steps.extend(so_far.map(|message| match posted {
                    Some(posted) => edit(self.ctx.settings, posted, message).optional(),
                    // No key: the answer itself may be this turn's first message once more.
                    None => self.say(message, None).optional(),
                }));
            }
            // Once the message takes no more edits, the answer is a message of its own.
            Part::Edit { posted, text, .. } if self.ctx.way == Way::Reply => {
                let mut messages = messages(text, plain).into_iter();
                self.steps.extend(messages.next().map(|first| edit(self.ctx.settings, posted, first)));
                messages.for_each(|message| self.add(message));
            }
            Part::Media(media) if plain => self.link(media),
            Part::Media(media) => self.media(media),
            Part::Buttons { text, choices } if !plain && fit(text, choices) => {
                let mut texts = render(text, &MARKDOWN, SPEC.text);
                let last = texts.pop().unwrap_or_default();
                texts.iter().for_each(|text| self.add(rich(text)));
                self.add(card(&last, choices, self.to));
            }
            part => {
                let text = part.as_text().unwrap_or_default();
                messages(&text, plain).into_iter().for_each(|message| self.add(message));
            }
        }
    }

    /// A file must be uploaded first; the upload is settled with the content of the message that shows it.
    /// <https://open.feishu.cn/document/server-docs/im-v1/image/create>, <https://open.feishu.cn/document/server-docs/im-v1/file/create>
    fn media(&mut self, media: &Media) {
        messages(&media.caption, false).into_iter().for_each(|message| self.add(message));
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (path, name, kind, fields) = if media.is_image() {
            (IMAGES, "image", "image", vec![field("image_type", "message")])
        } else {
            (FILES, "file", "file", vec![field("file_type", "stream"), field("file_name", &media.name)])
        };
        let file = Upload {
            field: name.to_owned(),
            name: media.name.clone(),
            media_type: media.media_type.clone(),
            url: media.url.clone(),
        };
        // Nobody sees an upload by itself.
        let upload = call("POST", self.ctx.settings, path, Body::Multipart { fields, file });
        self.steps.push(upload.repeatable());
        let mut step = self.say(Message { kind, content: Value::Null }, Some(self.steps.len()));
        if let Body::Json(value) = step.body {
            step.body = Body::JsonWithSecrets { value, fill: vec![field("/content", "answer")] };
        }
        self.steps.push(step);
    }

    /// In place of an upload that was refused. As many steps as the upload and its message have, so that what was sent before
    /// keeps its place in the new plan: the last one asks for nothing but the bot's name.
    fn link(&mut self, media: &Media) {
        messages(&media.caption, true).into_iter().for_each(|message| self.add(message));
        let bare = Part::Media(Media { caption: String::new(), ..media.clone() });
        let text = bare.as_text().unwrap_or_default();
        messages(&text, true).into_iter().for_each(|message| self.add(message));
        self.steps.push(call("GET", self.ctx.settings, ABOUT_US, Body::None).optional());
    }

    /// <https://open.feishu.cn/document/server-docs/im-v1/message-reaction/create>. There is no sign for writing; this one
    /// stays.
    fn react(&mut self) {
        let emoji = self.ctx.settings.get(REACTION).and_then(Value::as_str);
        if let (Some(emoji), Some(message)) = (emoji, &self.to.reply_to) {
            let path = format!("{MESSAGES}/{}/reactions", encode::segment(message));
            let body = Body::Json(json!({"reaction_type": {"emoji_type": emoji}}));
            self.steps.push(call("POST", self.ctx.settings, &path, body).optional());
        }
    }

    fn add(&mut self, message: Message) {
        let step = self.say(message, Some(self.steps.len()));
        self.steps.push(step);
    }

    /// Into the thread, where there is one: <https://open.feishu.cn/document/server-docs/im-v1/message/reply>. A key keeps
    /// for an hour what came twice from appearing twice.
    fn say(&self, message: Message, index: Option<usize>) -> Step {
        let content = if message.content.is_null() { String::new() } else { message.content.to_string() };
        let mut body = json!({"msg_type": message.kind, "content": content});
        if let Some(index) = index {
            set(&mut body, "uuid", json!(self.ctx.part_key(index)));
        }
        let path = match &self.to.thread {
            Some(thread) if self.ctx.way == Way::Reply => {
                set(&mut body, "reply_in_thread", json!(true));
                format!("{MESSAGES}/{}/reply", encode::segment(thread))
            }
            _ => {
                set(&mut body, "receive_id", json!(self.to.chat));
                format!("{MESSAGES}?receive_id_type=chat_id")
            }
        };
        let step = call("POST", self.ctx.settings, &path, Body::Json(body));
        if index.is_some() { step.repeatable() } else { step }
    }
}

/// At most 20 times, and as long as the organisation allows: <https://open.feishu.cn/document/server-docs/im-v1/message/update>.
fn edit(settings: &Value, posted: &str, message: Message) -> Step {
    let body = json!({"msg_type": message.kind, "content": message.content.to_string()});
    call("PUT", settings, &format!("{MESSAGES}/{}", encode::segment(posted)), Body::Json(body)).repeatable()
}

fn call(method: &str, settings: &Value, path: &str, body: Body) -> Step {
    let target = Target::Base { base: cloud(settings).to_owned(), path: path.to_owned() };
    Step::new(method, target, body).auth(Auth::Token(TOKEN.to_owned()))
}

fn messages(markdown: &str, plain: bool) -> Vec<Message> {
    if plain {
        let texts = render(markdown, &QuietPlain, SPEC.text).into_iter();
        return texts.map(|text| Message { kind: "text", content: json!({"text": text}) }).collect();
    }
    render(markdown, &MARKDOWN, SPEC.text).iter().map(|text| rich(text)).collect()
}

/// Rich text of one paragraph in Markdown:
/// <https://open.feishu.cn/document/server-docs/im-v1/message-content-description/create_json>.
fn rich(text: &str) -> Message {
    Message {
        kind: "post",
        content: json!({"zh_cn": {"title": "", "content": [[{"tag": "md", "text": text}]]}}),
    }
}

/// 30 KB for the whole card; labels and their number are bounded by what can be read.
fn fit(text: &str, choices: &[Choice]) -> bool {
    let says = choices.iter().map(|choice| choice.says.len() + choice.label.len()).sum::<usize>();
    !text.trim().is_empty() && (1..=20).contains(&choices.len()) && says <= 2_000
}

/// A click does not tell what kind of chat it was made in, nor in which thread: the button does.
fn card(text: &str, choices: &[Choice], to: &Address) -> Message {
    let button = |choice: &Choice| {
        let mut value = json!({"says": choice.says});
        if let Some(thread) = &to.thread {
            set(&mut value, "thread", json!(thread));
        }
        if to.data.contains_key(GROUP) {
            set(&mut value, GROUP, json!("1"));
        }
        let label = json!({"tag": "plain_text", "content": choice.label});
        json!({"tag": "button", "type": "default", "text": label, "value": value})
    };
    let actions: Vec<Value> = choices.iter().map(button).collect();
    let elements = json!([{"tag": "markdown", "content": text}, {"tag": "action", "actions": actions}]);
    Message {
        kind: "interactive",
        content: json!({"config": {"wide_screen_mode": true}, "elements": elements}),
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// What the tag `md` shows: no headings, no tables. `<at user_id="…">` calls people, also in plain text.
const MARKDOWN: FeishuMarkdown =
    FeishuMarkdown(Near { headings: 0, tables: false, short_fences: true, harmless: quiet });

struct FeishuMarkdown(Near);

impl Dialect for FeishuMarkdown {
    fn markup(&self, style: &Style<'_>) -> Markup {
        self.0.markup(style)
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        self.0.escape(text, place, out);
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    // Addresses are links as they stand.
    fn url(&self, url: &str) -> String {
        url.to_owned()
    }
}

struct QuietPlain;

impl Dialect for QuietPlain {
    fn markup(&self, style: &Style<'_>) -> Markup {
        Plain.markup(style)
    }

    fn escape(&self, text: &str, _place: Place, out: &mut String) {
        out.push_str(&quiet(text));
    }

    fn task(&self, done: bool) -> &'static str {
        Plain.task(done)
    }

    fn rule(&self) -> &'static str {
        Plain.rule()
    }
}

/// The text with an invisible joiner in every tag that would call somebody.
fn quiet(text: &str) -> Cow<'_, str> {
    if !text.contains("<at") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("<at", "<\u{2060}at"))
}
