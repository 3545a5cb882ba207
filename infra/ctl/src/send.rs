//! `crabhook send`: writes to the assistant as a person on a channel would.

use std::time::{Duration, Instant};

use channel::local::{Local, Message, Said};
use channel::{Generate, Half, Secrets, Streaming};
use clap::Args;
use egress::Egress;
use model_invoker::channels;
use serde::Deserialize;

use crate::clock::now;
use crate::place::Place;
use crate::{Error, Where, http};

/// No platform waits longer for its answer.
const ACK_TIME_OUT: Duration = Duration::from_secs(30);
/// How long one question to the stand-in stays open, seconds.
const LISTEN_S: u64 = 20;
/// An answer that grows has ended when it did not for so long.
const QUIET: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub struct Send {
    /// A channel of the stack
    pub channel: String,
    #[arg(long)]
    pub text: String,
    /// Who writes: any name, always the same person
    #[arg(long, default_value = "ana")]
    pub user: String,
    /// A group of that name, in which the assistant is mentioned; without it a private chat
    #[arg(long)]
    pub conversation: Option<String>,
    #[arg(long, default_value = "main")]
    pub account: String,
    /// The message's id: the same one again is a redelivery
    #[arg(long)]
    pub id: Option<String>,
    /// Seconds to wait for the reply
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// A line of the stand-in's list of calls.
#[derive(Debug, Deserialize)]
struct Heard {
    n: u64,
    #[serde(default)]
    said: Option<Said>,
    /// The platform's id of the message.
    #[serde(default)]
    message: Option<String>,
    /// It said something else before.
    #[serde(default)]
    edited: bool,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Heard>,
}

pub async fn run(send: Send, at: &Where) -> Result<(), Error> {
    let room = room(&send.channel)?;
    let place = Place::find(at).await?;
    let url = place.url(&send.channel, &send.account)?;
    let secrets = place.secrets_of(&send.channel, &send.account).await?;
    can_sign(room, &secrets, &place)?;
    if send.conversation.is_some() && !room.spec().groups {
        return Err(Error::usage(format!("{} has no groups: leave --conversation out", room.spec().title)));
    }
    let id = send.id.clone().unwrap_or_else(|| channel::sign::hex(&channel::sign::random::<8>()));
    let stand_in = place.local.as_ref().map_or("", |local| local.platform.as_str());
    let event = room.event(&Message {
        url: &url,
        account: &send.account,
        text: &send.text,
        user: &send.user,
        conversation: send.conversation.as_deref(),
        id: &id,
        secrets: &secrets,
        platform: &format!("{stand_in}/{}", send.channel),
        now: now(),
    });
    let egress = http::egress()?;
    let grows = room.spec().streaming != Streaming::Off;
    let listener = Listener { egress: &egress, platform: stand_in, channel: &send.channel, grows };
    let since = if place.is_local() { listener.last().await? } else { 0 };
    let started = Instant::now();
    let method = event.request.method.clone();
    let answer = http::send(&egress, channel::local::delivered(event.request), ACK_TIME_OUT).await;
    let answer = answer.map_err(|error| Error::failed(format!("{url} does not answer: {error}")))?;
    let status = channel::local::acknowledged(&method, answer.status, &answer.body);
    println!("ack {status} in {} ms", started.elapsed().as_millis());
    if !(200..300).contains(&status) {
        return Err(Error::failed(refused(status, &send)));
    }
    if !place.is_local() {
        println!("the reply goes to the real platform: look there");
        return Ok(());
    }
    let wait = Duration::from_secs(send.wait);
    match listener.reply(&event.reply_key, since, started, wait).await? {
        Some((text, after)) => println!("reply after {} ms:\n{text}", after.as_millis()),
        None => {
            return Err(Error::failed(format!(
                "no reply within {} s. `crabhook status` counts waiting, refused and failed messages, `crabhook dead list` \
                 shows the failed ones; the log is in {}",
                send.wait,
                at.state.display()
            )));
        }
    }
    Ok(())
}

/// The room of a channel as a player of its platform.
pub fn room(channel: &str) -> Result<&'static dyn Local, Error> {
    channels::local(channel).ok_or_else(|| {
        let known: Vec<&str> = channels::ALL.iter().map(|room| room.spec().name).collect();
        Error::usage(format!("there is no channel {channel}; there is {}", known.join(", ")))
    })
}

/// Whether events can be signed as the platform signs them.
fn can_sign(room: &dyn Local, secrets: &Secrets, place: &Place) -> Result<(), Error> {
    let spec = room.spec();
    if !spec.key_hosts.is_empty() && !place.is_local() {
        return Err(Error::failed(format!(
            "{} signs with a key that only it has: a deployed {} can only be written to from {}",
            spec.title, spec.name, spec.title
        )));
    }
    for secret in spec.secrets.iter().filter(|secret| secret.half != Half::Out) {
        let seed = format!("{}_seed", secret.name);
        let name = match secret.generate {
            Generate::Ed25519Hex => seed.as_str(),
            _ => secret.name,
        };
        if secrets.get(name).is_some() || (!secret.required && secrets.get(secret.name).is_none()) {
            continue;
        }
        return Err(Error::failed(match secret.generate {
            Generate::Ed25519Hex if !place.is_local() => format!(
                "{} signs with a key that only it has: a deployed {} can only be written to from {}",
                spec.title, spec.name, spec.title
            ),
            _ => format!(
                "the secret {name} of {} is not set: crabhook secrets set {} {name}",
                spec.name, spec.name
            ),
        }));
    }
    Ok(())
}

fn refused(status: u16, send: &Send) -> String {
    match status {
        503 => format!("{} is not set up: crabhook doctor names the missing secret", send.channel),
        401 | 403 => {
            "not taken for authentic: are the secrets in force? A changed one takes up to a minute".to_owned()
        }
        _ => format!("{} did not take the message: crabhook doctor", send.channel),
    }
}

/// Listens at the stand-in for the platforms.
struct Listener<'a> {
    egress: &'a Egress,
    platform: &'a str,
    channel: &'a str,
    /// Answers are seen there while they are written.
    grows: bool,
}

impl Listener<'_> {
    /// The number of the newest call so far.
    async fn last(&self) -> Result<u64, Error> {
        Ok(self.calls(0, 0).await?.iter().map(|call| call.n).max().unwrap_or(0))
    }

    /// All that is said to `reply_key` in the first answer after the call number `since`, and when the last of it was said. A
    /// message that grows is one.
    async fn reply(
        &self,
        reply_key: &str,
        mut since: u64,
        started: Instant,
        wait: Duration,
    ) -> Result<Option<(String, Duration)>, Error> {
        let mut messages: Vec<(Option<String>, String)> = Vec::new();
        let mut last = started;
        loop {
            let over = if messages.is_empty() { wait.saturating_sub(started.elapsed()) } else { QUIET };
            let calls = self.calls(since, over.as_secs().min(LISTEN_S)).await?;
            since = calls.iter().map(|call| call.n).max().unwrap_or(since);
            for call in calls {
                let Some(said) = call.said.filter(|said| said.reply_key == reply_key) else { continue };
                last = Instant::now();
                match messages.iter_mut().rfind(|(id, _)| call.edited && *id == call.message) {
                    Some((_, text)) => *text = said.text,
                    None => messages.push((call.message, said.text)),
                }
            }
            let ended = !self.grows || last.elapsed() >= QUIET;
            if !messages.is_empty() && ended {
                let texts: Vec<String> = messages.into_iter().map(|(_, text)| text).collect();
                return Ok(Some((texts.join("\n"), last - started)));
            }
            if messages.is_empty() && started.elapsed() >= wait {
                return Ok(None);
            }
        }
    }

    async fn calls(&self, since: u64, wait_s: u64) -> Result<Vec<Heard>, Error> {
        let url = format!("{}/calls?channel={}&since={since}&wait={wait_s}", self.platform, self.channel);
        let calls: Calls = http::get_json(self.egress, &url, Duration::from_secs(wait_s + 10)).await?;
        Ok(calls.calls)
    }
}
