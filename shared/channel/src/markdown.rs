//! CommonMark, as models write it, to the dialect of a platform, in messages that the platform takes.
//!
//! A room implements [`Dialect`] (or takes [`Plain`], [`CommonMark`], [`Near`] or [`Starred`]) and calls [`render`]. Two steps: `read` turns the
//! parsed document into a stream of words, breaks and open and closed styles; `pack` writes the stream into messages,
//! measuring what it writes, so that a limit holds for the text with its markup and escapes.

mod commonmark;
mod dialect;
mod flow;
#[cfg(feature = "html")]
mod html;
mod near;
mod pack;
mod plain;
mod read;
mod standing;
mod starred;
mod table;
#[cfg(test)]
mod tests;

pub use commonmark::CommonMark;
pub use dialect::{Dialect, Markup, Place, Style, break_fences, escape_html};
#[cfg(feature = "html")]
pub use html::html;
pub use near::{Near, quiet};
pub use plain::Plain;
pub use pulldown_cmark::Alignment;
pub use standing::standing;
pub use starred::Starred;
pub use table::{Table, TableLines};

use crate::Limit;

/// The messages that show `markdown` in the dialect, in order, each within the limit as the dialect writes it and none
/// without visible text.
///
/// Messages end between blocks where they can, else between lines, sentences, words, graphemes. Styles and code blocks
/// that are open there are closed and opened again in the next message. Links stay whole unless one is longer than a
/// message; then its text and its address are written out. Nothing but whitespace is lost, with one exception: of a
/// single grapheme longer than a message only the beginning is kept.
pub fn render(markdown: &str, dialect: &dyn Dialect, limit: Limit) -> Vec<String> {
    let flow = read::read(markdown, dialect, limit);
    pack::pack(&flow, dialect, limit)
}
