//! Points at which a test may kill or freeze this process, in the local build only.
//!
//! `CRABHOOK_DIE_AT` and `CRABHOOK_FREEZE_AT` hold points separated by commas: `<effect>:before` or `<effect>:after`, the
//! effect in lower case (`commit:after`). `=word` means only where a message that is being worked on holds the word; then
//! `@n` only while its queue message has been given out at most `n` times, or `!` only once for the same text, whoever comes
//! there again.

/// Dies or freezes here if the environment says so. `receives` counts how often the queue has given the message out.
#[cfg(feature = "local")]
pub fn pass(effect: &str, when: &str, receives: u32, text: &str) {
    let point = format!("{effect}:{when}");
    let is_hit = |name| {
        let points = std::env::var(name).unwrap_or_default();
        points.split(',').any(|wanted| is_hit(wanted, &point, receives, text))
    };
    if is_hit("CRABHOOK_DIE_AT") {
        std::process::abort();
    }
    if is_hit("CRABHOOK_FREEZE_AT") {
        // Ends when somebody lets the process go on.
        let _ = std::process::Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
    }
}

#[cfg(not(feature = "local"))]
pub fn pass(_: &str, _: &str, _: u32, _: &str) {}

#[cfg(feature = "local")]
fn is_hit(wanted: &str, point: &str, receives: u32, text: &str) -> bool {
    let (wanted, once) = wanted.strip_suffix('!').map_or((wanted, false), |wanted| (wanted, true));
    let (wanted, most) = match wanted.rsplit_once('@') {
        Some((wanted, most)) => (wanted, most.parse().unwrap_or(u32::MAX)),
        None => (wanted, u32::MAX),
    };
    let (wanted, word) = wanted.split_once('=').unwrap_or((wanted, ""));
    wanted == point && receives <= most && text.contains(word) && (is_first(point, text) || !once)
}

/// Whether nobody came to this point with this text before. A file that names the point is left, in the run's own folder for such.
#[cfg(feature = "local")]
fn is_first(point: &str, text: &str) -> bool {
    let name = format!("failpoint-{point}-{}", channel::sign::sha256_hex(text.as_bytes()));
    std::fs::File::create_new(std::env::temp_dir().join(name)).is_ok()
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use super::is_hit;

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
            assert_eq!(is_hit(wanted, "commit:after", 2, "a poison pill"), hit, "{wanted}");
        }
    }

    #[test]
    fn once_is_once_for_each_text() {
        let text = format!("a pill {:?} {}", std::time::SystemTime::now(), std::process::id());
        let hit = |wanted: &str, text: &str| is_hit(wanted, "commit:after", 1, text);
        assert!(!hit("commit:after=poison!", &text));
        assert!(hit("commit:after=pill!", &text) && !hit("commit:after=pill!", &text));
        assert!(hit("commit:after=pill!", &format!("{text}, another")));
    }
}
