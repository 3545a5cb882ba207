//! What an authentic request says:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>.

use channel::{
    Attachment, Context, Fetch, Inbound, Kind, Received, Response, Sender, Verified, Window, graph,
};
use serde::Deserialize;
use serde_json::Value;

use crate::render::{GROUP, MESSAGE, NUMBER, PHONE};
use crate::spec::{MENTION, NAME};

/// Free text is taken for so long after a person's message, milliseconds:
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const WINDOW_MS: i64 = 24 * 3_600_000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    object: String,
    entry: Vec<Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    changes: Vec<Change>,
}

/// The value is read piece by piece: a message of a new form must not hide the others.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Change {
    field: String,
    value: Value,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    if let Some(challenge) = graph::challenge(verified) {
        return Received::Handshake(challenge);
    }
    let body = verified.json::<Body>().filter(|body| body.object == "whatsapp_business_account");
    let mut ignored = "unknown body";
    let mut inbound = Vec::new();
    for Change { field, value } in
        body.into_iter().flat_map(|body| body.entry).flat_map(|entry| entry.changes)
    {
        ignored = news(&field, &value);
        let read: fn(&Value, &Value, &Context<'_>) -> Result<Inbound, &'static str> = match field.as_str() {
            "messages" => message,
            "smb_message_echoes" => echo,
            _ => continue,
        };
        for one in list(&value, "messages").chain(list(&value, "message_echoes")) {
            match read(one, &value, ctx) {
                Ok(message) => inbound.push(message),
                Err(kind) => ignored = kind,
            }
        }
    }
    if inbound.is_empty() {
        return Received::Nothing(Response::empty(200), ignored);
    }
    Received::Events { ack: Response::empty(200), on_failure: Response::empty(503), inbound }
}

/// What a change is that holds no message.
fn news(field: &str, value: &Value) -> &'static str {
    match field {
        // A message that WhatsApp took and could not deliver, with the reason in `errors`.
        "messages" if list(value, "statuses").any(|status| text(status, "/status") == Some("failed")) => {
            "failed delivery"
        }
        "messages" if value.get("statuses").is_some() => "receipt",
        "history" => "history",
        _ => "other news",
    }
}

/// What somebody wrote to us.
fn message(message: &Value, value: &Value, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let phone = text(message, "/from");
    let contact = contact(value, text(message, "/from_user_id"), phone);
    let user = text(message, "/from_user_id").or(text(contact, "/user_id")).or(phone);
    let (Some(id), Some(user)) = (text(message, "/id"), user) else { return Err("unknown message") };
    let number = text(value, "/metadata/phone_number_id").unwrap_or_default();
    let (said, file) = content(message, number, ctx.account)?;
    let group = text(message, "/group_id");
    let chat = group.unwrap_or(user);
    let name = text(contact, "/profile/name").or(text(contact, "/profile/username")).unwrap_or_default();
    let mut inbound = Inbound::new(NAME, ctx, id.to_owned(), chat, Sender::new(user, name), said);
    if group.is_some() {
        let own = digits(text(value, "/metadata/display_phone_number").unwrap_or_default());
        let quoted = text(message, "/context/from").is_some_and(|from| digits(from) == own);
        let (said, meant) = without_mention(inbound.text(), &own, text(ctx.settings, &format!("/{MENTION}")));
        inbound.kind = Kind::Group;
        inbound.addressed = meant || quoted || said.starts_with('/');
        inbound.content = channel::Content::text(said);
        inbound.address.reply_to = Some(id.to_owned());
        inbound.address.data.insert(GROUP.to_owned(), chat.to_owned());
    } else if let Some(phone) = phone {
        inbound.address.data.insert(PHONE.to_owned(), phone.to_owned());
    }
    inbound.attachments = file.into_iter().collect();
    Ok(placed(inbound, message, number, ctx))
}

/// What a human on our side wrote in the WhatsApp Business app:
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids> has its form.
fn echo(message: &Value, value: &Value, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let phone = text(message, "/to");
    let contact = contact(value, text(message, "/to_user_id"), phone);
    let user = text(message, "/to_user_id").or(text(contact, "/user_id")).or(phone);
    let (Some(id), Some(user)) = (text(message, "/id"), user) else { return Err("unknown message") };
    let number = text(value, "/metadata/phone_number_id").unwrap_or_default();
    let (said, file) = content(message, number, ctx.account)?;
    let us = Sender::new(text(message, "/from").unwrap_or(number), "");
    let mut inbound = Inbound::new(NAME, ctx, id.to_owned(), user, us, said);
    inbound.kind = Kind::OperatorSaid;
    inbound.echo_of = Some(id.to_owned());
    inbound.attachments = file.into_iter().collect();
    inbound.address.data.extend(phone.map(|phone| (PHONE.to_owned(), phone.to_owned())));
    Ok(placed(inbound, message, number, ctx))
}

/// When and at which of our numbers it was written: the same person may write to several.
fn placed(mut inbound: Inbound, message: &Value, number: &str, ctx: &Context<'_>) -> Inbound {
    let seconds: Option<i64> = text(message, "/timestamp").and_then(|seconds| seconds.parse().ok());
    inbound.at = seconds.map_or(ctx.now, |seconds| seconds.saturating_mul(1_000));
    inbound.conversation.chat = format!("{number} {}", inbound.conversation.chat);
    let deadline = inbound.at.saturating_add(WINDOW_MS);
    inbound.address.window = Some(Window { deadline, uses: None });
    inbound.address.data.insert(NUMBER.to_owned(), number.to_owned());
    inbound.address.data.insert(MESSAGE.to_owned(), inbound.id.clone());
    inbound
}

/// The words of a message and its file, or why there are none.
fn content(
    message: &Value,
    number: &str,
    account: &str,
) -> Result<(String, Option<Attachment>), &'static str> {
    let kind = text(message, "/type").unwrap_or_default();
    let said = match kind {
        "text" => text(message, "/text/body"),
        // Buttons of templates, of messages, rows of lists: what they say stands in their id.
        "button" => text(message, "/button/payload").or(text(message, "/button/text")),
        "interactive" => {
            text(message, "/interactive/button_reply/id").or(text(message, "/interactive/list_reply/id"))
        }
        "image" | "audio" | "video" | "document" | "sticker" => {
            let file = file(message, kind, number, account).ok_or("unknown message")?;
            let caption = text(message, &format!("/{kind}/caption")).unwrap_or_default();
            return Ok((caption.to_owned(), Some(file)));
        }
        "location" => return Ok((place(message).ok_or("unknown message")?, None)),
        "contacts" => return Ok((people(message), None)),
        "reaction" => return Err("reaction"),
        "system" => return Err("system"),
        _ => return Err("unknown message"),
    };
    Ok((said.ok_or("empty")?.to_owned(), None))
}

fn file(message: &Value, kind: &str, number: &str, account: &str) -> Option<Attachment> {
    let id = text(message, &format!("/{kind}/id"))?;
    let media_type = text(message, &format!("/{kind}/mime_type")).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let end = media_type.rsplit('/').next().filter(|end| !end.is_empty()).unwrap_or("bin");
    let name = text(message, &format!("/{kind}/filename"));
    Some(Attachment {
        name: name.map_or_else(|| format!("{kind}.{end}"), str::to_owned),
        media_type: media_type.to_owned(),
        size: None,
        fetch: Fetch { account: account.to_owned(), id: format!("{number}/{id}") },
    })
}

fn place(message: &Value) -> Option<String> {
    let at = |name: &str| message.pointer(&format!("/location/{name}")).and_then(Value::as_f64);
    let names = ["/location/name", "/location/address"].iter().filter_map(|name| text(message, name));
    let names: String = names.map(|name| format!("{name}, ")).collect();
    Some(format!("[location: {names}{}, {}]", at("latitude")?, at("longitude")?))
}

fn people(message: &Value) -> String {
    let one = |contact: &Value| {
        let phones = list(contact, "phones").filter_map(|phone| text(phone, "/phone"));
        let name = text(contact, "/name/formatted_name").into_iter();
        format!("[contact: {}]", name.chain(phones).collect::<Vec<_>>().join(", "))
    };
    list(message, "contacts").map(one).collect::<Vec<_>>().join("\n")
}

/// The person among the contacts of the event.
fn contact<'a>(value: &'a Value, user: Option<&str>, phone: Option<&str>) -> &'a Value {
    let is = |contact: &&Value| {
        let same = |pointer: &str, id: Option<&str>| id.is_some() && text(contact, pointer) == id;
        same("/user_id", user) || same("/wa_id", phone)
    };
    list(value, "contacts").find(is).unwrap_or(&Value::Null)
}

/// The text without what means us at its beginning or end, and whether that was there. WhatsApp writes a mention as `@` and
/// the number.
fn without_mention(said: &str, own: &str, called: Option<&str>) -> (String, bool) {
    let number = format!("@{own}");
    let names = [Some(number.as_str()).filter(|_| !own.is_empty()), called];
    let mut rest = said.trim();
    let mut meant = false;
    for name in names.into_iter().flatten().filter(|name| said.contains(name)) {
        meant = true;
        rest = rest.strip_prefix(name).map_or(rest, |rest| rest.trim_start_matches([',', ':', ' ', '\n']));
        rest = rest.strip_suffix(name).map_or(rest, str::trim_end);
    }
    (rest.to_owned(), meant)
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}
