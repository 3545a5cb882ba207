//! Telegram's facts.

use channel::{
    AuthKind, Body, Connect, Generate, Half, Limit, Offered, Overlap, Pace, Registration, Reject401,
    SecretSpec, Spec, Step, Streaming, Target, ThreadRule, Unit,
};
use serde_json::{Value, json};

use crate::render;

pub static SPEC: Spec = Spec {
    name: "telegram",
    title: "Telegram",
    secrets: &[
        SecretSpec {
            name: "secret_token",
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "our own: 1 to 256 characters of A-Z, a-z, 0-9, _ and -; `crabhook connect telegram` tells Telegram",
        },
        SecretSpec {
            name: "bot_token",
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "from @BotFather, /newbot or /mybots: 110201543:AAHdq…",
        },
    ],
    tokens: &[],
    bases: &[("api", "https://api.telegram.org")],
    hosts: &[],
    key_hosts: &[],
    max_body: 1 << 20,
    // https://core.telegram.org/bots/api#sendmessage counts after the entities are parsed, in UTF-16 units. We count the
    // text with its tags, which is never less.
    text: Limit { max: 4096, unit: Unit::Utf16 },
    // None is documented; a slow answer only holds back the same chat.
    ack_deadline_ms: 10_000,
    retries: true,
    // https://core.telegram.org/bots/api#getting-updates: updates are kept for 24 hours.
    retry_window_s: 24 * 3600,
    auth: AuthKind::Token,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    // Telegram has no threads that a mention could open; a forum's topic is a place like a chat.
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Native,
    // core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: one a second in a chat, 20 a minute in a group.
    pace: Pace { in_groups_ms: 4_000, ..Pace::every(1_000) },
    tenant: false,
    idempotency_key: false,
    connect: Connect::Call(
        connect,
        "For groups: add the bot to the group, then send /allow there. It sees what mentions it, replies to it or begins \
         with a command; with privacy mode switched off at @BotFather (/setprivacy) it sees everything.",
    ),
    settings: &[(
        "bot",
        "{id, username} of the bot: needed where other bots share its groups, else every bot's mention counts as its own",
    )],
};

/// <https://core.telegram.org/bots/api#setwebhook>: leaving `secret_token` out would clear it.
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, commands, .. } = *to;
    let webhook = Body::JsonWithSecrets {
        value: json!({"url": url, "secret_token": null, "allowed_updates": ["message", "callback_query"]}),
        fill: vec![("/secret_token".to_owned(), "secret_token".to_owned())],
    };
    let target = Target::Base { base: "api".to_owned(), path: render::path("setWebhook") };
    let commands =
        json!({"commands": commands.iter().filter_map(listed).take(MOST_COMMANDS).collect::<Vec<_>>()});
    vec![Step::new("POST", target, webhook), render::call("setMyCommands", commands)]
}

/// <https://core.telegram.org/bots/api#setmycommands>
const MOST_COMMANDS: usize = 100;

/// A command in Telegram's menu; `None` where its name is none for Telegram, which knows it all the same when it is written.
/// <https://core.telegram.org/bots/api#botcommand>
fn listed(command: &Offered) -> Option<Value> {
    let Offered { name, about, .. } = command;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = (1..=32).contains(&name.len()) && name.chars().all(plain);
    let about: String = about.chars().take(256).collect();
    is_name.then(|| json!({"command": name, "description": about}))
}
