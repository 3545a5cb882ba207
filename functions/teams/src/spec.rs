//! Facts about Microsoft Teams.

use channel::{
    AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step,
    Streaming, Target, ThreadRule, TokenSpec, Unit,
};
use serde_json::Value;

pub const NAME: &str = "teams";
pub const APP_ID: &str = "app_id";
pub const TENANT_ID: &str = "tenant_id";
const APP_PASSWORD: &str = "app_password";

/// The token that answers are made with.
pub const TOKEN: &str = "bot";

/// The base that [`mint`] asks, and the one under which the keys of incoming tokens lie.
pub const LOGIN: &str = "login";
pub const KEYS: &str = "keys";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Microsoft Teams",
    secrets: &[
        SecretSpec {
            name: APP_ID,
            half: Half::Both,
            required: true,
            generate: Generate::Platform,
            about: "portal.azure.com → your Azure Bot → Configuration → Microsoft App ID",
        },
        SecretSpec {
            name: TENANT_ID,
            half: Half::Both,
            required: true,
            generate: Generate::Platform,
            about: "portal.azure.com → your Azure Bot → Configuration → App Tenant ID; people of this tenant are at home",
        },
        SecretSpec {
            name: APP_PASSWORD,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "portal.azure.com → Microsoft Entra ID → App registrations → your bot → Certificates & secrets → Value",
        },
    ],
    tokens: &[TokenSpec { name: TOKEN, mint, at: "/access_token", expires_in: "/expires_in", ttl_s: 3_600 }],
    bases: &[
        // Answers go to the activity's own `serviceUrl`; this is where those of the stand-in begin.
        ("api", "https://smba.trafficmanager.net"),
        (LOGIN, "https://login.microsoftonline.com"),
        (KEYS, "https://login.botframework.com"),
    ],
    hosts: &[
        "smba.trafficmanager.net",
        "*.botframework.com",
        "*.infra.gcc.teams.microsoft.com",
        // Files that people send.
        "*.sharepoint.com",
    ],
    key_hosts: &["login.botframework.com"],
    max_body: 1 << 20,
    // learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages: 100 KB for the whole payload in
    // UTF-16; clients are said to cut at about 28 KB.
    text: Limit { max: 13_000, unit: Unit::Utf16 },
    // 10 to 15 s: learn.microsoft.com/azure/bot-service/bot-builder-howto-long-operations-guidance
    ack_deadline_ms: 10_000,
    // On some failures; the schedule is not published.
    retries: true,
    retry_window_s: 3_600,
    auth: AuthKind::Token,
    reject: Reject401 { status: 403, body: "" },
    groups: true,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    // In 1:1 chats; elsewhere by edits.
    streaming: Streaming::Native,
    // learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit: 1,800 an hour in a conversation.
    // learn.microsoft.com/microsoftteams/platform/bots/streaming-ux: a call a second at most, 1.5 to 2 s advised.
    pace: Pace { stream_ms: 1_500, ..Pace::every(2_000) },
    tenant: true,
    idempotency_key: false,
    connect: Connect::Manual(CONNECT),
    settings: &[],
};

/// <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#bot-to-connector>
fn mint(_settings: &Value) -> Step {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let body = Body::FormWithSecrets {
        fields: vec![
            field("grant_type", "client_credentials"),
            field("scope", "https://api.botframework.com/.default"),
        ],
        fill: vec![field("client_id", APP_ID), field("client_secret", APP_PASSWORD)],
    };
    let path = format!("/{{{TENANT_ID}}}/oauth2/v2.0/token");
    Step::new("POST", Target::Base { base: LOGIN.to_owned(), path }, body)
}

const CONNECT: &str = r#"1. https://portal.azure.com → Create a resource → Azure Bot: type "Single Tenant", let it make a new Microsoft App ID.
2. The bot's Configuration: set the Messaging endpoint to
   {url}
   and store Microsoft App ID and App Tenant ID as the secrets app_id and tenant_id.
3. "Manage Password" beside the App ID → New client secret: store its Value as the secret app_password.
4. The bot's Channels → Microsoft Teams → accept. (Web Chat and Direct Line work too; whoever comes from there is a stranger.)
5. https://dev.teams.microsoft.com/apps → New app → App features → Bot: enter the App ID, choose Personal, Team and Group
   chat; then Publish to your organisation, or "Preview in Teams" to try it.
"#;
