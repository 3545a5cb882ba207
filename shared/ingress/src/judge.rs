//! What a channel makes of a request, before anything is put on the queue: the same for the Lambda, for `crabhook verify` and
//! for the tests.

use channel::{Channel, Context, Inbound, Keys, Kind, Received, Reject, Request, Response, Secrets};
use serde_json::Value;

/// A request's verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub status: u16,
    pub headers: channel::Headers,
    pub body: Vec<u8>,
    /// What is for the queue.
    pub messages: Vec<Inbound>,
    /// The answer when the queue does not take them.
    pub on_failure: Response,
    pub note: Note,
}

/// What a request was, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    Handshake,
    Messages {
        /// Group messages that are not for us, and bots' own.
        ignored: usize,
    },
    /// Authentic, nothing in it to answer; its kind.
    Nothing(&'static str),
    /// Not authentic; why is for the log only.
    Forged(&'static str),
    /// The secret of that name is not set.
    NotSetUp(&'static str),
    NeedKey {
        url: String,
        kid: String,
    },
}

/// Judges a request with one account's secrets and settings. `now` is Unix milliseconds.
pub fn judge(
    room: &dyn Channel,
    account: &str,
    secrets: &Secrets,
    settings: &Value,
    request: &Request,
    now: i64,
) -> Judged {
    judge_with_keys(room, account, secrets, settings, &Keys::new(), request, now)
}

/// The same, with public keys that were fetched or given.
pub fn judge_with_keys(
    room: &dyn Channel,
    account: &str,
    secrets: &Secrets,
    settings: &Value,
    keys: &Keys,
    request: &Request,
    now: i64,
) -> Judged {
    match room.receive(request, &Context { account, secrets, settings, keys, now }) {
        Ok(Received::Handshake(answer)) => Judged::of(answer, Note::Handshake),
        Ok(Received::Nothing(answer, kind)) => Judged::of(answer, Note::Nothing(kind)),
        Ok(Received::Events { ack, on_failure, inbound }) => {
            let all = inbound.len();
            let messages: Vec<Inbound> = inbound.into_iter().filter(is_for_us).collect();
            let ignored = all - messages.len();
            Judged { messages, on_failure, ..Judged::of(ack, Note::Messages { ignored }) }
        }
        Err(Reject::Forged(why)) => Judged::refused(room, Note::Forged(why)),
        Err(Reject::NotSetUp(name)) => Judged::of(Response::empty(503), Note::NotSetUp(name)),
        Err(Reject::NeedKey { url, kid }) => Judged::refused(room, Note::NeedKey { url, kid }),
    }
}

/// Group chatter that nobody meant for the assistant ends here: it costs neither queue nor table.
fn is_for_us(inbound: &Inbound) -> bool {
    !inbound.sender.bot && (inbound.addressed || inbound.kind != Kind::Group)
}

impl Judged {
    fn of(answer: Response, note: Note) -> Judged {
        Judged {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            messages: Vec::new(),
            on_failure: Response::empty(503),
            note,
        }
    }

    /// The channel's fixed answer to everything that is not authentic.
    fn refused(room: &dyn Channel, note: Note) -> Judged {
        let reject = room.spec().reject;
        let answer = if reject.body.is_empty() {
            Response::empty(reject.status)
        } else {
            Response::text(reject.status, reject.body)
        };
        Judged::of(answer, note)
    }

    /// The answer for the platform.
    pub fn answer(&self) -> Response {
        Response { status: self.status, headers: self.headers.clone(), body: self.body.clone() }
    }
}
