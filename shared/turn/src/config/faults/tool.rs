//! What is wrong with tools, hooks, knowledge and commands.

use ::channel::Spec;

use super::Faults;
use crate::commands::NAMES;
use crate::config::model::EMBEDDING;
use crate::config::{CustomCommand, Hook, Tool, ToolKind};
use crate::template::{COMMAND_VARIABLES, VARIABLES};

impl Faults<'_> {
    pub(super) fn tools(&mut self, specs: &[&'static Spec]) {
        let config = self.config;
        for (name, tool) in &config.tools {
            self.tool(&format!("tools.{name}"), tool);
            if let Some(to) = &tool.to {
                self.told(format!("tools.{name}.to"), to, specs);
            }
        }
        for (name, hook) in &config.hooks {
            self.hook(&format!("hooks.{name}"), hook);
        }
        for (name, knowledge) in &config.knowledge {
            self.able(
                format!("knowledge.{name}.model"),
                &knowledge.model,
                EMBEDDING,
                "turn texts into vectors",
            );
        }
    }

    fn tool(&mut self, key: &str, tool: &Tool) {
        match tool.kind {
            ToolKind::Mcp | ToolKind::Http => self.address(key, tool.url.as_deref()),
            ToolKind::Lambda if tool.function.is_none() => {
                self.add(key, "\"function\" is missing: the name or ARN of the Lambda function");
            }
            _ => {}
        }
        if matches!(tool.kind, ToolKind::Http | ToolKind::Lambda) && tool.description.is_none() {
            self.add(key, "\"description\" is missing: the model must know what it is for");
        }
        for (place, name) in tool.knowledge.iter().enumerate() {
            self.name(format!("{key}.knowledge.{place}"), "knowledge", name, self.config.knowledge.keys());
        }
    }

    /// Where operators are told.
    fn told(&mut self, key: String, to: &str, specs: &[&'static Spec]) {
        let parts: Vec<&str> = to.splitn(3, '/').filter(|part| !part.is_empty()).collect();
        let [channel, _, _] = parts.as_slice() else {
            let problem = format!("{to:?} must be <channel>/<account>/<chat>, like slack/main/C024BE91L");
            return self.add(key, problem);
        };
        if !specs.iter().any(|spec| spec.name == *channel) {
            self.name(key, "channel", channel, specs.iter().map(|spec| &spec.name));
        }
    }

    fn hook(&mut self, key: &str, hook: &Hook) {
        match (&hook.url, &hook.function) {
            (Some(_), Some(_)) => self.add(key, "has both \"url\" and \"function\": leave one out"),
            (None, Some(_)) => {}
            (url, None) => self.address(key, url.as_deref()),
        }
    }

    fn address(&mut self, key: &str, url: Option<&str>) {
        match url {
            None => self.add(key, "\"url\" is missing: where it is"),
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => {}
            Some(_) => self
                .add(format!("{key}.url"), "must begin with https:// (or http:// within your own network)"),
        }
    }

    pub(super) fn commands(&mut self) {
        let config = self.config;
        for (name, command) in &config.commands {
            self.command(&format!("commands.{name}"), name, command);
        }
    }

    fn command(&mut self, key: &str, name: &str, command: &CustomCommand) {
        if NAMES.contains(&name) {
            self.add(
                key,
                format!("/{name} is one of the commands that are always there: choose another name"),
            );
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            self.add(key, "a command's name has small letters, digits, - and _ only");
        }
        let does = [&command.prompt, &command.reply, &command.assistant];
        if does.into_iter().flatten().count() != 1 {
            self.add(key, "needs exactly one of prompt, reply and assistant");
        }
        let known = [VARIABLES, COMMAND_VARIABLES].concat();
        for (field, text) in [("prompt", &command.prompt), ("reply", &command.reply)] {
            self.template(format!("{key}.{field}"), text.as_deref().unwrap_or_default(), &known);
        }
        if let Some(assistant) = &command.assistant {
            self.name(format!("{key}.assistant"), "assistant", assistant, self.config.assistants.keys());
        }
    }
}
