//! The stand-in for the platforms: the rooms' own `answer` behind an HTTP server, with a memory and with faults on demand.
//!
//! - `/<channel>/<base>/…`: the platform's API
//! - `GET /calls?channel=x&since=n&wait=s`: what was called after the call numbered `n`, waiting up to `s` seconds for it
//! - `POST /file {"channel", "path", "base64"}`: what is answered to a `GET` of that channel whose path holds `path`
//! - `POST /fault`: makes the next calls of a channel fail, see [`Fault`]
//! - `/model/…`: a model that speaks several providers' protocols, see [`model`]
//! - `/` and `/page/…`: the local page, see [`crate::page`]

mod beyond;
mod calls;
mod fault;
mod model;
mod wire;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Json, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use channel::local::{Local, Look, Said, Streams};
use channel::{Request, Step, Target};
use model_invoker::channels;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use beyond::Beyond;
pub use calls::Call;
use calls::{Calls, Shown};
pub use fault::Fault;
pub(crate) use fault::Faults;
use model::{Dialect, Model, Told};

use crate::Error;
use crate::page::{self, Page};

/// Larger than what any room posts.
const MAX_BODY: usize = 16 << 20;
/// A long poll ends after this even where more was asked for.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The running stand-in, in a thread of its own: it outlives the runtime of whoever started it. Ends when dropped.
pub(crate) struct Platform {
    pub url: String,
    pub page: Arc<Page>,
    pub beyond: Arc<Beyond>,
    _stop: oneshot::Sender<()>,
}

struct Stage {
    calls: Calls,
    faults: Arc<Faults>,
    page: Arc<Page>,
    beyond: Arc<Beyond>,
    model: Model,
    /// Channel and key of what was posted, on platforms that know repetitions by a key.
    posted: Mutex<HashSet<(String, String)>>,
    /// Where messages stand that may be changed: the reply key by channel and id.
    places: Mutex<HashMap<(String, String), String>>,
    /// The streams of each channel.
    streams: Mutex<HashMap<String, Streams>>,
    files: Mutex<Vec<Sent>>,
    called: Box<dyn Fn(&Call) + Send + Sync>,
}

/// A file that somebody sent on a platform.
#[derive(Deserialize)]
struct Sent {
    channel: String,
    path: String,
    base64: String,
}

impl Platform {
    /// Listens on 127.0.0.1. `called` sees every call.
    pub fn start(port: u16, called: impl Fn(&Call) + Send + Sync + 'static) -> Result<Platform, Error> {
        let failed =
            |error: std::io::Error| Error::Broken(format!("the platforms' stand-in does not start: {error}"));
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))
            .map_err(|_| crate::ministack::taken("PLATFORM_PORT", port))?;
        listener.set_nonblocking(true).map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let faults = Arc::new(Faults::default());
        let page = Arc::new(Page::new(faults.clone()));
        let beyond = Arc::new(Beyond::new()?);
        let stage = Stage {
            calls: Calls::default(),
            faults,
            page: page.clone(),
            beyond: beyond.clone(),
            model: Model::default(),
            posted: Mutex::default(),
            places: Mutex::default(),
            streams: Mutex::default(),
            files: Mutex::default(),
            called: Box::new(called),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, router(stage)) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Platform { url, page, beyond, _stop: stop })
    }
}

fn router(stage: Stage) -> Router {
    let page = page::router(stage.page.clone());
    let platforms = Router::new()
        .route("/calls", get(list))
        .route("/fault", post(fault))
        .route("/file", post(file))
        .route("/model/v1/audio/transcriptions", post(transcribe))
        .route("/model/v1/chat/completions", post(chat))
        .route("/model/v1/responses", post(responses))
        .route("/model/anthropic/v1/messages", post(anthropic))
        .route("/model/bedrock/model/{id}/converse-stream", post(converse))
        .route("/model/delay", post(model_delay))
        .route("/model/answers", post(model_answers))
        .route("/model/go", post(model_go))
        .route("/model/calls", get(model_calls))
        .fallback(play)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(stage));
    platforms.merge(page)
}

#[derive(Deserialize)]
struct Wanted {
    channel: Option<String>,
    #[serde(default)]
    since: u64,
    /// Seconds.
    #[serde(default)]
    wait: f64,
}

async fn list(State(stage): State<Arc<Stage>>, Query(wanted): Query<Wanted>) -> Json<Value> {
    let wait = Duration::try_from_secs_f64(wanted.wait).unwrap_or_default().min(MAX_WAIT);
    let calls = stage.calls.after(wanted.since, wanted.channel.as_deref(), wait).await;
    Json(json!({ "calls": calls }))
}

async fn fault(State(stage): State<Arc<Stage>>, Json(fault): Json<Fault>) -> StatusCode {
    stage.faults.plan(fault);
    StatusCode::NO_CONTENT
}

async fn file(State(stage): State<Arc<Stage>>, Json(file): Json<Sent>) -> StatusCode {
    stage.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    StatusCode::NO_CONTENT
}

/// A voice message in which somebody says what stands behind its first bytes. It takes a minute, whatever it is.
async fn transcribe(State(stage): State<Arc<Stage>>, body: Bytes) -> Json<Value> {
    let said = body.windows(4).position(|four| four == b"OggS").and_then(|at| body.get(at + 4..));
    let said = said.unwrap_or_default().split(|byte| *byte == b'\r').next().unwrap_or_default();
    let text = String::from_utf8_lossy(said).into_owned();
    stage.model.note(&json!({"transcribed": text}));
    Json(json!({"text": text, "usage": {"type": "duration", "seconds": 60}}))
}

/// A call to a platform.
async fn play(
    State(stage): State<Arc<Stage>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches('/');
    let (name, below) = path.split_once('/').unwrap_or((path, ""));
    let Some(room) = channels::local(name) else {
        return (StatusCode::NOT_FOUND, format!("no channel {name:?} is played here")).into_response();
    };
    let mut request = Request::new(method.as_str(), &uri.to_string(), read(&headers), body.to_vec());
    request.path = format!("/{below}");
    // What its answer would be can be looked at first: it changes nothing but the streams, and those only if it acts.
    let mut streams = stage.streams.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
    let would = room.play(&request, streams.get_or_insert_default());
    let fault = stage.faults.next(name, &request.path, &request.body, !would.said.is_empty());
    let acts = fault.as_ref().is_none_or(|fault| !fault.fails() || fault.done);
    let mut answer = acts.then_some(would);
    if let Some(streams) = streams.as_ref().filter(|_| acts) {
        let mut all = stage.streams.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), streams.clone());
    }
    if let Some(answer) = answer.as_mut().filter(|_| room.is_passed_on(&request))
        && answer.response.is_success()
        && let Some(real) = stage.beyond.answer(&request).await
    {
        answer.said.retain(|_| real.is_success());
        answer.response = real;
    }
    if let (Some(answer), Some(bytes)) = (&mut answer, sent(&stage, name, &request)) {
        answer.response.body = bytes;
    }
    let done = answer.as_ref().filter(|answer| answer.response.is_success());
    let mut look = done.map(|answer| room.look(&request, &answer.response)).unwrap_or_default();
    // What is added to a stream is seen behind what it said before.
    let grown = streams.as_ref().and_then(|streams| streams.get(look.replaces.as_ref()?));
    if let Some(text) = look.text.as_mut() {
        grown.inspect(|grown| text.clone_from(&grown.text));
    }
    if let (Some(answer), Some(key)) = (&mut answer, room.known_by(&request)) {
        let first =
            stage.posted.lock().unwrap_or_else(PoisonError::into_inner).insert((name.to_owned(), key));
        answer.said.retain(|_| first);
        look = if first { look } else { Look::default() };
    }
    // Several messages of one call go to one conversation: they are shown as one text.
    let said = answer.as_ref().and_then(|answer| {
        let first = answer.said.first()?;
        let texts: Vec<&str> = answer.said.iter().map(|said| said.text.as_str()).collect();
        Some(Said { reply_key: first.reply_key.clone(), text: texts.join("\n\n") })
    });
    let shown = shown(&stage, room, name, &request, answer.as_ref(), said);
    let failure = fault.as_ref().filter(|fault| fault.fails());
    let answer = failure.map_or_else(|| answer.map(|answer| answer.response), Fault::response);
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    let call = stage.calls.note(name, &request, status, shown);
    (stage.called)(&call);
    stage.page.called(&call, look);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    wire::write(answer, fault.and_then(|fault| fault.harm))
}

/// The file that is asked for.
fn sent(stage: &Stage, name: &str, request: &Request) -> Option<Vec<u8>> {
    let files = stage.files.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |file: &&Sent| file.channel == name && request.path.contains(&file.path);
    let file = files.iter().rev().find(is_it).filter(|_| request.method == "GET")?;
    channel::sign::from_base64(&file.base64)
}

/// The message that a call made or changed, and what it says now. A change stands where the message stands, even where the call
/// does not name the place.
fn shown(
    stage: &Stage,
    room: &dyn Local,
    name: &str,
    request: &Request,
    answer: Option<&channel::local::Answer>,
    said: Option<Said>,
) -> Shown {
    let (Some(answer), Some(mut said)) = (answer, said) else { return Shown::default() };
    let (base, rest) = request.path.trim_start_matches('/').split_once('/').unwrap_or((&request.path, ""));
    let target = Target::Base { base: base.to_owned(), path: format!("/{rest}") };
    let step = Step::new(&request.method, target, channel::Body::Json(Value::Null));
    let edits = room.edits(request);
    let message = edits.clone().or_else(|| match room.settle(&step, &answer.response) {
        channel::Settled::Posted(id) => id,
        _ => None,
    });
    let mut places = stage.places.lock().unwrap_or_else(PoisonError::into_inner);
    let mut edited = false;
    if let Some(message) = &message {
        let key = (name.to_owned(), message.clone());
        match places.get(&key).filter(|_| edits.is_some()) {
            Some(place) => (said.reply_key, edited) = (place.clone(), true),
            None => {
                places.insert(key, said.reply_key.clone());
            }
        }
    }
    Shown { said: Some(said), message, edited }
}

fn read(headers: &HeaderMap) -> channel::Headers {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.to_owned())))
        .collect()
}

async fn chat(State(stage): State<Arc<Stage>>, Json(question): Json<Value>) -> Response {
    complete(&stage, Dialect::Chat, "/v1/chat/completions", question).await
}

async fn responses(State(stage): State<Arc<Stage>>, Json(question): Json<Value>) -> Response {
    complete(&stage, Dialect::Responses, "/v1/responses", question).await
}

async fn anthropic(State(stage): State<Arc<Stage>>, Json(question): Json<Value>) -> Response {
    complete(&stage, Dialect::Anthropic, "/anthropic/v1/messages", question).await
}

async fn converse(State(stage): State<Arc<Stage>>, Json(question): Json<Value>) -> Response {
    complete(&stage, Dialect::Converse, "/bedrock", question).await
}

/// The model as a channel named `model` where faults are concerned.
async fn complete(stage: &Stage, dialect: Dialect, path: &str, question: Value) -> Response {
    let fault = stage.faults.next("model", path, question.to_string().as_bytes(), true);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    match fault.filter(Fault::fails) {
        Some(fault) => {
            stage.model.note(&question);
            wire::write(fault.response(), fault.harm)
        }
        None => stage.model.answer(dialect, question).await,
    }
}

#[derive(Deserialize)]
struct Delay {
    ms: u64,
}

async fn model_delay(State(stage): State<Arc<Stage>>, Json(delay): Json<Delay>) -> StatusCode {
    stage.model.set_delay(Duration::from_millis(delay.ms));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Told>,
}

async fn model_answers(State(stage): State<Arc<Stage>>, Json(next): Json<Answers>) -> StatusCode {
    stage.model.set_answers(next.answers);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Go {
    pauses: u64,
}

async fn model_go(State(stage): State<Arc<Stage>>, Json(go): Json<Go>) -> StatusCode {
    stage.model.go(go.pauses);
    StatusCode::NO_CONTENT
}

async fn model_calls(State(stage): State<Arc<Stage>>) -> Json<Value> {
    Json(json!({ "calls": stage.model.questions() }))
}

#[cfg(test)]
mod tests;
