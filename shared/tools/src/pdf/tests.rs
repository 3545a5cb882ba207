use super::*;

/// A file of these objects, numbered from 1; each is what stands between `obj` and `endobj`.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for (object, n) in objects.iter().zip(1..) {
        bytes.extend(format!("{n} 0 obj\n").into_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    bytes.extend(b"trailer\n<< /Root 1 0 R >>\n%%EOF\n");
    bytes
}

fn stream(dict: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<< {dict} /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

fn packed(dict: &str, content: &[u8]) -> Vec<u8> {
    let content = miniz_oxide::deflate::compress_to_vec_zlib(content, 6);
    stream(&format!("{dict} /Filter /FlateDecode"), &content)
}

const PAGES: [&str; 3] = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>",
    "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
];
const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/// One page with this content and font.
fn page(content: Vec<u8>, font: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = PAGES.map(|object| object.as_bytes().to_vec()).to_vec();
    objects.extend([content, font.as_bytes().to_vec()]);
    objects.extend(more.iter().cloned());
    file(&objects)
}

fn check(bytes: &[u8], expected: Result<&str, Unread>) {
    assert_eq!(text(bytes, 10_000).as_deref().map_err(|unread| *unread), expected);
}

#[test]
fn lines_and_words_are_told_apart() {
    let content =
        b"BT /F1 12 Tf 72 720 Td (Dear Ana,) Tj 0 -14 Td [(the) -300 (bi) 20 (ll is ) (\x80 5)] TJ T* \
        1 0 0 1 72 600 Tm (last) Tj 1 0 0 1 200 600 Tm (words) Tj ET";
    for content in [stream("", content), packed("", content)] {
        check(&page(content, FONT, &[]), Ok("Dear Ana,\nthe bill is € 5\nlast words"));
    }
}

#[test]
fn fonts_with_tables_of_their_own() {
    let font = "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 6 0 R >>";
    let map = b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
        2 beginbfchar <0001> <0048> <0002> <00660069> endbfchar\n\
        2 beginbfrange <0010> <0012> <0061> <0020> <0021> [<D83DDE00> <0021>] endbfrange";
    let content = packed("", b"BT /F1 9 Tf <0001000200100011001200200021> Tj ET");
    check(&page(content, font, &[packed("", map)]), Ok("Hfiabc😀!"));
    let named =
        "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [1 /A /space /eacute /uni20AC] >> >>";
    check(&page(stream("", b"BT /F1 9 Tf <01020304> Tj ET"), named, &[]), Ok("A é€"));
}

#[test]
fn objects_may_be_packed() {
    let inner = [PAGES[0], PAGES[1], PAGES[2], FONT];
    let (mut index, mut body) = (String::new(), String::new());
    for (object, id) in inner.iter().zip([1, 2, 3, 5]) {
        index.push_str(&format!("{id} {} ", body.len()));
        body.push_str(object);
        body.push(' ');
    }
    let pack = packed(&format!("/Type /ObjStm /N 4 /First {}", index.len()), (index + &body).as_bytes());
    let mut bytes = b"%PDF-1.7\n4 0 obj\n".to_vec();
    bytes.extend(packed("", b"BT /F1 9 Tf (packed) Tj ET"));
    bytes.extend(b"\nendobj\n9 0 obj\n");
    bytes.extend(pack);
    bytes.extend(b"\nendobj\n");
    check(&bytes, Ok("packed"));
}

#[test]
fn text_may_stand_in_a_form_and_pictures_are_skipped() {
    let content = stream("", b"BI /W 1 /H 1 ID \x01(Tj\x02 EI BT /F1 9 Tf (page) Tj ET /X Do");
    let mut objects: Vec<Vec<u8>> = PAGES.map(|object| object.as_bytes().to_vec()).to_vec();
    objects[1] =
        b"<< /Type /Pages /Kids [3 0 R] /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>"
            .to_vec();
    objects.extend([content, FONT.as_bytes().to_vec()]);
    objects.push(stream("/Type /XObject /Subtype /Form", b"BT /F1 9 Tf 0 -50 Td (form) Tj ET"));
    check(&file(&objects), Ok("page\nform"));
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    check(&page(stream("", b"0 0 m 9 9 l S"), FONT, &[]), Err(Unread::NoText));
    check(b"%PDF-1.4 nothing", Err(Unread::NoText));
    let mut locked = page(stream("", b"BT /F1 9 Tf (x) Tj ET"), FONT, &[]);
    locked.extend(b"trailer << /Encrypt 9 0 R >>");
    check(&locked, Err(Unread::Locked));
}

#[test]
fn strangers_files_end() {
    let long = page(packed("", &b"BT /F1 9 Tf (word ) Tj ET ".repeat(100_000)), FONT, &[]);
    assert!((9_900..10_100).contains(&text(&long, 10_000).unwrap().len()));
    // Much from little.
    let bomb = page(packed("", &vec![b' '; 64 << 20]), FONT, &[]);
    check(&bomb, Err(Unread::NoText));
    // Pages that are their own kids, forms that show themselves.
    let round = file(&[PAGES[0].into(), b"<< /Type /Pages /Kids [2 0 R 2 0 R] >>".to_vec()]);
    check(&round, Err(Unread::NoText));
    let good = page(stream("", b"BT /F1 9 Tf [(a) -300 (b)] TJ ET"), FONT, &[]);
    for end in 0..good.len() {
        let _ = text(&good[..end], 100);
        let mut broken = good.clone();
        broken[end] ^= 0x15;
        let _ = text(&broken, 100);
    }
}
