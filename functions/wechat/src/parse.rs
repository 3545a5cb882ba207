//! What an authentic request says:
//! <https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html>.

use std::collections::BTreeMap;

use channel::{
    Attachment, Context, Fetch, Inbound, Received, Response, Sender, Verified, Window, encode, xml,
};
use serde_json::Value;

use crate::spec::NAME;

/// What a message allows, and what a menu's entry allows:
/// <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>.
const AFTER_MESSAGE: (i64, u32) = (48 * 3_600_000, 5);
const AFTER_MENU: (i64, u32) = (60_000, 3);

pub type Fields = BTreeMap<String, String>;

/// The body's fields, XML or JSON as the account is set to. Numbers become text: ids have 64 bits.
pub fn fields(body: &[u8]) -> Option<Fields> {
    if let Some(fields) = xml::fields(body) {
        return Some(fields);
    }
    if encode::json_depth(body) > encode::MAX_JSON_DEPTH {
        return None;
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return None };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    };
    Some(fields.into_iter().filter_map(text).collect())
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let request = verified.request();
    if request.method == "GET" {
        let echo = request.query("echostr").unwrap_or_default();
        return Received::Handshake(Response::text(200, &echo));
    }
    let said = fields(&request.body).ok_or("unknown body").and_then(|fields| inbound(&fields, ctx));
    match said {
        Ok(inbound) => {
            Received::Events { ack: ack(), on_failure: Response::empty(503), inbound: vec![inbound] }
        }
        Err(kind) => Received::Nothing(ack(), kind),
    }
}

/// Anything else is shown to the person, or makes WeChat try again.
fn ack() -> Response {
    Response::text(200, "success")
}

/// The message, or why it is none to answer.
fn inbound(fields: &Fields, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let get = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.trim().is_empty());
    let (Some(from), Some(kind)) = (get("FromUserName"), get("MsgType")) else { return Err("no sender") };
    let sent = get("CreateTime").unwrap_or("0");
    let mut allowed = AFTER_MESSAGE;
    let (text, attachment) = match kind {
        "text" => (get("Content").unwrap_or("").trim().to_owned(), None),
        "image" => (String::new(), file(fields, "image.jpg", "image/jpeg", ctx)),
        // Where the account has speech recognition, the words come along.
        "voice" => (get("Recognition").unwrap_or("").to_owned(), file(fields, "voice.amr", "audio/amr", ctx)),
        "video" | "shortvideo" => (String::new(), file(fields, "video.mp4", "video/mp4", ctx)),
        "location" => (place(fields), None),
        "link" => (format!("{} {}", get("Title").unwrap_or(""), get("Url").unwrap_or("")), None),
        "event" => match get("Event").unwrap_or("") {
            "CLICK" => {
                allowed = AFTER_MENU;
                (get("EventKey").ok_or("unknown event")?.to_owned(), None)
            }
            "subscribe" | "unsubscribe" => return Err("membership"),
            "SCAN" | "VIEW" | "LOCATION" => return Err("sign"),
            _ => return Err("unknown event"),
        },
        _ => return Err("unknown message"),
    };
    if text.is_empty() && attachment.is_none() {
        return Err("empty");
    }
    // Events have no id of their own.
    let id = get("MsgId").map_or_else(|| format!("{from}:{sent}:{text}"), str::to_owned);
    let mut inbound = Inbound::new(NAME, ctx, id, from, Sender::new(from, ""), text);
    inbound.attachments = attachment.into_iter().collect();
    inbound.at = sent.parse().ok().filter(|at: &i64| *at > 0).map_or(ctx.now, |at| at.saturating_mul(1_000));
    let (for_ms, uses) = allowed;
    inbound.address.window = Some(Window { deadline: inbound.at.saturating_add(for_ms), uses: Some(uses) });
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
