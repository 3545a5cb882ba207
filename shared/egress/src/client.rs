//! The two clients: how they are built and how a call is made.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::why;
use crate::{Answer, Call, Error, guard};

/// A host that does not accept a connection in this time is down for our purposes.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);

/// Idle connections are dropped well before load balancers drop theirs (60 s and more), so that a process
/// that was frozen between two invocations does not write into a closed one and leave a post in doubt.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// Client for addresses from the operator: any scheme, any network.
#[derive(Clone)]
pub struct Configured(reqwest::Client);

/// Client for addresses from payloads, models and tools: https, public addresses, listed hosts.
#[derive(Clone)]
pub struct Untrusted(reqwest::Client);

impl Configured {
    pub(crate) fn new(tls: ClientConfig) -> Result<Self, Error> {
        Ok(Self(build(builder(tls))?))
    }

    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, Error> {
        let url = parse(call.url)?;
        exchange(&self.0, url, call).await
    }

    pub(crate) fn client(&self) -> reqwest::Client {
        self.0.clone()
    }
}

impl Untrusted {
    pub(crate) fn new(tls: ClientConfig) -> Result<Self, Error> {
        Ok(Self(build(builder(tls).https_only(true).dns_resolver(guard::PublicOnly))?))
    }

    /// The resolver checks names; literal addresses never reach it and are checked here.
    pub(crate) async fn send(&self, call: Call<'_>, hosts: &[&str]) -> Result<Answer, Error> {
        let url = parse(call.url)?;
        guard::check(&url, hosts)?;
        exchange(&self.0, url, call).await
    }
}

/// Trust in the web's usual authorities, built in, and in those of `SSL_CERT_FILE` when it is set (company
/// proxies, endpoints with a private authority). Built in because reading the system's store costs
/// milliseconds on every cold start.
pub(crate) fn tls() -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        let unreadable = |why: String| {
            Error::NotSetUp(format!(
                "the certificates of SSL_CERT_FILE cannot be read ({why}): correct the path or unset it"
            ))
        };
        let file = CertificateDer::pem_file_iter(&path).map_err(|error| unreadable(error.to_string()))?;
        let found = file.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(error.to_string()))?;
        let (_, ignored) = roots.add_parsable_certificates(found);
        if ignored > 0 {
            tracing::warn!(ignored, "some certificates of SSL_CERT_FILE cannot be used");
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::NotSetUp(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// What both clients share. Switches for features that other crates of the binary turn on are set
/// explicitly: what this client does must not depend on who else links reqwest.
fn builder(tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .http1_only()
        .referer(false)
        .connect_timeout(CONNECT_TIME_OUT)
        .pool_idle_timeout(IDLE_CONNECTION)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::NotSetUp(format!("the HTTP client cannot be built: {error}")))
}

fn parse(url: &str) -> Result<reqwest::Url, Error> {
    reqwest::Url::parse(url).map_err(|error| Error::Refused(format!("not an absolute address: {error}")))
}

async fn exchange(client: &reqwest::Client, url: reqwest::Url, call: Call<'_>) -> Result<Answer, Error> {
    let request =
        client.request(call.method, url).headers(call.headers).timeout(call.time_out).body(call.body);
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let unread = |why: String| Error::Unread { status, why };
    let too_large = || unread(format!("it is larger than {} bytes", call.max_bytes));
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).unwrap_or(usize::MAX) > call.max_bytes {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unread(why(error)))? {
        if body.len() + chunk.len() > call.max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers: response.headers().clone(), body })
}
