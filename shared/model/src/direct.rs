//! The few requests that are made without a library: embeddings and transcriptions.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::Error;
use crate::chat::connection;
use crate::error::{from_status, retry_after};

/// Nobody streams these, so the wait is for the whole answer.
const TIME_OUT: Duration = Duration::from_secs(60);
/// A hundred vectors of 3,072 numbers are less.
const LARGEST: usize = 16 * 1024 * 1024;
/// Enough of a refusal to see why.
const LARGEST_REFUSAL: usize = 64 * 1024;

const UNREADABLE: Error = Error::busy("it answered something unreadable");

/// The JSON of a successful answer.
pub(crate) async fn json(request: RequestBuilder) -> Result<Value, Error> {
    let send = async {
        let mut response = request.send().await.map_err(|error| connection(&error))?;
        let status = response.status();
        let headers = response.headers().clone();
        let largest = if status.is_success() { LARGEST } else { LARGEST_REFUSAL };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| connection(&error))? {
            if body.len() + chunk.len() > largest {
                return Err(UNREADABLE);
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| UNREADABLE);
        }
        let pause = retry_after(|name| Some(headers.get(name)?.to_str().ok()?.to_owned()));
        Err(from_status(status.as_u16(), pause, &String::from_utf8_lossy(&body)))
    };
    let answer = tokio::time::timeout(TIME_OUT, send).await;
    answer.unwrap_or(Err(Error::busy("it did not answer in time")))
}

/// What is not there, or of another type, is no answer.
pub(crate) const fn unreadable() -> Error {
    UNREADABLE
}
