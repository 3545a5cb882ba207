//! The tools of one turn: what the model is told of them, and what happens when it calls one.

mod open;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use channel::sign;
use model::{ToolCall, ToolSpec};
use serde_json::{Map, Value};
use tokio::time::timeout;
use turn::Kept;

use crate::desk::{self, Act, Desk};
use crate::endpoint::{Endpoint, Limits};
use crate::knowledge::{self, Knowledge};
#[cfg(feature = "mcp")]
use crate::mcp;
use crate::{Budget, Called, Context, Error, File, ToolResult, Tools, files, web};

pub use open::{Given, Missing};

/// Characters of arguments that a person who is asked gets to see, and how many arguments at most.
const MAX_SHOWN: usize = 600;
const MAX_ARGUMENTS: usize = 12;

/// What a tool is given beyond its time to say itself that it is over, and to the other side that nobody waits any more.
const GRACE: Duration = Duration::from_millis(500);

/// Most that is read of a program's answer, bytes: a file in base64, as much as a Lambda function may answer. The model is shown
/// the beginning of its text. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ANSWER: usize = 6 << 20;

/// Most files that go with an answer.
const MAX_FILES: usize = 4;

/// What there is to call in a turn. Made by [`Toolbox::open`]; calls may run side by side.
pub struct Toolbox<'a> {
    tools: &'a Tools,
    context: Context,
    budget: Budget,
    entries: Vec<Entry>,
    #[cfg(feature = "mcp")]
    servers: Vec<mcp::Server>,
    missing: Vec<Missing>,
    /// How often each call was made with success, by what makes it that call.
    done: Mutex<BTreeMap<String, u32>>,
    /// What tools made for the person, as it is kept in the bucket.
    made: Mutex<Vec<Kept>>,
}

struct Entry {
    spec: ToolSpec,
    action: Action,
    /// The person is asked first.
    asks: bool,
    limits: Limits,
}

enum Action {
    #[cfg(feature = "mcp")]
    Mcp {
        server: usize,
        tool: String,
    },
    Endpoint(Endpoint),
    Fetch(web::Rules),
    Search(Vec<Knowledge>),
    Desk(Act),
}

impl Toolbox<'_> {
    /// What the model is told; nothing when the budget is spent, so that it answers with what it knows.
    pub fn specs(&self) -> Vec<ToolSpec> {
        if self.budget.spent() {
            return Vec::new();
        }
        self.entries.iter().map(|entry| entry.spec.clone()).collect()
    }

    /// The configured tools that this turn has to do without, and why.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The turn's budget, for whoever asks the model again.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Makes a call of the model's. Whatever comes of it is for the model, unless somebody has to agree first: then call
    /// again with `confirmed` when they did.
    pub async fn call(&self, call: &ToolCall, desk: &dyn Desk, confirmed: bool) -> Called {
        let Some(entry) = self.entries.iter().find(|entry| entry.spec.name == call.name) else {
            let known: Vec<&str> = self.entries.iter().map(|entry| entry.spec.name.as_str()).collect();
            return error(format!("there is no tool {}; there is {}", call.name, known.join(", ")));
        };
        let Some(arguments) = object(&call.arguments) else {
            return error("the arguments must be a JSON object, as the tool's schema says");
        };
        if entry.asks && !confirmed {
            return Called::NeedsConfirmation { text: shown(&call.name, &arguments) };
        }
        if !self.budget.take() {
            return error("no more tools can be called for this message: answer with what you know");
        }
        let identity = format!("{}\0{}\0{}", self.context.turn, call.name, Value::from(arguments.clone()));
        let key = self.key(&identity);
        let limits = Limits { time_out: entry.limits.time_out.min(self.budget.time()), ..entry.limits };
        let made = self.make(entry, arguments, desk, &key, limits);
        let result = match timeout(limits.time_out + GRACE, made).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                let why = if let Error::NotSetUp(why) = &error { why } else { "" };
                tracing::warn!(tool = call.name, error = error.kind(), why, "a tool failed");
                error.into()
            }
            Err(_) => {
                tracing::warn!(tool = call.name, "a tool did not answer in time");
                Error::InDoubt("no answer in time".to_owned()).into()
            }
        };
        let result = if result.files.is_empty() { result } else { self.keep(result).await };
        if !result.is_error {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            *done.entry(identity).or_default() += 1;
        }
        Called::Done(result.within(entry.limits.max_bytes))
    }

    /// The files that calls made so far, which go to the person with the answer.
    pub fn made(&self) -> Vec<Kept> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a result's files for the person, and tells the model, before everything else, what becomes of them.
    async fn keep(&self, mut result: ToolResult) -> ToolResult {
        let files = std::mem::take(&mut result.files);
        if result.is_error {
            return result;
        }
        let mut lines = String::new();
        for file in files {
            let name = file.name.clone();
            let line = match self.keep_one(file).await {
                Ok(()) => format!("[The person gets {name} with your answer.]\n"),
                Err(why) => format!("[The person does not get {name}: {why}.]\n"),
            };
            lines.push_str(&line);
        }
        ToolResult { text: lines + &result.text, ..result }
    }

    /// `Err`: why the person does not get it.
    async fn keep_one(&self, file: File) -> Result<(), String> {
        let File { name, media_type, bytes } = file;
        let key = files::key(&self.context.conversation, &bytes);
        let made = self.made();
        if made.iter().any(|known| known.key == key) {
            return Ok(());
        }
        if bytes.len() > files::MAX_MADE {
            return Err(format!("it is larger than {} MiB", files::MAX_MADE >> 20));
        }
        if made.len() >= MAX_FILES {
            return Err(format!("{MAX_FILES} files go with an answer at most"));
        }
        if let Err(error) = self.tools.keep_file(&key, &media_type, bytes).await {
            tracing::warn!(error = error.kind(), "a tool's file is not kept");
            return Err("it cannot be sent at the moment".to_owned());
        }
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(Kept { name, media_type, key });
        Ok(())
    }

    /// The idempotency key of a call: the same when a killed turn is asked again, and when the model repeats what failed; another
    /// when it asks once more for what was done.
    fn key(&self, identity: &str) -> String {
        let done =
            self.done.lock().unwrap_or_else(PoisonError::into_inner).get(identity).copied().unwrap_or(0);
        sign::sha256_hex(format!("{identity}\0{done}").as_bytes()).chars().take(32).collect()
    }

    async fn make(
        &self,
        entry: &Entry,
        arguments: Map<String, Value>,
        desk: &dyn Desk,
        key: &str,
        limits: Limits,
    ) -> Result<ToolResult, Error> {
        match &entry.action {
            #[cfg(feature = "mcp")]
            Action::Mcp { server, tool } => match self.servers.get(*server) {
                Some(server) => server.call(self.tools, tool, arguments, key, limits).await,
                None => Err(Error::Refused("there is no such server".to_owned())),
            },
            Action::Endpoint(endpoint) => {
                let mut question = serde_json::json!({
                    "type": "tool", "id": key, "tool": entry.spec.name, "arguments": arguments,
                });
                self.context.tell(&mut question);
                let limits = Limits { max_bytes: MAX_ANSWER, ..limits };
                endpoint.ask(self.tools, key, &question, limits).await.map(|body| answer(&body))
            }
            Action::Fetch(rules) => {
                let arguments = desk::read(arguments.into()).map_err(Error::Refused)?;
                rules.fetch(self.tools, arguments, limits).await
            }
            Action::Search(all) => {
                let arguments = desk::read(arguments.into()).map_err(Error::Refused)?;
                knowledge::search(self.tools, all, arguments, limits, now()).await
            }
            Action::Desk(act) => {
                Ok(desk::call(*act, arguments.into(), desk, &self.context.zone(), key, now()).await)
            }
        }
    }

    /// Ends the sessions with servers. Takes about a second at most; without it they end when the process gets to it.
    pub async fn close(self) {
        #[cfg(feature = "mcp")]
        futures::future::join_all(self.servers.iter().map(mcp::Server::close)).await;
    }
}

fn error(text: impl Into<String>) -> Called {
    Called::Done(ToolResult::error(text))
}

/// The arguments as an object; nothing at all is an empty one.
fn object(arguments: &Value) -> Option<Map<String, Value>> {
    match arguments {
        Value::Object(arguments) => Some(arguments.clone()),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// The call in words for the person who is asked about it: something of every argument, and how much is not shown, so that nobody
/// agrees to what they do not know of.
fn shown(name: &str, arguments: &Map<String, Value>) -> String {
    let listed = arguments.len().min(MAX_ARGUMENTS);
    let room = MAX_SHOWN / listed.max(1);
    let line = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("\n• {}: {}", beginning(name, room, ""), beginning(&text, room, " characters are not shown"))
    };
    let lines: String = arguments.iter().take(listed).map(line).collect();
    let more = match arguments.len() - listed {
        0 => String::new(),
        more => format!("\n• {more} more arguments are not shown"),
    };
    format!("{name}{lines}{more}")
}

/// The text, or as many of its characters and how many there are beyond.
fn beginning(text: &str, most: usize, beyond: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let (shown, hidden) = text.split_at(end);
    format!("{shown}… [{} more{beyond}]", hidden.chars().count())
}

/// What a program answers: text, JSON, a picture or a PDF. Of an object, `text` is the result where it has one, `error: true` makes
/// it a failure, and `files` are for the person.
fn answer(body: &[u8]) -> ToolResult {
    if let Some(file) = File::of_body(body) {
        return ToolResult { files: vec![file], ..ToolResult::ok("") };
    }
    match serde_json::from_slice(body) {
        Ok(Value::String(text)) => ToolResult::ok(text),
        Ok(Value::Object(mut object)) => {
            let files = handed_over(&mut object);
            let is_error = object.get("error") == Some(&Value::Bool(true));
            match object.get("text").and_then(Value::as_str) {
                Some(text) => ToolResult { text: text.to_owned(), is_error, files },
                None => ToolResult { files, ..ToolResult::ok(Value::Object(object).to_string()) },
            }
        }
        _ => ToolResult::ok(String::from_utf8_lossy(body).into_owned()),
    }
}

/// `files: [{name, media_type, data}]`, their bytes in base64, taken out. What is not of this form is part of the result.
fn handed_over(object: &mut Map<String, Value>) -> Vec<File> {
    let text =
        |file: &Value, name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |file: &Value| {
        let bytes = sign::from_base64(file.get("data")?.as_str()?)?;
        Some(File::new(&text(file, "name"), &text(file, "media_type"), bytes))
    };
    let files: Option<Vec<File>> =
        object.get("files").and_then(Value::as_array).and_then(|files| files.iter().map(read).collect());
    if files.is_some() {
        object.remove("files");
    }
    files.unwrap_or_default()
}

/// Unix milliseconds.
pub(crate) fn now() -> i64 {
    let since: Duration = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
