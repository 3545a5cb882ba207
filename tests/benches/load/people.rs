//! Those who write: each waits for the answer before going on, and now and then writes several messages at once.

use std::time::Duration;

use futures::future::{join_all, try_join_all};
use model_invoker::channels;
use tests::world::{Words, World};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::Options;
use crate::ledger::Ledger;

/// How many messages somebody writes before waiting for the answers, over and over.
const BURSTS: [usize; 3] = [1, 1, 3];
/// Webhooks called at the same time. MiniStack works off 64 requests at once, and a webhook that is being called waits for another
/// one, to the queue: with 64 of them none would ever end.
const CALLS_AT_ONCE: usize = 32;
/// Who has waited so long ends the run: the slowest thing is a queue message that shows again.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct People<'a> {
    world: &'a World,
    ledger: &'a Ledger,
    calls: Semaphore,
    options: Options,
}

impl<'a> People<'a> {
    pub fn new(world: &'a World, ledger: &'a Ledger, options: Options) -> People<'a> {
        People { world, ledger, calls: Semaphore::new(CALLS_AT_ONCE), options }
    }

    /// Everybody writes their share of the round and waits for the answers; or says which message nobody answered.
    pub async fn write(&self, round: usize, rounds: usize) -> Result<(), String> {
        let begin = |round: usize| self.options.messages * round / rounds;
        let (from, to) = (begin(round), begin(round + 1));
        try_join_all((0..self.options.users).map(|user| self.user(user, from, to))).await.map(|_| ())
    }

    async fn user(&self, user: usize, from: usize, to: usize) -> Result<(), String> {
        let mut next = from;
        let mut bursts = BURSTS.iter().cycle().skip(user % BURSTS.len());
        while next < to {
            let end = to.min(next + bursts.next().unwrap_or(&1));
            for outcome in join_all((next..end).map(|message| self.message(user, message))).await {
                outcome?;
            }
            next = end;
        }
        Ok(())
    }

    /// Sends a message and waits until it is answered.
    async fn message(&self, user: usize, message: usize) -> Result<(), String> {
        // As long for every message, so that none holds another's.
        let word = format!("u{user:05}m{message:05}");
        let room = channels::ALL[user % channels::ALL.len()].spec().name;
        let answered = {
            let _call = self.calls.acquire().await.map_err(|error| error.to_string())?;
            let answered = self.ledger.sends(&word, room);
            let name = format!("{}", 10_000 + user);
            let sent = self.world.send(Words::of(room, &name, &format!("say {word}"))).await;
            if !(200..300).contains(&sent.status) {
                return Err(format!("{room} answered {} to {word}", sent.status));
            }
            self.ledger.acknowledged(&word, sent.took);
            answered
        };
        let answered = timeout(PATIENCE, answered.notified()).await;
        answered.map_err(|_| format!("{room}: {word} was not answered within {PATIENCE:?}"))
    }
}
