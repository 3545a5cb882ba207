//! The text of a PDF: page by page, line by line, as it is written there. Enough for a model to read a letter, a report or an
//! invoice; what is drawn or scanned is not read. ISO 32000-1 is the format's standard:
//! <https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf>.
//!
//! A library for all of the format would be most of this binary; and strangers send these files, so memory, depth and time
//! are bounded here: what is unpacked, how many objects and pages, how much text.

mod file;
mod font;
mod object;

use std::collections::HashMap;

use file::File;
use font::Font;
use object::{Dict, Object, Reader};

const MAX_PAGES: usize = 2_000;
/// Pages are leaves of a tree, and forms may show forms.
const MAX_DEPTH: u32 = 24;
/// Shifts within a line that are wider than this part of the letters' size are spaces, thousandths.
const SPACE: f64 = 180.0;

/// Why there is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It asks for a password.
    Locked,
    /// It is scanned, drawn, or no PDF.
    NoText,
}

/// The text, at most so many bytes of it.
///
/// # Errors
/// There is none to be read.
pub fn text(bytes: &[u8], most: usize) -> Result<String, Unread> {
    let file = File::read(bytes);
    let trailer = bytes.windows(8).any(|eight| eight == b"/Encrypt");
    let mut out = Page { file: &file, out: String::new(), most, pages: 0, at: Place::default() };
    if let Some(root) = file.of_type("Catalog").find_map(|catalog| file.dict(catalog, "Pages")) {
        out.tree(root, None, 0);
    }
    let text = out.out.trim().to_owned();
    match text.chars().any(char::is_alphanumeric) {
        // What is encrypted reads as noise.
        _ if trailer => Err(Unread::Locked),
        true => Ok(text),
        false => Err(Unread::NoText),
    }
}

struct Page<'a> {
    file: &'a File<'a>,
    out: String,
    most: usize,
    pages: usize,
    at: Place,
}

/// Where on the page the next letters go, and where the last ones went.
#[derive(Default)]
struct Place {
    x: f64,
    y: f64,
    size: f64,
    leading: f64,
    /// End of the last letters, estimated, and their line.
    last: Option<(f64, f64)>,
}

impl<'a> Page<'a> {
    fn is_full(&self) -> bool {
        self.out.len() >= self.most || self.pages >= MAX_PAGES
    }

    fn tree(&mut self, node: &'a Dict, inherited: Option<&'a Dict>, depth: u32) {
        if depth > MAX_DEPTH || self.is_full() {
            return;
        }
        let resources = self.file.dict(node, "Resources").or(inherited);
        if let Some(Object::Array(kids)) = self.file.entry(node, "Kids") {
            for kid in kids.iter().filter_map(|kid| self.file.get(kid)?.dict()) {
                self.tree(kid, resources, depth + 1);
            }
            return;
        }
        self.pages += 1;
        let parts: Vec<&Object> = match node.get("Contents") {
            Some(Object::Array(parts)) => parts.iter().collect(),
            Some(one @ Object::Reference(_)) => match self.file.get(one) {
                Some(Object::Array(parts)) => parts.iter().collect(),
                _ => vec![one],
            },
            _ => Vec::new(),
        };
        // Operators may be cut between the parts.
        let content: Vec<u8> =
            parts.into_iter().filter_map(|part| self.file.content(part)).collect::<Vec<_>>().join(&b'\n');
        self.content(&content, resources, depth + 1);
        self.at = Place::default();
        self.out.push_str("\n\n");
    }

    fn content(&mut self, content: &[u8], resources: Option<&'a Dict>, depth: u32) {
        let mut reader = Reader::new(content, 0);
        let (mut fonts, mut font) = (HashMap::new(), None);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = reader.next() {
            let Object::Word(operator) = &object else {
                operands.push(object);
                // No operator has so many.
                operands.truncate(64);
                continue;
            };
            if self.is_full() {
                return;
            }
            match (operator.as_str(), operands.as_slice()) {
                ("Tf", [Object::Name(name), Object::Number(size)]) => {
                    self.at.size = size.abs();
                    font = self.font(&mut fonts, name, resources);
                }
                ("Do", [Object::Name(name)]) => self.form(name, resources, depth),
                // The picture's own bytes.
                ("ID", _) => skip_image(&mut reader),
                (operator, operands) => {
                    let font = font.as_ref().and_then(|name: &String| fonts.get(name));
                    self.operator(operator, operands, font);
                }
            }
            operands.clear();
        }
    }

    fn operator(&mut self, operator: &str, operands: &[Object], font: Option<&Font>) {
        let number = |n: usize| operands.get(n).and_then(Object::number).unwrap_or(0.0);
        match operator {
            "BT" => (self.at.x, self.at.y) = (0.0, 0.0),
            "TL" => self.at.leading = number(0),
            "Td" => self.move_by(number(0), number(1)),
            "TD" => {
                self.at.leading = -number(1);
                self.move_by(number(0), number(1));
            }
            "Tm" => {
                (self.at.x, self.at.y) = (number(4), number(5));
                // Letters may be scaled by the matrix alone.
                if self.at.size <= 1.5 {
                    self.at.size = number(3).abs().max(1.0);
                }
            }
            "T*" => self.move_by(0.0, -self.at.leading),
            "Tj" => self.show(operands, font),
            "'" | "\"" => {
                self.move_by(0.0, -self.at.leading);
                self.show(operands.get(operands.len().saturating_sub(1)..).unwrap_or_default(), font);
            }
            "TJ" => {
                if let Some(Object::Array(pieces)) = operands.first() {
                    self.show(pieces, font);
                }
            }
            _ => {}
        }
    }

    fn move_by(&mut self, x: f64, y: f64) {
        (self.at.x, self.at.y) = (self.at.x + x, self.at.y + y);
    }

    /// Strings, and shifts between them.
    fn show(&mut self, pieces: &[Object], font: Option<&Font>) {
        let Some(font) = font else { return };
        let size = if self.at.size > 0.0 { self.at.size } else { 10.0 };
        if let Some((end, line)) = self.at.last {
            if (self.at.y - line).abs() > size * 0.3 {
                self.out.push('\n');
            } else if self.at.x > end + size * 0.15 {
                self.space();
            }
        }
        let before = self.out.len();
        for piece in pieces {
            match piece {
                Object::Text(codes) => font.read(codes, &mut self.out),
                Object::Number(shift) if *shift < -SPACE => self.space(),
                _ => {}
            }
        }
        let letters = self.out.get(before..).map_or(0, |shown| shown.chars().count());
        // Letters are about half as wide as high.
        self.at.last = Some((self.at.x + letters as f64 * size * 0.55, self.at.y));
    }

    fn space(&mut self) {
        if !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
    }

    /// Text may stand in a drawing of its own.
    fn form(&mut self, name: &str, resources: Option<&'a Dict>, depth: u32) {
        let forms = resources.and_then(|resources| self.file.dict(resources, "XObject"));
        let Some(object) = forms.and_then(|forms| forms.get(name)).filter(|_| depth < MAX_DEPTH) else {
            return;
        };
        let Some(form) = self.file.get(object).and_then(Object::dict) else { return };
        if form.get("Subtype").and_then(Object::name) == Some("Form")
            && let Some(content) = self.file.content(object)
        {
            let own = self.file.dict(form, "Resources").or(resources);
            self.content(&content, own, depth + 4);
        }
    }

    /// The name under which the font is in `fonts` from now on.
    fn font(
        &self,
        fonts: &mut HashMap<String, Font>,
        name: &str,
        resources: Option<&'a Dict>,
    ) -> Option<String> {
        if !fonts.contains_key(name) {
            let known = self.file.dict(resources?, "Font")?;
            fonts.insert(name.to_owned(), Font::of(self.file, self.file.dict(known, name)?));
        }
        Some(name.to_owned())
    }
}

fn skip_image(reader: &mut Reader<'_>) {
    let is_end = |four: &[u8]| matches!(four, [before, b'E', b'I', after] if object::is_space(*before) && object::is_space(*after));
    let end = reader.rest().windows(4).position(is_end);
    reader.at += end.map_or(reader.rest().len(), |end| end + 3);
}

#[cfg(test)]
mod tests;
