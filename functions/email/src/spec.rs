//! Facts about Amazon SES.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Reject401, SecretSpec, Spec, Streaming, ThreadRule,
    Unit,
};
use serde_json::Value;

pub const NAME: &str = "email";
pub const TOPIC: &str = "topic_arn";

/// Settings.
pub const FROM: &str = "from";
const PER_THREAD: &str = "answers_per_thread";

/// Two assistants that write to each other stop here.
const ANSWERS_PER_THREAD: u32 = 5;

/// Longest piece of CommonMark that becomes one mail, bytes. Mail itself has no such limit; a planned mail is stored with
/// its turn, twice (text and HTML).
pub const PIECE: Limit = Limit { max: 16_000, unit: Unit::Bytes };

pub static SPEC: Spec = Spec {
    name: NAME,
    title: "Email",
    secrets: &[SecretSpec {
        name: TOPIC,
        half: Half::In,
        required: true,
        generate: Generate::Platform,
        about: "written by the stack itself (parameter EmailDomain): the ARN of the topic that SES tells of new mail",
    }],
    tokens: &[],
    // docs.aws.amazon.com/general/latest/gr/ses.html, …/s3.html
    bases: &[
        ("api", "https://email.{aws:region}.amazonaws.com"),
        ("s3", "https://s3.{aws:region}.amazonaws.com"),
    ],
    hosts: &[],
    key_hosts: &[],
    // docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html: a message has up to 256 KB
    max_body: 256 << 10,
    text: Limit { max: 4 * PIECE.max, unit: Unit::Bytes },
    // Nobody waits: Lambda is invoked asynchronously. This is how long the queue may take.
    ack_deadline_ms: 4_000,
    // Twice, after one minute and after two more: docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    retries: true,
    retry_window_s: 180,
    auth: AuthKind::Token,
    reject: Reject401 { status: 403, body: "" },
    groups: false,
    thread: ThreadRule::Thread,
    overlap: Overlap::Coalesce,
    streaming: Streaming::Off,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Manual(
        "1. Deploy with the domain (or subdomain) that receives: crabhook deploy --set EmailDomain=<domain>\n\
         2. SES → Identities → Create identity → that domain; put the DKIM records it shows into DNS.\n\
         3. DNS: an MX record of the domain, 10 inbound-smtp.<region>.amazonaws.com\n\
         4. SES → Email receiving → Rule sets → the stack's rule set → Set as active. Only one can be.\n\
         5. SES → Account dashboard → Request production access: before that, mail goes to verified addresses only.\n\
         Mail has no address to call; {url} is not used.",
    ),
    settings: &[
        (FROM, "address that answers come from; unless set, the one that was written to"),
        (PER_THREAD, "answers that one person gets in one thread a day, 5 unless set; 0 = without limit"),
    ],
};

pub fn answers_a_day(settings: &Value) -> Option<u32> {
    let set = settings.get(PER_THREAD).and_then(Value::as_u64);
    let most = set.map_or(ANSWERS_PER_THREAD, |most| u32::try_from(most).unwrap_or(u32::MAX));
    (most > 0).then_some(most)
}
