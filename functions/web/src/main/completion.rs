//! A program's question on its way, and its answer as a whole or as it grows.

use channel::Response;
use ingress::door::Writer;
use web::openai::{self, Fault, Head, Next, Pieces};
use web::{View, Whole};

use crate::watch::Watch;

/// A program that hears nothing for longer may give up.
const SIGN_OF_LIFE_MS: i64 = 10_000;

pub struct Completion {
    pub watch: Watch,
    pub head: Head,
    /// Unix milliseconds.
    pub ends_at: i64,
}

impl Completion {
    pub async fn whole(&self) -> Response {
        let mut state = String::new();
        loop {
            let view = match self.watch.change(&state, self.ends_at).await {
                Ok(view) => view,
                Err(error) => return unreadable(&error).response(),
            };
            match view.whole() {
                Some(whole) => return self.answer(&whole),
                None if ingress::now() >= self.ends_at => return said(504).response(),
                None => state = view.state(),
            }
        }
    }

    fn answer(&self, whole: &Whole) -> Response {
        match whole.fault() {
            Some(fault) => fault.response(),
            None => {
                let completion = self.head.completion(&whole.text, whole.reason(), &whole.usage());
                Response::json(200, &completion)
            }
        }
    }

    /// The refusal of a question that nobody will answer. A status can be said only before anything else, so the first sign of what
    /// becomes of the question is waited for, though not for long.
    pub async fn refused_at_once(&self) -> Option<Response> {
        let until = (ingress::now() + SIGN_OF_LIFE_MS).min(self.ends_at);
        let view = self.watch.change(&View::default().state(), until).await.ok()?;
        view.whole().and_then(|whole| whole.fault()).map(|fault| fault.response())
    }

    /// The answer as it grows. Comments between its pieces keep the connection open.
    pub async fn in_pieces(self, mut writer: Writer) {
        let (mut state, mut pieces) = (String::new(), Pieces::new(self.head));
        loop {
            let next_sign = (ingress::now() + SIGN_OF_LIFE_MS).min(self.ends_at);
            let view = match self.watch.change(&state, next_sign).await {
                Ok(view) => view,
                Err(error) => return tell(&mut writer, &unreadable(&error)).await,
            };
            state = view.state();
            let piece = match pieces.next(&view) {
                Next::Piece(piece) => piece,
                Next::Nothing => ": waiting\n\n".to_owned(),
                Next::End(end) => {
                    writer.write(end).await;
                    return;
                }
            };
            if !writer.write(piece).await {
                return;
            }
            if ingress::now() >= self.ends_at {
                return tell(&mut writer, &said(504)).await;
            }
        }
    }
}

/// The end of a stream that is none of an answer.
async fn tell(writer: &mut Writer, fault: &Fault) {
    writer.write(openai::event(&fault.json())).await;
}

/// What is said about a status.
pub fn said(status: u16) -> Fault {
    let status = if status < 400 { 503 } else { status };
    Fault::new(status, openai::words(status))
}

fn unreadable(error: &store::Error) -> Fault {
    tracing::error!(%error, failed = true, "the outbox cannot be read");
    said(503)
}
