//! Facts about WeCom.

use channel::{
    AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step,
    Streaming, Target, ThreadRule, TokenSpec, Unit,
};
use serde_json::Value;

pub const NAME: &str = "wecom";
pub const TOKEN: &str = "token";
pub const AES_KEY: &str = "encoding_aes_key";
pub const RECEIVE_ID: &str = "receive_id";
const CORP_SECRET: &str = "corp_secret";

/// The token that an app answers with, and the path at which it is asked for.
pub const ACCESS: &str = "access";
pub const MINT: &str = "/cgi-bin/gettoken";

/// Settings.
pub const FORMAT: &str = "format";
pub const BOT_NAME: &str = "bot_name";
pub const DUPLICATES: &str = "duplicate_check_s";
pub const MAX_AGE: &str = "max_age_s";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "WeCom",
    secrets: &[
        SecretSpec {
            name: TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Platform,
            about: "work.weixin.qq.com/wework_admin → your app → Receive messages → Token; for a bot: its API settings",
        },
        SecretSpec {
            name: AES_KEY,
            half: Half::In,
            required: true,
            generate: Generate::EncodingAesKey,
            about: "work.weixin.qq.com/wework_admin → beside the Token → EncodingAESKey",
        },
        SecretSpec {
            name: RECEIVE_ID,
            half: Half::Both,
            required: false,
            generate: Generate::Platform,
            about: "for an app: work.weixin.qq.com/wework_admin → My company → Company ID (ww…); a bot needs none",
        },
        SecretSpec {
            name: CORP_SECRET,
            half: Half::Out,
            required: false,
            generate: Generate::Platform,
            about: "for an app: work.weixin.qq.com/wework_admin → your app → Secret; a bot needs none",
        },
    ],
    // Two hours: developer.work.weixin.qq.com/document/path/91039
    tokens: &[TokenSpec { name: ACCESS, mint, at: "/access_token", expires_in: "/expires_in", ttl_s: 7_200 }],
    bases: &[("api", "https://qyapi.weixin.qq.com")],
    // Where a bot's answers go.
    hosts: &["qyapi.weixin.qq.com"],
    key_hosts: &[],
    max_body: 1 << 20,
    // A bot's message: developer.work.weixin.qq.com/document/path/101138. An app's is shorter, see `render`.
    text: Limit { max: 20_480, unit: Unit::Bytes },
    // developer.work.weixin.qq.com/document/path/90238: 5 s, three times more
    ack_deadline_ms: 5_000,
    retries: true,
    retry_window_s: 20,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: true,
    idempotency_key: false,
    connect: Connect::Manual(CONNECT),
    settings: &[
        (
            FORMAT,
            "`text`: an app answers without markup, for companies whose people read it in WeChat; unless set, Markdown",
        ),
        (
            BOT_NAME,
            "a bot's name as mentions in groups show it, where it holds a space; unless set, the first word after @",
        ),
        (
            DUPLICATES,
            "seconds within which WeCom drops a message of an app whose words came before: nothing appears twice, also where it should; unless set, none",
        ),
        (
            MAX_AGE,
            "seconds by which the time of a request may differ from ours; unless set, any, since WeCom names no limit and messages that come twice are known by their ids",
        ),
    ],
};

/// <https://developer.work.weixin.qq.com/document/path/91039>
fn mint(_settings: &Value) -> Step {
    let path = format!("{MINT}?corpid={{{RECEIVE_ID}}}&corpsecret={{{CORP_SECRET}}}");
    Step::new("GET", Target::Base { base: "api".to_owned(), path }, Body::None)
}

const CONNECT: &str = r#"WeCom takes only an address under a domain whose filing names the company: put such a domain in front of
{url}
A bot (智能机器人; direct messages and groups, one answer to each message):
1. work.weixin.qq.com/wework_admin → Security & management → Admin tools → Create bot → API mode, by URL.
2. Store its Token and EncodingAESKey as the secrets token and encoding_aes_key, then save the address there: it is checked
   at once. Leave receive_id and corp_secret unset.
An app (自建应用; direct messages, any number of answers):
1. work.weixin.qq.com/wework_admin → App management → Create an app. Store the company's ID as the secret receive_id and the
   app's Secret as corp_secret.
2. The app → Receive messages → Set API: store Token and EncodingAESKey as token and encoding_aes_key, then save the address
   there: it is checked at once.
3. The app → Trusted IP addresses: enter the address that the stack calls from. Lambda has none of its own: give the
   model-invoker a VPC with a NAT gateway, or point channels.wecom.urls.api to a proxy of yours.
Both at once are two accounts.
"#;
