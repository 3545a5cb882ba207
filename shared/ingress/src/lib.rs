//! The webhook Lambda around a [`Channel`]: cap the body, judge the request, put its messages on the queue, answer the platform.
//!
//! It reads two things, its own secrets and the clock, and writes to one queue. It never sees a table or a model.

mod aws;
mod event;
mod handle;
mod judge;
#[cfg(feature = "keys")]
mod keys;

use channel::Channel;
use lambda_runtime::{LambdaEvent, service_fn};

pub use event::{Answer, Event, MAIN};
pub use judge::{Judged, Note, judge, judge_with_keys};

/// Why the function cannot run. Lambda shows it in the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the environment lacks {0}: deploy with infra/template.yaml")]
    Environment(&'static str),
    #[error("this is the function of {0}, and the environment says {1}: the wrong code was pushed")]
    WrongCode(&'static str, String),
    #[error(transparent)]
    Runtime(#[from] lambda_runtime::Error),
}

/// Runs the channel's webhook function. Clients are built before the first event, at the full CPU of the init phase; the network is
/// touched by the first event only.
///
/// # Errors
/// The environment is not the template's, or the runtime ends.
pub async fn serve(room: &'static dyn Channel) -> Result<(), Error> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let name = room.spec().name;
    let expected = env("CHANNEL")?;
    if expected != name {
        return Err(Error::WrongCode(name, expected));
    }
    let config = aws::config()?;
    let service = handle::Service::new(
        room,
        queue::Queue::connect(&config, env("QUEUE_URL")?),
        secrets::Secrets::connect(&config),
        env("SECRETS")?,
    );
    let service = &service;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        Ok::<_, lambda_runtime::Error>(service.handle(event.payload, &event.context.request_id).await)
    }))
    .await?;
    Ok(())
}

fn env(name: &'static str) -> Result<String, Error> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(Error::Environment(name))
}
