//! Slack's `mrkdwn` as people read it: <https://docs.slack.dev/messaging/formatting-message-text>.

/// The text without mentions of `bot`, with links, names and the three escaped characters written out.
pub fn from_mrkdwn(text: &str, bot: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inside, after)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            break;
        };
        match reference(inside, bot) {
            Some(shown) => {
                out.push_str(&shown);
                rest = after;
            }
            // Its mention goes, and one of the spaces around it.
            None => {
                let alone = out.is_empty() || out.ends_with(char::is_whitespace);
                rest = if alone { after.strip_prefix(' ').unwrap_or(after) } else { after };
            }
        }
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
}

/// What stands between angle brackets; `None` for the mention of `bot`.
fn reference(inside: &str, bot: Option<&str>) -> Option<String> {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
        None => (inside, None),
    };
    let shown = match target.chars().next() {
        Some('@') if target.get(1..) == bot => return None,
        Some('@') => label.map_or(target.to_owned(), |name| format!("@{}", name.trim_start_matches('@'))),
        Some('#') => label.map_or(target.to_owned(), |name| format!("#{name}")),
        Some('!') => label.map_or_else(|| target.replacen('!', "@", 1), str::to_owned),
        _ => match label {
            Some(label) if !target.ends_with(label) => format!("{label} ({target})"),
            _ => target.to_owned(),
        },
    };
    Some(shown)
}
