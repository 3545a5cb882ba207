//! Facts about Matrix.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

pub const NAME: &str = "matrix";
pub const HS_TOKEN: &str = "hs_token";
pub const AS_TOKEN: &str = "as_token";
pub const USER_ID: &str = "user_id";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Matrix",
    secrets: &[
        SecretSpec {
            name: HS_TOKEN,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "your own choice; the registration's hs_token, with which the homeserver comes to us",
        },
        SecretSpec {
            name: AS_TOKEN,
            half: Half::Out,
            required: true,
            generate: Generate::Random,
            about: "your own choice; the registration's as_token, with which we come to the homeserver",
        },
        SecretSpec {
            name: USER_ID,
            half: Half::Both,
            required: true,
            generate: Generate::Platform,
            about: "the assistant's full id: @<the registration's sender_localpart>:<server name>",
        },
    ],
    tokens: &[],
    // Everybody's homeserver is elsewhere.
    bases: &[("api", "")],
    hosts: &[],
    key_hosts: &[],
    // A hundred events of 64 KiB are the most that Synapse hands over; Lambda takes 6 MB.
    max_body: 6 << 20,
    // An event has 65,536 bytes (spec.matrix.org/latest/client-server-api/#size-limits), in which the text stands twice.
    text: Limit { max: 12_000, unit: Unit::Bytes },
    // Not specified; Synapse waits 60 s, and holds back everything that comes after.
    ack_deadline_ms: 10_000,
    retries: true,
    // Without end, at growing intervals: spec.matrix.org/latest/application-service-api/#pushing-events
    retry_window_s: 7 * 24 * 3_600,
    auth: AuthKind::Token,
    // spec.matrix.org/latest/application-service-api/#authorization
    reject: Reject401 { status: 403, body: r#"{"errcode":"M_FORBIDDEN"}"# },
    groups: true,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Edit,
    // spec.matrix.org/latest/client-server-api/#rate-limiting: as the homeserver likes, unless the registration says
    // `rate_limited: false`.
    pace: Pace::every(2_000),
    // Bridges' puppets are users of the homeserver, too: being one says nothing.
    tenant: false,
    idempotency_key: true,
    connect: Connect::Manual(CONNECT),
    settings: &[],
};

const CONNECT: &str = r#"1. Choose two long random texts and store them as the secrets hs_token and as_token; store the assistant's full id
   (@assistant:example.org) as the secret user_id. Set `channels.matrix.urls.api` to the homeserver's address
   (https://matrix.example.org) and `crabhook config push`.
2. On the homeserver write assistant.yaml:

id: assistant
url: {url}main
as_token: <as_token>
hs_token: <hs_token>
sender_localpart: assistant
rate_limited: false
namespaces:
  users: [{exclusive: true, regex: "@assistant:example\\.org"}]
  aliases: []
  rooms: []

   This is for rooms, where it wants to be mentioned. For direct chats write `url: {url}main/direct`; for both, make a second
   account (`--account direct`) with its own id, tokens and file.
3. Add the file to `app_service_config_files` in homeserver.yaml (Synapse) and restart it.
4. Let it have a name: the user is made by the homeserver when it first joins a room.
5. Make a room WITHOUT encryption, invite the assistant, and write to it.
"#;
