//! `crabhook deploy`: from source to a running stack. `crabhook push`: the code of one function, nothing else.

mod build;
mod change;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_types::SdkConfig;
use clap::{Args, ValueEnum};
use model_invoker::channels;

use crate::place::{EMAIL, Place, outputs};
use crate::{Error, Where, aws, config, send};
use build::{Form, Release};
pub use build::{HASH, INVOKER, s3};
use change::Change;
pub use change::parameters;

/// The template of every stack, from the root of the repository.
const TEMPLATE: &str = "infra/template.yaml";

#[derive(Debug, Args)]
pub struct Deploy {
    /// Channels to open, each with a public address; those of the stack as it stands when none is named
    #[arg(value_delimiter = ',')]
    pub channels: Vec<String>,
    /// Bucket for the code; the bootstrap stack's when left out
    #[arg(long)]
    pub artifacts: Option<String>,
    /// The stack made of infra/bootstrap.yaml
    #[arg(long, default_value = "crabhook-bootstrap")]
    pub bootstrap: String,
    /// Processors that the functions run on; those of the stack as it stands when left out, else arm64
    #[arg(long)]
    pub architecture: Option<Architecture>,
    /// Another parameter of infra/template.yaml, as Name=Value
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub parameters: Vec<(String, String)>,
    /// An earlier release to go back to: nothing is built
    #[arg(long)]
    pub release: Option<String>,
    #[arg(long, default_value = "infra/assistant.yaml")]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub struct Push {
    /// A channel, or model-invoker
    pub function: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    #[value(name = "arm64")]
    Arm64,
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// As Lambda writes it.
    fn name(self) -> &'static str {
        match self {
            Architecture::Arm64 => "arm64",
            Architecture::X86_64 => "x86_64",
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as Name=Value")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub async fn deploy(deploy: Deploy, at: &Where) -> Result<(), Error> {
    let stack = named_stack(at)?;
    in_repository()?;
    let config = config::load(&deploy.config).map_err(|problems| config::reported(&problems))?;
    let aws = aws::account().await?;
    let present = parameters(&aws, stack).await?;
    let channels = opened(&deploy.channels, present.as_ref())?;
    let ground = Ground::find(&aws, &deploy).await?;
    let architecture = architecture(&deploy, present.as_ref())?;
    let release = match &deploy.release {
        Some(release) => release.clone(),
        None => {
            let mut functions = channels.clone();
            functions.extend(has_mail(&deploy.parameters, present.as_ref()).then(|| EMAIL.to_owned()));
            let release = Release::build(&functions, architecture).await?;
            release.upload(&aws, &ground.artifacts).await?;
            release.name
        }
    };
    let mut parameters: BTreeMap<String, String> = deploy.parameters.into_iter().collect();
    parameters.insert("Release".to_owned(), release.clone());
    parameters.insert("Artifacts".to_owned(), ground.artifacts);
    parameters.insert("Channels".to_owned(), channels.join(","));
    parameters.insert("Architecture".to_owned(), architecture.name().to_owned());
    if let Some(boundary) = ground.boundary {
        parameters.insert("PermissionsBoundary".to_owned(), boundary);
    }
    let change = Change { stack, parameters, present, role: ground.executor };
    change.apply(&aws, Path::new(TEMPLATE)).await?;
    let place = Place::find(at).await?;
    config::push_to(&place, &config).await?;
    println!("{} runs release {release}:", place.title());
    for (channel, url) in &place.endpoints.channels {
        let url = if url.is_empty() { "by mail" } else { url };
        println!("  {channel:<12} {url}   next: crabhook connect {channel}");
    }
    println!("crabhook doctor says what is missing");
    Ok(())
}

pub async fn push(push: Push, at: &Where) -> Result<(), Error> {
    let stack = named_stack(at)?;
    in_repository()?;
    if push.function != INVOKER {
        send::room(&push.function)?;
    }
    // cargo-lambda would make a function that is not there, outside the stack.
    let name = format!("{stack}-{}", push.function);
    let lambda = aws_sdk_lambda::Client::new(&aws::account().await?);
    let found = lambda.get_function_configuration().function_name(&name).send().await;
    let found = found.map_err(|error| Error::aws(format!("{name} is not there to be pushed to"), &error))?;
    let runs_on = found.architectures().first().map_or("x86_64", |architecture| architecture.as_str());
    let architecture = Architecture::from_str(runs_on, false).map_err(Error::failed)?;
    build::build(std::slice::from_ref(&push.function), architecture, Form::Binary).await?;
    build::push(&push.function, &name).await
}

fn named_stack(at: &Where) -> Result<&str, Error> {
    let missing = "which stack? Name it with --stack, or in CRABHOOK_STACK (the local run takes its code from `make run`)";
    at.stack.as_deref().ok_or_else(|| Error::usage(missing))
}

fn in_repository() -> Result<(), Error> {
    if Path::new(TEMPLATE).exists() {
        return Ok(());
    }
    Err(Error::usage(format!("{TEMPLATE} is not here: run this from the root of the repository")))
}

/// Whether the stack gets mail: the parameter as it is given now, else as it stands.
fn has_mail(given: &[(String, String)], present: Option<&BTreeMap<String, String>>) -> bool {
    let given = given.iter().rev().find(|(name, _)| name == "EmailDomain").map(|(_, domain)| domain);
    given.or_else(|| present?.get("EmailDomain")).is_some_and(|domain| !domain.is_empty())
}

/// The channels to open: those named, else those open now.
fn opened(named: &[String], present: Option<&BTreeMap<String, String>>) -> Result<Vec<String>, Error> {
    for channel in named {
        send::room(channel)?;
        if channel == EMAIL {
            return Err(Error::usage("email has no address to open: give --set EmailDomain=<your domain>"));
        }
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let open = present.and_then(|present| present.get("Channels")).map(String::as_str).unwrap_or("");
    let open: Vec<String> = open.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if open.is_empty() {
        let known: Vec<&str> = channels::ALL.iter().map(|room| room.spec().name).collect();
        return Err(Error::usage(format!("which channels? Name one or more of {}", known.join(", "))));
    }
    Ok(open)
}

/// What was asked for, else what runs, else arm64, which costs less.
fn architecture(deploy: &Deploy, present: Option<&BTreeMap<String, String>>) -> Result<Architecture, Error> {
    if let Some(architecture) = deploy.architecture {
        return Ok(architecture);
    }
    match present.and_then(|present| present.get("Architecture")) {
        Some(name) => Architecture::from_str(name, false).map_err(Error::failed),
        None => Ok(Architecture::Arm64),
    }
}

/// What the account holds ready for deploys.
struct Ground {
    artifacts: String,
    /// Role that CloudFormation takes.
    executor: Option<String>,
    boundary: Option<String>,
}

impl Ground {
    async fn find(aws: &SdkConfig, deploy: &Deploy) -> Result<Ground, Error> {
        if let Some(artifacts) = &deploy.artifacts {
            return Ok(Ground { artifacts: artifacts.clone(), executor: None, boundary: None });
        }
        let outputs = outputs(aws, &deploy.bootstrap).await.map_err(|error| {
            Error::failed(format!(
                "{error}\nA deploy needs a bucket and roles, once per account and region:\n  aws cloudformation deploy \
                 --stack-name {} --template-file infra/bootstrap.yaml --capabilities CAPABILITY_NAMED_IAM\nOr name a \
                 bucket of your own with --artifacts.",
                deploy.bootstrap
            ))
        })?;
        let artifacts = outputs.get("Artifacts").cloned();
        Ok(Ground {
            artifacts: artifacts.ok_or_else(|| {
                Error::failed(format!(
                    "stack {} has no output Artifacts: is it made of infra/bootstrap.yaml?",
                    deploy.bootstrap
                ))
            })?,
            executor: outputs.get("Executor").cloned(),
            boundary: outputs.get("PermissionsBoundary").cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_those_named_else_those_open() {
        let present = BTreeMap::from([("Channels".to_owned(), "slack,telegram".to_owned())]);
        let names = |named: &[&str], present| {
            opened(&named.iter().map(ToString::to_string).collect::<Vec<_>>(), present)
                .map(|all| all.join(" "))
        };
        assert_eq!(names(&["discord"], Some(&present)).unwrap(), "discord");
        assert_eq!(names(&[], Some(&present)).unwrap(), "slack telegram");
        assert!(matches!(names(&[], None), Err(Error::Usage(text)) if text.contains("which channels")));
        assert!(matches!(names(&["telgram"], None), Err(Error::Usage(text)) if text.contains("telgram")));
    }
}
