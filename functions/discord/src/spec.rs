//! Facts about Discord.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

use crate::commands;

pub const NAME: &str = "discord";
pub const PUBLIC_KEY: &str = "public_key";
pub const BOT_TOKEN: &str = "bot_token";

/// The setting that registering commands needs.
pub const APPLICATION_ID: &str = "application_id";

/// The setting that says which servers are ours.
pub const GUILDS: &str = "guilds";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Discord",
    secrets: &[
        SecretSpec {
            name: PUBLIC_KEY,
            half: Half::In,
            required: true,
            generate: Generate::Ed25519Hex,
            about: "discord.com/developers/applications → your app → General Information → Public Key",
        },
        SecretSpec {
            name: BOT_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "discord.com/developers/applications → your app → Bot → Token",
        },
    ],
    tokens: &[],
    bases: &[("api", "https://discord.com/api/v10")],
    hosts: &["cdn.discordapp.com", "media.discordapp.net"],
    key_hosts: &[],
    max_body: 1024 * 1024,
    // `content`, docs.discord.com/developers/resources/message#create-message. What counts as a character is not said,
    // hence the larger unit.
    text: Limit { max: 2_000, unit: Unit::Utf16 },
    ack_deadline_ms: 3_000,
    retries: false,
    retry_window_s: 0,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    // A thread is a channel of its own here.
    thread: ThreadRule::Chat,
    // Every interaction shows "is thinking…" until it is answered itself.
    overlap: Overlap::Each,
    streaming: Streaming::Edit,
    // docs.discord.com/developers/topics/rate-limits: told in headers only, and not to be counted on.
    pace: Pace::every(1_000),
    tenant: false,
    // Only pushes have one (`nonce`); replies by the interaction's token do not.
    idempotency_key: false,
    connect: Connect::Call(commands::connect, CONNECT),
    settings: &[
        (APPLICATION_ID, "the app's id (General Information → Application ID), for registering its commands"),
        (
            GUILDS,
            "list of ids of the servers that are ours: who writes there is at home, who writes in another is not",
        ),
    ],
};

const CONNECT: &str = "Needs channels.discord.application_id in the configuration and the secrets public_key and \
bot_token: without them nothing is registered. Then open https://discord.com/developers/applications → your app → \
Installation, copy the install link and add the app to a server or to your own account.";
