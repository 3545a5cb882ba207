//! Points at which a test may kill this process, in the local build only.
//!
//! `CRABHOOK_DIE_AT` holds points separated by commas: `<effect>:before` or `<effect>:after`, the effect in lower case
//! (`commit:after`). `=word` kills only where a message that is being worked on holds the word, `@n` only while
//! its token has been given out at most `n` times.

/// Dies here if the environment says so.
#[cfg(feature = "local")]
pub fn pass(effect: &str, when: &str, receives: u32, text: &str) {
    let Ok(points) = std::env::var("CRABHOOK_DIE_AT") else { return };
    let point = format!("{effect}:{when}");
    if points.split(',').any(|wanted| is_hit(wanted, &point, receives, text)) {
        std::process::abort();
    }
}

#[cfg(not(feature = "local"))]
pub fn pass(_: &str, _: &str, _: u32, _: &str) {}

#[cfg(feature = "local")]
fn is_hit(wanted: &str, point: &str, receives: u32, text: &str) -> bool {
    let (wanted, most) = match wanted.rsplit_once('@') {
        Some((wanted, most)) => (wanted, most.parse().unwrap_or(u32::MAX)),
        None => (wanted, u32::MAX),
    };
    let (wanted, word) = wanted.split_once('=').unwrap_or((wanted, ""));
    wanted == point && receives <= most && text.contains(word)
}

#[cfg(all(test, feature = "local"))]
mod tests {
    #[test]
    fn points_words_and_receives() {
        for (wanted, hit) in [
            ("commit:after", true),
            ("commit:before", false),
            ("commit:after=poison", true),
            ("commit:after=other", false),
            ("commit:after=poison@1", false),
            ("commit:after@2", true),
        ] {
            assert_eq!(super::is_hit(wanted, "commit:after", 2, "a poison pill"), hit, "{wanted}");
        }
    }
}
