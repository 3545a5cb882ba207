//! `make run TUNNEL=cloudflared|ngrok|<https address>`: your own bot, answered by the local run.
//!
//! A gate of our own stands between the tunnel and this machine, and lets nothing through but the webhooks of the accounts
//! that exist on their platforms. Their platforms are told the tunnel's address, and the one before when the run ends.

mod gate;
mod memory;
mod public;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use channel::Spec;
use ctl::Place;
use ctl::config::Loaded;
use model_invoker::channels;
use turn::config::Access;

pub use public::Wish;

use crate::credentials::Credentials;
use crate::story::Say;
use crate::{Error, defaults};
use gate::Gate;
use memory::Memory;
use public::Process;

/// A fresh tunnel cannot be reached at once, and platforms look before they take an address.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(3);

/// A channel and an account of it.
pub(crate) type Account = (String, String);

/// An open tunnel. Dropped, it is shut; what the platforms know then is the business of [`Tunnel::put_back`].
pub(crate) struct Tunnel {
    /// Without a `/` at the end.
    public: String,
    accounts: BTreeSet<Account>,
    memory: Memory,
    say: Say,
    _gate: Gate,
    _process: Option<Process>,
}

/// The accounts that exist on their platform: what is worth a public address.
pub(crate) fn accounts(specs: &[&'static Spec], credentials: &Credentials) -> BTreeSet<Account> {
    let of = |spec: &&'static Spec| {
        let accounts = credentials.accounts(spec.name);
        let real = accounts.into_iter().filter(|account| credentials.is_real(spec, account));
        real.map(|account| (spec.name.to_owned(), account)).collect::<Vec<_>>()
    };
    specs.iter().flat_map(of).collect()
}

/// Refuses what would let everybody ask the model for as much as they like.
///
/// # Errors
/// [`Error::Change`]: there is nothing to open, or it is open to all without a cap. The text says what to set.
pub(crate) fn may_open(loaded: &Loaded, accounts: &BTreeSet<Account>) -> Result<(), Error> {
    if accounts.is_empty() {
        let problem = "TUNNEL: no account of this run exists on its platform. Put the bot's token into secrets.json of the \
                       state's folder ({\"telegram\": {\"bot_token\": \"…\"}}), and see that CHANNELS names the channel";
        return Err(Error::Change(problem.to_owned()));
    }
    let limits = defaults::limits(&loaded.written)?;
    if limits.per_person > 0 && limits.per_stack > 0 {
        return Ok(());
    }
    // The local run lets everybody talk where nothing else is said.
    let is_open = |(channel, account): &&Account| {
        let access = loaded.config.channel(channel, account).access;
        access.is_none_or(|access| access == Access::Open)
    };
    let open: Vec<&str> = accounts.iter().filter(is_open).map(|(channel, _)| channel.as_str()).collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Error::Change(format!(
        "TUNNEL: everybody could write to {}, and no cap is set. Set channels.<channel>.access (pairing, owner), or \
         limits.per_person and limits.per_stack, in the configuration",
        open.join(", ")
    )))
}

impl Tunnel {
    /// Opens the gate and the tunnel to it. `webhooks` are the functions' addresses by channel.
    ///
    /// # Errors
    /// [`Error::Change`] where the tunnel's program is missing or gives no address.
    pub async fn open(
        wish: &Wish,
        port: u16,
        accounts: BTreeSet<Account>,
        webhooks: &BTreeMap<String, String>,
        state: PathBuf,
        say: Say,
    ) -> Result<Tunnel, Error> {
        let channels: BTreeSet<&str> = accounts.iter().map(|(channel, _)| channel.as_str()).collect();
        let open = webhooks.iter().filter(|(channel, _)| channels.contains(channel.as_str()));
        let gate = Gate::open(port, open.map(|(channel, url)| (channel.clone(), url.clone())).collect())?;
        let (public, process) = match wish {
            Wish::Url(url) => (url.trim_end_matches('/').to_owned(), None),
            program => {
                let (url, process) = Process::start(program, gate.port).await?;
                (url, Some(process))
            }
        };
        say(&format!("tunnel             {public} -> http://127.0.0.1:{}", gate.port));
        Ok(Tunnel { public, accounts, memory: Memory::load(state)?, say, _gate: gate, _process: process })
    }

    /// The webhooks' public addresses by channel: what signatures cover.
    pub fn addresses(&self) -> impl Iterator<Item = (String, String)> {
        self.accounts.iter().map(|(channel, _)| (channel.clone(), format!("{}/{channel}/", self.public)))
    }

    /// Refuses to take a webhook away from others who could not take it back: platforms know one proof for one address, and what
    /// is put back in the end carries this run's.
    ///
    /// # Errors
    /// [`Error::Change`]: a platform writes to others now. The text says what to set.
    pub async fn may_connect(&self, place: &Place, credentials: &Credentials) -> Result<(), Error> {
        for (channel, account) in &self.accounts {
            let spec = channels::named(channel).map(|room| room.spec());
            if !spec.is_some_and(|spec| credentials.has_own_proof(spec, account)) {
                continue;
            }
            let now = ctl::connect::registered(place, channel, account).await.map_err(told)?;
            let before = self.memory.before(channel, account, now).filter(|before| !before.is_empty());
            if let Some(before) = before.filter(|before| !before.starts_with(&self.public)) {
                return Err(Error::Change(format!(
                    "TUNNEL: {channel} sends to {before} now. This run has made up the secret that its webhooks carry, so whoever stands \
                     there would refuse them when the address is put back. Put the secret that is known there into secrets.json, or \
                     set TUNNEL_FORCE=1 and connect the other one anew afterwards: crabhook --stack … connect {channel}"
                )));
            }
        }
        Ok(())
    }

    /// Tells the platforms. What cannot be told by calls is said, with what to do.
    ///
    /// # Errors
    /// A platform does not take the address; those told before know it.
    pub async fn connect(&mut self, place: &Place) -> Result<(), Error> {
        for (channel, account) in self.accounts.clone() {
            let url = self.url(&channel, &account);
            let before = ctl::connect::registered(place, &channel, &account).await.map_err(told)?;
            self.memory.keep(&channel, &account, before, &url)?;
            if self.tell(place, &channel, &account, &url).await? {
                (self.say)(&format!("{channel:<18} its platform sends to {url}"));
            } else {
                self.memory.forget(&channel, &account)?;
                (self.say)(&format!(
                    "{channel:<18} {url}; to be told by hand: crabhook connect {channel} --url {url}"
                ));
            }
        }
        Ok(())
    }

    async fn tell(&self, place: &Place, channel: &str, account: &str, url: &str) -> Result<bool, Error> {
        let mut tries = 1;
        loop {
            match ctl::connect::register(place, channel, account, url).await {
                Ok(by_calls) => return Ok(by_calls),
                Err(error) if tries == TRIES => return Err(told(error)),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            tries += 1;
        }
    }

    /// Tells the platforms the address that they knew before.
    pub async fn put_back(&mut self, place: &Place) {
        put_back(&mut self.memory, place, &self.say).await;
    }

    fn url(&self, channel: &str, account: &str) -> String {
        let account = if account == "main" { String::new() } else { format!("{account}/") };
        format!("{}/{channel}/{account}", self.public)
    }
}

/// Puts back what a run left that was killed, or could not.
///
/// # Errors
/// What is remembered of it cannot be read.
pub(crate) async fn put_back_left(place: &Place, state: PathBuf, say: &Say) -> Result<(), Error> {
    put_back(&mut Memory::load(state)?, place, say).await;
    Ok(())
}

/// Whether an earlier run left something to be put back.
///
/// # Errors
/// What is remembered of it cannot be read.
pub(crate) fn has_left(state: PathBuf) -> Result<bool, Error> {
    Ok(!Memory::load(state)?.kept().is_empty())
}

async fn put_back(memory: &mut Memory, place: &Place, say: &Say) {
    for (channel, account, before) in memory.kept() {
        let Some(before) = before else {
            say(&format!("{channel}: its platform does not say which address it knew: set it by hand"));
            continue;
        };
        let done = ctl::connect::register(place, &channel, &account, &before).await;
        let line = match (&done, before.is_empty()) {
            (Ok(_), true) => format!("{channel}: its platform knows no address, as before"),
            (Ok(_), false) => format!(
                "{channel}: its platform sends to {before} again, with the secrets of this run; if others stand there: \
                 crabhook --stack … connect {channel}"
            ),
            (Err(error), _) => format!("{channel}: {before} could not be put back: {error}"),
        };
        say(&line);
        if done.is_ok() {
            let _ = memory.forget(&channel, &account);
        }
    }
}

fn told(error: ctl::Error) -> Error {
    Error::Change(format!("TUNNEL: {error}"))
}

#[cfg(test)]
mod tests;
