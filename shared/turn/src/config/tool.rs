//! What the model may call, what runs around it, and what people can write beside plain words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::is_default;

/// Something that the model may call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tool {
    #[serde(default)]
    pub kind: ToolKind,
    /// What it is for, in words for the model; of `http` and `lambda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments; of `http` and `lambda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// Where it is; of `mcp` and `http`. Of `web_fetch`: pages below this address may be fetched although they are not public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name or ARN of the function; of `lambda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Headers of its requests, each with the name of the secret `/<stack>/tool/<name>` that is its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Name of the secret `/<stack>/tool/<name>` that signs its requests by Standard Webhooks; of `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Of `mcp`: those of the server's tools that may be called; all of them where none is named. Of `web_fetch`: the hosts that
    /// pages may be fetched from, `*.example.com` for everything below a name; every public one where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Which calls the person is asked about first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirm: Confirm,
    /// Seconds that a call may take.
    #[serde(default = "timeout_s")]
    pub timeout_s: u32,
    /// Bytes of a result that the model is shown.
    #[serde(default = "max_bytes")]
    pub max_bytes: u32,
    /// Names of entries of `knowledge` that are searched, all of them where none is named; of `search_knowledge`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knowledge: Vec<String>,
    /// The conversation in which operators are told, `<channel>/<account>/<chat>`; owners are told unless given. Of `hand_off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

fn timeout_s() -> u32 {
    20
}

fn max_bytes() -> u32 {
    20_000
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A server that speaks MCP over streamable HTTP.
    #[default]
    Mcp,
    /// Any HTTPS endpoint.
    Http,
    /// Any Lambda function of the account.
    Lambda,
    WebFetch,
    SearchKnowledge,
    RemindMe,
    Remember,
    Forget,
    HandOff,
}

/// Kinds that need no entry under `tools`: an assistant may name them as they are.
pub const BUILT_IN_TOOLS: &[(&str, ToolKind)] = &[
    ("web_fetch", ToolKind::WebFetch),
    ("search_knowledge", ToolKind::SearchKnowledge),
    ("remind_me", ToolKind::RemindMe),
    ("remember", ToolKind::Remember),
    ("forget", ToolKind::Forget),
    ("hand_off", ToolKind::HandOff),
];

impl Tool {
    /// The built-in tool of that name with its usual settings.
    pub fn built_in(name: &str) -> Option<Tool> {
        let (_, kind) = BUILT_IN_TOOLS.iter().find(|(known, _)| *known == name)?;
        Some(Tool { kind: *kind, timeout_s: timeout_s(), max_bytes: max_bytes(), ..Tool::default() })
    }
}

/// Which calls of a tool the person is asked about first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// Calls of a server's tools that it does not itself call read-only.
    #[default]
    Auto,
    None,
    All,
    /// Of a server's tools, those.
    #[serde(untagged)]
    Names(Vec<String>),
}

impl Confirm {
    /// Whether a call of that name is asked about. `changes`: it is of a server that does not say that it changes nothing.
    pub fn asks(&self, name: &str, changes: bool) -> bool {
        match self {
            Confirm::Auto => changes,
            Confirm::None => false,
            Confirm::All => true,
            Confirm::Names(names) => names.iter().any(|known| known == name),
        }
    }
}

/// A program of the operator's that sees messages before the model does, or answers before people do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Hook {
    pub on: HookPoint,
    /// Where it is; or `function`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name or ARN of a Lambda function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Name of the secret `/<stack>/tool/<name>` that signs its requests by Standard Webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Seconds that it may take.
    #[serde(default = "hook_timeout_s")]
    pub timeout_s: u32,
    /// What happens when it fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
}

fn hook_timeout_s() -> u32 {
    5
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before the model is asked.
    #[default]
    PreProcess,
    /// Before the answer is posted.
    PostProcess,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// As if it were not there.
    #[default]
    Continue,
    /// The message is not answered; the person is told to try again later.
    Stop,
}

/// A command or keyword of the operator's own. Exactly one of `prompt`, `reply` and `assistant` says what it does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CustomCommand {
    /// What the model is asked; `{text}` is what stands behind the command, `{argument}` what stands behind its colon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What is answered, without a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Name of the entry of `assistants` that answers, from now on in this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant: Option<String>,
    /// Messages that hold one of these words or phrases are taken for this command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// What `/help` says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Documents that were made searchable by `crabhook knowledge push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knowledge {
    /// Name of the entry of `models` that turns texts into vectors.
    pub model: String,
    /// What is in it, in words for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Passages that a search gives back.
    #[serde(default = "results")]
    pub results: u32,
}

fn results() -> u32 {
    5
}
