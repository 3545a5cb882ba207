//! Messages and mentions: <https://docs.slack.dev/reference/events/message>.

use channel::{
    Address, Content, Context, Conversation, INBOUND_VERSION, Inbound, Kind, Received, Response, Sender,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Authorization, Envelope, File, Tenant, attachments, from_mrkdwn, is_dm, nothing, or_help, sender,
};
use crate::spec::NAME;
use crate::stream::{RECIPIENT, RECIPIENT_TEAM};

/// Messages of a subtype are notices about something else, except these two.
const SAID: [&str; 2] = ["file_share", "thread_broadcast"];

/// A `ts` further from now than Slack's longest delay (delayed events, 24 h) is no time to sort by.
const PLAUSIBLE_MS: u64 = 24 * 3_600 * 1_000;

#[derive(Deserialize)]
struct Message {
    channel: String,
    channel_type: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
    #[serde(default)]
    text: String,
    ts: String,
    thread_ts: Option<String>,
    /// Who wrote the first message of the thread.
    parent_user_id: Option<String>,
    team: Option<String>,
    user_team: Option<String>,
    source_team: Option<String>,
    user_profile: Option<Profile>,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Profile {
    display_name: Option<String>,
    real_name: Option<String>,
}

/// Somebody pressed the native stop button: <https://docs.slack.dev/reference/events/agent_session_stopped>.
#[derive(Deserialize)]
struct Stopped {
    channel: String,
    thread_ts: Option<String>,
    user: String,
}

pub fn parse(envelope: &Envelope, ctx: &Context<'_>) -> Received {
    let read = |event: &Value| match event.get("type").and_then(Value::as_str) {
        Some(kind @ ("message" | "app_mention")) => {
            let message = Message::deserialize(event).ok()?;
            Some(said(&message, kind == "app_mention", envelope, ctx))
        }
        Some("agent_session_stopped") => Some(stopped(&Stopped::deserialize(event).ok()?, envelope, ctx)),
        _ => None,
    };
    match read(&envelope.event) {
        Some(Ok(inbound)) => events(inbound),
        Some(Err(kind)) => nothing(kind),
        None => nothing("unknown event"),
    }
}

/// Slack delivers an event again that got a 5xx.
fn events(inbound: Inbound) -> Received {
    Received::Events { ack: Response::empty(200), on_failure: Response::empty(503), inbound: vec![inbound] }
}

/// The message, or why it is none to answer.
fn said(
    message: &Message,
    mention: bool,
    envelope: &Envelope,
    ctx: &Context<'_>,
) -> Result<Inbound, &'static str> {
    let authorization = envelope.authorizations.first();
    let bot = authorization.and_then(|authorization| authorization.user_id.as_deref());
    match message.subtype.as_deref() {
        Some("message_changed" | "message_deleted") => return Err("edit"),
        _ if message.bot_id.is_some() => return Err("bot"),
        Some(subtype) if !SAID.contains(&subtype) => return Err("notice"),
        _ => {}
    }
    let user = message.user.as_deref().ok_or("no sender")?;
    if Some(user) == bot {
        return Err("own message");
    }
    let dm = message.channel_type.as_deref() == Some("im") || is_dm(&message.channel);
    let named =
        bot.is_some_and(|bot| [">", "|"].iter().any(|end| message.text.contains(&format!("<@{bot}{end}"))));
    let to_us = bot.is_some() && message.parent_user_id.as_deref() == bot;
    if !(dm || mention || named || to_us) {
        return Err("not addressed");
    }
    let thread = match (&message.thread_ts, dm) {
        (Some(thread), _) => Some(thread.clone()),
        (None, true) => None,
        (None, false) => Some(message.ts.clone()),
    };
    let profile = message.user_profile.as_ref();
    let name = profile.and_then(|profile| {
        let display = profile.display_name.as_deref().filter(|name| !name.is_empty());
        display.or(profile.real_name.as_deref())
    });
    let teams = [message.user_team.as_deref(), message.source_team.as_deref(), message.team.as_deref()];
    let attachments = attachments(&message.files, ctx.account);
    let text = or_help(from_mrkdwn(&message.text, bot), &attachments);
    let id = format!("{}:{}", message.channel, message.ts);
    let sender = sender(user, name, tenant(envelope, authorization), &teams, ctx.account);
    let mut inbound = inbound(id, &message.channel, thread, sender, text, ctx);
    inbound.kind = if dm { Kind::Dm } else { Kind::Group };
    inbound.attachments = attachments;
    inbound.at = time(&message.ts).filter(|at| at.abs_diff(ctx.now) < PLAUSIBLE_MS).unwrap_or(ctx.now);
    inbound.address.reply_to = Some(message.ts.clone());
    let team = teams.into_iter().flatten().find(|team| !team.is_empty());
    stream_to(&mut inbound, user, team.or(tenant(envelope, authorization).team));
    Ok(inbound)
}

fn stopped(event: &Stopped, envelope: &Envelope, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let id = envelope.event_id.clone().ok_or("unknown event")?;
    let tenant = tenant(envelope, envelope.authorizations.first());
    let sender = sender(&event.user, None, tenant, &[], ctx.account);
    Ok(inbound(id, &event.channel, event.thread_ts.clone(), sender, "/stop".to_owned(), ctx))
}

fn tenant<'a>(envelope: &'a Envelope, authorization: Option<&'a Authorization>) -> Tenant<'a> {
    Tenant {
        team: authorization.and_then(|ours| ours.team_id.as_deref()).or(envelope.team_id.as_deref()),
        enterprise: authorization.and_then(|ours| ours.enterprise_id.as_deref()),
    }
}

/// A stream is for somebody of some workspace, and in a thread.
pub fn stream_to(inbound: &mut Inbound, user: &str, team: Option<&str>) {
    if let (Some(team), Some(_)) = (team, &inbound.address.thread) {
        inbound.address.data.insert(RECIPIENT.to_owned(), user.to_owned());
        inbound.address.data.insert(RECIPIENT_TEAM.to_owned(), team.to_owned());
    }
}

/// A message to the assistant, written now.
pub fn inbound(
    id: String,
    chat: &str,
    thread: Option<String>,
    sender: Sender,
    text: String,
    ctx: &Context<'_>,
) -> Inbound {
    Inbound {
        v: INBOUND_VERSION,
        id,
        channel: NAME.to_owned(),
        account: ctx.account.to_owned(),
        conversation: Conversation { chat: chat.to_owned(), thread: thread.clone() },
        kind: if is_dm(chat) { Kind::Dm } else { Kind::Group },
        sender,
        addressed: true,
        content: Content::text(text),
        attachments: Vec::new(),
        at: ctx.now,
        address: Address {
            channel: NAME.to_owned(),
            account: ctx.account.to_owned(),
            chat: chat.to_owned(),
            thread,
            ..Address::default()
        },
        echo_of: None,
        due: false,
    }
}

/// A `ts` (`1795000000.000100`, seconds and microseconds) in milliseconds.
fn time(ts: &str) -> Option<i64> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let (seconds, micros): (i64, i64) = (seconds.parse().ok()?, micros.parse().ok()?);
    seconds.checked_mul(1_000)?.checked_add(micros / 1_000)
}
