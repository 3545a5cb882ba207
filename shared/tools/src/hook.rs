//! Programs of the operator's that see every message before the model does, or every answer before people do.

use std::time::Duration;

use channel::{Secrets, sign};
use egress::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use turn::config::{Hook, HookPoint, OnError};

use crate::endpoint::{Endpoint, Limits};
use crate::{Context, Error, Tools};

/// Largest answer of a hook, bytes: a message and what surrounds it.
const MAX_ANSWER: usize = 256 * 1024;

/// What the hooks before the model made of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Before {
    /// The model is asked this.
    Ask(String),
    /// This is the answer; the model is not asked.
    Reply(String),
    /// There is no answer.
    Stop,
}

/// A hook's answer; nothing at all (`{}`, or an empty body) leaves everything as it is.
#[derive(Default, Deserialize)]
struct Answer {
    text: Option<String>,
    reply: Option<String>,
    #[serde(default)]
    stop: bool,
}

/// Sends the message through the hooks on `pre_process`, one after another; the first that replies or stops it is the last.
///
/// # Errors
/// A hook failed and says `on_error: stop`.
pub async fn pre_process(
    tools: &Tools,
    hooks: &[(String, Hook)],
    secrets: &Secrets,
    context: &Context,
    text: String,
) -> Result<Before, Error> {
    let mut text = text;
    for (name, hook) in hooks.iter().filter(|(_, hook)| hook.on == HookPoint::PreProcess) {
        let answer = ask(tools, name, hook, secrets, context, &text).await?;
        match answer {
            Answer { stop: true, .. } => return Ok(Before::Stop),
            Answer { reply: Some(reply), .. } => return Ok(Before::Reply(reply)),
            Answer { text: Some(changed), .. } => text = changed,
            _ => {}
        }
    }
    Ok(Before::Ask(text))
}

/// Sends the answer through the hooks on `post_process`, one after another.
///
/// # Errors
/// A hook failed and says `on_error: stop`.
pub async fn post_process(
    tools: &Tools,
    hooks: &[(String, Hook)],
    secrets: &Secrets,
    context: &Context,
    text: String,
) -> Result<String, Error> {
    let mut text = text;
    for (name, hook) in hooks.iter().filter(|(_, hook)| hook.on == HookPoint::PostProcess) {
        text = ask(tools, name, hook, secrets, context, &text).await?.text.unwrap_or(text);
    }
    Ok(text)
}

/// A hook's answer; an empty one for a hook that failed and may.
async fn ask(
    tools: &Tools,
    name: &str,
    hook: &Hook,
    secrets: &Secrets,
    context: &Context,
    text: &str,
) -> Result<Answer, Error> {
    match try_ask(tools, name, hook, secrets, context, text).await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let why = if let Error::NotSetUp(why) = &error { why } else { "" };
            tracing::warn!(hook = name, error = error.kind(), why, "a hook failed");
            match hook.on_error {
                OnError::Continue => Ok(Answer::default()),
                OnError::Stop => Err(error),
            }
        }
    }
}

async fn try_ask(
    tools: &Tools,
    name: &str,
    hook: &Hook,
    secrets: &Secrets,
    context: &Context,
    text: &str,
) -> Result<Answer, Error> {
    let (url, function) = (hook.url.as_deref(), hook.function.as_deref());
    let endpoint = Endpoint::of(url, function, hook.secret.as_deref(), HeaderMap::new(), secrets)?;
    let kind = match hook.on {
        HookPoint::PreProcess => "pre_process",
        HookPoint::PostProcess => "post_process",
    };
    // The same on every try of a turn, unless the text is another: then it is another question.
    let id = sign::sha256_hex([context.turn.as_str(), name, kind, text].join("\0").as_bytes());
    let id: String = id.chars().take(32).collect();
    let mut question = json!({"type": kind, "id": id, "hook": name, "text": text});
    context.tell(&mut question);
    let limits = Limits { time_out: Duration::from_secs(hook.timeout_s.into()), max_bytes: MAX_ANSWER };
    read(&endpoint.ask(tools, &id, &question, limits).await?)
}

fn read(body: &[u8]) -> Result<Answer, Error> {
    if body.trim_ascii().is_empty() {
        return Ok(Answer::default());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Null) => Ok(Answer::default()),
        Ok(answer @ Value::Object(_)) => serde_json::from_value(answer).map_err(|_| no_answer()),
        _ => Err(no_answer()),
    }
}

fn no_answer() -> Error {
    Error::NotSetUp("its answer must be a JSON object with `text`, `reply` or `stop`".to_owned())
}
