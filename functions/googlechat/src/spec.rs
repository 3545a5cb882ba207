//! Facts about Google Chat.

use channel::{
    Auth, AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step,
    Streaming, Target, ThreadRule, TokenSpec, Unit,
};
use serde_json::Value;

pub const NAME: &str = "googlechat";
pub const AUDIENCE: &str = "audience";
pub const ADDON_ACCOUNT: &str = "addon_account";
pub const SERVICE_ACCOUNT: &str = "service_account";

/// Settings.
pub const DOMAIN: &str = "domain";
pub const QUICK_COMMANDS: &str = "quick_commands";

/// The token that answers are made with.
pub const TOKEN: &str = "chat";

/// The base that [`mint`] asks, and the one under which the keys of incoming tokens lie.
pub const OAUTH: &str = "oauth";
pub const KEYS: &str = "keys";

/// A whole message, cards included, bytes:
/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>.
pub const MESSAGE_BYTES: usize = 32_000;

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Google Chat",
    secrets: &[
        SecretSpec {
            name: AUDIENCE,
            half: Half::Both,
            required: true,
            generate: Generate::Platform,
            about: "whom Google's tokens are meant for: an add-on's endpoint address exactly as in the Chat API's configuration, a classic app's project number",
        },
        SecretSpec {
            name: ADDON_ACCOUNT,
            half: Half::In,
            required: false,
            generate: Generate::Platform,
            about: "add-ons only: Chat API → Configuration → Connection settings → Service account email (service-…@gcp-sa-gsuiteaddons.iam.gserviceaccount.com)",
        },
        SecretSpec {
            name: SERVICE_ACCOUNT,
            half: Half::Out,
            required: true,
            generate: Generate::ServiceAccount,
            about: "console.cloud.google.com → IAM & Admin → Service accounts → Keys → Add key → JSON: the whole file",
        },
    ],
    tokens: &[TokenSpec { name: TOKEN, mint, at: "/access_token", expires_in: "/expires_in", ttl_s: 3_600 }],
    bases: &[
        ("api", "https://chat.googleapis.com"),
        (OAUTH, "https://oauth2.googleapis.com"),
        (KEYS, "https://www.googleapis.com"),
    ],
    hosts: &[],
    key_hosts: &["www.googleapis.com"],
    max_body: 1 << 20,
    // developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create: 32,000 bytes for all of it. People
    // can write 4,096 characters; as many of ours stay below both.
    text: Limit { max: 4_000, unit: Unit::Chars },
    // developers.google.com/workspace/chat/receive-respond-interactions
    ack_deadline_ms: 30_000,
    // No page promises that an event is sent again, so people are asked to.
    retries: false,
    retry_window_s: 0,
    auth: AuthKind::Token,
    // developers.google.com/workspace/chat/verify-requests-from-chat
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Edit,
    // developers.google.com/workspace/chat/limits: one write a second in a space, all apps together.
    pace: Pace { in_groups_ms: 3_000, ..Pace::every(1_500) },
    tenant: true,
    idempotency_key: true,
    connect: Connect::Manual(CONNECT),
    settings: &[
        (
            DOMAIN,
            "your Google Workspace domain, several separated by commas; whose address lies in it is at home",
        ),
        (
            QUICK_COMMANDS,
            "what quick commands say, by command ID: \"1=/new, 2=/help\"; slash commands say themselves",
        ),
    ],
};

/// <https://developers.google.com/workspace/chat/authenticate-authorize-chat-app>
fn mint(_settings: &Value) -> Step {
    let scope = "https://www.googleapis.com/auth/chat.bot".to_owned();
    let target = Target::Base { base: OAUTH.to_owned(), path: "/token".to_owned() };
    Step::new("POST", target, Body::Form(Vec::new()))
        .auth(Auth::ServiceAccount { secret: SERVICE_ACCOUNT.to_owned(), scope })
}

const CONNECT: &str = r#"1. https://console.cloud.google.com → choose or make a project → enable the "Google Chat API".
2. IAM & Admin → Service accounts: create one (no roles), Keys → Add key → JSON; store the whole file as the secret
   service_account.
3. Google Chat API → Configuration: name, avatar, description; Interactive features on, "Join spaces and group
   conversations" ticked; Connection settings → HTTP endpoint URL, one for all triggers:
   {url}
4. An add-on (what new apps are): store that address, to the letter, as the secret audience, and the "Service account
   email" shown there as the secret addon_account.
   A classic app: Authentication audience → Project number; store the number as the secret audience, no addon_account.
5. Visibility: the people or groups who may find the app. Set `channels.googlechat.domain` to your Workspace domain, then
   `crabhook config push`.
   For commands add slash commands named /new, /help, /status, /stop on the same page.
"#;
