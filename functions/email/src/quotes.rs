//! What a person wrote of a mail, without the history below or above it.

/// Lines that old mail is put under, in the words of the common clients.
const DIVIDERS: [&str; 6] = [
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "________________________________",
];

/// How the line begins that introduces a quotation, where it is broken in two.
const SAID: [&str; 6] = ["On ", "Am ", "Le ", "El ", "Il ", "Op "];

/// The text without quoted history and signature. Answers between the quoted lines keep what they answer; where nothing
/// else is left, the text stays as it is.
pub fn cut(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let lines = before_divider(&lines);
    let lines = without_block(lines);
    let lines = before_signature(&lines);
    let own = lines.join("\n").trim().to_owned();
    if own.is_empty() { text.trim().to_owned() } else { own }
}

/// HTML without what the common clients mark as history, where something is left of it.
pub fn cut_html(html: &str) -> &str {
    let marks = [
        "<blockquote",
        "class=\"gmail_quote",
        "id=\"appendonsend\"",
        "id=\"divRplyFwdMsg\"",
        "class=\"moz-cite-prefix",
    ];
    let at = marks.iter().filter_map(|mark| html.find(mark)).min();
    let Some(before) = at.and_then(|at| html.get(..at)) else { return html };
    // A mark within a tag: the tag goes, too.
    let open = before.rfind('<').filter(|open| before.get(*open..).is_some_and(|tag| !tag.contains('>')));
    open.and_then(|open| before.get(..open)).unwrap_or(before)
}

fn before_divider<'a>(lines: &'a [&'a str]) -> &'a [&'a str] {
    let is_divider = |line: &&str| DIVIDERS.iter().any(|divider| line.trim_start().starts_with(divider));
    let at = lines.iter().position(is_divider).unwrap_or(lines.len());
    let (before, _) = lines.split_at_checked(at).unwrap_or((lines, &[]));
    if before.iter().all(|line| line.trim().is_empty()) { lines } else { before }
}

/// Without the one block of quoted lines, where it stands at the beginning or at the end.
fn without_block<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let is_quoted = |line: &&str| line.trim_start().starts_with('>');
    let Some(first) = lines.iter().position(is_quoted) else { return lines.to_vec() };
    let last = lines.iter().rposition(is_quoted).unwrap_or(first);
    let whole = |slice: Option<&[&str]>| {
        slice.is_some_and(|lines| lines.iter().all(|line| is_quoted(line) || line.trim().is_empty()))
    };
    let begins = introduced(lines, first);
    let before = lines.get(..begins).unwrap_or(&[]);
    let after = lines.get(last + 1..).unwrap_or(&[]);
    let blank = |lines: &[&str]| lines.iter().all(|line| line.trim().is_empty());
    if !whole(lines.get(first..=last)) || !(blank(before) || blank(after)) {
        return lines.to_vec();
    }
    before.iter().chain(after).copied().collect()
}

/// Where the block begins whose first quoted line is at `first`: with "On …, somebody wrote:", on one line or two.
fn introduced(lines: &[&str], first: usize) -> usize {
    let is_said =
        |at: usize| lines.get(at).is_some_and(|line| SAID.iter().any(|said| line.starts_with(said)));
    let mut above = first;
    while above > 0 && lines.get(above - 1).is_some_and(|line| line.trim().is_empty()) {
        above -= 1;
    }
    let Some(at) = above.checked_sub(1) else { return first };
    if !lines.get(at).is_some_and(|line| line.ends_with(':')) {
        return first;
    }
    match at.checked_sub(1) {
        Some(earlier) if !is_said(at) && is_said(earlier) => earlier,
        _ => at,
    }
}

/// <https://www.rfc-editor.org/rfc/rfc3676#section-4.3>: two hyphens and a space, whose space many lose.
fn before_signature<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().take_while(|line| **line != "--").copied().collect()
}
