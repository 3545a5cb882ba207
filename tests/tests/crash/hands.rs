//! The hands that kill and stop processes at random, and wake those that sleep.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model_invoker::channels;
use tests::world::World;

use crate::dice::Dice;
use crate::watch::Watch;

const INVOKER: &str = "model-invoker";
/// Between two strokes, milliseconds.
const STROKES: (u64, u64) = (150, 900);
/// Of a hundred strokes so many stop a process in place of killing it, and so many are for a webhook function.
const STOPS: usize = 6;
const WEBHOOKS: usize = 20;
/// Longer than lease and margin (20 s), and than a message stays hidden without a word from its holder (25 s): when the
/// sleeper wakes, somebody else has gone on in its place.
const SLEEP: Duration = Duration::from_secs(32);
const LOOKS: Duration = Duration::from_millis(250);

/// Strikes on and on, until there are enough kills.
pub async fn strike(world: &World, watch: &Watch, seed: u64, kills: usize) {
    let mut dice = Dice::new(seed, u64::MAX - 1);
    loop {
        tokio::time::sleep(dice.ms(STROKES.0, STROKES.1)).await;
        if watch.kills() >= kills {
            continue;
        }
        let (stops, webhook) = (dice.below(100) < STOPS, dice.below(100) < WEBHOOKS);
        let room = dice.one(channels::ALL).spec().name;
        let victims = if webhook { world.cloud.pids(room) } else { watch.busy() };
        if victims.is_empty() {
            continue;
        }
        let signal = if stops && !webhook { "STOP" } else { "KILL" };
        world.cloud.signal(signal, &[*dice.one(&victims)]);
    }
}

/// Lets every process that was stopped, by itself or from here, sleep its time and go on.
pub async fn wake(world: &World, watch: &Watch) {
    let mut sleeping: HashMap<u32, Instant> = HashMap::new();
    loop {
        let stopped: Vec<u32> =
            world.cloud.pids(INVOKER).into_iter().filter(|pid| is_stopped(*pid)).collect();
        sleeping.retain(|pid, _| stopped.contains(pid));
        for pid in stopped {
            watch.froze(pid);
            if sleeping.entry(pid).or_insert_with(Instant::now).elapsed() > SLEEP {
                world.cloud.signal("CONT", &[pid]);
            }
        }
        tokio::time::sleep(LOOKS).await;
    }
}

/// Its state is the first field after its name, which stands in brackets and may hold blanks.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('T'))
}
