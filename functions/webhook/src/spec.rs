//! The facts. Where the standard leaves something open, they are our own choice.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

pub static SPEC: Spec = Spec {
    name: "webhook",
    title: "Webhook",
    secrets: &[
        SecretSpec {
            name: "secret",
            half: Half::In,
            required: false,
            generate: Generate::StandardWebhook,
            about: "shared with the program that signs with v1: whsec_…; several, separated by spaces, while one replaces the other",
        },
        SecretSpec {
            name: "public_key",
            half: Half::In,
            required: false,
            generate: Generate::Ed25519Hex,
            about: "of the program that signs with v1a: whpk_… or 64 hexadecimal digits; several, separated by spaces",
        },
        SecretSpec {
            name: "reply_secret",
            half: Half::Out,
            required: true,
            generate: Generate::StandardWebhook,
            about: "signs our replies: whsec_… (shared with the program) or whsk_… (the program holds the public half)",
        },
    ],
    tokens: &[],
    // Never taken from a payload.
    bases: &[("reply", "")],
    // Attachments lie where the program says, on public addresses only.
    hosts: &["*"],
    key_hosts: &[],
    max_body: 1 << 20,
    text: Limit { max: channel::MAX_TEXT_BYTES, unit: Unit::Bytes },
    // The standard asks senders to wait 15 to 30 seconds.
    ack_deadline_ms: 15_000,
    retries: true,
    // The standard's example schedule ends after about three days.
    retry_window_s: 3 * 24 * 3600,
    auth: AuthKind::Signature,
    reject: Reject401 { status: 401, body: "" },
    groups: true,
    // What keeps a history of its own is what the program names: a conversation, or a thread in it.
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: true,
    connect: Connect::Manual(
        "1. Have the program POST its events to {url}, signed with `secret` (v1) or with the private half of `public_key` \
         (v1a).\n2. Set `channels.webhook.urls.reply` to the address where it takes replies, and `crabhook config push`.\n\
         3. Give it `reply_secret`, to verify them.",
    ),
    settings: &[],
};
