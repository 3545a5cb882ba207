//! Facts about Messenger.

use channel::graph::messaging::{HOSTS, Messaging};
use channel::graph::reply::TAG;
use channel::graph::{ACCESS_TOKEN, APP_ID, APP_SECRET, VERIFY_TOKEN, id_setting, subscribe};
use channel::{
    Auth, AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step, Streaming,
    ThreadRule, Unit,
};
use serde_json::{Value, json};

use crate::render::attachment;

const NAME: &str = "messenger";

/// developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages: 2,000 characters. What counts
/// as one is not said, hence the larger unit.
const TEXT: Limit = Limit { max: 2_000, unit: Unit::Utf16 };

/// What tells it from Instagram.
pub static MESSAGING: Messaging =
    Messaging { channel: NAME, object: "page", text: TEXT, typed: true, attachment };

/// What we are told of.
const FIELDS: &str = "messages,messaging_postbacks,message_echoes";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Messenger",
    secrets: &[
        SecretSpec {
            name: APP_SECRET,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "developers.facebook.com/apps → your app → App settings → Basic → App secret",
        },
        SecretSpec {
            name: VERIFY_TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "our own; `crabhook connect messenger` tells Meta, which quotes it in its handshake",
        },
        SecretSpec {
            name: ACCESS_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "developers.facebook.com/apps → your app → Messenger → API settings → Generate token, for the Page",
        },
    ],
    tokens: &[],
    // The version that Meta's pages use: developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
    bases: &[("api", "https://graph.facebook.com/v26.0")],
    hosts: HOSTS,
    key_hosts: &[],
    // Up to 1,000 events (developers.facebook.com/docs/graph-api/webhooks/getting-started); their size is not published.
    max_body: 3 << 20,
    text: TEXT,
    // developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks: 5 seconds
    ack_deadline_ms: 5_000,
    retries: true,
    // developers.facebook.com/docs/graph-api/webhooks/getting-started: 36 hours. Of Messenger its page says only that after
    // an hour of failures the app is told nothing more of the Page.
    retry_window_s: 36 * 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 403, body: "" },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Call(connect, THEN),
    settings: &[
        (
            APP_ID,
            "number of the Meta app, for `crabhook connect messenger`; with it our own messages are known at once when they \
             come back",
        ),
        (
            TAG,
            "tag of replies later than 24 hours after a person's message, where Meta granted one; HUMAN_AGENT is for replies \
             that a human writes",
        ),
    ],
};

const THEN: &str = "\
For `crabhook connect messenger` to do all of it, set channels.messenger.app_id to the number of the app, `crabhook config push`,
and run it again. By hand: developers.facebook.com/apps → your app → Messenger → API settings: callback URL {url}, verify token:
the secret verify_token; then under the Page's webhook subscriptions messages, messaging_postbacks and message_echoes.
Publish the app (pages_messaging with advanced access); until then only people with a role in the app are answered.
In the Page's inbox switch off automated responses: they look like a human's, and silence the assistant.";

/// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>,
/// <https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps>
fn connect(url: &str, settings: &Value) -> Vec<Step> {
    let Some(app) = id_setting(settings, APP_ID) else { return Vec::new() };
    let page = Step::json("api", "/me/subscribed_apps", json!({"subscribed_fields": FIELDS}));
    vec![subscribe("api", APP_SECRET, &app, "page", FIELDS, url), page.auth(Auth::bearer(ACCESS_TOKEN))]
}
