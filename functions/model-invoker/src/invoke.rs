//! One Lambda invocation: the queue's records one by one, each acknowledged or given back.

use std::time::Instant;

use queue::Job;

use crate::event::{Failure, Failures, Record, SqsEvent};
use crate::now;
use crate::run::{Outcome, Run, Trouble};
use crate::services::{PlaceError, Services};

/// A job of a newer shape waits for the newer code, seconds.
const NEWER_S: u32 = 3_600;

/// Works off an event. `ends_at` is when the invocation is cut off, Unix milliseconds.
pub async fn invoke(services: &Services, event: SqsEvent, ends_at: i64) -> Failures {
    let mut failures = Failures::default();
    for record in event.records {
        let receives = record.attributes.approximate_receive_count.parse().unwrap_or(1);
        let outcome = one(services, &record, receives, ends_at).await;
        if let Outcome::Returned(seconds) = outcome {
            if let Err(error) = services.queue.hide(&record.receipt_handle, seconds).await {
                tracing::warn!(%error, "the message shows again at the end of its visibility time-out");
            }
            failures.batch_item_failures.push(Failure { item_identifier: record.message_id });
        }
    }
    failures
}

async fn one(services: &Services, record: &Record, receives: u32, ends_at: i64) -> Outcome {
    let started = Instant::now();
    let (spent, requests) = (services.store.spent(), services.queue.requests());
    let inbound = match Job::parse(&record.body) {
        Ok(Job::Message { inbound, .. }) => *inbound,
        Ok(Job::Newer { v, kind }) => {
            tracing::warn!(v, kind, "a message of a newer shape waits for newer code");
            return Outcome::Returned(NEWER_S);
        }
        Err(unreadable) => return bury(services, record, &unreadable.to_string()).await,
    };
    let (channel, account) = (inbound.channel.clone(), inbound.account.clone());
    let conversation = inbound.conversation_key();
    let place = match services.place(&channel, &account, now()).await {
        Ok(place) => place,
        Err(PlaceError::Unknown(channel)) => {
            tracing::warn!(channel, "this release has no such channel: the message waits");
            return Outcome::Returned(NEWER_S);
        }
        Err(PlaceError::Secrets(error)) => {
            tracing::warn!(%error, "secrets cannot be read");
            return Outcome::Returned(5 * receives.min(12));
        }
    };
    let mut run = Run::new(services, place, inbound, &record.receipt_handle, receives, ends_at);
    let outcome = if run.immediate().is_some() { run.answer_at_once().await } else { run.run().await };
    let used = services.store.spent();
    tracing::info!(
        channel,
        account,
        %conversation,
        job = record.message_id,
        receives,
        outcome = ?outcome,
        ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        read_units = used.reads - spent.reads,
        write_units = used.writes - spent.writes,
        queue_requests = services.queue.requests() - requests,
        "done"
    );
    outcome
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
