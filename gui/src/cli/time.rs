//! Times as people write them.

use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

/// A point in time: an age, a day or time here, or a time with its zone.
///
/// # Errors
/// How a time is written.
pub fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let here = TimeZone::system();
    if let Ok(at) = text.parse::<civil::DateTime>().and_then(|at| at.to_zoned(here)) {
        return Ok(at.timestamp());
    }
    let age = text.parse::<jiff::Span>().ok().filter(|age| age.is_positive());
    let before = age.and_then(|age| Zoned::now().checked_sub(age).ok());
    before.map(|at| at.timestamp()).ok_or_else(|| {
        "a time is 2026-11-21, 2026-11-21T10:42, 2026-11-21T10:42Z or an age such as 2h".to_owned()
    })
}

/// `2026-11-21 10:42:07`, in the zone of whoever reads it.
pub fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!(time("2026-11-21T10:42:07Z").unwrap().to_string(), "2026-11-21T10:42:07Z");
        let here = "2026-11-21T00:00".parse::<civil::DateTime>().unwrap();
        let here = here.to_zoned(TimeZone::system()).unwrap().timestamp();
        assert_eq!(time("2026-11-21").unwrap(), here);
        assert_eq!(time("2026-11-21T00:00").unwrap(), here);
        let age = Timestamp::now().duration_since(time("2h").unwrap()).as_secs_f64();
        assert!((age - 7200.0).abs() < 60.0, "{age}");
        assert!(time("yesterday").is_err() && time("-2h").is_err());
    }
}
