//! What is wrong with a configuration that the fields' types cannot say.

use channel::Spec;

use super::{Access, COMMON_KEYS, CONFIG_VERSION, Channel, Config, Overlap, PROVIDERS};

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
        let mut faults = Vec::new();
        let mut fault = |key: String, problem: String| faults.push(Fault { key, problem });
        if self.version != CONFIG_VERSION {
            fault("version".into(), format!("this crabhook reads version {CONFIG_VERSION}"));
        }
        for (name, assistant) in &self.assistants {
            if !self.models.contains_key(&assistant.model) {
                let known = names(self.models.keys());
                fault(
                    format!("assistants.{name}.model"),
                    format!("no model {:?}; there is {known}", assistant.model),
                );
            }
        }
        for (name, model) in &self.models {
            if let Some(fallback) =
                model.fallback.as_ref().filter(|fallback| !self.models.contains_key(*fallback))
            {
                let known = names(self.models.keys());
                fault(format!("models.{name}.fallback"), format!("no model {fallback:?}; there is {known}"));
            }
            if !PROVIDERS.contains(&model.provider.as_str()) {
                fault(
                    format!("models.{name}.provider"),
                    format!("{:?} is none of {}", model.provider, PROVIDERS.join(", ")),
                );
            }
        }
        for (name, channel) in &self.channels {
            match specs.iter().find(|spec| spec.name == name) {
                None => fault(format!("channels.{name}"), "no such channel".to_owned()),
                Some(spec) => self.channel_faults(&format!("channels.{name}"), channel, spec, &mut fault),
            }
        }
        faults
    }

    fn channel_faults(
        &self,
        key: &str,
        channel: &Channel,
        spec: &Spec,
        fault: &mut impl FnMut(String, String),
    ) {
        for name in channel.settings.keys() {
            let known =
                COMMON_KEYS.contains(&name.as_str()) || spec.settings.iter().any(|(known, _)| known == name);
            if !known {
                let known = names(COMMON_KEYS.iter().chain(spec.settings.iter().map(|(known, _)| known)));
                fault(format!("{key}.{name}"), format!("unknown key; there is {known}"));
            }
        }
        for base in channel.urls.keys() {
            if !spec.bases.iter().any(|(known, _)| known == base) {
                let known = names(spec.bases.iter().map(|(known, _)| known));
                fault(format!("{key}.urls.{base}"), format!("unknown address; there is {known}"));
            }
        }
        if let Some(name) = channel.assistant.as_ref().filter(|name| !self.assistants.contains_key(*name)) {
            fault(
                format!("{key}.assistant"),
                format!("no assistant {name:?}; there is {}", names(self.assistants.keys())),
            );
        }
        if channel.access == Some(Access::Workspace) && !spec.tenant {
            fault(
                format!("{key}.access"),
                format!("{} does not say which workspace a sender belongs to", spec.title),
            );
        }
        if spec.overlap == channel::Overlap::Each && channel.overlap.is_some_and(|set| set != Overlap::Each) {
            fault(
                format!("{key}.overlap"),
                format!("on {} every message has a reply of its own: each, or leave it out", spec.title),
            );
        }
        if spec.idempotency_key && channel.on_doubt.is_some() {
            fault(
                format!("{key}.on_doubt"),
                format!("{} never shows a message twice: there is no doubt, leave it out", spec.title),
            );
        }
        if channel.access == Some(Access::Open) && (self.limits.per_person == 0 || self.limits.per_stack == 0)
        {
            let problem = "open needs the daily caps limits.per_person and limits.per_stack, not 0";
            fault(format!("{key}.access"), problem.to_owned());
        }
        for (name, account) in &channel.accounts {
            self.channel_faults(&format!("{key}.accounts.{name}"), account, spec, fault);
        }
    }
}

fn names<S: AsRef<str>>(names: impl Iterator<Item = S>) -> String {
    let all: Vec<String> = names.map(|name| name.as_ref().to_owned()).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
