//! How our Lambdas reach AWS: region and credentials from the environment, one HTTP client for all services.
//!
//! Without `aws-config`: the variables that Lambda sets are fixed for the life of a sandbox, and looking anywhere else
//! would cost a megabyte of code on every cold start.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
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
    let session = variable("AWS_SESSION_TOKEN").ok();
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(id, secret, session, None, "environment");
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http);
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

/// A variable of the environment that is set and not empty.
///
/// # Errors
/// It is not.
pub fn variable(name: &'static str) -> Result<String, NotSet> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(NotSet(name))
}
