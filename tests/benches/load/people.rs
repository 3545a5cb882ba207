//! Those who write: each waits for the answer before going on, and now and then writes several messages at once.

use std::rc::Rc;
use std::time::Duration;

use futures::future::try_join_all;
use futures::stream::{FuturesUnordered, TryStreamExt};
use model_invoker::channels;
use tests::world::{Words, World};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use crate::Options;
use crate::ledger::Ledger;

/// How many messages somebody writes before waiting for the answers, over and over.
const BURSTS: [usize; 3] = [1, 1, 3];
/// Webhooks called at the same time. MiniStack works off 64 requests at once, and a webhook that is being called waits for another
/// one, to the queue: with 64 of them none would ever end.
const CALLS_AT_ONCE: usize = 16;
/// A webhook that cannot reach the queue in time says so, and the platform sends again; where it does not, the person does.
const ATTEMPTS: usize = 5;
const BEFORE_NEXT_ATTEMPT: Duration = Duration::from_secs(2);
/// People's ids are numbers of one length.
const FIRST_USER: usize = 10_000;
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

    /// Everybody writes all their messages, in so many rounds; after each round, when all have their answers, there is a `rest`.
    /// Or says which message nobody took or answered; then nobody writes on.
    pub async fn write(&self, rounds: usize, mut rest: impl FnMut()) -> Result<(), String> {
        let begin = |round: usize| self.options.messages * round / rounds;
        for round in 0..rounds {
            let (from, to) = (begin(round), begin(round + 1));
            let users = (0..self.options.users).map(|user| self.user(user, from, to));
            let mut users: FuturesUnordered<_> = users.collect();
            while users.try_next().await?.is_some() {}
            rest();
            eprintln!("{} of {} messages answered", self.ledger.answered(), self.options.all());
        }
        Ok(())
    }

    async fn user(&self, user: usize, from: usize, to: usize) -> Result<(), String> {
        let mut next = from;
        let mut bursts = BURSTS.iter().cycle().skip(user % BURSTS.len());
        while next < to {
            let end = to.min(next + bursts.next().unwrap_or(&1));
            try_join_all((next..end).map(|message| self.message(user, message))).await?;
            next = end;
        }
        Ok(())
    }

    /// Sends a message until it is taken, and waits until it is answered.
    async fn message(&self, user: usize, message: usize) -> Result<(), String> {
        let spec = channels::ALL[user % channels::ALL.len()].spec();
        let mut id = self.world.id();
        for attempt in 0..ATTEMPTS {
            // As long for every message, so that none holds another's. A platform sends the same again, a person anew.
            let again = if spec.retries { 0 } else { attempt };
            let word = format!("u{user:05}m{message:05}a{again}");
            if let Some(answered) = self.send(spec.name, user, &word, &id).await? {
                let answered = timeout(PATIENCE, answered.notified()).await;
                return answered
                    .map_err(|_| format!("{word} on {} was not answered within {PATIENCE:?}", spec.name));
            }
            if !spec.retries {
                self.ledger.gives_up(&word);
                id = self.world.id();
            }
            sleep(BEFORE_NEXT_ATTEMPT).await;
        }
        Err(format!("{} took message {message} of user {user} at none of {ATTEMPTS} attempts", spec.name))
    }

    /// Sends it once. `None`: the webhook said honestly that it does not have it.
    async fn send(
        &self,
        channel: &'static str,
        user: usize,
        word: &str,
        id: &str,
    ) -> Result<Option<Rc<Notify>>, String> {
        let _call = self.calls.acquire().await.map_err(|error| error.to_string())?;
        let answered = self.ledger.sends(word, channel);
        let (name, text) = ((FIRST_USER + user).to_string(), format!("say {word}"));
        let sent = self.world.deliver(Words::of(channel, &name, &text), id).await;
        self.ledger.was_sent(word, &sent);
        Ok(sent.taken.then_some(answered))
    }
}
