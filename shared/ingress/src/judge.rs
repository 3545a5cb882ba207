//! The judgement on one request: what the platform is answered, and what goes on the queue.

use channel::{Channel, Context, Inbound, Kind, Received, Reject, Request, Response, Spec};

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
    if request.body.len() > spec.max_body {
        return Verdict::refused(Outcome::TooLarge, Response::text(413, "too large"));
    }
    match channel.receive(request, ctx) {
        Ok(Received::Handshake(response)) => Verdict::refused(Outcome::Handshake, response),
        Ok(Received::Nothing(ack, name)) => {
            Verdict { ignored: Some(name), ..Verdict::taken(ack, unavailable(), vec![]) }
        }
        Ok(Received::Events { ack, on_failure, inbound }) => {
            let mut ignored = None;
            let messages = inbound.into_iter().filter(|inbound| {
                let reason = not_for_us(inbound);
                ignored = ignored.or(reason);
                reason.is_none()
            });
            let messages = messages.collect();
            Verdict { ignored, ..Verdict::taken(ack, on_failure, messages) }
        }
        Err(Reject::Forged(reason)) => Verdict::refused(Outcome::Forged(reason), reject(spec)),
        Err(Reject::NotSetUp(secret)) => Verdict::refused(Outcome::NotSetUp(secret), unavailable()),
        Err(Reject::NeedKey { url, kid }) => Verdict::refused(Outcome::NeedKey { url, kid }, reject(spec)),
    }
}

/// Messages that are never answered do not cost a turn of the queue.
fn not_for_us(inbound: &Inbound) -> Option<&'static str> {
    match inbound.kind {
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
