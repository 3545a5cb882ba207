//! `$STATE/tunnel.json`: which address each platform knew before ours. What is left of a run that was killed is put back by the
//! next one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Error;

/// An account's addresses. `before` is nothing where the platform does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    before: Option<String>,
    ours: String,
}

pub(super) struct Memory {
    path: PathBuf,
    /// By `<channel>/<account>`.
    known: BTreeMap<String, Known>,
}

impl Memory {
    pub fn load(state: PathBuf) -> Result<Memory, Error> {
        let path = state.join("tunnel.json");
        let known = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| Error::file(&path, error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::file(&path, error)),
        };
        Ok(Memory { path, known })
    }

    /// Keeps what the platform knows at the moment, unless that is our own address of a run that could not put it back.
    pub fn keep(
        &mut self,
        channel: &str,
        account: &str,
        now: Option<String>,
        ours: &str,
    ) -> Result<(), Error> {
        let before = self.before(channel, account, now);
        self.known.insert(format!("{channel}/{account}"), Known { before, ours: ours.to_owned() });
        self.save()
    }

    /// The address that counts as the one before, where the platform knows that one now.
    pub fn before(&self, channel: &str, account: &str, now: Option<String>) -> Option<String> {
        let left = self.known.get(&format!("{channel}/{account}"));
        let left = left.filter(|left| now.as_ref() == Some(&left.ours) || now.is_none());
        left.map_or(now, |left| left.before.clone())
    }

    pub fn forget(&mut self, channel: &str, account: &str) -> Result<(), Error> {
        self.known.remove(&format!("{channel}/{account}"));
        self.save()
    }

    /// Channel, account and the address before ours.
    pub fn kept(&self) -> Vec<(String, String, Option<String>)> {
        let split = |(key, known): (&String, &Known)| {
            let (channel, account) = key.split_once('/')?;
            Some((channel.to_owned(), account.to_owned(), known.before.clone()))
        };
        self.known.iter().filter_map(split).collect()
    }

    fn save(&self) -> Result<(), Error> {
        let written = match self.known.is_empty() {
            true => std::fs::remove_file(&self.path).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
            false => {
                std::fs::write(&self.path, serde_json::to_string_pretty(&self.known).unwrap_or_default())
            }
        };
        written.map_err(|error| Error::file(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_run_leaves_the_first_address_to_the_next() {
        let state = std::env::temp_dir().join(format!("crabhook-memory-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&state);
        std::fs::create_dir_all(&state).unwrap();
        let old = Some("https://deployed.example/".to_owned());
        let load = || Memory::load(state.clone()).unwrap();
        load().keep("telegram", "main", old.clone(), "https://one.example/telegram/").unwrap();
        // Killed; the platform still knows the first tunnel.
        let mut next = load();
        next.keep(
            "telegram",
            "main",
            Some("https://one.example/telegram/".into()),
            "https://two.example/telegram/",
        )
        .unwrap();
        assert_eq!(next.kept(), [("telegram".to_owned(), "main".to_owned(), old)]);
        // Somebody else set another one meanwhile: that counts.
        let mut next = load();
        let other = Some("https://other.example/".to_owned());
        next.keep("telegram", "main", other.clone(), "https://three.example/telegram/").unwrap();
        assert_eq!(next.kept()[0].2, other);
        next.forget("telegram", "main").unwrap();
        assert!(load().kept().is_empty() && !state.join("tunnel.json").exists());
        std::fs::remove_dir_all(state).unwrap();
    }
}
