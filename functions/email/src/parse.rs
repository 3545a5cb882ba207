//! What a notification of SES says:
//! <https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html>.

use channel::{Attachment, Content, Context, Fetch, Inbound, Received, Response, Sender, Verified};
use mail_parser::{DateTime, MessageParser};
use serde::Deserialize;

use crate::render::{FILE, OWN, REFERENCES, SUBJECT, TEXT};
use crate::spec::{FROM, NAME};
use crate::thread;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Notification {
    notification_type: String,
    mail: Mail,
    receipt: Receipt,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Mail {
    timestamp: String,
    /// The envelope's sender.
    source: String,
    message_id: String,
    headers: Vec<Header>,
    common_headers: CommonHeaders,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct CommonHeaders {
    from: Vec<String>,
    subject: Option<String>,
    message_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Receipt {
    recipients: Vec<String>,
    spam_verdict: Verdict,
    virus_verdict: Verdict,
    spf_verdict: Verdict,
    dmarc_verdict: Verdict,
    action: Action,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Verdict {
    status: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Action {
    bucket_name: String,
    object_key: String,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let ack = Response::empty(200);
    // SES tries a new topic with a line of text.
    let Some(notification) = verified.json::<Notification>() else {
        return Received::Nothing(ack, "not json");
    };
    match inbound(&notification, ctx) {
        Ok(inbound) => Received::Events { ack, on_failure: Response::empty(503), inbound: vec![inbound] },
        Err(kind) => Received::Nothing(ack, kind),
    }
}

/// The mail, or why it is none to answer.
fn inbound(notification: &Notification, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let Notification { notification_type, mail, receipt } = notification;
    let action = &receipt.action;
    if notification_type != "Received" || mail.message_id.is_empty() {
        return Err("unknown notification");
    }
    if action.bucket_name.is_empty() || action.object_key.is_empty() {
        return Err("not in a bucket");
    }
    if receipt.spam_verdict.status == "FAIL" || receipt.virus_verdict.status == "FAIL" {
        return Err("spam");
    }
    let headers = mail.headers.iter().map(|header| (header.name.as_str(), header.value.trim()));
    if let Some(why) = written_by_machine(headers) {
        return Err(why);
    }
    let (from, name) = sender(mail)?;
    let source = mail.source.trim_matches(['<', '>']).to_ascii_lowercase();
    if source.is_empty() || is_daemon(&source) || is_daemon(&from) {
        return Err("bounce");
    }
    if is_own(&from, receipt, ctx) {
        return Err("own message");
    }
    if !is_proven(&from, &source, receipt) {
        return Err("sender not proven");
    }
    let header = |name: &str| value(mail, name);
    let message_id = mail.common_headers.message_id.as_deref().unwrap_or_else(|| header("Message-ID"));
    let thread = thread::thread(message_id, header("In-Reply-To"), header("References"));
    let key = if thread.key.is_empty() { format!("<{}>", mail.message_id) } else { thread.key };
    let place = format!("{}/{}", action.bucket_name, action.object_key);
    let fetch = |form: &str| Fetch { account: ctx.account.to_owned(), id: format!("{form}{place}") };

    let sender = Sender::new(&from, &name);
    let mut inbound = Inbound::new(NAME, ctx, mail.message_id.clone(), &from, sender, String::new());
    inbound.content = Content::Deferred(fetch(TEXT));
    // Which files there are, the mail itself says: one reference stands for all of them. Some clients put them below the
    // forms of the text, so every mail of several parts is looked at.
    if header("Content-Type").trim_start().to_ascii_lowercase().starts_with("multipart/") {
        let (name, media_type) = ("mail.eml".to_owned(), "message/rfc822".to_owned());
        inbound.attachments = vec![Attachment { name, media_type, size: None, fetch: fetch(FILE) }];
    }
    inbound.at = written_at(&mail.timestamp).unwrap_or(ctx.now);
    let mut inbound = inbound.in_thread(Some(key));
    inbound.address.reply_to = thread.in_reply_to;
    let subject = mail.common_headers.subject.as_deref().unwrap_or_else(|| header("Subject"));
    let own = receipt.recipients.first().cloned().unwrap_or_default();
    let data = [(OWN, own), (REFERENCES, thread.references), (SUBJECT, thread::answered(subject))];
    let data = data.into_iter().filter(|(_, value)| !value.is_empty());
    inbound.address.data = data.map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(inbound)
}

/// Why mail with these headers gets no answer: a machine wrote it, or it went to a list.
/// <https://www.rfc-editor.org/rfc/rfc3834#section-2>
pub fn written_by_machine<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'static str> {
    for (name, value) in headers {
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let first = value.split([';', ' ', '\t']).next().unwrap_or("");
        match name.as_str() {
            "auto-submitted" if first != "no" => return Some("automatic"),
            "precedence" if matches!(first, "bulk" | "list" | "junk") => return Some("bulk"),
            "list-id" | "list-unsubscribe" => return Some("list"),
            // learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail: a machine asks for no answers
            "x-auto-response-suppress" if value != "none" => return Some("automatic"),
            "return-path" if value == "<>" => return Some("bounce"),
            "content-type" if first == "multipart/report" => return Some("report"),
            _ => {}
        }
    }
    None
}

/// The one address of `From`, lower case, and the name beside it.
fn sender(mail: &Mail) -> Result<(String, String), &'static str> {
    let [from] = mail.common_headers.from.as_slice() else { return Err("no sender, or several") };
    let line = format!("From: {}\r\n\r\n", from.replace(['\r', '\n'], " "));
    let parsed = MessageParser::default().parse(line.as_bytes()).ok_or("no sender, or several")?;
    let addresses: Vec<_> = parsed.from().into_iter().flat_map(|from| from.iter()).collect();
    let [one] = addresses.as_slice() else { return Err("no sender, or several") };
    let address = one.address().unwrap_or("").to_ascii_lowercase();
    let is_address =
        address.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'));
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b','));
    if !is_address || !is_plain {
        return Err("no sender, or several");
    }
    Ok((address, one.name().unwrap_or("").to_owned()))
}

fn is_daemon(address: &str) -> bool {
    matches!(address.split('@').next(), Some("mailer-daemon" | "postmaster"))
}

fn is_own(from: &str, receipt: &Receipt, ctx: &Context<'_>) -> bool {
    let set = ctx.settings.get(FROM).and_then(serde_json::Value::as_str);
    receipt.recipients.iter().map(String::as_str).chain(set).any(|own| own.eq_ignore_ascii_case(from))
}

/// `From` is only believed where DMARC holds or, for domains without a policy, where SPF does for the very same domain.
fn is_proven(from: &str, source: &str, receipt: &Receipt) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    match receipt.dmarc_verdict.status.as_str() {
        "PASS" => true,
        "FAIL" => false,
        _ => receipt.spf_verdict.status == "PASS" && domain(from) == domain(source),
    }
}

fn value<'a>(mail: &'a Mail, name: &str) -> &'a str {
    let header = mail.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    header.map_or("", |header| header.value.as_str())
}

/// Unix milliseconds.
fn written_at(timestamp: &str) -> Option<i64> {
    let (seconds, fraction) = timestamp.trim_end_matches('Z').split_once('.').unwrap_or((timestamp, "0"));
    let at = DateTime::parse_rfc3339(&format!("{}Z", seconds.trim_end_matches('Z')))?;
    let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(at.to_timestamp() * 1_000 + ms)
}
