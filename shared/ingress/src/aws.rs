//! How our Lambdas reach AWS: region and credentials from the environment, one HTTP client for all services.
//!
//! Without `aws-config`: the variables that Lambda sets are fixed for the life of a sandbox, and looking anywhere else
//! would cost a megabyte of code on every cold start.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// A variable of the environment that is not there.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct NotSet(&'static str);

/// What every client of an AWS service is built from. Build it once: the clients share its connections.
///
/// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and, for the local cloud,
/// `AWS_ENDPOINT_URL`.
///
/// # Errors
/// One of the first three is not set.
pub fn from_env() -> Result<SdkConfig, NotSet> {
    let region = variable("AWS_REGION")?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client(&region)?)
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials()?));
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

/// The credentials of the sandbox.
///
/// # Errors
/// One of the variables that hold them is not set.
pub fn credentials() -> Result<Credentials, NotSet> {
    let session = variable("AWS_SESSION_TOKEN").ok();
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    Ok(Credentials::new(id, secret, session, None, "environment"))
}

/// One client for all services. It trusts the five roots that AWS signs with, because parsing the system's 146 takes most
/// of a cold start's CPU time; `AWS_CA_BUNDLE` names a file with others, and China, which has its own, gets the system's.
/// <https://www.amazontrust.com/repository/>
fn http_client(region: &str) -> Result<SharedHttpClient, NotSet> {
    let trust = match variable("AWS_CA_BUNDLE") {
        Ok(path) => {
            let pem = std::fs::read(path)
                .map_err(|_| NotSet("AWS_CA_BUNDLE (it names no file that can be read)"))?;
            TrustStore::empty().with_pem_certificate(pem)
        }
        Err(_) if region.starts_with("cn-") => TrustStore::default(),
        Err(_) => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
    };
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|_| NotSet("AWS_CA_BUNDLE (it holds no certificates)"))?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls).build_https())
}

const AMAZON_ROOTS: &[u8] = include_bytes!("../certs/amazon-trust-services.pem");

/// A variable of the environment that is set and not empty.
///
/// # Errors
/// It is not.
pub fn variable(name: &'static str) -> Result<String, NotSet> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(NotSet(name))
}
