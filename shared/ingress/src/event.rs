//! The event of a Lambda function URL, payload format 2.0, and the answer to it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>

use std::collections::BTreeMap;

use channel::{Headers, Request, Response, sign};
use serde::{Deserialize, Serialize};

/// The account of a URL without a first segment.
pub const MAIN: &str = "main";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default)]
    pub raw_path: String,
    #[serde(default)]
    pub raw_query_string: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub request_context: RequestContext,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    #[serde(default)]
    pub domain_name: String,
    pub http: Http,
}

#[derive(Debug, Deserialize)]
pub struct Http {
    pub method: String,
}

/// Why an event is no request that a channel could judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Larger than the platform ever sends.
    TooLarge,
    /// Said to be base64, and is not.
    Malformed,
}

/// A request, and the account that its URL names.
#[derive(Debug, PartialEq, Eq)]
pub struct Addressed {
    pub account: String,
    pub request: Request,
}

impl Event {
    /// The request with its body as bytes. The first segment of the path names the account and is taken from `path` only:
    /// `url` stays as the sender signed it. `public_url` replaces scheme and host where something stands in front of the function.
    ///
    /// # Errors
    /// [`Refused`], before anybody looks at the body.
    pub fn request(
        self,
        max_body: usize,
        public_url: impl Fn(&str) -> Option<String>,
    ) -> Result<Addressed, Refused> {
        let body = self.body.unwrap_or_default();
        // Base64 is four characters for three bytes: too long a text need not be decoded to be refused.
        if body.len() / 4 * 3 > max_body.saturating_add(3) {
            return Err(Refused::TooLarge);
        }
        let body = match self.is_base64_encoded {
            true => sign::from_base64(&body).ok_or(Refused::Malformed)?,
            false => body.into_bytes(),
        };
        if body.len() > max_body {
            return Err(Refused::TooLarge);
        }
        let trimmed = self.raw_path.strip_prefix('/').unwrap_or(&self.raw_path);
        let (first, rest) = trimmed.split_once('/').unwrap_or((trimmed, ""));
        let account = if first.is_empty() { MAIN } else { first }.to_owned();
        let origin =
            public_url(&account).unwrap_or_else(|| format!("https://{}", self.request_context.domain_name));
        let mut url = format!("{}{}", origin.trim_end_matches('/'), self.raw_path);
        if !self.raw_query_string.is_empty() {
            url = format!("{url}?{}", self.raw_query_string);
        }
        let request = Request {
            method: self.request_context.http.method.to_ascii_uppercase(),
            url,
            path: format!("/{rest}"),
            query: self.raw_query_string,
            headers: self.headers.into_iter().collect::<Headers>(),
            body,
        };
        Ok(Addressed { account, request })
    }
}

/// The answer as Lambda wants it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub status_code: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub is_base64_encoded: bool,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Answer {
        let (body, is_base64_encoded) = match String::from_utf8(response.body) {
            Ok(text) => (text, false),
            Err(bytes) => (sign::base64(bytes.as_bytes()), true),
        };
        Answer { status_code: response.status, headers: response.headers.into(), body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(path: &str, body: &str, base64: bool) -> Event {
        serde_json::from_value(serde_json::json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "a=1", "headers": {"x-a": "b"}, "body": body,
            "isBase64Encoded": base64, "requestContext": {"domainName": "u.example", "http": {"method": "post"}},
        }))
        .unwrap()
    }

    fn check(path: &str, account: &str, rest: &str) {
        let addressed = event(path, "x", false).request(10, |_| None).unwrap();
        assert_eq!((addressed.account.as_str(), addressed.request.path.as_str()), (account, rest), "{path}");
        assert_eq!(addressed.request.url, format!("https://u.example{path}?a=1"));
        assert_eq!(addressed.request.method, "POST");
    }

    #[test]
    fn the_first_segment_is_the_account() {
        check("/", "main", "/");
        check("", "main", "/");
        check("/support", "support", "/");
        check("/support/", "support", "/");
        check("/support/s3cret/x", "support", "/s3cret/x");
    }

    #[test]
    fn bodies_are_bytes_within_their_limit() {
        let body = |body: &str, base64| event("/", body, base64).request(4, |_| None).map(|a| a.request.body);
        assert_eq!(body("é123", false), Err(Refused::TooLarge));
        assert_eq!(body("1234", false), Ok(b"1234".to_vec()));
        assert_eq!(body("/wD+MQ==", true), Ok(vec![0xff, 0, 0xfe, b'1']));
        assert_eq!(body("AAAAAAA=", true), Err(Refused::TooLarge));
        assert_eq!(body(&"A".repeat(1_000_000), true), Err(Refused::TooLarge));
        assert_eq!(body("%%%", true), Err(Refused::Malformed));
    }

    #[test]
    fn what_stands_in_front_gives_the_public_address() {
        let addressed =
            event("/x", "", false).request(4, |_| Some("https://chat.example.com/".into())).unwrap();
        assert_eq!(addressed.request.url, "https://chat.example.com/x?a=1");
    }

    #[test]
    fn answers_that_are_no_text_go_as_base64() {
        let answer = Answer::from(Response { status: 200, headers: Headers::default(), body: vec![0xff] });
        assert_eq!((answer.body.as_str(), answer.is_base64_encoded), ("/w==", true));
        let answer = Answer::from(Response::text(202, "ok"));
        assert_eq!((answer.body.as_str(), answer.is_base64_encoded, answer.status_code), ("ok", false, 202));
    }
}
