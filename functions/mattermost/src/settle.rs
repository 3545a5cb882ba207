//! What Mattermost's answers mean. The limiter, off as delivered, answers 429 with `Retry-After`: server/channels/app/ratelimit.go
//! of github.com/mattermost/mattermost.

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::spec::NAME;

pub fn settle(step: &Step, response: &Response) -> Settled {
    let body = response.body_json();
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_upload = matches!(step.body, Body::Multipart { .. });
    let is_file = matches!(&step.target, Target::Base { path, .. } if path.starts_with("/api/v4/files/"));
    match response.status {
        200..=299 if is_file => Settled::Fetched(response.body.clone()),
        // A post is asked for its thread's first one.
        200..=299 if step.method == "GET" => {
            Settled::Posted(text("root_id").or(text("id")).map(str::to_owned))
        }
        200..=299 if is_upload => {
            let id = body.pointer("/file_infos/0/id").and_then(Value::as_str);
            Settled::Posted(id.map(str::to_owned))
        }
        200..=299 => Settled::Posted(text("id").map(str::to_owned)),
        401 => Settled::Broken(format!(
            "401: the server does not take the bot's token. Create one under Bot Accounts and store it as {NAME}'s bot_token"
        )),
        // What cannot be uploaded is shown by its address. A server whose files are switched off says 501.
        400..=499 | 501 if is_upload && !matches!(response.status, 408 | 425 | 429) => Settled::Unformatted,
        // After a command: its own address may still do. Others fill in the thread.
        403 if matches!(step.body, Body::Json(_)) => Settled::Gone,
        403 => Settled::Broken(
            "403: the bot is not in this channel; add it to the team and invite it".to_owned(),
        ),
        400..=499 if !matches!(response.status, 404 | 408 | 410 | 425 | 429) => {
            Settled::Broken(match text("id") {
                Some(id) => format!("{}: {}", response.status, id.chars().take(100).collect::<String>()),
                None => format!("HTTP {}", response.status),
            })
        }
        _ => Settled::by_status(response),
    }
}
