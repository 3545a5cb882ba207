//! Facts about Amazon SES.

use channel::{
    AuthKind, Connect, Generate, Half, Limit, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, Unit,
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
    pace: Pace::NONE,
    tenant: false,
    idempotency_key: false,
    connect: Connect::Terms(SANDBOX, &Connect::Manual(STEPS)),
    settings: &[
        (FROM, "address that answers come from; unless set, the one that was written to"),
        (PER_THREAD, "answers in one thread a day, whoever writes there; 5 unless set, 0 = without limit"),
    ],
};

/// <https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html>
const SANDBOX: &str = "\
First: the SES sandbox. A new account sends to verified addresses only, 200 mails a day; answers to anybody else become failed
messages. SES ({region}) → Account dashboard → Request production access.
";

const STEPS: &str = "\
1. crabhook --stack {stack} deploy --set EmailDomain=<domain>: bucket, topic, receipt rule and function, and the permission to
   answer from that domain. Every address of it is then the assistant's: take a subdomain if people have mail there.
2. SES ({region}) → Identities → Create identity → the domain; put the DKIM records that it shows into DNS.
3. DNS: an MX record of the domain, 10 inbound-smtp.{region}.amazonaws.com
4. aws ses set-active-receipt-rule-set --rule-set-name {stack} --region {region}, or SES → Email receiving → Rule sets → {stack}
   → Set as active. Only one set can be; if you have one, copy the stack's rule into it.
5. Say who gets answers (channels.email.access), crabhook config push, crabhook doctor, and write a mail.
Mail has no address that anybody could call: only the stack's own topic invokes the function.";

pub fn answers_a_day(settings: &Value) -> Option<u32> {
    let set = settings.get(PER_THREAD).and_then(Value::as_u64);
    let most = set.map_or(ANSWERS_PER_THREAD, |most| u32::try_from(most).unwrap_or(u32::MAX));
    (most > 0).then_some(most)
}
