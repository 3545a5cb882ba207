//! Flat XML as WeCom and WeChat send it: an element whose children hold text. No DTD, no entities but the five of XML.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Deeper documents are none of ours.
const MAX_DEPTH: usize = 8;

/// The texts of a document by path below its root: `Content`, `ScanCodeInfo/ScanType`. `None` where it is no such XML.
pub fn fields(xml: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).ok()?);
    let (mut fields, mut path, mut roots) = (BTreeMap::new(), Vec::<String>::new(), 0);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                roots += u32::from(path.is_empty());
                path.push(tag.name().as_ref().to_owned());
                if path.len() > MAX_DEPTH || roots > 1 {
                    return None;
                }
                if let Some(name) = below_root(&path) {
                    fields.entry(name).or_insert_with(String::new);
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => append(&mut fields, &path, &text),
            Event::CData(text) => append(&mut fields, &path, &text),
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().ok()?;
                let c = match (c, &*reference) {
                    (Some(c), _) => c,
                    (None, "amp") => '&',
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "quot") => '"',
                    (None, "apos") => '\'',
                    // Whatever else it is called, a DTD would have to say what it is.
                    _ => return None,
                };
                append(&mut fields, &path, c.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) | Event::PI(_) => return None,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof => return (path.is_empty() && roots == 1).then_some(fields),
        }
    }
}

fn below_root(path: &[String]) -> Option<String> {
    path.get(1..).filter(|below| !below.is_empty()).map(|below| below.join("/"))
}

/// Text between elements is only for the eye.
fn append(fields: &mut BTreeMap<String, String>, path: &[String], text: &str) {
    if let Some(field) = below_root(path).and_then(|name| fields.get_mut(&name)) {
        field.push_str(text);
    }
}

/// Text as the content of an element.
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, expected: Option<&[(&str, &str)]>) {
        let expected = expected.map(|fields| {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        });
        assert_eq!(fields(xml.as_bytes()), expected, "{xml}");
    }

    #[test]
    fn reads_fields_and_nothing_dangerous() {
        check(
            "<?xml version=\"1.0\"?><xml>\n<A><![CDATA[<b>]]></A> <B>1 &lt; 2 &#x1F44B;</B><C/><D></D></xml>",
            Some(&[("A", "<b>"), ("B", "1 < 2 👋"), ("D", "")]),
        );
        check("<xml><S><T>x</T></S></xml>", Some(&[("S", ""), ("S/T", "x")]));
        check("<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><A>&e;</A></xml>", None);
        check("<xml><A>&e;</A></xml>", None);
        check("<xml><A>", None);
        check("<xml></A>", None);
        check("<xml/><xml/>", None);
        check("", None);
        check("no xml", None);
        check(&"<a>".repeat(10_000), None);
    }
}
