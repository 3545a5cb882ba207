//! The history, put together from what everybody saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use local::Call;
use model_invoker::{day, now};
use queue::{DeadLetter, Queue};
use serde_json::Value;
use tests::history::{History, Letter, Post, Question, Turn};
use tests::world::World;

use crate::people::Heard;
use crate::rest::key;
use crate::watch::Watch;

/// Conversations that are read side by side.
const AT_ONCE: usize = 8;

/// The calls to all platforms, taken down while they happen: the stand-in forgets the oldest.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// Follows on and on.
    pub async fn follow(&self, world: &World) {
        let mut since = 0;
        loop {
            for call in world.calls_after(since).await {
                assert_eq!(call.n, since + 1, "the stand-in has forgotten calls");
                since = call.n;
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            }
        }
    }

    fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads everything. `begun_at` is when the run began, Unix milliseconds; counters are kept by day.
pub async fn history(
    world: &World,
    watch: &Watch,
    calls: &Calls,
    heard: &[Heard],
    begun_at: i64,
    left: Vec<String>,
) -> History {
    let mut history = History {
        messages: heard.iter().map(|heard| heard.message.clone()).collect(),
        posts: posts(&calls.all(), heard),
        questions: world.questions().await.iter().filter_map(question).collect(),
        runs: watch.runs(),
        letters: letters(world).await,
        doubts: doubts(&world.cloud.log("model-invoker")),
        left,
        ..History::default()
    };
    let conversations: BTreeSet<&str> =
        heard.iter().map(|heard| heard.message.conversation.as_str()).collect();
    let mut read =
        futures::stream::iter(conversations).map(|of| conversation(world, of)).buffer_unordered(AT_ONCE);
    while let Some((turns, left)) = read.next().await {
        history.turns.extend(turns);
        history.left.extend(left);
    }
    let store = world.store();
    for day in BTreeSet::from([day(begun_at), day(now())]) {
        history.uncertain += store.counted("uncertain", &day).await.expect("the table answers");
        history.refused += store.counted("refused_stranger", &day).await.expect("the table answers");
    }
    history
}

fn posts(calls: &[Call], heard: &[Heard]) -> Vec<Post> {
    let place = |heard: &Heard| {
        ((heard.channel.to_owned(), heard.reply_key.clone()), heard.message.conversation.clone())
    };
    let places: BTreeMap<(String, String), String> = heard.iter().map(place).collect();
    // A message that grew is one, and says what it says in the end.
    let mut posts: Vec<(Option<&str>, Post)> = Vec::new();
    for (call, said) in calls.iter().filter_map(|call| Some((call, call.said.clone()?))) {
        let conversation = places.get(&(call.channel.clone(), said.reply_key)).cloned();
        let id = call.message.as_deref();
        let grown = posts
            .iter_mut()
            .rev()
            .find(|(message, post)| call.edited && *message == id && post.conversation == conversation);
        match grown {
            Some((_, post)) => post.text = said.text,
            None => {
                let unanswered = !(200..300).contains(&call.status);
                posts.push((id, Post { at: call.at, conversation, text: said.text, unanswered }));
            }
        }
    }
    posts.into_iter().map(|(_, post)| post).collect()
}

/// What users said after the last answer.
fn question(question: &Value) -> Option<Question> {
    let new = question["messages"].as_array()?.iter().rev().take_while(|message| message["role"] == "user");
    let text = new.map(|message| message["content"].to_string()).collect::<Vec<_>>().join(" ");
    Some(Question { at: question["at"].as_i64()?, text })
}

/// The conversations of the lines that tell of a doubtful post.
fn doubts(log: &[String]) -> Vec<String> {
    let told = log.iter().filter(|line| line.contains("it may have been posted before"));
    let lines = told.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["conversation"].as_str().map(str::to_owned)).collect()
}

async fn letters(world: &World) -> Vec<Letter> {
    let dead = Queue::connect(world.cloud.aws(), &world.cloud.endpoints().dead_letter_url);
    let mut letters = Vec::new();
    loop {
        let received = dead.receive(600).await.expect("the dead letters can be read");
        if received.is_empty() {
            return letters;
        }
        letters.extend(
            received.iter().map(|message| letter(&DeadLetter::parse(&message.body, message.sent_at))),
        );
    }
}

fn letter(letter: &DeadLetter) -> Letter {
    let of_turn = letter.turn.iter().flat_map(|turn| turn["messages"].as_array().into_iter().flatten());
    let ids = of_turn.filter_map(|message| message["id"].as_str().map(str::to_owned));
    let own = letter.inbound.iter().map(|inbound| inbound.id.clone());
    Letter { messages: ids.chain(own).collect(), reason: letter.reason.clone() }
}

/// A conversation's turns, and what is not at rest in it.
async fn conversation(world: &World, name: &str) -> (Vec<Turn>, Vec<String>) {
    let (store, key) = (world.store(), key(name));
    let looked = store.look(&key, 50, usize::MAX).await.expect("the table answers");
    let turns = store.history(&key, 0, usize::MAX, usize::MAX, now()).await.expect("the table answers");
    let turns = turns.into_iter().map(|turn| Turn {
        conversation: name.to_owned(),
        number: turn.number,
        messages: turn.messages.iter().map(|spoken| spoken.id.clone()).collect(),
        at: turn.at,
    });
    let mut left = Vec::new();
    if !looked.waiting.is_empty() {
        let ids: Vec<&str> = looked.waiting.iter().map(|waiting| waiting.inbound.id.as_str()).collect();
        left.push(format!("{name}: {ids:?} still wait"));
    }
    if !looked.head.open.is_empty() {
        left.push(format!("{name}: still to be posted: {:?}", looked.head.open));
    }
    if looked.head.until != 0 {
        left.push(format!("{name}: held until {}, now {}", looked.head.until, now()));
    }
    (turns.collect(), left)
}
