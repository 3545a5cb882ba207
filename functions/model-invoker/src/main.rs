//! The Lambda function `model-invoker`. All clients are built before the first event, at the full CPU of the init phase.

// The runtime's future is nested deeper than the default allows.
#![recursion_limit = "256"]

use std::time::{Duration, SystemTime};

use ingress::aws::{self, variable};
use lambda_runtime::{LambdaEvent, service_fn};
use model_invoker::event::SqsEvent;
use model_invoker::tokens::Tokens;
use model_invoker::{Configuration, Metrics, Models, Remembered, Services, invoke, now};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    ingress::log::init();
    let services = services()?;
    let services = &services;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let left =
            event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::from_secs(60));
        let ends_at = now() + i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        Ok::<_, Error>(invoke(services, event.payload, &event.context.request_id, ends_at).await)
    }))
    .await
}

fn services() -> Result<Services, Error> {
    let egress = egress::Egress::new()?;
    let config = aws::from_env()?;
    let http = config.http_client().ok_or("the AWS clients have no HTTP client")?;
    let (region, credentials) = (variable("AWS_REGION")?, aws::credentials()?);
    let clients = model::Clients {
        http: egress.configured_client(),
        aws: Some(model::Aws { http, region: region.clone(), credentials: credentials.clone() }),
    };
    let cloud = tools::Cloud {
        region,
        credentials,
        endpoint: variable("AWS_ENDPOINT_URL").ok(),
        bucket: variable("BUCKET")?,
        queue_arn: variable("QUEUE_ARN")?,
        schedule_group: variable("SCHEDULE_GROUP")?,
        schedule_role: variable("SCHEDULE_ROLE")?,
    };
    let store = store::Store::connect(&config, variable("TABLE")?);
    let memory = Box::new(Remembered(store.clone()));
    Ok(Services {
        store,
        queue: queue::Queue::connect(&config, variable("QUEUE_URL")?),
        secrets: secrets::Secrets::connect(&config),
        tools: tools::Tools::new(egress.clone(), clients.clone(), cloud, memory),
        egress,
        models: Models { clients },
        tokens: Tokens::default(),
        configuration: Configuration::default(),
        metrics: Metrics::of_stack(&variable("STACK")?),
        memory_mb: variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
            .ok()
            .and_then(|mb| mb.parse().ok())
            .unwrap_or(128),
        secrets_root: variable("SECRETS")?,
        dead_letter_url: variable("DEAD_LETTER_URL")?,
    })
}
