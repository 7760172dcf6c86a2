//! Durations as files write them: a number and a unit, `250ms`, `2s`, `5min`, `2h`.

use std::time::Duration;

/// Reads a duration.
///
/// # Errors
/// A sentence naming the text and the units that are known.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("“{text}” is not a duration: write a number and ms, s, min or h, such as 250ms");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "ms" => number / 1e3,
        "s" => number,
        "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// For messages: `250 ms`, `2 s`, `1.5 s`.
pub fn show(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2 h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "5", "s", "-1s", "3 days", "1e400s", "1..2s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shown() {
        assert_eq!(show(Duration::from_millis(250)), "250 ms");
        assert_eq!(show(Duration::from_secs(2)), "2 s");
    }
}
