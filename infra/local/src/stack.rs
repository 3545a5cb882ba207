//! The real template, stood up in the local cloud.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudformation::types::{Capability, Parameter, ResourceStatus, Stack, StackStatus};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::options::repository;
use crate::{Error, Options, bundle};

const REGION: &str = "us-east-1";
const BUCKET: &str = "artifacts";
/// Folder of the zips in the bucket.
const RELEASE: &str = "local";

/// How to reach the services at `url`. MiniStack takes the key `test` for the account's root, also where it enforces roles.
pub(crate) fn aws(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SystemTimeSource::new())
        .endpoint_url(url)
        .build()
}

/// Uploads the functions and creates the stack. Returns its outputs.
pub(crate) async fn create(aws: &SdkConfig, options: &Options) -> Result<BTreeMap<String, String>, Error> {
    upload(aws, options.channels.iter().map(String::as_str).chain(["model-invoker"])).await?;
    let path = repository().join("infra/template.yaml");
    let template = std::fs::read_to_string(&path).map_err(|error| Error::file(&path, error))?;
    let client = aws_sdk_cloudformation::Client::new(aws);
    let create = client
        .create_stack()
        .stack_name(&options.stack)
        .template_body(template)
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand)
        .set_parameters(Some(parameters(options)));
    create.send().await.map_err(|error| Error::aws("the stack is refused", error))?;
    outputs(&client, &options.stack).await
}

async fn upload(aws: &SdkConfig, functions: impl Iterator<Item = &str>) -> Result<(), Error> {
    let config = aws_sdk_s3::config::Builder::from(aws).force_path_style(true).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let create = client.create_bucket().bucket(BUCKET);
    create.send().await.map_err(|error| Error::aws("no bucket for the zips", error))?;
    for function in functions {
        let zip = bundle::zip(function)?;
        let put =
            client.put_object().bucket(BUCKET).key(format!("{RELEASE}/{function}.zip")).body(zip.into());
        put.send().await.map_err(|error| Error::aws("the zips cannot be uploaded", error))?;
    }
    Ok(())
}

fn parameters(options: &Options) -> Vec<Parameter> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    // Email has no public address: its resources follow from the domain.
    let opened = options.channels.iter().map(String::as_str).filter(|name| *name != "email");
    let channels = opened.collect::<Vec<_>>().join(",");
    let domain = if options.channels.iter().any(|name| name == "email") { "local" } else { "" };
    let ours = [
        ("Release", RELEASE),
        ("Artifacts", BUCKET),
        ("Channels", &channels),
        ("Architecture", architecture),
        ("EmailDomain", domain),
    ];
    let theirs = options.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let all = ours.into_iter().chain(theirs);
    all.map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build()).collect()
}

/// Waits for the end of the creation.
async fn outputs(
    client: &aws_sdk_cloudformation::Client,
    name: &str,
) -> Result<BTreeMap<String, String>, Error> {
    loop {
        let answer = client.describe_stacks().stack_name(name).send().await;
        let answer = answer.map_err(|error| Error::aws("the stack cannot be seen", error))?;
        let stack = answer.stacks().first();
        match stack.and_then(Stack::stack_status) {
            Some(StackStatus::CreateComplete) => {
                let outputs = stack.map(Stack::outputs).unwrap_or_default().iter();
                return Ok(outputs
                    .filter_map(|output| {
                        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
                    })
                    .collect());
            }
            Some(StackStatus::CreateInProgress) => tokio::time::sleep(Duration::from_millis(50)).await,
            _ => return Err(Error::Broken(failure(client, name).await)),
        }
    }
}

/// Why the stack was not created, resource by resource.
async fn failure(client: &aws_sdk_cloudformation::Client, name: &str) -> String {
    let events = client.describe_stack_events().stack_name(name).send().await;
    let events = events.map(|answer| answer.stack_events.unwrap_or_default()).unwrap_or_default();
    let failed = events.iter().filter(|event| event.resource_status() == Some(&ResourceStatus::CreateFailed));
    let reasons = failed.map(|event| {
        let resource = event.logical_resource_id().unwrap_or("?");
        format!("\n  {resource}: {}", event.resource_status_reason().unwrap_or("no reason given"))
    });
    format!("the stack {name} was not created:{}", reasons.collect::<String>())
}

/// Where a function's public address is reached on this machine. The output names a host of AWS's.
pub(crate) fn local_address(aws_url: &str, output: &str) -> Option<String> {
    let (id, _) = output.split_once("://")?.1.split_once('.')?;
    Some(format!("{aws_url}/_aws/lambda-url/{id}/"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn public_addresses_are_reached_on_this_machine() {
        let address =
            super::local_address("http://127.0.0.1:4566", "https://abc1.lambda-url.us-east-1.on.aws/");
        assert_eq!(address.as_deref(), Some("http://127.0.0.1:4566/_aws/lambda-url/abc1/"));
        assert_eq!(super::local_address("http://127.0.0.1:4566", "nonsense"), None);
    }
}
