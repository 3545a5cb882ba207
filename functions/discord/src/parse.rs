//! What an authentic request says: <https://docs.discord.com/developers/interactions/receiving-and-responding>.

mod interaction;

use channel::{
    Address, Content, Context, Conversation, Fetch, Home, INBOUND_VERSION, Inbound, Kind, Received, Response,
    Sender, Verified, Window,
};
use serde_json::{Value, json};

use crate::render::{APPLICATION, TOKEN};
use crate::spec::{GUILDS, NAME};
use crate::{buttons, commands};
use interaction::{Attachment, Interaction, Message, User};

/// An interaction's token lives 15 minutes; the last of them is kept for the way there.
const WINDOW_MS: i64 = 14 * 60 * 1_000;

/// Where only the user has installed the app it may write this often to an interaction (5 follow-ups; the placeholder's
/// own edit is not counted, but we do).
const USER_INSTALL_USES: u32 = 5;

// Interaction types.
const PING: u8 = 1;
const COMMAND: u8 = 2;
const COMPONENT: u8 = 3;
const AUTOCOMPLETE: u8 = 4;
const FORM: u8 = 5;

/// The type of command that stands on a message.
const ON_MESSAGE: u8 = 3;

/// "Ephemeral": only the one who asked sees it.
const ONLY_YOU: u32 = 1 << 6;

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(body) = verified.json::<Value>() else {
        return answer(only_you("This is not understood."), "unknown body");
    };
    // Webhook events (another address in Discord's settings, often the same here) have no id and numbers of their own.
    if body.get("id").is_none() {
        return webhook_event(&body);
    }
    if body.get("type") == Some(&json!(PING)) {
        return Received::Handshake(Response::json(200, &json!({ "type": 1 })));
    }
    let Ok(interaction) = serde_json::from_value::<Interaction>(body) else {
        return answer(only_you("This is not understood."), "unknown body");
    };
    match interaction.kind {
        COMMAND => command(&interaction, ctx),
        COMPONENT => component(&interaction, ctx),
        AUTOCOMPLETE => answer(json!({ "type": 8, "data": { "choices": [] } }), "autocomplete"),
        FORM => form(&interaction, ctx),
        _ => answer(only_you("This is not understood."), "unknown kind"),
    }
}

/// <https://docs.discord.com/developers/events/webhook-events>: nothing in them to answer, and a 204 for all.
fn webhook_event(body: &Value) -> Received {
    let mut done = Response::empty(204);
    done.headers.set("content-type", "application/json");
    match body.get("type").and_then(Value::as_u64) {
        Some(0) => Received::Handshake(done),
        _ => Received::Nothing(done, "webhook event"),
    }
}

fn answer(body: Value, kind: &'static str) -> Received {
    Received::Nothing(Response::json(200, &body), kind)
}

fn only_you(text: &str) -> Value {
    json!({ "type": 4, "data": { "content": text, "flags": ONLY_YOU } })
}

fn command(interaction: &Interaction, ctx: &Context<'_>) -> Received {
    let data = &interaction.data;
    let name = data.name.as_deref().unwrap_or("");
    if data.kind == Some(ON_MESSAGE) {
        return match data.target() {
            Some(message) => take(interaction, about(message), &message.attachments, ctx),
            None => answer(only_you("This message cannot be read."), "unknown target"),
        };
    }
    let file =
        data.option(commands::FILE).and_then(Value::as_str).and_then(|id| data.resolved.attachments.get(id));
    let files = file.map_or(&[][..], std::slice::from_ref);
    if name != commands::ASK && data.option(commands::PROMPT).is_none() {
        return take(interaction, data.as_written(name), files, ctx);
    }
    let text = data.option(commands::PROMPT).and_then(Value::as_str).unwrap_or("");
    if text.is_empty() && files.is_empty() {
        return answer(only_you("Nothing was asked."), "nothing asked");
    }
    take(interaction, text.to_owned(), files, ctx)
}

/// A button is pressed. Answered with an update of its message (type 6), an answer would take the question's place; so it is
/// answered with a message of its own, as a command is.
fn component(interaction: &Interaction, ctx: &Context<'_>) -> Received {
    let id = interaction.data.custom_id.as_deref().unwrap_or("");
    match buttons::said(id) {
        Some(said) => take(interaction, said.to_owned(), &[], ctx),
        None if id == commands::REPLY => {
            answer(json!({ "type": 9, "data": commands::reply_form() }), "form opened")
        }
        // A button of an older version: nothing changes.
        None => answer(json!({ "type": 6 }), "unknown component"),
    }
}

fn form(interaction: &Interaction, ctx: &Context<'_>) -> Received {
    let text = interaction.data.field(commands::PROMPT);
    let files: Vec<Attachment> = interaction.data.resolved.attachments.values().cloned().collect();
    if text.trim().is_empty() && files.is_empty() {
        return answer(only_you("Nothing was asked."), "nothing asked");
    }
    take(interaction, text, &files, ctx)
}

/// The command on a message: the message is what is asked about.
fn about(message: &Message) -> String {
    let author = message.author.as_ref().map_or("somebody", User::shown_name);
    let quoted = message.content.lines().map(|line| format!("> {line}\n")).collect::<String>();
    format!("{author} wrote:\n\n{quoted}\nWhat can you tell me about this message?")
}

/// People see "is thinking…" until the answer is there. Discord never asks again: what the queue does not take is said.
fn take(interaction: &Interaction, text: String, files: &[Attachment], ctx: &Context<'_>) -> Received {
    let Some(inbound) = inbound(interaction, text, files, ctx) else {
        return answer(only_you("This is not understood."), "unknown place");
    };
    Received::Events {
        ack: Response::json(200, &json!({ "type": 5 })),
        on_failure: Response::json(200, &only_you("Not taken, please send again.")),
        inbound: vec![inbound],
    }
}

/// `None` where Discord does not say who or where.
fn inbound(
    interaction: &Interaction,
    text: String,
    files: &[Attachment],
    ctx: &Context<'_>,
) -> Option<Inbound> {
    let user = interaction.user()?;
    let chat = interaction.channel_id.clone()?;
    let attachment = |file: &Attachment| channel::Attachment {
        name: file.filename.clone(),
        media_type: file.content_type.clone().unwrap_or_default(),
        size: file.size.filter(|_| !file.is_too_large()),
        fetch: Fetch { account: ctx.account.to_owned(), id: file.address() },
    };
    let uses = (!interaction.in_server_install()).then_some(USER_INSTALL_USES);
    let data = [(APPLICATION, &interaction.application_id), (TOKEN, &interaction.token)];
    Some(Inbound {
        v: INBOUND_VERSION,
        id: interaction.id.clone(),
        channel: NAME.to_owned(),
        account: ctx.account.to_owned(),
        conversation: Conversation { chat: chat.clone(), thread: None },
        kind: if interaction.is_dm() { Kind::Dm } else { Kind::Group },
        sender: Sender {
            id: user.id.clone(),
            name: user.shown_name().to_owned(),
            home: home(interaction.guild_id.as_deref(), ctx.settings),
            bot: user.bot,
            lookup: None,
        },
        addressed: true,
        content: Content::text(text),
        attachments: files.iter().map(attachment).collect(),
        at: ctx.now,
        address: Address {
            channel: NAME.to_owned(),
            account: ctx.account.to_owned(),
            chat,
            window: Some(Window { deadline: ctx.now + WINDOW_MS, uses }),
            data: data.map(|(name, value)| (name.to_owned(), value.clone())).into(),
            ..Address::default()
        },
        echo_of: None,
        due: false,
    })
}

/// Who writes in one of our servers is at home, who writes in another is not; a private chat says nothing.
fn home(guild: Option<&str>, settings: &Value) -> Home {
    let ours = settings.get(GUILDS).and_then(Value::as_array);
    let is_ours = |guild: &str, ours: &Vec<Value>| {
        ours.iter()
            .any(|id| id.as_str() == Some(guild) || id.as_u64().is_some_and(|id| id.to_string() == guild))
    };
    match (guild, ours) {
        (Some(guild), Some(ours)) if is_ours(guild, ours) => Home::Yes,
        (Some(_), Some(_)) => Home::No,
        _ => Home::Unknown,
    }
}
