//! The objects that a PDF is made of, and the operators between them. ISO 32000-1, 7.2 and 7.3.

use std::collections::BTreeMap;

/// Deeper than this is no document that somebody wrote.
const MAX_DEPTH: u32 = 32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Number(f64),
    Name(String),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    Reference(u32),
    /// An operator or a keyword; `true`, `false` and `null` too.
    Word(String),
}

pub(super) type Dict = BTreeMap<String, Object>;

impl Object {
    pub fn number(&self) -> Option<f64> {
        if let Object::Number(number) = self { Some(*number) } else { None }
    }

    pub fn name(&self) -> Option<&str> {
        if let Object::Name(name) = self { Some(name) } else { None }
    }

    pub fn text(&self) -> Option<&[u8]> {
        if let Object::Text(text) = self { Some(text) } else { None }
    }

    pub fn dict(&self) -> Option<&Dict> {
        if let Object::Dict(dict) = self { Some(dict) } else { None }
    }
}

/// Reads one object after the other.
pub(super) struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader { bytes, at }
    }

    /// The next object; `None` at the end, or where nothing can be read any more.
    pub fn next(&mut self) -> Option<Object> {
        self.object(0)
    }

    /// Past white space and comments.
    pub fn skip_space(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'%' => {
                    while self.peek(0).is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                        self.at += 1;
                    }
                }
                _ if is_space(byte) => self.at += 1,
                _ => return,
            }
        }
    }

    /// The bytes that follow, whatever they are.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn object(&mut self, depth: u32) -> Option<Object> {
        self.skip_space();
        if depth > MAX_DEPTH {
            return None;
        }
        match (self.peek(0)?, self.peek(1)) {
            (b'/', _) => Some(Object::Name(self.name())),
            (b'(', _) => Some(Object::Text(self.literal())),
            (b'<', Some(b'<')) => {
                self.at += 2;
                Some(Object::Dict(self.dict(depth)))
            }
            (b'<', _) => Some(Object::Text(self.hexadecimal())),
            (b'[', _) => {
                self.at += 1;
                Some(Object::Array(self.array(depth)))
            }
            (b'+' | b'-' | b'.' | b'0'..=b'9', _) => Some(self.number()),
            (b')' | b'>' | b']' | b'{' | b'}', _) => {
                self.at += 1;
                self.object(depth + 1)
            }
            _ => Some(Object::Word(self.word())),
        }
    }

    fn array(&mut self, depth: u32) -> Vec<Object> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek(0) {
                Some(b']') => {
                    self.at += 1;
                    return items;
                }
                None => return items,
                Some(_) => match self.object(depth + 1) {
                    Some(item) => items.push(item),
                    None => return items,
                },
            }
        }
    }

    fn dict(&mut self, depth: u32) -> Dict {
        let mut dict = Dict::new();
        loop {
            self.skip_space();
            match self.peek(0) {
                Some(b'/') => {
                    let name = self.name();
                    match self.object(depth + 1) {
                        Some(value) => dict.insert(name, value),
                        None => return dict,
                    };
                }
                Some(b'>') => {
                    self.at += if self.peek(1) == Some(b'>') { 2 } else { 1 };
                    return dict;
                }
                None => return dict,
                // Out of step: what follows is another object.
                Some(_) if self.object(depth + 1).is_none() => return dict,
                Some(_) => {}
            }
        }
    }

    /// A number, or a reference where `0 R` follows it.
    fn number(&mut self) -> Object {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9')) {
            self.at += 1;
        }
        let digits = self.bytes.get(start..self.at).unwrap_or_default();
        let digits = std::str::from_utf8(digits).unwrap_or("");
        if let Ok(id) = digits.parse::<u32>()
            && let Some(after) = self.generation()
        {
            self.at = after;
            return Object::Reference(id);
        }
        Object::Number(digits.parse().unwrap_or(0.0))
    }

    /// Where a generation and an `R` end that stand here.
    fn generation(&self) -> Option<usize> {
        let mut ahead = Reader::new(self.bytes, self.at);
        ahead.skip_space();
        let start = ahead.at;
        while ahead.peek(0).is_some_and(|byte| byte.is_ascii_digit()) && ahead.at - start < 5 {
            ahead.at += 1;
        }
        let digits = ahead.at > start;
        ahead.skip_space();
        let ends = ahead.peek(1).is_none_or(|byte| is_space(byte) || is_delimiter(byte));
        (digits && ahead.peek(0) == Some(b'R') && ends).then_some(ahead.at + 1)
    }

    fn name(&mut self) -> String {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek(0).filter(|byte| !is_space(*byte) && !is_delimiter(*byte)) {
            self.at += 1;
            let hex = |n| self.peek(n).and_then(|byte| char::from(byte).to_digit(16));
            match (byte, hex(0), hex(1)) {
                (b'#', Some(high), Some(low)) => {
                    name.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    self.at += 2;
                }
                _ => name.push(byte),
            }
        }
        String::from_utf8_lossy(&name).into_owned()
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| !is_space(byte) && !is_delimiter(byte)) {
            self.at += 1;
        }
        // Always moves on.
        self.at = self.at.max(start + 1);
        String::from_utf8_lossy(self.bytes.get(start..self.at).unwrap_or_default()).into_owned()
    }

    /// `(text)`, with escapes and balanced brackets.
    fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut text, mut depth) = (Vec::new(), 1);
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'\\' => self.escape(&mut text),
                b'(' => {
                    depth += 1;
                    text.push(byte);
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return text;
                    }
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
        text
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek(0) else { return };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' | b'f' => text.push(b' '),
            b'\r' if self.peek(0) == Some(b'\n') => self.at += 1,
            b'\r' | b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit) = self.peek(0).filter(|byte| (b'0'..=b'7').contains(byte)) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push(u8::try_from(code & 0xFF).unwrap_or(b'?'));
            }
            _ => text.push(byte),
        }
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut digits = Vec::new();
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match char::from(byte).to_digit(16) {
                Some(digit) => digits.push(digit),
                None if byte == b'>' => break,
                None => {}
            }
        }
        let pair = |pair: &[u32]| match pair {
            [high, low] => high * 16 + low,
            [high] => high * 16,
            _ => 0,
        };
        digits.chunks(2).map(|digits| u8::try_from(pair(digits)).unwrap_or(0)).collect()
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_every_kind() {
        let source = br"<< /Type /Font#20A /Kids [1 0 R 2.5 -3] /T (a\(b\)\101\
c) /H <48 6> /B true >> Tj % a comment";
        let mut reader = Reader::new(source, 0);
        let Some(Object::Dict(dict)) = reader.next() else { panic!("a dictionary") };
        assert_eq!(dict["Type"], Object::Name("Font A".into()));
        let kids = vec![Object::Reference(1), Object::Number(2.5), Object::Number(-3.0)];
        assert_eq!(dict["Kids"], Object::Array(kids));
        assert_eq!(dict["T"], Object::Text(b"a(b)Ac".to_vec()));
        assert_eq!(dict["H"], Object::Text(vec![0x48, 0x60]));
        assert_eq!(reader.next(), Some(Object::Word("Tj".into())));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn nonsense_ends() {
        for source in ["<< /A ", "[[[[", "(((", "<<<<", ")>]", "1 0", "/"] {
            let mut reader = Reader::new(source.as_bytes(), 0);
            while reader.next().is_some() {}
        }
        let deep = "[".repeat(100_000);
        let mut reader = Reader::new(deep.as_bytes(), 0);
        let read = std::iter::from_fn(|| reader.next()).count();
        assert!(read < 100_000);
    }
}
