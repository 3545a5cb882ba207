//! The local page: the product in a browser, with what goes on behind it.
//!
//! - `GET /`: the page; `GET /page/<file>`: what belongs to it. All of it is in the binary
//! - `GET /widget`: a page with the channel `web`'s widget in it, as a site would have it
//! - `GET /page/about`: the channels and the model
//! - `GET /page/events`: server-sent events, everything since the start and then what comes
//! - `GET /page/trace?n=1`: the path of a message
//! - `POST /page/send`, `/page/press`, `/page/promise`: what people do
//!
//! It speaks only to browsers on this machine that were sent here by itself, see [`own`].

mod cast;
mod facts;
mod look;
mod promise;
mod record;
mod seen;
mod trace;
mod verdict;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Json, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use channel::local::Look;
use futures::{Stream, stream};
use model_invoker::{channels, now};
use serde::Deserialize;
use serde_json::{Value, json};
use turn::config::Config;

pub(crate) use cast::Cast;
use cast::Words;
use record::Record;
use seen::Chat;
use verdict::Promise;

use crate::Fault;
use crate::functions::Told;
use crate::platform::{Call, Faults};

/// Nothing from elsewhere, nothing inline: a stranger's words stay words.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page's files, by name, with their media types.
const FILES: [(&str, &str, &str); 6] = [
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("chat.js", "text/javascript; charset=utf-8", include_str!("page/chat.js")),
    ("trace.js", "text/javascript; charset=utf-8", include_str!("page/trace.js")),
    ("nodes.js", "text/javascript; charset=utf-8", include_str!("page/nodes.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// What the page knows. It is there before the cloud is.
pub(crate) struct Page {
    record: Record,
    cast: OnceLock<Cast>,
    faults: Arc<Faults>,
    promises: AtomicU64,
    /// A page that was loaded from an earlier run loads itself again.
    run: i64,
}

impl Page {
    pub fn new(faults: Arc<Faults>) -> Page {
        let (record, cast, promises) = (Record::default(), OnceLock::new(), AtomicU64::new(0));
        Page { record, cast, faults, promises, run: now() }
    }

    /// From now on there are webhooks to write to.
    pub fn open(&self, cast: Cast) {
        // A second cloud has a page of its own.
        let _ = self.cast.set(cast);
        self.record.change(|all| all.show("open", json!({})));
    }

    pub fn told(&self, told: &Told) {
        self.record.told(told, now());
    }

    pub fn called(&self, call: &Call, look: Look) {
        self.record.called(call, look);
    }

    fn cast(&self) -> Result<&Cast, String> {
        self.cast.get().ok_or_else(|| "the local cloud is still starting".to_owned())
    }

    fn plan(&self, fault: Fault) {
        self.faults.plan(fault);
    }

    fn next_promise(&self) -> u64 {
        self.promises.fetch_add(1, Ordering::Relaxed) + 1
    }
}

pub(crate) fn router(page: Arc<Page>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/widget", get(widget))
        .route("/page/about", get(about))
        .route("/page/events", get(events))
        .route("/page/trace", get(traced))
        .route("/page/send", post(send))
        .route("/page/press", post(press))
        .route("/page/promise", post(show))
        .route("/page/{file}", get(file))
        .layer(from_fn(own))
        .with_state(page)
}

/// Lets nobody in who was led here: another site's page that calls this address (its `Origin` is another one), or one
/// whose name was made to lead to this machine (its `Host` is another one).
async fn own(request: Request, next: Next) -> Response {
    if !is_own(request.headers()) {
        return (StatusCode::FORBIDDEN, "the local page is for this machine only").into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn is_own(headers: &HeaderMap) -> bool {
    let field = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = field(header::HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let led = field(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") && !led
}

async fn index() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("page/index.html"))
}

/// The widget's own code and all that it asks for come from the local cloud, which is another origin.
async fn widget(State(page): State<Arc<Page>>) -> Result<Response, Told4xx> {
    let endpoints = &page.cast().map_err(problem)?.endpoints;
    let address =
        endpoints.channels.get("web").ok_or_else(|| problem("CHANNELS leaves out web".to_owned()))?;
    let html = include_str!("page/widget.html").replace("{web}", address);
    let aws = &endpoints.aws;
    let policy = format!(
        "default-src 'none'; script-src {aws}; connect-src {aws}; style-src 'self'; img-src 'self' https: blob: data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((head, html).into_response())
}

async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(have, ..)| *have == name) {
        Some((_, media_type, text)) => ([(header::CONTENT_TYPE, *media_type)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What people are told in place of an answer.
type Told4xx = (StatusCode, String);

fn problem(text: String) -> Told4xx {
    (StatusCode::CONFLICT, text)
}

async fn about(State(page): State<Arc<Page>>) -> Json<Value> {
    let Ok(cast) = page.cast() else { return Json(json!({ "run": page.run, "channels": [] })) };
    let rooms = channels::ALL.iter().filter_map(|room| {
        let spec = room.spec();
        cast.endpoints.channels.get(spec.name)?;
        Some(json!({
            "name": spec.name, "title": spec.title, "groups": spec.groups, "real": cast.is_real(spec.name),
        }))
    });
    let rooms: Vec<Value> = rooms.collect();
    let stored = cast.store().configuration().await.ok().flatten();
    let config = stored.and_then(|stored| Config::tolerant(&stored.json).ok()).unwrap_or_default();
    let model = config.models.get("default").map(|model| match model.model.as_str() {
        "" => model.provider.clone(),
        name => format!("{} {name}", model.provider),
    });
    Json(json!({ "run": page.run, "stack": cast.endpoints.stack, "model": model, "channels": rooms }))
}

/// An event's id is its number, which a browser that comes back names.
async fn events(
    State(page): State<Arc<Page>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let changes = page.record.changes();
    let begin = (page, changes, last.unwrap_or(0_u64), Vec::new().into_iter());
    let events = stream::unfold(begin, |(page, mut changes, last, mut ready)| async move {
        let (n, shown): (u64, Value) = match ready.next() {
            Some(next) => next,
            None => {
                ready = page.record.shown_after(last, &mut changes).await.into_iter();
                ready.next()?
            }
        };
        Some((Event::default().id(n.to_string()).json_data(shown), (page, changes, n, ready)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Which {
    n: u64,
}

async fn traced(
    State(page): State<Arc<Page>>,
    Query(which): Query<Which>,
) -> Result<Json<trace::Trace>, Told4xx> {
    let cast = page.cast().map_err(problem)?;
    trace::of(which.n, &page.record, cast).await.map(Json).map_err(problem)
}

#[derive(Deserialize)]
struct Sent {
    chat: Chat,
    text: String,
    /// The message whose button is pressed.
    #[serde(default)]
    under: Option<String>,
    /// Its form is sent.
    #[serde(default)]
    form: bool,
}

async fn send(State(page): State<Arc<Page>>, Json(sent): Json<Sent>) -> Result<Json<Value>, Told4xx> {
    if sent.text.trim().is_empty() || sent.chat.user.trim().is_empty() {
        return Err(problem("a message needs a text and somebody who writes it".to_owned()));
    }
    deliver(&page, Words::new(sent.chat, sent.text)).await
}

async fn press(State(page): State<Arc<Page>>, Json(sent): Json<Sent>) -> Result<Json<Value>, Told4xx> {
    let words = Words::new(sent.chat, sent.text);
    deliver(&page, Words { under: Some(sent.under.unwrap_or_default()), form: sent.form, ..words }).await
}

async fn deliver(page: &Page, words: Words) -> Result<Json<Value>, Told4xx> {
    let cast = page.cast().map_err(problem)?;
    let n = cast.deliver(words, &page.record).await.map_err(problem)?;
    Ok(Json(json!({ "n": n })))
}

#[derive(Deserialize)]
struct Shown {
    promise: Promise,
    chat: Chat,
}

async fn show(State(page): State<Arc<Page>>, Json(shown): Json<Shown>) -> Result<Json<Value>, Told4xx> {
    let n = promise::begin(&page, shown.promise, shown.chat).map_err(problem)?;
    Ok(Json(json!({ "n": n })))
}

#[cfg(test)]
mod tests;
