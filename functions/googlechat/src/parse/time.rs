//! Times as Google writes them, `2026-11-21T04:00:00.123456Z`: <https://www.rfc-editor.org/rfc/rfc3339>.

/// Unix milliseconds of a time in UTC; `None` where it is none.
pub fn parse(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let number = |text: &str, digits: usize, max: i64| {
        let is_one = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| text.parse::<i64>().ok())?.filter(|number| *number <= max)
    };
    let mut date = date.splitn(3, '-');
    let year = number(date.next()?, 4, 9_999)?;
    let month = number(date.next()?, 2, 12).filter(|month| *month > 0)?;
    let day = number(date.next()?, 2, 31).filter(|day| *day > 0)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':');
    let hour = number(clock.next()?, 2, 23)?;
    let minute = number(clock.next()?, 2, 59)?;
    let second = number(clock.next()?, 2, 60)?;
    let millis =
        fraction.bytes().chain(*b"000").take(3).try_fold(0, |millis, digit| {
            digit.is_ascii_digit().then(|| millis * 10 + i64::from(digit - b'0'))
        })?;
    Some((((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis)
}

/// Days since 1970; years are counted from March, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + ((month + 9) % 12 * 153 + 2) / 5 + day - 719_469
}

/// The time as Google writes it, to the millisecond.
#[cfg(any(test, feature = "local"))]
pub fn write(unix_ms: i64) -> String {
    let (seconds, millis) = (unix_ms.div_euclid(1_000), unix_ms.rem_euclid(1_000));
    let (day, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let year = 1_970 + day * 400 / 146_097;
    let year = if days(year + 1, 1, 1) <= day { year + 1 } else { year };
    let year = if days(year, 1, 1) > day { year - 1 } else { year };
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= day).unwrap_or(1);
    let date = day - days(year, month, 1) + 1;
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("2024-03-01T00:00:00.000Z", 1_709_251_200_000),
            ("2026-12-31T12:00:00.000Z", 1_798_718_400_000),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
        ] {
            assert_eq!((parse(text), write(unix_ms).as_str()), (Some(unix_ms), text));
        }
        assert_eq!(parse("2026-11-21T04:00:00Z"), parse("2026-11-21T04:00:00.000999Z"));
        assert_eq!(parse("2026-11-21T04:00:00.5Z").unwrap() % 1_000, 500);
        for none in
            ["", "Z", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T04:00:00+01:00", "é-é-éTé:é:éZ"]
        {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
