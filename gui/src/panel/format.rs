//! Numbers, times and values as a person reads them.

use jiff::{Timestamp, tz::TimeZone};
use setpoint_bench::Value;
use setpoint_instruments::ParamValue;

/// A number with as many digits after the point as the driver shows, or as few as it takes.
pub fn number(value: f64, decimals: Option<usize>) -> String {
    let text = match decimals {
        Some(decimals) => format!("{value:.decimals$}"),
        None => format!("{value}"),
    };
    match text.strip_prefix('-') {
        // What rounds to nothing has no sign.
        Some(rest) if rest.chars().all(|sign| matches!(sign, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A parameter's value; words stand without quotes.
pub fn param(value: &ParamValue, decimals: Option<usize>) -> String {
    match value {
        ParamValue::Float(value) => number(*value, decimals),
        ParamValue::Int(value) => number_int(*value),
        ParamValue::Bool(true) => "on".to_owned(),
        ParamValue::Bool(false) => "off".to_owned(),
        ParamValue::Text(text) => text.clone(),
    }
}

/// A value of a bench file, as the parameter it is for would show it.
pub fn value(value: &Value, decimals: Option<usize>) -> String {
    match value {
        Value::Float(value) => number(*value, decimals),
        Value::Int(value) => match decimals {
            #[allow(clippy::cast_precision_loss, reason = "bench values are small")]
            Some(decimals) => number(*value as f64, Some(decimals)),
            None => number_int(*value),
        },
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number_int(value: i64) -> String {
    if value < 0 { format!("−{}", value.unsigned_abs()) } else { value.to_string() }
}

/// A time span in the unit that suits it: `12 s`, `3 min`, `2 h`, `4 d`.
pub fn span_s(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let (value, unit) = match seconds {
        s if s < 90.0 => (s, "s"),
        s if s < 5400.0 => (s / 60.0, "min"),
        s if s < 129_600.0 => (s / 3600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    format!("{value:.0} {unit}")
}

/// Milliseconds: `0.4 ms`, `6.1 ms`, `131 ms`, `1.2 s`.
pub fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// Seconds from one moment to another; negative if `to` is earlier.
pub fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    from.duration_until(to).as_secs_f64()
}

/// Time of day: `10:42:07`.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Time of day with milliseconds: `10:42:07.402`.
pub fn clock_ms(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S.%3f").to_string()
}

/// A moment of the past: `today 10:42`, `yesterday 18:20`, `Wed 09:00`, `3 Oct 09:00`,
/// `3 Oct 2025`.
pub fn day_and_time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = (now.date() - at.date()).get_days();
    let pattern = match days {
        0 => "today %H:%M",
        1 => "yesterday %H:%M",
        2..=6 => "%a %H:%M",
        _ if at.year() == now.year() => "%-d %b %H:%M",
        _ => "%-d %b %Y",
    };
    at.strftime(pattern).to_string()
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A text as a sentence: with a capital letter and a full stop. What begins with a path or
/// another name keeps its first letter.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    let mut signs = text.chars();
    let is_word = !first.is_empty() && first.chars().all(char::is_alphabetic);
    let text = match signs.next() {
        Some(letter) if is_word => format!("{}{}", letter.to_uppercase(), signs.as_str()),
        _ => text.to_owned(),
    };
    if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}

/// A range: `0 – 30 V`.
pub fn range(least: f64, greatest: f64, unit: Option<&str>) -> String {
    let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
    format!("{} – {}{unit}", number(least, None), number(greatest, None))
}

/// A number as a person types it: a comma is a point, and the minus of typesetting is a minus.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim().replace('−', "-").replace(',', ".");
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_of_their_driver() {
        assert_eq!(number(3.3, Some(3)), "3.300");
        assert_eq!(number(-0.0004, Some(3)), "0.000");
        assert_eq!(number(-1.5, Some(1)), "−1.5");
        assert_eq!(number(30.0, None), "30");
        assert_eq!(range(0.0, 3.2, Some("A")), "0 – 3.2 A");
    }

    #[test]
    fn typed_numbers_may_have_a_comma_or_a_typeset_minus() {
        assert_eq!(parse_number(" 3,45 "), Some(3.45));
        assert_eq!(parse_number("−2"), Some(-2.0));
        assert_eq!(parse_number("1e3"), Some(1000.0));
        assert_eq!(parse_number("inf"), None);
        assert_eq!(parse_number("3.4 V"), None);
    }

    #[test]
    fn reasons_are_sentences_and_names_stay_as_they_are() {
        assert_eq!(sentence("cannot write /a/b: it is full"), "Cannot write /a/b: it is full.");
        assert_eq!(sentence("psu.ch1 failed."), "psu.ch1 failed.");
        assert_eq!(sentence("/a/b cannot be written"), "/a/b cannot be written.");
    }

    #[test]
    fn times_are_as_short_as_they_can_be() {
        assert_eq!(span_s(12.4), "12 s");
        assert_eq!(span_s(200.0), "3 min");
        assert_eq!(span_s(7200.0), "2 h");
        assert_eq!(millis(6.13), "6.1 ms");
        assert_eq!(millis(131.2), "131 ms");
        assert_eq!(millis(7_890.0), "7.9 s");
        let now: Timestamp = "2026-11-21T10:42:07Z".parse().unwrap();
        let at = |text: &str| day_and_time(text.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(at("2026-11-21T10:31:00Z"), "today 10:31");
        assert_eq!(at("2026-11-20T18:20:00Z"), "yesterday 18:20");
        assert_eq!(at("2026-11-18T09:00:00Z"), "Wed 09:00");
        assert_eq!(at("2026-10-03T09:00:00Z"), "3 Oct 09:00");
        assert_eq!(clock_ms(now, &TimeZone::UTC), "10:42:07.000");
    }
}
