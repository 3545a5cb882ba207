//! Facts about Slack.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

pub const NAME: &str = "slack";
pub const SIGNING_SECRET: &str = "signing_secret";
pub const BOT_TOKEN: &str = "bot_token";

/// The setting that chooses the sign of an answer being written.
pub const STATUS: &str = "status";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Slack",
    secrets: &[
        SecretSpec {
            name: SIGNING_SECRET,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "api.slack.com/apps → your app → Basic Information → Signing Secret",
        },
        SecretSpec {
            name: BOT_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "api.slack.com/apps → your app → OAuth & Permissions → Bot User OAuth Token (xoxb-…)",
        },
    ],
    tokens: &[],
    bases: &[("api", "https://slack.com/api"), ("hooks", "https://hooks.slack.com")],
    hosts: &["files.slack.com", "hooks.slack.com"],
    key_hosts: &[],
    max_body: 1024 * 1024,
    // `markdown_text` takes 12,000 characters (docs.slack.dev/reference/methods/chat.postMessage). What counts as one is
    // not said, hence the larger unit, and some room is left.
    text: Limit { max: 11_500, unit: Unit::Utf16 },
    ack_deadline_ms: 3_000,
    // At once, after a minute, after five (docs.slack.dev/apis/events-api, "Retries").
    retries: true,
    retry_window_s: 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    // In threads; elsewhere by edits.
    streaming: Streaming::Native,
    // docs.slack.dev/reference/methods/chat.update: tier 3, 50 a minute in a workspace; chat.appendStream: tier 4, 100.
    pace: Pace { in_groups_ms: 2_500, stream_ms: 1_000, ..Pace::every(1_500) },
    tenant: true,
    idempotency_key: false,
    connect: Connect::Manual(CONNECT),
    settings: &[(
        STATUS,
        "sign of an answer being written: `assistant` (default; assistant.threads.setStatus), `agent` \
         (agents.sessions.setStatus, for apps declared as agents) or `off`",
    )],
};

const CONNECT: &str = r#"1. Open https://api.slack.com/apps, choose "Create New App", "From a manifest", your workspace, YAML, and paste:

display_information:
  name: Assistant
features:
  app_home:
    home_tab_enabled: false
    messages_tab_enabled: true
    messages_tab_read_only_enabled: false
  bot_user:
    display_name: assistant
    always_online: true
  shortcuts:
    - name: Ask about this
      type: message
      callback_id: ask_about
      description: Asks the assistant about this message
  slash_commands:
    - command: /ask
      url: {url}
      description: Ask the assistant
      usage_hint: "question, or help, new, status, stop"
      should_escape: false
oauth_config:
  scopes:
    bot: [app_mentions:read, chat:write, commands, files:read, files:write, im:history, users:read]
settings:
  event_subscriptions:
    request_url: {url}
    bot_events: [app_mention, message.im]
  interactivity:
    is_enabled: true
    request_url: {url}
  org_deploy_enabled: false
  socket_mode_enabled: false
  token_rotation_enabled: false

2. Store the Signing Secret (Basic Information) as the secret signing_secret.
3. Install the app (Install App) and store its Bot User OAuth Token as the secret bot_token.
4. Under Event Subscriptions let Slack verify the Request URL once more if it says that it could not.
5. Write to the app in a direct message, or invite it to a channel and mention it.
"#;
