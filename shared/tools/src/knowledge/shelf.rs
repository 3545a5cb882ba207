//! Indexes that this process has read, asked after every ten minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use egress::Method;

use super::index::{Flat, Index};
use crate::cloud::Request;
use crate::error::successful;
use crate::{Error, Tools};

/// For so long an index is taken for the newest, ms.
const FRESH: i64 = 10 * 60_000;
/// Largest file, bytes: what two thousand passages with the longest vectors come to, and then some.
const MAX_FILE: usize = 24 << 20;

#[derive(Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<String, Kept>>);

#[derive(Clone)]
struct Kept {
    index: Arc<dyn Index>,
    /// Names the version in the bucket.
    etag: String,
    until: i64,
}

impl Shelf {
    /// The index of that name. An older one serves while the bucket cannot be asked. `now` is Unix milliseconds.
    pub async fn index(
        &self,
        tools: &Tools,
        name: &str,
        time_out: Duration,
        now: i64,
    ) -> Result<Arc<dyn Index>, Error> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let read = match &kept {
            Some(kept) if now < kept.until => return Ok(Arc::clone(&kept.index)),
            Some(kept) => read(tools, name, Some(kept), time_out).await,
            None => read(tools, name, None, time_out).await,
        };
        let (index, etag) = match (read, kept) {
            (Ok(read), _) => read,
            (Err(error), Some(kept)) => {
                tracing::warn!(
                    knowledge = name,
                    error = error.kind(),
                    "the index cannot be read, an older one serves"
                );
                (kept.index, kept.etag)
            }
            (Err(error), None) => return Err(error),
        };
        let kept = Kept { index: Arc::clone(&index), etag, until: now + FRESH };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), kept);
        Ok(index)
    }
}

/// The index and its version; the one that is kept where the bucket says that it is the newest.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
async fn read(
    tools: &Tools,
    name: &str,
    kept: Option<&Kept>,
    time_out: Duration,
) -> Result<(Arc<dyn Index>, String), Error> {
    let request = Request {
        service: "s3",
        method: Method::GET,
        url: tools.cloud.object(&super::key(name)),
        headers: kept.map(|kept| ("if-none-match", kept.etag.clone())).into_iter().collect(),
        body: Vec::new(),
        time_out,
        max_bytes: MAX_FILE,
    };
    let answer = tools.cloud.send(&tools.egress, request).await?;
    match (answer.status, kept) {
        (304, Some(kept)) => return Ok((Arc::clone(&kept.index), kept.etag.clone())),
        // Without the right to list, S3 says of what is not there that it is forbidden.
        (403 | 404, _) => {
            return Err(Error::NotSetUp(format!(
                "there are no documents under {name}: crabhook knowledge push {name} <folder>"
            )));
        }
        _ => {}
    }
    let answer = successful(answer)?;
    let etag = answer.headers.get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
    let index =
        Flat::read(&answer.body).map_err(|error| Error::NotSetUp(format!("the index of {name}: {error}")))?;
    Ok((Arc::new(index), etag))
}
