//! Tools and hooks: the secrets that they name are there.

use std::collections::{BTreeMap, BTreeSet};

use turn::config::Config;

use super::Findings;
use crate::Error;
use crate::place::Place;

pub async fn check(place: &Place, config: &Config, findings: &mut Findings) -> Result<(), Error> {
    let wanted = wanted(config);
    if wanted.is_empty() {
        return Ok(());
    }
    let listed = place.secrets().list(&format!("/{}", place.stack)).await?;
    let there: BTreeSet<&str> =
        listed.iter().filter_map(|listed| listed.name.strip_prefix("tool/")).collect();
    for (name, users) in wanted {
        let users = users.join(", ");
        if there.contains(name) {
            findings.good(format!("{users}: the secret tool/{name} is set"));
        } else {
            let why = format!("the secret /{}/tool/{name} is not set", place.stack);
            findings.wrong(users, why, format!("crabhook secrets set tool {name}"));
        }
    }
    Ok(())
}

/// The secrets that tools and hooks name, each with the entries that do.
fn wanted(config: &Config) -> BTreeMap<&str, Vec<String>> {
    let mut wanted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, tool) in &config.tools {
        for secret in tool.headers.values().chain(&tool.secret).collect::<BTreeSet<_>>() {
            wanted.entry(secret).or_default().push(format!("tools.{name}"));
        }
    }
    for (name, hook) in &config.hooks {
        if let Some(secret) = &hook.secret {
            wanted.entry(secret).or_default().push(format!("hooks.{name}"));
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_wanted_once_by_all_who_name_it() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "version": 1,
            "tools": {
                "crm": {"kind": "mcp", "url": "https://x", "headers": {"authorization": "crm", "x-key": "key"}, "secret": "key"},
                "now": {"kind": "web_fetch"},
            },
            "hooks": {"audit": {"on": "pre_process", "url": "https://x", "secret": "key"}, "plain": {"on": "pre_process"}},
        }))
        .unwrap();
        let found: Vec<(&str, String)> =
            wanted(&config).into_iter().map(|(name, users)| (name, users.join(" "))).collect();
        assert_eq!(found, [("crm", "tools.crm".to_owned()), ("key", "tools.crm hooks.audit".to_owned())]);
    }
}
