//! What Feishu's answers mean: the code in the body counts, whatever the status.
//! <https://open.feishu.cn/document/server-docs/im-v1/message/reply>, "Error codes";
//! <https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code>.

use std::time::Duration;

use channel::{Body, Response, RetryAfter, Settled, Step, Target};
use serde_json::{Value, json};

use crate::render::{FILES, IMAGES};
use crate::spec::{MINT, NAME, TOKEN};

/// "invalid access token": it is over, or of another app.
const TOKENS: [i64; 4] = [99_991_661, 99_991_663, 99_991_664, 99_991_665];
/// <https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control>; the others are of single chats and of
/// the platform's own load.
const TOO_MANY: [i64; 5] = [99_991_400, 230_020, 11_232, 11_233, 11_247];

pub fn settle(step: &Step, response: &Response) -> Settled {
    let path = match &step.target {
        Target::Base { path, .. } => path.as_str(),
        Target::Url(_) | Target::Answer => "",
    };
    let body = response.body_json();
    let code = body.get("code").and_then(Value::as_i64);
    match (response.status, code) {
        (429, _) => Settled::Later(wait(response)),
        (_, Some(code)) if TOO_MANY.contains(&code) => Settled::Later(wait(response)),
        (500.., _) => Settled::by_status(response),
        _ if path == MINT => token(code, response),
        (_, Some(code)) if TOKENS.contains(&code) => Settled::Renew(TOKEN.to_owned()),
        (401, _) => Settled::Renew(TOKEN.to_owned()),
        // A file comes without a code.
        (200..=299, None) if step.method == "GET" => Settled::Fetched(response.body.clone()),
        (200..=299, Some(0)) => Settled::Posted(posted(path, &body)),
        // What cannot be uploaded is sent as a link.
        (_, Some(_)) if path == IMAGES || path == FILES => Settled::Unformatted,
        (_, Some(code)) => failed(step, code, &body),
        (200..=299, None) => Settled::Later(None),
        _ => Settled::by_status(response),
    }
}

/// The id of a message; of an upload the content of the message that shows it.
fn posted(path: &str, body: &Value) -> Option<String> {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str);
    match path {
        IMAGES => text("/data/image_key").map(|key| json!({"image_key": key}).to_string()),
        FILES => text("/data/file_key").map(|key| json!({"file_key": key}).to_string()),
        _ => text("/data/message_id").map(str::to_owned),
    }
}

fn failed(step: &Step, code: i64, body: &Value) -> Settled {
    match code {
        // The question, or the draft, was withdrawn; the draft takes no more edits.
        230_011 | 230_072 | 230_075 => Settled::Gone,
        230_001 | 230_099 if is_rich(step) => Settled::Unformatted,
        230_002 => Settled::Broken(format!("{code}: the bot is not in this chat any more; add it again")),
        230_006 => Settled::Broken(format!("{code}: add the feature Bot to the app and publish a version")),
        230_013 => Settled::Broken(format!(
            "{code}: this person is outside of the app's availability; widen it and publish a version"
        )),
        99_991_672 | 230_027 => Settled::Broken(format!(
            "{code}: the app lacks a permission; add im:message and im:resource and publish a version"
        )),
        _ => {
            let said = body.get("msg").and_then(Value::as_str).unwrap_or("");
            Settled::Broken(format!("{code}: {}", said.chars().take(100).collect::<String>()))
        }
    }
}

fn is_rich(step: &Step) -> bool {
    let kind = match &step.body {
        Body::Json(body) => body.get("msg_type").and_then(Value::as_str),
        _ => None,
    };
    matches!(kind, Some("post" | "interactive"))
}

/// Asking for a token failed.
fn token(code: Option<i64>, response: &Response) -> Settled {
    match code {
        Some(code) if code != 0 => Settled::Broken(format!(
            "{code}: Feishu does not take the app's credentials; store them as {NAME}'s app_id and app_secret. An app of Lark needs the setting `cloud: lark`"
        )),
        _ => Settled::by_status(response),
    }
}

/// Seconds, in a header of their own.
fn wait(response: &Response) -> RetryAfter {
    let reset = response.headers.get("x-ogw-ratelimit-reset").and_then(|seconds| seconds.trim().parse().ok());
    reset.map(Duration::from_secs).or_else(|| response.retry_after())
}
