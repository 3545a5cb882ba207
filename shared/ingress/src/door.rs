//! The parts of a webhook function, for the channel whose function also answers requests that are no webhooks and holds some
//! of them open: its `main` puts them together.
//!
//! Every answer is a stream here, also one that is whole from its beginning: the function's address has the invoke mode
//! `RESPONSE_STREAM`, which takes nothing else.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html>

use aws_types::SdkConfig;
use channel::{Channel, Request, Response, Spec};
use lambda_runtime::streaming::{self, Body};
use lambda_runtime::{LambdaEvent, MetadataPrelude, StreamResponse, service_fn};
use queue::Queue;
use secrets::{Account, Secrets};
use serde_json::{Value, json};

use crate::event::Event;
use crate::handle::{ChannelSecrets, Webhook};
use crate::keys::{Fetch, KeyCache};
use crate::{Call, Error, account, aws, log};

/// The webhook half: what it takes goes on the queue.
pub struct Door {
    webhook: Webhook<ChannelSecrets, Queue, NoKeys>,
}

/// A channel with a door of its own signs with its own secrets.
struct NoKeys;

impl Fetch for NoKeys {
    async fn fetch(&self, _: &str, _: &Spec, _: &Value) -> Result<String, String> {
        Err("this channel has no keys to fetch".to_owned())
    }
}

impl Door {
    /// Environment as for [`crate::serve`]. Touches no network.
    ///
    /// # Errors
    /// The environment is not that of a webhook function; the text names the variable.
    pub fn open(channel: &'static dyn Channel, aws: &SdkConfig) -> Result<Door, Error> {
        crate::is_meant(channel)?;
        let secrets = ChannelSecrets { secrets: Secrets::connect(aws), path: aws::variable("SECRETS")? };
        let queue = Queue::connect(aws, aws::variable("QUEUE_URL")?);
        Ok(Door { webhook: Webhook { channel, secrets, queue, keys: KeyCache::new(NoKeys), topic: None } })
    }

    /// Judges a request and puts its messages on the queue, as every webhook function does.
    pub async fn receive(&self, request: Request, call: &Call) -> Response {
        self.webhook.handle_request(Some(request), call).await
    }

    /// Secrets and settings of an account, kept for some minutes; `None` where there is none of that name.
    ///
    /// # Errors
    /// They cannot be read; the text says why.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, String> {
        self.webhook.account(name).await
    }

    /// The same read early, because a proof did not hold: its key may have been changed a moment ago. `None` where nothing newer can
    /// be had.
    pub async fn newer(&self, name: &str) -> Option<Account> {
        self.webhook.newer(name).await
    }
}

/// The account that a request is for. `None`: no account can be called so.
pub fn account_of(request: &Request) -> Option<String> {
    account::take(&mut request.clone())
}

/// A request at the door.
pub struct Knock {
    pub request: Request,
    /// The address that it came from, as Lambda saw it.
    pub source: String,
    pub call: Call,
}

/// What goes back: a head, and a body that may still be written.
pub struct Answer {
    /// Its own body is left out where the body is written by a task.
    pub head: Response,
    rest: Option<Body>,
}

impl From<Response> for Answer {
    fn from(head: Response) -> Answer {
        Answer { head, rest: None }
    }
}

/// Writes the body of an answer while it is on its way. Dropped, it ends the answer.
pub struct Writer(streaming::Sender);

/// An answer whose body is written by a task of its own.
pub fn written(head: Response) -> (Writer, Answer) {
    let (sender, body) = streaming::channel();
    (Writer(sender), Answer { head, rest: Some(body) })
}

impl Writer {
    /// Sends a piece. `false`: nobody reads any more.
    pub async fn write(&mut self, piece: impl Into<String>) -> bool {
        self.0.send_data(piece.into().into_bytes().into()).await.is_ok()
    }
}

/// Runs such a function until Lambda ends the process.
///
/// # Errors
/// Lambda's own interface does not answer.
pub async fn serve<F: Future<Output = Answer>>(answer: impl Fn(Knock) -> F) -> Result<(), Error> {
    let handler = |event: LambdaEvent<Event>| {
        let (source, call) = (event.payload.source().to_owned(), crate::call(&event.context));
        let request = event.payload.into_request();
        let answer = request.map(|request| answer(Knock { request, source, call }));
        async move {
            Ok::<_, Error>(streamed(match answer {
                Some(answer) => answer.await,
                None => Response::text(400, "the body is not base64").into(),
            }))
        }
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// Sets up logging, as [`crate::serve`] does.
pub fn init() {
    log::init();
}

fn streamed(answer: Answer) -> StreamResponse<Body> {
    let Answer { head, rest } = answer;
    let headers: serde_json::Map<String, Value> =
        head.headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let prelude = json!({"statusCode": head.status, "headers": headers, "cookies": []});
    // Statuses and headers are ours, so this does not fail.
    let metadata_prelude: MetadataPrelude = serde_json::from_value(prelude).unwrap_or_default();
    let stream = rest.unwrap_or_else(|| Body::from(head.body));
    StreamResponse { metadata_prelude, stream }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(answer: Answer) -> (MetadataPrelude, String) {
        let StreamResponse { metadata_prelude, stream } = streamed(answer);
        let body = stream.collect().await.unwrap().to_bytes().to_vec();
        (metadata_prelude, String::from_utf8(body).unwrap())
    }

    #[tokio::test]
    async fn an_answer_is_streamed_with_its_head() {
        let (prelude, body) = sent(Response::json(202, &json!({"a": 1})).into()).await;
        assert_eq!((prelude.status_code.as_u16(), body.as_str()), (202, "{\"a\":1}"));
        assert_eq!(prelude.headers["content-type"], "application/json");
        let (mut writer, answer) = written(Response::empty(200));
        let write = async {
            let both = writer.write("one ").await && writer.write("two").await;
            drop(writer);
            both
        };
        let (written, (_, body)) = tokio::join!(write, sent(answer));
        assert!(written);
        assert_eq!(body, "one two");
    }

    #[test]
    fn the_account_of_a_request_is_its_first_segment() {
        let of = |path: &str| {
            let url = format!("https://x.example{path}");
            account_of(&Request::new("GET", &url, Default::default(), ""))
        };
        assert_eq!(of("/main/widget.js").as_deref(), Some("main"));
        assert_eq!(of("/support/v1/models").as_deref(), Some("support"));
        assert_eq!(of("/widget.js"), None);
    }
}
