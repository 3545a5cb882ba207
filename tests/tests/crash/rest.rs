//! Waiting until everything is at rest. Messages that are hidden until later are shown as soon as that makes sense, so that
//! a run does not last as long as the longest wait.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use channel::ConversationKey;
use model_invoker::now;
use tests::world::World;

use crate::watch::{Job, Watch};

const LOOKS: Duration = Duration::from_millis(500);
/// An expired lease is taken over only after it, milliseconds: clocks differ.
const SKEW_MS: i64 = 5_000;
/// The queue gives a message out ten times; the last ones are left to time.
const RECEIVES: u32 = 8;

/// Returns when nothing is on the queue any more; what is left after that time, in words.
pub async fn come_to_rest(world: &World, watch: &Watch, patience: Duration) -> Vec<String> {
    let (queue, begun) = (world.queue(), Instant::now());
    // Shown once for each time that it was given out.
    let mut shown: HashMap<String, u32> = HashMap::new();
    loop {
        let counts = queue.counts().await.expect("the queue answers");
        if counts.waiting + counts.hidden == 0 {
            return Vec::new();
        }
        if begun.elapsed() > patience {
            return vec![format!("the queue still holds {counts:?}: {:?}", watch.jobs())];
        }
        for (id, job) in watch.jobs() {
            let waits = !job.is_busy && job.receives < RECEIVES && shown.get(&id) != Some(&job.receives);
            if waits && could_be_done(world, &job).await {
                // Refused: it is gone.
                match queue.hide(&job.receipt, 0).await {
                    Ok(()) => drop(shown.insert(id, job.receives)),
                    Err(_) => watch.gone(&id),
                }
            }
        }
        tokio::time::sleep(LOOKS).await;
    }
}

/// Whether nobody holds the message's conversation, and no platform asked for a pause there.
async fn could_be_done(world: &World, job: &Job) -> bool {
    let head = world.store().head(&key(&job.conversation)).await.expect("the table answers");
    let now = now();
    let is_free = head.until == 0 || head.until + SKEW_MS < now;
    is_free && head.open.first().is_none_or(|open| open.wait_until <= now)
}

/// The key as the table has it.
pub fn key(conversation: &str) -> ConversationKey {
    serde_json::from_value(conversation.into()).expect("a conversation's key")
}
