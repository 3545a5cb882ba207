//! Those who write, and their platforms, which send again what they got no 2xx for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model_invoker::channels;
use queue::Job;
use tests::history::Message;
use tests::world::{Sent, Words, World};

use crate::lines::{Again, Line};
use crate::script::Scene;

/// A platform gives up after so many deliveries.
const DELIVERIES: u32 = 10;
/// It waits so long before the second one, longer before each further.
const BEFORE_AGAIN: Duration = Duration::from_millis(300);

/// A message, and where its answer will appear.
#[derive(Debug, Clone)]
pub struct Heard {
    pub message: Message,
    pub channel: &'static str,
    pub reply_key: String,
}

#[derive(Clone)]
pub struct People {
    world: Arc<World>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl People {
    pub fn of(world: Arc<World>) -> People {
        People { world, heard: Arc::default() }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Plays a scene from its first word to its last. Answers are not waited for.
    pub async fn play(self, scene: Scene) {
        if let Some(fault) = &scene.fault {
            self.world.tell("/fault", fault.clone()).await;
        }
        for line in &scene.lines {
            tokio::time::sleep(line.pause).await;
            let (sent, ()) = tokio::join!(self.deliver(&scene, line), self.deliver_again(&scene, line));
            self.note(&scene, line, &sent);
        }
    }

    async fn deliver_again(&self, scene: &Scene, line: &Line) {
        match line.again {
            Some(Again::Event(later)) => {
                tokio::time::sleep(later).await;
                self.deliver(scene, line).await;
            }
            Some(Again::Job(later)) => {
                tokio::time::sleep(later).await;
                self.give_again(scene, line).await;
            }
            None => {}
        }
    }

    async fn deliver(&self, scene: &Scene, line: &Line) -> Sent {
        let retries = channels::named(scene.channel).is_some_and(|room| room.spec().retries);
        let mut deliveries = 0;
        loop {
            let sent = self.world.deliver(words(scene, line), &line.id).await;
            deliveries += 1;
            if sent.taken || !retries || deliveries == DELIVERIES {
                return sent;
            }
            tokio::time::sleep(BEFORE_AGAIN * deliveries).await;
        }
    }

    /// The queue may give out a message twice by itself; here it does so on purpose.
    async fn give_again(&self, scene: &Scene, line: &Line) {
        let inbound = self.world.inbound(words(scene, line), &line.id).expect("a message");
        let conversation = inbound.conversation_key();
        let resent = self.world.queue().resend(&Job::message(&inbound, None), conversation.as_str()).await;
        resent.expect("the queue takes it");
    }

    fn note(&self, scene: &Scene, line: &Line, sent: &Sent) {
        let message = Message {
            id: sent.message.clone().expect("a message"),
            conversation: sent.conversation.as_ref().expect("a message").to_string(),
            about: format!("{}, on {} by {}", scene.about, scene.channel, scene.user),
            marks: line.marks.clone(),
            taken: sent.taken,
            meant: line.meant,
        };
        let heard = Heard { message, channel: scene.channel, reply_key: sent.reply_key.clone() };
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }
}

fn words<'a>(scene: &'a Scene, line: &'a Line) -> Words<'a> {
    let Scene { channel, account, user, group, .. } = scene;
    Words { channel, account, user, conversation: group.as_deref(), text: &line.text }
}
