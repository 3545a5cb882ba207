//! Tools and hooks: the secrets that they name are there, and so is somebody to hand over to.

use std::collections::{BTreeMap, BTreeSet};

use model_invoker::{channels, in_private};
use turn::access::Role;
use turn::config::{Config, ToolKind};

use super::Findings;
use crate::Error;
use crate::clock::now;
use crate::place::Place;

pub async fn check(place: &Place, config: &Config, findings: &mut Findings) -> Result<(), Error> {
    hands_over(place, config, findings).await?;
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

/// Whether somebody can be told when an assistant hands over.
async fn hands_over(place: &Place, config: &Config, findings: &mut Findings) -> Result<(), Error> {
    let names: BTreeSet<&String> =
        config.assistants.values().flat_map(|assistant| &assistant.tools).collect();
    for name in names {
        let Some(tool) = config.tool(name).filter(|tool| tool.kind == ToolKind::HandOff) else { continue };
        let Some(to) = tool.to else {
            let people = place.store().people().await?;
            let owners = people.into_iter().filter(|person| person.role == Role::Owner);
            match owners.filter_map(in_private).count() {
                0 => findings.wrong(
                    name,
                    "no owner can be told: none wrote to the assistant in private",
                    "crabhook claim, and send the code in a private chat; or set \"to\"",
                ),
                told => findings.good(format!("{name}: owners who can be told: {told}")),
            }
            continue;
        };
        let mut parts = to.splitn(3, '/');
        let (Some(channel), Some(account), Some(chat)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let known = place.store().address_of(channel, account, chat, now()).await?.is_some();
        // Where the chat alone says how to write there, nothing need be known of it.
        let needs_more = channels::named(channel).is_some_and(|room| !room.keeps().is_empty());
        if !place.endpoints.channels.contains_key(channel) {
            findings.wrong(
                name,
                format!("the stack has no channel {channel}"),
                "Correct \"to\", or deploy the channel",
            );
        } else if needs_more && !known {
            let why = format!("how to write to {to} is not known yet");
            findings.wrong(name, why, "Write /allow there as an owner, or anything in a 1:1 chat");
        } else {
            findings.good(format!("{name}: {to} is told"));
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
