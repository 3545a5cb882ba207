//! The machine against a small world: a queue, one conversation in a table and a platform, all of them values. Faults are
//! put in by script, so every run is the same run.

mod exhaustive;
mod world;

use std::time::Duration;

use channel::Settled;

use super::*;
use world::{Reply, World, message};

#[test]
fn a_message_is_answered_and_its_token_given_up() {
    let mut world = World::new(&["a"]);
    world.run(1).check(&["a#0"]);
    assert_eq!(world.head.next, 1);
}

#[test]
fn a_burst_is_answered_together_and_each_message_alone_where_it_has_a_slot() {
    let mut world = World::new(&["a", "b", "c"]);
    for id in ["b", "c"] {
        world.seen.insert(id.into());
        world.inbox.insert(id.into(), Waiting { v: 1, inbound: message(id, 1), kept_at: 1, tries: 0 });
    }
    world.run(9).check(&["b+c+a#0"]);
    let mut world = World { overlap: Overlap::Each, ..World::new(&["a", "b"]) };
    world.run(9).check(&["a#0", "b#0"]);
}

#[test]
fn commands_operators_and_strangers_keep_their_place() {
    let mut world = World::new(&["a", "b", "help", "new", "operator", "stranger"]);
    for id in ["a", "b", "help", "new", "operator", "stranger"] {
        world.seen.insert(id.into());
        world.inbox.insert(id.into(), Waiting { v: 1, inbound: message(id, 1), kept_at: 1, tries: 0 });
    }
    world.run(20).check(&["a+b#0", "help#0", "new#0"]);
    assert_eq!(world.head.since, 3, "/new hides all turns up to its own");
    assert_eq!(world.turns.len(), 4, "the operator's words are a turn without parts");
}

#[test]
fn killed_anywhere_it_is_answered_once() {
    for point in ["Keep", "Take", "Look", "Judge", "Count", "Ask", "Commit", "Call", "Acknowledge"] {
        let mut world = World { die_before: Some(point), ..World::new(&["a"]) };
        world.run(9).check(&["a#0"]);
        assert!(world.asked.len() <= 2, "{point}");
    }
}

#[test]
fn killed_in_the_call_the_part_is_tried_again_and_the_model_is_not() {
    let mut world = World { die_before: Some("Call"), parts: 2, ..World::new(&["a"]) };
    world.run(9).check(&["a#0", "a#1"]);
    assert_eq!(world.asked.len(), 1);
    // Between the platform's answer and our writing it down lies the one uncertain window: a double beats silence.
    for uncertain in [
        World { replies: [Reply::Unsure].into(), ..World::new(&["a"]) },
        World { die_before: Some("Release"), ..World::new(&["a"]) },
    ] {
        let mut world = uncertain;
        world.run(9).check(&["a#0", "a#0"]);
    }
}

#[test]
fn a_platform_that_wants_to_wait_gets_its_parts_in_order() {
    let later = Reply::Is(Settled::Later(Some(Duration::from_secs(30))));
    let mut world =
        World { replies: [Reply::Is(Settled::Posted(None)), later].into(), parts: 3, ..World::new(&["a"]) };
    world.run(1);
    assert_eq!((world.posted.len(), world.head.until), (1, 0), "parked, and the lease given back");
    // A later message is asked and committed while the first is parked; its parts stay behind.
    world.queue.insert("b".into(), (world.now, 0));
    world.run(1);
    assert_eq!((world.asked.len(), world.posted.len()), (2, 1));
    world.run(9).check(&["a#0", "a#1", "a#2", "b#0", "b#1", "b#2"]);
}

#[test]
fn what_can_never_be_posted_becomes_a_dead_letter_and_blocks_nobody() {
    let mut world =
        World { replies: [Reply::Is(Settled::Broken("no".into()))].into(), ..World::new(&["a", "b"]) };
    world.run(9).check(&["b#0"]);
    assert_eq!(world.dead, ["a"]);
    let mut world = World { replies: vec![Reply::Is(Settled::Later(None)); 20].into(), ..World::new(&["a"]) };
    world.run(12).check(&[]);
    assert_eq!(world.dead, ["a"]);
}

#[test]
fn what_is_given_up_is_not_posted_after_a_kill() {
    for point in ["Fail", "Release"] {
        let replies = [Reply::Is(Settled::Broken("no".into()))].into();
        let mut world = World { replies, die_before: Some(point), ..World::new(&["a"]) };
        world.run(9).check(&[]);
        assert!(!world.dead.is_empty() && world.dead.iter().all(|dead| dead == "a"), "{:?}", world.dead);
    }
}

#[test]
fn poison_costs_three_tries_and_the_others_are_answered() {
    let mut world = World { poison: Some("p".into()), ..World::new(&["p", "q"]) };
    world.seen.insert("q".into());
    world.inbox.insert("q".into(), Waiting { v: 1, inbound: message("q", 1), kept_at: 1, tries: 0 });
    world.run(20).check(&["q#0", "sorry:p#0"]);
    assert_eq!(world.dead, ["p"]);
}

#[test]
fn the_holder_answers_what_came_during_its_turn() {
    let mut world = World { comes_during: ["b"].into(), ..World::new(&["a"]) };
    // The token of `b` found the lease held and is hidden for a minute; nobody waits for it.
    world.queue.insert("b".into(), (world.now + 60_000, 1));
    world.run(1);
    assert_eq!((world.posted.as_slice(), world.asked.len()), (&["a#0".to_owned(), "b#0".to_owned()][..], 2));
    assert!(world.now < 1_060_000, "it waited for the token");
    world.run(9).check(&["a#0", "b#0"]);
}

#[test]
fn a_newer_message_interrupts_at_most_three_times_in_a_row_and_costs_no_try() {
    let mut world = World {
        overlap: Overlap::Interrupt,
        comes_during: ["b", "c", "d", "e"].into(),
        ..World::new(&["a"])
    };
    world.run(1).check(&["a+b+c+d#0", "e#0"]);
    assert_eq!(world.asked.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 3, 4, 1]);
    let mut patient = World { comes_during: ["b"].into(), ..World::new(&["a"]) };
    patient.run(1).check(&["a#0", "b#0"]);
}

#[test]
fn what_began_to_appear_becomes_what_is_said() {
    for deaths in 0..=3 {
        let mut world = World { drafts: true, dies_drafting: deaths, ..World::new(&["a"]) };
        world.run(12).check(if deaths < 3 { &["a#0"] } else { &["sorry:a#0"] });
        assert_eq!((world.begun, world.finished, &world.head.draft), (1, 1, &None), "{deaths} deaths");
    }
    for point in ["Count", "Commit", "Call"] {
        let mut world = World { drafts: true, die_before: Some(point), ..World::new(&["a", "b"]) };
        world.run(12);
        assert_eq!((world.begun, &world.head.draft), (world.finished, &None), "killed before {point}");
    }
    let comes_during = ["b"].into();
    let mut world = World { overlap: Overlap::Interrupt, drafts: true, comes_during, ..World::new(&["a"]) };
    world.run(9).check(&["a+b#0"]);
    assert_eq!((world.begun, world.finished), (1, 1), "the same message grows on");
}

#[test]
fn only_a_new_message_that_finds_the_lease_held_interrupts() {
    for (overlap, seen, interrupts) in
        [(Overlap::Interrupt, false, 1), (Overlap::Interrupt, true, 0), (Overlap::Coalesce, false, 0)]
    {
        let mut world = World { overlap, ..World::new(&["a"]) };
        world.head.until = world.now + 10_000;
        if seen {
            world.keep("a");
        }
        world.run(1);
        assert_eq!(world.interrupts, interrupts, "{overlap:?} {seen}");
    }
}

#[test]
fn a_plan_is_changed_once_and_the_turn_is_posted_as_planned_then() {
    for refused in [Settled::Gone, Settled::Unformatted] {
        let mut world = World { replies: [Reply::Is(refused)].into(), ..World::new(&["a"]) };
        world.run(1).check(&["a~#0"]);
        let mut world = World { die_before: Some("Rewrite"), ..world };
        world.queue.insert("b".into(), (world.now, 0));
        world.replies = [Reply::Is(Settled::Gone), Reply::Is(Settled::Gone)].into();
        world.run(9).check(&["a~#0", "b~#0"]);
    }
}

#[test]
fn a_plan_that_cuts_the_text_elsewhere_says_it_from_the_beginning() {
    let refused = || [Reply::Is(Settled::Posted(None)), Reply::Is(Settled::Unformatted)].into();
    let mut world = World { parts: 2, replies: refused(), ..World::new(&["a"]) };
    world.run(1).check(&["a#0", "a~#1"]);
    let mut world = World { parts: 2, parts_again: Some(3), replies: refused(), ..World::new(&["a"]) };
    world.run(1).check(&["a#0", "a~#0", "a~#1", "a~#2"]);
}

#[test]
fn a_call_that_the_lease_does_not_outlast_is_announced_anew() {
    let mut world = World { late: true, ..World::new(&["a"]) };
    world.run(1).check(&["a#0"]);
}

#[test]
fn when_a_service_fails_the_lease_is_given_back_with_the_token() {
    let token = Token { id: "a".into(), receives: 2, overlap: Overlap::Coalesce, ends_at: 300_000 };
    let (state, _) = step(State::new(token), Event::Begin, 0);
    let (early, effects) = step(state.clone(), Event::Trouble, 0);
    assert_eq!(effects, [Effect::Return(10)], "nothing is held yet: {early:?}");
    let (state, _) = step(state, Event::Kept { new: true }, 0);
    let (state, _) = step(state, Event::Taken(Head { epoch: 1, ..Head::default() }), 0);
    let (_, effects) = step(state, Event::Trouble, 0);
    assert_eq!(effects, [Effect::Release { rev: None, open: None }, Effect::Return(10)]);
}

#[test]
fn what_is_known_of_a_posted_part_is_written_once_more_when_the_table_fails() {
    let mut world = World { trouble_at: Some("Release"), ..World::new(&["a"]) };
    world.run(9).check(&["a#0"]);
    assert_eq!(world.trouble_at, None);
}

#[test]
fn a_zombie_writes_nothing() {
    let mut world = World::new(&["a"]);
    let token =
        Token { id: "a".into(), receives: 1, overlap: Overlap::Coalesce, ends_at: world.now + 300_000 };
    let (mut state, mut effects) = step(State::new(token), Event::Begin, world.now);
    while !matches!(effects.last(), Some(Effect::Commit(_))) {
        let event =
            effects.into_iter().filter_map(|effect| world.effect("a", &state, effect)).next_back().unwrap();
        (state, effects) = step(state, event, world.now);
    }
    // It stops here for a minute; another invocation takes over and answers.
    world.now += 60_000;
    world.run(1);
    let event = world.effect("a", &state, effects.remove(0)).unwrap();
    assert_eq!(event, Event::Fenced);
    let (state, effects) = step(state, event, world.now);
    assert_eq!(effects, [Effect::Inspect]);
    let (_, effects) = step(state, Event::Inspected { waits: false, open: false }, world.now);
    assert_eq!(effects, [Effect::Acknowledge]);
    world.check(&["a#0"]);
}

#[test]
fn little_time_left_is_left_to_the_next_invocation() {
    let token = Token { id: "a".into(), receives: 1, overlap: Overlap::Each, ends_at: 50_000 };
    let mut world = World::new(&["a"]);
    world.now = 0;
    let (mut state, mut effects) = step(State::new(token), Event::Begin, 0);
    for _ in 0..20 {
        let Some(event) =
            effects.drain(..).filter_map(|effect| world.effect("a", &state, effect)).next_back()
        else {
            break;
        };
        (state, effects) = step(state, event, 0);
        if effects == [Effect::Return(0)] {
            assert!(world.asked.is_empty());
            return;
        }
    }
    panic!("it was not handed over: {effects:?}");
}
