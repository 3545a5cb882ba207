use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::{Unit, text};

/// Tags and entities: what must never be cut.
struct Html;

impl Dialect for Html {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Strong | Style::Heading(_) => Markup::around("<b>", "</b>"),
            Style::Emphasis => Markup::around("<i>", "</i>"),
            Style::Strike => Markup::around("<s>", "</s>"),
            Style::Code(_) => Markup::around("<code>", "</code>"),
            Style::Quote => Markup::around("<blockquote>", "</blockquote>"),
            Style::Item { number: Some(number), .. } => Markup::item(&format!("{number}.")),
            Style::Item { .. } => Markup::item("•"),
            Style::CodeBlock { language, .. } => {
                let class = if language.is_empty() { String::new() } else { format!(" lang=\"{language}\"") };
                Markup { flush: true, ..Markup::around(format!("<pre{class}>"), "</pre>") }
            }
        }
    }

    fn escape(&self, text: &str, _place: Place, out: &mut String) {
        escape_html(text, out);
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        let mut href = String::new();
        escape_html(url, &mut href);
        Some(format!("<a href=\"{href}\">{label}</a>"))
    }
}

fn chars(max: usize) -> Limit {
    Limit { max, unit: Unit::Chars }
}

#[track_caller]
fn check(markdown: &str, dialect: &dyn Dialect, limit: Limit, expected: &[&str]) {
    assert_eq!(render(markdown, dialect, limit), expected, "of {markdown:?}");
}

#[test]
fn marks_without_escapes_lose_their_meaning() {
    let whatsapp = Starred { angled: false };
    let google = Starred { angled: true };
    for (markdown, in_whatsapp, in_google) in [
        ("**b** *i* ~~s~~ `c`", "*b* _i_ ~s~ `c`", "*b* _i_ ~s~ `c`"),
        ("# H\n\n- a\n\n[l](https://e.x)", "*H*\n\n- a\n\nl (https://e.x)", "*H*\n\n- a\n\n<https://e.x|l>"),
        ("\\*no\\* a_b 2 * 3", "*\u{200B}no\u{200B}* a_b 2 * 3", "*\u{200B}no\u{200B}* a_b 2 * 3"),
        ("\\<users/all>", "<users/all>", "<\u{200B}users/all>"),
        ("`` a`b ``", "`a'b`", "`a'b`"),
    ] {
        check(markdown, &whatsapp, chars(100), &[in_whatsapp]);
        check(markdown, &google, chars(100), &[in_google]);
    }
}

#[test]
fn near_commonmark_without_what_is_not_shown() {
    let teams = Near { headings: 0, tables: false, short_fences: true, harmless: quiet };
    for (markdown, expected) in [
        ("# H\n\ntext", "**H**\n\ntext"),
        ("hi @channel and a@b.c", "hi @\u{2060}channel and a@b.c"),
        ("````\n```\n````", "```\n``\u{200B}`\n```"),
        ("|a|\n|-|\n|1|", "```\na\n-\n1\n```"),
    ] {
        check(markdown, &teams, chars(100), &[expected]);
    }
}

#[test]
fn writes_each_dialect() {
    let html = "a <b>b <i>c</i></b> <s>d</s> <code>x&lt;y &amp;</code> <a href=\"https://e.x/?a=1&amp;b=%22\">l<b>m</b></a>";
    for (markdown, plain, common, rich) in [
        (
            "a **b *c*** ~~d~~ `x<y &` [l**m**](https://e.x/?a=1&b=\")",
            "a b c d x<y & lm (https://e.x/?a=1&b=%22)",
            "a **b *c*** ~~d~~ `x<y &` [l**m**](https://e.x/?a=1&b=%22)",
            html,
        ),
        (
            "# One\ntwo\n***\nthree",
            "One\n\ntwo\n\n---\n\nthree",
            "# One\n\ntwo\n\n***\n\nthree",
            "<b>One</b>\n\ntwo\n\n———\n\nthree",
        ),
        ("a\nb  \nc", "a\nb\nc", "a\nb  \nc", "a\nb\nc"),
        ("> a\n>\n> b\n\nc", "> a\n>\n> b\n\nc", "> a\n>\n> b\n\nc", "<blockquote>a\n\nb</blockquote>\n\nc"),
        (
            "- a\n  - b\n    c\n- [x] d\n\n3. e\n4. f",
            "- a\n  - b\n    c\n- [x] d\n\n3. e\n4. f",
            "- a\n  - b\n    c\n- [x] d\n\n3. e\n4. f",
            "• a\n  • b\n    c\n• ☑ d\n\n3. e\n4. f",
        ),
        ("- a\n\n  b\n- c", "- a\n\n  b\n\n- c", "- a\n\n  b\n\n- c", "• a\n\n  b\n\n• c"),
        (
            "- a\n  ```rust ignore\n    let x;\n\n  y\n  ```\n- b",
            "- a\n    let x;\n\n  y\n- b",
            "- a\n  ```rust\n    let x;\n\n  y\n  ```\n- b",
            "• a\n  <pre lang=\"rust\">  let x;\n\ny</pre>\n• b",
        ),
        ("````\n```\nx\n```\n````", "```\nx\n```", "````\n```\nx\n```\n````", "<pre>```\nx\n```</pre>"),
        (
            "|a|bb|\n|-|-:|\n|*c*|`d\\|e`|\n",
            "a |  bb\n--+----\nc | d|e",
            "| a | bb |\n| --- | --: |\n| *c* | `d\\|e` |",
            "<pre>a |  bb\n--+----\nc | d|e</pre>",
        ),
        (
            "![cat](https://e.x/c.png) [![b](https://e.x/b)](https://e.x/t) ![](https://e.x/i)",
            "cat (https://e.x/c.png) b (https://e.x/t) https://e.x/i",
            "[cat](https://e.x/c.png) [b](https://e.x/t) <https://e.x/i>",
            "<a href=\"https://e.x/c.png\">cat</a> <a href=\"https://e.x/t\">b</a> https://e.x/i",
        ),
        (
            "<https://e.x> (see https://e.x/a_(b)_c?d&e). <m@e.x> [j](javascript:x) [r](/rel)",
            "https://e.x (see https://e.x/a_(b)_c?d&e). m@e.x j r",
            "<https://e.x> (see <https://e.x/a_(b)_c?d&e>). [m@e.x](mailto:m@e.x) j r",
            "https://e.x (see https://e.x/a_(b)_c?d&amp;e). <a href=\"mailto:m@e.x\">m@e.x</a> j r",
        ),
        (
            "a<br>b <u>x</u>\n\n<div>\nq & r\n</div>\n\nend",
            "a\nb <u>x</u>\n\n<div>\nq & r\n</div>\n\nend",
            "a  \nb \\<u>x\\</u>\n\n\\<div>\nq & r\n\\</div>\n\nend",
            "a\nb &lt;u&gt;x&lt;/u&gt;\n\n&lt;div&gt;\nq &amp; r\n&lt;/div&gt;\n\nend",
        ),
    ] {
        check(markdown, &Plain, chars(4096), &[plain]);
        check(markdown, &CommonMark, chars(4096), &[common]);
        check(markdown, &Html, chars(4096), &[rich]);
    }
}

#[test]
fn commonmark_keeps_text_text() {
    for (markdown, expected) in [
        ("1\\. x", "1\\. x"),
        ("\\- x - y", "\\- x - y"),
        ("\\# x C# #", "\\# x C# \\#"),
        ("a\\\n\\> b", "a  \n\\> b"),
        ("snake_case \\_a\\_ 2 * 3 \\*b\\*", "snake_case \\_a\\_ 2 * 3 \\*b\\*"),
        ("\\[a\\](b) x!\\[c] Hey\\![l](https://e.x)", "\\[a\\](b) x![c] Hey\\![l](https://e.x)"),
        ("&amp;lt; AT&amp;T a &lt; b &lt;b>", "\\&lt; AT&T a < b \\<b>"),
        ("`` `a` `` `` ` ``", "`` `a` `` `` ` ``"),
        ("\\=== \\~~~", "\\=== \\~\\~\\~"),
    ] {
        check(markdown, &CommonMark, chars(4096), &[expected]);
    }
}

#[test]
fn splits_where_it_hurts_least() {
    // between blocks, keeping a heading with what it heads
    check(
        "one two three\n\n# h\n\nfour five six",
        &Plain,
        chars(20),
        &["one two three", "h\n\nfour five six"],
    );
    check("- one two\n- three\n- four five", &Plain, chars(20), &["- one two\n- three", "- four five"]);
    // between sentences, words, graphemes
    check("It is so. It is not so at all.", &Plain, chars(16), &["It is so.", "It is not so at", "all."]);
    check("aaaaaaaaaaaaaaaaaaaaaaaa", &Plain, chars(10), &["aaaaaaaaaa", "aaaaaaaaaa", "aaaa"]);
    check("👨‍👩‍👧👨‍👩‍👧", &Plain, chars(7), &["👨‍👩‍👧", "👨‍👩‍👧"]);
    check("你好世界。你好世界再见", &Plain, chars(8), &["你好世界。", "你好世界再见"]);
    // styles, quotes and code blocks go on in the next message
    check("**one two three**", &Html, chars(17), &["<b>one two</b>", "<b>three</b>"]);
    check("> one two three four", &CommonMark, chars(12), &["> one two", "> three four"]);
    check("```py\nab\n cd\nefgh\n```", &CommonMark, chars(20), &["```py\nab\n cd\n```", "```py\nefgh\n```"]);
    check(
        "> - a\n>   ```\n>   bbbb\n>   cccccc\n>   ```",
        &CommonMark,
        chars(40),
        &["> - a\n>   ```\n>   bbbb\n>   ```", "> ```\n> cccccc\n> ```"],
    );
    // escapes stay whole
    check("&&&&&&&&", &Html, chars(12), &["&amp;&amp;", "&amp;&amp;", "&amp;&amp;", "&amp;&amp;"]);
    // the head of a table stands in every message
    check(
        "|a|\n|-|\n|1|\n|2|\n|3|",
        &CommonMark,
        chars(29),
        &["| a |\n| --- |\n| 1 |\n| 2 |", "| a |\n| --- |\n| 3 |"],
    );
    // what cannot fit at all
    check("a\u{301}\u{301}\u{301}\u{301} b", &Plain, chars(3), &["a\u{301}\u{301}", "b"]);
    check("& x", &Html, chars(4), &["x"]);
    check("text", &Plain, chars(0), &[]);
    check(" \n\n```\n\n```\n\n&#x200B;", &Plain, chars(10), &[]);
    // an item of which nothing is seen, in a message of its own or not
    check("aaaa\n\n- \u{200B}", &Plain, chars(4), &["aaaa"]);
    check("aaaa\n\n- \u{200B}", &Plain, chars(40), &["aaaa"]);
    check("aaaa\n\n- > \u{A0}", &Plain, chars(40), &["aaaa"]);
    check("> - 99) 1.", &Html, chars(60), &[]);
}

#[test]
fn links_stay_whole_or_are_written_out() {
    check(
        "see the [site here](https://e.x) now",
        &Html,
        chars(42),
        &["see the", "<a href=\"https://e.x\">site here</a> now"],
    );
    check(
        "[site here](https://e.x/abcdefghijklmnop)",
        &Html,
        chars(30),
        &["site here", "(https://e.x/abcdefghijklmnop)"],
    );
    check("at https://e.x/abcdefgh", &Plain, chars(20), &["at", "https://e.x/abcdefgh"]);
}

#[test]
fn neutralises_fences() {
    let mut out = String::new();
    break_fences("a ``` b ````` c", &mut out);
    assert_eq!(out, "a ``\u{200B}` b ``\u{200B}``\u{200B}` c");
}

// -- adversarial text ------------------------------------------------------------------------------------------------

/// Bits that Markdown, dialects and splitting stumble over; together with whitespace they make the texts below.
const BITS: &[&str] = &[
    "word",
    "x",
    "&",
    "<b>",
    "</i>",
    "*",
    "**",
    "***",
    "_",
    "~~",
    "`",
    "``",
    "```",
    "````rust",
    "~~~",
    "\n",
    "\n",
    "\n\n",
    " ",
    " ",
    "  \n",
    "\t",
    "    ",
    "- ",
    "1. ",
    "99) ",
    "> ",
    ">>> ",
    "# ",
    "###### ",
    "---",
    "===",
    "|a|b|\n|-|-|\n",
    "| c | d |",
    "[",
    "](https://e.x/a)",
    "](",
    "![",
    ")",
    "[long label of a link](https://e.x/a/rather/long/path?q=1)",
    "https://e.x/p(q)_r.",
    "<https://e.x>",
    "javascript:x",
    "- [ ] ",
    "[x] ",
    "\\",
    "!",
    "@everyone",
    "<@123>",
    "👨‍👩‍👧",
    "🇩🇪",
    "e\u{301}\u{301}\u{301}",
    "שלום",
    "مرحبا",
    "你好。",
    "\u{200B}",
    "\u{A0}",
    "&amp;",
    "&#0;",
    "<!--",
    "-->",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "fn main() { a && b }",
];

fn adversarial() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(BITS), 0..120).prop_map(|bits| bits.concat())
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let unit = prop::sample::select(vec![Unit::Bytes, Unit::Chars, Unit::Utf16]);
    (60usize..400, unit).prop_map(|(max, unit)| Limit { max, unit })
}

/// What a reader of our HTML sees, without whitespace; a link as its label and address.
fn seen(html: &str) -> String {
    let (mut out, mut address, mut rest) = (String::new(), String::new(), html);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let end = at + rest[at..].find('>').expect("no tag is cut");
        let tag = &rest[at + 1..end];
        if let Some(href) = tag.strip_prefix("a href=") {
            address = href.trim_matches('"').to_owned();
        } else if tag == "/a" {
            out.push_str(&format!("({address})"));
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out.retain(text::is_visible);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Every tag of our HTML is closed in the order of opening.
fn balanced(html: &str) -> bool {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or("")) {
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(_) => return false,
            None => open.push(tag.split(' ').next().unwrap_or("")),
        }
    }
    open.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_within_the_limit(markdown in adversarial(), limit in any_limit()) {
        for dialect in [&Plain as &dyn Dialect, &CommonMark, &Html] {
            for piece in render(&markdown, dialect, limit) {
                prop_assert!(text::fits(&piece, limit), "{piece:?}");
                prop_assert!(piece.chars().any(text::is_visible), "{piece:?}");
            }
        }
        for piece in text::split(&markdown, limit) {
            prop_assert!(text::fits(&piece, limit) && piece.chars().any(text::is_visible), "{piece:?}");
        }
    }

    #[test]
    fn nothing_panics_under_absurd_limits(markdown in adversarial(), max in 0usize..30) {
        for dialect in [&Plain as &dyn Dialect, &CommonMark, &Html] {
            let pieces = render(&markdown, dialect, chars(max));
            prop_assert!(pieces.iter().all(|piece| text::fits(piece, chars(max))));
        }
    }

    #[test]
    fn splitting_loses_nothing_and_cuts_no_tag(markdown in adversarial(), limit in any_limit()) {
        let whole: String = render(&markdown, &Html, chars(usize::MAX)).concat();
        let pieces = render(&markdown, &Html, limit);
        for piece in &pieces {
            prop_assert!(balanced(piece), "{piece:?}");
        }
        prop_assert_eq!(seen(&pieces.concat()), seen(&whole));
        let plain = |text: &str| text.chars().filter(|c| text::is_visible(*c)).collect::<String>();
        prop_assert_eq!(plain(&text::split(&markdown, limit).concat()), plain(&markdown));
        let whole = render(&markdown, &Plain, chars(usize::MAX)).concat();
        prop_assert_eq!(plain(&render(&markdown, &Plain, chars(97)).concat()).replace('>', ""), plain(&whole).replace('>', ""));
    }

    #[test]
    fn fences_are_closed_in_every_message(code in adversarial(), limit in any_limit()) {
        let fence = "`".repeat(30);
        let limit = Limit { max: limit.max + 150, ..limit };
        for piece in render(&format!("{fence}rust\nx{code}\n{fence}"), &CommonMark, limit) {
            let first = piece.lines().next().unwrap_or("");
            prop_assert!(first.starts_with("```") && first.ends_with("rust"), "{piece:?}");
            prop_assert_eq!(piece.lines().last(), Some(first.trim_end_matches("rust")));
        }
    }

    #[test]
    fn words_stay_words_in_commonmark(words in prop::collection::vec("[ -~]{1,12}", 1..20)) {
        // Source in which nothing has a meaning: every piece of punctuation is escaped.
        let escape = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
        let text = words.join(" ");
        let markdown: String = text.chars().map(escape).collect();
        let once = render(&markdown, &CommonMark, chars(usize::MAX)).concat();
        let again = render(&once, &Plain, chars(usize::MAX)).concat();
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(plain(&again), plain(&text), "through {:?}", once);
    }
}

#[test]
fn long_input_takes_linear_time() {
    let prose = "Some *words* and `code` with [a link](https://e.x/y), https://e.x/z & more. ".repeat(1400);
    let cases = [
        prose.as_str(),
        &"a".repeat(100_000),
        &"👨‍👩‍👧".repeat(6_000),
        &format!("a{}", "\u{301}".repeat(50_000)),
        &"> ".repeat(50_000),
        &"*a".repeat(50_000),
        &"*a*b".repeat(25_000),
        &"[".repeat(100_000),
        &"[a](".repeat(25_000),
        &"- a\n".repeat(25_000),
        &"`".repeat(100_000),
        &format!("```\n{}", "x = 1;\n".repeat(14_000)),
        &format!("```\n{}x", "\n".repeat(100_000)),
        &format!("https://e.x/{}", ")".repeat(100_000)),
        &"http://a,\"".repeat(10_000),
        &format!("{}\n{}\n{}", "|a".repeat(5_000), "|-".repeat(5_000), "|\n".repeat(5_000)),
        &format!("|a|\n|-|\n|{}|\n{}", "b".repeat(50_000), "|c|\n".repeat(10_000)),
        &"|a|b|\n|-|-|\n|c|d|\n\n".repeat(5_000),
    ];
    for case in cases {
        for dialect in [&Plain as &dyn Dialect, &CommonMark, &Html] {
            for max in [70, 2000, 4096] {
                let start = Instant::now();
                let pieces = render(case, dialect, chars(max));
                let took = start.elapsed().as_millis();
                // Generous: test machines are shared. Quadratic behaviour takes minutes.
                assert!(took < 2_000, "{took} ms, {} pieces of {:?}", pieces.len(), case.get(..20));
            }
        }
    }
}
