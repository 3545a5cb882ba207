//! Measuring and cutting text in the units that platforms count.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::{Limit, Unit};

/// What stands at the end of a text that was cut.
const CUT_MARK: &str = "… [cut]";

/// The text's length in the platform's unit.
pub fn length(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Bytes => text.len(),
        Unit::Chars => text.chars().count(),
        Unit::Utf16 => text.encode_utf16().count(),
    }
}

/// Whether the text is within the limit.
pub fn fits(text: &str, limit: Limit) -> bool {
    text.len() <= limit.max || length(text, limit.unit) <= limit.max
}

/// The text itself up to `max_bytes`; beyond, as much of it as fits with a mark at its end, cut between graphemes.
pub fn cut(text: String, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text;
    }
    let room = max_bytes.saturating_sub(CUT_MARK.len());
    let end = text
        .grapheme_indices(true)
        .map(|(at, grapheme)| at + grapheme.len())
        .take_while(|end| *end <= room)
        .last();
    format!("{}{CUT_MARK}", text.get(..end.unwrap_or(0)).unwrap_or(""))
}

/// The text in pieces within the limit, none without visible text: cut between paragraphs where that leaves no piece
/// less than half full, else between lines, sentences, words, graphemes. Only whitespace at the cuts is lost, and what
/// is too long of a single grapheme longer than a whole piece.
pub fn split(text: &str, limit: Limit) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (piece, after) = match grapheme_ends(rest, limit).last() {
            Some(end) if *end == rest.len() => (rest, ""),
            Some(end) => rest.split_at_checked(best_end(rest, *end)).unwrap_or((rest, "")),
            None => {
                let grapheme = first_grapheme(rest);
                let after = rest.get(grapheme.len()..).unwrap_or("");
                (start_within(grapheme, limit), after)
            }
        };
        if piece.chars().any(is_visible) {
            pieces.push(piece.trim_end().to_owned());
        }
        rest = after.trim_start();
    }
    pieces
}

/// Ends, in bytes, of the graphemes at the text's beginning that are within the limit together.
pub(crate) fn grapheme_ends(text: &str, limit: Limit) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += length(grapheme, limit.unit);
        if used > limit.max {
            break;
        }
        ends.push(at + grapheme.len());
    }
    ends
}

pub(crate) fn first_grapheme(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or("")
}

/// Whether anything of the character shows on a screen.
pub(crate) fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// The best end at or before `end` for a piece of the text that could reach that far, in the second half of it: after a
/// paragraph, else a line, a sentence, a word; `end` itself where there is none of them.
pub(crate) fn best_end(text: &str, end: usize) -> usize {
    let Some((window, after)) = text.split_at_checked(end) else { return text.len() };
    let last = |marks: &[&str]| {
        let ends = marks.iter().filter_map(|mark| window.rfind(mark).map(|at| at + mark.len()));
        ends.max().filter(|at| *at >= end / 2)
    };
    let at_line = after.starts_with('\n').then_some(end);
    let at_word = after.starts_with(char::is_whitespace).then_some(end);
    last(&["\n\n"])
        .or(at_line)
        .or_else(|| last(&["\n"]))
        .or_else(|| last(&[". ", "! ", "? ", "。", "！", "？"]))
        .or(at_word)
        .or_else(|| last(&[" ", "\t", "，", "、"]))
        .unwrap_or(end)
}

/// The first characters of a text that are within the limit together.
fn start_within(text: &str, limit: Limit) -> &str {
    let mut used = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        used += length(c.encode_utf8(&mut [0; 4]), limit.unit);
        if used > limit.max {
            break;
        }
        end = at + c.len_utf8();
    }
    text.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_differ() {
        for (text, bytes, chars, utf16) in [("abc", 3, 3, 3), ("é", 2, 1, 1), ("👋", 4, 1, 2)] {
            assert_eq!(
                (length(text, Unit::Bytes), length(text, Unit::Chars), length(text, Unit::Utf16)),
                (bytes, chars, utf16)
            );
        }
    }

    #[test]
    fn cuts_between_graphemes_and_marks() {
        assert_eq!(cut("short".into(), 10), "short");
        let cut = cut("👨‍👩‍👧".repeat(10), 60);
        assert!(cut.len() <= 60 && cut.ends_with(CUT_MARK), "{cut}");
        assert_eq!(cut.trim_end_matches(CUT_MARK).len() % "👨‍👩‍👧".len(), 0);
    }

    #[test]
    fn splits_where_it_hurts_least() {
        let chars = |max| Limit { max, unit: Unit::Chars };
        for (text, max, expected) in [
            ("short", 10, vec!["short"]),
            ("one two\n\nthree", 12, vec!["one two", "three"]),
            ("one\ntwo three", 8, vec!["one", "two", "three"]),
            ("aaa bbb ccc", 8, vec!["aaa bbb", "ccc"]),
            ("👋👋👋", 2, vec!["👋👋", "👋"]),
            ("   ", 2, vec![]),
        ] {
            assert_eq!(split(text, chars(max)), expected, "{text:?}");
        }
        assert_eq!(split("👋👋👋", Limit { max: 5, unit: Unit::Utf16 }), ["👋👋", "👋"]);
        assert_eq!(split("👋👋👋", Limit { max: 5, unit: Unit::Bytes }), ["👋", "👋", "👋"]);
    }
}
