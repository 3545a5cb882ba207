//! Events of the Messenger Platform, which Messenger and Instagram share:
//! <https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks>.

use serde::Deserialize;
use serde_json::Value;

use super::{APP_ID, challenge, id_setting};
use crate::{
    Attachment, AuthKind, Connect, Context, Fetch, Inbound, Kind, Limit, Overlap, Pace, Received, Reject401,
    Response, Sender, Spec, Streaming, ThreadRule, Unit, Verified, Window, encode,
};

/// Text and files go out within so long after a person's message, milliseconds:
/// <https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy>.
const WINDOW_MS: i64 = 24 * 3_600_000;

/// Where the platform keeps what people send; an address there needs no token.
const CDN: &[&str] = &[".fbcdn.net", ".fbsbx.com", ".cdninstagram.com"];

/// The same as [`crate::Spec::hosts`].
const HOSTS: &[&str] = &["*.fbcdn.net", "*.fbsbx.com", "*.cdninstagram.com"];

/// What holds for both; each fills in what is its own.
pub const FACTS: Spec = Spec {
    name: "",
    title: "",
    secrets: &[],
    tokens: &[],
    bases: &[],
    hosts: HOSTS,
    key_hosts: &[],
    // Up to 1,000 events (developers.facebook.com/docs/graph-api/webhooks/getting-started); their size is not published.
    max_body: 3 << 20,
    text: Limit { max: 1_000, unit: Unit::Bytes },
    // developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks: 5 seconds
    ack_deadline_ms: 5_000,
    retries: true,
    // developers.facebook.com/docs/graph-api/webhooks/getting-started: 36 hours. Of Messenger its page says only that after
    // an hour of failures the app is told nothing more of the Page.
    retry_window_s: 36 * 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 403, body: "" },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Manual(""),
    settings: &[],
};

/// What tells the two apart.
pub struct Messaging {
    pub channel: &'static str,
    /// `object` of its events.
    pub object: &'static str,
    /// Longest text.
    pub text: Limit,
    /// Whether its messages say what they are (`messaging_type`).
    pub typed: bool,
    /// The kind of attachment that a media type is sent as; `None` = not at all.
    pub attachment: fn(media_type: &str) -> Option<&'static str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    object: String,
    entry: Vec<Entry>,
}

/// Each event is read on its own: one of a new form must not hide the others.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    messaging: Vec<Value>,
    /// Events while another app has the conversation.
    standby: Vec<Value>,
}

/// The answer that the platform's page asks for.
pub fn ack() -> Response {
    Response::text(200, "EVENT_RECEIVED")
}

impl Messaging {
    /// What an authentic request says.
    pub fn parse(&self, verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
        if let Some(challenge) = challenge(verified) {
            return Received::Handshake(challenge);
        }
        // Meta's own examples wrap the body in a list; deliveries are objects.
        let bodies = verified.json::<Vec<Body>>().or_else(|| Some(vec![verified.json()?]));
        let mut ignored = "unknown body";
        let mut inbound = Vec::new();
        for body in bodies.unwrap_or_default() {
            if body.object != self.object {
                continue;
            }
            ignored = "other news";
            for entry in body.entry {
                let here = entry.messaging.iter().map(|event| (event, false));
                for (event, standby) in here.chain(entry.standby.iter().map(|event| (event, true))) {
                    match self.inbound(event, standby, ctx) {
                        Ok(message) => inbound.push(message),
                        Err(kind) => ignored = kind,
                    }
                }
            }
        }
        if inbound.is_empty() {
            return Received::Nothing(ack(), ignored);
        }
        Received::Events { ack: ack(), on_failure: Response::empty(503), inbound }
    }

    /// The message in an event, or why there is none to answer.
    fn inbound(&self, event: &Value, standby: bool, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
        let (Some(from), Some(to)) = (text(event, "/sender/id"), text(event, "/recipient/id")) else {
            return Err("unknown event");
        };
        let at = event.get("timestamp").and_then(Value::as_i64).filter(|at| *at > 0).unwrap_or(ctx.now);
        let Some(message) = event.get("message").or(event.get("postback")) else { return Err(other(event)) };
        let is = |what: &str| message.get(what).and_then(Value::as_bool).unwrap_or_default();
        if is("is_deleted") {
            return Err("unsent");
        }
        if is("is_self") || from == to {
            return Err("to itself");
        }
        let id = match text(message, "/mid") {
            Some(id) => id.to_owned(),
            None if event.get("postback").is_some() => format!("postback {from} {at}"),
            None => return Err("unknown event"),
        };
        let (said, attachments) = content(message, ctx.account);
        let mut inbound = if is("is_echo") {
            if self.is_ours(message, ctx) {
                return Err("own message");
            }
            let mut echo = Inbound::new(self.channel, ctx, id.clone(), to, Sender::new(from, ""), said);
            echo.kind = Kind::OperatorSaid;
            echo.echo_of = Some(id);
            echo
        } else {
            if standby {
                return Err("standby");
            }
            if is("is_unsupported") || (said.is_empty() && attachments.is_empty()) {
                return Err("unknown message");
            }
            Inbound::new(self.channel, ctx, id, from, Sender::new(from, ""), said)
        };
        inbound.attachments = attachments;
        inbound.at = at;
        inbound.address.window = Some(Window { deadline: at.saturating_add(WINDOW_MS), uses: None });
        Ok(inbound)
    }

    /// Known at once where our app is named; else by the ids of what we posted.
    fn is_ours(&self, message: &Value, ctx: &Context<'_>) -> bool {
        let named = id_setting(message, APP_ID);
        named.is_some() && named == id_setting(ctx.settings, APP_ID)
    }
}

/// What an event is that holds no message.
fn other(event: &Value) -> &'static str {
    let kinds = [
        ("delivery", "receipt"),
        ("read", "receipt"),
        ("seen", "receipt"),
        ("reaction", "reaction"),
        ("message_edit", "edit"),
        ("referral", "referral"),
        ("pass_thread_control", "handover"),
        ("take_thread_control", "handover"),
        ("request_thread_control", "handover"),
    ];
    kinds.iter().find(|(name, _)| event.get(name).is_some()).map_or("unknown event", |(_, kind)| kind)
}

/// The words and the files of a message. What a button says stands in its payload.
fn content(message: &Value, account: &str) -> (String, Vec<Attachment>) {
    let pressed = text(message, "/quick_reply/payload").or(text(message, "/payload"));
    let words = pressed.or(text(message, "/text")).or(text(message, "/title")).unwrap_or_default();
    let mut words = vec![words.to_owned()];
    let mut files = Vec::new();
    let story = text(message, "/reply_to/story/url").map(|url| ("story", url));
    files.extend(story.and_then(|(kind, url)| file(kind, url, account)));
    for attached in message.get("attachments").and_then(Value::as_array).into_iter().flatten() {
        let kind = text(attached, "/type").unwrap_or("file");
        let url = text(attached, "/payload/url").or(text(attached, "/url"));
        let title = text(attached, "/payload/title").or(text(attached, "/title"));
        match (url.and_then(|url| file(kind, url, account)), url, place(attached)) {
            (Some(file), ..) => files.push(file),
            (None, _, Some(place)) => words.push(place),
            (None, Some(url), None) => words.push(match title {
                Some(title) => format!("[link: {title}, {url}]"),
                None => format!("[link: {url}]"),
            }),
            (None, None, None) => {}
        }
    }
    words.retain(|words| !words.trim().is_empty());
    (words.join("\n"), files)
}

fn place(attached: &Value) -> Option<String> {
    let at = |name: &str| attached.pointer(&format!("/payload/coordinates/{name}")).and_then(Value::as_f64);
    let title = text(attached, "/title").map(|title| format!("{title}, ")).unwrap_or_default();
    Some(format!("[location: {title}{}, {}]", at("lat")?, at("long")?))
}

/// A file that lies with the platform.
fn file(kind: &str, url: &str, account: &str) -> Option<Attachment> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    CDN.iter().find(|cdn| host.ends_with(**cdn))?;
    let (name, media_type) = match kind {
        "image" => ("image.jpg", "image/jpeg"),
        "video" => ("video.mp4", "video/mp4"),
        "audio" => ("audio.mp4", "audio/mp4"),
        "file" => (path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or("file"), ""),
        other => (other, ""),
    };
    Some(Attachment {
        name: encode::decode(name),
        media_type: media_type.to_owned(),
        size: None,
        fetch: Fetch { account: account.to_owned(), id: url.to_owned() },
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}
