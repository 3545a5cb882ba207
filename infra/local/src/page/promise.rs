//! The buttons that show the promises: each does something to the running cloud, then waits for what the record says.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use model_invoker::{channels, now};
use serde_json::{Value, json};

use super::Page;
use super::cast::{Cast, Words};
use super::record::All;
use super::seen::{Chat, Delivery, turns};
use super::verdict::{Facts, Promise, REFUSALS, Verdict, WAIT, verdict};
use crate::Fault;
use crate::functions::kill;

/// Nothing takes longer unless it is broken: a queue message may be put back for a minute, and look once more.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at the table: that a message is kept, nothing tells.
const LOOK: Duration = Duration::from_millis(5);

/// One pressing of a button.
struct Show {
    n: u64,
    promise: Promise,
    chat: Chat,
    sent_at: i64,
    /// Of the deliveries that were there before.
    before: u64,
    killed: Option<(u32, i64)>,
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
    let before = page.record.with(|all| all.deliveries.back().map_or(0, |last| last.n));
    let n = page.next_promise();
    let mut show = Show { n, promise, chat, sent_at: now(), before, killed: None };
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
        let words = Words::new(self.chat.clone(), text.to_owned());
        self.stage(page, "sent");
        match self.promise {
            Promise::Twice => {
                let both = [words.clone(), words].map(|words| cast.deliver(words, &page.record));
                first_error(join_all(both).await)?;
            }
            Promise::Five => {
                let five = (1..=5).map(|n| Words::new(self.chat.clone(), format!("{text}: number {n}")));
                first_error(join_all(five.map(|words| cast.deliver(words, &page.record))).await)?;
            }
            Promise::Kill => self.kill(page, cast, words).await?,
            Promise::Busy => {
                page.plan(Fault::busy(&self.chat.channel, REFUSALS, WAIT as f64 / 1e3));
                cast.deliver(words, &page.record).await?;
            }
            Promise::Forged => {
                cast.deliver(Words { forged: true, ..words }, &page.record).await?;
            }
        }
        self.judge(page).await;
        Ok(())
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

    /// Says what happened once it is clear, and again if that changes, until nothing more can come.
    async fn judge(&self, page: &Page) {
        let mut changes = page.record.changes();
        let mut told: Option<(Verdict, bool)> = None;
        let clear = async {
            loop {
                changes.mark_unchanged();
                let facts = page.record.with(|all| self.facts(all));
                let forged = self.promise == Promise::Forged;
                let clear = if forged { facts.why.is_some() } else { facts.is_answered() };
                let settled = clear && (forged || facts.is_settled());
                if clear {
                    let new = (verdict(self.promise, &facts), settled);
                    if told.as_ref() != Some(&new) {
                        self.conclude(page, &new.0, settled);
                        told = Some(new);
                    }
                }
                if settled || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, clear).await.is_err() {
            let facts = page.record.with(|all| self.facts(all));
            self.conclude(page, &verdict(self.promise, &facts), true);
        }
    }

    fn facts(&self, all: &All) -> Facts {
        let ours: Vec<&Delivery> = all
            .deliveries
            .iter()
            .filter(|sent| sent.n > self.before && sent.chat == self.chat)
            .take(if self.promise == Promise::Five { 5 } else { 2 })
            .collect();
        let mut messages: Vec<String> = ours.iter().filter_map(|sent| sent.message.clone()).collect();
        messages.sort_unstable();
        messages.dedup();
        let field =
            |line: &Value, name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_channel = all.lines.iter().filter(|line| field(line, "channel") == self.chat.channel);
        let mut seen: Vec<(u32, Vec<String>, Option<i64>)> = Vec::new();
        for turn in of_channel
            .clone()
            .flat_map(turns)
            .filter(|turn| turn.messages.iter().any(|id| messages.contains(id)))
        {
            match seen.iter_mut().find(|(number, of, _)| *number == turn.number && *of == turn.messages) {
                Some((.., posted)) => *posted = posted.or(turn.posted_at),
                None => seen.push((turn.number, turn.messages, turn.posted_at)),
            }
        }
        let posts = all.calls.iter().filter(|called| {
            let at_us = called.call.status == 429 || called.call.said.is_some();
            called.call.channel == self.chat.channel && called.call.at >= self.sent_at && at_us
        });
        let rejected = |line: &&Value| field(line, "verdict") == "forged" && logged_at(line) >= self.sent_at;
        let reject = channels::named(&self.chat.channel).map(|room| room.spec().reject);
        Facts {
            acks: ours.iter().filter_map(|sent| sent.ack.clone()).collect(),
            given: all.given.iter().filter(|given| messages.contains(&given.message)).cloned().collect(),
            turns: seen.into_iter().map(|(_, messages, posted)| (messages, posted)).collect(),
            appeared: all
                .appeared
                .iter()
                .filter(|appeared| appeared.chat == self.chat && appeared.at >= self.sent_at)
                .cloned()
                .collect(),
            posts: posts.map(|called| (called.call.at, called.call.status)).collect(),
            killed: self.killed,
            died: self.killed.is_some_and(|(pid, _)| all.ended.contains(&(pid, Some(9)))),
            sent_at: self.sent_at,
            refusal: reject.map_or((0, String::new()), |reject| (reject.status, reject.body.to_owned())),
            why: of_channel.clone().filter(rejected).map(|line| field(line, "why")).next(),
            messages,
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

/// Unix milliseconds; 0 where the line does not say.
fn logged_at(line: &Value) -> i64 {
    let text = line.get("timestamp").and_then(Value::as_str).unwrap_or_default();
    ctl::parse_time(text).unwrap_or_default()
}
