//! Plays the platforms' part towards the webhooks: events made, signed or forged, and delivered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_types::SdkConfig;
use channel::local::{Event, Local, Message};
use channel::{Context, Headers, Request, Secrets, encode, short_id};
use ingress::Verdict;
use model_invoker::{channels, now};
use serde_json::{Value, json};
use store::Store;

use super::record::{Record, push};
use super::seen::{Ack, Chat, Delivery};
use crate::cloud::Endpoints;
use crate::credentials::{Credentials, MAIN};
use crate::{Error, stack};

/// No platform waits longer.
const ACK: Duration = Duration::from_secs(30);

/// What it takes to write to the webhooks of a cloud.
pub(crate) struct Cast {
    pub endpoints: Endpoints,
    pub credentials: Arc<Credentials>,
    aws: SdkConfig,
    http: reqwest::Client,
}

/// An event to be sent.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub chat: Chat,
    pub text: String,
    /// The same id again is a redelivery.
    pub id: String,
    /// The id of the message whose button is pressed.
    pub under: Option<String>,
    /// The form is sent that the button opened.
    pub form: bool,
    pub forged: bool,
}

impl Words {
    /// A new message.
    pub fn new(chat: Chat, text: String) -> Words {
        Words { chat, text, id: fresh_id(), under: None, form: false, forged: false }
    }
}

/// Twelve digits, which every platform's ids can be made of.
fn fresh_id() -> String {
    let number = channel::sign::random::<5>().iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    (number % 899_999_999_999 + 100_000_000_000).to_string()
}

impl Cast {
    pub fn new(endpoints: Endpoints, credentials: Arc<Credentials>) -> Result<Cast, Error> {
        let egress = egress::Egress::new().map_err(|error| Error::Broken(error.to_string()))?;
        // Clients of its own: they live on the stand-in's thread.
        let aws = stack::aws(&endpoints.aws);
        Ok(Cast { endpoints, credentials, aws, http: egress.configured_client() })
    }

    pub fn store(&self) -> Store {
        Store::connect(&self.aws, &self.endpoints.table)
    }

    /// Whether the channel's bot is a real one: then the platform is not ours to play.
    pub fn is_real(&self, channel: &str) -> bool {
        channels::named(channel).is_some_and(|room| self.credentials.is_real(room.spec(), MAIN))
    }

    /// Sends it, and gives the delivery's number once the webhook has answered.
    ///
    /// # Errors
    /// Why it cannot be sent, for people.
    pub(super) async fn deliver(&self, words: Words, record: &Record) -> Result<u64, String> {
        let channel = words.chat.channel.clone();
        let room = channels::local(&channel).ok_or(format!("there is no channel {channel}"))?;
        let url = self.endpoints.channels.get(&channel);
        let url =
            url.ok_or(format!("{} does not run: start it with CHANNELS={channel}", room.spec().title))?;
        if self.is_real(&channel) {
            return Err(format!("{} has a real bot here: write to it there", room.spec().title));
        }
        let secrets = self.credentials.of(&channel, MAIN);
        let Event { mut request, reply_key } = self.event(room, &words, url, &secrets);
        let verdict = judge(room, &request, &secrets);
        let forged = words.forged.then(|| forge(room, &mut request, &secrets)).transpose()?;
        let inbound = verdict.messages.first();
        let delivery = Delivery {
            n: 0,
            at: now(),
            chat: words.chat.clone(),
            text: words.text.clone(),
            pressed: words.under.is_some(),
            forged,
            message: inbound.map(|inbound| short_id(&inbound.id)),
            conversation_key: inbound.map(channel::Inbound::conversation_key),
            reply_key,
            request: shown(&request, &secrets),
            ack: None,
        };
        let n = record.change(|all| {
            let n = all.deliveries.back().map_or(1, |last| last.n + 1);
            let delivery = Delivery { n, ..delivery };
            all.show("sent", json!({ "n": n, "chat": delivery.chat, "text": delivery.text, "at": delivery.at, "pressed": delivery.pressed, "forged": delivery.forged }));
            push(&mut all.deliveries, delivery);
            n
        });
        let begun = Instant::now();
        let answer = self.send(&request).await;
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let response = answer.unwrap_or_else(|error| channel::Response::text(0, &error));
        let refused =
            (response.status, &response.body) == (verdict.on_failure.status, &verdict.on_failure.body);
        let ack = Ack {
            status: response.status,
            body: String::from_utf8_lossy(&response.body).into_owned(),
            ms: took,
            taken: response.is_success() && (!refused || verdict.messages.is_empty()),
        };
        record.change(|all| {
            all.show(
                "acked",
                json!({ "n": n, "chat": words.chat, "ack": ack, "writing": room.shows_writing(&response) }),
            );
            if let Some(delivery) = all.deliveries.iter_mut().find(|delivery| delivery.n == n) {
                delivery.ack = Some(ack);
            }
        });
        Ok(n)
    }

    fn event(&self, room: &dyn Local, words: &Words, url: &str, secrets: &Secrets) -> Event {
        let platform = format!("{}/{}", self.endpoints.platform, words.chat.channel);
        let message = Message {
            url,
            account: MAIN,
            text: &words.text,
            user: &words.chat.user,
            conversation: words.chat.conversation.as_deref(),
            id: &words.id,
            secrets,
            platform: &platform,
            now: now(),
        };
        match &words.under {
            Some(under) if words.form => room.fill(&message, under),
            Some(under) => room.press(&message, under),
            None => room.event(&message),
        }
    }

    async fn send(&self, request: &Request) -> Result<channel::Response, String> {
        let delivered = channel::local::delivered(request.clone());
        let method = delivered.method.parse().map_err(|_| "no method".to_owned())?;
        let mut call = self.http.request(method, &delivered.url).timeout(ACK);
        for (name, value) in delivered.headers.iter() {
            call = call.header(name, value);
        }
        let answer = call.body(delivered.body.clone()).send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let headers: Headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let body = answer.bytes().await.map_err(|error| error.to_string())?.to_vec();
        let given = channel::local::acknowledged(&request.method, status, &body);
        // An invocation's answer holds the function's own.
        let own = serde_json::from_slice::<Value>(&body).ok().filter(|_| request.method != delivered.method);
        let own = own.and_then(|answer| Some(answer.get("body")?.as_str()?.as_bytes().to_vec()));
        Ok(channel::Response { status: given, headers, body: own.unwrap_or(body) })
    }
}

fn judge(room: &dyn Local, request: &Request, secrets: &Secrets) -> Verdict {
    let keys = room.keys(&Value::Null);
    let context = Context { account: MAIN, secrets, settings: &Value::Null, keys: &keys, now: now() };
    ingress::judge(room, request, &context)
}

/// Changes one character of what proves where the request comes from, and says of what.
fn forge(room: &dyn Local, request: &mut Request, secrets: &Secrets) -> Result<String, String> {
    let mut tries = Vec::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != "content-type") {
        let mut forged = request.clone();
        forged.headers.set(name, flipped(value));
        tries.push((format!("the header {name}"), forged));
    }
    for (name, value) in encode::form(request.query.as_bytes()) {
        let fields = encode::form(request.query.as_bytes());
        let changed = fields.iter().map(|(have, was)| match *have == name {
            true => (have.as_str(), flipped(&value)),
            false => (have.as_str(), was.clone()),
        });
        let changed: Vec<(&str, String)> = changed.collect();
        let changed: Vec<(&str, &str)> =
            changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let address = request.url.split('?').next().unwrap_or_default();
        let url = format!("{address}?{}", encode::to_form(&changed));
        let forged = Request::new(&request.method, &url, request.headers.clone(), request.body.clone());
        tries.push((format!("the parameter {name}"), forged));
    }
    // What only looks like a proof changes nothing.
    let refused = tries.into_iter().find(|(_, forged)| !judge(room, forged, secrets).outcome.is_authentic());
    let (what, forged) =
        refused.ok_or(format!("{} has nothing to forge but its address", room.spec().title))?;
    *request = forged;
    Ok(what)
}

fn flipped(value: &str) -> String {
    let middle = value.chars().count() / 2;
    let other = |c| if c == '1' { '2' } else { '1' };
    value.chars().enumerate().map(|(at, c)| if at == middle { other(c) } else { c }).collect()
}

/// The request as it is shown: secrets by name.
fn shown(request: &Request, secrets: &Secrets) -> Value {
    let headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.to_owned(), hide(value, secrets))).collect();
    let body = String::from_utf8_lossy(&request.body);
    json!({ "method": request.method, "url": hide(&request.url, secrets), "headers": headers, "body": hide(&body, secrets) })
}

/// The text with the name of a secret in its place.
pub(super) fn hide(text: &str, secrets: &Secrets) -> String {
    let mut text = text.to_owned();
    for name in secrets.names() {
        // Shorter ones are public names, not secrets.
        if let Some(secret) = secrets.get(name).filter(|secret| secret.len() >= 16) {
            text = text.replace(secret, &format!("{{{name}}}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shown_by_name() {
        let secrets = [("bot_token".to_owned(), "local0123456789abcdef".to_owned())].into_iter().collect();
        assert_eq!(hide("/botlocal0123456789abcdef/sendMessage", &secrets), "/bot{bot_token}/sendMessage");
        assert_ne!(flipped("abc1"), "abc1");
        assert_ne!(fresh_id(), fresh_id());
        assert_eq!(fresh_id().len(), 12);
    }
}
