//! The text of an HTML page. Not a browser's idea of it: tags are cut at `<` and `>`, what is no text is left out, and
//! paragraphs, lists and headings keep their lines. A parser that builds a tree (html5ever) would be a twentieth of the
//! function's size for text that the model reads the same.

/// Elements whose content nobody reads.
const SKIPPED: &[&str] =
    &["script", "style", "noscript", "template", "svg", "head", "iframe", "nav", "select", "button"];

/// Elements that stand in a line of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// The title of an HTML page and its text.
pub fn html_text(html: &str) -> (String, String) {
    let mut page = Page::default();
    let mut rest = html;
    while let Some((before, from)) = rest.split_once('<') {
        page.words(before);
        rest = page.tag(from);
    }
    page.words(rest);
    (page.title.trim().to_owned(), page.text.trim().to_owned())
}

#[derive(Default)]
struct Page {
    title: String,
    text: String,
    /// The title is being read.
    in_title: bool,
}

impl Page {
    /// What stands between tags: entities resolved, white space as in a browser.
    fn words(&mut self, raw: &str) {
        let target = if self.in_title { &mut self.title } else { &mut self.text };
        let gap = |target: &String| target.is_empty() || target.ends_with([' ', '\n']);
        if raw.starts_with(char::is_whitespace) && !gap(target) {
            target.push(' ');
        }
        for word in raw.split_whitespace() {
            if !gap(target) && !std::ptr::eq(word.as_ptr(), raw.as_ptr()) {
                target.push(' ');
            }
            target.push_str(&entities(word));
        }
        if raw.ends_with(char::is_whitespace) && !gap(target) {
            target.push(' ');
        }
    }

    /// Takes in the tag that begins `from` and gives what is behind it.
    fn tag<'a>(&mut self, from: &'a str) -> &'a str {
        if let Some(comment) = from.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        let Some((tag, rest)) = close(from) else {
            // No tag at all: `a < b`.
            self.text.push('<');
            return from;
        };
        let (name, closing) = name(tag);
        match name.as_str() {
            "title" if !closing && self.title.is_empty() => self.in_title = true,
            "title" => self.in_title = false,
            "head" if !closing => return self.head(rest),
            name if SKIPPED.contains(&name) && !closing && !tag.ends_with('/') => return after(rest, name),
            name if BLOCKS.contains(&name) => self.line(name, closing),
            "td" | "th" if !closing => self.text.push_str(" | "),
            _ => {}
        }
        rest
    }

    /// Of the head only the title counts. A page may leave its end out.
    fn head<'a>(&mut self, rest: &'a str) -> &'a str {
        let lower = rest.to_ascii_lowercase();
        let end = ["</head", "<body"].iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(0);
        let (head, body) = rest.split_at_checked(end).unwrap_or(("", rest));
        if let Some(at) = lower.get(..end).and_then(|head| head.find("<title"))
            && let Some((_, title)) = head.get(at + 1..).and_then(close)
        {
            self.in_title = true;
            self.words(title.split('<').next().unwrap_or_default());
            self.in_title = false;
        }
        body
    }

    fn line(&mut self, name: &str, closing: bool) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        let paragraph = matches!(
            name,
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table" | "pre" | "blockquote"
        );
        let wanted = if paragraph { "\n\n" } else { "\n" };
        while !self.text.is_empty() && !self.text.ends_with(wanted) {
            self.text.push('\n');
        }
        match name {
            "li" if !closing => self.text.push_str("- "),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if !closing => {
                let depth = name.as_bytes().get(1).map_or(1, |digit| usize::from(digit - b'0'));
                self.text.push_str(&"#".repeat(depth));
                self.text.push(' ');
            }
            _ => {}
        }
    }
}

/// A tag's inside and what is behind it; a `>` in a quoted attribute does not end it. `None` where it is no tag.
fn close(from: &str) -> Option<(&str, &str)> {
    if !from.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        return None;
    }
    let mut quote = None;
    for (at, character) in from.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if from.get(..at).is_some_and(|before| before.trim_end().ends_with('=')) => {
                quote = Some(character);
            }
            (None, '>') => return Some((from.get(..at)?, from.get(at + 1..)?)),
            (None, _) => {}
        }
    }
    None
}

/// A tag's name in lower case, and whether it closes.
fn name(tag: &str) -> (String, bool) {
    let (tag, closing) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
    let name = tag.split(|end: char| !end.is_ascii_alphanumeric()).next().unwrap_or_default();
    (name.to_ascii_lowercase(), closing)
}

/// What is behind the end of an element; nothing where it does not end.
fn after<'a>(rest: &'a str, element: &str) -> &'a str {
    let mut left = rest;
    while let Some((_, from)) = left.split_once("</") {
        if from.get(..element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element)) {
            return from.split_once('>').map_or("", |(_, rest)| rest);
        }
        left = from;
    }
    ""
}

/// A word with its character references resolved; what is none stays as it is.
fn entities(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, from)) = rest.split_once('&') {
        text.push_str(before);
        match from.split_once(';').and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                text.push(character);
                rest = after;
            }
            None => {
                text.push('&');
                rest = from;
            }
        }
    }
    text + rest
}

/// The references that texts have; <https://html.spec.whatwg.org/multipage/named-characters.html> has two thousand.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|character| !character.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "pound" => '£',
        "deg" => '°',
        "times" => '×',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(html: &str, title: &str, expected: &str) {
        assert_eq!(html_text(html), (title.to_owned(), expected.to_owned()), "{html}");
    }

    #[test]
    fn pages_become_text() {
        check(
            "<!DOCTYPE html><html><head><meta charset=utf-8><title>Fish &amp; chips</title><style>p{}</style></head>\
             <body><nav>Home</nav><h1>Menu</h1><p>Cod,\n  <b>fried</b>.</p><ul><li>salt<li>vinegar</ul><script>if (a<b) {}</script></body>",
            "Fish & chips",
            "# Menu\n\nCod, fried.\n\n- salt\n- vinegar",
        );
        check("<title>T</title>no head", "T", "no head");
        check("<head>a<body>b", "", "b");
        check("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "", "| a | b\n | 1 | 2");
    }

    #[test]
    fn words_keep_their_gaps() {
        check("a<b>b</b>c", "", "abc");
        check("a <b>b</b> c", "", "a b c");
        check("  a\n\n<i> b </i>  c", "", "a b c");
        check("a<br>b<br/>c", "", "a\nb\nc");
        check("1 < 2 &lt; 3 &#8364; &#x20ac; &unknown; &", "", "1 < 2 < 3 € € &unknown; &");
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        check("a<!-- <p>x</p> -->b", "", "ab");
        check("<a title=\"x > y\" href='z'>link</a>", "", "link");
        check("a<SCRIPT>x</SCRIPT >b<style>never closed", "", "ab");
        check("<svg><title>icon</title></svg>a", "", "a");
        check("&#0;&#xD800;", "", "&#0;&#xD800;");
    }

    proptest! {
        #[test]
        fn no_page_breaks_it(html in "[<>/!a-dh\"'=&;# \\-\u{e9}\u{130}]{0,200}") {
            html_text(&html);
        }

        #[test]
        fn plain_words_stay(words in proptest::collection::vec("[a-z\u{e9}]{1,8}", 1..10)) {
            prop_assert_eq!(html_text(&words.join(" ")).1, words.join(" "));
        }
    }
}
