//! An answer that grows as a stream of Slack's, in a thread, as a reply to somebody:
//! <https://docs.slack.dev/reference/methods/chat.startStream>.
//!
//! A stream that is open takes no edits, one that is over takes nothing else; Slack ends it by itself after some minutes. So
//! what the end does not take (`message_not_in_streaming_state`, `msg_too_long`, `streaming_mode_mismatch`, …) becomes an
//! edit of the same message, after the stream was ended for sure.

use channel::markdown::standing;
use channel::{Address, Grown, PostContext, Step};
use serde_json::{Value, json};

use crate::markdown::SlackMarkdown;
use crate::render::{call, extend};
use crate::spec::SPEC;

/// Where [`Address::data`] keeps who a stream is for, and in which workspace.
pub const RECIPIENT: &str = "recipient";
pub const RECIPIENT_TEAM: &str = "recipient_team";

/// Whether the draft begins a stream, or goes on with one.
pub fn is_meant(grown: &Grown, posted: Option<&str>, to: &Address, ctx: &PostContext<'_>) -> bool {
    let native = ctx.settings.get("streaming").and_then(Value::as_str) != Some("edit");
    let able = to.thread.is_some() && to.data.contains_key(RECIPIENT) && to.data.contains_key(RECIPIENT_TEAM);
    native && !ctx.plain && if posted.is_some() { grown.is_streamed() } else { able }
}

/// The beginning, or what is new; `None` where nothing new stands yet.
pub fn draft(text: &str, posted: Option<&str>, grown: &Grown, to: &Address) -> Option<Step> {
    let stands = standing(text, &SlackMarkdown, SPEC.text);
    let step = match posted {
        Some(posted) => {
            let new = stands.strip_prefix(said(grown)?.as_str()).filter(|new| !new.trim().is_empty())?;
            let body = json!({ "channel": to.chat, "ts": posted, "markdown_text": new });
            call("chat.appendStream", body)
        }
        None if stands.is_empty() => return None,
        None => call(
            "chat.startStream",
            json!({
                "channel": to.chat, "thread_ts": to.thread, "markdown_text": stands,
                "recipient_user_id": to.data.get(RECIPIENT), "recipient_team_id": to.data.get(RECIPIENT_TEAM),
            }),
        ),
    };
    Some(step.stream().optional())
}

/// What the stream lacks of the whole message; `None` where it says something else, or nobody knows what it says.
pub fn rest(grown: &Grown, content: &Value) -> Option<String> {
    let whole = content.get("markdown_text")?.as_str()?;
    whole.strip_prefix(said(grown)?.as_str()).map(str::to_owned)
}

/// The stream's last words, and the blocks below them. Said a second time it is refused, and becomes an edit.
pub fn finish(to: &Address, posted: &str, rest: &str, blocks: Option<&Value>) -> Step {
    let mut body = json!({ "channel": to.chat, "ts": posted });
    if !rest.is_empty() {
        extend(&mut body, json!({ "markdown_text": rest }));
    }
    if let Some(blocks) = blocks {
        extend(&mut body, json!({ "blocks": blocks }));
    }
    call("chat.stopStream", body).stream().repeatable()
}

/// The stream is over, whatever it says, so that its message can be edited.
pub fn end(to: &Address, posted: &str) -> Step {
    call("chat.stopStream", json!({ "channel": to.chat, "ts": posted })).repeatable()
}

/// What the stream says, as it was written.
fn said(grown: &Grown) -> Option<String> {
    match grown {
        Grown::Streamed { said: Some(said), .. } => Some(standing(said, &SlackMarkdown, SPEC.text)),
        Grown::Streamed { said: None, .. } | Grown::Edited | Grown::Left => None,
    }
}
