//! Tables, for dialects that have them and for those that do not.

use pulldown_cmark::Alignment;

/// Columns are not padded beyond this many characters: one long cell must not make every row long.
const WIDEST: usize = 40;

/// A table whose cells are already written in the dialect.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub alignments: Vec<Alignment>,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A table as the dialect writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLines {
    /// The first line or lines, repeated in every message that the table reaches into.
    pub head: String,
    /// One line each.
    pub rows: Vec<String>,
}

/// The table as text that lines up in a font of one width.
pub(super) fn aligned(table: &Table) -> String {
    let all = || std::iter::once(&table.head).chain(&table.rows);
    let mut widths = vec![0; table.head.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().min(WIDEST).max(*width);
        }
    }
    let mut text = String::new();
    for (index, row) in all().enumerate() {
        write_row(row, &widths, &table.alignments, &mut text);
        if index == 0 {
            let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&dashes.join("-+-"));
            text.push('\n');
        }
    }
    text
}

fn write_row(cells: &[String], widths: &[usize], alignments: &[Alignment], out: &mut String) {
    let start = out.len();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if index > 0 {
            out.push_str(" | ");
        }
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        let right = alignments.get(index) == Some(&Alignment::Right);
        let (before, after) = if right { (padding.as_str(), "") } else { ("", padding.as_str()) };
        out.push_str(before);
        out.push_str(cell);
        out.push_str(after);
    }
    out.truncate(start + out.get(start..).unwrap_or("").trim_end().len());
    out.push('\n');
}
