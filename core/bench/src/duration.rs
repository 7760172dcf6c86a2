//! Durations as files write them: `"250ms"`, `"2h"`.

use std::time::Duration;

/// Units and their length in nanoseconds. Longer names first where one begins with another.
const UNITS: [(&str, f64); 6] =
    [("ms", 1e6), ("us", 1e3), ("min", 60e9), ("s", 1e9), ("h", 3_600e9), ("d", 86_400e9)];

/// A number and a unit: `us`, `ms`, `s`, `min`, `h` or `d`. `None` if it is not that, negative, or
/// longer than a hundred years.
pub fn parse(text: &str) -> Option<Duration> {
    let (number, length) = UNITS
        .iter()
        .find_map(|(unit, length)| Some((text.trim().strip_suffix(unit)?.trim_end(), length)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    // Most are small whole numbers, which are read in a fraction of the time.
    let number = match number.parse::<u32>() {
        Ok(number) => f64::from(number),
        Err(_) => number.parse::<f64>().ok()?,
    };
    let seconds = number * length / 1e9;
    (seconds <= 100.0 * 366.0 * 86_400.0).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("250ms", Duration::from_millis(250)),
            ("1.5s", Duration::from_millis(1_500)),
            ("5min", Duration::from_secs(300)),
            ("2h", Duration::from_secs(7_200)),
            ("1 d", Duration::from_secs(86_400)),
            ("20us", Duration::from_micros(20)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in
            ["", "5", "ms", "-1s", "1e9s", "nans", "infs", "5 minutes", "1..2s", "9999999999d"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
