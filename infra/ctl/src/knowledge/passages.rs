//! From a document to passages: whole paragraphs, as many as fit, under the heading that they stand under.

use channel::{Limit, Unit, text};
use tools::knowledge::Passage;

/// Characters of a passage: a few paragraphs, so that one is about one thing and says enough of it.
pub const LENGTH: usize = 1_500;

/// Characters of a heading that is repeated.
const HEADING: usize = 200;

/// The passages of a document; `source` is its name, whose ending says what it is.
pub fn of(source: &str, document: &str) -> Vec<Passage> {
    let text = if source.ends_with(".html") || source.ends_with(".htm") {
        let (title, text) = tools::html_text(document);
        format!("{title}\n\n{text}")
    } else {
        document.replace("\r\n", "\n")
    };
    let mut passages = Passages::default();
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        passages.take(paragraph);
    }
    passages.end();
    let passage = |text| Passage { source: source.to_owned(), text };
    passages.done.into_iter().map(passage).collect()
}

#[derive(Default)]
struct Passages {
    done: Vec<String>,
    /// The one that is being filled.
    open: String,
    /// The last heading, which stands at the beginning of every passage below it.
    heading: String,
    /// Nothing but the heading is in the open one.
    bare: bool,
}

impl Passages {
    fn take(&mut self, paragraph: &str) {
        let room = Limit { max: LENGTH.saturating_sub(self.heading.chars().count() + 2), unit: Unit::Chars };
        if is_heading(paragraph) {
            // What stands under another heading is another matter.
            self.end();
            self.heading = text::cut(paragraph.lines().next().unwrap_or_default().to_owned(), HEADING);
        }
        for piece in text::split(paragraph, room) {
            let fits = self.open.chars().count() + 2 + piece.chars().count() <= LENGTH;
            if !fits {
                self.end();
            }
            self.add(&piece);
        }
    }

    fn add(&mut self, piece: &str) {
        let is_heading = is_heading(piece);
        if self.open.is_empty() && !self.heading.is_empty() && !is_heading {
            self.open.push_str(&self.heading);
        }
        if !self.open.is_empty() {
            self.open.push_str("\n\n");
        }
        self.open.push_str(piece);
        self.bare = is_heading && self.open == piece && !piece.contains('\n');
    }

    /// A heading with nothing below it is no passage.
    fn end(&mut self) {
        if !self.open.is_empty() && !self.bare {
            self.done.push(std::mem::take(&mut self.open));
        }
        self.open.clear();
        self.bare = false;
    }
}

/// Of Markdown, and of what HTML becomes.
fn is_heading(paragraph: &str) -> bool {
    let depth = paragraph.bytes().take_while(|byte| *byte == b'#').count();
    (1..=6).contains(&depth) && paragraph.as_bytes().get(depth) == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: &[&str]) {
        let passages: Vec<String> = of("a.md", document).into_iter().map(|passage| passage.text).collect();
        assert_eq!(passages, expected, "{document}");
    }

    #[test]
    fn paragraphs_stay_together_under_their_heading() {
        check("", &[]);
        check("one\ntwo\r\n\r\nthree", &["one\ntwo\n\nthree"]);
        check("intro\n\n# A\n\na\n\n## B\n\nb\n\nc", &["intro", "# A\n\na", "## B\n\nb\n\nc"]);
        check("# A\n\n## B\n\nb\n\n# Empty", &["## B\n\nb"]);
        check("# A\nright below\n\nb", &["# A\nright below\n\nb"]);
        check("#no heading\n\n####### none", &["#no heading\n\n####### none"]);
    }

    #[test]
    fn long_texts_become_several_passages_that_name_their_heading() {
        let paragraph = "word ".repeat(120).trim_end().to_owned();
        let document = format!("# Rules\n\n{}", [paragraph.as_str(); 5].join("\n\n"));
        let passages = of("a.md", &document);
        assert_eq!(passages.len(), 3);
        for passage in &passages {
            assert!(passage.text.starts_with("# Rules\n\nword"), "{}", passage.text);
            assert!(passage.text.chars().count() <= LENGTH);
        }
        let wall = of("a.txt", &"x".repeat(4_000));
        assert_eq!(wall.iter().map(|passage| passage.text.len()).sum::<usize>(), 4_000);
        assert!(wall.iter().all(|passage| passage.text.chars().count() <= LENGTH));
    }
}
