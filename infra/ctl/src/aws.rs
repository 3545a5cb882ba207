//! How AWS is reached: an account with whatever credentials the operator has, or the local cloud.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;

use crate::Error;

/// The account that the environment, the profile or the SSO session leads to. `AWS_ENDPOINT_URL` counts.
///
/// # Errors
/// Nothing says which region.
pub async fn account() -> Result<SdkConfig, Error> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http()).load().await;
    match config.region() {
        Some(_) => Ok(config),
        None => Err(Error::failed("no region: set AWS_REGION, or AWS_PROFILE to a profile that has one")),
    }
}

/// The local cloud at that address, which takes any credentials. Nothing here looks into the operator's own AWS files.
pub fn local(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "the local run");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
}
