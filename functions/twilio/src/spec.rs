//! Facts about Twilio.

use channel::{
    Auth, AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Registration, Reject401, SecretSpec,
    Spec, Step, Streaming, Target, ThreadRule, Unit, encode,
};
use serde_json::Value;

pub const NAME: &str = "twilio";
pub const AUTH_TOKEN: &str = "auth_token";
const KEY_SID: &str = "api_key_sid";
const KEY_SECRET: &str = "api_key_secret";

/// Settings.
pub const MESSAGING_SERVICE: &str = "messaging_service";
pub const TEMPLATE: &str = "template";
const NUMBER: &str = "number";

/// Twilio repeats a failed call only where the address asks for it, and within 15 seconds in all:
/// <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>. The fragment is neither sent nor signed.
const RETRIES: &str = "#rc=3&rp=5xx,ct,rt";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Twilio",
    secrets: &[
        SecretSpec {
            name: AUTH_TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "console.twilio.com → Account Info → Auth Token, which signs; two, separated by a space, while one replaces the other",
        },
        SecretSpec {
            name: "account_sid",
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "console.twilio.com → Account Info → Account SID (AC…)",
        },
        SecretSpec {
            name: KEY_SID,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "console.twilio.com → API keys & tokens → Create API key → SID (SK…); the Account SID works too",
        },
        SecretSpec {
            name: KEY_SECRET,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "console.twilio.com → API keys & tokens → the key's Secret; for the Account SID it is the Auth Token",
        },
    ],
    tokens: &[],
    bases: &[("api", "https://api.twilio.com"), ("messaging", "https://messaging.twilio.com")],
    // Files lie with Twilio, which leads on to where its CDN has them.
    hosts: &["api.twilio.com", "*.twiliocdn.com", "*.amazonaws.com"],
    key_hosts: &[],
    max_body: 1 << 20,
    // www.twilio.com/docs/api/errors/21617
    text: Limit { max: 1_600, unit: Unit::Utf16 },
    // www.twilio.com/docs/api/errors/11205
    ack_deadline_ms: 15_000,
    retries: true,
    retry_window_s: 15,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 403, body: "" },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Call(
        connect,
        "For a Messaging Service, a WhatsApp or an RCS sender set the address for incoming messages in the console:\n\
         {url}#rc=3&rp=5xx,ct,rt\n\
         (the end makes Twilio try again when a call fails). For a phone number set `channels.twilio.number` to its SID \
         (PN…), `crabhook config push`, and run this once more.",
    ),
    settings: &[
        (NUMBER, "SID (PN…) of the phone number whose address `crabhook connect twilio` sets"),
        (
            MESSAGING_SERVICE,
            "SID (MG…) of the Messaging Service that sends; unless set, the number that was written to sends",
        ),
        (
            TEMPLATE,
            "ContentSid (HX…) of an approved WhatsApp template with the one variable {{1}}: what is sent after 24 hours",
        ),
    ],
};

/// Twilio knows callers by a key and its secret.
pub fn auth() -> Auth {
    Auth::Basic { user: KEY_SID.to_owned(), password: KEY_SECRET.to_owned() }
}

/// A path below the account.
pub fn path(rest: &str) -> String {
    format!("/2010-04-01/Accounts/{{account_sid}}/{rest}")
}

/// <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource>
fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, settings, .. } = *to;
    let Some(number) = settings.get(NUMBER).and_then(Value::as_str) else { return Vec::new() };
    let path = path(&format!("IncomingPhoneNumbers/{}.json", encode::segment(number)));
    let fields = [("SmsUrl", format!("{url}{RETRIES}")), ("SmsMethod", "POST".to_owned())];
    let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value)).into());
    vec![Step::new("POST", Target::Base { base: "api".to_owned(), path }, form).auth(auth())]
}
