//! Facts about Mattermost.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

pub const NAME: &str = "mattermost";
pub const TOKEN: &str = "token";
pub const BOT_TOKEN: &str = "bot_token";

/// The setting that names our own account: whose posts are not answered.
pub const BOT_USER_ID: &str = "bot_user_id";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Mattermost",
    secrets: &[
        SecretSpec {
            name: TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "Integrations → Outgoing Webhooks and Slash Commands → Token of each; several, separated by spaces",
        },
        SecretSpec {
            name: BOT_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "Integrations → Bot Accounts → Create New Token",
        },
    ],
    tokens: &[],
    // Everybody's server is elsewhere. Addresses in payloads are never called: what is needed of them lies below this one.
    bases: &[("api", "")],
    hosts: &[],
    key_hosts: &[],
    max_body: 1 << 20,
    // developers.mattermost.com/integrate/slash-commands: 16,383 characters since v5.0; the server counts code points.
    text: Limit { max: 16_383, unit: Unit::Chars },
    // `OutgoingIntegrationRequestsTimeout` (docs.mattermost.com/administration-guide/configure/integrations-configuration-settings.html),
    // 30 s unless an administrator set it lower; older servers said 3.
    ack_deadline_ms: 3_000,
    retries: false,
    retry_window_s: 0,
    auth: AuthKind::Token,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    // An outgoing webhook does not say in which thread a post stands: the whole channel is one conversation.
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Edit,
    // docs.mattermost.com/administration-guide/configure/environment-configuration-settings.html, "Rate limiting": off as
    // delivered, 10 calls a second where it is on.
    pace: Pace::every(1_000),
    tenant: false,
    // `pending_post_id`, for 30 seconds: `deduplicateCreatePost` in server/channels/app/post.go of
    // github.com/mattermost/mattermost. It is not part of the documented API, so nobody should count on it.
    idempotency_key: false,
    connect: Connect::Manual(CONNECT),
    settings: &[(
        BOT_USER_ID,
        "id of the bot account: needed only where a webhook tells of all posts of a channel, the bot's own among them",
    )],
};

const CONNECT: &str = r#"1. Set `channels.mattermost.urls.api` to your server's address (https://chat.example.com) and `crabhook config push`.
2. Product menu → Integrations → Bot Accounts → Add Bot Account: store its token as the secret bot_token, add the bot to
   your team, and invite it to the channels where it should answer. (System Console → Integrations → Bot Accounts must be on.)
3. Integrations → Slash Commands → Add: trigger word "ask", request method POST, request URL
   {url}
4. Integrations → Outgoing Webhooks → Add: trigger word "@" and the bot's name, "First word matches a trigger word exactly",
   the same address as callback URL. It works in public channels.
5. Store the tokens of both, separated by a space, as the secret token. Then write "/ask help" in a direct message to the bot.
"#;
