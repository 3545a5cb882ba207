//! The commands as platforms list them.

use channel::{Argument, Offered};

use crate::commands::NAMES;
use crate::config::{Assistant, Channel, Config, CustomCommand};

/// What people on a channel may command, in the order of its list: what means something to any of its assistants. `/start` is the
/// platform's own to send.
pub fn offered(config: &Config, channel: &Channel) -> Vec<Offered> {
    let assistants = assistants(config, channel);
    let mut all = vec![
        plain("help", "What I can do"),
        plain("new", "Start over and forget what was said here"),
        plain("retry", "Answer your last message anew"),
        plain("undo", "Take back your last message and its answer"),
        plain("compact", "Sum up what was said, so that more fits into my memory"),
        plain("stop", "Stop the answer being written"),
        plain("status", "Whether I am working, and what is left today"),
        plain("usage", "What you used today and this month"),
    ];
    if assistants.iter().any(|assistant| config.remembers(assistant)) {
        all.push(plain("memory", "What I remember about you"));
        all.push(with("forget", "Make me forget a note", argument("number", "Its number in /memory", true)));
    }
    if config.models.len() > 1 {
        all.push(with("model", "Which model answers here", argument("name", "Take this one", false)));
    }
    if config.assistants.len() > 1 {
        all.push(with("assistant", "Who answers here", argument("name", "Take this one", false)));
    }
    let known = |name: &String| {
        assistants.iter().any(|assistant| assistant.commands.is_empty() || assistant.commands.contains(name))
    };
    let own = config.commands.iter().filter(|(name, _)| known(name) && !NAMES.contains(&name.as_str()));
    all.extend(own.map(|(name, command)| custom(name, command)));
    all.push(plain("allow", "Let me answer in this group (owners only)"));
    let state = Argument { choices: vec!["on".into(), "off".into()], ..argument("state", "On or off", true) };
    all.push(with("bot", "Whether I answer here, or only people do (owners only)", state));
    all
}

/// Who may answer there.
fn assistants(config: &Config, channel: &Channel) -> Vec<Assistant> {
    let chosen = channel.assistants.iter().map(|name| config.assistant(Some(name)));
    let here = channel.conversations.keys().map(|chat| config.persona(channel, chat, None).assistant);
    std::iter::once(config.persona(channel, "", None).assistant).chain(chosen).chain(here).collect()
}

fn plain(name: &str, about: &str) -> Offered {
    Offered { name: name.to_owned(), about: about.to_owned(), arguments: Vec::new(), takes_file: false }
}

fn with(name: &str, about: &str, argument: Argument) -> Offered {
    Offered { arguments: vec![argument], ..plain(name, about) }
}

fn argument(name: &'static str, about: &str, required: bool) -> Argument {
    Argument { name, about: about.to_owned(), required, choices: Vec::new() }
}

/// One of the operator's own takes what its template asks for; one that calls an assistant takes a first message to it.
fn custom(name: &str, command: &CustomCommand) -> Offered {
    let template = command.prompt.iter().chain(&command.reply).map(String::as_str).collect::<String>();
    let asks_model = command.prompt.is_some() || command.assistant.is_some();
    let mut arguments = Vec::new();
    if template.contains("{argument}") {
        arguments.push(argument(Argument::BEHIND_COLON, "What stands behind its colon", false));
    }
    if template.contains("{text}") || command.assistant.is_some() {
        arguments.push(argument("text", "What to say with it", false));
    }
    let about = command.about.as_deref().map(str::trim).filter(|about| !about.is_empty());
    let about = about.map_or_else(|| format!("The command /{name}"), str::to_owned);
    Offered { name: name.to_owned(), about, arguments, takes_file: asks_model }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: serde_json::Value, expected: &str) {
        let config: Config = serde_json::from_value(config).unwrap();
        let all = offered(&config, &config.channel("telegram", "main"));
        let mut told = Vec::new();
        for command in &all {
            assert!(!command.about.is_empty() && command.about.len() <= 100, "{command:?}");
            let arguments: Vec<&str> = command.arguments.iter().map(|argument| argument.name).collect();
            told.push([&[command.name.as_str()], &arguments[..]].concat().join(":"));
        }
        assert_eq!(told.join(" "), expected);
    }

    #[test]
    fn what_means_something_is_listed() {
        check(
            serde_json::json!({"version": 1, "assistants": {"default": {}}}),
            "help new retry undo compact stop status usage allow bot:state",
        );
        check(
            serde_json::json!({
                "version": 1,
                "models": {"default": {"provider": "echo"}, "fast": {"provider": "echo"}},
                "assistants": {
                    "default": {"commands": ["translate", "hours"]},
                    "reviewer": {"commands": ["review"]},
                },
                "commands": {
                    "translate": {"prompt": "Into {argument}: {text}", "about": "Translate"},
                    "hours": {"reply": "9 to 5"},
                    "review": {"assistant": "reviewer"},
                    "help": {"reply": "never"},
                },
            }),
            "help new retry undo compact stop status usage model:name assistant:name hours translate:argument:text \
             allow bot:state",
        );
    }

    #[test]
    fn every_command_that_there_is_can_be_listed() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "version": 1,
            "models": {"default": {"provider": "echo"}, "fast": {"provider": "echo"}},
            "assistants": {"default": {"tools": ["remember"]}, "reviewer": {}},
        }))
        .unwrap();
        let listed: Vec<String> =
            offered(&config, &Channel::default()).into_iter().map(|command| command.name).collect();
        for name in NAMES.iter().filter(|name| **name != "start") {
            assert!(listed.iter().any(|listed| listed == name), "{name}");
        }
    }
}
