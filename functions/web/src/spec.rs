//! The facts. There is no platform but ours, so most of them are our own choice.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
};

pub const NAME: &str = "web";
pub const SESSION_KEY: &str = "session_key";
/// What conversations are known by. Where it is not set, the last of the session keys is.
pub const ID_SEED: &str = "id_seed";
pub const IDENTITY_KEY: &str = "identity_key";
pub const API_KEY: &str = "api_key";
/// The setting that names the sites.
pub const ORIGINS: &str = "origins";
/// The setting that says who may attach files.
pub const UPLOADS: &str = "uploads";

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Web",
    secrets: &[
        SecretSpec {
            name: SESSION_KEY,
            half: Half::In,
            required: true,
            generate: Generate::Random,
            about: "our own choice; signs the sessions of visitors. Several, separated by spaces, while one replaces the other: the \
                    first signs, and where id_seed is not set conversations are known by the last",
        },
        SecretSpec {
            name: ID_SEED,
            half: Half::In,
            required: false,
            generate: Generate::Random,
            about: "what conversations are known by: a new one begins all of them anew. Set it to the old session_key before that one \
                    is given up",
        },
        SecretSpec {
            name: IDENTITY_KEY,
            half: Half::In,
            required: false,
            generate: Generate::Random,
            about: "shared with your site, whose server signs with it who is signed in (HS256); several, separated by spaces, while one replaces the other",
        },
        SecretSpec {
            name: API_KEY,
            half: Half::In,
            required: false,
            generate: Generate::Random,
            about: "the key of programs that come to /v1; several, separated by spaces, while one replaces the other",
        },
    ],
    tokens: &[],
    bases: &[("table", "https://dynamodb.{aws:region}.amazonaws.com")],
    // Attachments lie where the page or the program says, on public addresses only.
    hosts: &["*"],
    key_hosts: &[],
    // A program sends the whole conversation every time, pictures in it. Lambda takes 6 MB:
    // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    max_body: 6_000_000,
    // An item of the table has at most 400 KB, and the page reads many at once:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    text: Limit { max: 32 * 1024, unit: Unit::Bytes },
    ack_deadline_ms: 10_000,
    // The widget does, under the same id.
    retries: true,
    retry_window_s: 60,
    auth: AuthKind::Token,
    reject: Reject401 { status: 401, body: r#"{"error":"not authentic"}"# },
    groups: false,
    thread: ThreadRule::Chat,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Edit,
    // Each is a write to the table.
    pace: Pace::every(1_000),
    // Whom the site has signed in, and programs with a key, are its own people; other visitors are not.
    tenant: true,
    idempotency_key: true,
    connect: Connect::Manual(
        "1. Name your site in the configuration and `crabhook config push`:\n\
         \x20    channels: {web: {origins: [\"https://www.example.com\"]}}\n\
         2. Put this into its pages:\n\
         \x20    <script src=\"{url}main/widget.js\" async></script>\n\
         3. Visitors who are not signed in on your site are answered only with `access: open`, which needs daily caps; those who\n\
         \x20  are, are known by a token of your server's: functions/web/README.md.\n\
         4. Programs that speak OpenAI's protocol: base URL {url}main/v1, key `crabhook secrets set web api_key --generate`.",
    ),
    settings: &[
        (
            ORIGINS,
            "Sites whose pages may hold the widget: a list of origins (https://www.example.com), or \"*\" for any.",
        ),
        (
            UPLOADS,
            "Who may attach files in the widget: everybody (as if not set), known (people signed in on your site) or nobody.",
        ),
    ],
};
