//! What an authentic event says: <https://open.feishu.cn/document/server-docs/im-v1/message/events/receive>.

use channel::{Attachment, Context, Fetch, Home, Inbound, Kind, Received, Response, Sender, Verified};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::message::{self, Said};
use crate::render::GROUP;
use crate::spec::{BOT, NAME, cloud};

/// Times in milliseconds have 13 digits; some events have them in microseconds.
const MICROSECONDS: i64 = 100_000_000_000_000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    schema: String,
    header: Header,
    event: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    event_id: String,
    event_type: String,
    create_time: String,
    /// The tenant that the app belongs to.
    tenant_key: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    sender: Person,
    message: Message,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Person {
    sender_id: Ids,
    sender_type: String,
    tenant_key: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids {
    open_id: Option<String>,
    user_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    message_id: String,
    root_id: Option<String>,
    thread_id: Option<String>,
    create_time: String,
    chat_id: String,
    chat_type: String,
    message_type: String,
    content: String,
    mentions: Vec<Mention>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mention {
    key: String,
    id: Ids,
    name: Option<String>,
    mentioned_type: Option<String>,
}

/// A pressed button: <https://open.feishu.cn/document/feishu-cards/card-callback-communication>.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Click {
    operator: Operator,
    action: Action,
    context: Place,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Operator {
    open_id: String,
    tenant_key: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Action {
    value: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    open_chat_id: String,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(body) = verified.json::<Body>() else { return nothing("unknown body") };
    if body.kind == "url_verification" {
        return Received::Handshake(Response::json(200, &json!({"challenge": body.challenge})));
    }
    if body.schema != "2.0" {
        return nothing("event of version 1");
    }
    let Body { header, event, .. } = body;
    let said = match header.event_type.as_str() {
        "im.message.receive_v1" => read(event).and_then(|event| said(&header, event, ctx)),
        "card.action.trigger" => read(event).and_then(|click| clicked(&header, click, ctx)),
        "im.message.message_read_v1" => Err("receipt"),
        "im.message.recalled_v1" => Err("recalled"),
        kind if kind.starts_with("im.message.reaction.") => Err("sign"),
        kind if kind.starts_with("im.chat.") => Err("membership"),
        _ => Err("unknown event"),
    };
    said.map_or_else(nothing, |inbound| Received::Events {
        ack: ack(),
        on_failure: Response::empty(503),
        inbound: vec![inbound],
    })
}

fn ack() -> Response {
    Response::json(200, &json!({}))
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(ack(), kind)
}

fn read<T: serde::de::DeserializeOwned>(event: Value) -> Result<T, &'static str> {
    serde_json::from_value(event).map_err(|_| "unknown form")
}

/// The message, or why it is none to answer.
fn said(header: &Header, event: Event, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let Event { sender, message } = event;
    if sender.sender_type != "user" {
        return Err("bot");
    }
    let user = sender.sender_id.open_id.as_deref().filter(|id| !id.is_empty()).ok_or("no sender")?;
    let Said { text, files } =
        message::read(&message.message_type, &message.content).ok_or("unknown message")?;
    let ours = ours(&message.mentions, ctx);
    let text = without_keys(text, &message.mentions, &ours);
    let group = message.chat_type == "group";
    if text.is_empty() && files.is_empty() && ours.is_empty() {
        return Err("empty");
    }
    // A bare mention asks what it can do.
    let text = if text.is_empty() && files.is_empty() { "/help".to_owned() } else { text };
    let person = Sender { home: home(header, sender.tenant_key.as_deref()), ..Sender::new(user, "") };
    let begins = text.starts_with('/');
    let mut inbound = Inbound::new(NAME, ctx, header.event_id.clone(), &message.chat_id, person, text)
        .in_thread(thread(&message, group));
    if group {
        inbound.kind = Kind::Group;
        inbound.addressed = !ours.is_empty() || begins;
        inbound.address.data.insert(GROUP.to_owned(), "1".to_owned());
    }
    let fetch = |kind: &str, key: &str| Fetch {
        account: ctx.account.to_owned(),
        id: format!("{} {} {kind} {key}", cloud(ctx.settings), message.message_id),
    };
    let attachment = |file: message::File| Attachment {
        fetch: fetch(file.kind, &file.key),
        name: file.name,
        media_type: file.media_type.to_owned(),
        size: None,
    };
    inbound.attachments = files.into_iter().map(attachment).collect();
    inbound.at = time(&message.create_time).unwrap_or(ctx.now);
    inbound.address.reply_to = Some(message.message_id);
    Ok(inbound)
}

/// What a button says is what we put into it: see `render`.
fn clicked(header: &Header, click: Click, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let value = |name: &str| click.action.value.get(name).and_then(Value::as_str);
    let Some(says) = value("says") else { return Err("unknown button") };
    if click.operator.open_id.is_empty() || click.context.open_chat_id.is_empty() {
        return Err("no sender");
    }
    let home = home(header, click.operator.tenant_key.as_deref());
    let person = Sender { home, ..Sender::new(&click.operator.open_id, "") };
    let chat = &click.context.open_chat_id;
    let mut inbound = Inbound::new(NAME, ctx, header.event_id.clone(), chat, person, says.to_owned())
        .in_thread(value("thread").map(str::to_owned));
    if value(GROUP).is_some() {
        inbound.kind = Kind::Group;
        inbound.address.data.insert(GROUP.to_owned(), "1".to_owned());
    }
    inbound.at = time(&header.create_time).unwrap_or(ctx.now);
    Ok(inbound)
}

/// A mention in a group opens a thread, which is known by the message that it began with.
fn thread(message: &Message, group: bool) -> Option<String> {
    let some = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
    match (some(&message.thread_id), some(&message.root_id)) {
        (Some(_), Some(root)) => Some(root),
        _ if group => Some(message.message_id.clone()),
        _ => None,
    }
}

/// The keys of the mentions that are the bot's own.
fn ours(mentions: &[Mention], ctx: &Context<'_>) -> Vec<String> {
    let keys = |ours: &dyn Fn(&Mention) -> bool| {
        mentions.iter().filter(|mention| ours(mention)).map(|mention| mention.key.clone()).collect()
    };
    if let Some(bot) = ctx.settings.get(BOT).and_then(Value::as_str) {
        return keys(&|mention| mention.id.open_id.as_deref() == Some(bot));
    }
    if mentions.iter().any(|mention| mention.mentioned_type.is_some()) {
        return keys(&|mention| mention.mentioned_type.as_deref() == Some("bot"));
    }
    // Feishu gives a bot only the messages that mention it. Bots have no user id.
    let is_bot = |mention: &&Mention| mention.id.user_id.as_deref().is_none_or(str::is_empty);
    let bot = mentions.iter().find(is_bot).or(mentions.first());
    bot.map(|mention| mention.key.clone()).into_iter().collect()
}

/// The text with names in place of the keys of mentions, without our own.
fn without_keys(text: String, mentions: &[Mention], ours: &[String]) -> String {
    let mut mentions: Vec<&Mention> = mentions.iter().filter(|mention| !mention.key.is_empty()).collect();
    // `@_user_1` begins `@_user_10`.
    mentions.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
    let text = mentions.iter().fold(text, |text, mention| {
        let name = mention.name.as_deref().unwrap_or("somebody");
        let shown = if ours.contains(&mention.key) { String::new() } else { format!("@{name}") };
        text.replace(&mention.key, &shown)
    });
    text.replace("@_all", "@all").trim().to_owned()
}

fn home(header: &Header, of: Option<&str>) -> Home {
    match (header.tenant_key.as_deref(), of) {
        (Some(ours), Some(theirs)) if ours == theirs => Home::Yes,
        (Some(_), Some(_)) => Home::No,
        _ => Home::Unknown,
    }
}

fn time(text: &str) -> Option<i64> {
    let at = text.parse::<i64>().ok().filter(|at| *at > 0)?;
    Some(if at >= MICROSECONDS { at / 1_000 } else { at })
}
