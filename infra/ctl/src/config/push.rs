//! A configuration goes to two places: the table, for the invoker, and one parameter for every account of a channel,
//! because webhook functions may not read the table.

use std::collections::{BTreeMap, BTreeSet};

use channel::SecretString;
use model_invoker::channels;
use secrets::{SETTINGS, Secrets, fingerprint};
use store::Store;
use turn::config::Config;

use crate::Error;
use crate::clock::now;
use crate::connect::tells_otherwise;

/// What a push changed beside the table.
#[derive(Debug, Default)]
pub struct Pushed {
    /// Parameters that were written, by their whole path.
    pub settings: Vec<String>,
    /// Accounts (channel, account) whose platform must be told again: `crabhook connect`.
    pub to_connect: Vec<(String, String)>,
    /// The caller may not list parameters: accounts that only have secrets are not known.
    pub blind: bool,
}

/// Puts a checked configuration into force. `stack` is the root of its parameters, without slashes.
///
/// # Errors
/// The table or the parameters did not take it; pushing again is safe.
pub async fn push(config: &Config, store: &Store, secrets: &Secrets, stack: &str) -> Result<Pushed, Error> {
    let mut pushed = Pushed::default();
    let there = match secrets.list(&format!("/{stack}")).await {
        Ok(listed) => listed.into_iter().map(|listed| (listed.name, listed.fingerprint)).collect(),
        Err(secrets::Error::Broken(_)) => {
            pushed.blind = true;
            BTreeMap::new()
        }
        Err(busy) => return Err(busy.into()),
    };
    let before = store.configuration().await?.and_then(|stored| Config::tolerant(&stored.json).ok());
    for (channel, account) in accounts(config, &there) {
        let is_set_up = there.keys().any(|path| is_secret_of(path, &channel, &account));
        if let (Some(before), Some(room), true) = (&before, channels::named(&channel), is_set_up)
            && tells_otherwise(room, &account, before, config)
        {
            pushed.to_connect.push((channel.clone(), account.clone()));
        }
        let name = format!("{channel}/{account}/{SETTINGS}");
        let own = config.channel(&channel, &account);
        let room = model_invoker::channels::named(&channel);
        let settings = room.map_or_else(|| own.room_settings(), |room| own.webhook_settings(room));
        let is_empty = settings.as_object().is_none_or(serde_json::Map::is_empty);
        let settings = SecretString::from(settings.to_string());
        let unchanged = match there.get(&name) {
            Some(known) => *known == fingerprint(&settings),
            None => is_empty && !pushed.blind,
        };
        if !unchanged {
            let path = format!("/{stack}/{name}");
            secrets.put(&path, &settings).await?;
            pushed.settings.push(path);
        }
    }
    let json = serde_json::to_string(config).map_err(|error| Error::failed(error.to_string()))?;
    store.put_configuration(&json, now()).await?;
    Ok(pushed)
}

fn is_secret_of(path: &str, channel: &str, account: &str) -> bool {
    let name = path.strip_prefix(channel).and_then(|path| path.strip_prefix('/'));
    let name = name.and_then(|path| path.strip_prefix(account)).and_then(|path| path.strip_prefix('/'));
    name.is_some_and(|name| name != SETTINGS)
}

/// Every account that there is: those of the configuration, each configured channel's `main`, and those with parameters.
fn accounts(config: &Config, there: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (name, channel) in &config.channels {
        all.insert((name.clone(), "main".to_owned()));
        all.extend(channel.accounts.keys().map(|account| (name.clone(), account.clone())));
    }
    for path in there.keys() {
        let mut parts = path.split('/');
        if let (Some(channel), Some(account), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        {
            all.insert((channel.to_owned(), account.to_owned()));
        }
    }
    all
}
