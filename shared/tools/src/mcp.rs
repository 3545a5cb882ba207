//! Servers that speak the Model Context Protocol over streamable HTTP.
//! <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http>
//!
//! A server is connected to when one of its tools is called, and let go when the turn ends: what a frozen function holds open is
//! dead when it thaws. What tools there are is remembered, by the process and in the table, and asked for anew when the answer is
//! out: only who uses a server for the very first time waits for its greeting.

mod lists;
#[cfg(test)]
mod tests;
mod told;

use std::time::Duration;

use egress::HeaderMap;
use futures::future::join_all;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest, Implementation,
    JsonObject, ListToolsRequest, PaginatedRequestParams, ProtocolVersion, RequestMetaObject, ServerResult,
};
use rmcp::service::{ClientInitializeError, PeerRequestOptions, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, Peer, RoleClient, ServiceError};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::endpoint::Limits;
use crate::{Error, ToolResult, Tools};

pub(crate) use lists::{Listed, Lists};

/// Somebody is waiting for an answer: a server whose tools nobody knows and that does not tell them in this time is left out of it.
const FIRST_TIME: Duration = Duration::from_secs(5);
/// Nobody is waiting: what started cold may take longer. Not so long that the queue's message shows again meanwhile.
const LATER: Duration = Duration::from_secs(10);
/// Greeting a server whose tool is called takes this long at most, and no longer than the call may.
const GREETING: Duration = Duration::from_secs(15);
/// Saying goodbye is a courtesy: servers forget sessions by themselves.
const GOODBYE: Duration = Duration::from_secs(1);
/// Most bytes of one event of a server's stream.
const MAX_EVENT: usize = 6 << 20;
/// Every tool is part of every question: more than this is nothing that a model chooses well from, and OpenAI takes 128 in all.
const MAX_TOOLS: usize = 64;
/// A list longer than this many pages does not end.
const MAX_PAGES: usize = 10;

type Session = RunningService<RoleClient, ClientConfig>;

/// Asks the servers that a turn left for later.
pub(crate) async fn catch_up(tools: &Tools, within: Duration) {
    let now = crate::toolbox::now();
    let servers: Vec<Server> = tools.lists.later().into_values().collect();
    let asked = servers.iter().map(|server| async {
        if let Err(error) = server.asked(tools, LATER.min(within), now).await {
            tracing::warn!(tool = server.name, error = error.kind(), "a server does not tell its tools");
        }
        server.close().await;
    });
    // Whoever does not answer in time is asked after the next answer.
    let _ = timeout(within, join_all(asked)).await;
}

/// One server, for one turn.
pub(crate) struct Server {
    pub name: String,
    pub url: String,
    pub headers: HeaderMap,
    session: Mutex<Option<Session>>,
}

impl Server {
    pub fn new(name: &str, url: &str, headers: HeaderMap) -> Server {
        Server { name: name.to_owned(), url: url.to_owned(), headers, session: Mutex::new(None) }
    }

    /// Its tools, as remembered or asked for. `now` is Unix milliseconds.
    pub async fn tools(&self, tools: &Tools, now: i64) -> Result<Vec<Listed>, Error> {
        let key = self.key();
        let known = match tools.lists.known(&key, now) {
            Some(known) => Some(known),
            None => {
                let memo = tools.memory.recall(&lists::name(&key)).await;
                memo.and_then(|memo| tools.lists.take_up(key.clone(), &memo, now))
            }
        };
        let Some(known) = known else {
            let told = self.asked(tools, FIRST_TIME, now).await;
            if told.is_err() {
                self.ask_later(tools);
            }
            return told;
        };
        if known.old {
            self.ask_later(tools);
        }
        known.told
    }

    fn key(&self) -> lists::Key {
        (self.name.clone(), self.url.clone())
    }

    fn ask_later(&self, tools: &Tools) {
        tools.lists.ask_later(self.key(), Server::new(&self.name, &self.url, self.headers.clone()));
    }

    /// Asks for its tools and remembers them.
    async fn asked(&self, tools: &Tools, within: Duration, now: i64) -> Result<Vec<Listed>, Error> {
        let found = match timeout(within, self.list(tools, within)).await {
            Ok(found) => found,
            Err(_) => Err(Error::NotDone(format!("it did not answer within {} s", within.as_secs()))),
        };
        let list = found.as_ref().ok().cloned();
        let told = tools.lists.keep(self.key(), found, now);
        // One that told its tools before and fails now is remembered as it was.
        let memo = match list {
            Some(list) => lists::memo(Some(&list), now),
            None if told.is_err() => lists::memo(None, now),
            None => None,
        };
        if let Some(memo) = memo {
            tools.memory.keep(&lists::name(&self.key()), &memo).await;
        }
        told
    }

    async fn list(&self, tools: &Tools, within: Duration) -> Result<Vec<Listed>, Error> {
        let peer = self.peer(tools).await?;
        let mut found = Vec::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
            let request = ClientRequest::ListToolsRequest(request);
            match self.ask(&peer, request, within).await? {
                ServerResult::ListToolsResult(page) => {
                    found.extend(page.tools.iter().map(Listed::of));
                    cursor = page.next_cursor;
                }
                _ => return Err(Error::NotSetUp("it does not tell its tools".to_owned())),
            }
            if cursor.is_none() || found.len() > MAX_TOOLS {
                break;
            }
        }
        if found.len() > MAX_TOOLS {
            tracing::warn!(
                tool = self.name,
                most = MAX_TOOLS,
                "the server has more tools: name those to use under `allow`"
            );
            found.truncate(MAX_TOOLS);
        }
        Ok(found)
    }

    /// Calls a tool. `id`, the idempotency key, goes along for servers that look for one.
    pub async fn call(
        &self,
        tools: &Tools,
        tool: &str,
        arguments: JsonObject,
        id: &str,
        limits: Limits,
    ) -> Result<ToolResult, Error> {
        let peer = timeout(limits.time_out.min(GREETING), self.peer(tools))
            .await
            .map_err(|_| Error::NotDone("it did not answer in time".to_owned()))??;
        let mut params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let mut meta = RequestMetaObject::default();
        meta.insert("crabhook/idempotency-key".to_owned(), Value::from(id));
        params.meta = Some(meta);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        match self.ask(&peer, request, limits.time_out).await? {
            ServerResult::CallToolResult(result) => Ok(told::result(result)),
            _ => Err(Error::Refused("it asks back, which a chat cannot answer".to_owned())),
        }
    }

    async fn ask(
        &self,
        peer: &Peer<RoleClient>,
        request: ClientRequest,
        time_out: Duration,
    ) -> Result<ServerResult, Error> {
        let options = PeerRequestOptions::with_timeout(time_out);
        let answer = match peer.send_request_with_option(request, options).await {
            Ok(handle) => handle.await_response().await,
            Err(error) => Err(error),
        };
        if let Err(ServiceError::TransportClosed) = answer {
            // The next call greets anew.
            self.session.lock().await.take();
        }
        answer.map_err(|error| told::service_error(&error))
    }

    /// The way to the server, greeted if it was not yet. Calls side by side share it.
    async fn peer(&self, tools: &Tools) -> Result<Peer<RoleClient>, Error> {
        let mut session = self.session.lock().await;
        if let Some(open) = session.as_ref().filter(|open| !open.is_closed()) {
            return Ok(open.peer().clone());
        }
        let opened = self.greet(tools).await?;
        let peer = opened.peer().clone();
        *session = Some(opened);
        Ok(peer)
    }

    /// By `initialize`, which most servers know, else by `server/discover`, which took its place with version 2026-07-28.
    async fn greet(&self, tools: &Tools) -> Result<Session, Error> {
        match self.greet_by(tools, ClientLifecycleMode::Initialize).await {
            Ok(session) => Ok(session),
            Err(error) if told::knows_no_initialize(&error) => {
                let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
                let discover = ClientLifecycleMode::Discover { preferred_versions };
                self.greet_by(tools, discover).await.map_err(|_| told::greeting_error(&error))
            }
            Err(error) => Err(told::greeting_error(&error)),
        }
    }

    async fn greet_by(
        &self,
        tools: &Tools,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Session, ClientInitializeError> {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str())
            .custom_headers(headers.collect())
            .max_sse_event_size(MAX_EVENT);
        let transport = StreamableHttpClientTransport::with_client(tools.egress.configured_client(), config);
        let me = Implementation::new("crabhook", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), me).serve_with_lifecycle(transport, lifecycle).await
    }

    /// Ends the session, if there is one.
    pub async fn close(&self) {
        if let Some(mut session) = self.session.lock().await.take() {
            // Nothing depends on it.
            let _ = session.close_with_timeout(GOODBYE).await;
        }
    }
}
