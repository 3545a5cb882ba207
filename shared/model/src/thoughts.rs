//! Thoughts that a model writes into its answer.
//!
//! Servers on one's own machine often pass the thinking of open models on as it comes: at the beginning of the
//! answer, between `<think>` and `</think>`. It is not for the reader.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Takes the pieces of an answer and gives back what of it is to be shown.
#[derive(Default)]
pub(crate) struct Filter {
    /// What is not decided about yet.
    held: String,
    place: Place,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks and a beginning of `<think>` came so far.
    #[default]
    Start,
    Thinking,
    Answer,
}

impl Filter {
    pub fn shown(&mut self, piece: String) -> String {
        if self.place == Place::Answer {
            return piece;
        }
        self.held.push_str(&piece);
        if self.place == Place::Start {
            let begun = self.held.trim_start();
            if begun.starts_with(OPEN) {
                self.place = Place::Thinking;
            } else if !OPEN.starts_with(begun) {
                self.place = Place::Answer;
                return std::mem::take(&mut self.held);
            }
        }
        let Some((_, after)) = self.held.split_once(CLOSE).filter(|_| self.place == Place::Thinking) else {
            return String::new();
        };
        let after = after.trim_start().to_owned();
        // Blanks before the answer may be split off it: they are still to be cut.
        if !after.is_empty() {
            self.place = Place::Answer;
            self.held.clear();
        }
        after
    }

    /// What is left at the end: something that only looked like the beginning of a thought.
    pub fn rest(self) -> String {
        if self.place == Place::Start { self.held } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the text is cut into pieces.
    fn check(text: &str, shown: &str) {
        let chars: Vec<char> = text.chars().collect();
        for size in 1..=chars.len() {
            let mut filter = Filter::default();
            let mut all = String::new();
            for piece in chars.chunks(size) {
                all.push_str(&filter.shown(piece.iter().collect()));
            }
            all.push_str(&filter.rest());
            assert_eq!(all, shown, "{text} in pieces of {size}");
        }
    }

    #[test]
    fn thoughts_at_the_beginning_are_cut() {
        check("Hello", "Hello");
        check("<think>hm\n</think>\n\nHello <think>", "Hello <think>");
        check("\n <think></think>Hello", "Hello");
        check("<think>never closed", "");
        check("<thin", "<thin");
        check("<b>Hello</b>", "<b>Hello</b>");
        check("  Hello", "  Hello");
        check("x <think>y</think>", "x <think>y</think>");
    }
}
