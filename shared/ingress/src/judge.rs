//! The judgement on one request: what the platform is answered, and what goes on the queue.

use channel::{Channel, Context, Inbound, Kind, Received, Reject, Request, Response, Spec};

/// The queue takes 1 MiB; what surrounds the message has room left.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_MESSAGE_BYTES: usize = 1000 * 1000;

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The answer, once all messages are on the queue.
    pub response: Response,
    /// The answer where the queue does not take them.
    pub on_failure: Response,
    /// What goes on the queue.
    pub messages: Vec<Inbound>,
    /// What was left out, by the name it is counted under.
    pub ignored: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Authentic; perhaps without messages.
    Accepted,
    /// Authentic, and only about the connection itself.
    Handshake,
    /// Not authentic. The reason is for our log only.
    Forged(&'static str),
    /// Larger than the platform's requests are.
    TooLarge,
    /// Its body is compressed: what it unpacks to has no bound, and no platform sends one.
    Compressed,
    /// The secret of that name is not there.
    NotSetUp(&'static str),
    /// A key at that address is missing or does not have that id.
    NeedKey { url: String, kid: String },
}

impl Outcome {
    /// Name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Handshake => "handshake",
            Outcome::Forged(_) | Outcome::NeedKey { .. } => "forged",
            Outcome::TooLarge => "too_large",
            Outcome::Compressed => "compressed",
            Outcome::NotSetUp(_) => "not_set_up",
        }
    }

    /// Whether the request was found authentic.
    pub fn is_authentic(&self) -> bool {
        matches!(self, Outcome::Accepted | Outcome::Handshake)
    }
}

/// Judges a request as the webhook function does, without the queue. `ctx.keys` holds the keys that were fetched.
pub fn judge(channel: &dyn Channel, request: &Request, ctx: &Context<'_>) -> Verdict {
    let spec = channel.spec();
    if let Some(refused) = at_the_door(spec, request) {
        return refused;
    }
    match channel.receive(request, ctx) {
        Ok(Received::Handshake(response)) => Verdict::refused(Outcome::Handshake, response),
        Ok(Received::Nothing(ack, name)) => {
            Verdict { ignored: Some(name), ..Verdict::taken(ack, unavailable(), vec![]) }
        }
        Ok(Received::Events { ack, on_failure, inbound }) => {
            let mut ignored = None;
            let mut messages = Vec::new();
            for inbound in inbound {
                match not_for_us(&inbound) {
                    None => match within_the_queue(inbound) {
                        Some(inbound) => messages.push(inbound),
                        None => ignored = ignored.or(Some("too_large")),
                    },
                    reason => ignored = ignored.or(reason),
                }
            }
            Verdict { ignored, ..Verdict::taken(ack, on_failure, messages) }
        }
        Err(Reject::Forged(reason)) => Verdict::refused(Outcome::Forged(reason), reject(spec)),
        Err(Reject::NotSetUp(secret)) => Verdict::refused(Outcome::NotSetUp(secret), unavailable()),
        Err(Reject::NeedKey { url, kid }) => Verdict::refused(Outcome::NeedKey { url, kid }, reject(spec)),
    }
}

/// What is refused before anything else is looked at: secrets, signature, body.
pub(crate) fn at_the_door(spec: &Spec, request: &Request) -> Option<Verdict> {
    if request.body.len() > spec.max_body {
        return Some(Verdict::refused(Outcome::TooLarge, Response::text(413, "too large")));
    }
    let encoding = request.headers.get("content-encoding").unwrap_or("").trim();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Some(Verdict::refused(Outcome::Compressed, Response::text(415, "send it uncompressed")));
    }
    None
}

/// The message as the queue takes it. One that is too large is so because of its files: their references are left out.
/// `None` where that is not enough; trying again would not help either.
fn within_the_queue(mut inbound: Inbound) -> Option<Inbound> {
    let fits =
        |inbound: &Inbound| serde_json::to_vec(inbound).is_ok_and(|json| json.len() <= MAX_MESSAGE_BYTES);
    if fits(&inbound) {
        return Some(inbound);
    }
    inbound.attachments.clear();
    fits(&inbound).then_some(inbound)
}

/// Messages that are never answered do not cost a turn of the queue.
fn not_for_us(inbound: &Inbound) -> Option<&'static str> {
    match inbound.kind {
        // Without an id no duplicate is known, without a chat there is nobody to answer.
        _ if inbound.id.is_empty() || inbound.conversation.chat.is_empty() => Some("incomplete"),
        _ if inbound.sender.bot => Some("bot"),
        Kind::Group if !inbound.addressed => Some("not_addressed"),
        _ => None,
    }
}

impl Verdict {
    fn taken(response: Response, on_failure: Response, messages: Vec<Inbound>) -> Verdict {
        Verdict { outcome: Outcome::Accepted, response, on_failure, messages, ignored: None }
    }

    pub(crate) fn refused(outcome: Outcome, response: Response) -> Verdict {
        Verdict { outcome, response, on_failure: unavailable(), messages: vec![], ignored: None }
    }
}

/// The fixed answer to everything that is not authentic.
pub(crate) fn reject(spec: &Spec) -> Response {
    match spec.reject.body {
        "" => Response::empty(spec.reject.status),
        body => Response::text(spec.reject.status, body),
    }
}

/// The answer to everything as long as it cannot be judged: the platform may try again.
pub(crate) fn unavailable() -> Response {
    Response::text(503, "not available")
}

#[cfg(test)]
mod tests {
    use channel::{Address, Attachment, Content, Conversation, Fetch, Home, Sender};

    use super::*;

    fn inbound(text: usize, reference: usize) -> Inbound {
        let fetch = Fetch { account: String::new(), id: "r".repeat(reference) };
        let file = Attachment { name: "f".into(), media_type: String::new(), size: None, fetch };
        Inbound {
            v: channel::INBOUND_VERSION,
            id: "1".into(),
            channel: "room".into(),
            account: "main".into(),
            conversation: Conversation { chat: "1".into(), thread: None },
            kind: Kind::Dm,
            echo_of: None,
            due: false,
            sender: Sender {
                id: "7".into(),
                name: "n".into(),
                home: Home::Unknown,
                bot: false,
                lookup: None,
            },
            addressed: true,
            content: Content::Text("t".repeat(text)),
            attachments: vec![file],
            at: 0,
            address: Address::default(),
        }
    }

    #[test]
    fn a_message_that_the_queue_would_not_take_goes_on_without_its_files_or_not_at_all() {
        let files = |inbound: Option<Inbound>| inbound.map(|inbound| inbound.attachments.len());
        assert_eq!(files(within_the_queue(inbound(10, 900_000))), Some(1));
        assert_eq!(files(within_the_queue(inbound(10, 1_000_000))), Some(0));
        assert_eq!(files(within_the_queue(inbound(1_000_000, 10))), None);
    }

    #[test]
    fn what_cannot_be_told_apart_or_answered_is_not_for_us() {
        let good = inbound(1, 1);
        assert_eq!(not_for_us(&good), None);
        let nowhere = Conversation { chat: String::new(), thread: None };
        assert_eq!(not_for_us(&Inbound { id: String::new(), ..good.clone() }), Some("incomplete"));
        assert_eq!(not_for_us(&Inbound { conversation: nowhere, ..good.clone() }), Some("incomplete"));
        assert_eq!(
            not_for_us(&Inbound { addressed: false, kind: Kind::Group, ..good }),
            Some("not_addressed")
        );
    }
}
