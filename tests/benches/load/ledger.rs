//! Every message that was written, and every answer that covers it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use local::Call;
use serde::Deserialize;
use tests::world::Sent;
use tokio::sync::Notify;

/// How long the stand-in is asked to wait for a call, seconds.
const LONG_POLL_S: u64 = 60;

/// Messages by the one word that only they hold.
#[derive(Default)]
pub struct Ledger(RefCell<BTreeMap<String, Message>>);

#[derive(Clone)]
pub struct Message {
    pub word: String,
    pub channel: &'static str,
    /// The first time, Unix milliseconds.
    pub sent_at: i64,
    /// When a webhook had taken it, Unix milliseconds, and how long that request took.
    pub ack: Option<(i64, Duration)>,
    /// Attempts that the webhook did not take.
    pub refused: usize,
    /// The person was told that it was not taken, and wrote another one.
    pub given_up: bool,
    /// When texts that cover it appeared, Unix milliseconds.
    pub answers: Vec<i64>,
    answered: Rc<Notify>,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Call>,
}

impl Ledger {
    /// A message is about to be sent, perhaps again. Its answer wakes up who waits for it.
    pub fn sends(&self, word: &str, channel: &'static str) -> Rc<Notify> {
        let new = || Message {
            word: word.to_owned(),
            channel,
            sent_at: model_invoker::now(),
            ack: None,
            refused: 0,
            given_up: false,
            answers: Vec::new(),
            answered: Rc::default(),
        };
        self.0.borrow_mut().entry(word.to_owned()).or_insert_with(new).answered.clone()
    }

    /// The webhook has answered.
    pub fn was_sent(&self, word: &str, sent: &Sent) {
        let mut messages = self.0.borrow_mut();
        match messages.get_mut(word) {
            Some(message) if sent.taken => message.ack = Some((model_invoker::now(), sent.took)),
            Some(message) => message.refused += 1,
            None => {}
        }
    }

    /// Nobody sends it again: it may be answered or not.
    pub fn gives_up(&self, word: &str) {
        if let Some(message) = self.0.borrow_mut().get_mut(word) {
            message.given_up = true;
        }
    }

    /// Reads what people are shown, for ever; says why it cannot go on.
    pub async fn follow(&self, platform: &str) -> String {
        let http = match egress::Egress::new() {
            Ok(egress) => egress.configured_client(),
            Err(error) => return error.to_string(),
        };
        let mut since = 0;
        loop {
            let url = format!("{platform}/calls?since={since}&wait={LONG_POLL_S}");
            let answer = match http.get(url).send().await {
                Ok(answer) => answer.json::<Calls>().await,
                Err(error) => Err(error),
            };
            let calls = match answer {
                Ok(answer) => answer.calls,
                Err(error) => return format!("the stand-in does not answer: {error}"),
            };
            for call in calls {
                if call.n != since + 1 {
                    return format!("the stand-in has forgotten the calls {} to {}", since + 1, call.n - 1);
                }
                since = call.n;
                self.note(&call);
            }
        }
    }

    fn note(&self, call: &Call) {
        // Whatever the call came to for us: people have seen it.
        let Some(said) = &call.said else { return };
        let mut messages = self.0.borrow_mut();
        for word in said.text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if let Some(message) = messages.get_mut(word) {
                message.answers.push(call.at);
                message.answered.notify_one();
            }
        }
    }

    /// How many messages have an answer.
    pub fn answered(&self) -> usize {
        self.0.borrow().values().filter(|message| !message.answers.is_empty()).count()
    }

    /// All messages so far.
    pub fn messages(&self) -> Vec<Message> {
        self.0.borrow().values().cloned().collect()
    }
}
