//! Times as arguments, and as they are told.

use jiff::{Timestamp, tz::TimeZone};

use crate::times;

/// A point in time: an age, a day or time here, or a time with its zone.
///
/// # Errors
/// How a time is written.
pub fn time(text: &str) -> Result<Timestamp, String> {
    times::read(text, Timestamp::now(), &TimeZone::system()).ok_or_else(|| {
        "a time is 2026-11-21, 2026-11-21T10:42, 2026-11-21T10:42Z or an age such as 2h".to_owned()
    })
}

/// `2026-11-21 10:42:07`, in the zone of whoever reads it.
pub fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
