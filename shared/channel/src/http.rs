//! Requests and responses as plain values: what the fixtures in `events/` hold and what the rooms read and write.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A body of the largest size could hold half a million.
const MAX_FORM_FIELDS: usize = 1_000;

/// Header fields; names are compared without regard to case, as HTTP asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "std::collections::BTreeMap<String, String>",
    into = "std::collections::BTreeMap<String, String>"
)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Sets a field, in place of an earlier one of that name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Headers(pairs.into_iter().map(|(n, v)| (n.as_ref().to_ascii_lowercase(), v.into())).collect())
    }
}

impl From<std::collections::BTreeMap<String, String>> for Headers {
    fn from(map: std::collections::BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl From<Headers> for std::collections::BTreeMap<String, String> {
    fn from(headers: Headers) -> Self {
        headers.0.into_iter().collect()
    }
}

/// A webhook request as its platform sent it, and our own requests as the stand-in sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// The public URL as the sender addressed it, query included: what signatures may cover.
    pub url: String,
    /// The path without the account's segment, beginning with `/`.
    pub path: String,
    /// The raw query, without `?`; empty without one.
    pub query: String,
    pub headers: Headers,
    /// The raw bytes, exactly as signed.
    pub body: Vec<u8>,
}

impl Request {
    /// A request to `url`, whose path and query are taken from it as they stand.
    pub fn new(method: &str, url: &str, headers: Headers, body: impl Into<Vec<u8>>) -> Request {
        let after_scheme = url.find("://").map_or(url, |at| url.get(at + 3..).unwrap_or(""));
        let path_and_query = match (url.contains("://"), after_scheme.find('/')) {
            (true, Some(at)) => after_scheme.get(at..).unwrap_or("/"),
            (true, None) => "/",
            (false, _) => url,
        };
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Request {
            method: method.to_ascii_uppercase(),
            url: url.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: query.to_owned(),
            headers,
            body: body.into(),
        }
    }

    /// The value of a query parameter, percent-decoded once.
    pub fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The media type of the body, lower case, without parameters.
    pub fn content_type(&self) -> String {
        let value = self.headers.get("content-type").unwrap_or("");
        value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }
}

/// An answer: ours to a platform, or a platform's to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    pub fn empty(status: u16) -> Response {
        Response { status, headers: Headers::default(), body: Vec::new() }
    }

    pub fn text(status: u16, body: &str) -> Response {
        Response::typed(status, "text/plain; charset=utf-8", body.as_bytes().to_vec())
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Response {
        Response::typed(status, "application/json", body.to_string().into_bytes())
    }

    fn typed(status: u16, content_type: &str, body: Vec<u8>) -> Response {
        Response { status, headers: [("content-type", content_type)].into_iter().collect(), body }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON, `null` where it is none.
    pub fn body_json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// The `Retry-After` header in seconds, where it is given as a number.
    pub fn retry_after(&self) -> crate::RetryAfter {
        let seconds: f64 = self.headers.get("retry-after")?.trim().parse().ok()?;
        (seconds.is_finite() && seconds >= 0.0)
            .then(|| std::time::Duration::from_secs_f64(seconds.min(86_400.0)))
    }
}

/// A request whose body nobody may interpret yet. The only way to the body's meaning is [`Unverified::verified`],
/// which a room's `verify` calls once the signature holds.
pub struct Unverified<'a>(pub &'a Request);

impl<'a> Unverified<'a> {
    /// To be called when, and only when, the request was found authentic.
    pub fn verified(self) -> Verified<'a> {
        Verified(Cow::Borrowed(self.0))
    }

    /// As [`Unverified::verified`], where what was sent is a ciphertext: the request with its plaintext for a body.
    pub fn opened(self, plaintext: Vec<u8>) -> Verified<'a> {
        Verified(Cow::Owned(Request { body: plaintext, ..self.0.clone() }))
    }
}

/// Proof that a request was found authentic: what a room's `parse` takes.
pub struct Verified<'a>(Cow<'a, Request>);

impl Verified<'_> {
    pub fn request(&self) -> &Request {
        &self.0
    }

    /// The body as JSON of the given shape, at most 64 levels deep; `None` where it is not.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        if crate::encode::json_depth(&self.0.body) > crate::encode::MAX_JSON_DEPTH {
            return None;
        }
        serde_json::from_slice(&self.0.body).ok()
    }

    /// The body as form fields, percent-decoded. Only the first 1,000: platforms send some dozens.
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.0.body).into_owned().take(MAX_FORM_FIELDS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified_json(body: &str) -> bool {
        let request = Request::new("POST", "/", Headers::default(), body);
        Unverified(&request).verified().json::<serde_json::Value>().is_some()
    }

    #[test]
    fn json_is_read_up_to_64_levels() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(verified_json(&nested(64)));
        assert!(!verified_json(&nested(65)));
    }

    #[test]
    fn a_form_is_read_up_to_a_thousand_fields() {
        let body = format!("first=1&{}last=1", "x=&".repeat(100_000));
        let request = Request::new("POST", "/", Headers::default(), body);
        let fields = Unverified(&request).verified().form();
        assert_eq!((fields.len(), fields[0].0.as_str(), fields[999].0.as_str()), (1_000, "first", "x"));
    }

    #[test]
    fn what_was_opened_is_read_in_place_of_the_ciphertext() {
        let sealed = Request::new("POST", "https://x.example/main?a=1", Headers::default(), "sealed");
        let opened = Unverified(&sealed).opened(br#"{"a":1}"#.to_vec());
        assert_eq!(opened.json(), Some(serde_json::json!({"a": 1})));
        assert_eq!(opened.request().query("a").as_deref(), Some("1"));
        assert_eq!(Unverified(&sealed).verified().request(), &sealed);
    }
}
