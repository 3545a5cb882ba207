//! The buttons that show the promises: each does something to the running cloud, then waits for what the record says.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use model_invoker::{channels, now};
use serde_json::{Value, json};

use super::Page;
use super::cast::{Cast, Words};
use super::facts::Facts;
use super::seen::{Chat, Delivery};
use super::verdict::{Promise, REFUSALS, Verdict, WAIT, verdict};
use crate::Fault;
use crate::functions::kill;

/// Nothing takes longer unless it is broken: a queue message may be put back for a minute, and look once more.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at the table: that a message is kept, nothing tells.
const LOOK: Duration = Duration::from_millis(5);
/// How often a kill is tried that came too late to interrupt anything.
const KILLS: usize = 3;

/// One pressing of a button.
pub(super) struct Show {
    n: u64,
    pub promise: Promise,
    pub chat: Chat,
    /// When it began, Unix milliseconds.
    pub sent_at: i64,
    /// The last delivery that was there before.
    pub before: u64,
    /// The process that was killed, and when.
    pub killed: Option<(u32, i64)>,
}

/// Begins; what comes of it the page is told as events `promise`.
///
/// # Errors
/// Why it cannot be shown, for people.
pub(super) fn begin(page: &Arc<Page>, promise: Promise, chat: Chat) -> Result<u64, String> {
    let cast = page.cast()?;
    let room = channels::local(&chat.channel).ok_or(format!("there is no channel {}", chat.channel))?;
    if cast.is_real(&chat.channel) {
        return Err(format!("{} has a real bot here: no tricks with it", room.spec().title));
    }
    let n = page.next_promise();
    let mut show = Show { n, promise, chat, sent_at: 0, before: 0, killed: None };
    show.begin_anew(page);
    let page = page.clone();
    tokio::spawn(async move {
        if let Err(problem) = show.run(&page).await {
            show.tell(&page, json!({ "problem": problem }));
        }
    });
    Ok(n)
}

impl Show {
    async fn run(&mut self, page: &Page) -> Result<(), String> {
        let cast = page.cast()?;
        let text = match self.promise {
            Promise::Twice => "This message is delivered twice.",
            Promise::Five => "One of five quick ones",
            Promise::Kill => "Answer this although your process dies.",
            Promise::Busy => "Answer this although the platform is busy.",
            Promise::Forged => "This message is not from the platform.",
        };
        self.stage(page, "sent");
        let words = Words::new(self.chat.clone(), text.to_owned());
        match self.promise {
            Promise::Twice => {
                let both = [words.clone(), words].map(|words| cast.deliver(words, &page.record));
                first_error(join_all(both).await)?;
            }
            Promise::Five => {
                let five = (1..=5).map(|n| Words::new(self.chat.clone(), format!("{text}: number {n}")));
                first_error(join_all(five.map(|words| cast.deliver(words, &page.record))).await)?;
            }
            Promise::Kill => {
                for left in (0..KILLS).rev() {
                    self.begin_anew(page);
                    self.kill(page, cast, Words::new(self.chat.clone(), text.to_owned())).await?;
                    if self.judge(page, left == 0).await {
                        break;
                    }
                }
                return Ok(());
            }
            Promise::Busy => {
                page.plan(Fault::busy(&self.chat.channel, REFUSALS, WAIT as f64 / 1e3));
                cast.deliver(words, &page.record).await?;
            }
            Promise::Forged => {
                cast.deliver(Words { forged: true, ..words }, &page.record).await?;
            }
        }
        self.judge(page, true).await;
        Ok(())
    }

    /// What was recorded so far is not about what comes.
    fn begin_anew(&mut self, page: &Page) {
        self.before = page.record.with(|all| all.deliveries.back().map_or(0, |last| last.n));
        (self.sent_at, self.killed) = (now(), None);
    }

    /// Kills the process that has the message, as soon as the message is kept.
    async fn kill(&mut self, page: &Page, cast: &Cast, words: Words) -> Result<(), String> {
        let mut changes = page.record.changes();
        let n = cast.deliver(words, &page.record).await?;
        let delivery = page.record.with(|all| all.deliveries.iter().rev().find(|sent| sent.n == n).cloned());
        let Some(Delivery { message: Some(id), conversation_key: Some(key), .. }) = delivery else {
            return Err("the webhook took no message".to_owned());
        };
        let taken = async {
            loop {
                let pid = page.record.with(|all| {
                    let given = all.given.iter().rev().find(|given| given.message == id)?;
                    Some(given.pid).filter(|pid| *pid != 0)
                });
                if pid.is_some() || changes.changed().await.is_err() {
                    return pid;
                }
            }
        };
        let pid = tokio::time::timeout(PATIENCE, taken).await.ok().flatten();
        let pid = pid.ok_or("no invoker took the message")?;
        let store = cast.store();
        let over = || {
            page.record
                .with(|all| all.given.iter().any(|given| given.message == id && given.over_at.is_some()))
        };
        // Earlier its queue message would stay hidden for as long as the queue hides it by itself, half an hour.
        while !store.seen(&key, &id).await.map_err(|error| error.to_string())? && !over() {
            tokio::time::sleep(LOOK).await;
        }
        kill(&[i64::from(pid)]);
        self.killed = Some((pid, now()));
        self.stage(page, &format!("process {pid} is killed; the queue shows the message again in some 25 s"));
        Ok(())
    }

    /// Says what happened once it is clear, and again if that changes, until nothing more can come. What shows nothing is
    /// said only in the `last` try; gives whether something was said.
    async fn judge(&self, page: &Page, last: bool) -> bool {
        let mut changes = page.record.changes();
        let mut told: Option<(Verdict, bool)> = None;
        let clear = async {
            loop {
                changes.mark_unchanged();
                let facts = page.record.with(|all| Facts::of(self, all));
                let forged = self.promise == Promise::Forged;
                let clear = if forged { facts.why.is_some() } else { facts.is_answered() };
                let settled = clear && (forged || facts.is_settled());
                if clear {
                    let new = (verdict(self.promise, &facts), settled);
                    if new.0.held.is_none() && !last {
                        return false;
                    }
                    if told.as_ref() != Some(&new) {
                        self.conclude(page, &new.0, settled);
                        told = Some(new);
                    }
                }
                if settled || changes.changed().await.is_err() {
                    return true;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, clear).await {
            Ok(said) => said,
            Err(_) => {
                let facts = page.record.with(|all| Facts::of(self, all));
                self.conclude(page, &verdict(self.promise, &facts), true);
                true
            }
        }
    }

    fn stage(&self, page: &Page, stage: &str) {
        self.tell(page, json!({ "stage": stage }));
    }

    fn conclude(&self, page: &Page, verdict: &Verdict, settled: bool) {
        self.tell(page, json!({ "verdict": verdict, "settled": settled }));
    }

    fn tell(&self, page: &Page, mut what: Value) {
        if let Some(fields) = what.as_object_mut() {
            fields.insert("n".to_owned(), self.n.into());
            fields.insert("promise".to_owned(), json!(self.promise));
            fields.insert("chat".to_owned(), json!(self.chat));
            fields.insert("at".to_owned(), now().into());
        }
        page.record.change(|all| all.show("promise", what));
    }
}

fn first_error(done: Vec<Result<u64, String>>) -> Result<(), String> {
    done.into_iter().collect::<Result<Vec<u64>, String>>().map(drop)
}
