//! The webhook Lambda around a channel: cap the body, judge the request, put its messages on the queue, answer.
//!
//! A room's `main` is one call of [`serve`]. [`judge`] is the same judgement without the queue, for whoever checks
//! recorded requests. [`aws`] and [`log`] set a process up and are the invoker's too.

// The runtime's future is nested deeper than the default allows.
#![recursion_limit = "256"]

mod account;
pub mod aws;
pub mod door;
mod event;
pub mod failpoint;
mod handle;
mod judge;
mod keys;
pub mod log;

use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use channel::Channel;
use lambda_runtime::{LambdaEvent, service_fn};
use queue::Queue;
use secrets::Secrets;

pub use judge::{Outcome, Verdict, judge};
pub use lambda_runtime::Error;

pub use handle::Call;

use event::Event;
use handle::{ChannelSecrets, Webhook};
use keys::KeyCache;

/// Runs the webhook function of a channel until Lambda ends the process. Touches no network before the first request.
///
/// Environment: `QUEUE_URL`, `SECRETS` (`/<stack>/<channel>`), `CHANNEL` (checked), for a channel without an address
/// `TOPIC_ARN`, and what [`aws::from_env`] reads.
///
/// # Errors
/// The environment is not that of a webhook function; the text names the variable.
///
/// Not `async` and never inlined: the future is boxed here, so that no room's `main` needs a recursion limit of its own.
#[inline(never)]
pub fn serve(channel: &'static dyn Channel) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
    Box::pin(run(channel))
}

async fn run(channel: &'static dyn Channel) -> Result<(), Error> {
    log::init();
    is_meant(channel)?;
    let aws = aws::from_env()?;
    let webhook = Webhook {
        channel,
        secrets: ChannelSecrets { secrets: Secrets::connect(&aws), path: aws::variable("SECRETS")? },
        queue: Queue::connect(&aws, aws::variable("QUEUE_URL")?),
        keys: KeyCache::new(keys::fetcher()?),
        topic: aws::variable("TOPIC_ARN").ok(),
    };
    let webhook = &webhook;
    let handler = |event: LambdaEvent<Event>| async move {
        let call = call(&event.context);
        webhook.take(event.payload, &call).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// The function that runs is the one that was deployed.
fn is_meant(channel: &dyn Channel) -> Result<(), Error> {
    let (name, meant) = (channel.spec().name, std::env::var("CHANNEL").unwrap_or_default());
    if !meant.is_empty() && meant != name {
        return Err(format!("this is the code of {name}, and CHANNEL says {meant}: deploy again").into());
    }
    Ok(())
}

fn call(context: &lambda_runtime::Context) -> Call {
    Call {
        request_id: context.request_id.clone(),
        ends_at: i64::try_from(context.deadline).unwrap_or(i64::MAX),
        now: now(),
    }
}

/// Unix milliseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
