//! Which client an address is for.

use reqwest::Url;

/// Where the address of a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust<'a> {
    /// From the operator: the configuration, or the platform's own documented API.
    Configured,
    /// From a payload, a model or a tool. `hosts` are exact names, `*.name` for everything below a name, or
    /// `*` for any public host; an empty list refuses every address.
    Untrusted { hosts: &'a [&'a str] },
}

impl<'a> Trust<'a> {
    /// The trust an address deserves: `Configured` when it begins with one of the operator's `bases` (same
    /// origin, and the base's path up to the end of a segment), else `Untrusted` with these `hosts`.
    ///
    /// So a local stand-in for a platform is reached by naming it in `urls`, without a switch in the guard.
    #[must_use]
    pub fn of<'b>(url: &str, bases: impl IntoIterator<Item = &'b str>, hosts: &'a [&'a str]) -> Self {
        let Ok(url) = Url::parse(url) else {
            return Self::Untrusted { hosts };
        };
        let covered =
            bases.into_iter().filter_map(|base| Url::parse(base).ok()).any(|base| begins(&url, &base));
        if covered { Self::Configured } else { Self::Untrusted { hosts } }
    }
}

fn begins(url: &Url, base: &Url) -> bool {
    let plain = url.username().is_empty() && url.password().is_none();
    // Opaque origins (data:, mailto:) are equal to nothing, not even to themselves.
    plain && url.origin() == base.origin() && within(url.path(), base.path())
}

fn within(path: &str, base: &str) -> bool {
    let base = base.strip_suffix('/').unwrap_or(base);
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_a_base_of_the_operator_is_configured() {
        let bases = ["http://127.0.0.1:4567/telegram", "https://api.example.com/", "not an address"];
        let check = |url: &str, configured: bool| {
            assert_eq!(Trust::of(url, bases, &["h"]) == Trust::Configured, configured, "{url}");
        };
        check("http://127.0.0.1:4567/telegram", true);
        check("http://127.0.0.1:4567/telegram/", true);
        check("http://127.0.0.1:4567/telegram/bot1:x/sendMessage?a=1", true);
        check("https://api.example.com:443/anything", true);
        check("http://127.0.0.1:4567/telegramx", false);
        check("http://127.0.0.1:4567/telegram/../discord", false);
        check("http://127.0.0.1:4567/telegram/%2e%2e/discord", false);
        check("http://127.0.0.1:4567/", false);
        check("http://127.0.0.1:4568/telegram", false);
        check("https://127.0.0.1:4567/telegram", false);
        check("http://127.0.0.1:4567@evil.example/telegram", false);
        check("http://user@127.0.0.1:4567/telegram", false);
        check("https://api.example.com.evil.net/", false);
        check("data:text/plain,x", false);
        check("nonsense", false);
    }
}
