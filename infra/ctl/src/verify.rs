//! `crabhook verify`: judges recorded requests as the webhook functions would.

use std::io::Read as _;
use std::path::PathBuf;

use channel::{AuthKind, Channel, Context, Headers, Inbound, Keys, Request, Secrets};
use clap::Args;
use ingress::Outcome;
use model_invoker::channels;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Error;
use crate::clock::now;

#[derive(Debug, Args)]
pub struct Verify {
    /// Requests as JSON lines or JSON arrays; standard input without it
    pub file: Option<PathBuf>,
    /// Compare with each row's `expected.valid` and sum up
    #[arg(long)]
    pub check: bool,
}

/// A recorded request and what it is judged with.
#[derive(Debug, Deserialize)]
struct Row {
    channel: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    secrets: Map<String, Value>,
    /// Unix seconds; any time will do where there is none.
    #[serde(default)]
    now: Option<i64>,
    /// Public keys that the platform would serve.
    #[serde(default)]
    jwks: Option<Value>,
    #[serde(default)]
    cert_pem: Option<String>,
    /// What the request's token must say, where it carries one.
    #[serde(default)]
    expect_claims: Value,
    request: Recorded,
    #[serde(default)]
    expected: Expected,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    method: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Expected {
    #[serde(default)]
    valid: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accept,
    Reject,
    /// Tests one piece of a channel and is no request.
    Helper,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    channel: &'a str,
    name: &'a str,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    messages: Vec<Inbound>,
}

pub fn run(verify: &Verify) -> Result<(), Error> {
    let text = input(verify)?;
    let (mut wrong, mut judged, mut unreadable) = (Vec::new(), 0_usize, 0_usize);
    for value in rows(&text)? {
        let row = match serde_json::from_value::<Row>(value) {
            Ok(row) => row,
            Err(error) => {
                eprintln!("a row cannot be read: {error}");
                unreadable += 1;
                continue;
            }
        };
        let Some(room) = channels::named(&row.channel) else {
            eprintln!("{}: this build has no channel {}", row.name, row.channel);
            unreadable += 1;
            continue;
        };
        let line = line(room, &row);
        println!("{}", serde_json::to_string(&line).map_err(|error| Error::failed(error.to_string()))?);
        let accepted = line.verdict == Verdict::Accept;
        if line.verdict != Verdict::Helper && row.expected.valid.is_some_and(|valid| valid != accepted) {
            wrong.push(row.name);
        } else {
            judged += 1;
        }
    }
    if verify.check {
        eprintln!("{judged} as expected, {} not{}", wrong.len(), named(&wrong));
    }
    if unreadable > 0 || (verify.check && !wrong.is_empty()) { Err(Error::Reported) } else { Ok(()) }
}

fn named(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

fn input(verify: &Verify) -> Result<String, Error> {
    match &verify.file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Error::failed(format!("{} cannot be read: {error}", file.display()))),
        None => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map(|_| text)
                .map_err(|error| Error::failed(format!("standard input cannot be read: {error}")))
        }
    }
}

/// The rows of a text of JSON values, arrays among them taken apart.
fn rows(text: &str) -> Result<Vec<Value>, Error> {
    let mut rows = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.map_err(|error| Error::failed(format!("the input is no JSON: {error}")))? {
            Value::Array(items) => rows.extend(items),
            row => rows.push(row),
        }
    }
    Ok(rows)
}

fn line<'a>(room: &dyn Channel, row: &'a Row) -> Line<'a> {
    let (channel, name) = (row.channel.as_str(), row.name.as_str());
    if !is_http(&row.request.method) {
        return Line {
            channel,
            name,
            verdict: Verdict::Helper,
            status: None,
            body: None,
            messages: Vec::new(),
        };
    }
    let judged = judge(room, row);
    Line {
        channel,
        name,
        verdict: if judged.outcome.is_authentic() { Verdict::Accept } else { Verdict::Reject },
        status: Some(judged.response.status),
        body: Some(String::from_utf8_lossy(&judged.response.body).into_owned()),
        messages: judged.messages,
    }
}

/// The same way as the Lambda: a key that is asked for is the row's own.
fn judge(room: &dyn Channel, row: &Row) -> ingress::Verdict {
    let (account, request) = request(room, &row.request);
    let mut secrets = channels::local(&row.channel)
        .map_or_else(Secrets::default, |room| room.expecting(&row.expect_claims));
    row.secrets.iter().for_each(|(name, value)| secrets.insert(name.clone(), text(value)));
    let now = row.now.map_or_else(now, |seconds| seconds.saturating_mul(1_000));
    let judge = |keys: &Keys| {
        let ctx = Context { account: &account, secrets: &secrets, settings: &Value::Null, keys, now };
        ingress::judge(room, &request, &ctx)
    };
    let first = judge(&Keys::new());
    let given = row.jwks.as_ref().map(text).or_else(|| row.cert_pem.clone());
    match (&first.outcome, given) {
        (Outcome::NeedKey { url, .. }, Some(key)) => judge(&Keys::from([(url.clone(), key)])),
        _ => first,
    }
}

/// The request as it stands, under the account `main`; where the path is the proof, its first segment is the account.
fn request(room: &dyn Channel, recorded: &Recorded) -> (String, Request) {
    let headers: Headers = recorded.headers.iter().map(|(name, value)| (name, text(value))).collect();
    let body = recorded.body.as_ref().map(text).unwrap_or_default();
    let mut request = Request::new(&recorded.method, recorded.url.as_deref().unwrap_or("/"), headers, body);
    if room.spec().auth != AuthKind::Path {
        return ("main".to_owned(), request);
    }
    let path = request.path.trim_start_matches('/').to_owned();
    let (account, rest) = path.split_once('/').unwrap_or((&path, ""));
    request.path = format!("/{rest}");
    (account.to_owned(), request)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_http(method: &str) -> bool {
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    methods.iter().any(|known| known.eq_ignore_ascii_case(method))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every recorded row of every channel in this build is judged as its source says.
    #[test]
    fn recorded_requests_are_judged_right() {
        let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
        let mut judged = 0;
        for room in channels::ALL {
            let path = events.join(room.spec().name).join("vectors.json");
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
            for value in rows(&text).unwrap() {
                let row: Row = serde_json::from_value(value).unwrap();
                let line = line(*room, &row);
                if let (Some(valid), true) = (row.expected.valid, line.verdict != Verdict::Helper) {
                    assert_eq!(line.verdict == Verdict::Accept, valid, "{}", row.name);
                    judged += 1;
                }
            }
        }
        assert!(judged > channels::ALL.len());
    }

    #[test]
    fn rows_come_as_lines_or_arrays() {
        let found = rows("{\"a\":1}\n{\"a\":2}\n[{\"a\":3},{\"a\":4}]").unwrap();
        assert_eq!(found.len(), 4);
        assert!(rows("{\"a\":").unwrap_err().to_string().contains("no JSON"));
    }

    #[test]
    fn what_is_no_request_is_a_helper() {
        let row = serde_json::json!({"channel": "telegram", "name": "k", "request": {"method": "KEYGEN"}});
        let row: Row = serde_json::from_value(row).unwrap();
        let line = line(channels::named("telegram").unwrap(), &row);
        assert_eq!(serde_json::to_value(&line).unwrap()["verdict"], "helper");
    }
}
