//! What an authentic request says: <https://www.twilio.com/docs/messaging/guides/webhook-request>.

use std::collections::BTreeMap;

use channel::{Attachment, Context, Fetch, Inbound, Received, Response, Sender, Verified, Window};

use crate::render::{MESSAGE, OWN, WHATSAPP, WITH_KEY};
use crate::spec::{NAME, SPEC};

/// WhatsApp takes free text for so long after a person's message: <https://www.twilio.com/docs/api/errors/63016>.
const WINDOW_MS: i64 = 24 * 3_600_000;
/// Files of one message: <https://www.twilio.com/docs/messaging/guides/webhook-request>.
const MAX_FILES: usize = 10;

type Fields = BTreeMap<String, String>;

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let fields: Fields = verified.form().into_iter().collect();
    match inbound(&fields, ctx) {
        Ok(inbound) => {
            Received::Events { ack: ack(), on_failure: Response::empty(503), inbound: vec![inbound] }
        }
        Err(kind) => Received::Nothing(ack(), kind),
    }
}

/// TwiML that says nothing.
fn ack() -> Response {
    let mut response = Response::text(200, r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#);
    response.headers.set("content-type", "text/xml");
    response
}

/// The message, or why it is none to answer.
fn inbound(fields: &Fields, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let get = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.trim().is_empty());
    let status = get("MessageStatus").or(get("SmsStatus")).unwrap_or("received");
    if status != "received" {
        return Err("status");
    }
    // STOP, START and HELP: Twilio has answered, and must be the only one to.
    if get("OptOutType").is_some() {
        return Err("opt-out");
    }
    let (Some(id), Some(from), Some(to)) = (get("MessageSid"), get("From"), get("To")) else {
        return Err("unknown request");
    };
    let attachments = attachments(fields, ctx);
    let text = get("ButtonPayload").or(get("Body")).map(str::to_owned).or_else(|| place(fields));
    if text.is_none() && attachments.is_empty() {
        return Err("empty");
    }
    let sender = Sender::new(from, get("ProfileName").unwrap_or(""));
    let mut inbound = Inbound::new(NAME, ctx, id.to_owned(), from, sender, text.unwrap_or_default());
    // The same person may write to several of our numbers.
    inbound.conversation.chat = format!("{to} {from}");
    inbound.attachments = attachments;
    inbound.address.data.insert(OWN.to_owned(), to.to_owned());
    if from.starts_with(WHATSAPP) {
        inbound.address.window = Some(Window { deadline: ctx.now + WINDOW_MS, uses: None });
        inbound.address.data.insert(MESSAGE.to_owned(), id.to_owned());
    }
    Ok(inbound)
}

fn place(fields: &Fields) -> Option<String> {
    let at = (fields.get("Latitude")?, fields.get("Longitude")?);
    let names = ["Label", "Address"].iter().filter_map(|name| fields.get(*name));
    let names: String = names.filter(|name| !name.is_empty()).map(|name| format!("{name}, ")).collect();
    Some(format!("[location: {names}{}, {}]", at.0, at.1))
}

fn attachments(fields: &Fields, ctx: &Context<'_>) -> Vec<Attachment> {
    let api = SPEC.base("api", ctx.settings).unwrap_or("");
    let one = |index: usize| {
        let url = fields.get(&format!("MediaUrl{index}"))?;
        let media_type = fields.get(&format!("MediaContentType{index}")).cloned().unwrap_or_default();
        let kind = media_type.rsplit('/').next().unwrap_or("bin");
        let id = if url.starts_with(api) { format!("{WITH_KEY}{url}") } else { url.clone() };
        Some(Attachment {
            name: format!("file{}.{kind}", index + 1),
            media_type: media_type.clone(),
            size: None,
            fetch: Fetch { account: ctx.account.to_owned(), id },
        })
    };
    (0..MAX_FILES).map_while(one).collect()
}
