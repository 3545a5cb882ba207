//! What SES and S3 answer: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>.

use std::time::Duration;

use channel::{Response, Settled, Step};
use serde_json::Value;

use crate::mime;

/// The quota of a day is counted over 24 hours: <https://docs.aws.amazon.com/ses/latest/dg/quotas.html>.
const QUOTA: Duration = Duration::from_secs(3_600);

pub fn settle(step: &Step, response: &Response) -> Settled {
    if step.method == "GET" {
        return stored(step, response);
    }
    let body = response.body_json();
    if response.is_success() {
        return Settled::Posted(body.get("MessageId").and_then(Value::as_str).map(str::to_owned));
    }
    let said = ["message", "Message"].iter().find_map(|name| body.get(*name)?.as_str()).unwrap_or("");
    let said: String = said.chars().take(200).collect();
    match kind(response, &body).as_str() {
        "TooManyRequestsException" if response.status == 429 => Settled::Later(response.retry_after()),
        "TooManyRequestsException" | "LimitExceededException" => Settled::Later(Some(QUOTA)),
        kind @ "MessageRejected" if !said.to_ascii_lowercase().contains("attachment") => {
            Settled::Broken(format!(
                "{kind}: {said} (in the SES sandbox mail goes to verified addresses only: request production access)"
            ))
        }
        kind @ ("AccountSuspendedException" | "SendingPausedException") => {
            Settled::Broken(format!("{kind}: {said} (SES → Account dashboard says why)"))
        }
        kind @ "MailFromDomainNotVerifiedException" => {
            Settled::Broken(format!("{kind}: {said} (SES → Identities: verify the domain)"))
        }
        // Not every kind of file may be sent, nor one of every size: docs.aws.amazon.com/ses/latest/dg/attachments.html
        _ if (400..429).contains(&response.status) && step.file.is_some() => Settled::Unformatted,
        kind if (400..429).contains(&response.status) && !kind.is_empty() => {
            Settled::Broken(format!("{kind}: {said}"))
        }
        _ => Settled::by_status(response),
    }
}

/// A mail in the bucket: its text, where only its beginning was asked for, else its files.
fn stored(step: &Step, response: &Response) -> Settled {
    if !response.is_success() {
        return Settled::by_status(response);
    }
    match step.headers.get("range") {
        Some(_) => Settled::Fetched(mime::text(&response.body).into_bytes()),
        None => Settled::Files(mime::files(&response.body)),
    }
}

/// The error's name, without what AWS puts around it.
fn kind(response: &Response, body: &Value) -> String {
    let header = response.headers.get("x-amzn-errortype");
    let kind = header.or_else(|| body.get("__type").and_then(Value::as_str)).unwrap_or("");
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    kind.split(':').next().unwrap_or(kind).to_owned()
}
