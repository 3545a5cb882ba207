//! A small HTTP/1.1 server on 127.0.0.1, plain or with TLS: what the measured process talks to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub struct Request {
    pub method: String,
    pub path: String,
    /// `x-amz-target`: the operation that an AWS client asks for.
    pub operation: String,
    pub body: Vec<u8>,
}

pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    /// More than one piece goes out as chunks, each by itself.
    pub pieces: Vec<Vec<u8>>,
    /// Between two pieces.
    pub pause: Duration,
}

impl Reply {
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, content_type, headers: vec![], pieces: vec![body.into()], pause: Duration::ZERO }
    }
}

/// Starts a server on a free port and says which. It serves until the bench ends; `None` from the handler closes the
/// connection.
pub fn serve(
    tls: Option<Arc<ServerConfig>>,
    handler: impl Fn(Request) -> Option<Reply> + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("127.0.0.1 has a free port");
    let port = listener.local_addr().expect("it was just bound").port();
    let handler = Arc::new(handler);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (tls, handler) = (tls.clone(), handler.clone());
            std::thread::spawn(move || connection(stream, tls, &*handler));
        }
    });
    port
}

fn connection(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    handler: &dyn Fn(Request) -> Option<Reply>,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    match tls {
        None => exchange(BufReader::new(stream), handler),
        Some(config) => {
            let session = ServerConnection::new(config).ok()?;
            exchange(BufReader::new(StreamOwned::new(session, stream)), handler)
        }
    }
}

/// Answers until the client has gone.
fn exchange(
    mut stream: BufReader<impl Read + Write>,
    handler: &dyn Fn(Request) -> Option<Reply>,
) -> Option<()> {
    loop {
        let request = read(&mut stream)?;
        let reply = handler(request)?;
        write(stream.get_mut(), &reply).ok()?;
    }
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let first = line(stream)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut operation, mut length, mut chunked) = (String::new(), 0, false);
    loop {
        let header = line(stream)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "transfer-encoding" => chunked = value.contains("chunked"),
            "x-amz-target" => operation = value.trim().to_owned(),
            _ => {}
        }
    }
    let body = if chunked { chunks(stream)? } else { exactly(stream, length)? };
    Some(Request { method, path, operation, body })
}

fn chunks(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = line(stream)?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        body.extend(exactly(stream, length)?);
        line(stream)?;
        if length == 0 {
            return Some(body);
        }
    }
}

fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn exactly(stream: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn write(stream: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} -\r\nContent-Type: {}\r\n", reply.status, reply.content_type);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let [body] = reply.pieces.as_slice() {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(&[head.as_bytes(), body].concat())?;
        return stream.flush();
    }
    stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())?;
    for piece in &reply.pieces {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        stream.write_all(&chunk)?;
        stream.flush()?;
        std::thread::sleep(reply.pause);
    }
    stream.write_all(b"0\r\n\r\n")?;
    stream.flush()
}
