//! The Lambda function `model-invoker`. All clients are built before the first event, at the full CPU of the init phase.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use lambda_runtime::{LambdaEvent, service_fn};
use model_invoker::event::SqsEvent;
use model_invoker::{Configuration, Models, Services, invoke, now};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let services = services()?;
    let services = &services;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let left =
            event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::from_secs(60));
        let ends_at = now() + i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        Ok::<_, Error>(invoke(services, event.payload, ends_at).await)
    }))
    .await
}

fn services() -> Result<Services, Error> {
    let egress = egress::Egress::new()?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
            aws_smithy_http_client::tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .build_https();
    // The sandbox's own credentials: they are in the environment and stay the same for its life.
    let credentials = Credentials::new(
        env("AWS_ACCESS_KEY_ID")?,
        env("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let region = env("AWS_REGION")?;
    let mut aws = aws_types::SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .region(aws_types::region::Region::new(region.clone()))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            credentials.clone(),
        ))
        .http_client(http.clone())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .time_source(aws_smithy_async::time::SystemTimeSource::new());
    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL") {
        aws = aws.endpoint_url(endpoint);
    }
    let aws = aws.build();
    let clients = model::Clients {
        http: egress.configured_client(),
        aws: Some(model::Aws { http, region, credentials }),
    };
    Ok(Services {
        store: store::Store::connect(&aws, env("TABLE")?),
        queue: queue::Queue::connect(&aws, env("QUEUE_URL")?),
        secrets: secrets::Secrets::connect(&aws),
        egress,
        models: Models { clients },
        configuration: Configuration::default(),
        secrets_root: env("SECRETS")?,
        dead_letter_url: env("DEAD_LETTER_URL")?,
    })
}

fn env(name: &str) -> Result<String, Error> {
    std::env::var(name)
        .map_err(|_| format!("the environment lacks {name}: deploy with infra/template.yaml").into())
}
