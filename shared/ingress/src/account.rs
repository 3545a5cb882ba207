//! Which account a request is for, and where it was addressed to.

use channel::Request;
use serde_json::Value;

/// The account of a URL without a path.
const DEFAULT: &str = "main";
/// Longer names are not ours.
const MAX_NAME: usize = 64;

/// Takes the account's segment off `request.path`; `request.url` stays as it was sent. `None`: no account is called so.
pub(crate) fn take(request: &mut Request) -> Option<String> {
    let path = request.path.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let name = if first.is_empty() { DEFAULT } else { first }.to_owned();
    request.path = format!("/{rest}");
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (name.len() <= MAX_NAME && name.bytes().all(is_name)).then_some(name)
}

/// Behind a proxy the sender signed the proxy's address: the setting `public_url` is its scheme and host.
pub(crate) fn address(request: &mut Request, settings: &Value) {
    let Some(public) = settings.get("public_url").and_then(Value::as_str) else { return };
    let after_scheme = request.url.find("://").map_or(0, |at| at + 3);
    let path_at = request.url.get(after_scheme..).and_then(|rest| rest.find('/')).map(|at| at + after_scheme);
    let path = path_at.and_then(|at| request.url.get(at..)).unwrap_or("/");
    request.url = format!("{}{path}", public.trim_end_matches('/'));
}

#[cfg(test)]
mod tests {
    use channel::Headers;
    use serde_json::json;

    use super::*;

    fn request(path: &str) -> Request {
        Request::new("POST", &format!("https://lambda.example{path}"), Headers::default(), "")
    }

    fn check(path: &str, account: Option<&str>, rest: &str) {
        let mut request = request(path);
        assert_eq!(take(&mut request).as_deref(), account, "{path}");
        assert_eq!(request.path, rest, "{path}");
        assert_eq!(request.url, format!("https://lambda.example{path}"));
    }

    #[test]
    fn the_first_segment_is_the_account() {
        check("", Some("main"), "/");
        check("/", Some("main"), "/");
        check("/?a=1", Some("main"), "/");
        check("/support", Some("support"), "/");
        check("/support/", Some("support"), "/");
        check("/support/events/2?a=1", Some("support"), "/events/2");
        check("/main/secret", Some("main"), "/secret");
        check("/.env", None, "/");
        check("/a%2Fb/c", None, "/c");
        check(&format!("/{}", "x".repeat(65)), None, "/");
    }

    #[test]
    fn a_proxys_address_takes_the_place_of_ours() {
        let mut behind = request("/support/x?a=1");
        address(&mut behind, &json!({"public_url": "https://bots.example.org/"}));
        assert_eq!(behind.url, "https://bots.example.org/support/x?a=1");
        let mut direct = request("/x");
        address(&mut direct, &Value::Null);
        assert_eq!(direct.url, "https://lambda.example/x");
    }
}
