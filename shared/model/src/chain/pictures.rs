//! A question without its pictures, for models that take none.

use crate::{Ask, Message};

/// Told to the model with each message that had some.
const NOT_SHOWN: &str =
    "[What pictures came with this message you cannot see. Say so if the answer depends on them.]";

pub(super) fn any(ask: &Ask) -> bool {
    ask.messages.iter().any(|message| !message.images.is_empty())
}

pub(super) fn without(ask: &Ask) -> Ask {
    let blind = |message: &Message| {
        let text = match (message.images.is_empty(), message.text.is_empty()) {
            (true, _) => message.text.clone(),
            (false, true) => NOT_SHOWN.to_owned(),
            (false, false) => format!("{}\n{NOT_SHOWN}", message.text),
        };
        // Not cloned whole: pictures are large.
        Message {
            role: message.role,
            text,
            name: message.name.clone(),
            images: Vec::new(),
            calls: message.calls.clone(),
            answers: message.answers.clone(),
        }
    };
    Ask {
        system: ask.system.clone(),
        messages: ask.messages.iter().map(blind).collect(),
        tools: ask.tools.clone(),
        max_output_tokens: ask.max_output_tokens,
        temperature: ask.temperature,
    }
}
