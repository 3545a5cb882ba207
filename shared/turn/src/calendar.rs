//! Days, months and local times, from the time that the caller names.
//!
//! A zone's rule is the one in force today (`ZONES`, from the IANA time zone database, version 2025b): what is asked here is
//! about now and yesterday, so neither the rules of the past are needed nor a database of half a megabyte.

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use crate::config::Reset;

/// Rules as POSIX writes them, each with the zones that follow it.
const ZONES: &str = include_str!("calendar/zones.txt");

/// The time zone of that name: `Europe/Berlin`, `UTC`, or a distance from it, `+05:30`. `None`: there is no such zone.
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("utc") {
        return Some(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Some(TimeZone::fixed(offset));
    }
    let rule = ZONES.lines().find_map(|line| {
        let (rule, names) = line.split_once(' ')?;
        names.split(' ').any(|known| known.eq_ignore_ascii_case(name)).then_some(rule)
    });
    TimeZone::posix(rule?).ok()
}

/// The names of all zones, for suggestions.
pub fn zones() -> impl Iterator<Item = &'static str> + Clone {
    ZONES.lines().flat_map(|line| line.split(' ').skip(1)).chain(["UTC"])
}

/// `+05:30`, `-03:00`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (i32::from(two_digits(hours)?), i32::from(two_digits(minutes)?));
    let seconds = sign * (hours * 3_600 + minutes * 60);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(seconds).ok())?
}

/// A time of day, `04:00`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok()
}

fn two_digits(text: &str) -> Option<i8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// A moment in a zone, in UTC where the zone is not known. `now` is Unix milliseconds.
pub fn local(now: i64, zone_name: Option<&str>) -> Zoned {
    let moment = Timestamp::from_millisecond(now).unwrap_or_default();
    moment.to_zoned(zone_name.and_then(zone).unwrap_or(TimeZone::UTC))
}

/// `2026-11-21`, UTC: the day as counters are kept by. `now` is Unix milliseconds.
pub fn day(now: i64) -> String {
    local(now, None).date().to_string()
}

/// `2026-11`, UTC: the month as counters are kept by. `now` is Unix milliseconds.
pub fn month(now: i64) -> String {
    day(now).chars().take(7).collect()
}

/// Whether a conversation that was last answered at `last_at` starts over at `now`, both Unix milliseconds. One that was never
/// answered has nothing to start over from.
pub fn resets(last_at: i64, now: i64, reset: &Reset, zone_name: Option<&str>) -> bool {
    if last_at <= 0 || last_at >= now {
        return false;
    }
    let idle = i64::from(reset.idle_hours) * 3_600_000;
    if idle > 0 && now - last_at >= idle {
        return true;
    }
    let daily = reset.daily_at.as_deref().and_then(time_of_day);
    daily.and_then(|at| last_occurrence(now, at, zone_name)).is_some_and(|border| last_at < border)
}

/// When it was that time of day last, Unix milliseconds. A time that a change of clocks leaves out is the one right after it.
fn last_occurrence(now: i64, at: Time, zone_name: Option<&str>) -> Option<i64> {
    let local = local(now, zone_name);
    let on = |date: Date| {
        let moment = date.to_datetime(at).to_zoned(local.time_zone().clone()).ok()?;
        Some(moment.timestamp().as_millisecond())
    };
    let today = on(local.date())?;
    if today <= now { Some(today) } else { on(local.date().yesterday().ok()?) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn zones_are_known_by_name_and_by_distance() {
        for (name, moment, expected) in [
            ("Europe/Berlin", "2026-01-15T12:00:00Z", "13:00:00"),
            ("europe/berlin", "2026-07-15T12:00:00Z", "14:00:00"),
            ("America/New_York", "2026-07-15T12:00:00Z", "08:00:00"),
            ("Asia/Kolkata", "2026-07-15T12:00:00Z", "17:30:00"),
            ("Australia/Sydney", "2026-01-15T12:00:00Z", "23:00:00"),
            ("UTC", "2026-07-15T12:00:00Z", "12:00:00"),
            ("+05:30", "2026-07-15T12:00:00Z", "17:30:00"),
            ("-03:00", "2026-07-15T12:00:00Z", "09:00:00"),
        ] {
            assert!(zone(name).is_some(), "{name}");
            assert_eq!(local(at(moment), Some(name)).time().to_string(), expected, "{name} {moment}");
        }
        for name in ["", "Berlin", "+5", "+15:00", "+05:60", "CET-1CEST,M3.5.0,M10.5.0/3", "+é:0", "++1:00"]
        {
            assert!(zone(name).is_none(), "{name}");
        }
        for name in zones() {
            assert!(zone(name).is_some(), "{name}: its rule cannot be read");
        }
    }

    #[test]
    fn days_and_months_begin_at_midnight_utc() {
        assert_eq!(day(1_795_219_199_999), "2026-11-20");
        assert_eq!(day(1_795_219_200_000), "2026-11-21");
        assert_eq!(month(1_795_219_200_000), "2026-11");
        assert_eq!(day(0), "1970-01-01");
    }

    fn check(reset: &Reset, zone: Option<&str>, last: &str, now: &str, expected: bool) {
        assert_eq!(resets(at(last), at(now), reset, zone), expected, "{reset:?} {zone:?} {last} {now}");
    }

    #[test]
    fn conversations_start_over_when_they_were_idle() {
        let idle = Reset { idle_hours: 8, daily_at: None };
        check(&idle, None, "2026-11-21T08:00:00Z", "2026-11-21T15:59:59Z", false);
        check(&idle, None, "2026-11-21T08:00:00Z", "2026-11-21T16:00:00Z", true);
        check(&Reset::default(), None, "2020-01-01T00:00:00Z", "2026-11-21T16:00:00Z", false);
        assert!(!resets(0, at("2026-11-21T16:00:00Z"), &idle, None), "never answered");
    }

    #[test]
    fn conversations_start_over_at_a_time_of_day() {
        let daily = Reset { idle_hours: 0, daily_at: Some("04:00".into()) };
        check(&daily, None, "2026-11-21T03:59:00Z", "2026-11-21T04:00:00Z", true);
        check(&daily, None, "2026-11-21T04:00:00Z", "2026-11-22T03:59:59Z", false);
        check(&daily, None, "2026-11-19T12:00:00Z", "2026-11-21T03:00:00Z", true);
        // 04:00 in Berlin is 03:00 UTC in winter and 02:00 UTC in summer.
        let berlin = Some("Europe/Berlin");
        check(&daily, berlin, "2026-11-21T02:59:00Z", "2026-11-21T03:00:00Z", true);
        check(&daily, berlin, "2026-07-21T02:00:00Z", "2026-07-22T01:59:00Z", false);
        check(&daily, berlin, "2026-07-21T01:59:00Z", "2026-07-21T02:00:00Z", true);
        // Clocks skip 02:30 that night.
        let skipped = Reset { idle_hours: 0, daily_at: Some("02:30".into()) };
        check(&skipped, berlin, "2026-03-29T00:30:00Z", "2026-03-29T12:00:00Z", true);
        let wrong = Reset { idle_hours: 0, daily_at: Some("4".into()) };
        check(&wrong, None, "2026-01-01T00:00:00Z", "2026-11-21T04:00:00Z", false);
    }
}
