//! What an authentic request says: apps send XML (<https://developer.work.weixin.qq.com/document/path/90239>), bots JSON
//! (<https://developer.work.weixin.qq.com/document/path/100719>).

use std::collections::BTreeMap;

use channel::{
    Attachment, Context, Fetch, Home, Inbound, Kind, Received, Response, Sender, Verified, Window, xml,
};
use serde::Deserialize;
use serde_json::Value;

use crate::render::{AGENT, RESPONSE_URL};
use crate::spec::{BOT_NAME, NAME};

/// A bot's address for its answer is good for an hour, once: <https://developer.work.weixin.qq.com/document/path/101138>.
const WINDOW_MS: i64 = 3_600_000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToBot {
    msgid: String,
    chatid: Option<String>,
    chattype: String,
    from: From,
    response_url: Option<String>,
    #[serde(flatten)]
    content: Content,
    quote: Option<Content>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct From {
    userid: String,
    /// Where the person is of another company than the bot.
    corpid: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    msgtype: String,
    text: Words,
    voice: Words,
    mixed: Mixed,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Words {
    content: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mixed {
    msg_item: Vec<Item>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item {
    msgtype: String,
    text: Words,
}

type Fields = BTreeMap<String, String>;

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let request = verified.request();
    // The check of the address wants to see what was in the parameter, and nothing else.
    if request.method == "GET" {
        return Received::Handshake(Response::text(200, &String::from_utf8_lossy(&request.body)));
    }
    let said = match xml::fields(&request.body) {
        Some(fields) => to_app(&fields, ctx),
        None => verified.json().ok_or("unknown body").and_then(|message| to_bot(message, ctx)),
    };
    match said {
        Ok(inbound) => Received::Events {
            ack: Response::empty(200),
            on_failure: Response::empty(503),
            inbound: vec![inbound],
        },
        Err(kind) => Received::Nothing(Response::empty(200), kind),
    }
}

/// What was written to an app: always by one person.
fn to_app(fields: &Fields, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let get = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let (Some(from), Some(kind)) = (get("FromUserName"), get("MsgType")) else { return Err("no sender") };
    let sent = get("CreateTime").unwrap_or("0");
    let (text, attachment) = match kind {
        "text" => (get("Content").unwrap_or("").trim().to_owned(), None),
        "image" => (String::new(), file(fields, "image.jpg", "image/jpeg", ctx)),
        "voice" => (String::new(), file(fields, "voice.amr", "audio/amr", ctx)),
        "video" => (String::new(), file(fields, "video.mp4", "video/mp4", ctx)),
        "location" => (place(fields), None),
        "link" => (format!("{} {}", get("Title").unwrap_or(""), get("Url").unwrap_or("")), None),
        // A menu's entry, or a button of ours: see `render`.
        "event" => match get("Event").unwrap_or("") {
            "click" | "template_card_event" => (get("EventKey").ok_or("unknown button")?.to_owned(), None),
            "subscribe" | "unsubscribe" => return Err("membership"),
            "enter_agent" => return Err("opened"),
            _ => return Err("unknown event"),
        },
        _ => return Err("unknown message"),
    };
    if text.is_empty() && attachment.is_none() {
        return Err("empty");
    }
    // Events have no id of their own.
    let id = get("MsgId").map_or_else(|| format!("{from}:{sent}:{text}"), str::to_owned);
    let person = Sender { home: Home::Yes, ..Sender::new(from, "") };
    let mut inbound = Inbound::new(NAME, ctx, id, from, person, text);
    inbound.attachments = attachment.into_iter().collect();
    inbound.at = sent.parse().ok().filter(|at: &i64| *at > 0).map_or(ctx.now, |at| at.saturating_mul(1_000));
    inbound.address.data.insert(AGENT.to_owned(), get("AgentID").unwrap_or("").to_owned());
    Ok(inbound)
}

fn file(fields: &Fields, name: &str, media_type: &str, ctx: &Context<'_>) -> Option<Attachment> {
    let id = fields.get("MediaId").filter(|id| !id.is_empty())?.clone();
    let fetch = Fetch { account: ctx.account.to_owned(), id };
    Some(Attachment { name: name.to_owned(), media_type: media_type.to_owned(), size: None, fetch })
}

fn place(fields: &Fields) -> String {
    let get = |name: &str| fields.get(name).map_or("", String::as_str);
    format!("[location: {}, {}, {}]", get("Label"), get("Location_X"), get("Location_Y"))
}

/// What was written to a bot: to it alone, or in a group with a mention.
fn to_bot(message: ToBot, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    match message.content.msgtype.as_str() {
        "event" => return Err("event"),
        // WeCom asks how far a streamed answer is; ours are not.
        "stream" => return Err("stream"),
        "" => return Err("unknown body"),
        _ => {}
    }
    let user = &message.from.userid;
    let Some(url) = message.response_url.filter(|_| !user.is_empty()) else { return Err("no reply address") };
    let group = message.chattype == "group";
    let said = words(&message.content).ok_or("unknown message")?;
    let said = if group { without_mention(&said, ctx.settings) } else { said.trim() };
    let said = match message.quote.as_ref().and_then(words) {
        Some(quoted) if !said.starts_with('/') => {
            let quoted: String = quoted.lines().map(|line| format!("\n> {line}")).collect();
            format!("{said}\n{quoted}")
        }
        _ => said.to_owned(),
    };
    // A bare mention asks what it can do.
    let said = if said.is_empty() { "/help".to_owned() } else { said };
    let chat = message.chatid.filter(|_| group).unwrap_or_else(|| user.clone());
    let home = if message.from.corpid.is_some() { Home::No } else { Home::Yes };
    let person = Sender { home, ..Sender::new(user, "") };
    let mut inbound = Inbound::new(NAME, ctx, message.msgid, &chat, person, said);
    if group {
        inbound.kind = Kind::Group;
    }
    inbound.address.window = Some(Window { deadline: ctx.now + WINDOW_MS, uses: Some(1) });
    inbound.address.data.insert(RESPONSE_URL.to_owned(), url);
    Ok(inbound)
}

/// Pictures and files of bots are encrypted with the key that only the receiving half has, and gone after five minutes:
/// they are named, not fetched.
fn words(content: &Content) -> Option<String> {
    Some(match content.msgtype.as_str() {
        "text" => content.text.content.clone(),
        "voice" => content.voice.content.clone(),
        "image" => "[image]".to_owned(),
        "file" => "[file]".to_owned(),
        "video" => "[video]".to_owned(),
        "mixed" => {
            let item = |item: &Item| match item.msgtype.as_str() {
                "text" => item.text.content.clone(),
                kind => format!("[{kind}]"),
            };
            content.mixed.msg_item.iter().map(item).collect::<Vec<_>>().join("\n")
        }
        _ => return None,
    })
}

fn without_mention<'a>(said: &'a str, settings: &Value) -> &'a str {
    let said = said.trim();
    let Some(rest) = said.strip_prefix('@') else { return said };
    match settings.get(BOT_NAME).and_then(Value::as_str) {
        Some(name) => rest.strip_prefix(name).unwrap_or(said).trim(),
        None => rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim()),
    }
}
