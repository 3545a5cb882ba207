//! An answer as events: <https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room>.

use channel::markdown::{CommonMark, Dialect, Plain, html, render};
use channel::{
    Address, Auth, Body, Fetch, Media, Part, Post, PostContext, Step, Target, Upload, encode, sign, text,
};
use serde_json::{Value, json};

use crate::spec::{AS_TOKEN, SPEC, USER_ID};

/// Where [`Address::data`] says that the room must be joined first, and whether also where nothing is answered.
pub const JOIN: &str = "join";
pub const AT_ONCE: &str = "at once";
pub const WITH_AN_ANSWER: &str = "with an answer";

pub const UPLOAD: &str = "/_matrix/media/v3/upload";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";

/// HTML that is longer, as JSON and in bytes, is left out: the text beside it must fit into the event, too.
const MAX_HTML: usize = 36_000;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    let answers = parts.iter().any(|part| part.as_text().is_some());
    let dismissed = parts.contains(&Part::Dismiss);
    let begins = parts.iter().any(|part| matches!(part, Part::Draft { posted: None, .. }));
    match to.data.get(JOIN).map(String::as_str) {
        Some(_) if answers => steps.push(join(to)),
        Some(_) if begins => steps.push(join(to).optional()),
        Some(AT_ONCE) if dismissed => steps.push(join(to).optional()),
        _ => {}
    }
    for part in parts {
        match part {
            Part::Typing => steps.push(typing(to)),
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, .. } => {
                let so_far = contents(text, ctx).into_iter().next();
                steps.extend(so_far.map(|content| {
                    match posted {
                        Some(posted) => change(to, ctx, edited(content, posted)).optional(),
                        // The same whatever it says: a retry finds the message that there is.
                        None => {
                            let key = format!("{}-draft", ctx.part_key(0));
                            send(to, &key, related(content, to)).optional()
                        }
                    }
                }));
            }
            Part::Edit { posted, text, .. } => {
                let mut contents = contents(text, ctx).into_iter();
                if let Some(content) = contents.next().map(|content| edited(content, posted)) {
                    steps.push(change(to, ctx, content));
                }
                for content in contents {
                    steps.push(send(to, &ctx.part_key(steps.len()), related(content, to)));
                }
            }
            Part::Media(media) => file(media, to, ctx, &mut steps),
            // Choices have no form of their own.
            Part::Text(_) | Part::Buttons { .. } => {
                for content in contents(&part.as_text().unwrap_or_default(), ctx) {
                    steps.push(send(to, &ctx.part_key(steps.len()), related(content, to)));
                }
            }
        }
    }
    Post { steps }
}

/// A file is uploaded to the homeserver first, which answers with its address there:
/// <https://spec.matrix.org/latest/client-server-api/#post_matrixmediav3upload>. Where that was refused, a link is sent, after a
/// call that asks for nothing but who we are: the same number of steps.
fn file(media: &Media, to: &Address, ctx: &PostContext<'_>, steps: &mut Vec<Step>) {
    let mut captions = contents(&media.caption, ctx);
    let caption = captions.pop();
    for content in captions {
        steps.push(send(to, &ctx.part_key(steps.len()), related(content, to)));
    }
    if ctx.plain {
        steps.push(call("GET", WHOAMI.to_owned(), Body::None).optional());
        let content = related(linked(media, caption, ctx), to);
        steps.push(send(to, &ctx.part_key(steps.len()), content));
        return;
    }
    let path = format!("{UPLOAD}?filename={}", encode::segment(&media.name));
    steps.push(call("POST", path, Body::None).file(Upload::of(media, "")).repeatable());
    let mut step = send(to, &ctx.part_key(steps.len()), related(shown(media, caption), to));
    if let Body::Json(value) = step.body {
        step.body = Body::JsonWithSecrets { value, fill: vec![("/url".to_owned(), "answer".to_owned())] };
    }
    steps.push(step);
}

/// A file's message: <https://spec.matrix.org/latest/client-server-api/#mimage>. With a caption the body is that.
fn shown(media: &Media, caption: Option<Value>) -> Value {
    let kind = match media.media_type.split('/').next().unwrap_or("") {
        "image" => "m.image",
        "audio" => "m.audio",
        "video" => "m.video",
        _ => "m.file",
    };
    let mut content = caption.unwrap_or_else(|| json!({"body": media.name, "m.mentions": {}}));
    set(&mut content, "msgtype", json!(kind));
    set(&mut content, "filename", json!(media.name));
    set(&mut content, "info", json!({"mimetype": media.media_type}));
    set(&mut content, "url", json!(""));
    content
}

/// The link that stands for a file, below its caption where both fit.
fn linked(media: &Media, caption: Option<Value>, ctx: &PostContext<'_>) -> Value {
    let link = contents(&media.link(), ctx).into_iter().next().unwrap_or(Value::Null);
    let text = |content: &Value| content.get("body").and_then(Value::as_str).unwrap_or("").to_owned();
    let both = caption.map(|caption| format!("{}\n\n{}", text(&caption), text(&link)));
    match both.filter(|both| text::fits(both, SPEC.text)) {
        Some(both) => json!({"msgtype": "m.text", "body": both, "m.mentions": {}}),
        None => link,
    }
}

/// What the id of a [`Fetch`] begins with where a smaller picture will do.
pub const SMALL: &str = "small:";

/// <https://spec.matrix.org/latest/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid>, and
/// `…/thumbnail/…` beside it.
pub fn fetch(what: &Fetch) -> Post {
    let small = what.id.strip_prefix(SMALL);
    let id = small.unwrap_or(&what.id);
    let (server, id) = id.trim_start_matches("mxc://").split_once('/').unwrap_or((id, ""));
    let (kind, size) = match small {
        Some(_) => ("thumbnail", "?width=1600&height=1600&method=scale"),
        None => ("download", ""),
    };
    let (server, id) = (encode::segment(server), encode::segment(id));
    Post {
        steps: vec![call("GET", format!("/_matrix/client/v1/media/{kind}/{server}/{id}{size}"), Body::None)],
    }
}

/// The messages that say a text: CommonMark, which every client can show, and the same as HTML. They mention nobody.
fn contents(markdown: &str, ctx: &PostContext<'_>) -> Vec<Value> {
    let dialect: &dyn Dialect = if ctx.plain { &Plain } else { &CommonMark };
    let content = |text: String| {
        let mut content = json!({"msgtype": "m.text", "body": text, "m.mentions": {}});
        let html = Value::from(html(&text).trim_end());
        if !ctx.plain && html.to_string().len() <= MAX_HTML {
            set(&mut content, "format", json!("org.matrix.custom.html"));
            set(&mut content, "formatted_body", html);
        }
        content
    };
    render(markdown, dialect, SPEC.text).into_iter().map(content).collect()
}

/// In the thread of the question, or as the answer to it; clients without threads show the latter.
/// <https://spec.matrix.org/latest/client-server-api/#threading>
fn related(mut content: Value, to: &Address) -> Value {
    let relation = match (&to.thread, &to.reply_to) {
        (Some(thread), reply_to) => json!({
            "rel_type": "m.thread", "event_id": thread, "is_falling_back": true,
            "m.in_reply_to": {"event_id": reply_to.as_ref().unwrap_or(thread)},
        }),
        (None, _) => return content,
    };
    set(&mut content, "m.relates_to", relation);
    content
}

/// <https://spec.matrix.org/latest/client-server-api/#event-replacements>
fn edited(content: Value, posted: &str) -> Value {
    let body = content.get("body").and_then(Value::as_str).unwrap_or("").to_owned();
    // For clients that know no edits; the whole would not fit twice.
    let body = format!("* {}", text::cut(body, 1_000));
    json!({
        "msgtype": "m.text", "body": body, "m.mentions": {}, "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": posted},
    })
}

/// The homeserver posts what comes with the same key only once.
fn send(to: &Address, key: &str, content: Value) -> Step {
    let path = format!("/_matrix/client/v3/rooms/{}/send/m.room.message/{key}", encode::segment(&to.chat));
    call("PUT", path, Body::Json(content)).repeatable()
}

/// What a message says from now on, under a key of its own each time: one change is no repetition of another.
fn change(to: &Address, ctx: &PostContext<'_>, content: Value) -> Step {
    let hash = sign::sha256_hex(content.to_string().as_bytes());
    let key = format!("{}-{}", ctx.part_key(0), hash.get(..16).unwrap_or(""));
    send(to, &key, content).repeatable()
}

/// Where we are in the room already, nothing happens:
/// <https://spec.matrix.org/latest/client-server-api/#post_matrixclientv3joinroomidoralias>.
fn join(to: &Address) -> Step {
    call("POST", format!("/_matrix/client/v3/join/{}", encode::segment(&to.chat)), Body::Json(json!({})))
        .repeatable()
}

/// <https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidtypinguserid>
fn typing(to: &Address) -> Step {
    let path = format!("/_matrix/client/v3/rooms/{}/typing/{{{USER_ID}}}", encode::segment(&to.chat));
    call("PUT", path, Body::Json(json!({"typing": true, "timeout": 20_000}))).optional()
}

fn call(method: &str, path: String, body: Body) -> Step {
    Step::new(method, Target::Base { base: "api".to_owned(), path }, body).auth(Auth::bearer(AS_TOKEN))
}

fn set(content: &mut Value, name: &str, value: Value) {
    if let Some(fields) = content.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
