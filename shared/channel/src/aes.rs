//! AES-256-CBC as Feishu, WeCom and WeChat use it.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

/// Bytes of a cipher block.
const BLOCK: usize = 16;

/// The plaintext, its padding taken off. `padded_to` is the size that it was padded to a multiple of: 16, or WeCom's 32.
/// `None` where key, lengths or padding are wrong.
pub fn decrypt(key: &[u8], iv: &[u8], ciphertext: &[u8], padded_to: usize) -> Option<Vec<u8>> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return None;
    }
    let key = DecryptingKey::cbc(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let iv: [u8; BLOCK] = iv.try_into().ok()?;
    let mut plain = ciphertext.to_vec();
    key.decrypt(&mut plain, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    let padding = usize::from(*plain.last()?);
    let content = plain.len().checked_sub(padding).filter(|_| (1..=padded_to).contains(&padding))?;
    let (_, tail) = plain.split_at_checked(content)?;
    if tail.iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    plain.truncate(content);
    Some(plain)
}

/// The ciphertext of a plaintext padded to a multiple of `padded_to` (16 or 32). `None` where the key is none.
pub fn encrypt(key: &[u8], iv: &[u8], plaintext: &[u8], padded_to: usize) -> Option<Vec<u8>> {
    let key = EncryptingKey::cbc(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let iv: [u8; BLOCK] = iv.try_into().ok()?;
    let padding = padded_to - plaintext.len().checked_rem(padded_to)?;
    let mut buffer = plaintext.to_vec();
    buffer.resize(plaintext.len() + padding, u8::try_from(padding).ok()?);
    key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::{from_base64, sha256};

    // open.feishu.cn, "Encrypt Key encryption configuration case"
    #[test]
    fn feishu_known_answer() {
        let data = from_base64("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
        let key = sha256(b"test key");
        assert_eq!(decrypt(&key, &data[..16], &data[16..], 16).unwrap(), b"hello world");
        assert_eq!(encrypt(&key, &data[..16], b"hello world", 16).unwrap(), &data[16..]);
        assert_eq!(decrypt(&key[1..], &data[..16], &data[16..], 16), None);
        assert_eq!(decrypt(&key, &data[..15], &data[16..], 16), None);
        assert_eq!(decrypt(&key, &data[..16], &data[17..], 16), None);
        assert_eq!(decrypt(&key, &data[..16], b"", 16), None);
        assert_eq!(decrypt(&sha256(b"other"), &data[..16], &data[16..], 16), None);
    }

    #[test]
    fn padding_may_be_longer_than_a_block() {
        let key = [7; 32];
        for length in [0, 1, 15, 16, 17, 31, 32, 33] {
            let text = vec![9; length];
            let sealed = encrypt(&key, &key[..16], &text, 32).unwrap();
            assert_eq!(sealed.len() % 32, 0);
            assert_eq!(decrypt(&key, &key[..16], &sealed, 32).unwrap(), text);
        }
    }
}
