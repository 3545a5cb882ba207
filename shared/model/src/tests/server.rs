//! A server that answers its connections by a script, one reply each, and remembers the requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A reply ends with its connection, as its headers announce.
#[derive(Clone)]
pub(super) struct Reply {
    head: String,
    /// Each with the pause before it.
    parts: Vec<(Duration, Vec<u8>)>,
}

impl Reply {
    pub fn new(status: u16, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Self { head, parts: Vec::new() }
    }

    pub fn json(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::new(status, &[headers, &[("content-type", "application/json")]].concat()).then(body)
    }

    /// Server-sent events, each with its `data:` and, if it has one, its `event:`.
    pub fn sse(events: &[(&str, &str)]) -> Self {
        let mut reply = Self::new(200, &[("content-type", "text/event-stream")]);
        for (event, data) in events {
            let name = if event.is_empty() { String::new() } else { format!("event: {event}\n") };
            reply = reply.then(format!("{name}data: {data}\n\n"));
        }
        reply
    }

    pub fn then(self, part: impl AsRef<[u8]>) -> Self {
        self.after(Duration::ZERO, part)
    }

    pub fn after(mut self, pause: Duration, part: impl AsRef<[u8]>) -> Self {
        self.parts.push((pause, part.as_ref().to_vec()));
        self
    }
}

impl Server {
    /// Answers the first connection with the first reply and so on, and refuses connections after the last.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                tokio::spawn(write(stream, reply));
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The JSON body of the only request.
    pub fn body(&self) -> serde_json::Value {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        let (_, body) = requests[0].split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

pub(super) async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the request broke off");
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// The client may leave before the end: that is what some tests are about.
pub(super) async fn write(mut stream: TcpStream, reply: Reply) {
    let mut parts = vec![(Duration::ZERO, format!("{}\r\n", reply.head).into_bytes())];
    parts.extend(reply.parts);
    for (pause, part) in parts {
        tokio::time::sleep(pause).await;
        if stream.write_all(&part).await.is_err() {
            return;
        }
    }
}
