//! An answer as posts of the bot: <https://developers.mattermost.com/api-documentation/#/operations/CreatePost>.

use channel::markdown::{Dialect, Near, Plain, quiet, render};
use channel::{
    Address, Auth, Body, Fetch, Media, Part, Post, PostContext, Step, Target, Upload, Way, encode, text,
};
use serde_json::{Value, json};

use crate::spec::{BOT_TOKEN, SPEC};

/// Where [`Address::data`] keeps the id of the post that is answered, whose thread is not known, and the id of a command's
/// own address.
pub const POST: &str = "post";
pub const HOOK: &str = "hook";

pub const FILES: &str = "/api/v4/files";

/// <https://docs.mattermost.com/end-user-guide/collaborate/format-messages.html>
const MARKDOWN: Near = Near { headings: 6, tables: true, short_fences: false, harmless: quiet };

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.push(typing(to)),
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted: Some(posted), .. } => {
                let so_far = texts(text, ctx).into_iter().next();
                steps.extend(so_far.map(|text| edit(posted, &text).optional()));
            }
            Part::Draft { text, posted: None, .. } => {
                if let Some(text) = texts(text, ctx).first() {
                    // Without a key: the answer would else be taken for a repetition of its draft.
                    let said = say(text, to, ctx, None);
                    steps.extend(said.into_iter().map(Step::optional));
                }
            }
            Part::Edit { posted, text, .. } => {
                let mut texts = texts(text, ctx).into_iter();
                steps.extend(texts.next().map(|text| edit(posted, &text)));
                texts.for_each(|text| steps.extend(say(&text, to, ctx, Some(steps.len()))));
            }
            Part::Media(media) => file(media, to, ctx, &mut steps),
            Part::Text(_) | Part::Buttons { .. } => {
                for text in texts(&part.as_text().unwrap_or_default(), ctx) {
                    steps.extend(say(&text, to, ctx, Some(steps.len())));
                }
            }
        }
    }
    Post { steps }
}

/// A file is uploaded first: <https://developers.mattermost.com/api-documentation/#/operations/UploadFile>. Where that was
/// refused, and where the bot may not post, an image is shown by its address and another file is a link, after a call that asks
/// for nothing but who we are: the same number of steps.
fn file(media: &Media, to: &Address, ctx: &PostContext<'_>, steps: &mut Vec<Step>) {
    let mut captions = texts(&media.caption, ctx);
    let caption = captions.pop().unwrap_or_default();
    captions.iter().for_each(|text| steps.extend(say(text, to, ctx, Some(steps.len()))));
    let by_hook = ctx.way == Way::Push && to.data.contains_key(HOOK);
    if ctx.plain || by_hook {
        steps.push(call("GET", "/api/v4/users/me".to_owned(), Body::None).optional());
        steps.extend(say(&by_address(media, &caption), to, ctx, Some(steps.len())));
        return;
    }
    let fields = vec![("channel_id".to_owned(), to.chat.clone())];
    let body = Body::Multipart { fields, file: Upload::of(media, "files") };
    steps.push(call("POST", FILES.to_owned(), body).repeatable());
    let said = say(&caption, to, ctx, Some(steps.len()));
    // Where the thread is asked for in between, the upload is not the last step before.
    let uploaded = if said.len() > 1 { "earlier" } else { "answer" };
    steps.extend(said.into_iter().map(|step| with_file(step, uploaded)));
}

/// The post with the file of that answer.
fn with_file(mut step: Step, uploaded: &str) -> Step {
    let (mut value, mut fill) = match step.body {
        Body::Json(value) => (value, Vec::new()),
        Body::JsonWithSecrets { value, fill } => (value, fill),
        body => return Step { body, ..step },
    };
    set(&mut value, "file_ids", json!([""]));
    fill.push(("/file_ids/0".to_owned(), uploaded.to_owned()));
    step.body = Body::JsonWithSecrets { value, fill };
    step
}

/// One post that shows an image, or links to a file, below its caption where both fit.
fn by_address(media: &Media, caption: &str) -> String {
    let shown = match media.is_image() && shows(media) {
        true => format!("![{}]({})", label(&media.name), media.url),
        false => render(&media.link(), &MARKDOWN, SPEC.text).into_iter().next().unwrap_or_default(),
    };
    let both = format!("{caption}\n\n{shown}");
    if !caption.is_empty() && text::fits(&both, SPEC.text) { both } else { shown }
}

/// <https://developers.mattermost.com/api-documentation/#/operations/GetFile>
pub fn fetch(what: &Fetch) -> Post {
    Post { steps: vec![call("GET", format!("/api/v4/files/{}", encode::segment(&what.id)), Body::None)] }
}

fn texts(markdown: &str, ctx: &PostContext<'_>) -> Vec<String> {
    let dialect: &dyn Dialect = if ctx.plain { &Plain } else { &MARKDOWN };
    render(markdown, dialect, SPEC.text)
}

/// One message. By a command's own address where the bot may not post; as many steps in both ways.
fn say(text: &str, to: &Address, ctx: &PostContext<'_>, index: Option<usize>) -> Vec<Step> {
    if let (Way::Push, Some(hook)) = (ctx.way, to.data.get(HOOK)) {
        // Its channel and its thread are those of the command.
        let body = json!({"response_type": "in_channel", "text": text, "skip_slack_parsing": true});
        return vec![Step::json("api", format!("/hooks/commands/{}", encode::segment(hook)), body)];
    }
    let mut message = json!({"channel_id": to.chat, "message": text});
    if let Some(index) = index {
        set(&mut message, "pending_post_id", json!(ctx.part_key(index)));
    }
    let posts = "/api/v4/posts".to_owned();
    match (to.data.get(POST), &to.thread) {
        // A thread is called by its first post; a webhook tells of any. Where the server does not say (the post is gone,
        // say), the answer stands in the channel itself.
        (Some(post), _) => {
            let asked = format!("{posts}/{}", encode::segment(post));
            set(&mut message, "root_id", json!(""));
            let fill = vec![("/root_id".to_owned(), "answer".to_owned())];
            let body = Body::JsonWithSecrets { value: message, fill };
            vec![call("GET", asked, Body::None).optional(), call("POST", posts, body)]
        }
        (None, Some(root)) => {
            set(&mut message, "root_id", json!(root));
            vec![call("POST", posts, Body::Json(message))]
        }
        (None, None) => vec![call("POST", posts, Body::Json(message))],
    }
}

/// <https://developers.mattermost.com/api-documentation/#/operations/PatchPost>
fn edit(posted: &str, text: &str) -> Step {
    let path = format!("/api/v4/posts/{}/patch", encode::segment(posted));
    call("PUT", path, Body::Json(json!({"message": text}))).repeatable()
}

/// <https://developers.mattermost.com/api-documentation/#/operations/PublishUserTyping>; `me` is the bot itself.
fn typing(to: &Address) -> Step {
    let parent = to.thread.as_deref().unwrap_or("");
    let body = json!({"channel_id": to.chat, "parent_id": parent});
    call("POST", "/api/v4/users/me/typing".to_owned(), Body::Json(body)).optional()
}

fn call(method: &str, path: String, body: Body) -> Step {
    Step::new(method, Target::Base { base: "api".to_owned(), path }, body).auth(Auth::bearer(BOT_TOKEN))
}

/// Shown by its address, which must not end the Markdown around it.
fn shows(media: &Media) -> bool {
    let harmless = |c: char| c.is_ascii_graphic() && !"()<>\\\"`".contains(c);
    media.url.starts_with("https://")
        && media.url.chars().all(harmless)
        && media.url.len() < 8_000
        && text::fits(&media.name, channel::Limit { max: 1_000, unit: channel::Unit::Chars })
}

/// What stands in place of an image that cannot be shown.
fn label(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || " ._-".contains(*c)).collect()
}

fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
