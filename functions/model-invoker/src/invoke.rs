//! One Lambda invocation: the queue's records one by one, each acknowledged or given back.

use std::time::{Duration, Instant};

use channel::Inbound;
use queue::Job;
use serde_json::Value;
use tracing::Instrument as _;

use crate::cost::Used;
use crate::event::{Failure, Failures, Record, SqsEvent};
use crate::metrics::Metric;
use crate::now;
use crate::run::{Outcome, Run, Trouble};
use crate::services::{PlaceError, Services};
use crate::timeline::Timeline;

/// A job of a newer shape waits for the newer code, seconds.
pub(crate) const NEWER_S: u32 = 3_600;

/// What waits for the end of an invocation ends this long before it, milliseconds.
const CATCH_UP_MARGIN_MS: i64 = 2_000;

/// Works off an event. `request_id` is the invocation's, `ends_at` when it is cut off, Unix milliseconds.
pub async fn invoke(services: &Services, event: SqsEvent, request_id: &str, ends_at: i64) -> Failures {
    let mut failures = Failures::default();
    for record in event.records {
        if !record.is_of(services.queue.url()) {
            // Somebody wired another queue to this function: its messages stay where they are.
            tracing::error!(
                source = record.event_source_arn,
                "a record that is not of the own queue is given back"
            );
            failures.batch_item_failures.push(Failure { item_identifier: record.message_id });
            continue;
        }
        let receives = record.attributes.approximate_receive_count.parse().unwrap_or(1);
        let span = tracing::error_span!("queue message", request_id, job = record.message_id, receives);
        let outcome = async {
            let outcome = one(services, &record, receives, ends_at).await;
            if let Outcome::Returned(seconds) = outcome
                && let Err(error) = services.queue.hide(&record.receipt_handle, seconds).await
            {
                tracing::warn!(%error, "the message shows again at the end of its visibility time-out");
            }
            outcome
        };
        if let Outcome::Returned(_) = outcome.instrument(span).await {
            failures.batch_item_failures.push(Failure { item_identifier: record.message_id });
        }
    }
    catch_up(services, ends_at).await;
    failures
}

/// What no answer waited for. A frozen function does nothing, so it is done before the invocation ends.
async fn catch_up(services: &Services, ends_at: i64) {
    let left = u64::try_from(ends_at - CATCH_UP_MARGIN_MS - now()).unwrap_or(0);
    services.tools.catch_up(Duration::from_millis(left)).await;
}

async fn one(services: &Services, record: &Record, receives: u32, ends_at: i64) -> Outcome {
    let (inbound, trace) = match Job::parse(&record.body) {
        Ok(Job::Message { inbound, trace }) => (*inbound, trace),
        Ok(Job::Newer { v, kind }) => {
            tracing::warn!(v, kind, "a message of a newer shape waits for newer code");
            return Outcome::Returned(NEWER_S);
        }
        Err(unreadable) => return bury(services, record, &unreadable.to_string()).await,
    };
    // What every line about the message says. Its sender is not among it.
    let span = tracing::error_span!(
        "message",
        channel = inbound.channel,
        account = inbound.account,
        conversation = %inbound.conversation_key(),
        id = channel::short_id(&inbound.id),
        trace,
    );
    message(services, inbound, record, receives, ends_at).instrument(span).await
}

async fn message(
    services: &Services,
    inbound: Inbound,
    record: &Record,
    receives: u32,
    ends_at: i64,
) -> Outcome {
    let started = Instant::now();
    let (spent, requests) = (services.store.spent(), services.queue.requests());
    let place = match services.place(&inbound.channel, &inbound.account, now()).await {
        Ok(place) => place,
        Err(PlaceError::Unknown(_)) => {
            tracing::warn!("this release has no such channel: the message waits");
            return Outcome::Returned(NEWER_S);
        }
        Err(error @ (PlaceError::Secrets(_) | PlaceError::Configuration(_))) => {
            tracing::warn!(%error, "secrets or configuration cannot be read: the message waits");
            return Outcome::Returned(5 * receives.min(12));
        }
    };
    let queued_at = record.attributes.sent_timestamp.parse().unwrap_or(0);
    let mut run = Run::new(services, place, inbound, &record.receipt_handle, receives, ends_at, queued_at);
    let outcome = if run.immediate().is_some() { run.answer_at_once().await } else { run.run().await };
    let spent_now = services.store.spent();
    let used = Used {
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        memory_mb: services.memory_mb,
        read_units: spent_now.reads - spent.reads,
        write_units: spent_now.writes - spent.writes,
        queue_requests: services.queue.requests() - requests,
    };
    report(services, &run.timeline, outcome, used);
    outcome
}

/// The one line that every message leaves, its metrics included: `crabhook trace` reads it.
fn report(services: &Services, timeline: &Timeline, outcome: Outcome, used: Used) {
    let mut metrics = timeline.metrics();
    metrics.push((Metric::Spend, used.usd()));
    let mut fields = timeline.fields();
    fields.extend(services.metrics.fields(&metrics, now()));
    let json = Value::Object(fields);
    tracing::info!(
        outcome = ?outcome,
        ms = used.ms,
        read_units = used.read_units,
        write_units = used.write_units,
        queue_requests = used.queue_requests,
        %json,
        "done"
    );
}

/// What no code of ours wrote: the dead letters keep it as it is.
async fn bury(services: &Services, record: &Record, why: &str) -> Outcome {
    tracing::error!(why, "failed message: it is in the dead letters");
    let letter = queue::DeadLetter::raw(&record.body, format!("the job cannot be read: {why}"), now());
    match services.queue.bury(&services.dead_letter_url, &letter).await.map_err(Trouble::from) {
        Ok(()) => Outcome::Acknowledged,
        Err(trouble) => {
            tracing::warn!(%trouble, "the dead letter could not be written");
            Outcome::Returned(60)
        }
    }
}
