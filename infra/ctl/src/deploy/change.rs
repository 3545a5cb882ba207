//! A change set: made, executed, watched to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, StackEvent};
use aws_types::SdkConfig;

use crate::Error;
use crate::clock::now;

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// Longest template that a request may hold.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_TEMPLATE: usize = 51_200;

/// What is to become of a stack.
pub struct Change<'a> {
    pub stack: &'a str,
    /// Parameters that are named; the others stay as they are.
    pub parameters: BTreeMap<String, String>,
    /// Those of the stack as it stands; `None` = there is no stack yet.
    pub present: Option<BTreeMap<String, String>>,
    /// Role for CloudFormation to take; the caller's own rights without it.
    pub role: Option<String>,
}

/// The parameters of a stack; `None` where there is none.
///
/// # Errors
/// CloudFormation does not answer.
pub async fn parameters(aws: &SdkConfig, stack: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
    let answer = Client::new(aws).describe_stacks().stack_name(stack).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        // There is no code of its own for a stack that does not exist.
        Err(error) if error.message().is_some_and(|text| text.contains("does not exist")) => return Ok(None),
        Err(error) => return Err(Error::aws(format!("cannot read the stack {stack}"), &error)),
    };
    let found = answer.stacks().iter().find(|found| {
        // A stack that only has a change set that was never executed.
        found.stack_status().is_some_and(|status| status.as_str() != "REVIEW_IN_PROGRESS")
    });
    let pair = |parameter: &Parameter| {
        Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value()?.to_owned()))
    };
    Ok(found.map(|found| found.parameters().iter().filter_map(pair).collect()))
}

impl Change<'_> {
    /// Makes the stack what the template and the parameters say.
    ///
    /// # Errors
    /// CloudFormation refuses, or rolls back; its reasons are printed.
    pub async fn apply(&self, aws: &SdkConfig, template: &Path) -> Result<(), Error> {
        let client = Client::new(aws);
        let name = format!("crabhook-{}", now());
        self.create(&client, &name, template).await?;
        if !self.made(&client, &name).await? {
            println!("{}: nothing to change", self.stack);
            return Ok(());
        }
        let before = self.events(&client).await.unwrap_or_default();
        let mut seen: BTreeSet<String> =
            before.iter().filter_map(|event| event.event_id()).map(str::to_owned).collect();
        let executed = client.execute_change_set().stack_name(self.stack).change_set_name(&name).send().await;
        executed.map_err(|error| Error::aws(format!("cannot change the stack {}", self.stack), &error))?;
        loop {
            tokio::time::sleep(LOOK).await;
            self.show_news(&client, &mut seen).await?;
            match self.status(&client).await?.as_str() {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
                    return Ok(());
                }
                status if status.ends_with("_IN_PROGRESS") => {}
                status => return Err(Error::failed(self.failed(status))),
            }
        }
    }

    fn failed(&self, status: &str) -> String {
        let stack = self.stack;
        let next = match status {
            "ROLLBACK_COMPLETE" | "CREATE_FAILED" | "ROLLBACK_FAILED" => format!(
                "Nothing of it runs. Correct the cause, then remove the rest: aws cloudformation delete-stack --stack-name {stack}"
            ),
            "UPDATE_ROLLBACK_FAILED" => {
                format!("aws cloudformation continue-update-rollback --stack-name {stack}")
            }
            _ => "The stack runs as it did before. Correct the cause and deploy again.".to_owned(),
        };
        format!("{stack}: {status}; the reasons are above. {next}")
    }

    async fn create(&self, client: &Client, name: &str, template: &Path) -> Result<(), Error> {
        let body = std::fs::read_to_string(template)
            .map_err(|error| Error::failed(format!("{} cannot be read: {error}", template.display())))?;
        if body.len() > MAX_TEMPLATE {
            return Err(Error::failed(format!("{} is longer than {MAX_TEMPLATE} bytes", template.display())));
        }
        let kind = if self.present.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
        let request = client
            .create_change_set()
            .stack_name(self.stack)
            .change_set_name(name)
            .change_set_type(kind)
            .template_body(body)
            .set_parameters(Some(self.all_parameters()))
            .capabilities(Capability::CapabilityIam)
            .capabilities(Capability::CapabilityAutoExpand)
            .set_role_arn(self.role.clone());
        let made = request.send().await;
        made.map_err(|error| Error::aws(format!("cannot plan the change of {}", self.stack), &error))?;
        Ok(())
    }

    fn all_parameters(&self) -> Vec<Parameter> {
        let named = self
            .parameters
            .iter()
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build());
        let kept =
            self.present.iter().flat_map(BTreeMap::keys).filter(|name| !self.parameters.contains_key(*name));
        let kept = kept.map(|name| Parameter::builder().parameter_key(name).use_previous_value(true).build());
        named.chain(kept).collect()
    }

    /// Waits until the change set is there; `false` when there is nothing to change.
    async fn made(&self, client: &Client, name: &str) -> Result<bool, Error> {
        loop {
            let answer =
                client.describe_change_set().stack_name(self.stack).change_set_name(name).send().await;
            let answer = answer.map_err(|error| Error::aws("cannot read the change set", &error))?;
            let reason = answer.status_reason().unwrap_or_default();
            match answer.status() {
                Some(ChangeSetStatus::CreateComplete) => return Ok(true),
                Some(ChangeSetStatus::Failed) => {
                    let nothing = reason.contains("didn't contain changes") || reason.contains("No updates");
                    // Only to leave nothing behind.
                    let _ =
                        client.delete_change_set().stack_name(self.stack).change_set_name(name).send().await;
                    if nothing {
                        return Ok(false);
                    }
                    return Err(Error::failed(format!("{}: CloudFormation refuses: {reason}", self.stack)));
                }
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }

    async fn status(&self, client: &Client) -> Result<String, Error> {
        let answer = client.describe_stacks().stack_name(self.stack).send().await;
        let answer =
            answer.map_err(|error| Error::aws(format!("cannot read the stack {}", self.stack), &error))?;
        let status = answer.stacks().first().and_then(|stack| stack.stack_status());
        Ok(status.map(|status| status.as_str().to_owned()).unwrap_or_default())
    }

    /// Prints what happened since the last look, oldest first.
    async fn show_news(&self, client: &Client, seen: &mut BTreeSet<String>) -> Result<(), Error> {
        for event in self.events(client).await?.iter().rev() {
            let is_new = event.event_id().is_some_and(|id| seen.insert(id.to_owned()));
            let status = event.resource_status().map(|status| status.as_str()).unwrap_or_default();
            if is_new && !status.ends_with("_IN_PROGRESS") {
                let (id, reason) = (event.logical_resource_id(), event.resource_status_reason());
                println!("  {status:<24} {:<28} {}", id.unwrap_or_default(), reason.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The newest events, newest first.
    async fn events(&self, client: &Client) -> Result<Vec<StackEvent>, Error> {
        let answer = client.describe_stack_events().stack_name(self.stack).send().await;
        let answer = answer.map_err(|error| Error::aws("cannot read the stack's events", &error))?;
        Ok(answer.stack_events().to_vec())
    }
}
