//! From the configuration to a toolbox.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use channel::{Secrets, sign};
use model::ToolSpec;
use serde_json::{Value, json};
use turn::config::{Tool, ToolKind};

use super::{Action, Entry, Toolbox};
use crate::desk::{self, Act};
use crate::endpoint::{self, Endpoint, Limits};
use crate::knowledge::{self, Knowledge};
#[cfg(feature = "mcp")]
use crate::mcp;
use crate::{Budget, Context, Error, Tools, web};

/// Characters of a tool's name that all providers take.
const MAX_NAME: usize = 64;

/// What an assistant is given.
pub struct Given<'g> {
    /// The entries that it names, by their names.
    pub tools: Vec<(String, Tool)>,
    /// The secrets of `/<stack>/tool`.
    pub secrets: &'g Secrets,
    /// What `search_knowledge` searches.
    pub knowledge: Vec<Knowledge>,
}

/// A configured tool that a turn has to do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The entry's name.
    pub name: String,
    pub why: Error,
}

impl<'a> Toolbox<'a> {
    /// Opens it. Servers whose tools are not known yet are asked for them, side by side, within seconds; what is not set up
    /// or does not answer is left out, and logged.
    pub async fn open(tools: &'a Tools, given: Given<'_>, context: Context, budget: Budget) -> Toolbox<'a> {
        let mut toolbox = Toolbox {
            tools,
            context,
            budget,
            entries: Vec::new(),
            #[cfg(feature = "mcp")]
            servers: Vec::new(),
            missing: Vec::new(),
            done: Mutex::new(BTreeMap::new()),
            made: Mutex::new(Vec::new()),
        };
        let mut servers = Vec::new();
        for (name, tool) in &given.tools {
            if tool.kind == ToolKind::Mcp {
                servers.push((name.as_str(), tool));
                continue;
            }
            match entries(name, tool, &given) {
                Ok(entries) => entries.into_iter().for_each(|entry| toolbox.add(entry)),
                Err(why) => toolbox.miss(name, why),
            }
        }
        toolbox.add_servers(&servers, given.secrets).await;
        toolbox
    }

    #[cfg(feature = "mcp")]
    async fn add_servers(&mut self, servers: &[(&str, &Tool)], secrets: &Secrets) {
        let (tools, now) = (self.tools, super::now());
        let opened = servers.iter().map(|(name, tool)| async move {
            let url = tool.url.as_deref().ok_or_else(|| Error::NotSetUp("it needs a `url`".to_owned()))?;
            let headers = endpoint::headers(tool.headers.iter(), secrets)?;
            let server = mcp::Server::new(name, url, headers);
            let listed = server.tools(tools, now).await?;
            Ok((server, listed))
        });
        let opened = futures::future::join_all(opened).await;
        for ((name, tool), opened) in servers.iter().zip(opened) {
            match opened {
                Ok((server, listed)) => {
                    for one in listed
                        .into_iter()
                        .filter(|one| tool.allow.is_empty() || tool.allow.contains(&one.name))
                    {
                        self.add(of_server(self.servers.len(), name, tool, one));
                    }
                    self.servers.push(server);
                }
                Err(why) => self.miss(name, why),
            }
        }
    }

    #[cfg(not(feature = "mcp"))]
    async fn add_servers(&mut self, servers: &[(&str, &Tool)], _secrets: &Secrets) {
        for (name, _) in servers {
            self.miss(name, Error::NotSetUp("this build has no MCP".to_owned()));
        }
    }

    /// The first of a name stays.
    fn add(&mut self, entry: Entry) {
        if !self.entries.iter().any(|known| known.spec.name == entry.spec.name) {
            self.entries.push(entry);
        }
    }

    fn miss(&mut self, name: &str, why: Error) {
        let words = if let Error::NotSetUp(words) = &why { words } else { "" };
        tracing::warn!(tool = name, error = why.kind(), why = words, "a tool is left out");
        self.missing.push(Missing { name: name.to_owned(), why });
    }
}

/// Of everything but servers. The first goes by the tool's name, so that a second `web_fetch` with other hosts has its own.
fn entries(name: &str, tool: &Tool, given: &Given<'_>) -> Result<Vec<Entry>, Error> {
    let (spec, action) = match tool.kind {
        ToolKind::Http | ToolKind::Lambda => {
            let headers = endpoint::headers(tool.headers.iter(), given.secrets)?;
            let (url, function, secret) =
                (tool.url.as_deref(), tool.function.as_deref(), tool.secret.as_deref());
            let endpoint = Endpoint::of(url, function, secret, headers, given.secrets)?;
            (own_spec(name, tool), Action::Endpoint(endpoint))
        }
        ToolKind::WebFetch => {
            (web::spec(), Action::Fetch(web::Rules { hosts: tool.allow.clone(), base: tool.url.clone() }))
        }
        ToolKind::SearchKnowledge => {
            let named = |one: &&Knowledge| tool.knowledge.is_empty() || tool.knowledge.contains(&one.name);
            let all: Vec<Knowledge> = given.knowledge.iter().filter(named).cloned().collect();
            if all.is_empty() {
                return Err(Error::NotSetUp(
                    "there is nothing to search: add an entry under `knowledge`".to_owned(),
                ));
            }
            (knowledge::spec(&all), Action::Search(all))
        }
        ToolKind::Mcp | ToolKind::RemindMe | ToolKind::Remember | ToolKind::Forget | ToolKind::HandOff => {
            return Ok(desk_entries(name, tool));
        }
    };
    let spec = ToolSpec { name: safe(name), ..spec };
    Ok(vec![Entry { spec, action, asks: tool.confirm.asks(name, false), limits: limits(tool) }])
}

fn desk_entries(name: &str, tool: &Tool) -> Vec<Entry> {
    let entry = |(nth, act): (usize, &Act)| {
        let own = act.spec();
        let name = if nth == 0 { safe(name) } else { own.name.clone() };
        let asks = tool.confirm.asks(&name, false) && !act.only_reads();
        Entry { spec: ToolSpec { name, ..own }, action: Action::Desk(*act), asks, limits: limits(tool) }
    };
    desk::acts(tool.kind).iter().enumerate().map(entry).collect()
}

/// A program says what it is for in the configuration.
fn own_spec(name: &str, tool: &Tool) -> ToolSpec {
    let anything = || json!({"type": "object", "properties": {}});
    ToolSpec {
        name: name.to_owned(),
        description: tool.description.clone().unwrap_or_default(),
        schema: tool.arguments.clone().filter(Value::is_object).unwrap_or_else(anything),
    }
}

#[cfg(feature = "mcp")]
fn of_server(server: usize, name: &str, tool: &Tool, listed: mcp::Listed) -> Entry {
    Entry {
        spec: ToolSpec {
            name: safe(&format!("{name}__{}", listed.name)),
            description: listed.description,
            schema: listed.schema,
        },
        asks: tool.confirm.asks(&listed.name, !listed.read_only),
        action: Action::Mcp { server, tool: listed.name },
        limits: limits(tool),
    }
}

fn limits(tool: &Tool) -> Limits {
    Limits {
        time_out: Duration::from_secs(tool.timeout_s.into()),
        max_bytes: usize::try_from(tool.max_bytes).unwrap_or(usize::MAX),
    }
}

/// A name that all providers take. One that has to be changed gets a few characters of its hash, so that no two become one.
fn safe(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if name.len() <= MAX_NAME && name.chars().all(allowed) {
        return name.to_owned();
    }
    let hash: String = sign::sha256_hex(name.as_bytes()).chars().take(6).collect();
    let kept: String =
        name.chars().map(|character| if allowed(character) { character } else { '_' }).collect();
    format!("{}_{hash}", kept.chars().take(MAX_NAME - hash.len() - 1).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_providers_take() {
        assert_eq!(safe("github__create_issue-2"), "github__create_issue-2");
        let changed = safe("github__files/read.all");
        assert!(changed.starts_with("github__files_read_all_") && changed.len() == 29, "{changed}");
        assert_ne!(changed, safe("github__files.read/all"));
        let long = safe(&"x".repeat(65));
        assert_eq!(long.len(), 64);
        assert_ne!(long, safe(&"x".repeat(66)));
    }
}
