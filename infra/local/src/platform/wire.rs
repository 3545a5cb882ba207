//! Answers on their way: whole, or harmed as a [`Harm`] says.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _, stream};

use super::fault::Harm;

/// An answer that comes slowly or is broken off has at least this many bytes.
const LEAST: usize = 64;
/// More than any caller reads.
const HUGE: usize = 4 << 20;
/// Between two bytes of an answer that comes slowly: all of it takes longer than any call may.
const STEP: Duration = Duration::from_millis(500);
/// What was written reaches the other side before the connection breaks.
const BREATH: Duration = Duration::from_millis(50);

/// The answer, harmed or not. `None` = the connection is closed.
pub(super) fn write(answer: Option<channel::Response>, harm: Option<Harm>) -> Response {
    let Some(mut answer) = answer else { return closed() };
    let Some(harm) = harm else { return headed(&answer, Body::from(answer.body.clone())) };
    // No body would follow a 204.
    if answer.status == 204 {
        answer.status = 200;
    }
    if answer.body.is_empty() {
        answer.body = b"{}".to_vec();
    }
    let half = answer.body.len() / 2;
    match harm {
        Harm::Truncated => answer.body.truncate(half),
        // Spaces after JSON change nothing about it.
        Harm::Huge => answer.body.resize(HUGE, b' '),
        Harm::Broken | Harm::Short | Harm::Slow => answer.body.resize(answer.body.len().max(LEAST), b' '),
    }
    let (all, half) = (answer.body.len(), answer.body.get(..half).unwrap_or_default().to_vec());
    match harm {
        Harm::Truncated | Harm::Huge => headed(&answer, Body::from(answer.body.clone())),
        Harm::Slow => headed(&answer, Body::from_stream(slowly(answer.body.clone()))),
        Harm::Short => {
            answer.headers.set("content-length", all.to_string());
            headed(&answer, Body::from_stream(after(half, stream::empty())))
        }
        Harm::Broken => headed(&answer, Body::from_stream(after(half, broken()))),
    }
}

fn headed(answer: &channel::Response, body: Body) -> Response {
    let mut built = Response::builder().status(answer.status);
    for (name, value) in answer.headers.iter() {
        built = built.header(name, value);
    }
    built.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A body that fails before its first byte: hyper closes the connection, and nothing has been sent.
fn closed() -> Response {
    Response::new(Body::from_stream(broken()))
}

type Piece = Result<Bytes, std::io::Error>;

fn broken() -> impl Stream<Item = Piece> {
    stream::once(async { Err(std::io::Error::other("fault")) })
}

/// The bytes, and when they are out, the end.
fn after(bytes: Vec<u8>, end: impl Stream<Item = Piece>) -> impl Stream<Item = Piece> {
    let pause = stream::once(async {
        tokio::time::sleep(BREATH).await;
        Ok(Bytes::new())
    });
    stream::once(async { Ok(bytes.into()) }).chain(pause).chain(end)
}

fn slowly(bytes: Vec<u8>) -> impl Stream<Item = Piece> {
    stream::iter(bytes).then(|byte| async move {
        tokio::time::sleep(STEP).await;
        Ok(Bytes::from(vec![byte]))
    })
}
