//! The widget's code, compressed where the browser takes that: nothing between this function and the page does it.

use std::sync::OnceLock;

use channel::{Request, Response};

/// The most that there is: it is done once.
const LEVEL: u8 = 10;
/// Compressed once for the life of the process.
static COMPRESSED: OnceLock<Vec<u8>> = OnceLock::new();

pub fn answer(request: &Request) -> Response {
    let headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=3600, stale-while-revalidate=86400"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("vary", "accept-encoding"),
        ("x-content-type-options", "nosniff"),
    ];
    let mut answer = Response { headers: headers.into_iter().collect(), ..Response::empty(200) };
    let takes_gzip = request.headers.get("accept-encoding").is_some_and(|kinds| kinds.contains("gzip"));
    answer.body = match takes_gzip {
        true => COMPRESSED.get_or_init(|| gzip(web::widget().as_bytes())).clone(),
        false => web::widget().into_bytes(),
    };
    if takes_gzip {
        answer.headers.set("content-encoding", "gzip");
    }
    answer
}

/// A member without a name or a time: <https://www.rfc-editor.org/rfc/rfc1952>.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    let length = u32::try_from(bytes.len()).unwrap_or(0);
    let mut out = HEAD.to_vec();
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, LEVEL));
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(length.to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_takes_it_gets_it_compressed() {
        let ask = |kinds: &str| {
            let headers = [("accept-encoding", kinds)].into_iter().collect();
            answer(&Request::new("GET", "https://x.example/main/widget.js", headers, ""))
        };
        let (plain, small) = (ask("identity"), ask("br, gzip;q=0.9"));
        assert_eq!(
            (plain.headers.get("content-encoding"), small.headers.get("content-encoding")),
            (None, Some("gzip"))
        );
        assert!(small.body.len() <= 8 * 1024, "{} bytes", small.body.len());
        let deflated = &small.body[10..small.body.len() - 8];
        assert_eq!(miniz_oxide::inflate::decompress_to_vec(deflated).unwrap(), plain.body);
        // The check value of this CRC: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
