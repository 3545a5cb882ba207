//! The text of a message without what clients put around it.

use channel::encode;

/// What may be written `!new`, because clients keep `/new` for themselves.
const COMMANDS: [&str; 6] = ["help", "new", "status", "stop", "allow", "bot"];

/// Without the quotation that older clients put before a reply:
/// <https://spec.matrix.org/v1.12/client-server-api/#fallbacks-for-rich-replies>.
pub fn without_quote(body: &str) -> &str {
    if !body.starts_with("> <@") && !body.starts_with("> * <@") {
        return body;
    }
    let mut rest = body;
    while rest.starts_with('>') {
        rest = rest.split_once('\n').map_or("", |(_, after)| after);
    }
    rest.trim()
}

/// The text without our name at its beginning, and whether we are mentioned: `meant` says that the event does. Clients write a mention as the name that
/// people see, which only the HTML tells whose it is: <https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions>.
pub fn without_us(body: &str, html: &str, us: &str, meant: bool) -> (String, bool) {
    let local = us.trim_start_matches('@').split(':').next().unwrap_or("");
    let shown = linked(html, us);
    let names = [shown.as_deref().unwrap_or(""), us, local].map(|name| name.trim_start_matches('@'));
    let start = body.trim_start_matches('@');
    let called = names.iter().filter(|name| !name.is_empty()).find_map(|name| {
        let head = start.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name))?;
        let rest = start.get(head.len()..)?;
        // `crabhook: hi`, `@crabhook hi`, `crabhook`; not `crabhooks are`, and not `crabhook is` unless it is a mention.
        let ends = rest.is_empty() || rest.starts_with([':', ',']);
        let spaced =
            rest.starts_with(char::is_whitespace) && (meant || shown.is_some() || body.starts_with('@'));
        (ends || spaced).then(|| rest.trim_start_matches([':', ',']).trim().to_owned())
    });
    match called {
        Some(rest) => (rest, true),
        None => (body.to_owned(), meant || shown.is_some() || body.contains(us)),
    }
}

/// The words of a link to us.
fn linked(html: &str, us: &str) -> Option<String> {
    let (_, link) = html.split_once("https://matrix.to/#/").filter(|(_, link)| {
        let id = link.split(['"', '\'', '?']).next().unwrap_or("");
        encode::decode(id) == us
    })?;
    let (_, words) = link.split_once('>')?;
    let words = words.split('<').next().unwrap_or("");
    Some(words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

/// `!new` is our `/new`.
pub fn asked(text: String) -> String {
    match text.strip_prefix('!').map(|command| (command, command.split_whitespace().next().unwrap_or(""))) {
        Some((command, name)) if COMMANDS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
            format!("/{command}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_name_is_no_part_of_what_is_said() {
        let us = "@bot:example.org";
        let pill = r#"<a href="https://matrix.to/#/@bot:example.org">My Helper</a>: hi"#;
        let encoded = r#"<a href='https://matrix.to/#/%40bot%3Aexample.org?via=x'>My Helper</a>, hi"#;
        let other = r#"<a href="https://matrix.to/#/@bob:example.org">bot</a> hi"#;
        for (body, html, said, named) in [
            ("My Helper: hi", pill, "hi", true),
            ("My Helper, hi", encoded, "hi", true),
            ("hi My Helper", pill, "hi My Helper", true),
            ("@bot:example.org hi", "", "hi", true),
            ("@bot: hi", "", "hi", true),
            ("Bot: hi", "", "hi", true),
            ("bot", "", "", true),
            ("ask @bot:example.org", "", "ask @bot:example.org", true),
            ("bots are", "", "bots are", false),
            ("bot is down", "", "bot is down", false),
            ("bot hi", other, "bot hi", false),
            ("", "", "", false),
        ] {
            assert_eq!(without_us(body, html, us, false), (said.to_owned(), named), "{body}");
        }
        assert_eq!(without_us("bot is down", "", us, true), ("is down".to_owned(), true));
    }

    #[test]
    fn quotations_and_commands() {
        for (body, said) in [
            ("> <@ana:x> one\n> two\n\nthree", "three"),
            ("> * <@ana:x> waves\n\nthree", "three"),
            ("> <@ana:x> one", ""),
            ("> my own quotation\n\nthree", "> my own quotation\n\nthree"),
        ] {
            assert_eq!(without_quote(body), said, "{body}");
        }
        for (text, command) in
            [("!new", "/new"), ("!bot off", "/bot off"), ("!important", "!important"), ("!", "!")]
        {
            assert_eq!(asked(text.to_owned()), command);
        }
    }
}
