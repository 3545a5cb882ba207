//! An answer that grows as a stream of Teams', in 1:1 chats: <https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux>.
//!
//! Each call says all that there is so far, which must begin with what was said before; the last one is a message. Teams takes
//! them for two minutes, one stream at a time, and lets people stop it. What is refused goes on as an edit of the message.

use channel::markdown::standing;
use channel::{Address, Grown, PostContext, Step};
use serde_json::{Value, json};

use crate::render::{MARKDOWN, send, set};
use crate::spec::SPEC;

/// Where [`Address::data`] says that a chat takes streams.
pub const STREAMS: &str = "streams";

/// Whether the draft begins a stream, or goes on with one.
pub fn is_meant(grown: &Grown, posted: Option<&str>, to: &Address, ctx: &PostContext<'_>) -> bool {
    let native = ctx.settings.get("streaming").and_then(Value::as_str) != Some("edit");
    let able = to.data.contains_key(STREAMS);
    native && !ctx.plain && if posted.is_some() { grown.is_streamed() } else { able }
}

/// All that stands; `None` where nothing new does.
pub fn draft(text: &str, posted: Option<&str>, grown: &Grown, to: &Address) -> Option<Step> {
    let stands = standing(text, &MARKDOWN, SPEC.text);
    let mut info = json!({"type": "streaminfo", "streamType": "streaming", "streamSequence": 1});
    match (posted, grown) {
        (None, _) if stands.is_empty() => return None,
        (None, _) => {}
        (Some(id), Grown::Streamed { said: Some(said), calls }) => {
            let said = standing(said, &MARKDOWN, SPEC.text);
            stands.strip_prefix(&said).filter(|new| !new.trim().is_empty())?;
            set(&mut info, "streamId", json!(id));
            set(&mut info, "streamSequence", json!(calls + 1));
        }
        (Some(_), _) => return None,
    }
    let activity = json!({"type": "typing", "textFormat": "markdown", "text": stands, "entities": [info]});
    Some(send(to, activity).stream().optional())
}

/// Whether the message says more than the stream, and nothing else.
pub fn goes_on(grown: &Grown, message: &Value) -> bool {
    let (Grown::Streamed { said: Some(said), .. }, Some(text)) = (grown, message.get("text")) else {
        return false;
    };
    let is_markdown = message.get("textFormat").and_then(Value::as_str) == Some("markdown");
    let said = standing(said, &MARKDOWN, SPEC.text);
    is_markdown && text.as_str().is_some_and(|text| text.starts_with(&said))
}

/// The stream's last words. Said a second time they are refused, and become an edit.
pub fn finish(to: &Address, posted: &str, mut message: Value) -> Step {
    let info = json!({"type": "streaminfo", "streamId": posted, "streamType": "final"});
    set(&mut message, "entities", json!([info]));
    send(to, message).stream().repeatable()
}
