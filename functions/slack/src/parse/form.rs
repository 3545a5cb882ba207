//! Slash commands and interactivity: <https://docs.slack.dev/interactivity/implementing-slash-commands>,
//! <https://docs.slack.dev/interactivity/handling-user-interaction>.

use channel::{Context, Inbound, Received, Response, Verified, encode, sign};
use serde::Deserialize;
use serde_json::json;

use super::{File, Tenant, attachments, event, from_mrkdwn, is_dm, nothing, or_help, sender};
use crate::render::RESPONSE_URL;

/// What may follow our slash command, or be a slash command itself, in place of a question.
const COMMANDS: [&str; 5] = ["help", "new", "status", "stop", "allow"];

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let fields = verified.form();
    let field = |name: &str| fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str());
    if field("ssl_check").is_some() {
        return Received::Handshake(Response::empty(200));
    }
    let body_id = || sign::sha256_hex(&verified.request().body);
    if let Some(payload) = field("payload") {
        let deep = encode::json_depth(payload.as_bytes()) > encode::MAX_JSON_DEPTH;
        let action = serde_json::from_str::<Action>(payload).ok().filter(|_| !deep);
        return action.map_or(nothing("unknown payload"), |action| interactive(&action, body_id, ctx));
    }
    let (Some(command), Some(channel), Some(user)) =
        (field("command"), field("channel_id"), field("user_id"))
    else {
        return nothing("unknown form");
    };
    let tenant = Tenant { team: field("team_id"), enterprise: field("enterprise_id") };
    let sender = sender(user, field("user_name"), tenant, &[], ctx.account);
    let text = command_text(command, field("text").unwrap_or(""));
    let id = field("trigger_id").map_or_else(body_id, str::to_owned);
    let mut inbound = event::inbound(id, channel, None, sender, text, ctx);
    keep_response_url(&mut inbound, field("response_url"));
    Received::Events {
        ack: Response::empty(200),
        // Slack sends a command only once.
        on_failure: Response::json(
            200,
            &json!({ "response_type": "ephemeral", "text": "Not taken, please send again." }),
        ),
        inbound: vec![inbound],
    }
}

/// `/ask new` and a slash command `/new` are our `/new`; anything else is the question.
fn command_text(command: &str, text: &str) -> String {
    let text = from_mrkdwn(text, None);
    let name = if text.is_empty() { command.trim_start_matches('/') } else { text.trim_start_matches('/') };
    match COMMANDS.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => format!("/{known}"),
        None => or_help(text, &[]),
    }
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type", default)]
    kind: String,
    user: Option<User>,
    team: Option<Team>,
    channel: Option<Id>,
    message: Option<Message>,
    #[serde(default)]
    actions: Vec<Pressed>,
    trigger_id: Option<String>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: Option<String>,
    name: Option<String>,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct Team {
    id: Option<String>,
    enterprise_id: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Message {
    ts: String,
    thread_ts: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Pressed {
    value: Option<String>,
    selected_option: Option<Selected>,
}

#[derive(Deserialize)]
struct Selected {
    value: Option<String>,
}

fn interactive(action: &Action, body_id: impl Fn() -> String, ctx: &Context<'_>) -> Received {
    match action.kind.as_str() {
        "block_actions" => pressed(action, body_id, ctx),
        "message_action" => about_message(action, body_id, ctx),
        "block_suggestion" => Received::Nothing(Response::json(200, &json!({ "options": [] })), "suggestion"),
        // We open no views; an empty answer closes one.
        "view_submission" | "view_closed" => nothing("view"),
        _ => nothing("unknown interaction"),
    }
}

/// A button's or a menu's value is what its presser says.
fn pressed(action: &Action, body_id: impl Fn() -> String, ctx: &Context<'_>) -> Received {
    let value = action.actions.first().and_then(|pressed| {
        let selected = pressed.selected_option.as_ref().and_then(|option| option.value.clone());
        selected.or_else(|| pressed.value.clone())
    });
    match value.filter(|value| !value.trim().is_empty()) {
        Some(value) => on_message(action, value, body_id, ctx),
        None => nothing("no value"),
    }
}

/// The shortcut on a message: the message itself is what is asked about.
fn about_message(action: &Action, body_id: impl Fn() -> String, ctx: &Context<'_>) -> Received {
    let quoted = action.message.as_ref().map(|message| from_mrkdwn(&message.text, None)).unwrap_or_default();
    let quoted = quoted.lines().map(|line| format!("> {line}\n")).collect::<String>();
    on_message(action, format!("{quoted}\nWhat can you tell me about this message?"), body_id, ctx)
}

/// What is said by a click belongs to the thread of the message that was clicked.
fn on_message(action: &Action, text: String, body_id: impl Fn() -> String, ctx: &Context<'_>) -> Received {
    let (Some(user), Some(channel), Some(message)) = (&action.user, &action.channel, &action.message) else {
        return nothing("interaction without message");
    };
    let thread = match (&message.thread_ts, is_dm(&channel.id)) {
        (Some(thread), _) => Some(thread.clone()),
        (None, true) => None,
        (None, false) => Some(message.ts.clone()),
    };
    let tenant = Tenant {
        team: action.team.as_ref().and_then(|team| team.id.as_deref()),
        enterprise: action.team.as_ref().and_then(|team| team.enterprise_id.as_deref()),
    };
    let name = user.username.as_deref().or(user.name.as_deref());
    let sender = sender(&user.id, name, tenant, &[user.team_id.as_deref()], ctx.account);
    let id = action.trigger_id.clone().unwrap_or_else(body_id);
    let mut inbound = event::inbound(id, &channel.id, thread, sender, text, ctx);
    if action.kind == "message_action" {
        inbound.attachments = attachments(&message.files, ctx.account);
    }
    inbound.address.reply_to = Some(message.ts.clone());
    event::stream_to(&mut inbound, &user.id, user.team_id.as_deref().or(tenant.team));
    keep_response_url(&mut inbound, action.response_url.as_deref());
    // A click whose answer is no 2xx shows its failure to the one who clicked.
    Received::Events { ack: Response::empty(200), on_failure: Response::empty(503), inbound: vec![inbound] }
}

fn keep_response_url(inbound: &mut Inbound, url: Option<&str>) {
    if let Some(url) = url {
        inbound.address.data.insert(RESPONSE_URL.to_owned(), url.to_owned());
    }
}
