//! A text that ends in the middle, made whole for being shown: emphasis and code that are not closed yet are closed, half a
//! link is its label. What is a paragraph or a block of code already stays as it is.

/// The text as it is shown. CommonMark closes blocks of code by itself.
pub(super) fn closed(text: &str) -> String {
    let text = text.trim_end();
    let Some(start) = last_paragraph(text) else { return text.trim_end_matches('`').trim_end().to_owned() };
    let (before, paragraph) = text.split_at(start);
    format!("{before}{}", whole(&without_half_a_link(paragraph)))
}

/// Where the last paragraph begins; `None` inside of a block of code.
fn last_paragraph(text: &str) -> Option<usize> {
    let (mut start, mut at) = (0, 0);
    let mut fence: Option<(char, usize)> = None;
    for line in text.split_inclusive('\n') {
        let mark = line.trim_start().chars().next().unwrap_or(' ');
        let run = line.trim_start().chars().take_while(|c| *c == mark).count();
        let rest_is_empty = line.trim().chars().all(|c| c == mark);
        match fence {
            Some((open, length)) if mark == open && run >= length && rest_is_empty => {
                (fence, start) = (None, at + line.len());
            }
            Some(_) => {}
            None if matches!(mark, '`' | '~') && run >= 3 => fence = Some((mark, run)),
            None if line.trim().is_empty() => start = at + line.len(),
            None => {}
        }
        at += line.len();
    }
    fence.is_none().then_some(start)
}

/// `[label](https://exa` is `label`, `![alt](https://exa` nothing; `[lab` is `lab`.
fn without_half_a_link(text: &str) -> String {
    let Some((before, after)) = text.rsplit_once('[') else { return text.to_owned() };
    let (before, image) = match before.strip_suffix('!') {
        Some(before) => (before, true),
        None => (before, false),
    };
    let label = match after.split_once("](") {
        Some((_, url)) if url.contains(')') => return text.to_owned(),
        Some((label, _)) => label,
        None if after.contains(']') => return text.to_owned(),
        None => after,
    };
    format!("{before}{}", if image { "" } else { label })
}

/// With the marks at its end that close what it opened. Marks that stand there already are half a mark, or nothing is in them
/// yet, or they are those that are put there anyway.
fn whole(text: &str) -> String {
    let text = text.trim_end_matches(['*', '_', '~', '`', ' ', '\n']);
    let chars: Vec<char> = text.chars().collect();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut code: Option<usize> = None;
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let run = chars.iter().skip(at).take_while(|other| **other == c).count();
        let before = at.checked_sub(1).and_then(|before| chars.get(before)).copied().unwrap_or(' ');
        let after = chars.get(at + run).copied().unwrap_or(' ');
        let opens =
            !after.is_whitespace() && (c == '*' || !before.is_alphanumeric()) && (c != '~' || run == 2);
        match (c, code) {
            ('`', Some(length)) if run == length => code = None,
            ('`', None) => code = Some(run),
            (_, Some(_)) => {}
            // What follows is text, whatever it is.
            ('\\', None) => at += run % 2,
            ('*' | '_' | '~', None) if open.last() == Some(&(c, run)) && !before.is_whitespace() => {
                open.pop();
            }
            ('*' | '_' | '~', None) if opens && run <= 3 => open.push((c, run)),
            _ => {}
        }
        at += run;
    }
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n('`', code.unwrap_or(0)));
    for (mark, length) in open.into_iter().rev() {
        out.extend(std::iter::repeat_n(mark, length));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::closed;

    fn check(text: &str, expected: &str) {
        assert_eq!(closed(text), expected, "{text:?}");
    }

    #[test]
    fn what_is_open_is_closed() {
        check("", "");
        check("Plain words ", "Plain words");
        check("This is **bol", "This is **bol**");
        check("This is **bold** and *it", "This is **bold** and *it*");
        check("**bold and *both", "**bold and *both***");
        check("a `code", "a `code`");
        check("a ``co`de", "a ``co`de``");
        check("a `**` b", "a `**` b");
        check("2 * 3 = 6", "2 * 3 = 6");
        check("snake_case is_fine", "snake_case is_fine");
        check("~~gone", "~~gone~~");
        check("**bold*", "**bold**");
        check("about ~5", "about ~5");
        check(r"a \*star", r"a \*star");
        check("* one\n* two", "* one\n* two");
        check("first **open\n\nsecond", "first **open\n\nsecond");
    }

    #[test]
    fn marks_without_text_are_not_shown_yet() {
        check("Listen **", "Listen");
        check("Listen `", "Listen");
        check("* one\n*", "* one");
        check("**", "");
    }

    #[test]
    fn half_a_link_is_its_label() {
        check("see [the pa", "see the pa");
        check("see [the page](https://exam", "see the page");
        check("see [the page](https://example.com) and", "see [the page](https://example.com) and");
        check("look ![a cat](https://exam", "look");
        check("a[1] = 2", "a[1] = 2");
        check("see [**the pa", "see **the pa**");
    }

    #[test]
    fn blocks_of_code_are_left_alone() {
        check("```rust\nlet a = \"**", "```rust\nlet a = \"**");
        check("```rust\nlet a;\n``", "```rust\nlet a;");
        check("```\na\n```\n**b", "```\na\n```\n**b**");
        check("~~~\n`a", "~~~\n`a");
    }
}
