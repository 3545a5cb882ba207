//! What a file is, by its first bytes; what platforms and people call it is believed only where it is text.

/// What can be made of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What all providers take, by its media type.
    Image(&'static str),
    /// A picture in a format that not all providers take, by its name.
    OtherImage(&'static str),
    Audio,
    Video,
    Pdf,
    Text,
    /// A word processor's, a spreadsheet's, an archive.
    Archive,
    Other,
}

/// Beginnings of files.
const BEGINNINGS: &[(&[u8], Kind)] = &[
    (b"\x89PNG\r\n\x1a\n", Kind::Image("image/png")),
    (b"\xff\xd8\xff", Kind::Image("image/jpeg")),
    (b"GIF8", Kind::Image("image/gif")),
    (b"II*\0", Kind::OtherImage("TIFF")),
    (b"MM\0*", Kind::OtherImage("TIFF")),
    (b"%PDF-", Kind::Pdf),
    (b"OggS", Kind::Audio),
    (b"ID3", Kind::Audio),
    (b"\xff\xfb", Kind::Audio),
    (b"\xff\xf3", Kind::Audio),
    (b"\xff\xf1", Kind::Audio),
    (b"fLaC", Kind::Audio),
    (b"#!AMR", Kind::Audio),
    (b"PK\x03\x04", Kind::Archive),
    (b"\xd0\xcf\x11\xe0", Kind::Archive),
    (b"\x1f\x8b", Kind::Archive),
];

/// `name` and `media_type` are the sender's.
pub(super) fn of(bytes: &[u8], name: &str, media_type: &str) -> Kind {
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return *kind;
    }
    let media_type = media_type.to_ascii_lowercase();
    let at = |from: usize, what: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(what));
    if let Some(format) = bytes.get(8..).filter(|_| at(4, b"ftyp")).and_then(picture) {
        return Kind::OtherImage(format);
    }
    match bytes {
        _ if at(0, b"RIFF") && at(8, b"WEBP") => Kind::Image("image/webp"),
        _ if at(0, b"RIFF") && at(8, b"WAVE") => Kind::Audio,
        // MP4 and its kin: a voice message where it says so, https://mp4ra.org/registered-types/brands
        _ if at(4, b"ftypM4A") => Kind::Audio,
        _ if at(4, b"ftyp") && !media_type.starts_with("audio/") => Kind::Video,
        _ if at(4, b"ftyp") => Kind::Audio,
        // Matroska: browsers record voice as WebM.
        _ if at(0, b"\x1a\x45\xdf\xa3") && media_type.starts_with("audio/") => Kind::Audio,
        _ if at(0, b"\x1a\x45\xdf\xa3") => Kind::Video,
        _ if is_text(bytes, name, &media_type) => Kind::Text,
        _ => Kind::Other,
    }
}

/// How long a recording is, seconds. Ogg with Opus, in which most voice messages come, says so in its last page
/// (<https://www.rfc-editor.org/rfc/rfc7845#section-4>); everything else is taken for 32 kbit/s, on which people can just be
/// understood. The sender wrote it, so it is believed only within the rates that there are: 6 to 512 kbit/s.
pub(super) fn seconds(bytes: &[u8]) -> f64 {
    let length = bytes.len() as f64;
    let page = bytes.windows(4).rposition(|four| four == b"OggS").filter(|_| bytes.starts_with(b"OggS"));
    let position =
        page.and_then(|page| bytes.get(page + 6..page + 14)?.try_into().ok()).map(u64::from_le_bytes);
    let told = position.map_or(length / 4_000.0, |samples| samples as f64 / 48_000.0);
    told.clamp(length / 64_000.0, length / 750.0)
}

/// The picture format that a container of this brand holds: what phones make of photos is in the container of MP4.
/// <https://mp4ra.org/registered-types/brands>
fn picture(brand: &[u8]) -> Option<&'static str> {
    match brand.get(..4)? {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some("HEIC"),
        b"mif1" | b"msf1" => Some("HEIF"),
        b"avif" | b"avis" => Some("AVIF"),
        _ => None,
    }
}

/// Text in the encodings that there are, whatever it is called; not the few words that binary formats begin with.
fn is_text(bytes: &[u8], name: &str, media_type: &str) -> bool {
    let called = media_type.starts_with("text/")
        || media_type.ends_with("json")
        || media_type.ends_with("xml")
        || media_type.ends_with("yaml")
        || name.rsplit_once('.').is_some_and(|(_, end)| {
            ["txt", "md", "csv", "tsv", "json", "yaml", "yml", "toml", "log", "xml", "html"]
                .contains(&end.to_ascii_lowercase().as_str())
        });
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let readable = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    readable || called && (marked || !bytes.contains(&0))
}

/// The text of a text file, whatever its encoding.
pub(super) fn text(bytes: &[u8]) -> String {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).skip(1).filter_map(|unit| Some(of(unit.try_into().ok()?))).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            // What is no UTF-8 is Latin-1 more often than anything else.
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        },
    }
}

/// Width and height of a picture in pixels, where its head says so.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let big = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let little = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    match bytes {
        [0x89, ..] => Some((big(16)?, big(20)?)),
        [b'G', ..] => Some((little(6)?, little(8)?)),
        [0xFF, 0xD8, rest @ ..] => jpeg_size(rest),
        _ if bytes.get(12..16) == Some(b"VP8 ") => Some((little(26)? & 0x3FFF, little(28)? & 0x3FFF)),
        _ => None,
    }
}

/// In the frame's header: ITU-T T.81, B.2.2.
fn jpeg_size(mut segments: &[u8]) -> Option<(u32, u32)> {
    while let [0xFF, marker, high, low, rest @ ..] = segments {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let side =
                |at: usize| Some(u32::from(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?)));
            return Some((side(3)?, side(1)?));
        }
        segments = rest.get(length.checked_sub(2)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_beginning() {
        let check = |bytes: &[u8], name: &str, media_type: &str, expected: Kind| {
            assert_eq!(of(bytes, name, media_type), expected, "{name} {media_type} {bytes:?}");
        };
        check(b"\x89PNG\r\n\x1a\n....", "a.txt", "text/plain", Kind::Image("image/png"));
        check(b"RIFF\0\0\0\0WEBPVP8 ", "a", "", Kind::Image("image/webp"));
        check(b"OggS....", "voice", "audio/ogg; codecs=opus", Kind::Audio);
        check(b"\0\0\0\x18ftypheic\0\0", "a.jpg", "image/jpeg", Kind::OtherImage("HEIC"));
        check(b"\0\0\0\x18ftypmif1\0\0", "a.heif", "", Kind::OtherImage("HEIF"));
        check(b"\0\0\0\x18ftypavif\0\0", "a", "image/avif", Kind::OtherImage("AVIF"));
        check(b"II*\0\x08\0\0\0", "scan.tif", "image/tiff", Kind::OtherImage("TIFF"));
        check(b"\0\0\0\x18ftypmp42", "clip", "video/mp4", Kind::Video);
        check(b"\0\0\0\x18ftypmp42", "voice", "audio/mp4", Kind::Audio);
        check(b"%PDF-1.7", "a.exe", "application/octet-stream", Kind::Pdf);
        check(b"PK\x03\x04", "a.docx", "application/pdf", Kind::Archive);
        check("größer".as_bytes(), "notes", "", Kind::Text);
        check(b"gr\xf6\xdfer", "notes.txt", "", Kind::Text);
        check(b"gr\xf6\xdfer", "notes", "", Kind::Other);
        check(b"\xff\xfeh\0i\0", "notes.csv", "", Kind::Text);
        check(b"MZ\0\0\x03", "a.txt", "text/plain", Kind::Other);
    }

    #[test]
    fn recordings_say_how_long_they_are_within_reason() {
        let page = |samples: u64, sound: usize| {
            let head = |samples: u64| [b"OggS\0\0".as_slice(), &samples.to_le_bytes(), b"serial"].concat();
            [head(0), vec![b'x'; sound], head(samples)].concat()
        };
        assert_eq!(seconds(&page(48_000 * 90, 360_000)), 90.0);
        // Neither free nor for ever.
        let claimed = page(0, 64_000 * 3);
        assert!((3.0..3.1).contains(&seconds(&claimed)), "{}", seconds(&claimed));
        let claimed = page(u64::MAX, 7_500);
        assert!((10.0..10.1).contains(&seconds(&claimed)), "{}", seconds(&claimed));
        assert_eq!(seconds(&[b"ID3".as_slice(), &[0; 7_997]].concat()), 2.0);
        // The page is cut off.
        assert_eq!(seconds(b"OggS"), 0.001);
    }

    #[test]
    fn text_in_every_encoding() {
        assert_eq!(text("größer".as_bytes()), "größer");
        assert_eq!(text(b"\xef\xbb\xbfa"), "a");
        assert_eq!(text(b"gr\xf6\xdfer"), "größer");
        assert_eq!(text(b"\xff\xfeh\0i\0"), "hi");
        assert_eq!(text(b"\xfe\xff\0h\0i"), "hi");
    }

    #[test]
    fn sizes_of_pictures() {
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0, 0, 4, 0, 0, 0, 3, 0]].concat();
        assert_eq!(size(&png), Some((1024, 768)));
        let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC2, 0, 11, 8, 3, 0, 4, 0, 3];
        assert_eq!(size(&jpeg), Some((1024, 768)));
        assert_eq!(size(b"GIF89a\x0a\0\x05\0"), Some((10, 5)));
        assert_eq!(size(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 0]), None);
    }
}
