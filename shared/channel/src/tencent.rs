//! The signed and encrypted envelope that WeCom and WeChat share.
//! <https://developer.work.weixin.qq.com/document/path/90968>

use data_encoding::{BASE64, Encoding, Specification};

use crate::{aes, sign};

/// Plaintexts are padded to a multiple of this.
const PADDED_TO: usize = 32;
/// Random bytes at the beginning.
const RANDOM: usize = 16;

/// The signature over these parts (token, timestamp, nonce, in encrypted mode the ciphertext too): SHA-1 of them sorted,
/// lower-case hexadecimal.
pub fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    sign::hex(&sign::sha1(sorted.concat().as_bytes()))
}

/// The key in an EncodingAESKey: 43 characters of base64 whose last may have bits that mean nothing.
pub fn key(encoding_aes_key: &str) -> Option<Vec<u8>> {
    lenient()?.decode(encoding_aes_key.as_bytes()).ok().filter(|key| key.len() == 32)
}

/// An EncodingAESKey made of random bytes: letters and digits only, as the consoles want it.
pub fn encoding_aes_key(random: &[u8; 32]) -> String {
    let text = sign::base64(random).replace('+', "p").replace('/', "s");
    text.trim_end_matches('=').to_owned()
}

/// The message in a ciphertext, and whom it is meant for (a corporation or app id, empty for WeCom's bots).
pub fn decrypt(encoding_aes_key: &str, encrypted: &str) -> Option<(Vec<u8>, String)> {
    let key = key(encoding_aes_key)?;
    let plain = aes::decrypt(&key, key.get(..16)?, &BASE64.decode(encrypted.as_bytes()).ok()?, PADDED_TO)?;
    let (length, rest) = plain.get(RANDOM..)?.split_at_checked(4)?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let (message, receiver) = rest.split_at_checked(length)?;
    Some((message.to_vec(), String::from_utf8(receiver.to_vec()).ok()?))
}

/// The ciphertext of a message, as the platform sends it and as encrypted answers are given.
pub fn encrypt(
    encoding_aes_key: &str,
    random: &[u8; RANDOM],
    message: &[u8],
    receiver: &str,
) -> Option<String> {
    let key = key(encoding_aes_key)?;
    let length = u32::try_from(message.len()).ok()?.to_be_bytes();
    let plain = [random.as_slice(), &length, message, receiver.as_bytes()].concat();
    Some(BASE64.encode(&aes::encrypt(&key, key.get(..16)?, &plain, PADDED_TO)?))
}

fn lenient() -> Option<Encoding> {
    let mut spec = Specification::new();
    spec.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    spec.check_trailing_bits = false;
    spec.encoding().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The sample of developer.work.weixin.qq.com, "VerifyURL"
    const TOKEN: &str = "QDG6eK";
    const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    const ECHO: &str =
        "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";

    #[test]
    fn wecom_known_answer() {
        assert_eq!(
            signature(&[TOKEN, "1409659589", "263014780", ECHO]),
            "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
        );
        let (message, receiver) = decrypt(KEY, ECHO).unwrap();
        assert_eq!(
            (message.as_slice(), receiver.as_str()),
            (b"1616140317555161061".as_slice(), "wx5823bf96d3bd56c7")
        );
    }

    #[test]
    fn a_key_of_our_own_is_one() {
        let key = encoding_aes_key(&[0xff; 32]);
        assert_eq!((key.len(), super::key(&key).map(|key| key.len())), (43, Some(32)));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_else() {
        for length in [0, 1, 11, 12, 13, 100] {
            let message = "x".repeat(length);
            let sealed = encrypt(KEY, &[1; 16], message.as_bytes(), "corp").unwrap();
            assert_eq!(decrypt(KEY, &sealed).unwrap(), (message.into_bytes(), "corp".to_owned()));
        }
        for junk in ["", "AAAA", "%", &sign::base64(&[0; 64])] {
            assert_eq!(decrypt(KEY, junk), None, "{junk}");
        }
        assert_eq!(decrypt(&KEY[1..], ECHO), None);
    }
}
