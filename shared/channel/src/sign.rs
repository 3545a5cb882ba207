//! Hashes, MACs and signatures as platforms use them. All comparisons of secrets take constant time.

use aws_lc_rs::{constant_time, digest, hmac, signature};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};

pub fn sha256(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, data).as_ref().to_vec()
}

/// Lower case.
pub fn sha256_hex(data: &[u8]) -> String {
    HEXLOWER.encode(&sha256(data))
}

/// For platforms that still sign with it; not for anything of ours.
pub fn sha1(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref().to_vec()
}

/// HMAC-SHA1, for platforms that still sign with it.
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key, parts)
}

/// HMAC-SHA256 over the parts, one after another.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac(hmac::HMAC_SHA256, key, parts)
}

fn hmac(algorithm: hmac::Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().to_vec()
}

/// Equality in constant time; lengths may show.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Whether `signature` (64 bytes) over `message` was made with the key whose public half (32 bytes) is given.
pub fn ed25519_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public_key).verify(message, signature).is_ok()
}

/// Signs with a 32-byte seed; `None` where the seed has another length.
pub fn ed25519_sign(seed: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let pair = signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    Some(pair.sign(message).as_ref().to_vec())
}

/// The public half (32 bytes) of a 32-byte seed.
pub fn ed25519_public(seed: &[u8]) -> Option<Vec<u8>> {
    use signature::KeyPair as _;
    let pair = signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Random bytes of the operating system's quality.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It fails only where the operating system has no randomness at all; then nothing here could be trusted.
    #[expect(clippy::expect_used)]
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Either case; `None` where it is not hexadecimal.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// Lower case.
pub fn hex(data: &[u8]) -> String {
    HEXLOWER.encode(data)
}

/// Standard or URL alphabet, with or without padding.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(bytes).ok())
}

/// Standard alphabet, padded.
pub fn base64(data: &[u8]) -> String {
    BASE64.encode(data)
}

/// URL alphabet, no padding.
pub fn base64url(data: &[u8]) -> String {
    BASE64URL_NOPAD.encode(data)
}

/// The `webhook-signature` header of a message: the signature of every key in `secrets`, which are separated by spaces.
/// `whsec_` and base64 is an HMAC key (also without the prefix), `whsk_` and base64 the seed of an Ed25519 key, with or
/// without its public half. `None` where a key is not of that form, or there is none.
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub fn sign_webhook(secrets: &str, id: &str, unix_s: i64, body: &[u8]) -> Option<String> {
    let head = format!("{id}.{unix_s}.");
    let sign = |secret: &str| match secret.strip_prefix("whsk_") {
        Some(key) => {
            let key = from_base64(key).filter(|key| matches!(key.len(), 32 | 64))?;
            let signature = ed25519_sign(key.get(..32)?, &[head.as_bytes(), body].concat())?;
            Some(format!("v1a,{}", base64(&signature)))
        }
        None => {
            let key = webhook_key(secret)?;
            Some(format!("v1,{}", base64(&hmac_sha256(&key, &[head.as_bytes(), body]))))
        }
    };
    let signatures = secrets.split_whitespace().map(sign).collect::<Option<Vec<_>>>()?;
    (!signatures.is_empty()).then(|| signatures.join(" "))
}

/// The bytes of a Standard Webhooks HMAC key; `None` where it is not base64 or shorter than the 24 bytes that the
/// specification asks for.
pub fn webhook_key(secret: &str) -> Option<Vec<u8>> {
    from_base64(secret.strip_prefix("whsec_").unwrap_or(secret)).filter(|key| key.len() >= 24)
}

/// Whether a platform's clock (Unix seconds, as text) is within `tolerance_s` of `now_ms`, before or after.
pub fn is_fresh(unix_seconds: &str, now_ms: i64, tolerance_s: i64) -> bool {
    let Ok(then) = unix_seconds.parse::<i64>() else { return false };
    (now_ms.div_euclid(1000)).saturating_sub(then).saturating_abs() <= tolerance_s
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8032, 7.1, test 2
    #[test]
    fn ed25519_known_answer() {
        let seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let public = from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        let mut signature = ed25519_sign(&seed, &[0x72]).unwrap();
        assert_eq!(ed25519_public(&seed).unwrap(), public);
        assert!(ed25519_verify(&public, &[0x72], &signature));
        signature[0] ^= 1;
        assert!(!ed25519_verify(&public, &[0x72], &signature));
        assert!(!ed25519_verify(&public[1..], &[0x72], &signature));
    }

    // RFC 2202, test case 2; FIPS 180, "abc"
    #[test]
    fn sha1_known_answers() {
        let mac = hmac_sha1(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&mac), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    // RFC 4231, test case 2
    #[test]
    fn hmac_known_answer() {
        let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    // The first pair is from the specification's own library, libraries/javascript/src/webhook.test.ts.
    #[test]
    fn standard_webhooks_known_answers() {
        let (hmac, body) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", br#"{"test": 2432232314}"#);
        let v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let seed = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let sign = |secrets: &str| sign_webhook(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body);
        assert_eq!(sign(hmac).as_deref(), Some(v1));
        assert_eq!(sign(&hmac[6..]).as_deref(), Some(v1));
        assert_eq!(sign(&format!("{hmac} {hmac}")), Some(format!("{v1} {v1}")));
        let v1a = sign(seed).unwrap();
        let public = ed25519_public(&from_base64(&seed[5..]).unwrap()).unwrap();
        let signed = [b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.".as_slice(), body].concat();
        assert!(ed25519_verify(&public, &signed, &from_base64(v1a.strip_prefix("v1a,").unwrap()).unwrap()));
        for bad in ["", " ", "whsec_", "whsec_!", "whsk_AAEC", &format!("{hmac} whsec_")] {
            assert_eq!(sign(bad), None, "{bad}");
        }
    }

    #[test]
    fn freshness_looks_both_ways() {
        for (now, fresh) in
            [(1_000_300_000, true), (1_000_301_000, false), (999_700_000, true), (999_699_000, false)]
        {
            assert_eq!(is_fresh("1000000", now, 300), fresh, "{now}");
        }
        assert!(!is_fresh("soon", 0, 300));
        assert!(!is_fresh("-9223372036854775808", i64::MAX, 300));
    }
}
