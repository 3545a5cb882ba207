//! Facts about Viber.

use channel::{
    Auth, AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Registration, Reject401, SecretSpec, Spec,
    Step, Streaming, ThreadRule, Unit,
};
use serde_json::json;

pub const NAME: &str = "viber";
pub const AUTH_TOKEN: &str = "auth_token";

/// Settings.
pub const SENDER: &str = "name";
pub const AVATAR: &str = "avatar";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Viber",
    secrets: &[SecretSpec {
        name: AUTH_TOKEN,
        // It signs what comes in, and proves what goes out.
        half: Half::Both,
        required: true,
        generate: Generate::Platform,
        about: "Viber app → More → Settings → Bots → Edit Info → Your app key",
    }],
    tokens: &[],
    bases: &[("api", "https://chatapi.viber.com")],
    // Where files lie is not documented. Their addresses are signed with the rest, and get no token from us.
    hosts: &["*"],
    key_hosts: &[],
    max_body: 1 << 20,
    // developers.viber.com/docs/api/rest-bot-api/#text-message: 7,000 characters. What counts as one is not said, hence the
    // larger unit; so a message with its keyboard also keeps within the 30 KB of developers.viber.com/docs/faq/.
    text: Limit { max: 7_000, unit: Unit::Utf16 },
    // Not published.
    ack_deadline_ms: 5_000,
    // "several times for an hour until the HTTP code 200 OK is received": developers.viber.com/docs/faq/
    retries: true,
    retry_window_s: 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Call(
        connect,
        "Write to the bot: open viber://pa?chatURI=<the bot's URI> on your phone.",
    ),
    settings: &[
        (SENDER, "what people see as the writer of an answer, at most 28 characters; `Assistant` unless set"),
        (AVATAR, "address of the picture beside an answer: 720 × 720, at most 100 KB"),
    ],
};

/// Viber knows a bot by its token in a header of its own.
pub fn auth() -> Auth {
    Auth::Header { name: "x-viber-auth-token".to_owned(), secret: AUTH_TOKEN.to_owned() }
}

/// <https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook>. Receipts are not asked for.
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let url = to.url;
    let events = json!(["message", "subscribed", "unsubscribed"]);
    let body = json!({"url": url, "event_types": events, "send_name": true, "send_photo": false});
    vec![Step::json("api", "/pa/set_webhook", body).auth(auth())]
}
