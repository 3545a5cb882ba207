//! Buttons with answers to choose from: <https://docs.discord.com/developers/components/reference#button>.

use std::collections::HashSet;

use channel::{Choice, Limit, Unit, text};
use serde_json::{Value, json};

/// What the `custom_id` of a choice begins with; what it says follows.
const SAYS: &str = "say:";

/// Longest `custom_id`, longest label, characters; buttons in a row, rows in a message. One row is the reply button's.
const MAX_ID: usize = 100;
const LABEL: Limit = Limit { max: 80, unit: Unit::Chars };
const IN_ROW: usize = 5;
const ROWS: usize = 4;

/// The rows of these choices; `None` where they do not fit into buttons, or say the same.
pub fn rows(choices: &[Choice]) -> Option<Vec<Value>> {
    let ids: HashSet<&str> = choices.iter().map(|choice| choice.says.as_str()).collect();
    let fits = |choice: &Choice| {
        !choice.label.trim().is_empty() && SAYS.len() + choice.says.chars().count() <= MAX_ID
    };
    let are_fit = (1..=IN_ROW * ROWS).contains(&choices.len()) && choices.iter().all(fits);
    if !are_fit || ids.len() < choices.len() {
        return None;
    }
    let button = |choice: &Choice| {
        let label = text::split(&choice.label, LABEL).into_iter().next().unwrap_or_default();
        json!({ "type": 2, "style": 2, "label": label, "custom_id": format!("{SAYS}{}", choice.says) })
    };
    let row = |row: &[Choice]| json!({ "type": 1, "components": row.iter().map(button).collect::<Vec<_>>() });
    Some(choices.chunks(IN_ROW).map(row).collect())
}

/// What a press of this button says; `None` where it is none of these.
pub fn said(custom_id: &str) -> Option<&str> {
    custom_id.strip_prefix(SAYS).filter(|said| !said.trim().is_empty())
}

/// The `custom_id` of a button that says this.
#[cfg(any(test, feature = "local"))]
pub fn pressed(says: &str) -> String {
    format!("{SAYS}{says}")
}
