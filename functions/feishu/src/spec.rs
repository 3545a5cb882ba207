//! Facts about Feishu and Lark.

use channel::{
    AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step,
    Streaming, Target, ThreadRule, TokenSpec, Unit,
};
use serde_json::{Value, json};

pub const NAME: &str = "feishu";
pub const ENCRYPT_KEY: &str = "encrypt_key";
pub const VERIFICATION_TOKEN: &str = "verification_token";
const APP_ID: &str = "app_id";
const APP_SECRET: &str = "app_secret";

/// The token that answers are made with, and the path at which it is asked for.
pub const TOKEN: &str = "tenant";
pub const MINT: &str = "/open-apis/auth/v3/tenant_access_token/internal";

/// Settings.
const CLOUD: &str = "cloud";
pub const BOT: &str = "bot_open_id";
pub const REACTION: &str = "reaction";
pub const MAX_AGE: &str = "max_age_s";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Feishu / Lark",
    secrets: &[
        SecretSpec {
            name: ENCRYPT_KEY,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "open.feishu.cn/app → your app → Events & callbacks → Encryption strategy → Encrypt Key",
        },
        SecretSpec {
            name: VERIFICATION_TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Platform,
            about: "open.feishu.cn/app → your app → Events & callbacks → Encryption strategy → Verification Token",
        },
        SecretSpec {
            name: APP_ID,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "open.feishu.cn/app → your app → Credentials & basic info → App ID (cli_…)",
        },
        SecretSpec {
            name: APP_SECRET,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "open.feishu.cn/app → your app → Credentials & basic info → App Secret",
        },
    ],
    // Lives two hours: open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal
    tokens: &[TokenSpec {
        name: TOKEN,
        mint,
        at: "/tenant_access_token",
        expires_in: "/expire",
        ttl_s: 7_200,
    }],
    bases: &[("api", "https://open.feishu.cn"), ("lark", "https://open.larksuite.com")],
    hosts: &[],
    key_hosts: &[],
    max_body: 1 << 20,
    // open.feishu.cn/document/server-docs/im-v1/message/reply: 30 KB for the whole request of a rich text or a card. Text
    // stands in JSON inside JSON, where a quotation mark takes four bytes.
    text: Limit { max: 7_000, unit: Unit::Bytes },
    // open.feishu.cn/document/ukTMukTMukTM/uYDNxYjL2QTM24iN0EjN/event-subscription-configure-: 3 s for an event, 1 s for
    // the check of the address.
    ack_deadline_ms: 3_000,
    retries: true,
    // The same page: after 15 s, 5 min, 1 h and 6 h.
    retry_window_s: 25_515,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Edit,
    // open.feishu.cn/document/server-docs/im-v1/message/update: 5 times a second in a chat, 20 times for a message.
    pace: Pace { most: 20, ..Pace::every(1_000) },
    tenant: true,
    idempotency_key: true,
    connect: Connect::Manual(CONNECT),
    settings: &[
        (CLOUD, "`lark` for an app made at open.larksuite.com; unless set, Feishu"),
        (
            BOT,
            "the bot's open_id (ou_…), to tell its mentions from those of other bots; needed where the app may read all messages of groups",
        ),
        (
            REACTION,
            "an emoji type, for example `Typing`, that is put on a question as it is taken up, and stays; unless set, none",
        ),
        (
            MAX_AGE,
            "seconds by which the time of a signed event may differ from ours; unless set, any, since Feishu names no limit and events that come twice are known by their ids",
        ),
    ],
};

/// Which of the two clouds the app lives in: a name of [`Spec::bases`].
pub fn cloud(settings: &Value) -> &'static str {
    match settings.get(CLOUD).and_then(Value::as_str) {
        Some("lark") => "lark",
        _ => "api",
    }
}

/// <https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal>
fn mint(settings: &Value) -> Step {
    let fill = [("/app_id", APP_ID), ("/app_secret", APP_SECRET)];
    let body = Body::JsonWithSecrets {
        value: json!({"app_id": "", "app_secret": ""}),
        fill: fill.map(|(at, name)| (at.to_owned(), name.to_owned())).into(),
    };
    Step::new("POST", Target::Base { base: cloud(settings).to_owned(), path: MINT.to_owned() }, body)
}

const CONNECT: &str = r#"1. https://open.feishu.cn/app (Lark: https://open.larksuite.com/app, and set channels.feishu.cloud to "lark") → Create a custom
   app → Add features → Bot. Store App ID and App Secret as the secrets app_id and app_secret.
2. Permissions & scopes: im:message, im:message.p2p_msg:readonly, im:message.group_at_msg:readonly, im:resource
   (im:message.reactions:write_only too, where you set channels.feishu.reaction).
3. Events & callbacks → Encryption strategy: make an Encrypt Key, and store it and the Verification Token as the secrets
   encrypt_key and verification_token. Do so before the next step: Feishu checks the address at once.
4. Events & callbacks → both Event configuration and Callback configuration → "Send to developer's server":
   {url}
   Event: im.message.receive_v1. Callback: card.action.trigger (for buttons).
5. Version management → Create a version, publish it, and let an administrator approve it. Write to the bot, or add it to a
   group and mention it there.
"#;
