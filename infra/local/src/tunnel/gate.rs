//! What the world may reach: `/<channel>/…` of the open channels, and nothing else on this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Error;

/// Lambda takes no more.
const MAX_BODY: usize = 6 << 20;

/// The running gate, in a thread of its own. Ends when dropped.
pub(super) struct Gate {
    pub port: u16,
    _shut: oneshot::Sender<()>,
}

struct Ways {
    /// The functions' addresses by channel, each with a `/` at the end.
    webhooks: BTreeMap<String, String>,
    client: reqwest::Client,
}

impl Gate {
    /// Listens on 127.0.0.1, where the tunnel comes out; any free port for 0.
    pub fn open(port: u16, webhooks: BTreeMap<String, String>) -> Result<Gate, Error> {
        let failed =
            |error: std::io::Error| Error::Broken(format!("the tunnel's gate does not open: {error}"));
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))
            .map_err(|_| crate::ministack::taken("TUNNEL_PORT", port))?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let egress = egress::Egress::new().map_err(|error| Error::Broken(error.to_string()))?;
        let ways = Arc::new(Ways { webhooks, client: egress.configured_client() });
        let router = Router::new().fallback(pass).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(ways);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (shut, is_shut) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = is_shut => {}
                }
            });
        });
        Ok(Gate { port, _shut: shut })
    }
}

async fn pass(
    State(ways): State<Arc<Ways>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(url) = ways.target(&uri) else { return StatusCode::NOT_FOUND.into_response() };
    let mut call = ways.client.request(method, url).body(body);
    for (name, value) in headers.iter().filter(|(name, _)| may_pass(name.as_str())) {
        call = call.header(name, value);
    }
    let Ok(answer) = call.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let mut built = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| may_pass(name.as_str())) {
        built = built.header(name, value);
    }
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    built.body(body.into()).unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}

impl Ways {
    /// The function's own address of what is asked for.
    fn target(&self, uri: &Uri) -> Option<reqwest::Url> {
        let (channel, rest) = uri.path_and_query()?.as_str().trim_start_matches('/').split_once('/')?;
        let webhook = self.webhooks.get(channel)?;
        let url = reqwest::Url::parse(&format!("{webhook}{rest}")).ok()?;
        // `..` in any spelling would lead out of it, to the cloud's own services.
        url.as_str().starts_with(webhook.as_str()).then_some(url)
    }
}

/// Headers that name a host, describe the connection, or speak to the services of the local cloud.
fn may_pass(name: &str) -> bool {
    !matches!(name, "host" | "connection" | "content-length" | "transfer-encoding" | "upgrade")
        && !name.starts_with("x-amz-")
        && !name.starts_with("x-amzn-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_a_webhook() {
        let webhooks = [("telegram".to_owned(), "http://127.0.0.1:1/_aws/lambda-url/abc/".to_owned())].into();
        let ways = Ways { webhooks, client: egress::Egress::new().unwrap().configured_client() };
        let check = |path: &str, expected: Option<&str>| {
            let target = path.parse::<Uri>().ok().and_then(|uri| ways.target(&uri));
            assert_eq!(target.as_ref().map(reqwest::Url::as_str), expected, "{path}");
        };
        check("/telegram/", Some("http://127.0.0.1:1/_aws/lambda-url/abc/"));
        check("/telegram/support/x?a=1", Some("http://127.0.0.1:1/_aws/lambda-url/abc/support/x?a=1"));
        for path in [
            "/",
            "/slack/",
            "/calls",
            "/page/about",
            "/_aws/lambda-url/abc/",
            "/telegram/../",
            "/telegram/..%2f..%2f",
            "/telegram/%2e%2e/other/",
            "/telegram/x/../../../",
            "/telegram/.%2E/other/",
            "/telegram",
        ] {
            let target = path.parse::<Uri>().ok().and_then(|uri| ways.target(&uri));
            let inside = target
                .as_ref()
                .is_none_or(|url| url.as_str().starts_with("http://127.0.0.1:1/_aws/lambda-url/abc/"));
            assert!(inside, "{path}: {target:?}");
        }
        check("/telegram/../", None);
        check("/telegram/%2e%2e/other/", None);
        check("/calls", None);
        check("//127.0.0.1:4566/", None);
    }

    #[test]
    fn headers_for_the_local_cloud_stay_outside() {
        assert!(
            may_pass("x-telegram-bot-api-secret-token")
                && may_pass("authorization")
                && may_pass("content-type")
        );
        assert!(!may_pass("x-amz-target") && !may_pass("host") && !may_pass("x-amzn-trace-id"));
    }
}
