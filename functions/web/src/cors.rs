//! Which pages may ask. <https://fetch.spec.whatwg.org/#http-cors-protocol>

use channel::{Request, Response};
use serde_json::Value;

use crate::spec::ORIGINS;

/// How long a browser remembers that it may ask, seconds.
const PREFLIGHT_S: &str = "600";

/// Where the page that asks comes from; browsers say so with every request to another site.
pub fn origin(request: &Request) -> Option<&str> {
    request.headers.get("origin").filter(|origin| !origin.is_empty())
}

/// Whether the configuration names the site.
pub fn allows(settings: &Value, origin: &str) -> bool {
    let is = |named: &Value| {
        let named = named.as_str().unwrap_or("").trim_end_matches('/');
        named == "*" || named.eq_ignore_ascii_case(origin)
    };
    match settings.get(ORIGINS) {
        Some(Value::Array(list)) => list.iter().any(is),
        Some(one) => is(one),
        None => false,
    }
}

/// Lets the page read the answer where its site is named. Cookies never come along: sessions are in a header.
pub fn allow(response: &mut Response, origin: Option<&str>, settings: &Value) {
    response.headers.set("vary", "Origin");
    if let Some(origin) = origin.filter(|origin| allows(settings, origin)) {
        response.headers.set("access-control-allow-origin", origin);
        response.headers.set("access-control-expose-headers", "retry-after");
    }
}

/// The answer to a browser that asks whether a page may ask.
pub fn preflight() -> Response {
    let headers = [
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", "authorization, content-type"),
        ("access-control-max-age", PREFLIGHT_S),
    ];
    Response { headers: headers.into_iter().collect(), ..Response::empty(204) }
}
