//! Commands that choose: another model, another assistant, the turn to take back.

use crate::config::{Assistant, Channel, Config};
use crate::state::{Change, Turn};

/// What is answered, and what the commit of that answer changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub text: String,
    pub change: Change,
}

impl Chosen {
    fn nothing(text: String) -> Chosen {
        Chosen { text, change: Change::default() }
    }
}

/// `/model [name]`. `current` is what was chosen before; an owner may choose every model.
pub fn choose_model(
    config: &Config,
    assistant: &Assistant,
    current: Option<&str>,
    owner: bool,
    name: Option<&str>,
) -> Chosen {
    let mut free: Vec<&str> = match owner {
        true => config.models.keys().map(String::as_str).collect(),
        false => assistant.models.iter().map(String::as_str).collect(),
    };
    free.retain(|name| config.models.contains_key(*name));
    let Some(name) = name else {
        let current = current.unwrap_or(&assistant.model);
        return Chosen::nothing(format!("The model here is {current}.{}", others("/model", &free, current)));
    };
    if name == "default" && !config.models.contains_key("default") || name == assistant.model {
        let change = Change { model: Some(None), ..Change::default() };
        return Chosen { text: format!("{} answers here from now on.", assistant.model), change };
    }
    match free.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => {
            let change = Change { model: Some(Some((*known).to_owned())), ..Change::default() };
            Chosen { text: format!("{known} answers here from now on."), change }
        }
        None => Chosen::nothing(refused("model", "/model", &free)),
    }
}

/// `/assistant [name]`. `configured` is who answers here without a choice, `current` who does now; an owner may choose everyone.
pub fn choose_assistant(
    config: &Config,
    channel: &Channel,
    configured: &str,
    current: &str,
    owner: bool,
    name: Option<&str>,
) -> Chosen {
    let mut free: Vec<&str> = match owner {
        true => config.assistants.keys().map(String::as_str).collect(),
        false => channel.assistants.iter().map(String::as_str).collect(),
    };
    free.retain(|name| config.assistants.contains_key(*name));
    let Some(name) = name else {
        return Chosen::nothing(format!("You talk to {current}.{}", others("/assistant", &free, current)));
    };
    // Another assistant has other models; what was chosen for the one before does not hold for it.
    let to = |assistant: Option<String>| Change {
        assistant: Some(assistant),
        model: Some(None),
        ..Change::default()
    };
    if name.eq_ignore_ascii_case(configured) {
        return Chosen { text: format!("{configured} answers here from now on."), change: to(None) };
    }
    match free.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => {
            let change = to(Some((*known).to_owned()));
            Chosen { text: format!("{known} answers here from now on."), change }
        }
        None => Chosen::nothing(refused("assistant", "/assistant", &free)),
    }
}

fn others(command: &str, free: &[&str], current: &str) -> String {
    let others: Vec<&str> = free.iter().copied().filter(|name| *name != current).collect();
    if others.is_empty() {
        return String::new();
    }
    format!(" `{command} <name>` takes another: {}.", others.join(", "))
}

fn refused(what: &str, command: &str, free: &[&str]) -> String {
    match free {
        [] => format!("There is no other {what} to choose here."),
        free => format!(
            "There is no such {what} to choose here. Write `{command}` and one of: {}.",
            free.join(", ")
        ),
    }
}

/// The turn that `/undo` and `/retry` are about: the newest that the model still sees for itself. `history` comes newest first.
pub fn last_turn(history: &[Turn], summary_to: u32) -> Option<&Turn> {
    let seen =
        |turn: &&Turn| turn.history && !turn.undone && !turn.answer.is_empty() && turn.number >= summary_to;
    history.iter().find(seen)
}
