//! What was read, sorted by account.

use std::collections::BTreeMap;

use channel::{ExposeSecret, Secrets};
use serde_json::Value;

use crate::parameters::Tree;

/// The name under an account that holds its settings as JSON and is no secret.
pub const SETTINGS: &str = "settings";

/// What a webhook function knows of one account.
#[derive(Clone, Default)]
pub struct Account {
    pub secrets: Secrets,
    /// What `receive` needs of the configuration, as `crabhook config push` wrote it; `null` without any.
    pub settings: Value,
}

/// All accounts of one channel.
#[derive(Clone, Default)]
pub struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    pub fn get(&self, name: &str) -> Option<&Account> {
        self.0.get(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Account)> for Accounts {
    fn from_iter<I: IntoIterator<Item = (String, Account)>>(accounts: I) -> Accounts {
        Accounts(accounts.into_iter().collect())
    }
}

impl Account {
    fn take(&mut self, name: &str, value: &channel::SecretString) {
        if name != SETTINGS {
            self.secrets.insert(name, value.clone());
            return;
        }
        // Whoever wrote it was our own `config push`: a fault is worth a line, not a channel that falls silent.
        self.settings = serde_json::from_str(value.expose_secret()).unwrap_or_else(|error| {
            tracing::warn!(
                line = error.line(),
                "the parameter `settings` is not JSON: run crabhook config push"
            );
            Value::Null
        });
    }
}

/// Parameters named `<account>/<name>`; what lies deeper or higher is not ours.
pub(crate) fn accounts(tree: &Tree) -> Accounts {
    let mut accounts = BTreeMap::<String, Account>::new();
    for (path, value) in tree {
        if let Some((account, name)) = path.split_once('/').filter(|(_, name)| !name.contains('/')) {
            accounts.entry(account.to_owned()).or_default().take(name, value);
        }
    }
    Accounts(accounts)
}

/// Parameters named `<name>`.
pub(crate) fn account(tree: &Tree) -> Account {
    let mut account = Account::default();
    for (name, value) in tree.iter().filter(|(name, _)| !name.contains('/')) {
        account.take(name, value);
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pairs: &[(&str, &str)]) -> Tree {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
    }

    #[test]
    fn parameters_are_sorted_by_account() {
        let accounts = accounts(&tree(&[
            ("main/bot_token", "1"),
            ("main/settings", r#"{"public_url":"https://x"}"#),
            ("support/bot_token", "2"),
            ("stray", "3"),
            ("main/deep/er", "4"),
        ]));
        assert_eq!(accounts.names().collect::<Vec<_>>(), ["main", "support"]);
        let main = accounts.get("main").unwrap();
        assert_eq!(main.secrets.names().collect::<Vec<_>>(), ["bot_token"]);
        assert_eq!(main.settings["public_url"], "https://x");
        assert_eq!(accounts.get("support").unwrap().secrets.get("bot_token"), Some("2"));
    }

    #[test]
    fn settings_that_are_no_json_leave_the_account_alive() {
        let account = account(&tree(&[("bot_token", "1"), ("settings", "{")]));
        assert_eq!((account.secrets.get("bot_token"), account.settings), (Some("1"), Value::Null));
    }
}
