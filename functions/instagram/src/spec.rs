//! Facts about Instagram.

use channel::graph::messaging::{FACTS, Messaging};
use channel::graph::reply::TAG_SETTING;
use channel::graph::{ACCESS_TOKEN, APP_ID, APP_SECRET, VERIFY_TOKEN, id_setting, subscribe};
use channel::{Auth, Connect, Generate, Half, Limit, Registration, SecretSpec, Spec, Step, Unit};
use serde_json::json;

use crate::render::attachment;

const NAME: &str = "instagram";
pub const FACEBOOK_APP_SECRET: &str = "facebook_app_secret";

/// developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/messaging-api: 1,000 bytes
const TEXT: Limit = Limit { max: 1_000, unit: Unit::Bytes };

/// What tells it from Messenger.
pub static MESSAGING: Messaging =
    Messaging { channel: NAME, object: "instagram", text: TEXT, typed: false, attachment };

/// What we are told of; echoes are among the messages.
/// <https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events>
const FIELDS: &str = "messages,messaging_postbacks";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Instagram",
    secrets: &[
        // With Instagram's login the first signs, with Facebook's the second.
        SecretSpec {
            name: APP_SECRET,
            half: Half::In,
            required: false,
            generate: Generate::Random,
            about: "developers.facebook.com/apps → your app → Instagram → API setup with Instagram login → Instagram app secret",
        },
        SecretSpec {
            name: FACEBOOK_APP_SECRET,
            half: Half::In,
            required: false,
            generate: Generate::Random,
            about: "developers.facebook.com/apps → your app → App settings → Basic → App secret; in place of app_secret with \
                    Facebook's login",
        },
        SecretSpec {
            name: VERIFY_TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "our own; Meta quotes it in its handshake",
        },
        SecretSpec {
            name: ACCESS_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "the account's token (Instagram → API setup with Instagram login → Generate access tokens; it ends after 60 \
                    days unless refreshed), or with Facebook's login the linked Page's",
        },
    ],
    // The version that Meta's pages use: developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging.
    // With Facebook's login `urls.api` is the address of the second.
    bases: &[("api", "https://graph.instagram.com/v26.0"), ("facebook", "https://graph.facebook.com/v26.0")],
    text: TEXT,
    connect: Connect::Call(connect, THEN),
    settings: &[
        (
            APP_ID,
            "number of the Meta app (not the Instagram app's), for `crabhook connect instagram`, which then wants the secret \
             facebook_app_secret too; with it our own messages are known at once where they name the app",
        ),
        TAG_SETTING,
    ],
    ..FACTS
};

const THEN: &str = "\
The account's messages are subscribed. Unless channels.instagram.app_id is set, tell Meta the address by hand:
developers.facebook.com/apps → your app → Instagram → API setup → Configure webhooks: callback URL {url}, verify token: the
secret verify_token, fields messages and messaging_postbacks.
Publish the app with advanced access for messages; until then only people with a role in the app are answered.
In the account's settings allow access to messages (Messages and story replies → Message controls → Connected tools), and switch
off automated responses in the inbox: they look like a human's, and silence the assistant.";

/// <https://developers.facebook.com/documentation/instagram-platform/webhooks>,
/// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, settings, .. } = *to;
    let app = id_setting(settings, APP_ID);
    let app = app.map(|app| subscribe("facebook", FACEBOOK_APP_SECRET, &app, "instagram", FIELDS, url));
    let account = Step::json("api", format!("/me/subscribed_apps?subscribed_fields={FIELDS}"), json!({}));
    app.into_iter().chain([account.auth(Auth::bearer(ACCESS_TOKEN))]).collect()
}
