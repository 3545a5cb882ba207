//! What WeChat's answers mean: the code in the body counts, the status is mostly 200.
//! <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html>

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::render::{DOWNLOAD, UPLOAD};
use crate::spec::{ACCESS, MINT, NAME};

/// The token is over, or not ours.
const TOKENS: [i64; 4] = [40_001, 40_014, 41_001, 42_001];
/// Busy; called too often in a minute, in a day.
const TOO_MANY: [i64; 3] = [-1, 45_011, 45_009];

pub fn settle(step: &Step, response: &Response) -> Settled {
    let body = response.body_json();
    let code = body.get("errcode").and_then(Value::as_i64);
    let path = match &step.target {
        Target::Base { path, .. } => path.as_str(),
        Target::Url(_) | Target::Answer => "",
    };
    match code {
        _ if !response.is_success() => Settled::by_status(response),
        // A file comes without a code.
        None if path.starts_with(DOWNLOAD) => Settled::Fetched(response.body.clone()),
        // So does the id of an upload.
        None => match body.get("media_id").and_then(Value::as_str) {
            Some(id) => Settled::Posted(Some(id.to_owned())),
            None => Settled::Later(None),
        },
        Some(0) => Settled::Posted(None),
        Some(code) if TOO_MANY.contains(&code) => Settled::Later(response.retry_after()),
        // Only where WeChat was told of the address that calls.
        Some(code @ (40_164 | 61_004)) => Settled::Broken(format!(
            "{code}: enter the address that the stack calls from in the account's IP allow list"
        )),
        Some(code) if path.starts_with(MINT) => Settled::Broken(format!(
            "{code}: WeChat does not take the AppID or the AppSecret; store them as {NAME}'s receive_id and app_secret"
        )),
        Some(code) if TOKENS.contains(&code) => Settled::Renew(ACCESS.to_owned()),
        // What cannot be uploaded is sent as a link, what the account has no menus for as text.
        Some(_) if path.starts_with(UPLOAD) || is_menu(step) => Settled::Unformatted,
        Some(code) => Settled::Broken(advice(code, &body)),
    }
}

fn advice(code: i64, body: &Value) -> String {
    match code {
        45_015 => {
            format!("{code}: the person's last message is more than 48 hours old; they must write again")
        }
        45_047 => format!(
            "{code}: five answers to one message are all that WeChat takes; the person must write again"
        ),
        48_001 => format!("{code}: this account may not send customer service messages; it must be verified"),
        43_004 | 50_002 | 50_005 => format!("{code}: the person does not follow the account any more"),
        _ => {
            let said = body.get("errmsg").and_then(Value::as_str).unwrap_or("");
            let said = said.split([',', ';']).next().unwrap_or("").split(" rid:").next().unwrap_or("");
            format!("{code}: {}", said.chars().take(100).collect::<String>())
        }
    }
}

fn is_menu(step: &Step) -> bool {
    matches!(&step.body, Body::Json(body) if body.get("msgmenu").is_some())
}
