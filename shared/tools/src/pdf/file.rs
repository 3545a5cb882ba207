//! The objects of a PDF by their numbers. The table of their places is not needed, and often broken: the file is read through.
//! ISO 32000-1, 7.3.8 and 7.5.7.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

use super::object::{Dict, Object, Reader, is_space};

/// No more objects are read.
const MAX_OBJECTS: usize = 100_000;
/// Everything that is unpacked together, bytes: a small file may claim any size.
const MAX_UNPACKED: usize = 32 << 20;

pub(super) struct File<'a> {
    bytes: &'a [u8],
    objects: HashMap<u32, Stored>,
    left: Cell<usize>,
}

struct Stored {
    object: Object,
    stream: Option<Range<usize>>,
}

impl<'a> File<'a> {
    pub fn read(bytes: &'a [u8]) -> File<'a> {
        let mut file = File { bytes, objects: HashMap::new(), left: Cell::new(MAX_UNPACKED) };
        for (id, at) in places(bytes).take(MAX_OBJECTS) {
            let mut reader = Reader::new(bytes, at);
            if let Some(object) = reader.next() {
                let stream = object.dict().and_then(|dict| stream(dict, &mut reader));
                file.objects.insert(id, Stored { object, stream });
            }
        }
        file.unpack();
        file
    }

    /// What an object is; a reference leads to what it refers to.
    pub fn get<'b>(&'b self, object: &'b Object) -> Option<&'b Object> {
        match object {
            Object::Reference(id) => self.objects.get(id).map(|stored| &stored.object),
            object => Some(object),
        }
    }

    pub fn entry<'b>(&'b self, dict: &'b Dict, name: &str) -> Option<&'b Object> {
        self.get(dict.get(name)?)
    }

    pub fn dict<'b>(&'b self, dict: &'b Dict, name: &str) -> Option<&'b Dict> {
        self.entry(dict, name)?.dict()
    }

    /// All dictionaries of that type.
    pub fn of_type(&self, name: &str) -> impl Iterator<Item = &Dict> {
        let dicts = self.objects.values().filter_map(|stored| stored.object.dict());
        dicts.filter(move |dict| dict.get("Type").and_then(Object::name) == Some(name))
    }

    /// The content of a stream, unpacked; `None` where it is none, or packed in a way that text seldom is.
    pub fn content(&self, object: &Object) -> Option<Vec<u8>> {
        let Object::Reference(id) = object else { return None };
        let stored = self.objects.get(id)?;
        let dict = stored.object.dict()?;
        let raw = self.bytes.get(stored.stream.clone()?)?;
        let filters = match self.entry(dict, "Filter") {
            None => Vec::new(),
            Some(Object::Array(filters)) => filters.iter().filter_map(|filter| self.get(filter)).collect(),
            Some(filter) => vec![filter],
        };
        let mut content = raw.to_vec();
        for filter in filters {
            content = match filter.name()? {
                "FlateDecode" | "Fl" => self.inflate(&content),
                "ASCIIHexDecode" | "AHx" => {
                    Reader::new(&[b"<", content.as_slice()].concat(), 0).next()?.text()?.to_vec()
                }
                _ => return None,
            };
        }
        Some(content)
    }

    fn inflate(&self, packed: &[u8]) -> Vec<u8> {
        let unpacked = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, self.left.get());
        // What came before the fault is text all the same.
        let unpacked = unpacked.unwrap_or_else(|failed| failed.output);
        self.left.set(self.left.get().saturating_sub(unpacked.len()));
        unpacked
    }

    /// The objects that are packed into streams.
    fn unpack(&mut self) {
        let packs: Vec<u32> = self
            .objects
            .iter()
            .filter(|(_, stored)| {
                let kind = stored.object.dict().and_then(|dict| dict.get("Type"));
                kind.and_then(Object::name) == Some("ObjStm")
            })
            .map(|(id, _)| *id)
            .collect();
        for id in packs {
            let Some(content) = self.content(&Object::Reference(id)) else { continue };
            let dict = self.objects.get(&id).and_then(|stored| stored.object.dict());
            let first = dict.and_then(|dict| dict.get("First")).and_then(Object::number).unwrap_or(0.0);
            let first = first as usize;
            let mut index = Reader::new(content.get(..first).unwrap_or_default(), 0);
            while let (Some(Object::Number(id)), Some(Object::Number(at))) = (index.next(), index.next()) {
                if self.objects.len() >= MAX_OBJECTS {
                    return;
                }
                if let Some(object) = Reader::new(&content, first.saturating_add(at as usize)).next() {
                    self.objects.entry(id as u32).or_insert(Stored { object, stream: None });
                }
            }
        }
    }
}

/// Number and place of everything that begins with `<number> <generation> obj`.
fn places(bytes: &[u8]) -> impl Iterator<Item = (u32, usize)> {
    let is_end = |four: &[u8]| matches!(four, [space, b'o', b'b', b'j'] if is_space(*space));
    let ends = bytes.windows(4).enumerate().filter(move |(_, four)| is_end(four));
    ends.filter_map(|(at, _)| {
        let before = bytes.get(at.saturating_sub(20)..at)?;
        let mut words = before.rsplit(|byte| is_space(*byte)).filter(|word| !word.is_empty());
        let generation = words.next()?;
        let number = words.next()?;
        // What stands before the number may have no space after it.
        let digits = number.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(number.get(number.len() - digits..)?).ok()?;
        generation.iter().all(u8::is_ascii_digit).then_some((number.parse().ok()?, at + 4))
    })
}

/// Where the stream lies that belongs to a dictionary. Its length may be wrong.
fn stream(dict: &Dict, reader: &mut Reader<'_>) -> Option<Range<usize>> {
    reader.skip_space();
    let rest = reader.rest().strip_prefix(b"stream")?;
    let rest =
        rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).or(rest.strip_prefix(b"\r")).unwrap_or(rest);
    let start = reader.bytes.len() - rest.len();
    let claimed = dict.get("Length").and_then(Object::number).map(|length| length as usize);
    let ends_there = |length: &usize| {
        let after = rest.get(*length..).unwrap_or_default();
        let skipped = after.iter().take_while(|byte| is_space(**byte)).count();
        after.get(skipped..).is_some_and(|after| after.starts_with(b"endstream"))
    };
    let found = || rest.windows(9).position(|nine| nine == b"endstream");
    let length = claimed.filter(ends_there).or_else(found)?;
    Some(start..start + length)
}
