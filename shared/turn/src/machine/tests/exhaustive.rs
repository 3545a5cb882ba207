//! Every interleaving of the transitions that run in production: [`step`] itself against a small world of one conversation, a
//! queue that delivers at least once, workers that are killed at any step or outlive their lease, a platform that wants to
//! wait, services that fail before or after they acted.
//!
//! - Safety: no message is answered by two committed turns, or asked about again once its answer is committed; nothing is
//!   posted without the current lease, or out of order; a token is given up only when its message is answered and the answer
//!   posted; where nothing fails, everything is posted once.
//! - Liveness: from every state that can be reached, the one in which all is done can still be reached.
//!
//! Each guard of the protocol can be taken away ([`Guards`]): then something above must break, or the guard would be for nothing.

mod world;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use channel::Settled;

use super::super::*;
use world::{Lease, TICK_MS, Worker, World, name, reversed};

/// More states than any of the checks has; beyond them is a machine that does not end.
const MOST_STATES: usize = 6_000_000;

/// What may go wrong, at most so often in one history.
#[derive(Clone, Copy, Default)]
struct Faults {
    kills: u8,
    /// A lease runs out under a worker that lives on.
    zombies: u8,
    /// The queue delivers a token and keeps it.
    duplicates: u8,
    /// The platform wants to wait.
    parks: u8,
    /// The call may or may not have reached the platform.
    doubts: u8,
    /// A service of ours fails, before or after it acted.
    troubles: u8,
}

/// What the protocol's safety hangs on.
#[derive(Clone, Copy)]
struct Guards {
    /// A commit names the epoch.
    commit_fence: bool,
    /// So does the announcement of a post.
    post_fence: bool,
    /// A worker that finds the lease held gives the token back in place of giving it up.
    keep_token: bool,
    /// HEAD lists the turns that are committed and not yet posted.
    open: bool,
    /// A message is known again after it left the inbox.
    seen: bool,
    /// The lease is not given back over a message that was not looked at. Saves time, not messages.
    rev: bool,
}

const ALL_GUARDS: Guards =
    Guards { commit_fence: true, post_fence: true, keep_token: true, open: true, seen: true, rev: true };

#[derive(Clone, Copy)]
struct Check {
    messages: u8,
    parts: usize,
    overlap: Overlap,
    most: Faults,
    guards: Guards,
}

const TWO: Check = Check {
    messages: 2,
    parts: 1,
    overlap: Overlap::Coalesce,
    most: Faults { kills: 1, zombies: 1, duplicates: 1, parks: 0, doubts: 0, troubles: 0 },
    guards: ALL_GUARDS,
};

impl Check {
    fn start(&self) -> World {
        World {
            parts: self.parts,
            clock: 0,
            queue: (0..self.messages).collect(),
            seen: 0,
            inbox: vec![None; usize::from(self.messages)],
            head: Head::default(),
            lease: Lease::Free,
            turns: vec![],
            workers: [None, None],
            had: Faults::default(),
            bad: None,
        }
    }

    /// Every world that one more event leads to.
    fn next(&self, world: &World) -> Vec<World> {
        let mut next = Vec::new();
        if world.clock < i64::from(world.had.parks + world.had.doubts) * TICK_MS {
            next.push(World { clock: world.clock + TICK_MS, ..world.clone() });
        }
        for place in 0..world.workers.len() {
            match &world.workers[place] {
                None => self.delivered(world, place, &mut next),
                Some(worker) => {
                    if world.had.kills < self.most.kills {
                        let mut killed = world.clone();
                        killed.had.kills += 1;
                        killed.back(place);
                        next.push(killed);
                    }
                    self.worked(world, place, worker, &mut next);
                }
            }
        }
        if world.lease == Lease::Held {
            self.ran_out(world, &mut next);
        }
        next
    }

    /// The queue hands a token to an idle worker; perhaps it keeps it as well.
    fn delivered(&self, world: &World, place: usize, next: &mut Vec<World>) {
        // Idle workers are alike: the first of them is handed the token.
        if world.workers[..place].iter().any(Option::is_none) {
            return;
        }
        let mut tokens = world.queue.clone();
        tokens.dedup();
        for id in tokens {
            let token = Token { id: name(id), receives: 1, overlap: self.overlap, ends_at: i64::MAX / 2 };
            let (state, todo) = step(State::new(token), Event::Begin, world.clock);
            let worker = Worker { id, state, todo: reversed(todo), half: None };
            let mut kept = world.clone();
            kept.workers[place] = Some(worker);
            kept.run_on(place);
            let mut taken = kept.clone();
            let at = taken.queue.iter().position(|token| *token == id).unwrap();
            taken.queue.remove(at);
            next.push(taken);
            if world.had.duplicates < self.most.duplicates {
                kept.had.duplicates += 1;
                next.push(kept);
            }
        }
    }

    /// The lease's time is over: at once where its holder is gone, else the holder has become a zombie. Not during a call: its
    /// announcement renewed the lease for longer than the call may take, and a call that comes too late is not made.
    fn ran_out(&self, world: &World, next: &mut Vec<World>) {
        let holder = world.workers.iter().flatten().find(|worker| world.is_current(worker));
        let calling = holder.is_some_and(|worker| matches!(worker.state.phase, Phase::Calling { .. }));
        let mut expired = World { lease: Lease::Expired, ..world.clone() };
        match holder {
            None => next.push(expired),
            Some(_) if !calling && world.had.zombies < self.most.zombies => {
                expired.had.zombies += 1;
                next.push(expired);
            }
            Some(_) => {}
        }
    }

    /// One effect of a worker, with everything that may come of it.
    fn worked(&self, world: &World, place: usize, worker: &Worker, next: &mut Vec<World>) {
        let mut after = world.clone();
        let Some(effect) = after.workers[place].as_mut().and_then(|worker| worker.todo.pop()) else {
            after.bad = Some("nothing to do");
            return next.push(after);
        };
        let fails = !matches!(effect, Effect::Acknowledge | Effect::Return(_));
        if fails && world.had.troubles < self.most.troubles {
            let mut failed = after.clone();
            failed.had.troubles += 1;
            failed.comes_of(place, Event::Trouble);
            next.push(failed);
        }
        match effect {
            Effect::Call { turn, part, .. } => return called(self, after, place, turn, part, next),
            Effect::Ask { number, ids, .. } => return interrupted(after, place, number, &ids, next),
            _ => {}
        }
        let Some(event) = self.effect(&mut after, place, worker, effect) else { return next.push(after) };
        if world.had.troubles < self.most.troubles {
            let mut failed = after.clone();
            failed.had.troubles += 1;
            failed.comes_of(place, Event::Trouble);
            next.push(failed);
        }
        after.comes_of(place, event);
        next.push(after);
    }

    /// Whether all is done, where nothing can happen any more; what is wrong, where something is.
    fn is_done(&self, world: &World) -> Result<bool, &'static str> {
        if let Some(bad) = world.bad {
            return Err(bad);
        }
        if !world.queue.is_empty() || world.workers.iter().any(Option::is_some) {
            return Ok(false);
        }
        let answered = world.turns.iter().fold(0, |all, turn| all | turn.answers);
        let posts = || world.turns.iter().flat_map(|turn| &turn.posts);
        if answered != (1 << self.messages) - 1
            || !world.head.open.is_empty()
            || posts().any(|posts| *posts == 0)
        {
            return Err("lost");
        }
        let Faults { kills, zombies, doubts, troubles, .. } = world.had;
        if kills + zombies + doubts + troubles == 0 && posts().any(|posts| *posts != 1) {
            return Err("posted twice without a fault");
        }
        Ok(true)
    }

    /// Explores everything. How many states there are, or all that breaks.
    fn explore(&self) -> Result<usize, BTreeSet<&'static str>> {
        let start = self.start();
        let mut known = HashMap::from([(start.key(), 0_u32)]);
        let (mut todo, mut done, mut edges) = (vec![(0_u32, start)], Vec::new(), Vec::new());
        let mut broken = BTreeSet::new();
        while let Some((from, world)) = todo.pop() {
            match self.is_done(&world) {
                Ok(false) => {}
                Ok(true) => {
                    done.push(from);
                    continue;
                }
                Err(bad) => {
                    broken.insert(bad);
                    continue;
                }
            }
            for mut next in self.next(&world) {
                next.normalise();
                let number = u32::try_from(known.len()).unwrap();
                let to = match known.entry(next.key()) {
                    Entry::Occupied(found) => *found.get(),
                    Entry::Vacant(place) => {
                        place.insert(number);
                        todo.push((number, next));
                        number
                    }
                };
                edges.push((to, from));
            }
            assert!(known.len() < MOST_STATES, "there is no end of states");
        }
        if broken.is_empty() && reaching(&done, edges, known.len()) < known.len() {
            broken.insert("stuck");
        }
        if broken.is_empty() { Ok(known.len()) } else { Err(broken) }
    }
}

/// A call to the platform: it is taken, or must wait, or nobody knows.
fn called(check: &Check, mut world: World, place: usize, turn: u32, part: usize, next: &mut Vec<World>) {
    let current = world.workers[place].as_ref().is_some_and(|worker| world.is_current(worker));
    let held = current && world.lease == Lease::Held;
    let earlier = &world.turns[..turn as usize];
    let before = earlier.iter().all(|turn| turn.posts.iter().all(|posts| *posts > 0));
    let posts = &world.turns[turn as usize].posts;
    let in_order = before && posts[..part].iter().all(|posts| *posts > 0);
    world.bad = world.bad.or((!held).then_some("posted without the lease"));
    world.bad = world.bad.or((!in_order).then_some("posted out of order"));
    if world.had.parks < check.most.parks {
        let mut parked = world.clone();
        parked.had.parks += 1;
        parked.comes_of(place, Event::Settled(Settled::Later(Some(Duration::from_secs(1)))));
        next.push(parked);
    }
    let posts = &mut world.turns[turn as usize].posts[part];
    *posts = (*posts + 1).min(3);
    if world.had.doubts < check.most.doubts {
        let mut unsure = world.clone();
        unsure.had.doubts += 1;
        unsure.comes_of(place, Event::Unsure);
        next.push(unsure);
    }
    if world.had.troubles < check.most.troubles {
        let mut failed = world.clone();
        failed.had.troubles += 1;
        failed.comes_of(place, Event::Trouble);
        next.push(failed);
    }
    world.comes_of(place, Event::Settled(Settled::Posted(None)));
    next.push(world);
}

/// A question to the model that a newer message may have given up.
fn interrupted(mut world: World, place: usize, number: u32, ids: &[String], next: &mut Vec<World>) {
    world.asked(place, ids);
    let looked_at = world.workers[place].as_ref().map_or(0, |worker| worker.state.head.rev);
    if world.head.rev > looked_at {
        let mut given_up = world.clone();
        given_up.comes_of(place, Event::Interrupted);
        next.push(given_up);
    }
    let turn = world.turn(number);
    world.comes_of(place, Event::Answered(Box::new(turn)));
    next.push(world);
}

/// How many states can reach one of `done`, given each step backwards.
fn reaching(done: &[u32], mut edges: Vec<(u32, u32)>, states: usize) -> usize {
    edges.sort_unstable();
    let mut live = vec![false; states];
    let mut todo = done.to_vec();
    let mut count = 0;
    while let Some(state) = todo.pop() {
        if std::mem::replace(&mut live[state as usize], true) {
            continue;
        }
        count += 1;
        let first = edges.partition_point(|(to, _)| *to < state);
        todo.extend(edges[first..].iter().take_while(|(to, _)| *to == state).map(|(_, from)| from));
    }
    count
}

fn check(name: &str, check: Check) -> Result<usize, BTreeSet<&'static str>> {
    let result = check.explore();
    eprintln!("{name}: {result:?}");
    result
}

fn holds(name: &str, most: Faults, messages: u8) {
    assert!(check(name, Check { messages, most, ..TWO }).is_ok(), "{name}");
}

#[test]
fn two_messages_with_a_kill_a_zombie_and_a_duplicate() {
    holds("two messages", TWO.most, 2);
}

#[test]
fn three_messages_with_a_kill_and_a_zombie() {
    holds("three messages", Faults { duplicates: 0, ..TWO.most }, 3);
}

#[test]
fn a_parked_turn_with_a_kill_and_a_zombie() {
    holds("parked", Faults { duplicates: 0, parks: 1, ..TWO.most }, 2);
}

#[test]
fn three_messages_and_a_parked_turn_are_posted_once_where_nothing_fails() {
    holds("parked, no fault", Faults { parks: 1, ..Faults::default() }, 3);
}

#[test]
fn two_kills_and_a_zombie() {
    holds("two kills", Faults { kills: 2, duplicates: 0, ..TWO.most }, 2);
}

#[test]
fn services_that_fail_and_calls_in_doubt() {
    holds("trouble", Faults { kills: 0, zombies: 1, duplicates: 0, parks: 0, doubts: 1, troubles: 1 }, 2);
}

#[test]
fn turns_of_two_parts_interrupted_turns_and_turns_of_one_message_each() {
    let most = Faults { duplicates: 0, ..TWO.most };
    assert!(check("two parts", Check { parts: 2, most, ..TWO }).is_ok());
    assert!(check("interrupt", Check { overlap: Overlap::Interrupt, ..TWO }).is_ok());
    assert!(check("each", Check { overlap: Overlap::Each, most, ..TWO }).is_ok());
}

#[test]
fn without_any_of_its_guards_it_breaks() {
    for (name, guards, breaks) in [
        ("no fence on commit", Guards { commit_fence: false, ..ALL_GUARDS }, "answered twice"),
        ("no fence on post", Guards { post_fence: false, ..ALL_GUARDS }, "posted without the lease"),
        (
            "a token is given up when the lease is held",
            Guards { keep_token: false, ..ALL_GUARDS },
            "given up before it was answered and posted",
        ),
        (
            "no open turns on HEAD",
            Guards { open: false, ..ALL_GUARDS },
            "given up before it was answered and posted",
        ),
        ("no mark of what was seen", Guards { seen: false, ..ALL_GUARDS }, "asked again"),
    ] {
        let broken = check(name, Check { guards, ..TWO }).unwrap_err();
        assert!(broken.contains(breaks), "{name}: {broken:?}");
    }
    // `rev` saves waiting, not messages: see the_holder_answers_what_came_during_its_turn.
    assert!(check("no rev", Check { guards: Guards { rev: false, ..ALL_GUARDS }, ..TWO }).is_ok());
}
