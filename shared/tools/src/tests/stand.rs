//! A server that answers as it is told and keeps what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use channel::Secrets;
use egress::Egress;
use serde_json::Value;

use crate::cloud::tests::cloud;
use crate::{Context, Memory, Tools};

/// A request as it arrived.
#[derive(Clone)]
pub struct Seen {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection stays open and nothing comes.
    pub never: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: vec![], body: body.into(), never: false }
    }

    pub fn json(value: Value) -> Reply {
        Reply::new(200, value.to_string()).header("content-type", "application/json")
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub fn never() -> Reply {
        Reply { never: true, ..Reply::new(200, "") }
    }
}

pub struct Stand {
    /// Without a `/` at the end.
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stand {
    /// Serves until the test ends. `answer` is given each request and how many came before it.
    pub async fn new(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Stand {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let seen = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.to_string(),
                    headers: parts.headers,
                    body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
                };
                let before = kept.lock().unwrap().len();
                let reply = answer(&seen, before);
                kept.lock().unwrap().push(seen);
                if reply.never {
                    std::future::pending::<()>().await;
                }
                let mut response = Response::builder().status(reply.status);
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Stand { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Of a process whose cloud is at `endpoint`.
pub fn tools(endpoint: Option<&str>) -> Tools {
    tools_with(endpoint, Remembered::default())
}

/// Of one that remembers what others were told.
pub fn tools_with(endpoint: Option<&str>, memory: Remembered) -> Tools {
    let egress = Egress::new().unwrap();
    let models = model::Clients { http: egress.configured_client(), aws: None };
    Tools::new(egress, models, cloud(endpoint.map(str::to_owned)), Box::new(memory))
}

/// A table that processes share.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<BTreeMap<String, String>>>);

impl Remembered {
    /// As if everything had been told so many milliseconds earlier.
    pub fn age(&self, ms: i64) {
        for text in self.0.lock().unwrap().values_mut() {
            let mut memo: Value = serde_json::from_str(text).unwrap();
            memo["at"] = (memo["at"].as_i64().unwrap() - ms).into();
            *text = memo.to_string();
        }
    }
}

#[async_trait::async_trait]
impl Memory for Remembered {
    async fn recall(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().get(name).cloned()
    }
    async fn keep(&self, name: &str, text: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }
}

pub fn context() -> Context {
    Context {
        assistant: "default".into(),
        channel: "telegram".into(),
        account: "main".into(),
        conversation: "abc".into(),
        chat: "42".into(),
        user: "7".into(),
        user_name: "Ana".into(),
        turn: "abc/12".into(),
        zone: None,
    }
}

pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn secrets() -> Secrets {
    [("orders", SIGNING), ("github", "Bearer ghp_1"), ("bad", "not a key")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}
