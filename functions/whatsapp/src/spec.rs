//! Facts about WhatsApp.

use channel::graph::{ACCESS_TOKEN, APP_ID, APP_SECRET, VERIFY_TOKEN, id_setting, subscribe};
use channel::{
    Auth, AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Registration, Reject401, SecretSpec, Spec,
    Step, Streaming, ThreadRule, Unit, encode,
};
use serde_json::json;

pub const NAME: &str = "whatsapp";

/// Settings.
pub const MENTION: &str = "mention";
pub const TEMPLATE: &str = "template";
pub const TEMPLATE_LANGUAGE: &str = "template_language";
pub const TEMPLATE_LENGTH: &str = "template_length";
const BUSINESS_ACCOUNT: &str = "business_account";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "WhatsApp",
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
            about: "our own; `crabhook connect whatsapp` tells Meta, which quotes it in its handshake",
        },
        SecretSpec {
            name: ACCESS_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "business.facebook.com → Settings → System users → Generate token, with whatsapp_business_messaging and \
                    whatsapp_business_management",
        },
    ],
    tokens: &[],
    // The version that Meta's pages use: developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
    bases: &[("api", "https://graph.facebook.com/v26.0")],
    // Where files are: developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
    hosts: &["lookaside.fbsbx.com"],
    key_hosts: &[],
    // developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview: up to 3 MB
    max_body: 3 << 20,
    // developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages: 4,096 characters. What counts
    // as one is not said, hence the larger unit.
    text: Limit { max: 4_096, unit: Unit::Utf16 },
    // None is published for WhatsApp (docs.360dialog.com quotes Meta: 250 ms in the median). Of the same webhooks
    // developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks says 5 seconds.
    ack_deadline_ms: 5_000,
    retries: true,
    // docs.360dialog.com/docs/waba-messaging/receiving-messages: up to 7 days; Meta's general page says 36 hours
    // (developers.facebook.com/docs/graph-api/webhooks/getting-started).
    retry_window_s: 7 * 24 * 3_600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 403, body: "" },
    groups: true,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Terms(TERMS, &Connect::Call(connect, THEN)),
    settings: &[
        (APP_ID, "number of the Meta app, for `crabhook connect whatsapp`"),
        (BUSINESS_ACCOUNT, "number of the WhatsApp Business Account, for `crabhook connect whatsapp`"),
        (
            TEMPLATE,
            "name of an approved template whose body has the one variable {{1}}: what is sent later than 24 hours after a \
             person's message",
        ),
        (TEMPLATE_LANGUAGE, "language of that template; en_US unless set"),
        (
            TEMPLATE_LENGTH,
            "longest text in its variable, characters; 900 unless set: with the template's own words WhatsApp may take no \
             more than 1,024",
        ),
        (
            MENTION,
            "what people write in a group to mean the assistant, for example @helper; its number with @, a reply to it and a \
             command mean it too",
        ),
    ],
};

/// What the pages say that are named in the README.
pub const TERMS: &str = "\
Read first: Meta's terms for assistants on WhatsApp.
- A business may let an assistant answer its own customers: support, orders, appointments.
- A general assistant, where the AI itself is what is offered, is forbidden since 15 January 2026 (\"AI Providers\" in the
  WhatsApp Business Solution Terms), save where Meta has to allow it: in the European Economic Area by an interim order of
  9 June 2026, in Italy by one of December 2025; for Brazil it changed several times.
Checked on 2026-11-21 with stored copies of public reports, none newer than June 2026. Meta's own text could not be opened:
https://www.whatsapp.com/legal/business-solution-terms
";

const THEN: &str = "\
For `crabhook connect whatsapp` to do all of it, set channels.whatsapp.app_id and channels.whatsapp.business_account to the
numbers of the app and of the WhatsApp Business Account, `crabhook config push`, and run it again. By hand:
1. developers.facebook.com/apps → your app → WhatsApp → Configuration: callback URL {url}, verify token: the secret verify_token.
2. There under Webhook fields subscribe `messages`, and `smb_message_echoes` where the number is used in the WhatsApp Business
   app as well.
3. Publish the app; until then only numbers in its list of testers are answered.";

/// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>,
/// <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps>
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, settings, .. } = *to;
    let account = id_setting(settings, BUSINESS_ACCOUNT);
    let (Some(app), Some(account)) = (id_setting(settings, APP_ID), account) else { return Vec::new() };
    let fields = "messages,smb_message_echoes";
    let path = format!("/{}/subscribed_apps", encode::segment(&account));
    vec![
        subscribe("api", APP_SECRET, &app, "whatsapp_business_account", fields, url),
        Step::json("api", path, json!({})).auth(Auth::bearer(ACCESS_TOKEN)),
    ]
}
