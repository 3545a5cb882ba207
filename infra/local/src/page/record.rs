//! What happened since the local cloud started: what was sent, what the functions did, what the platforms were called
//! with. In memory, the oldest is forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use channel::local::Look;
use channel::short_id;
use queue::Job;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::look::html;
use super::seen::{Appeared, Called, Chat, Delivery, Given, turns};
use crate::functions::Told;
use crate::platform::Call;

/// Of each kind.
const KEPT: usize = 4_000;

#[derive(Default)]
pub(super) struct Record {
    all: Mutex<All>,
    /// Rises with every change.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
pub(super) struct All {
    /// What the page is told, numbered.
    shown: VecDeque<(u64, Value)>,
    last: u64,
    pub deliveries: VecDeque<Delivery>,
    pub given: VecDeque<Given>,
    pub calls: VecDeque<Called>,
    pub appeared: VecDeque<Appeared>,
    /// Log lines of the functions that are about messages.
    pub lines: VecDeque<Value>,
    pub ended: VecDeque<(u32, Option<i32>)>,
    /// Function and worker, with the process that it has.
    workers: BTreeMap<(String, u64), u32>,
}

impl Record {
    pub fn with<T>(&self, see: impl FnOnce(&mut All) -> T) -> T {
        see(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes who waits for changes.
    pub fn change<T>(&self, act: impl FnOnce(&mut All) -> T) -> T {
        let done = self.with(act);
        self.changes.send_modify(|n| *n += 1);
        done
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What the page was told after the number `n`, and what comes.
    pub async fn shown_after(&self, n: u64, changes: &mut watch::Receiver<u64>) -> Vec<(u64, Value)> {
        loop {
            changes.mark_unchanged();
            let found = self.with(|all| {
                all.shown.iter().filter(|(at, _)| *at > n).cloned().collect::<Vec<(u64, Value)>>()
            });
            if !found.is_empty() || changes.changed().await.is_err() {
                return found;
            }
        }
    }

    pub fn told(&self, told: &Told, now: i64) {
        self.change(|all| match told {
            // A worker that has no process starts it after it was given something.
            Told::Started { function, worker, pid } => {
                all.workers.insert((function.clone(), *worker), *pid);
                let waits = |given: &&mut Given| given.worker == *worker && given.over_at.is_none();
                if let Some(given) = all.given.iter_mut().rev().find(waits).filter(|given| given.pid == 0) {
                    given.pid = *pid;
                }
            }
            Told::Ended { pid, signal, .. } => {
                all.workers.retain(|_, running| running != pid);
                push(&mut all.ended, (*pid, *signal));
            }
            Told::Given { function, worker, job, receives, body, .. } => {
                let Ok(Job::Message { inbound, .. }) = Job::parse(body) else { return };
                let pid = all.workers.get(&(function.clone(), *worker)).copied().unwrap_or_default();
                let (channel, message) = (inbound.channel.clone(), short_id(&inbound.id));
                let given = Given {
                    at: now,
                    channel: channel.clone(),
                    message: message.clone(),
                    job: job.clone(),
                    receives: *receives,
                    worker: *worker,
                    pid,
                    over_at: None,
                    whole: false,
                    outcome: None,
                };
                push(&mut all.given, given);
                all.moved(&channel, &[message], "taken up");
            }
            Told::Over { job, whole, .. } => all.over(job, *whole, now),
            Told::Line { line, .. } => all.logged(line),
        });
    }

    /// A call that a platform got; `looks` where it did what was asked.
    pub fn called(&self, call: &Call, look: Look) {
        self.change(|all| {
            let said = call.said.as_ref();
            let named = look.place.clone().filter(|_| look.replaces.is_none());
            let place = said.map(|said| said.reply_key.clone()).or(named);
            let edited = look.replaces.as_ref().and_then(|id| all.place_of(&call.channel, id));
            let place = edited.or(place).or(look.place.clone());
            let called = Called { call: call.clone(), look: look.clone(), place: place.clone() };
            push(&mut all.calls, called);
            let Some(chat) = all.chat(&call.channel, place.as_deref()) else { return };
            if look.writing {
                let so_far = look.text.map(|text| html(&text, look.markup));
                all.show("writing", json!({ "chat": chat, "html": so_far }));
                return;
            }
            let Some(text) = look.text.or(said.map(|said| said.text.clone())) else { return };
            let id = look.replaces.or(look.id).unwrap_or_else(|| format!("call {}", call.n));
            let html = html(&text, look.markup);
            match all.appeared.iter_mut().find(|appeared| appeared.chat == chat && appeared.id == id) {
                Some(appeared) => appeared.html.clone_from(&html),
                None => {
                    let appeared =
                        Appeared { at: call.at, chat: chat.clone(), id: id.clone(), html: html.clone() };
                    push(&mut all.appeared, appeared);
                }
            }
            let look = json!({ "chat": chat, "id": id, "html": html, "buttons": look.buttons, "at": call.at, "call": call.n });
            all.show("said", look);
        });
    }
}

impl All {
    /// Tells the page.
    pub fn show(&mut self, what: &str, mut fields: Value) {
        self.last += 1;
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("what".to_owned(), what.into());
        }
        let shown = (self.last, fields);
        push(&mut self.shown, shown);
    }

    /// Tells the page that something happened to messages.
    fn moved(&mut self, channel: &str, messages: &[String], how: &str) {
        let is = |delivery: &&Delivery| {
            delivery.chat.channel == channel
                && delivery.message.as_ref().is_some_and(|id| messages.contains(id))
        };
        let deliveries: Vec<u64> = self.deliveries.iter().filter(is).map(|delivery| delivery.n).collect();
        if !deliveries.is_empty() {
            self.show("moved", json!({ "deliveries": deliveries, "how": how }));
        }
    }

    fn over(&mut self, job: &str, whole: bool, now: i64) {
        let Some(given) =
            self.given.iter_mut().rev().find(|given| given.job == job && given.over_at.is_none())
        else {
            return;
        };
        (given.over_at, given.whole) = (Some(now), whole);
        let (channel, message) = (given.channel.clone(), given.message.clone());
        if !whole {
            self.moved(&channel, &[message], "its process died");
        }
    }

    fn logged(&mut self, line: &str) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { return };
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let known = matches!(field("message"), "request" | "done");
        if !known && !matches!(field("level"), "WARN" | "ERROR") {
            return;
        }
        let mut ids: Vec<String> = field("id").split(',').map(str::to_owned).collect();
        let mut how = "";
        if field("message") == "done" {
            let outcome = field("outcome").to_owned();
            let mut given = self.given.iter_mut().rev();
            if let Some(given) = given.find(|given| given.job == field("job")) {
                given.outcome = Some(outcome.clone());
            }
            how = if outcome == "Acknowledged" { "done" } else { "put back" };
            ids.extend(turns(&line).into_iter().flat_map(|turn| turn.messages));
        }
        let channel = field("channel").to_owned();
        push(&mut self.lines, line);
        self.moved(&channel, &ids, how);
    }

    /// The chat in which something appears; without a place the one that was last written in.
    fn chat(&self, channel: &str, place: Option<&str>) -> Option<Chat> {
        let there = |delivery: &&Delivery| {
            delivery.chat.channel == channel && place.is_none_or(|place| delivery.reply_key == place)
        };
        self.deliveries.iter().rev().find(there).map(|delivery| delivery.chat.clone())
    }

    /// Where the message of that id is.
    fn place_of(&self, channel: &str, id: &str) -> Option<String> {
        let there = |called: &&Called| {
            called.call.channel == channel && called.look.id.as_deref() == Some(id) && called.place.is_some()
        };
        self.calls.iter().rev().find(there)?.place.clone()
    }
}

pub(super) fn push<T>(kept: &mut VecDeque<T>, new: T) {
    kept.push_back(new);
    if kept.len() > KEPT {
        kept.pop_front();
    }
}
