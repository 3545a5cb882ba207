//! A local cloud for the end-to-end tests: real template, real binaries, real HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use channel::local::{Event, Local, Message};
use channel::{ConversationKey, Secrets};
use local::{Call, Cloud, Options, Source};
use model_invoker::channels;
use queue::{DeadLetter, Queue};
use serde_json::{Value, json};

/// Nothing here takes longer unless it is broken: the slowest thing is a token that shows again after a kill.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running cloud and ways to talk to it.
pub struct World {
    pub cloud: Cloud,
    http: reqwest::Client,
    ids: AtomicU64,
}

/// What somebody writes.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub channel: &'a str,
    pub account: &'a str,
    pub user: &'a str,
    pub conversation: Option<&'a str>,
    pub text: &'a str,
}

impl<'a> Words<'a> {
    pub fn of(channel: &'a str, user: &'a str, text: &'a str) -> Words<'a> {
        Words { channel, account: "main", user, conversation: None, text }
    }
}

/// A message as it was delivered.
#[derive(Debug, Clone)]
pub struct Sent {
    pub status: u16,
    /// The webhook said that it has it: a 2xx, and not the one that says "not taken, please send again".
    pub taken: bool,
    pub channel: String,
    /// The conversation, or the reply slot, in which the answer appears.
    pub reply_key: String,
    pub id: String,
    /// The conversation it belongs to, where the webhook took it.
    pub conversation: Option<ConversationKey>,
    /// The id that duplicates are known by.
    pub message: Option<String>,
    pub took: Duration,
}

impl World {
    /// Starts a cloud of its own below the system's folder for temporary files.
    pub async fn start(name: &str, config: &str, change: impl FnOnce(&mut Options)) -> World {
        let state = std::env::temp_dir().join(format!("crabhook-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&state);
        let mut options = Options::isolated(&state);
        options.config = Source::Text(config.to_owned());
        change(&mut options);
        let say: local::Say = Arc::new(|line: &str| eprintln!("{line}"));
        let cloud =
            Cloud::start(options, say).await.unwrap_or_else(|error| panic!("the local cloud: {error}"));
        World::of(cloud)
    }

    /// Talks to a cloud that runs already.
    pub fn of(cloud: Cloud) -> World {
        World {
            cloud,
            http: egress::Egress::new().expect("clients").configured_client(),
            ids: AtomicU64::new(1_000),
        }
    }

    /// A new message id.
    pub fn id(&self) -> String {
        self.ids.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Delivers a message as its platform would.
    pub async fn send(&self, words: Words<'_>) -> Sent {
        self.deliver(words, &self.id()).await
    }

    /// Delivers a message of that id: the same id again is a redelivery.
    pub async fn deliver(&self, words: Words<'_>, id: &str) -> Sent {
        self.deliver_with(words, id, &self.cloud.secrets(words.channel, words.account)).await
    }

    /// Delivers a message that its platform sends in another form than the room's own part does: with a file, say.
    pub async fn send_changed(&self, words: Words<'_>, change: impl FnOnce(&mut Value)) -> Sent {
        let (id, secrets) = (self.id(), self.cloud.secrets(words.channel, words.account));
        let room: &dyn Local = channels::local(words.channel).expect("a registered channel");
        let mut event = self.event(words, &id, &secrets);
        let mut body = serde_json::from_slice(&event.request.body).expect("JSON");
        change(&mut body);
        event.request.body = body.to_string().into_bytes();
        event.request = room.sign(event.request, &secrets, model_invoker::now());
        self.deliver_event(words, &id, event).await
    }

    /// Delivers a message signed with these secrets.
    pub async fn deliver_with(&self, words: Words<'_>, id: &str, secrets: &Secrets) -> Sent {
        self.deliver_event(words, id, self.event(words, id, secrets)).await
    }

    /// Delivers a request of that message's channel and account as it stands.
    pub async fn deliver_event(&self, words: Words<'_>, id: &str, event: Event) -> Sent {
        let room: &dyn Local = channels::local(words.channel).expect("a registered channel");
        let url = event.request.url.clone();
        let verdict = self.verdict(room, &event.request, words.account);
        let started = Instant::now();
        let method = event.request.method.clone();
        let delivered = channel::local::delivered(event.request);
        let mut request = self.http.request(delivered.method.parse().expect("a method"), &url);
        for (name, value) in delivered.headers.iter() {
            request = request.header(name, value);
        }
        let answer = request.body(delivered.body).send().await.expect("the webhook answers");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("the webhook's whole answer");
        let status = channel::local::acknowledged(&method, status, &body);
        let inbound = verdict.messages.into_iter().next();
        Sent {
            status,
            taken: (200..300).contains(&status)
                && (status, &*body) != (verdict.on_failure.status, verdict.on_failure.body.as_slice()),
            channel: words.channel.to_owned(),
            reply_key: event.reply_key,
            id: id.to_owned(),
            conversation: inbound.as_ref().map(channel::Inbound::conversation_key),
            message: inbound.map(|inbound| inbound.id),
            took: started.elapsed(),
        }
    }

    /// What a webhook makes of a message, without delivering it.
    pub fn inbound(&self, words: Words<'_>, id: &str) -> Option<channel::Inbound> {
        let room: &dyn Local = channels::local(words.channel).expect("a registered channel");
        let event = self.event(words, id, &self.cloud.secrets(words.channel, words.account));
        self.verdict(room, &event.request, words.account).messages.into_iter().next()
    }

    /// Somebody presses the button that says this, under the message of that id.
    pub async fn press(&self, words: Words<'_>, under: &str) -> Sent {
        let (id, secrets) = (self.id(), self.cloud.secrets(words.channel, words.account));
        let event = self.played(words, &id, &secrets, |room, message| room.press(message, under));
        self.deliver_event(words, &id, event).await
    }

    /// A message as its platform sends it.
    pub fn event(&self, words: Words<'_>, id: &str, secrets: &Secrets) -> Event {
        self.played(words, id, secrets, |room, message| room.event(message))
    }

    fn played(
        &self,
        words: Words<'_>,
        id: &str,
        secrets: &Secrets,
        play: impl FnOnce(&dyn Local, &Message<'_>) -> Event,
    ) -> Event {
        let room: &dyn Local = channels::local(words.channel).expect("a registered channel");
        let base = &self.cloud.endpoints().channels[words.channel];
        let url = if words.account == "main" { base.clone() } else { format!("{base}{}", words.account) };
        let message = Message {
            url: &url,
            account: words.account,
            text: words.text,
            user: words.user,
            conversation: words.conversation,
            id,
            secrets,
            platform: &format!("{}/{}", self.cloud.endpoints().platform, words.channel),
            now: model_invoker::now(),
        };
        play(room, &message)
    }

    /// What a request carries, and how it is to be answered.
    fn verdict(&self, room: &dyn Local, request: &channel::Request, account: &str) -> ingress::Verdict {
        let secrets = self.cloud.secrets(room.spec().name, account);
        let context = channel::Context {
            account,
            secrets: &secrets,
            settings: &Value::Null,
            keys: &room.keys(&Value::Null),
            now: model_invoker::now(),
        };
        ingress::judge(room, request, &context)
    }

    /// Waits until the invoker has taken all of these messages out of the queue into their inbox.
    pub async fn kept(&self, sent: &[Sent]) {
        let (store, deadline) = (self.store(), Instant::now() + PATIENCE);
        for sent in sent {
            let conversation = sent.conversation.as_ref().expect("a message that was taken");
            let id = channel::short_id(sent.message.as_ref().expect("a message that was taken"));
            while !store.seen(conversation, &id).await.expect("the table answers") {
                assert!(Instant::now() < deadline, "{id} was never kept\n{}", self.report());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until the message's conversation is at rest: nothing waits in it, nothing is still to be posted, nobody holds it.
    /// Queue messages that only look again later may be hidden for a while longer.
    pub async fn at_rest(&self, sent: &Sent) {
        let (store, deadline) = (self.store(), Instant::now() + PATIENCE);
        let conversation = sent.conversation.as_ref().expect("a message that was taken");
        loop {
            let looked = store.look(conversation, 50, usize::MAX).await.expect("the table answers");
            let seen = looked.head.next > 0 || looked.head.rev > 0;
            if seen && looked.waiting.is_empty() && looked.head.open.is_empty() && looked.head.until == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "not at rest: {:?}\n{}", looked.head, self.report());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All texts that appeared where the message's answer belongs, in order.
    pub async fn said(&self, sent: &Sent) -> Vec<String> {
        texts(&self.calls(&sent.channel).await, &sent.reply_key)
    }

    /// Waits until the texts there are as wanted.
    pub async fn until(&self, sent: &Sent, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut since = 0;
        loop {
            let said = self.said(sent).await;
            if enough(&said) {
                return said;
            }
            if Instant::now() > deadline {
                panic!("{}: still {said:?} after {PATIENCE:?}\n{}", sent.channel, self.report());
            }
            // Answers as soon as there is a newer call.
            let url = format!(
                "{}/calls?channel={}&since={since}&wait=5",
                self.cloud.endpoints().platform,
                sent.channel
            );
            let calls = self.get(&url).await;
            since = calls["calls"]
                .as_array()
                .and_then(|calls| calls.last())
                .and_then(|call| call["n"].as_u64())
                .unwrap_or(since);
        }
    }

    /// The one reply to a message.
    pub async fn reply(&self, sent: &Sent) -> String {
        self.until(sent, |said| !said.is_empty()).await.join("\n")
    }

    /// Every call that the channel's platform got.
    pub async fn calls(&self, channel: &str) -> Vec<Value> {
        let url = format!("{}/calls?channel={channel}", self.cloud.endpoints().platform);
        self.get(&url).await["calls"].as_array().cloned().unwrap_or_default()
    }

    /// The calls to all platforms after that number, as soon as there is one; none after a few seconds.
    pub async fn calls_after(&self, n: u64) -> Vec<Call> {
        let url = format!("{}/calls?since={n}&wait=5", self.cloud.endpoints().platform);
        serde_json::from_value(self.get(&url).await["calls"].take()).expect("calls")
    }

    /// What the scripted model was asked.
    pub async fn questions(&self) -> Vec<Value> {
        let answer = self.get(&format!("{}/model/calls", self.cloud.endpoints().platform)).await;
        answer["calls"].as_array().or(answer.as_array()).cloned().unwrap_or_default()
    }

    async fn get(&self, url: &str) -> Value {
        self.http.get(url).send().await.expect("the stand-in answers").json().await.expect("JSON")
    }

    /// Tells the stand-in something: `/fault`, `/model/delay`, `/model/answers`.
    pub async fn tell(&self, path: &str, what: Value) {
        let url = format!("{}{path}", self.cloud.endpoints().platform);
        let answer = self.http.post(url).json(&what).send().await.expect("the stand-in answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    pub async fn think(&self, ms: u64) {
        self.tell("/model/delay", json!({ "ms": ms })).await;
    }

    pub fn queue(&self) -> Queue {
        Queue::connect(self.cloud.aws(), &self.cloud.endpoints().queue_url)
    }

    /// How long the queue hides a message by itself, seconds: until the invoker has set a time of its own.
    pub async fn set_visibility(&self, seconds: u32) {
        let attributes = json!({"VisibilityTimeout": seconds.to_string()});
        let change = json!({"QueueUrl": self.cloud.endpoints().queue_url, "Attributes": attributes});
        self.aws("sqs", "AmazonSQS.SetQueueAttributes", change).await;
    }

    /// A call that the product's own clients never make. MiniStack looks at a request's service, not at its signature.
    pub async fn aws(&self, service: &str, target: &str, body: Value) {
        let credential = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        let request = self.http.post(&self.cloud.endpoints().aws).body(body.to_string());
        let request = request
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
            );
        let answer = request.send().await.expect("the local cloud answers");
        assert!(answer.status().is_success(), "{target}: {}", answer.status());
    }

    pub fn store(&self) -> store::Store {
        store::Store::connect(self.cloud.aws(), &self.cloud.endpoints().table)
    }

    /// Waits until every message is done with: nothing in the queue, visible or hidden.
    pub async fn settled(&self) {
        let (queue, deadline) = (self.queue(), Instant::now() + PATIENCE);
        loop {
            let counts = queue.counts().await.expect("the queue answers");
            if counts.waiting + counts.hidden == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "the queue is not empty: {counts:?}\n{}", self.report());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The dead letters, as an operator sees them. They stay.
    pub async fn dead(&self) -> Vec<DeadLetter> {
        let dead = Queue::connect(self.cloud.aws(), &self.cloud.endpoints().dead_letter_url);
        let received = dead.receive(0).await.expect("the dead letters can be read");
        received.iter().map(|message| DeadLetter::parse(&message.body, message.sent_at)).collect()
    }

    /// Waits until the model has been asked so many questions in all.
    pub async fn asked(&self, questions: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.questions().await.len() < questions {
            assert!(Instant::now() < deadline, "the model was never asked\n{}", self.report());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The invoker's last words, for whoever reads a failed test.
    fn report(&self) -> String {
        let log = self.cloud.log("model-invoker");
        log.iter().rev().take(30).rev().cloned().collect::<Vec<_>>().join("\n")
    }
}

/// What the messages there say in the end, in the order in which they appeared.
fn texts(calls: &[Value], reply_key: &str) -> Vec<String> {
    let mut messages: Vec<(Value, String)> = Vec::new();
    let fine = |call: &&Value| call["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
    for call in calls.iter().filter(fine).filter(|call| call["said"]["reply_key"] == reply_key) {
        let Some(text) = call["said"]["text"].as_str().map(str::to_owned) else { continue };
        let edited = call["edited"] == true;
        match messages.iter_mut().rev().find(|(id, _)| edited && *id == call["message"]) {
            Some((_, says)) => *says = text,
            None => messages.push((call["message"].clone(), text)),
        }
    }
    messages.into_iter().map(|(_, text)| text).collect()
}
