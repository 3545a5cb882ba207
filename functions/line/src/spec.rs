//! Facts about LINE.

use channel::{
    Auth, AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Registration, Reject401, SecretSpec, Spec,
    Step, Streaming, ThreadRule, Unit,
};
use serde_json::json;

pub const NAME: &str = "line";
pub const CHANNEL_SECRET: &str = "channel_secret";
pub const ACCESS_TOKEN: &str = "channel_access_token";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "LINE",
    secrets: &[
        SecretSpec {
            name: CHANNEL_SECRET,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "developers.line.biz/console → your channel → Basic settings → Channel secret",
        },
        SecretSpec {
            name: ACCESS_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "developers.line.biz/console → your channel → Messaging API → Channel access token (long-lived)",
        },
    ],
    tokens: &[],
    bases: &[("api", "https://api.line.me"), ("data", "https://api-data.line.me")],
    hosts: &[],
    key_hosts: &[],
    max_body: 1 << 20,
    // developers.line.biz/en/docs/messaging-api/text-character-count: 5,000, an emoji of two UTF-16 units counts as two.
    text: Limit { max: 5_000, unit: Unit::Utf16 },
    // developers.line.biz/en/docs/messaging-api/check-webhook-error-statistics: `request_timeout`
    ack_deadline_ms: 2_000,
    // Where "webhook redelivery" is switched on; how long is not published.
    retries: true,
    retry_window_s: 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    // Pushes have one, replies have not.
    idempotency_key: false,
    connect: Connect::Call(
        connect,
        "In developers.line.biz/console → your channel → Messaging API: switch on \"Use webhook\" and \"Webhook \
         redelivery\", and switch off the auto-reply and greeting messages of the account. For groups: allow the bot to join \
         group chats there, invite it, and send /allow in the group.",
    ),
    settings: &[],
};

/// <https://developers.line.biz/en/reference/messaging-api/#set-webhook-endpoint-url>
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let url = to.url;
    let endpoint =
        Step::json("api", "/v2/bot/channel/webhook/endpoint", json!({"endpoint": url})).method("PUT");
    vec![endpoint.auth(Auth::bearer(ACCESS_TOKEN))]
}
