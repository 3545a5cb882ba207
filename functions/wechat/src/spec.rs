//! Facts about WeChat's Official Accounts.

use channel::{
    AuthKind, Body, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Step,
    Streaming, Target, ThreadRule, TokenSpec, Unit,
};
use serde_json::{Value, json};

pub const NAME: &str = "wechat";
pub const TOKEN: &str = "token";
pub const AES_KEY: &str = "encoding_aes_key";
pub const RECEIVE_ID: &str = "receive_id";
const APP_SECRET: &str = "app_secret";

/// The token that answers are made with, and the path at which it is asked for.
pub const ACCESS: &str = "access";
pub const MINT: &str = "/cgi-bin/stable_token";

/// Settings.
pub const MAX_AGE: &str = "max_age_s";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "WeChat",
    secrets: &[
        SecretSpec {
            name: TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Platform,
            about: "developers.weixin.qq.com/console → your account → Message push → Token: 3 to 32 letters and digits of your own",
        },
        SecretSpec {
            name: AES_KEY,
            half: Half::In,
            required: false,
            generate: Generate::EncodingAesKey,
            about: "developers.weixin.qq.com/console → your account → Message push → EncodingAESKey; without it requests are taken in plain mode",
        },
        SecretSpec {
            name: RECEIVE_ID,
            half: Half::Both,
            required: true,
            generate: Generate::Platform,
            about: "developers.weixin.qq.com/console → your account → Basic information → AppID (wx…)",
        },
        SecretSpec {
            name: APP_SECRET,
            half: Half::Out,
            required: true,
            generate: Generate::Platform,
            about: "developers.weixin.qq.com/console → your account → Developer keys → AppSecret",
        },
    ],
    tokens: &[TokenSpec { name: ACCESS, mint, at: "/access_token", expires_in: "/expires_in", ttl_s: 7_200 }],
    bases: &[("api", "https://api.weixin.qq.com")],
    hosts: &[],
    key_hosts: &[],
    max_body: 1 << 20,
    // Not in the reference; measured at 2,048: developers.weixin.qq.com/community/develop/doc/00084e2936c340b9015a753405b800
    text: Limit { max: 2_000, unit: Unit::Bytes },
    // developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html: 5 s, three times in all
    ack_deadline_ms: 5_000,
    retries: true,
    retry_window_s: 15,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Manual(CONNECT),
    settings: &[(
        MAX_AGE,
        "seconds by which the time of a request may differ from ours; unless set, any, since WeChat names no limit and messages that come twice are known by their ids",
    )],
};

/// Other than the older way of asking, this one does not end a token that somebody else was given.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
fn mint(_settings: &Value) -> Step {
    let fill = [("/appid", RECEIVE_ID), ("/secret", APP_SECRET)];
    let body = Body::JsonWithSecrets {
        value: json!({"grant_type": "client_credential", "appid": "", "secret": ""}),
        fill: fill.map(|(at, name)| (at.to_owned(), name.to_owned())).into(),
    };
    Step::new("POST", Target::Base { base: "api".to_owned(), path: MINT.to_owned() }, body)
}

const CONNECT: &str = r#"1. https://developers.weixin.qq.com/console → your Official Account, which must be verified: only then it may send customer
   service messages. Store AppID and AppSecret as the secrets receive_id and app_secret.
2. IP allow list: enter the address that the stack calls from. Lambda has none of its own: give the model-invoker a VPC with
   a NAT gateway, or point channels.wechat.urls.api to a proxy of yours.
3. Make up a Token of 3 to 32 letters and digits, and let the console make an EncodingAESKey: store them as the secrets token
   and encoding_aes_key.
4. Message push → server configuration: mode "secure" (安全模式), the Token, the EncodingAESKey, and the address, which is
   checked at once:
   {url}
5. Switch the server configuration on. It takes the place of automatic replies and menus that were made in the console.
"#;
