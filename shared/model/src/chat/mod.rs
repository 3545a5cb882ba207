//! Providers with an HTTP API of their own, through genai.

mod answer;
mod failure;
mod frames;
mod provider;
mod request;
mod thought;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use genai::resolver::Endpoint;
use genai::{Client, ModelIden, ServiceTarget};

use crate::stream::{Limits, Piece, read};
use crate::{Answer, Ask, Clients, Error, Model, ModelConfig, OnText};
pub(crate) use failure::connection;
use frames::Frames;
pub(crate) use provider::Provider;

pub(crate) struct Chat {
    client: Client,
    target: ServiceTarget,
    provider: Provider,
    config: ModelConfig,
    title: String,
    limits: Limits,
    /// The endpoint ignored `stream` and answered in one go: it is asked for that from now on.
    unstreamed: AtomicBool,
}

impl Chat {
    pub fn new(
        provider: Provider,
        config: ModelConfig,
        clients: &Clients,
        limits: Limits,
    ) -> Result<Self, Error> {
        let model = ModelIden::new(provider.kind(), config.model_name()?.to_owned());
        let endpoint = Endpoint::from_owned(provider.endpoint(&config)?);
        let target = ServiceTarget { endpoint, auth: provider.auth(&config)?, model };
        let client = Client::builder().with_reqwest(clients.http.clone()).build();
        let client = client.map_err(|_| Error::NotSetUp("the client for models cannot be built".into()))?;
        let title = config.title();
        Ok(Self { client, target, provider, config, title, limits, unstreamed: AtomicBool::new(false) })
    }

    fn streamed(&self, ask: &Ask) -> impl Stream<Item = Result<Piece, Error>> + Send + '_ {
        let request = request::request(self.provider, &self.title, ask);
        let frames = Arc::new(Frames::default());
        let options = request::options(self.provider, &self.config, ask);
        let options = options.with_raw_frame_sink_arc(Arc::clone(&frames) as _);
        stream::once(async move {
            let answer = self.client.exec_chat_stream(self.target.clone(), request, Some(&options)).await;
            let answer = answer.map_err(|error| failure::judge(&error))?;
            Ok(stream::unfold((answer.stream, frames), move |(mut events, frames)| async move {
                let event = events.next().await;
                if event.is_none() && !frames.seen() {
                    self.unstreamed.store(true, Ordering::Relaxed);
                }
                let event = event?.map_err(|error| failure::judge(&error));
                let piece = event.and_then(|event| answer::piece(self.provider, &self.title, event, &frames));
                Some((piece, (events, frames)))
            }))
        })
        .try_flatten()
    }

    /// The answer of an endpoint that does not stream, as one piece.
    fn whole(&self, ask: &Ask) -> impl Stream<Item = Result<Piece, Error>> + Send + '_ {
        let request = request::request(self.provider, &self.title, ask);
        let options = request::options(self.provider, &self.config, ask);
        stream::once(async move {
            let answer = self.client.exec_chat(self.target.clone(), request, Some(&options)).await;
            let answer = answer.map_err(|error| failure::judge(&error))?;
            Ok(stream::iter(answer::pieces(answer, &self.title).map(Ok)))
        })
        .try_flatten()
    }
}

#[async_trait::async_trait]
impl Model for Chat {
    fn name(&self) -> &str {
        &self.title
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let (pieces, limits): (BoxStream<'_, _>, _) = if self.unstreamed.load(Ordering::Relaxed) {
            (self.whole(ask).boxed(), Limits::whole(deadline))
        } else {
            (self.streamed(ask).boxed(), self.limits)
        };
        read(pieces, &self.title, limits, deadline, on_text).await
    }
}
