//! What only a deployed stack has: code that is the release's, and room to run it.

use std::collections::BTreeMap;

use aws_sdk_lambda::Client;

use super::Findings;
use crate::Error;
use crate::deploy::{HASH, INVOKER, parameters, s3};
use crate::place::Place;

/// Webhooks that should be able to run beside all turns.
const WEBHOOKS: i32 = 5;
/// What the template sets where nobody said otherwise.
const TURNS: i32 = 5;

pub async fn check(place: &Place, findings: &mut Findings) -> Result<(), Error> {
    let parameters = parameters(&place.aws, &place.stack).await?.unwrap_or_default();
    let client = Client::new(&place.aws);
    let functions = place.endpoints.channels.keys().map(String::as_str).chain([INVOKER]);
    let mut as_released = 0;
    for function in functions {
        match difference(place, &client, function, &parameters).await? {
            None => as_released += 1,
            Some(why) => findings.wrong(function, why, "crabhook deploy brings everything to one release"),
        }
    }
    if as_released > 0 {
        let release = parameters.get("Release").map_or("", String::as_str);
        findings.good(format!("{as_released} functions run release {release}"));
    }
    quota(&client, &parameters, findings).await
}

/// How a function differs from the stack's release.
async fn difference(
    place: &Place,
    client: &Client,
    function: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Option<String>, Error> {
    let name = format!("{}-{function}", place.stack);
    let found = client.get_function_configuration().function_name(&name).send().await;
    let found = found.map_err(|error| Error::aws(format!("cannot read the function {name}"), &error))?;
    let release = parameters.get("Release").map_or("", String::as_str);
    let variables = found.environment().and_then(|environment| environment.variables());
    let runs = variables.and_then(|variables| variables.get("RELEASE")).map_or("", String::as_str);
    if runs != release {
        return Ok(Some(format!("it runs release {runs:?}, the stack is at {release:?}")));
    }
    let bucket = parameters.get("Artifacts").map_or("", String::as_str);
    let key = format!("{release}/{function}.zip");
    let head = s3(&place.aws).head_object().bucket(bucket).key(key).send().await;
    // An expired release cannot be compared; that it runs is all there is to know.
    let built = head.ok().and_then(|head| head.metadata()?.get(HASH).cloned());
    let runs = found.code_sha256().unwrap_or_default();
    let differs = built.is_some_and(|built| built != runs);
    Ok(differs.then(|| "its code was pushed by itself after the release".to_owned()))
}

async fn quota(
    client: &Client,
    parameters: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Result<(), Error> {
    let settings = client.get_account_settings().send().await;
    let settings = settings.map_err(|error| Error::aws("cannot read the account's quota", &error))?;
    let quota = settings.account_limit().map_or(0, |limit| limit.concurrent_executions());
    let turns = parameters.get("MaximumConcurrency").and_then(|turns| turns.parse().ok()).unwrap_or(TURNS);
    let needed = turns + WEBHOOKS;
    if quota >= needed {
        findings.good(format!("the account may run {quota} functions at once, {turns} of them turns"));
        return Ok(());
    }
    findings.wrong(
        "quota",
        format!("the account may run {quota} functions at once; {turns} turns and the webhooks want {needed}"),
        "Ask AWS for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 \
         --desired-value 1000 (or deploy with --set MaximumConcurrency=2)",
    );
    Ok(())
}
