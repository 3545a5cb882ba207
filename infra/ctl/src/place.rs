//! Where a command acts: a stack in the AWS account, or the local run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_types::SdkConfig;
use channel::Secrets as ChannelSecrets;
use clap::Args;
use serde::Deserialize;

use crate::deploy::s3;
use crate::{Error, aws, local_secrets};

/// The channel that comes by a topic, not by an address.
pub const EMAIL: &str = "email";

/// The options that every command has.
#[derive(Debug, Clone, Args)]
pub struct Where {
    /// A stack in the AWS account that the environment or profile leads to; without it, the local run of `make run`
    #[arg(long, env = "CRABHOOK_STACK", global = true, value_name = "NAME")]
    pub stack: Option<String>,
    /// Folder in which the local run keeps its state
    #[arg(long, env = "STATE", default_value = ".local", global = true, value_name = "FOLDER")]
    pub state: PathBuf,
}

/// What a stack is made of, as its outputs or the local run's `endpoints.json` name it.
#[derive(Debug, Clone, Deserialize)]
pub struct Endpoints {
    /// Addresses of the webhooks by channel, with a `/` at the end; empty for email, which has none.
    pub channels: BTreeMap<String, String>,
    pub queue_url: String,
    pub dead_letter_url: String,
    pub table: String,
}

/// What only the local run has.
#[derive(Debug, Clone)]
pub struct Local {
    pub state: PathBuf,
    /// The stand-in for the platforms, without a `/` at the end.
    pub platform: String,
}

/// The file `endpoints.json`.
#[derive(Deserialize)]
struct Running {
    #[serde(flatten)]
    endpoints: Endpoints,
    platform: String,
    aws: String,
    #[serde(default = "default_stack")]
    stack: String,
}

fn default_stack() -> String {
    "crabhook".to_owned()
}

/// A stack that answers.
pub struct Place {
    pub stack: String,
    pub aws: SdkConfig,
    pub endpoints: Endpoints,
    pub local: Option<Local>,
}

impl Place {
    /// The stack that the options name, else the local run.
    ///
    /// # Errors
    /// There is no such stack, or nothing runs.
    pub async fn find(at: &Where) -> Result<Place, Error> {
        match &at.stack {
            Some(stack) => {
                let aws = aws::account().await?;
                let outputs = outputs(&aws, stack).await?;
                let endpoints = Endpoints::from_outputs(stack, &outputs)?;
                Ok(Place { stack: stack.clone(), aws, endpoints, local: None })
            }
            None => running(&at.state),
        }
    }

    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// For people.
    pub fn title(&self) -> String {
        if self.is_local() { "local run".to_owned() } else { format!("stack {}", self.stack) }
    }

    pub fn store(&self) -> store::Store {
        store::Store::connect(&self.aws, self.endpoints.table.clone())
    }

    pub fn queue(&self) -> queue::Queue {
        queue::Queue::connect(&self.aws, self.endpoints.queue_url.clone())
    }

    pub fn dead_letters(&self) -> queue::Queue {
        queue::Queue::connect(&self.aws, self.endpoints.dead_letter_url.clone())
    }

    pub fn secrets(&self) -> secrets::Secrets {
        secrets::Secrets::connect(&self.aws)
    }

    /// A client for the bucket of files and documents, and its name.
    ///
    /// # Errors
    /// The stack has none, or does not answer.
    pub async fn bucket(&self) -> Result<(aws_sdk_s3::Client, String), Error> {
        let mut outputs = outputs(&self.aws, &self.stack).await?;
        let bucket = outputs.remove("BucketName").ok_or_else(|| {
            Error::failed(format!("{} has no bucket for documents: deploy it again", self.title()))
        })?;
        Ok((s3(&self.aws), bucket))
    }

    /// Takes files out of the bucket.
    ///
    /// # Errors
    /// Some may be left; again is safe.
    pub async fn remove_files(&self, keys: &BTreeSet<String>) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let (client, bucket) = self.bucket().await?;
        for key in keys {
            let removed = client.delete_object().bucket(&bucket).key(key).send().await;
            removed.map_err(|error| Error::aws(format!("cannot take {key} out of {bucket}"), &error))?;
        }
        Ok(())
    }

    /// The public address of an account's webhook.
    ///
    /// # Errors
    /// The channel is not part of the stack.
    pub fn url(&self, channel: &str, account: &str) -> Result<String, Error> {
        let Some(url) = self.endpoints.channels.get(channel) else {
            let known: Vec<&str> = self.endpoints.channels.keys().map(String::as_str).collect();
            let known = known.join(", ");
            return Err(Error::failed(format!("{}: no channel {channel}; there is {known}", self.title())));
        };
        let url = url.trim_end_matches('/');
        if url.is_empty() {
            return Err(Error::failed(format!("{channel} has no address: write to it, as everybody does")));
        }
        Ok(if account == "main" { format!("{url}/") } else { format!("{url}/{account}/") })
    }

    /// An account's secrets; in the local run also the signing keys that its platform would have.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn secrets_of(&self, channel: &str, account: &str) -> Result<ChannelSecrets, Error> {
        match &self.local {
            Some(local) => local_secrets::of(&local.state, channel, account),
            None => Ok(self.secrets().of_account(&format!("/{}/{channel}/{account}", self.stack)).await?),
        }
    }
}

impl Endpoints {
    fn from_outputs(stack: &str, outputs: &BTreeMap<String, String>) -> Result<Endpoints, Error> {
        let get = |name: &str| {
            outputs.get(name).cloned().ok_or_else(|| {
                Error::failed(format!(
                    "stack {stack} has no output {name}: is it a crabhook stack? Deploy it again"
                ))
            })
        };
        let url =
            |(name, url): (&String, &String)| Some((name.strip_prefix("UrlOf")?.to_owned(), url.clone()));
        let mail = outputs.get("MailTopicArn").map(|_| (EMAIL.to_owned(), String::new()));
        Ok(Endpoints {
            channels: outputs.iter().filter_map(url).chain(mail).collect(),
            queue_url: get("QueueUrl")?,
            dead_letter_url: get("DeadLetterUrl")?,
            table: get("TableName")?,
        })
    }
}

/// The outputs of a stack.
///
/// # Errors
/// CloudFormation does not know it, or does not answer.
pub async fn outputs(aws: &SdkConfig, stack: &str) -> Result<BTreeMap<String, String>, Error> {
    let client = aws_sdk_cloudformation::Client::new(aws);
    let answer = client.describe_stacks().stack_name(stack).send().await;
    let answer = answer.map_err(|error| Error::aws(format!("cannot read the stack {stack}"), &error))?;
    let outputs = answer.stacks().first().map(|stack| stack.outputs()).unwrap_or_default();
    let pair = |output: &aws_sdk_cloudformation::types::Output| {
        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
    };
    Ok(outputs.iter().filter_map(pair).collect())
}

fn running(state: &Path) -> Result<Place, Error> {
    let path = state.join("endpoints.json");
    if !path.exists() {
        return Err(Error::failed(format!(
            "nothing runs here ({} is not there): start `make run`, or name a deployed stack with --stack",
            path.display()
        )));
    }
    let running: Running = read_json(&path)?;
    let local =
        Local { state: state.to_owned(), platform: running.platform.trim_end_matches('/').to_owned() };
    Ok(Place {
        stack: running.stack,
        aws: aws::local(&running.aws),
        endpoints: running.endpoints,
        local: Some(local),
    })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let unreadable = |why: String| Error::failed(format!("{} cannot be read: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_a_stack_name_its_parts() {
        let outputs = [
            ("QueueUrl", "q"),
            ("DeadLetterUrl", "d"),
            ("TableName", "t"),
            ("InvokerName", "i"),
            ("UrlOftelegram", "https://x.lambda-url.eu-west-1.on.aws/"),
            ("MailTopicArn", "arn:t"),
        ];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let endpoints = Endpoints::from_outputs("s", &outputs).unwrap();
        let place =
            Place { stack: "s".into(), aws: aws::local("http://127.0.0.1:1"), endpoints, local: None };
        assert_eq!(place.url("telegram", "main").unwrap(), "https://x.lambda-url.eu-west-1.on.aws/");
        assert_eq!(
            place.url("telegram", "support").unwrap(),
            "https://x.lambda-url.eu-west-1.on.aws/support/"
        );
        assert!(place.url("slack", "main").unwrap_err().to_string().contains("there is email, telegram"));
        assert!(place.url(EMAIL, "main").unwrap_err().to_string().contains("has no address"));
        assert!(Endpoints::from_outputs("s", &BTreeMap::new()).unwrap_err().to_string().contains("QueueUrl"));
    }

    #[test]
    fn without_a_stack_something_must_run() {
        let error = running(Path::new("/nonexistent")).err().unwrap();
        assert!(error.to_string().contains("make run"), "{error}");
    }
}
