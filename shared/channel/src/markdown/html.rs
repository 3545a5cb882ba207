//! CommonMark as HTML that may be shown anywhere: for Matrix and mail.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

/// The HTML of a text. Its own HTML is shown as it is written, images become links, links lead only to web and mail, line
/// ends show.
pub fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    // Whether each open link is kept.
    let mut links = Vec::new();
    let events = Parser::new_ext(markdown, options).filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
        Event::SoftBreak => Some(Event::HardBreak),
        Event::TaskListMarker(done) => Some(Event::Text(CowStr::from(if done { "☑ " } else { "☐ " }))),
        Event::Start(
            Tag::Link { link_type, dest_url, title, id } | Tag::Image { link_type, dest_url, title, id },
        ) => {
            let kept = ["https://", "http://", "mailto:"].iter().any(|scheme| {
                dest_url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            });
            links.push(kept);
            kept.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Link | TagEnd::Image) => {
            links.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link))
        }
        event => Some(event),
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_text_and_safe_links() {
        for (markdown, expected) in [
            ("**a** <b onclick=x>\nc", "<p><strong>a</strong> &lt;b onclick=x&gt;<br />\nc</p>\n"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            (
                "[a](javascript:x) [b](https://e.x/?a=1&b=\")",
                "<p>a <a href=\"https://e.x/?a=1&amp;b=%22\">b</a></p>\n",
            ),
            ("![alt](https://e.x/i.png)", "<p><a href=\"https://e.x/i.png\">alt</a></p>\n"),
            ("- [x] done", "<ul>\n<li>☑ done</li>\n</ul>\n"),
        ] {
            assert_eq!(html(markdown), expected, "{markdown}");
        }
    }
}
