//! What of a text that is still being written can be shown where nothing can be taken back.

use super::{Dialect, render};
use crate::Limit;

/// How a text may go on that ends in the middle. What all of these leave as it is stands for good: a mark that may still be
/// closed, a link, a block of code whose end is not there are different in one of them.
const MAY_GO_ON: [&str; 16] = [
    "w",
    " w",
    "\n\nw",
    "w*",
    "w**",
    "w***",
    "w_",
    "w__",
    "w~~",
    "w`",
    "w``",
    ")",
    "w](u)",
    "w>",
    "\n```\n\nw",
    "\n~~~\n\nw",
];

/// The beginning of the first message that [`render`] would make of `markdown`, as far as it stays the same however the text
/// goes on: of a text that grows, each is a beginning of the next. A later line can still make other markup of an earlier
/// one (an underline makes a heading, a blank line a wider list), so whoever adds to a message compares first.
pub fn standing(markdown: &str, dialect: &dyn Dialect, limit: Limit) -> String {
    let text = settled(markdown);
    let mut standing: Option<String> = None;
    for more in MAY_GO_ON {
        let first = render(&format!("{text}{more}"), dialect, limit).into_iter().next().unwrap_or_default();
        let same = standing.as_ref().map_or(first.len(), |before| common(before, &first));
        standing.get_or_insert(first).truncate(same);
    }
    let mut standing = standing.unwrap_or_default();
    standing.truncate(standing.trim_end().len());
    standing
}

/// How many bytes both begin with.
fn common(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// The text without an end that no continuation tells from text: rows that may become a table, half a link, half a tag or
/// mention, half an entity, half a mark.
fn settled(text: &str) -> &str {
    let rows = |line: &&str| line.trim_start().starts_with('|');
    let table: usize = text.split_inclusive('\n').rev().take_while(rows).map(str::len).sum();
    let text = without(text, text.len() - table);
    let text = without(text, half_a_link(text).unwrap_or(text.len()));
    let open = |mark: char, ends: &dyn Fn(char) -> bool| {
        text.rfind(mark).filter(|at| !text.get(at + 1..).unwrap_or("").contains(ends))
    };
    let tag = open('<', &|c| c == '>' || c.is_whitespace());
    let entity = open('&', &|c| !c.is_ascii_alphanumeric() && c != '#');
    let text = without(text, [tag, entity].into_iter().flatten().min().unwrap_or(text.len()));
    text.trim_end_matches(['*', '_', '~', '`', '\\'])
}

/// Where a bracket stands that may still become a link, or an image.
fn half_a_link(text: &str) -> Option<usize> {
    let (before, after) = text.rsplit_once('[')?;
    let whole = match after.split_once(']') {
        None => after.contains('\n'),
        Some((_, "")) => false,
        Some((_, rest)) => !rest.starts_with('(') || rest.contains([')', '\n']),
    };
    (!whole).then(|| before.strip_suffix('!').unwrap_or(before).len())
}

fn without(text: &str, from: usize) -> &str {
    text.get(..from).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::{CommonMark, Near};
    use super::*;
    use crate::Unit;

    const LIMIT: Limit = Limit { max: 10_000, unit: Unit::Chars };

    fn check(markdown: &str, expected: &str) {
        assert_eq!(standing(markdown, &CommonMark, LIMIT), expected, "{markdown:?}");
    }

    #[test]
    fn what_may_still_change_is_held_back() {
        check("", "");
        check("Plain wor", "Plain wor");
        check("This is **bol", "This is");
        check("This is **bold** and *it", "This is **bold** and");
        check("a `code", "a");
        check("2 * 3", "2 * 3");
        check("snake_", "snake");
        check("see [the pa", "see");
        check("see [the page](https://exam", "see");
        check("see [the page](https://example.com) and", "see [the page](https://example.com) and");
        check("a[1] = 2", "a[1] = 2");
        check("a <@U01", "a");
        check("AT&am", "AT");
        check("one\n\n- two\n- thr", "one\n\n- two\n- thr");
        check("one\n\n| a | b |\n|---|---|\n| 1 |", "one");
        check("| a |\n|---|\n| 1 |\n\nafter", "| a |\n| --- |\n| 1 |\n\nafter");
        check("so:\n\n```rust\nlet a = 1;\nlet b", "so:\n\n```rust\nlet a = 1;\nlet b");
        check("```\na\n```\nb", "```\na\n```\n\nb");
        check("# Head", "# Head");
    }

    /// An answer as models write them, letter by letter.
    #[test]
    fn each_is_a_beginning_of_the_next_and_of_the_whole() {
        let answer = "# Title\n\nSome **bold** words, `code`, a [link](https://example.com/a_b) & *more*…\n\n\
            1. first: **one**\n2. second\n   - inner `x`\n   - other\n\n> quoted 1 < 2\n\n```rust\nfn main() {\n    \
            println!(\"**hi**\");\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nsnake_case, 5 * 6, ~~gone~~ and the end.";
        let near = Near {
            headings: 0,
            tables: false,
            short_fences: true,
            harmless: |text| std::borrow::Cow::Borrowed(text),
        };
        for dialect in [&CommonMark as &dyn Dialect, &near] {
            let whole = render(answer, dialect, LIMIT).remove(0);
            let (mut before, mut grew) = (String::new(), 0);
            for (at, _) in answer.char_indices() {
                let now = standing(&answer[..at], dialect, LIMIT);
                assert!(whole.starts_with(&now), "{:?}: {now:?}", &answer[..at]);
                if now.starts_with(&before) && now.len() > before.len() {
                    (before, grew) = (now, grew + 1);
                }
            }
            assert!(grew > 100, "it grew {grew} times");
        }
    }
}
