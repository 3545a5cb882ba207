//! The part of OpenAI's protocol that clients need to talk to the assistant.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use channel::{MAX_TEXT_BYTES, Outcome, Response};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the assistant is called as a model.
pub const MODEL: &str = "crabhook";
/// OpenAI's code of a question that is too long.
pub const TOO_LONG: &str = "context_length_exceeded";
/// What the headings of a question's parts take at most, bytes.
const HEADINGS: usize = 128;
const MAX_USER: usize = 64;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    messages: Vec<Said>,
    #[serde(default)]
    user: Option<String>,
    /// What takes the place of `user` in newer clients.
    #[serde(default)]
    safety_identifier: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    tool_choice: Value,
    #[serde(default)]
    response_format: Value,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

/// A request for a completion as one message for the assistant.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    pub images: Vec<String>,
    /// Whom the program asks for.
    pub user: String,
}

/// How the program wants its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    pub model: String,
    pub stream: bool,
    /// A stream is to end with the tokens that the answer took.
    pub usage: bool,
}

/// What is wrong with a request, or became of it in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub status: u16,
    pub why: String,
    /// OpenAI's, where the status alone does not say it.
    pub code: Option<&'static str>,
    /// The field that is at fault.
    pub param: Option<&'static str>,
}

impl Fault {
    pub fn new(status: u16, why: &str) -> Fault {
        Fault { status, why: why.to_owned(), code: None, param: None }
    }

    fn unsupported(param: &'static str, why: &str) -> Fault {
        Fault { code: Some("unsupported_parameter"), param: Some(param), ..Fault::new(400, why) }
    }

    pub fn json(&self) -> Value {
        let mut fault = error(self.status, &self.why);
        if let Some(fault) = fault.get_mut("error").and_then(Value::as_object_mut) {
            fault.extend(self.code.map(|code| ("code".to_owned(), json!(code))));
            fault.extend(self.param.map(|param| ("param".to_owned(), json!(param))));
        }
        fault
    }

    /// The answer to the program. OpenAI's clients try twice more on most statuses, each time anew for us: they are told where that
    /// changes nothing.
    pub fn response(&self) -> Response {
        let mut response = Response::json(self.status, &self.json());
        if self.status != 503 {
            response.headers.set("x-should-retry", "false");
        }
        response
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Fault {
        Fault::new(400, &why)
    }
}

/// What is asked.
///
/// # Errors
/// What is wrong with the request, for its author.
pub fn question(body: &[u8]) -> Result<Question, Fault> {
    let asked = asked(body)?;
    if let Some(fault) = unsupported(&asked) {
        return Err(fault);
    }
    let last = asked.messages.iter().rposition(|said| said.role == "user");
    let last = last.ok_or_else(|| Fault::new(400, "messages must hold one of the role user"))?;
    let now = asked.messages.get(last).map(|said| text(&said.content)).unwrap_or_default();
    let images = asked.messages.get(last).map(|said| images(&said.content)).unwrap_or_default();
    if now.trim().is_empty() && images.is_empty() {
        return Err(Fault::new(400, "the last message of the role user is empty"));
    }
    let before = asked.messages.get(..last).unwrap_or_default();
    let of = |role: &Said| matches!(role.role.as_str(), "system" | "developer");
    let rules: Vec<String> = before.iter().filter(|said| of(said)).map(|said| text(&said.content)).collect();
    let rules = rules.join("\n");
    let left = MAX_TEXT_BYTES.checked_sub(rules.len() + now.len() + HEADINGS);
    let left = left.ok_or_else(|| too_long(rules.len() + now.len()))?;
    let earlier = newest(before.iter().filter(|said| !of(said)), left);
    let mut parts = Vec::new();
    if !rules.is_empty() {
        parts.push(format!("[Please follow this:]\n{rules}"));
    }
    if !earlier.is_empty() {
        parts.push(format!("[What was said before:]\n{}", earlier.join("\n")));
    }
    if !parts.is_empty() {
        parts.push(format!("[Now:]\n{now}"));
    }
    let text = if parts.is_empty() { now } else { parts.join("\n\n") };
    let user = asked.user.or(asked.safety_identifier).filter(|user| !user.is_empty());
    let user: String = user.unwrap_or_else(|| "client".to_owned()).chars().take(MAX_USER).collect();
    Ok(Question { text, images, user })
}

/// What an assistant cannot do for a program that counts on it. Wishes that change little are not heard.
fn unsupported(asked: &Asked) -> Option<Fault> {
    if asked.n.is_some_and(|n| n > 1) {
        return Some(Fault::unsupported("n", "There is one answer to a question: leave n out."));
    }
    if asked.tool_choice == "required" || asked.tool_choice.is_object() {
        let why = "The assistant calls its operator's tools and no others: leave tool_choice out, or set it to auto or none.";
        return Some(Fault::unsupported("tool_choice", why));
    }
    let format = asked.response_format.get("type").and_then(Value::as_str);
    let why = "No schema can be promised: leave response_format out, and ask for JSON in words.";
    (format == Some("json_schema")).then(|| Fault::unsupported("response_format", why))
}

fn too_long(bytes: usize) -> Fault {
    let why = format!(
        "The last message and the system messages have {bytes} bytes together, and {MAX_TEXT_BYTES} are passed on at most: send less."
    );
    Fault { code: Some(TOO_LONG), param: Some("messages"), ..Fault::new(400, &why) }
}

/// How it is to be answered; as a whole where the request cannot be read.
pub fn manner(body: &[u8]) -> Manner {
    let asked = asked(body).ok();
    let stream = asked.as_ref().and_then(|asked| asked.stream).unwrap_or(false);
    let options = asked.as_ref().and_then(|asked| asked.stream_options.as_ref());
    let usage = options.and_then(|options| options.include_usage).unwrap_or(false);
    let model = asked.and_then(|asked| asked.model).filter(|model| !model.is_empty());
    Manner { model: model.unwrap_or_else(|| MODEL.to_owned()), stream, usage }
}

fn asked(body: &[u8]) -> Result<Asked, String> {
    if channel::encode::json_depth(body) > channel::encode::MAX_JSON_DEPTH {
        return Err("the body is nested too deep".to_owned());
    }
    serde_json::from_slice(body)
        .map_err(|error| format!("the body is no chat completion request: line {}", error.line()))
}

/// The newest lines of what was said before, in their order, as many as so many bytes take.
fn newest<'a>(said: impl DoubleEndedIterator<Item = &'a Said>, most: usize) -> Vec<String> {
    let mut bytes = 0;
    let lines = said.rev().map(|said| format!("{}: {}", said.role, text(&said.content)));
    let mut lines: Vec<String> = lines
        .take_while(|line| {
            bytes += line.len() + 1;
            bytes <= most
        })
        .collect();
    lines.reverse();
    lines
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn images(content: &Value) -> Vec<String> {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let url = |part: &Value| part.pointer("/image_url/url").and_then(Value::as_str).map(str::to_owned);
    parts.iter().filter_map(url).collect()
}

/// The list of models: the assistant.
pub fn models() -> Value {
    json!({"object": "list", "data": [model()]})
}

fn model() -> Value {
    json!({"id": MODEL, "object": "model", "created": 0, "owned_by": "crabhook"})
}

/// The model that the path names.
pub fn named(path: &str) -> Response {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    if name == MODEL {
        return Response::json(200, &model());
    }
    let why = format!("There is no model of that name here: there is {MODEL}.");
    let fault = Fault { code: Some("model_not_found"), ..Fault::new(404, &why) };
    Response::json(404, &fault.json())
}

/// What all pieces of one answer have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub id: String,
    pub model: String,
    /// Unix milliseconds.
    pub created: i64,
    /// A stream ends with the tokens that the answer took.
    pub usage: bool,
}

impl Head {
    /// The answer as a whole, and why it ends.
    pub fn completion(&self, text: &str, reason: &str, usage: &Value) -> Value {
        let choice = json!({
            "index": 0, "finish_reason": reason, "logprobs": null,
            "message": {"role": "assistant", "content": text, "refusal": null},
        });
        self.object("chat.completion", &json!([choice]), Some(usage))
    }

    /// A piece of the answer as a server-sent event. The first says who speaks: clients join what pieces say, the role too.
    pub fn piece(&self, text: &str, is_first: bool) -> String {
        let delta = match is_first {
            true => json!({"role": "assistant", "content": text}),
            false => json!({"content": text}),
        };
        self.chunk(&delta, &Value::Null)
    }

    /// The last events: why it ends, what it took where that was asked for, and that nothing follows.
    pub fn end(&self, reason: &str, usage: &Value) -> String {
        let end = self.chunk(&json!({}), &json!(reason));
        let usage = match self.usage {
            true => event(&self.object("chat.completion.chunk", &json!([]), Some(usage))),
            false => String::new(),
        };
        format!("{end}{usage}{DONE}")
    }

    fn chunk(&self, delta: &Value, reason: &Value) -> String {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": reason, "logprobs": null});
        let usage = self.usage.then_some(&Value::Null);
        event(&self.object("chat.completion.chunk", &json!([choice]), usage))
    }

    fn object(&self, kind: &str, choices: &Value, usage: Option<&Value>) -> Value {
        let mut object = json!({
            "id": format!("chatcmpl-{}", self.id), "object": kind, "created": self.created.div_euclid(1_000),
            "model": self.model, "choices": choices,
        });
        if let (Some(object), Some(usage)) = (object.as_object_mut(), usage) {
            object.insert("usage".to_owned(), usage.clone());
        }
        object
    }
}

/// The tokens that an answer took.
pub fn usage(outcome: &Outcome) -> Value {
    let Outcome { input, output, cached, reasoning, .. } = outcome;
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input.saturating_add(*output),
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    })
}

/// A server-sent event. <https://html.spec.whatwg.org/multipage/server-sent-events.html>
pub fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// The last event of all.
const DONE: &str = "data: [DONE]\n\n";

/// An error in OpenAI's words. <https://platform.openai.com/docs/guides/error-codes>
pub fn error(status: u16, why: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", json!("invalid_api_key")),
        400 | 404 | 413 | 415 => ("invalid_request_error", Value::Null),
        403 => ("request_forbidden", json!("access_denied")),
        429 => ("requests", json!("rate_limit_exceeded")),
        504 => ("server_error", json!("timeout")),
        _ => ("server_error", Value::Null),
    };
    json!({"error": {"message": why, "type": kind, "param": null, "code": code}})
}

/// What is said about a status where the channel itself says nothing.
pub fn words(status: u16) -> &'static str {
    match status {
        401 => "Incorrect API key provided: it is the secret api_key of the channel web.",
        403 => {
            "The assistant does not answer this user. Its operator lets a program talk with channels.web.access: workspace, or \
             with the id api:<user> (api:client where the request names no user) under channels.web.people."
        }
        404 => "There is nothing at this address; there are /v1/chat/completions and /v1/models.",
        413 => "The request is larger than 1 MiB.",
        415 => "Send the request uncompressed.",
        429 => "Too many requests: wait a minute.",
        504 => {
            "The assistant did not answer in time: ask again, or for less. Its operator can raise TurnSeconds."
        }
        _ => "The assistant is not available: try again. Its operator sees why in crabhook doctor.",
    }
}
