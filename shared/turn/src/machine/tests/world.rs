//! A world of values for scripted runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use channel::{Address, Body, Content, Conversation, Home, Inbound, Kind, Sender, Settled, Step, Target};

use super::super::*;

/// What the platform answers to the next calls; then everything is taken.
#[derive(Clone)]
pub enum Reply {
    Is(Settled),
    Unsure,
}

#[derive(Default)]
pub struct World {
    pub now: i64,
    pub seen: BTreeSet<String>,
    pub inbox: BTreeMap<String, Waiting>,
    pub turns: BTreeMap<u32, Turn>,
    pub head: Head,
    /// Hidden tokens: when each shows, and how often it was given out.
    pub queue: BTreeMap<String, (i64, u32)>,
    pub replies: VecDeque<Reply>,
    pub posted: Vec<String>,
    pub dead: Vec<String>,
    pub asked: Vec<Vec<String>>,
    pub overlap: Overlap,
    pub parts: usize,
    pub interrupts: u32,
    /// Messages that come while the model is asked, one a question.
    pub comes_during: VecDeque<&'static str>,
    /// How many parts a turn has that is planned again, where that is another number.
    pub parts_again: Option<usize>,
    /// The effect that a service fails to do, by its name; once.
    pub trouble_at: Option<&'static str>,
    /// The next call finds that the lease does not outlast it.
    pub late: bool,
    /// The effect before which the process is killed, by its name; once.
    pub die_before: Option<&'static str>,
    /// Asking kills the process whenever this message is among the asked.
    pub poison: Option<String>,
    /// An answer is seen while it is written: in a message that somebody must finish.
    pub drafts: bool,
    /// How often the process is killed while it writes one.
    pub dies_drafting: u32,
    /// Messages that began to appear, and how many of them say what was committed.
    pub begun: u32,
    pub finished: u32,
}

pub fn message(id: &str, at: i64) -> Inbound {
    Inbound {
        v: 1,
        id: id.into(),
        channel: "telegram".into(),
        account: "main".into(),
        conversation: Conversation { chat: "1".into(), thread: None },
        kind: Kind::Dm,
        sender: Sender { id: "7".into(), name: "Ana".into(), home: Home::Unknown, bot: false, lookup: None },
        addressed: true,
        content: Content::Text(id.into()),
        attachments: vec![],
        at,
        address: Address::default(),
        echo_of: None,
        due: false,
    }
}

impl World {
    pub fn new(messages: &[&str]) -> World {
        let queue = messages.iter().map(|id| ((*id).to_owned(), (0, 0))).collect();
        World { now: 1_000_000, queue, parts: 1, ..World::default() }
    }

    /// Gives out tokens one after another until none is left, at most `rounds` times.
    pub fn run(&mut self, rounds: usize) -> &mut World {
        for _ in 0..rounds {
            let Some((id, (at, receives))) =
                self.queue.iter().min_by_key(|(_, (at, _))| *at).map(|(k, v)| (k.clone(), *v))
            else {
                break;
            };
            self.now = self.now.max(at);
            assert!(receives < 12, "{id} was given out {receives} times");
            self.queue.insert(id.clone(), (self.now + 720_000, receives + 1));
            self.invocation(&id, receives + 1);
        }
        self
    }

    fn invocation(&mut self, id: &str, receives: u32) {
        let token = Token { id: id.into(), receives, overlap: self.overlap, ends_at: self.now + 300_000 };
        let mut state = State::new(token);
        let mut event = Event::Begin;
        for _ in 0..500 {
            let (next, effects) = step(state, event, self.now);
            state = next;
            let mut answer = None;
            for effect in effects {
                if self.killed(&effect) {
                    return;
                }
                if self.trouble_at.is_some_and(|point| format!("{effect:?}").starts_with(point)) {
                    self.trouble_at = None;
                    answer = Some(Event::Trouble);
                    continue;
                }
                match self.effect(id, &state, effect) {
                    Some(outcome) => answer = Some(outcome),
                    None => continue,
                }
            }
            match answer {
                Some(outcome) => event = outcome,
                None => return,
            }
        }
        panic!("no end: {state:?}");
    }

    fn killed(&mut self, effect: &Effect) -> bool {
        let name = format!("{effect:?}");
        let by_poison =
            matches!((effect, &self.poison), (Effect::Ask { ids, .. }, Some(poison)) if ids.contains(poison));
        let by_script = self.die_before.is_some_and(|point| name.starts_with(point));
        if by_script {
            self.die_before = None;
        }
        by_poison || by_script
    }

    fn mine(&self, state: &State) -> bool {
        self.head.epoch == state.epoch()
    }

    pub fn effect(&mut self, id: &str, state: &State, effect: Effect) -> Option<Event> {
        self.now += 1;
        Some(match effect {
            Effect::Hide(seconds) => {
                self.queue
                    .entry(id.to_owned())
                    .and_modify(|token| token.0 = self.now + i64::from(seconds) * 1_000);
                return None;
            }
            Effect::Keep => Event::Kept { new: self.keep(id) },
            Effect::Take if self.head.until != 0 && self.head.until + SKEW_MS >= self.now => Event::Busy,
            Effect::Take => {
                self.head.epoch += 1;
                self.head.until = self.now + LEASE_MS;
                Event::Taken(self.head.clone())
            }
            Effect::Inspect => {
                Event::Inspected { waits: self.inbox.contains_key(id), open: !self.head.open.is_empty() }
            }
            Effect::Look => {
                let mut waiting: Vec<Waiting> = self.inbox.values().cloned().collect();
                waiting.sort_by_key(|waiting| (waiting.inbound.at, waiting.inbound.id.clone()));
                Event::Looked { head: self.head.clone(), waiting, more: false }
            }
            Effect::Pause(ms) => {
                self.now += i64::try_from(ms).unwrap();
                Event::Paused
            }
            Effect::Judge(ids) => Event::Judged(ids.into_iter().map(|id| (id.clone(), fate(&id))).collect()),
            Effect::Count(ids) => {
                ids.iter().for_each(|id| self.inbox.get_mut(id).unwrap().tries += 1);
                Event::Counted
            }
            Effect::Ask { number, ids, interruptible, .. } => {
                self.asked.push(ids.clone());
                if self.drafts && self.head.draft.is_none() {
                    self.begun += 1;
                    let posted = self.begun.to_string();
                    self.head.draft =
                        Some(crate::state::Draft { turn: number, posted, at: self.now, stream: false });
                }
                if self.dies_drafting > 0 {
                    self.dies_drafting -= 1;
                    return None;
                }
                if let Some(id) = self.comes_during.pop_front() {
                    self.keep(id);
                    if interruptible {
                        return Some(Event::Interrupted);
                    }
                }
                Event::Answered(Box::new(self.turn(number, &ids)))
            }
            Effect::Compose { number, id } => Event::Answered(Box::new(self.turn(number, &[id]))),
            Effect::Bury { number, id } => {
                self.dead.push(id.clone());
                Event::Answered(Box::new(self.turn(number, &[format!("sorry:{id}")])))
            }
            Effect::Commit(_) | Effect::Mark(_) | Effect::Rewrite { .. } | Effect::Release { .. }
                if !self.mine(state) =>
            {
                Event::Fenced
            }
            Effect::Commit(commit) => {
                (self.head.open, self.head.next, self.head.since) = (commit.open, commit.next, commit.since);
                if let Some(turn) = commit.turn {
                    self.head.draft = None;
                    self.turns.insert(turn.number, *turn);
                }
                commit
                    .delete
                    .iter()
                    .for_each(|id| assert!(self.inbox.remove(id).is_some(), "{id} was answered twice"));
                Event::Committed
            }
            Effect::Mark(open) => {
                self.head.open = open;
                Event::Marked
            }
            Effect::Call { turn, part, .. } => self.call(turn, part),
            Effect::Uncount(ids) => {
                ids.iter().for_each(|id| self.inbox.get_mut(id).unwrap().tries -= 1);
                Event::Counted
            }
            Effect::Interrupt => {
                self.interrupts += 1;
                return None;
            }
            Effect::Replan { turn, .. } => {
                let mut planned = self.turns[&turn].clone();
                planned.answer += "~";
                if let (Some(parts), Some(step)) = (self.parts_again, planned.steps.first().cloned()) {
                    planned.steps = vec![step; parts];
                }
                Event::Planned(Box::new(planned))
            }
            Effect::Rewrite { turn, open } => {
                self.head.open = open;
                self.turns.insert(turn.number, *turn);
                Event::Marked
            }
            Effect::Fail { turn, .. } => {
                self.dead.push(self.turns[&turn].answer.clone());
                Event::Failed
            }
            Effect::Release { rev, .. } if rev.is_some_and(|rev| rev != self.head.rev) => Event::Moved,
            Effect::Release { open, .. } => {
                open.into_iter().for_each(|open| self.head.open = open);
                self.head.until = 0;
                Event::Released
            }
            Effect::Acknowledge => {
                self.queue.remove(id);
                return None;
            }
            Effect::Return(seconds) => {
                let token = self.queue.get_mut(id).unwrap();
                token.0 = self.now + i64::from(seconds) * 1_000;
                return None;
            }
        })
    }

    pub fn keep(&mut self, id: &str) -> bool {
        let new = self.seen.insert(id.to_owned());
        if new {
            let waiting = Waiting { v: 1, inbound: message(id, self.now), kept_at: self.now, tries: 0 };
            self.inbox.insert(id.to_owned(), waiting);
            self.head.rev += 1;
        }
        new
    }

    fn call(&mut self, turn: u32, part: usize) -> Event {
        if std::mem::take(&mut self.late) {
            return Event::Late;
        }
        let text = format!("{}#{part}", self.turns[&turn].answer);
        self.finished += u32::from(part == 0 && self.turns[&turn].draft.is_some());
        match self.replies.pop_front() {
            Some(Reply::Unsure) => {
                self.posted.push(text);
                Event::Unsure
            }
            Some(Reply::Is(
                settled @ (Settled::Later(_) | Settled::Gone | Settled::Unformatted | Settled::Broken(_)),
            )) => Event::Settled(settled),
            Some(Reply::Is(settled)) => {
                self.posted.push(text);
                Event::Settled(settled)
            }
            None => {
                self.posted.push(text);
                Event::Settled(Settled::Posted(None))
            }
        }
    }

    fn turn(&self, number: u32, ids: &[String]) -> Turn {
        let step = Step::new("POST", Target::Url(String::new()), Body::None);
        let steps = if fate(&ids[0]) == Fate::Store { vec![] } else { vec![step; self.parts] };
        Turn {
            v: 1,
            number,
            messages: vec![],
            answer: ids.join("+"),
            history: true,
            address: Address::default(),
            way: Default::default(),
            plain: false,
            steps,
            ids: vec![],
            usage: Default::default(),
            model: String::new(),
            at: self.now,
            stopped: false,
            draft: self.head.draft.as_ref().map(|draft| draft.posted.clone()),
            ..Turn::default()
        }
    }

    pub fn check(&self, posted: &[&str]) {
        assert_eq!(self.posted, posted);
        assert!(self.queue.is_empty(), "left in the queue: {:?}", self.queue);
        assert!(
            self.inbox.is_empty() && self.head.open.is_empty(),
            "left over: {:?} {:?}",
            self.inbox,
            self.head
        );
        assert_eq!(self.head.until, 0, "the lease was not given back");
    }
}

/// Fates by the message's name, so that a script reads as it runs.
pub fn fate(id: &str) -> Fate {
    match id {
        "new" => Fate::Say { reset: true },
        "help" => Fate::Say { reset: false },
        "operator" => Fate::Store,
        "stranger" => Fate::Drop,
        _ => Fate::Answer,
    }
}
