//! A platform's text as HTML of a few harmless elements. The page makes nodes of it, and only of those that it knows.

use channel::local::Markup;
use channel::markdown::{escape_html, html as markdown};

/// What ends a link that is its own label.
const AFTER_LINK: [char; 5] = ['.', ',', ')', '!', '?'];

pub(super) fn html(text: &str, markup: Markup) -> String {
    match markup {
        Markup::Plain => plain(text),
        Markup::Linked => linked(text),
        Markup::Html => text.to_owned(),
        Markup::Markdown => markdown(text),
        Markup::Starred => starred(text),
    }
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(from.len());
        let url = from.get(..end).unwrap_or(from).trim_end_matches(AFTER_LINK);
        escape_html(before, &mut out);
        link(url, url, &mut out);
        rest = from.get(url.len()..).unwrap_or("");
    }
    escape_html(rest, &mut out);
    out
}

fn link(url: &str, label: &str, out: &mut String) {
    out.push_str("<a href=\"");
    escape_html(url, out);
    out.push_str("\">");
    escape_html(label, out);
    out.push_str("</a>");
}

/// Links as `<a href="…">label</a>`, nothing else.
fn linked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (url, label, after))) = next_link(rest) {
        out.push_str(&plain(before));
        link(url, label, &mut out);
        rest = after;
    }
    out + &plain(rest)
}

fn next_link(text: &str) -> Option<(&str, (&str, &str, &str))> {
    let (before, from) = text.split_once("<a href=\"")?;
    let (url, from) = from.split_once("\">")?;
    let (label, after) = from.split_once("</a>")?;
    Some((before, (url, label, after)))
}

/// `*bold* _italic_ ~strike~`, code between backticks: <https://faq.whatsapp.com/539178204879377>,
/// <https://developers.google.com/workspace/chat/format-messages>.
fn starred(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, piece) in text.split("```").enumerate() {
        if index % 2 == 1 {
            out.push_str("<pre>");
            escape_html(piece.trim_matches('\n'), &mut out);
            out.push_str("</pre>");
        } else {
            flow(piece, &mut out);
        }
    }
    out
}

const MARKS: [(char, &str); 4] = [('*', "strong"), ('_', "em"), ('~', "s"), ('`', "code")];

/// A mark begins before a word and ends after one, on one line.
fn flow(text: &str, out: &mut String) {
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or("");
        if let Some((mark, tag)) = MARKS.iter().find(|(mark, _)| *mark == c)
            && !before.is_some_and(char::is_alphanumeric)
            && let Some((inside, following)) = marked(after, *mark)
        {
            out.push_str(&format!("<{tag}>"));
            if *tag == "code" {
                escape_html(inside, out)
            } else {
                flow(inside, out)
            }
            out.push_str(&format!("</{tag}>"));
            (rest, before) = (following, Some(*mark));
            continue;
        }
        if c == '<'
            && let Some((inside, following)) = after.split_once('>')
            && let Some((url, label)) = inside.split_once('|')
        {
            link(url, label, out);
            (rest, before) = (following, Some('>'));
            continue;
        }
        // The words up to the next character that may mean something.
        let end = after.find(['*', '_', '~', '`', '<']).map_or(rest.len(), |at| at + c.len_utf8());
        let words = rest.get(..end).unwrap_or(rest);
        out.push_str(&plain(words));
        (rest, before) = (rest.get(end..).unwrap_or(""), words.chars().next_back());
    }
}

fn marked(after: &str, mark: char) -> Option<(&str, &str)> {
    if after.starts_with(|c: char| c.is_whitespace() || c == mark || c == '\u{200B}') {
        return None;
    }
    let line = after.split('\n').next().unwrap_or("");
    let ends = |(at, _): &(usize, char)| {
        let inside = line.get(..*at).unwrap_or("");
        let next = line.get(*at + mark.len_utf8()..).and_then(|next| next.chars().next());
        *at > 0
            && !inside.ends_with(|c: char| c.is_whitespace() || c == '\u{200B}')
            && !next.is_some_and(char::is_alphanumeric)
    };
    let (at, _) = line.char_indices().filter(|(_, c)| *c == mark).find(ends)?;
    Some((after.get(..at)?, after.get(at + mark.len_utf8()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markup: Markup, text: &str, expected: &str) {
        assert_eq!(html(text, markup), expected, "{text}");
    }

    #[test]
    fn every_way_of_writing_is_shown_as_its_platform_shows_it() {
        let link = "<a href=\"https://e.x/?a=1\">https://e.x/?a=1</a>";
        check(Markup::Plain, "**a** <b> https://e.x/?a=1.", &format!("**a** &lt;b&gt; {link}."));
        check(Markup::Linked, "<b> <a href=\"https://e.x\">x</a>", "&lt;b&gt; <a href=\"https://e.x\">x</a>");
        check(Markup::Html, "<b>a</b>", "<b>a</b>");
        check(Markup::Markdown, "**a** `b`", "<p><strong>a</strong> <code>b</code></p>\n");
        check(
            Markup::Starred,
            "*a _b_* ~c~ `*d*`",
            "<strong>a <em>b</em></strong> <s>c</s> <code>*d*</code>",
        );
        check(Markup::Starred, "```\nx < y\n``` 2*3*4 snake_case_", "<pre>x &lt; y</pre> 2*3*4 snake_case_");
        check(
            Markup::Starred,
            "see <https://e.x|here>, *\u{200B}no\u{200B}*",
            "see <a href=\"https://e.x\">here</a>, *\u{200B}no\u{200B}*",
        );
    }
}
