//! An answer: an app's as calls of the API (<https://developer.work.weixin.qq.com/document/path/90236>), a bot's as the one
//! message that it may send (<https://developer.work.weixin.qq.com/document/path/101138>).

use std::borrow::Cow;

use channel::markdown::{CommonMark, Dialect, Markup, Near, Place, Plain, Style, Table, TableLines, render};
use channel::{
    Address, Body, Choice, Fetch, Limit, Media, Part, Post, PostContext, Step, Target, Unit, Upload, encode,
};
use serde_json::{Value, json};

use crate::spec::{ACCESS, DUPLICATES, FORMAT, SPEC};

/// Where [`Address::data`] keeps an app's number, and where a bot's answer goes.
pub const AGENT: &str = "agent";
pub const RESPONSE_URL: &str = "response_url";

pub const UPLOAD: &str = "/cgi-bin/media/upload";
pub const DOWNLOAD: &str = "/cgi-bin/media/get";

/// Text and Markdown of an app; longer text is cut without a word.
pub const APP: Limit = Limit { max: 2_048, unit: Unit::Bytes };

/// What stands at the end of a bot's answer that is longer than a message.
const CUT: &str = "\n\n… [cut]";

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    if let Some(url) = to.data.get(RESPONSE_URL) {
        return Post { steps: bot(parts, url, ctx).into_iter().collect() };
    }
    let mut app = App { to, ctx, steps: Vec::new() };
    for part in parts {
        app.part(part);
    }
    Post { steps: app.steps }
}

/// Kept for three days: <https://developer.work.weixin.qq.com/document/path/90254>.
pub fn fetch(what: &Fetch) -> Post {
    let path = format!("{}&media_id={}", with_token(DOWNLOAD), encode::segment(&what.id));
    let target = Target::Base { base: "api".to_owned(), path };
    Post { steps: vec![Step::new("GET", target, Body::None)] }
}

/// All that is to be said, in one message.
fn bot(parts: &[Part], url: &str, ctx: &PostContext<'_>) -> Option<Step> {
    let texts: Vec<Cow<'_, str>> = parts.iter().filter_map(Part::as_text).collect();
    let dialect: &dyn Dialect = if ctx.plain { &Plain } else { &BOT };
    let limit = Limit { max: SPEC.text.max - CUT.len(), ..SPEC.text };
    let mut messages = render(&texts.join("\n\n"), dialect, limit).into_iter();
    let first = messages.next()?;
    let content = if messages.next().is_some() { format!("{first}{CUT}") } else { first };
    let body = json!({"msgtype": "markdown", "markdown": {"content": content}});
    Some(Step::new("POST", Target::Url(url.to_owned()), Body::Json(body)))
}

/// Writes the steps of an app's answer.
struct App<'a> {
    to: &'a Address,
    ctx: &'a PostContext<'a>,
    steps: Vec<Step>,
}

impl App<'_> {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Media(media) if self.ctx.plain => self.link(media),
            Part::Media(media) => self.media(media),
            Part::Buttons { text, choices } if !self.ctx.plain && fit(text, choices) => {
                let card = card(text, choices, &self.ctx.part_key(self.steps.len()));
                self.send("template_card", card);
            }
            part => self.text(&part.as_text().unwrap_or_default()),
        }
    }

    fn text(&mut self, markdown: &str) {
        let plain = self.ctx.plain || self.ctx.settings.get(FORMAT).and_then(Value::as_str) == Some("text");
        let (dialect, kind): (&dyn Dialect, _) =
            if plain { (&Plain, "text") } else { (&AppMarkdown, "markdown") };
        for text in render(markdown, dialect, APP) {
            self.send(kind, json!({"content": text}));
        }
    }

    /// A file must be uploaded first: <https://developer.work.weixin.qq.com/document/path/90253>.
    fn media(&mut self, media: &Media) {
        self.text(&media.caption);
        let kind = if media.is_image() { "image" } else { "file" };
        let file = Upload {
            field: "media".to_owned(),
            name: media.name.clone(),
            media_type: media.media_type.clone(),
            url: media.url.clone(),
        };
        let path = format!("{}&type={kind}", with_token(UPLOAD));
        let upload = Body::Multipart { fields: Vec::new(), file };
        // Nobody sees an upload by itself.
        let step = Step::new("POST", Target::Base { base: "api".to_owned(), path }, upload);
        self.steps.push(step.repeatable());
        self.send(kind, json!({"media_id": ""}));
        if let Some(step) = self.steps.last_mut()
            && let Body::Json(value) = &step.body
        {
            let fill = vec![(format!("/{kind}/media_id"), "answer".to_owned())];
            step.body = Body::JsonWithSecrets { value: value.clone(), fill };
        }
    }

    /// In place of an upload that was refused. As many steps as the upload and its message have, so that what was sent before
    /// keeps its place in the new plan: the last one only asks for the addresses of WeCom.
    fn link(&mut self, media: &Media) {
        self.text(&media.caption);
        let bare = Part::Media(Media { caption: String::new(), ..media.clone() });
        self.text(&bare.as_text().unwrap_or_default());
        let path = with_token("/cgi-bin/get_api_domain_ip");
        let target = Target::Base { base: "api".to_owned(), path };
        self.steps.push(Step::new("GET", target, Body::None).optional());
    }

    fn send(&mut self, kind: &str, content: Value) {
        let agent = self.to.data.get(AGENT).map_or("", String::as_str);
        let agent = agent.parse::<i64>().map_or_else(|_| json!(agent), |number| json!(number));
        let mut body = json!({"touser": self.to.chat, "agentid": agent, "msgtype": kind, kind: content});
        if let Some(seconds) = self.ctx.settings.get(DUPLICATES).and_then(Value::as_u64) {
            set(&mut body, "enable_duplicate_check", json!(1));
            set(&mut body, "duplicate_check_interval", json!(seconds));
        }
        self.steps.push(Step::json("api", with_token("/cgi-bin/message/send"), body));
    }
}

fn with_token(path: &str) -> String {
    format!("{path}?access_token={{token:{ACCESS}}}")
}

/// Six buttons, keys of 1,024 bytes, a text of about 112 characters:
/// <https://developer.work.weixin.qq.com/document/path/90236>, "按钮交互型".
fn fit(text: &str, choices: &[Choice]) -> bool {
    let text = render(text, &Plain, APP).join("\n");
    (1..=112).contains(&text.chars().count())
        && (1..=6).contains(&choices.len())
        && choices.iter().all(|choice| (1..=1_024).contains(&choice.says.len()))
}

/// The key of a button comes back when it is pressed. Short texts are titles, longer ones stand below where one would be.
fn card(text: &str, choices: &[Choice], key: &str) -> Value {
    let text = render(text, &Plain, APP).join("\n");
    let button = |choice: &Choice| json!({"text": choice.label, "style": 1, "key": choice.says});
    let buttons: Vec<Value> = choices.iter().map(button).collect();
    let mut card = json!({"card_type": "button_interaction", "task_id": key, "button_list": buttons});
    if text.chars().count() <= 36 {
        set(&mut card, "main_title", json!({"title": text}));
    } else {
        set(&mut card, "sub_title_text", json!(text));
    }
    card
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// The text with an invisible joiner in every mention (`<@userid>`).
fn quiet(text: &str) -> Cow<'_, str> {
    if text.contains("<@") { Cow::Owned(text.replace("<@", "<\u{2060}@")) } else { Cow::Borrowed(text) }
}

/// What a bot may write: headings, emphasis, lists, quotes, links, code and tables.
const BOT: BotMarkdown = BotMarkdown(Near { headings: 6, tables: true, short_fences: true, harmless: quiet });

struct BotMarkdown(Near);

impl Dialect for BotMarkdown {
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

    fn table(&self, table: &Table) -> Option<TableLines> {
        self.0.table(table)
    }
}

/// What an app may write: headings, bold, links, code within a line, quotes; nothing is escaped.
/// <https://developer.work.weixin.qq.com/document/path/90236>, "支持的markdown语法"
struct AppMarkdown;

impl Dialect for AppMarkdown {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Strong | Style::Heading(_) => CommonMark.markup(style),
            Style::Code(text) if !text.contains('`') => Markup::around("`", "`"),
            style => Plain.markup(style),
        }
    }

    fn escape(&self, text: &str, _place: Place, out: &mut String) {
        out.push_str(&quiet(text));
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    fn task(&self, done: bool) -> &'static str {
        Plain.task(done)
    }
}
