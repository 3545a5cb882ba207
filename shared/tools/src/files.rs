//! What people sent, kept in the stack's bucket below `media/` until its lifecycle forgets it.

use std::time::Duration;

use egress::Method;

use crate::cloud::Request;
use crate::error::successful;
use crate::{Error, Tools};

/// A file is there, or is not waited for.
const TIME_OUT: Duration = Duration::from_secs(10);

impl Tools {
    /// Keeps a file. `key` begins with `media/`.
    ///
    /// # Errors
    /// It may be kept or not; keeping it again is safe.
    pub async fn keep_file(&self, key: &str, media_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let headers = vec![("content-type", media_type.to_owned())];
        let answer =
            self.cloud.send(&self.egress, self.request(Method::PUT, key, headers, bytes, 64 << 10)).await?;
        successful(answer).map(|_| ())
    }

    /// A file that was kept, at most so many bytes; `None` where it is forgotten.
    ///
    /// # Errors
    /// It cannot be read now, or is larger.
    pub async fn kept_file(&self, key: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, Error> {
        let request = self.request(Method::GET, key, Vec::new(), Vec::new(), max_bytes);
        let answer = self.cloud.send(&self.egress, request).await?;
        match answer.status {
            // Without the right to list, S3 says of what is not there that it is forbidden.
            403 | 404 => Ok(None),
            _ => successful(answer).map(|answer| Some(answer.body)),
        }
    }

    fn request(
        &self,
        method: Method,
        key: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
        max_bytes: usize,
    ) -> Request<'_> {
        Request {
            service: "s3",
            method,
            url: self.cloud.object(key),
            headers,
            body,
            time_out: TIME_OUT,
            max_bytes,
        }
    }
}
