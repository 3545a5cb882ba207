//! What programs are answered, in OpenAI's shapes.

use channel::{Outcome, Response};
use serde_json::{Value, json};

use super::MODEL;

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
            "The assistant does not answer this. Its operator lets a program talk with channels.web.access: workspace, or \
             with the id api:<user> (api:client where the request names no user) under channels.web.people, unless a hook of \
             theirs stops the question."
        }
        404 => "There is nothing at this address; there are /v1/chat/completions and /v1/models.",
        413 => "The request is larger than 6 MB.",
        415 => "Send the request uncompressed.",
        429 => "Too many requests: wait a minute.",
        504 => {
            "The assistant did not answer in time: ask again, or for less. Its operator can raise TurnSeconds."
        }
        _ => "The assistant is not available: try again. Its operator sees why in crabhook doctor.",
    }
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

    pub(super) fn unsupported(param: &'static str, why: &str) -> Fault {
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
