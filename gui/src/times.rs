//! Times as people write them.

use jiff::{Span, Timestamp, civil, tz::TimeZone};

/// A point in time: an age such as `2h`, a day or a day with a time in `zone`, or a time with a
/// zone of its own; `None` if it is none of these.
pub fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let here = |at: civil::DateTime| at.to_zoned(zone.clone()).ok();
    if let Some(at) = text.parse::<civil::DateTime>().ok().and_then(here) {
        return Some(at.timestamp());
    }
    let age = text.parse::<Span>().ok().filter(|age| age.is_positive())?;
    let before = now.to_zoned(zone.clone()).checked_sub(age).ok()?;
    Some(before.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        let now = "2026-11-21T10:42:07Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let read = |text: &str| read(text, now, &zone).map(|at| at.to_string());
        for (text, at) in [
            ("2026-11-21T10:42:07Z", "2026-11-21T10:42:07Z"),
            ("2026-11-21", "2026-11-20T23:00:00Z"),
            ("2026-11-21T00:00", "2026-11-20T23:00:00Z"),
            ("2h", "2026-11-21T08:42:07Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(at), "{text}");
        }
        assert_eq!((read("yesterday"), read("-2h")), (None, None));
    }
}
