//! The stand-in for the platforms: the rooms' own `answer` behind an HTTP server, with a memory and with faults on demand.
//!
//! - `/<channel>/<base>/…`: the platform's API
//! - `GET /calls?channel=x&since=n&wait=s`: what was called after the call numbered `n`, waiting up to `s` seconds for it
//! - `POST /fault`: makes the next calls of a channel fail, see [`Fault`]
//! - `/model/v1`: an OpenAI-compatible model, see [`model`]
//! - `/` and `/page/…`: the local page, see [`crate::page`]

mod beyond;
mod calls;
mod fault;
mod model;
mod wire;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Json, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use channel::Request;
use channel::local::{Look, Said};
use model_invoker::channels;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use beyond::Beyond;
pub use calls::Call;
use calls::Calls;
pub use fault::Fault;
pub(crate) use fault::Faults;
use model::Model;

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
    called: Box<dyn Fn(&Call) + Send + Sync>,
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
        .route("/model/v1/chat/completions", post(complete))
        .route("/model/delay", post(model_delay))
        .route("/model/answers", post(model_answers))
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
    // Playing a platform changes nothing: what its answer would be can be looked at first.
    let would = room.answer(&request);
    let fault = stage.faults.next(name, &request.path, &request.body, !would.said.is_empty());
    let acts = fault.as_ref().is_none_or(|fault| !fault.fails() || fault.done);
    let mut answer = acts.then_some(would);
    if let Some(answer) = answer.as_mut().filter(|_| room.is_passed_on(&request))
        && answer.response.is_success()
        && let Some(real) = stage.beyond.answer(&request).await
    {
        answer.said.retain(|_| real.is_success());
        answer.response = real;
    }
    let done = answer.as_ref().filter(|answer| answer.response.is_success());
    let mut look = done.map(|answer| room.look(&request, &answer.response)).unwrap_or_default();
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
    let failure = fault.as_ref().filter(|fault| fault.fails());
    let answer = failure.map_or_else(|| answer.map(|answer| answer.response), Fault::response);
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    let call = stage.calls.note(name, &request, status, said);
    (stage.called)(&call);
    stage.page.called(&call, look);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    wire::write(answer, fault.and_then(|fault| fault.harm))
}

fn read(headers: &HeaderMap) -> channel::Headers {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// The model as a channel named `model` where faults are concerned.
async fn complete(State(stage): State<Arc<Stage>>, Json(question): Json<Value>) -> Response {
    let fault = stage.faults.next("model", "/v1/chat/completions", question.to_string().as_bytes(), true);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    match fault.filter(Fault::fails) {
        Some(fault) => {
            stage.model.note(&question);
            wire::write(fault.response(), fault.harm)
        }
        None => stage.model.answer(question).await,
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
    answers: Vec<String>,
}

async fn model_answers(State(stage): State<Arc<Stage>>, Json(next): Json<Answers>) -> StatusCode {
    stage.model.set_answers(next.answers);
    StatusCode::NO_CONTENT
}

async fn model_calls(State(stage): State<Arc<Stage>>) -> Json<Value> {
    Json(json!({ "calls": stage.model.questions() }))
}

#[cfg(test)]
mod tests;
