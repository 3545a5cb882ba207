//! From an authentic request to the message in it.

use channel::{Attachment, Context, Fetch, Home, Inbound, Received, Response, Sender};
use serde::Deserialize;
use serde_json::json;

use crate::openai::{self, Image, Question};
use crate::outbox::PROGRAMS;
use crate::session::{PROGRAM, Session};
use crate::spec::NAME;
use crate::verify::{Known, Who};
use crate::{Route, upload};

/// `Address.data`: when the question was written, by which its replies are sorted.
pub const AT: &str = "at";
/// `Address.data`: the page's own id of the question.
pub const TO: &str = "to";

const MAX_ID: usize = 64;
const MAX_FILES: usize = 10;
/// Of a file's name, bytes.
const MAX_NAME: usize = 128;

/// What the widget POSTs.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Written {
    /// The page's own id of the message, the same when it sends it again.
    id: String,
    text: String,
    attachments: Vec<File>,
}

/// A file: where it lies on the web, or what it is called in the stack's bucket.
#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    url: String,
    file: String,
    name: String,
    mime: String,
    size: Option<u64>,
}

pub fn parse(known: &Known<'_>, ctx: &Context<'_>) -> Received {
    let Known { request, who } = known;
    match (Route::of(request.request()), who) {
        (Route::Message, Who::Visitor(session)) => match request.json::<Written>() {
            Some(written) => message(written, session, ctx),
            None => ignored("unknown", "this is no JSON with a text"),
        },
        (Route::Complete, Who::Program) => match openai::question(&request.request().body) {
            Ok(question) => completion(&question, request.request(), ctx),
            Err(fault) => Received::Nothing(Response::json(202, &fault.json()), "incomplete"),
        },
        (Route::Models, Who::Program) => Received::Handshake(Response::json(200, &openai::models())),
        (Route::Model, Who::Program) => Received::Handshake(openai::named(&request.request().path)),
        (Route::OtherOfPrograms, Who::Program) => {
            let nothing = openai::error(404, openai::words(404));
            Received::Handshake(Response::json(404, &nothing))
        }
        _ => ignored("unknown", "nothing is taken here"),
    }
}

fn message(written: Written, session: &Session, ctx: &Context<'_>) -> Received {
    if written.id.is_empty() || written.id.len() > MAX_ID {
        return ignored("incomplete", "id must be 1 to 64 bytes, another one for every message");
    }
    if written.text.trim().is_empty() && written.attachments.is_empty() {
        return ignored("empty", "neither text nor attachments");
    }
    // Unknown visitors are known by their address alone: whoever shares it would own the assistant, too.
    if !session.known && written.text.trim().to_ascii_lowercase().starts_with("claim-") {
        return ignored("claim", "only people who are signed in can own the assistant");
    }
    let mut sender = Sender::new(&session.user, &session.name);
    sender.home = if session.known { Home::Yes } else { Home::No };
    let id = format!("{}:{}", session.id, written.id);
    let mut inbound = Inbound::new(NAME, ctx, id, &session.id, sender, written.text);
    inbound.attachments = files(written.attachments.into_iter(), &session.id, ctx);
    inbound.address.data.insert(TO.to_owned(), written.id.clone());
    taken(inbound, json!({"status": "queued", "id": written.id, "at": ctx.now}), ctx)
}

/// A conversation of its own, because the program sends what was said before along.
fn completion(question: &Question, request: &channel::Request, ctx: &Context<'_>) -> Received {
    let key = request.headers.get("idempotency-key").filter(|key| !key.is_empty());
    let made_of = match key {
        Some(key) => format!("key\0{key}"),
        None => format!("{}\0{}", ctx.now, String::from_utf8_lossy(&request.body)),
    };
    let session = format!("{PROGRAMS}{}", channel::short_id(&channel::sign::sha256_hex(made_of.as_bytes())));
    let mut sender = Sender::new(&format!("{PROGRAM}{}", question.user), &question.user);
    sender.home = Home::Yes;
    let mut inbound = Inbound::new(NAME, ctx, session.clone(), &session, sender, question.text.clone());
    let image = |image: &Image| File {
        url: image.url.clone(),
        file: image.file.clone(),
        name: "image".to_owned(),
        ..File::default()
    };
    inbound.attachments = files(question.images.iter().map(image), upload::OF_PROGRAMS, ctx);
    taken(inbound, json!({"status": "queued", "session": session, "at": ctx.now}), ctx)
}

/// What the invoker can fetch: https addresses, and files that their owner put into the bucket. Nobody can name another's,
/// because the owner is part of the key.
fn files(files: impl Iterator<Item = File>, owner: &str, ctx: &Context<'_>) -> Vec<Attachment> {
    let attachment = |file: File| {
        let id = match file.file.as_str() {
            "" => Some(file.url).filter(|url| url.starts_with("https://")),
            id => upload::key(ctx.account, owner, id),
        };
        Some(Attachment {
            name: if file.name.is_empty() {
                "file".to_owned()
            } else {
                channel::text::cut(file.name, MAX_NAME)
            },
            media_type: file.mime,
            size: file.size,
            fetch: Fetch { account: ctx.account.to_owned(), id: id? },
        })
    };
    files.filter_map(attachment).take(MAX_FILES).collect()
}

fn taken(mut inbound: Inbound, ack: serde_json::Value, ctx: &Context<'_>) -> Received {
    inbound.address.data.insert(AT.to_owned(), ctx.now.to_string());
    let on_failure = Response::json(503, &json!({"status": "not queued, please send again"}));
    Received::Events { ack: Response::json(202, &ack), on_failure, inbound: vec![inbound] }
}

fn ignored(kind: &'static str, reason: &str) -> Received {
    Received::Nothing(Response::json(202, &json!({"status": "ignored", "reason": reason})), kind)
}
