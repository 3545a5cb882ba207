//! Stands in for a model in local runs, so that the whole path works before there is a key.

use std::time::Instant;

use crate::{Answer, Ask, Error, Model, OnText, Role};

pub(crate) struct Echo;

#[async_trait::async_trait]
impl Model for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    async fn ask(&self, ask: &Ask, _deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let said = ask.messages.iter().rev().find(|message| message.role == Role::User);
        let said = said.map_or("", |message| message.text.as_str());
        let text = format!("[no model set up] You said: {said}");
        on_text.push(&text);
        Ok(Answer { text, model: self.name().to_owned(), calls_made: 1, ..Answer::default() })
    }
}
