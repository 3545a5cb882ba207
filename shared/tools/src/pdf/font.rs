//! From the codes of a font to text. ISO 32000-1, 9.6.6 and 9.10.

use std::collections::HashMap;

use super::file::File;
use super::object::{Dict, Object, Reader};

/// A font's table has no more entries.
const MAX_CODES: usize = 65_536;
/// Windows code page 1252 from 0x80 on, which is what fonts use unless they say otherwise.
const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

pub(super) struct Font {
    /// Two bytes are one code.
    wide: bool,
    /// Single bytes that are not in the table are characters of [`HIGH`]'s code page.
    plain: bool,
    codes: HashMap<u32, String>,
}

impl Font {
    pub fn of(file: &File<'_>, font: &Dict) -> Font {
        let composite = font.get("Subtype").and_then(Object::name) == Some("Type0");
        let mut made = Font { wide: composite, plain: !composite, codes: HashMap::new() };
        if let Some(encoding) = file.dict(font, "Encoding") {
            made.differ(file, encoding);
        }
        if let Some(map) = font.get("ToUnicode").and_then(|map| file.content(map)) {
            made.map(&map);
        }
        made
    }

    /// What a string of codes says.
    pub fn read(&self, codes: &[u8], out: &mut String) {
        let width = if self.wide { 2 } else { 1 };
        for code in codes.chunks(width).map(code) {
            match self.codes.get(&code) {
                Some(text) => out.push_str(text),
                None if self.plain => out.extend(latin(code)),
                None => {}
            }
        }
    }

    /// Codes that stand for glyphs by name.
    fn differ(&mut self, file: &File<'_>, encoding: &Dict) {
        let Some(Object::Array(differences)) = file.entry(encoding, "Differences") else { return };
        let mut code = 0;
        for difference in differences.iter().take(MAX_CODES) {
            match difference {
                Object::Number(number) => code = *number as u32,
                Object::Name(name) => {
                    if let Some(text) = glyph(name) {
                        self.codes.insert(code, text);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }

    /// A table of the font's own from codes to text, which outranks everything else.
    fn map(&mut self, map: &[u8]) {
        let mut reader = Reader::new(map, 0);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = reader.next() {
            let Object::Word(word) = &object else {
                operands.push(object);
                continue;
            };
            match word.as_str() {
                "endcodespacerange" => {
                    let length = operands.iter().find_map(Object::text).map_or(1, <[u8]>::len);
                    self.wide = length > 1;
                }
                "endbfchar" => {
                    for pair in operands.chunks(2) {
                        if let [Object::Text(from), Object::Text(to)] = pair {
                            self.insert(code(from), utf16(to));
                        }
                    }
                }
                "endbfrange" => operands.chunks(3).for_each(|range| self.range(range)),
                _ => {}
            }
            operands.clear();
        }
    }

    fn range(&mut self, range: &[Object]) {
        let [Object::Text(first), Object::Text(last), to] = range else { return };
        let codes = (code(first)..=code(last)).take(MAX_CODES);
        match to {
            Object::Array(texts) => {
                for (code, text) in codes.zip(texts) {
                    self.insert(code, utf16(text.text().unwrap_or_default()));
                }
            }
            Object::Text(start) => {
                let text = utf16(start);
                let mut chars = text.chars();
                let last = chars.next_back().map_or(0, u32::from);
                for (code, n) in codes.zip(0..) {
                    let c = char::from_u32(last.saturating_add(n)).unwrap_or('?');
                    self.insert(code, format!("{}{c}", chars.as_str()));
                }
            }
            _ => {}
        }
    }

    fn insert(&mut self, code: u32, text: String) {
        if self.codes.len() < MAX_CODES {
            self.codes.insert(code, text);
        }
    }
}

fn code(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |code, byte| code << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks(2).map(|unit| u16::try_from(code(unit)).unwrap_or(0)).collect();
    String::from_utf16_lossy(&units)
}

fn latin(code: u32) -> Option<char> {
    match code {
        0x80..=0x9F => HIGH.chars().nth(usize::try_from(code - 0x80).ok()?),
        9 | 10 | 13 | 0x20..=0xFF => char::from_u32(code),
        _ => None,
    }
}

/// The glyphs that fonts name most: <https://github.com/adobe-type-tools/agl-aglfn>. A letter is its own name.
fn glyph(name: &str) -> Option<String> {
    const NAMED: &[(&str, &str)] = &[
        ("space", " "),
        ("exclam", "!"),
        ("quotedbl", "\""),
        ("numbersign", "#"),
        ("dollar", "$"),
        ("percent", "%"),
        ("ampersand", "&"),
        ("quotesingle", "'"),
        ("parenleft", "("),
        ("parenright", ")"),
        ("asterisk", "*"),
        ("plus", "+"),
        ("comma", ","),
        ("hyphen", "-"),
        ("minus", "−"),
        ("period", "."),
        ("slash", "/"),
        ("zero", "0"),
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("eight", "8"),
        ("nine", "9"),
        ("colon", ":"),
        ("semicolon", ";"),
        ("less", "<"),
        ("equal", "="),
        ("greater", ">"),
        ("question", "?"),
        ("at", "@"),
        ("bracketleft", "["),
        ("backslash", "\\"),
        ("bracketright", "]"),
        ("underscore", "_"),
        ("braceleft", "{"),
        ("bar", "|"),
        ("braceright", "}"),
        ("asciitilde", "~"),
        ("endash", "–"),
        ("emdash", "—"),
        ("bullet", "•"),
        ("ellipsis", "…"),
        ("quoteleft", "‘"),
        ("quoteright", "’"),
        ("quotedblleft", "“"),
        ("quotedblright", "”"),
        ("fi", "fi"),
        ("fl", "fl"),
        ("ff", "ff"),
        ("ffi", "ffi"),
        ("ffl", "ffl"),
        ("Euro", "€"),
        ("germandbls", "ß"),
        ("adieresis", "ä"),
        ("odieresis", "ö"),
        ("udieresis", "ü"),
        ("Adieresis", "Ä"),
        ("Odieresis", "Ö"),
        ("Udieresis", "Ü"),
        ("eacute", "é"),
        ("egrave", "è"),
        ("agrave", "à"),
        ("ccedilla", "ç"),
        ("ntilde", "ñ"),
        ("degree", "°"),
    ];
    if name.chars().count() == 1 {
        return Some(name.to_owned());
    }
    if let Some(text) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(text.1.to_owned());
    }
    let hex = name.strip_prefix("uni").or(name.strip_prefix('u'))?;
    u32::from_str_radix(hex.get(..4.min(hex.len()))?, 16).ok().and_then(char::from_u32).map(String::from)
}
