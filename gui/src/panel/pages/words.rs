//! Values, times and effects in the words that pages share.

use jiff::{Timestamp, tz::TimeZone};
use setpoint_bench::{Effect, KeyPath, Value};
use setpoint_runtime::{Origin, Revision, Status};

use crate::panel::widgets::Tone;

/// What a change does to what is running.
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "Nothing runs differently",
        Effect::Live => "Live",
        Effect::Renegotiate => "Renegotiates, stays connected",
        Effect::Restart => "Restarts this one",
        Effect::Connect => "Connects",
        Effect::Disconnect => "Disconnects",
    }
}

/// An effect by the word that files and answers have for it; what is not known has none.
pub fn effect_named(word: &str) -> Effect {
    match word {
        "live" => Effect::Live,
        "renegotiate" => Effect::Renegotiate,
        "restart" => Effect::Restart,
        "connect" => Effect::Connect,
        "disconnect" => Effect::Disconnect,
        _ => Effect::None,
    }
}

/// The tone an effect is shown in.
pub fn effect_tone(effect: Effect) -> Tone {
    match effect {
        Effect::None => Tone::Neutral,
        Effect::Live | Effect::Connect => Tone::Good,
        Effect::Renegotiate => Tone::Info,
        Effect::Restart | Effect::Disconnect => Tone::Amber,
    }
}

/// A value as the bench file writes it, numbers of a parameter with its driver's digits; a whole
/// instrument or source by its type.
pub fn value(status: &Status, path: &KeyPath, value: &Value) -> String {
    match value {
        Value::Table(table) => match table.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            _ if table.len() == 1 => "1 key".to_owned(),
            _ => format!("{} keys", table.len()),
        },
        Value::Int(_) | Value::Float(_) => {
            match (decimals(status, path), value.as_f64()) {
                (Some(decimals), Some(number)) => {
                    let short = format!("{number:.decimals$}");
                    // Never show a number as another one than it is.
                    if short.parse() == Ok(number) { short } else { value.to_string() }
                }
                _ => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}

fn decimals(status: &Status, path: &KeyPath) -> Option<usize> {
    let (instrument, parameter) = path.as_setpoint()?;
    status.instruments.get(instrument)?.parameters.get(&parameter)?.decimals
}

/// The unit of a setpoint, with a space before it; empty where there is none.
pub fn unit(status: &Status, path: &KeyPath) -> String {
    path.as_setpoint()
        .and_then(|(instrument, parameter)| {
            let parameter = status.instruments.get(instrument)?.parameters.get(&parameter)?;
            Some(format!(" {}", parameter.unit.as_ref()?))
        })
        .unwrap_or_default()
}

/// A key without what goes without saying: `psu.ch1.voltage`, `pattern.framerate`.
pub fn short_key(path: &KeyPath) -> String {
    if let Some((instrument, parameter)) = path.as_setpoint() {
        return format!("{instrument}.{parameter}");
    }
    match path.names() {
        [top, rest @ ..] if !rest.is_empty() && (top == "instruments" || top == "sources") => {
            KeyPath::new(rest.iter().cloned()).to_string()
        }
        _ => path.to_string(),
    }
}

/// `10:44`
pub fn hour(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// Who made a revision, through which door.
pub fn author(revision: &Revision) -> String {
    let author = &revision.author;
    match revision.origin {
        Origin::File => "edited in the file".to_owned(),
        Origin::Api => format!("{author}, through the API"),
        Origin::Panel | Origin::Rollback => author.clone(),
        Origin::Bench => "Setpoint".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lose_what_goes_without_saying() {
        for (path, short) in [
            ("instruments.psu.set.ch1.voltage", "psu.ch1.voltage"),
            ("sources.ball.pattern", "ball.pattern"),
            ("runtime.quiet", "runtime.quiet"),
            ("instruments.psu", "psu"),
        ] {
            assert_eq!(short_key(&path.parse().unwrap()), short);
        }
    }
}
