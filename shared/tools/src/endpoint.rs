//! A program of the operator's, in any language: an HTTPS endpoint that knows us by a Standard Webhooks signature, or a
//! Lambda function that knows us by IAM. Tools and hooks are asked the same way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use channel::{Secrets, encode, sign};
use egress::{Call, HeaderMap, HeaderName, HeaderValue, Method, Trust};
use serde::Deserialize;
use serde_json::Value;

use crate::cloud::Request;
use crate::error::successful;
use crate::{Error, Tools};

/// Where the program is.
pub(crate) enum Endpoint {
    Http { url: String, headers: HeaderMap, signing: Option<String> },
    Lambda { function: String },
}

/// What it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub time_out: Duration,
    /// Bytes of its answer.
    pub max_bytes: usize,
}

impl Endpoint {
    /// Of an entry of the configuration: `url` or `function`, its secrets by name.
    pub fn of(
        url: Option<&str>,
        function: Option<&str>,
        secret: Option<&str>,
        headers: HeaderMap,
        secrets: &Secrets,
    ) -> Result<Endpoint, Error> {
        match (url, function) {
            (Some(url), None) => {
                let signing = secret.map(|name| named(secrets, name)).transpose()?;
                Ok(Endpoint::Http { url: url.to_owned(), headers, signing })
            }
            (None, Some(function)) => Ok(Endpoint::Lambda { function: function.to_owned() }),
            _ => Err(Error::NotSetUp("it needs either `url` or `function`".to_owned())),
        }
    }

    /// Sends the question and reads the answer. `id` is the idempotency key: the same question has the same one on every
    /// try, so that a program that keeps them does nothing twice.
    pub async fn ask(
        &self,
        tools: &Tools,
        id: &str,
        question: &Value,
        limits: Limits,
    ) -> Result<Vec<u8>, Error> {
        match self {
            Endpoint::Http { url, headers, signing } => {
                post(tools, url, headers.clone(), signing.as_deref(), id, question, limits).await
            }
            Endpoint::Lambda { function } => invoke(tools, function, question, limits).await,
        }
    }
}

/// A secret of `/<stack>/tool`.
pub(crate) fn named(secrets: &Secrets, name: &str) -> Result<String, Error> {
    let unset = || Error::NotSetUp(format!("the secret {name} is not set: crabhook secrets set tool {name}"));
    secrets.get(name).map(str::to_owned).ok_or_else(unset)
}

/// Headers whose values are secrets.
pub(crate) fn headers<'a>(
    named_values: impl Iterator<Item = (&'a String, &'a String)>,
    secrets: &Secrets,
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, secret) in named_values {
        let malformed = |what: &str| Error::NotSetUp(format!("the header {name} cannot be sent: its {what}"));
        let header = HeaderName::try_from(name.as_str()).map_err(|_| malformed("name is none"))?;
        let mut value = HeaderValue::try_from(named(secrets, secret)?)
            .map_err(|_| malformed("value holds line breaks or control characters"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
async fn post(
    tools: &Tools,
    url: &str,
    mut headers: HeaderMap,
    signing: Option<&str>,
    id: &str,
    question: &Value,
    limits: Limits,
) -> Result<Vec<u8>, Error> {
    let body = question.to_string().into_bytes();
    let mut set = |name: &'static str, value: String| {
        HeaderValue::try_from(value).map(|value| headers.insert(HeaderName::from_static(name), value)).ok()
    };
    set("content-type", "application/json".to_owned());
    set("webhook-id", id.to_owned());
    if let Some(secret) = signing {
        let at = i64::try_from(since_1970().as_secs()).unwrap_or(i64::MAX);
        let malformed = "its signing secret is not of the form whsec_… or whsk_…";
        let signature = sign::sign_webhook(secret, id, at, &body);
        set("webhook-timestamp", at.to_string());
        set("webhook-signature", signature.ok_or_else(|| Error::NotSetUp(malformed.to_owned()))?);
    }
    let call = Call {
        method: Method::POST,
        url,
        headers,
        body,
        time_out: limits.time_out,
        max_bytes: limits.max_bytes,
        trust: Trust::Configured,
    };
    Ok(successful(tools.egress.send(call).await?)?.body)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
async fn invoke(tools: &Tools, function: &str, question: &Value, limits: Limits) -> Result<Vec<u8>, Error> {
    let url = format!(
        "{}/2015-03-31/functions/{}/invocations",
        tools.cloud.base("lambda"),
        encode::segment(function)
    );
    let request = Request {
        service: "lambda",
        method: Method::POST,
        url,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-amz-invocation-type", "RequestResponse".to_owned()),
        ],
        body: question.to_string().into_bytes(),
        time_out: limits.time_out,
        max_bytes: limits.max_bytes,
    };
    let answer = tools.cloud.send(&tools.egress, request).await?;
    match answer.status {
        403 => {
            return Err(Error::NotSetUp(format!(
                "this stack may not invoke {function}: name it in the parameter ToolFunctions"
            )));
        }
        404 => {
            return Err(Error::NotSetUp(format!(
                "there is no function {function} in this account and region"
            )));
        }
        _ => {}
    }
    let answer = successful(answer)?;
    // The function itself failed: the status is 200 and this header says so.
    if answer.headers.contains_key("x-amz-function-error") {
        return Err(Error::InDoubt(format!("the function failed ({})", error_type(&answer.body))));
    }
    Ok(answer.body)
}

/// What the function calls its failure; its message may quote the question.
fn error_type(body: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        error_type: String,
    }
    serde_json::from_slice(body)
        .map_or_else(|_| "unhandled".to_owned(), |failure: Failure| failure.error_type)
}
