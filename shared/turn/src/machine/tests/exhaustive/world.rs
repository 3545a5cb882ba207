//! The small world that [`super`] explores: a table, a queue, a platform and two workers, as values.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use channel::{Address, Body, Content, Conversation, Home, Inbound, Kind, Sender, Step, Target};

use super::super::super::*;
use super::{Check, Faults};

/// A wait that the platform asks for is over after one tick of the world's clock, milliseconds.
pub const TICK_MS: i64 = 100_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    Free,
    Held,
    Expired,
}

/// A turn as the table and the platform know it.
#[derive(Clone)]
pub struct Committed {
    /// Bit by message.
    pub answers: u8,
    /// How often each part was posted; 3 stands for more.
    pub posts: Vec<u8>,
}

#[derive(Clone)]
pub struct Worker {
    pub id: u8,
    pub state: State,
    /// What is to be done, the next one last.
    pub todo: Vec<Effect>,
    pub half: Option<Half>,
}

/// The first of an effect's two reads.
#[derive(Clone)]
pub enum Half {
    Head(Box<Head>),
    Waits(bool),
}

#[derive(Clone)]
pub struct World {
    /// Of every turn.
    pub parts: usize,
    pub clock: i64,
    pub queue: Vec<u8>,
    pub seen: u8,
    /// Tries by message, where it waits.
    pub inbox: Vec<Option<u32>>,
    pub head: Head,
    pub lease: Lease,
    pub turns: Vec<Committed>,
    pub workers: [Option<Worker>; 2],
    pub had: Faults,
    pub bad: Option<&'static str>,
}

pub fn name(id: u8) -> String {
    char::from(b'a' + id).to_string()
}

pub fn number(name: &str) -> u8 {
    name.as_bytes()[0] - b'a'
}

pub fn waiting(id: u8, tries: u32) -> Waiting {
    let sender =
        Sender { id: String::new(), name: String::new(), home: Home::Unknown, bot: false, lookup: None };
    let inbound = Inbound {
        v: 1,
        id: name(id),
        channel: String::new(),
        account: String::new(),
        conversation: Conversation { chat: String::new(), thread: None },
        kind: Kind::Dm,
        echo_of: None,
        due: false,
        sender,
        addressed: true,
        content: Content::Text(String::new()),
        attachments: vec![],
        at: 0,
        address: Address::default(),
    };
    // Kept so long ago that no burst is waited for: what comes in between is a step of its own anyway.
    Waiting { v: 1, inbound, kept_at: -1_000_000, tries }
}

impl Check {
    /// What an effect does to the world, and what the worker learns; `None`: the worker is gone, or reads once more.
    pub fn effect(&self, world: &mut World, place: usize, worker: &Worker, effect: Effect) -> Option<Event> {
        let current = world.is_current(worker) && world.lease != Lease::Free;
        let id = worker.id;
        let bit = 1 << id;
        Some(match effect {
            Effect::Keep => {
                let waits = world.inbox[usize::from(id)].is_some();
                let new = if self.guards.seen { world.seen & bit == 0 } else { !waits };
                if new {
                    world.seen |= bit;
                    world.inbox[usize::from(id)] = Some(0);
                    world.head.rev += 1;
                }
                Event::Kept { new }
            }
            Effect::Take if world.lease == Lease::Held => Event::Busy,
            Effect::Take => {
                world.lease = Lease::Held;
                world.head.epoch += 1;
                Event::Taken(world.head.clone())
            }
            Effect::Inspect | Effect::Look if worker.half.is_none() => {
                let waits = world.inbox[usize::from(id)].is_some();
                let half = match effect {
                    Effect::Look => Half::Head(Box::new(world.head.clone())),
                    _ => Half::Waits(waits),
                };
                let worker = world.workers[place].as_mut()?;
                worker.half = Some(half);
                worker.todo.push(effect);
                return None;
            }
            Effect::Inspect => match worker.half {
                Some(Half::Waits(waits)) if self.guards.keep_token => {
                    Event::Inspected { waits, open: !world.head.open.is_empty() }
                }
                _ => Event::Inspected { waits: false, open: false },
            },
            Effect::Look => {
                let Some(Half::Head(head)) = worker.half.clone() else { return None };
                let inbox = world.inbox.iter().zip(0..);
                let waiting = inbox.filter_map(|(tries, id)| Some(waiting(id, (*tries)?))).collect();
                Event::Looked { head: *head, waiting, more: false }
            }
            Effect::Count(ids) => {
                for id in ids {
                    let tries = &mut world.inbox[usize::from(number(&id))];
                    *tries = tries.map(|tries| tries + 1);
                }
                Event::Counted
            }
            Effect::Uncount(ids) => {
                for id in ids {
                    let tries = &mut world.inbox[usize::from(number(&id))];
                    *tries = tries.map(|tries| tries.saturating_sub(1));
                }
                Event::Counted
            }
            Effect::Commit(_) if self.guards.commit_fence && !current => Event::Fenced,
            Effect::Commit(commit) => self.committed(world, commit),
            Effect::Mark(_) if self.guards.post_fence && !current => Event::Fenced,
            Effect::Mark(open) => {
                self.write_open(world, open);
                Event::Marked
            }
            Effect::Release { .. } if !current => Event::Fenced,
            Effect::Release { rev, .. }
                if self.guards.rev && rev.is_some_and(|rev| rev != world.head.rev) =>
            {
                Event::Moved
            }
            Effect::Release { open, .. } => {
                open.into_iter().for_each(|open| self.write_open(world, open));
                world.lease = Lease::Free;
                Event::Released
            }
            Effect::Return(_) => {
                world.back(place);
                return None;
            }
            Effect::Acknowledge => {
                world.workers[place] = None;
                let posted =
                    |turn: &Committed| turn.answers & bit == 0 || turn.posts.iter().all(|posts| *posts > 0);
                let done = world.inbox[usize::from(id)].is_none() && world.turns.iter().all(posted);
                world.bad = world.bad.or((!done).then_some("given up before it was answered and posted"));
                return None;
            }
            other => panic!("not a step of its own: {other:?}"),
        })
    }

    fn committed(&self, world: &mut World, commit: Commit) -> Event {
        let answers = commit.delete.iter().fold(0, |all, id| all | 1 << number(id));
        let twice = world.turns.iter().any(|turn| turn.answers & answers != 0);
        world.bad = world.bad.or(twice.then_some("answered twice"));
        if commit.turn.is_some() {
            world.turns.push(Committed { answers, posts: vec![0; self.parts] });
        }
        for id in &commit.delete {
            world.inbox[usize::from(number(id))] = None;
        }
        (world.head.next, world.head.since) = (commit.next, commit.since);
        self.write_open(world, commit.open);
        Event::Committed
    }

    /// Every write of the holder renews the lease.
    fn write_open(&self, world: &mut World, open: Vec<OpenTurn>) {
        world.head.open = if self.guards.open { open } else { vec![] };
        world.lease = Lease::Held;
    }
}

pub fn reversed(mut effects: Vec<Effect>) -> Vec<Effect> {
    effects.reverse();
    effects
}

impl World {
    pub fn is_current(&self, worker: &Worker) -> bool {
        worker.state.epoch() == self.head.epoch && worker.state.epoch() > 0
    }

    /// The worker is gone and its token shows again.
    pub fn back(&mut self, place: usize) {
        if let Some(worker) = self.workers[place].take() {
            self.queue.push(worker.id);
            self.queue.sort_unstable();
        }
    }

    /// The machine goes on with what came of the last effect, once no other stands before it.
    pub fn comes_of(&mut self, place: usize, event: Event) {
        let Some(worker) = self.workers[place].as_mut() else { return };
        worker.half = None;
        if worker.todo.is_empty() {
            let (state, effects) = step(worker.state.clone(), event, self.clock);
            (worker.state, worker.todo) = (state, reversed(effects));
        }
        self.run_on(place);
    }

    /// What touches nothing that others see is done at once: it makes no difference when.
    pub fn run_on(&mut self, place: usize) {
        loop {
            let Some(worker) = self.workers[place].as_mut() else { return };
            let event = match worker.todo.last() {
                Some(Effect::Hide(_) | Effect::Interrupt) => {
                    worker.todo.pop();
                    continue;
                }
                Some(Effect::Pause(_)) => Event::Paused,
                Some(Effect::Judge(ids)) => {
                    Event::Judged(ids.iter().map(|id| (id.clone(), Fate::Answer)).collect())
                }
                Some(Effect::Ask { number, ids, interruptible: false, .. }) => {
                    let (number, ids) = (*number, ids.clone());
                    self.asked(place, &ids);
                    Event::Answered(Box::new(self.turn(number)))
                }
                Some(Effect::Bury { number, .. }) => {
                    let number = *number;
                    Event::Answered(Box::new(self.turn(number)))
                }
                _ => return,
            };
            let Some(worker) = self.workers[place].as_mut() else { return };
            worker.todo.pop();
            let (state, effects) = step(worker.state.clone(), event, self.clock);
            (worker.state, worker.todo) = (state, reversed(effects));
        }
    }

    /// Only a zombie may ask about what is answered: it does not know yet.
    pub fn asked(&mut self, place: usize, ids: &[String]) {
        let asked = ids.iter().fold(0, |all, id| all | 1_u8 << number(id));
        let current = self.workers[place].as_ref().is_some_and(|worker| self.is_current(worker));
        let again = current && self.turns.iter().any(|turn| turn.answers & asked != 0);
        self.bad = self.bad.or(again.then_some("asked again"));
    }

    pub fn turn(&self, number: u32) -> Turn {
        let step = Step::new("POST", Target::Url(String::new()), Body::None);
        Turn {
            v: 1,
            number,
            messages: vec![],
            answer: String::new(),
            history: true,
            address: Address::default(),
            way: Default::default(),
            plain: false,
            steps: vec![step; self.parts],
            ids: vec![],
            usage: Default::default(),
            model: String::new(),
            at: 0,
            stopped: false,
            ..Turn::default()
        }
    }

    /// Of an epoch only matters whether it is the current one.
    pub fn normalise(&mut self) {
        let current = self.head.epoch;
        let canonical = |epoch: u64| match epoch {
            0 => 0,
            epoch if epoch == current => 2,
            _ => 1,
        };
        for worker in self.workers.iter_mut().flatten() {
            worker.state.head.epoch = canonical(worker.state.head.epoch);
            worker.state.burst_since = None;
            if let Some(Half::Head(head)) = &mut worker.half {
                head.epoch = canonical(head.epoch);
            }
        }
        self.head.epoch = canonical(current);
    }

    /// The same for two worlds that behave alike.
    pub fn key(&self) -> u128 {
        let mut bytes = Vec::with_capacity(256);
        let World { parts: _, clock, queue, seen, inbox, head, lease, turns, workers, had, bad: _ } = self;
        bytes.extend([(*clock / TICK_MS) as u8, *seen, *lease as u8, queue.len() as u8]);
        bytes.extend(queue);
        bytes.extend(inbox.iter().map(|tries| tries.map_or(255, |tries| tries as u8)));
        write_head(head, &mut bytes);
        for turn in turns {
            bytes.push(turn.answers);
            bytes.extend(&turn.posts);
        }
        let Faults { kills, zombies, duplicates, parks, doubts, troubles } = had;
        bytes.extend([255, *kills, *zombies, *duplicates, *parks, *doubts, *troubles]);
        let mut written: Vec<Vec<u8>> = workers
            .iter()
            .map(|worker| {
                let mut bytes = Vec::new();
                worker.iter().for_each(|worker| write_worker(worker, &mut bytes));
                bytes
            })
            .collect();
        // Which of two workers is which makes no difference.
        written.sort_unstable();
        for worker in written {
            bytes.push(worker.len() as u8);
            bytes.extend(worker);
        }
        hash(&bytes, 1) << 64 | hash(&bytes, 2)
    }
}

fn hash(bytes: &[u8], seed: u8) -> u128 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(seed);
    hasher.write(bytes);
    u128::from(hasher.finish())
}

fn write_head(head: &Head, bytes: &mut Vec<u8>) {
    let Head { v: _, epoch, until: _, rev, next, since: _, open, cancel: _, interrupt: _, paused: _, .. } =
        head;
    bytes.extend([*epoch as u8, *rev as u8, *next as u8, open.len() as u8]);
    for OpenTurn { turn, parts, wait_until, waits, failed: _ } in open {
        bytes.extend([*turn as u8, (*wait_until / 1_000) as u8, *waits as u8]);
        bytes.extend(parts.iter().map(|part| *part as u8));
    }
}

fn write_worker(worker: &Worker, bytes: &mut Vec<u8>) {
    let Worker { id, state, todo, half } = worker;
    let State {
        token: _,
        phase,
        head,
        waiting,
        fates,
        group,
        reset: _,
        burst_since: _,
        fresh,
        known,
        announced,
        interruptions,
    } = state;
    let phase = match phase {
        Phase::Beginning => 0,
        Phase::Keeping => 1,
        Phase::Taking => 2,
        Phase::Inspecting => 3,
        Phase::Looking => 4,
        Phase::Pausing => 5,
        Phase::Judging => 6,
        Phase::Counting { careful } => 8 + u8::from(*careful),
        Phase::Answering => 10,
        Phase::Uncounting => 11,
        Phase::Committing => 12,
        Phase::Announcing { doubt } => 14 + u8::from(*doubt),
        Phase::Calling { doubt } => 16 + u8::from(*doubt),
        Phase::Replanning => 22,
        Phase::Condemning => 18,
        Phase::Failing => 19,
        Phase::Recording => 20,
        Phase::Rewriting => 21,
        Phase::Releasing { again_s, recording } => {
            24 + u8::from(again_s.is_some()) + 2 * u8::from(*recording)
        }
        Phase::Over => 30,
    };
    bytes.push(*interruptions as u8);
    bytes.extend([*id, phase, u8::from(*fresh), u8::from(*known), u8::from(*announced), todo.len() as u8]);
    // The phase says which effect is under way, but for the end: there it may be giving up or giving back.
    bytes.push(u8::from(matches!(todo.last(), Some(Effect::Acknowledge))));
    bytes.extend(fates.keys().map(|id| number(id)));
    bytes.push(254);
    bytes.extend(group.iter().map(|id| number(id)));
    bytes.push(253);
    bytes.extend(waiting.iter().flat_map(|waiting| [number(&waiting.inbound.id), waiting.tries as u8]));
    write_head(head, bytes);
    match half {
        None => bytes.push(0),
        Some(Half::Waits(waits)) => bytes.push(1 + u8::from(*waits)),
        Some(Half::Head(head)) => {
            bytes.push(3);
            write_head(head, bytes);
        }
    }
}
