//! What WeCom's answers mean: the code in the body counts, the status is mostly 200.
//! <https://developer.work.weixin.qq.com/document/path/90313>

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::render::{DOWNLOAD, UPLOAD};
use crate::spec::{ACCESS, MINT, NAME};

/// The token is over, or not ours.
const TOKENS: [i64; 3] = [40_014, 41_001, 42_001];
/// Busy; called too often; too many calls at once.
const TOO_MANY: [i64; 3] = [-1, 45_009, 45_033];

pub fn settle(step: &Step, response: &Response) -> Settled {
    let body = response.body_json();
    let code = body.get("errcode").and_then(Value::as_i64);
    let path = match &step.target {
        Target::Base { path, .. } => path.as_str(),
        Target::Url(_) | Target::Answer => return reply(code, response),
    };
    match code {
        _ if !response.is_success() => Settled::by_status(response),
        // A file comes without a code.
        None if path.starts_with(DOWNLOAD) => Settled::Fetched(response.body.clone()),
        None => Settled::Later(None),
        Some(0) => {
            let id = ["msgid", "media_id"].iter().find_map(|name| body.get(*name)?.as_str());
            Settled::Posted(id.map(str::to_owned))
        }
        Some(code) if TOO_MANY.contains(&code) => Settled::Later(response.retry_after()),
        // Only where WeCom was told of the address that calls.
        Some(60_020) => Settled::Broken(
            "60020: enter the address that the stack calls from among the app's trusted IP addresses"
                .to_owned(),
        ),
        Some(code) if path.starts_with(MINT) => Settled::Broken(format!(
            "{code}: WeCom does not take the company's ID or the app's Secret; store them as {NAME}'s receive_id and corp_secret"
        )),
        Some(code) if TOKENS.contains(&code) => Settled::Renew(ACCESS.to_owned()),
        // What cannot be uploaded is sent as a link, what has no form as text.
        Some(_) if path.starts_with(UPLOAD) || is_card(step) => Settled::Unformatted,
        Some(81_013) => Settled::Broken(
            "81013: this person does not see the app any more; widen its visible range".to_owned(),
        ),
        Some(code) => Settled::Broken(words(code, &body)),
    }
}

/// What became of a bot's only answer.
fn reply(code: Option<i64>, response: &Response) -> Settled {
    match code {
        _ if !response.is_success() => Settled::by_status(response),
        None | Some(0) => Settled::Posted(None),
        Some(code) if TOO_MANY.contains(&code) => Settled::Later(response.retry_after()),
        Some(code) => Settled::Broken(format!(
            "{}; a bot answers once, within an hour",
            words(code, &response.body_json())
        )),
    }
}

/// WeCom's words, without the hints that follow them.
fn words(code: i64, body: &Value) -> String {
    let said = body.get("errmsg").and_then(Value::as_str).unwrap_or("");
    let said = said.split(", hint").next().unwrap_or("");
    format!("{code}: {}", said.chars().take(100).collect::<String>())
}

fn is_card(step: &Step) -> bool {
    matches!(&step.body, Body::Json(body) if body.get("template_card").is_some())
}
