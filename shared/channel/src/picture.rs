//! What models take of pictures. Rooms whose platform keeps smaller ones beside the original ask for those where the original
//! would be refused.

/// Largest picture that all providers take, bytes and pixels a side:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>.
pub const MAX_PICTURE: u64 = 3_750_000;
pub const MAX_SIDE: u64 = 8_000;

/// Whether a picture that the platform says this of (bytes, pixels) is too large for a model.
pub fn is_too_large(bytes: Option<u64>, width: Option<u64>, height: Option<u64>) -> bool {
    let over = |value: Option<u64>, most: u64| value.is_some_and(|value| value > most);
    over(bytes, MAX_PICTURE) || over(width, MAX_SIDE) || over(height, MAX_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_both_sides_count() {
        let check = |bytes, width, height, expected| {
            assert_eq!(is_too_large(bytes, width, height), expected, "{bytes:?} {width:?} {height:?}");
        };
        check(Some(MAX_PICTURE), Some(MAX_SIDE), Some(MAX_SIDE), false);
        check(Some(MAX_PICTURE + 1), None, None, true);
        check(None, Some(MAX_SIDE + 1), Some(1), true);
        check(None, Some(1), Some(MAX_SIDE + 1), true);
        check(None, None, None, false);
    }
}
