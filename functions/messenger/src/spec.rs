//! Facts about Messenger.

use channel::graph::messaging::{FACTS, Messaging};
use channel::graph::reply::TAG_SETTING;
use channel::graph::{ACCESS_TOKEN, APP_ID, APP_SECRET, VERIFY_TOKEN, id_setting, subscribe};
use channel::{Auth, Connect, Generate, Half, Limit, Registration, SecretSpec, Spec, Step, Unit};
use serde_json::json;

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
    // The version that Meta's pages use: developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
    bases: &[("api", "https://graph.facebook.com/v26.0")],
    text: TEXT,
    connect: Connect::Call(connect, THEN),
    settings: &[
        (
            APP_ID,
            "number of the Meta app, for `crabhook connect messenger`; with it our own messages are known at once when they \
             come back",
        ),
        TAG_SETTING,
    ],
    ..FACTS
};

const THEN: &str = "\
For `crabhook connect messenger` to do all of it, set channels.messenger.app_id to the number of the app, `crabhook config push`,
and run it again. By hand: developers.facebook.com/apps → your app → Messenger → API settings: callback URL {url}, verify token:
the secret verify_token; then under the Page's webhook subscriptions messages, messaging_postbacks and message_echoes.
Publish the app (pages_messaging with advanced access); until then only people with a role in the app are answered.
In the Page's inbox switch off automated responses: they look like a human's, and silence the assistant.";

/// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>,
/// <https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps>
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, settings, .. } = *to;
    let Some(app) = id_setting(settings, APP_ID) else { return Vec::new() };
    let page = Step::json("api", "/me/subscribed_apps", json!({"subscribed_fields": FIELDS}));
    vec![subscribe("api", APP_SECRET, &app, "page", FIELDS, url), page.auth(Auth::bearer(ACCESS_TOKEN))]
}
