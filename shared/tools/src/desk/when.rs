//! Times as models write them.

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use turn::reminders::Repeat;

/// Reminders are for people: what is further away is a matter for a calendar. One that repeats goes on for as long.
const FURTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A time in the future, Unix milliseconds. Without an offset it is one of `zone`.
pub(super) fn time(when: &str, zone: &TimeZone, now: i64) -> Result<i64, String> {
    let at = moment(when, zone)?;
    let now = Timestamp::from_millisecond(now).map_err(|error| error.to_string())?;
    let ahead = at.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        let now = now.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M%:z");
        return Err(format!("{when} is in the past: it is {now} now"));
    }
    if ahead > FURTHEST {
        return Err(format!("{when} is more than a year ahead, which is further than reminders go"));
    }
    Ok(at.as_millisecond())
}

/// How often something comes again that comes first at `first`, and when that ends; both Unix milliseconds. An end that is further
/// away than a year is a year away.
pub(super) fn repeat(
    repeat: Option<&str>,
    until: Option<&str>,
    first: i64,
    zone: &TimeZone,
) -> Result<Option<(Repeat, i64)>, String> {
    let some = |text: &&str| !matches!(text.trim(), "" | "none" | "never" | "once");
    let Some(repeat) = repeat.filter(some) else { return Ok(None) };
    let Some(found) = Repeat::ALL.into_iter().find(|known| known.name() == repeat.trim()) else {
        let known = Repeat::ALL.map(Repeat::name).join(", ");
        return Err(format!("{repeat:?} is no way to repeat: there is {known}"));
    };
    let furthest = first.saturating_add(i64::try_from(FURTHEST.as_millis()).unwrap_or(i64::MAX));
    let until = match until.map(str::trim).filter(|until| !until.is_empty()) {
        None => furthest,
        Some(until) => end(until, zone)?.as_millisecond(),
    };
    if until <= first {
        return Err(
            "it ends before it comes a second time: leave out `repeat`, or let it end later".to_owned()
        );
    }
    Ok(Some((found, until.min(furthest))))
}

/// A time, or the end of a day.
fn end(until: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    match until.parse::<civil::Date>() {
        Ok(date) if until.len() == "2026-03-01".len() => {
            zone.to_timestamp(date.at(23, 59, 59, 0)).map_err(|_| unclear(until))
        }
        _ => moment(until, zone),
    }
}

fn moment(when: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let when = when.trim();
    let parsed = when
        .parse::<Timestamp>()
        .or_else(|_| when.parse::<civil::DateTime>().and_then(|local| zone.to_timestamp(local)));
    parsed.map_err(|_| unclear(when))
}

fn unclear(when: &str) -> String {
    format!("{when:?} is no time: write it as 2026-03-01T09:00")
}
