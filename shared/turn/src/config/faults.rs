//! What is wrong with a configuration that the fields' types cannot say.

mod channel;
mod tool;

use std::collections::BTreeSet;

use ::channel::Spec;

use super::model::LISTENING;
use super::{Assistant, BUILT_IN_TOOLS, CONFIG_VERSION, Config, Model, PROVIDERS};
use crate::calendar::{time_of_day, zone};
use crate::spend::{Unit, caps};
use crate::template::{VARIABLES, unknown};
use crate::{language, prompts};

/// A fault of a configuration in words for its author. `key` is the dotted path of the entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Fault {
    pub key: String,
    pub problem: String,
}

impl Config {
    /// Everything wrong in what the fields' types cannot say: names that lead nowhere, `open` without a cap.
    pub fn faults(&self, specs: &[&'static Spec]) -> Vec<Fault> {
        let mut faults = Faults { config: self, found: Vec::new() };
        if self.version != CONFIG_VERSION {
            faults.add("version", format!("this crabhook reads version {CONFIG_VERSION}"));
        }
        for (name, assistant) in &self.assistants {
            faults.assistant(&format!("assistants.{name}"), assistant);
        }
        for (name, model) in &self.models {
            faults.model(&format!("models.{name}"), model);
        }
        faults.rings();
        faults.prices();
        for (name, channel) in &self.channels {
            match specs.iter().find(|spec| spec.name == name) {
                None => faults.add(format!("channels.{name}"), "no such channel"),
                Some(spec) => faults.channel(&format!("channels.{name}"), channel, spec),
            }
        }
        faults.tools(specs);
        faults.commands();
        faults.found
    }
}

/// What was found so far.
struct Faults<'a> {
    config: &'a Config,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.found.push(Fault { key: key.into(), problem: problem.into() });
    }

    /// A name that must be one of those.
    fn name<S: AsRef<str>>(
        &mut self,
        key: impl Into<String>,
        what: &str,
        name: &str,
        known: impl Iterator<Item = S> + Clone,
    ) {
        if !known.clone().any(|known| known.as_ref() == name) {
            self.add(key, format!("no {what} {name:?}; there is {}", names(known)));
        }
    }

    /// The name of a model whose provider is one of those.
    fn able(&mut self, key: String, name: &str, providers: &[&str], what: &str) {
        let config = self.config;
        match config.models.get(name) {
            Some(model) if providers.contains(&model.provider.as_str()) => {}
            Some(model) => {
                let problem = format!("{} cannot {what}; {} can", model.provider, providers.join(", "));
                self.add(key, problem);
            }
            None => self.name(key, "model", name, config.models.keys()),
        }
    }

    fn assistant(&mut self, key: &str, assistant: &Assistant) {
        let config = self.config;
        self.name(format!("{key}.model"), "model", &assistant.model, config.models.keys());
        for (place, model) in assistant.models.iter().enumerate() {
            self.name(format!("{key}.models.{place}"), "model", model, config.models.keys());
        }
        if let Some(model) = &assistant.transcribe {
            self.able(format!("{key}.transcribe"), model, LISTENING, "turn speech into text");
        }
        self.prompt(format!("{key}.prompt"), &assistant.prompt);
        for (field, text) in
            [("greeting", &assistant.greeting), ("disclosure_text", &assistant.disclosure_text)]
        {
            self.template(format!("{key}.{field}"), text.as_deref().unwrap_or_default(), VARIABLES);
        }
        let tools =
            config.tools.keys().map(String::as_str).chain(BUILT_IN_TOOLS.iter().map(|(name, _)| *name));
        for (place, tool) in assistant.tools.iter().enumerate() {
            self.name(format!("{key}.tools.{place}"), "tool", tool, tools.clone());
        }
        for (place, hook) in assistant.hooks.iter().enumerate() {
            self.name(format!("{key}.hooks.{place}"), "hook", hook, config.hooks.keys());
        }
        for (place, command) in assistant.commands.iter().enumerate() {
            self.name(format!("{key}.commands.{place}"), "command", command, config.commands.keys());
        }
        if let Some(name) = assistant.zone.as_deref().filter(|name| zone(name).is_none()) {
            let problem = format!("no time zone {name:?}; write one like Europe/Berlin, UTC or +02:00");
            self.add(format!("{key}.zone"), problem);
        }
        if let Some(time) = assistant.reset.daily_at.as_deref().filter(|time| time_of_day(time).is_none()) {
            self.add(
                format!("{key}.reset.daily_at"),
                format!("{time:?} is no time of day; write one like 04:00"),
            );
        }
        if let Some(code) = assistant.language.as_deref().filter(|code| language::known(code).is_none()) {
            let known = names(language::LANGUAGES.iter().map(|(code, ..)| *code));
            self.add(format!("{key}.language"), format!("no language {code:?}; there is {known}"));
        }
    }

    fn model(&mut self, key: &str, model: &Model) {
        if let Some(fallback) = &model.fallback {
            self.name(format!("{key}.fallback"), "model", fallback, self.config.models.keys());
        }
        if !PROVIDERS.contains(&model.provider.as_str()) {
            let problem = format!("{:?} is none of {}", model.provider, PROVIDERS.join(", "));
            self.add(format!("{key}.provider"), problem);
        }
        let azure = model.provider == "azure";
        if model.api.is_some() && !azure && model.provider != "openai" {
            self.add(format!("{key}.api"), "only the providers openai and azure have several; leave it out");
        }
        if azure && model.base_url.as_ref().is_some_and(|url| url.contains("/deployments/")) {
            let problem = "write the resource's address alone, https://<resource>.openai.azure.com; the \
                           deployment's name is the `model`";
            self.add(format!("{key}.base_url"), problem);
        }
    }

    /// Fallbacks that lead back to where they began, each ring at the first of its names.
    fn rings(&mut self) {
        let config = self.config;
        for name in config.models.keys() {
            let mut names = vec![name];
            let fallback = |name: &String| config.models.get(name).and_then(|model| model.fallback.as_ref());
            let mut next = fallback(name);
            while let Some(other) = next.filter(|other| !names.contains(other)) {
                names.push(other);
                next = fallback(other);
            }
            if next == Some(name) && names.iter().all(|other| name <= *other) {
                let ring: Vec<&str> = names.into_iter().chain([name]).map(String::as_str).collect();
                let problem = format!("{} is a ring: leave one of these fallbacks out", ring.join(" → "));
                self.add(format!("models.{name}.fallback"), problem);
            }
        }
    }

    fn prices(&mut self) {
        let config = self.config;
        let models = config.models.values().map(|model| &model.model).filter(|model| !model.is_empty());
        for name in config.prices.keys() {
            let known: BTreeSet<&String> = config.models.keys().chain(models.clone()).collect();
            self.name(format!("prices.{name}"), "model", name, known.iter());
        }
        if !caps(&config.limits).iter().any(|cap| cap.unit == Unit::Money) {
            return;
        }
        let free = |name: &&&str| config.price(name).is_none();
        let hearing = config.assistants.values().filter_map(|assistant| assistant.transcribe.as_deref());
        let used: BTreeSet<&str> = answering(config)
            .into_iter()
            .chain(hearing.filter(|name| config.models.contains_key(*name)))
            .collect();
        let missing: Vec<String> = used.iter().filter(free).map(|name| format!("prices.{name}")).collect();
        if !missing.is_empty() {
            let problem = format!(
                "a cap in dollars needs the price of every model that answers or listens (0 where it is free): add {}",
                missing.join(", ")
            );
            self.add("limits", problem);
        }
    }

    fn prompt(&mut self, key: String, prompt: &str) {
        let built_in = prompts::BUILT_IN.iter().map(|(name, _)| *name);
        match prompts::called(prompt) {
            Some(name) => self.name(key, "ready-made prompt", name, built_in),
            None => self.template(key, prompt, VARIABLES),
        }
    }

    /// Every variable in a template is one of those.
    fn template(&mut self, key: String, template: &str, known: &[(&str, &str)]) {
        let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        for name in unknown(template, &known) {
            let there = names(known.iter().map(|name| format!("{{{name}}}")));
            let problem = format!(
                "unknown variable {{{name}}}; there is {there}. Write {{{{{name}}}}} to say it as it is"
            );
            self.add(key.clone(), problem);
        }
    }
}

/// The models that answer people: those of the assistants, and their fallbacks.
fn answering(config: &Config) -> BTreeSet<&str> {
    let named =
        config.assistants.values().flat_map(|assistant| assistant.models.iter().chain([&assistant.model]));
    let mut open: Vec<&String> = named.collect();
    let mut all = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(model) = config.models.get(name).filter(|model| model.provider != "echo")
            && all.insert(name.as_str())
        {
            open.extend(&model.fallback);
        }
    }
    all
}

fn names<S: AsRef<str>>(names: impl Iterator<Item = S>) -> String {
    let all: Vec<String> = names.map(|name| name.as_ref().to_owned()).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
