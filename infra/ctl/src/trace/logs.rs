//! The functions' log lines, by FilterLogEvents, which costs nothing.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use serde_json::Value;

use crate::Error;
use crate::clock::now;
use crate::place::Place;

const DAY_MS: i64 = 24 * 3_600_000;

pub struct Logs {
    client: Client,
    stack: String,
    since: i64,
}

impl Logs {
    pub fn new(place: &Place, days: u32) -> Logs {
        let since = now() - i64::from(days) * DAY_MS;
        Logs { client: Client::new(&place.aws), stack: place.stack.clone(), since }
    }

    /// The lines of a function (`telegram`, `model-invoker`) that hold this text, as far as they are JSON.
    ///
    /// # Errors
    /// The logs cannot be read. A function that never logged has none.
    pub async fn lines(&self, function: &str, text: &str) -> Result<Vec<Value>, Error> {
        let group = format!("/aws/lambda/{}-{function}", self.stack);
        let call = self.client.filter_log_events().log_group_name(&group);
        let call = call.start_time(self.since).filter_pattern(quoted(text));
        let mut pages = call.into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(FilterLogEventsError::is_resource_not_found_exception) =>
                {
                    break;
                }
                Err(error) => return Err(Error::aws(format!("cannot read the log {group}"), &error)),
            };
            let texts = page.events().iter().filter_map(|event| event.message());
            lines.extend(texts.filter_map(|line| serde_json::from_str::<Value>(line).ok()));
        }
        Ok(lines)
    }
}

/// A text as a filter pattern that finds it as it stands.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_quoted() {
        assert_eq!(super::quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
