//! Slack's Markdown: <https://docs.slack.dev/messaging/formatting-message-text>.

use channel::markdown::{CommonMark, Dialect, Markup, Place, Style, Table, TableLines};

/// What `markdown_text` takes: CommonMark with tables, in which Slack also reads its own mentions.
pub struct SlackMarkdown;

impl Dialect for SlackMarkdown {
    fn markup(&self, style: &Style<'_>) -> Markup {
        CommonMark.markup(style)
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        CommonMark.escape(&harmless(text), place, out);
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    fn url(&self, url: &str) -> String {
        CommonMark.url(url)
    }

    fn task(&self, done: bool) -> &'static str {
        CommonMark.task(done)
    }

    fn rule(&self) -> &'static str {
        CommonMark.rule()
    }

    fn hard_break(&self) -> &'static str {
        CommonMark.hard_break()
    }

    fn table(&self, table: &Table) -> Option<TableLines> {
        CommonMark.table(table)
    }
}

/// The text with a zero-width space in every mention (`<!channel>`, `<@U…>`, `<#C…>`), so that it calls nobody. Code is
/// treated alike, because Slack reads mentions there too.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        out.push('<');
        if is_mention(after) {
            out.push('\u{200B}');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether what follows a `<` calls somebody. `<!DOCTYPE` and `List<@NonNull` do not.
fn is_mention(after: &str) -> bool {
    const SPECIAL: [&str; 6] = ["!channel", "!here", "!everyone", "!group", "!subteam", "!date"];
    let is_id =
        |id: &str| id.bytes().take(3).filter(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count() == 3;
    SPECIAL.iter().any(|special| after.starts_with(special))
        || after.strip_prefix(['@', '#']).is_some_and(is_id)
}
