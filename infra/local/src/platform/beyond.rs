//! The services of the local cloud that are a channel's platform: calls to them go on into the real thing.

use std::sync::OnceLock;

use channel::{Request, Response};

use crate::Error;

/// The way to the local cloud, once it is there.
pub(crate) struct Beyond {
    url: OnceLock<String>,
    client: reqwest::Client,
}

impl Beyond {
    pub fn new() -> Result<Beyond, Error> {
        let egress = egress::Egress::new().map_err(|error| Error::Broken(error.to_string()))?;
        Ok(Beyond { url: OnceLock::new(), client: egress.configured_client() })
    }

    /// Where the services are, without a `/` at the end. Said once.
    pub fn is_at(&self, url: &str) {
        let _ = self.url.set(url.to_owned());
    }

    /// The real answer to a call; `None` while there is no cloud. Host and path stay as they are signed: services are told apart by
    /// other things.
    pub async fn answer(&self, request: &Request) -> Option<Response> {
        let url = format!("{}{}", self.url.get()?, request.url);
        let method = request.method.parse().ok()?;
        let mut call = self.client.request(method, url).body(request.body.clone());
        for (name, value) in request.headers.iter().filter(|(name, _)| !is_of_the_connection(name)) {
            call = call.header(name, value);
        }
        let unreachable = || Response::text(502, "the local cloud does not answer");
        let Ok(answer) = call.send().await else { return Some(unreachable()) };
        let status = answer.status().as_u16();
        let headers = super::read(answer.headers());
        let headers = headers.iter().filter(|(name, _)| !is_of_the_connection(name)).collect();
        let body = answer.bytes().await.map(|bytes| bytes.to_vec());
        Some(body.map_or_else(|_| unreachable(), |body| Response { status, headers, body }))
    }
}

fn is_of_the_connection(name: &str) -> bool {
    matches!(name, "connection" | "content-length" | "transfer-encoding")
}
