//! Calls to addresses of the operator's own: webhooks, the stand-in, the platforms' APIs.

use std::time::Duration;

use channel::Request;
use egress::{Answer, Call, Egress, HeaderMap, HeaderName, HeaderValue, Method, Trust};
use serde::de::DeserializeOwned;

use crate::Error;

/// More than any webhook or API answers.
const MAX_ANSWER: usize = 16 << 20;

/// The clients.
///
/// # Errors
/// TLS cannot be set up.
pub fn egress() -> Result<Egress, Error> {
    Egress::new().map_err(|error| Error::failed(error.to_string()))
}

/// Sends a request as it stands.
///
/// # Errors
/// There was no answer in time.
pub async fn send(egress: &Egress, request: Request, time_out: Duration) -> Result<Answer, egress::Error> {
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| egress::Error::Refused(format!("{} is no HTTP method", request.method)))?;
    let pair = |(name, value): (&str, &str)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    let headers: HeaderMap = request.headers.iter().filter_map(pair).collect();
    let body = request.body;
    let trust = Trust::Configured;
    egress
        .send(Call { method, url: &request.url, headers, body, time_out, max_bytes: MAX_ANSWER, trust })
        .await
}

/// Reads JSON from an address that holds no secret.
///
/// # Errors
/// There was no answer in time, or another one.
pub async fn get_json<T: DeserializeOwned>(
    egress: &Egress,
    url: &str,
    time_out: Duration,
) -> Result<T, Error> {
    let request = Request::new("GET", url, channel::Headers::default(), "");
    let answer = send(egress, request, time_out).await;
    let answer = answer.map_err(|error| Error::failed(format!("{url} does not answer: {error}")))?;
    serde_json::from_slice(&answer.body).map_err(|error| {
        Error::failed(format!("{url} answered {} with something else: {error}", answer.status))
    })
}
