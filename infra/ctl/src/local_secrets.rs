//! The file in which the local run keeps its secrets: `secrets.json`, accounts by `<channel>` or `<channel>/<account>`,
//! models' keys under `model`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use channel::{ExposeSecret as _, SecretString};

use crate::Error;

type Accounts = BTreeMap<String, BTreeMap<String, String>>;

/// The entry of an account.
fn key(channel: &str, account: &str) -> String {
    if account == "main" || channel == "model" { channel.to_owned() } else { format!("{channel}/{account}") }
}

/// The secrets of an account, signing keys among them.
///
/// # Errors
/// The file cannot be read, or has no such entry.
pub fn of(state: &Path, channel: &str, account: &str) -> Result<channel::Secrets, Error> {
    let path = state.join("secrets.json");
    let key = key(channel, account);
    match read(&path)?.remove(&key) {
        Some(secrets) => Ok(secrets.into_iter().collect()),
        None => Err(Error::failed(format!(
            "{} has no entry {key:?}: add one ({{}} is enough) and start `make run` again",
            path.display()
        ))),
    }
}

/// Sets one secret; the file is made where there is none. Returns its path.
///
/// # Errors
/// The file cannot be read or written.
pub fn put(
    state: &Path,
    channel: &str,
    account: &str,
    name: &str,
    value: &SecretString,
) -> Result<PathBuf, Error> {
    let path = state.join("secrets.json");
    let mut all = if path.exists() { read(&path)? } else { Accounts::new() };
    let entry = all.entry(key(channel, account)).or_default();
    entry.insert(name.to_owned(), value.expose_secret().to_owned());
    let failed =
        |error: std::io::Error| Error::failed(format!("{} cannot be written: {error}", path.display()));
    std::fs::create_dir_all(state).map_err(failed)?;
    let json = serde_json::to_string_pretty(&all).map_err(|error| Error::failed(error.to_string()))?;
    let mut file = private(&path).map_err(failed)?;
    file.write_all(json.as_bytes()).map_err(failed)?;
    Ok(path)
}

fn read(path: &Path) -> Result<Accounts, Error> {
    let unreadable = |why: String| Error::failed(format!("{} cannot be read: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// A file that only its owner may read.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_read_and_the_rest_is_kept() {
        let state =
            std::env::temp_dir().join(format!("ctl-{}", channel::sign::hex(&channel::sign::random::<8>())));
        put(&state, "telegram", "main", "bot_token", &"1:A".into()).unwrap();
        put(&state, "telegram", "support", "bot_token", &"2:B".into()).unwrap();
        put(&state, "model", "main", "openai", &"k".into()).unwrap();
        assert_eq!(of(&state, "telegram", "main").unwrap().get("bot_token"), Some("1:A"));
        assert_eq!(of(&state, "telegram", "support").unwrap().get("bot_token"), Some("2:B"));
        assert_eq!(of(&state, "model", "main").unwrap().get("openai"), Some("k"));
        assert!(of(&state, "slack", "main").err().unwrap().to_string().contains("slack"));
        std::fs::remove_dir_all(&state).unwrap();
    }
}
