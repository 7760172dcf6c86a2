//! Values that other programs write in another shape.

use super::{
    foreign::NO_HOME,
    node::{self, Node},
    page::At,
    work::{Key, Work},
};
use crate::Value;

/// A whole number: `30.0` and `"30"` are 30, what else is given stays.
pub(super) fn whole(work: &mut Work, at: At, name: &str, key: Key<'_>) {
    match number(key.node) {
        Some(number) if key.node.plain() != Some(&Value::Int(number)) => {
            work.put(at, name, &number.into(), key);
        }
        _ => work.keep(at, name, key),
    }
}

/// `true` or `false`: `yes` and `on` of older YAML, 0 and 1 too.
pub(super) fn switch(work: &mut Work, at: At, name: &str, key: Key<'_>) {
    let lower = key.node.text().map(str::to_lowercase);
    let switch = match (lower.as_deref(), key.node.plain()) {
        (Some("yes" | "on" | "true" | "y"), _) | (_, Some(Value::Int(1))) => true,
        (Some("no" | "off" | "false" | "n"), _) | (_, Some(Value::Int(0))) => false,
        _ => return work.keep(at, name, key),
    };
    work.put(at, name, &switch.into(), key);
    let to = format!("{}.{name}", work.page.path(at));
    work.changed(key, &to, format!("{} is taken for {switch}", key.found()), "");
}

/// A whole number in any spelling.
pub(super) fn number(node: &Node) -> Option<i64> {
    match node.plain()? {
        Value::Int(number) => Some(*number),
        // Up to 2^53, where neighbours are still told apart.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(*number as i64)
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `{ width = 1280, height = 720 }` as `"1280x720"`.
pub(super) fn resolution(work: &mut Work, at: At, key: Key<'_>) {
    match (key.node.text(), key.node.map()) {
        (Some(text), _) => {
            let plain = text.replace([' ', 'X', '×', '*'], "x").replace("xxx", "x");
            work.put(at, "resolution", &plain.into(), key);
        }
        (None, Some(_)) => pair(work, at, key, "resolution", ["width", "height"], |sides| {
            let [Some(width), Some(height)] = sides else { return None };
            Some(format!("{}x{}", side(width), side(height)).into())
        }),
        (None, None) => work.keep(at, "resolution", key),
    }
}

fn side(node: &Node) -> String {
    number(node).map_or_else(|| node.shown(), |number| number.to_string())
}

/// `{ numerator = 30000, denominator = 1001 }` as `"30000/1001"`, whole ones as a number.
pub(super) fn framerate(work: &mut Work, at: At, key: Key<'_>) {
    let to = format!("{}.framerate", work.page.path(at));
    match key.node.plain() {
        None if key.node.map().is_some() => {
            pair(work, at, key, "framerate", ["numerator", "denominator"], |parts| {
                let [Some(above), below] = parts else { return None };
                let below = below.map_or_else(|| "1".to_owned(), side);
                Some(fraction(&side(above), &below))
            });
        }
        Some(Value::Float(rate)) => {
            let rate = *rate;
            let Some(value) = of_float(rate) else { return work.keep(at, "framerate", key) };
            work.put(at, "framerate", &value, key);
            if rate.fract() != 0.0 {
                let why = format!("{rate} frames a second is written {value}");
                work.changed(key, &to, why, "");
            }
        }
        Some(Value::String(text)) => {
            let value = match text.split_once('/') {
                Some((above, below)) => fraction(above.trim(), below.trim()),
                None => number(key.node).map_or_else(|| text.as_str().into(), Value::Int),
            };
            work.put(at, "framerate", &value, key);
        }
        _ => work.keep(at, "framerate", key),
    }
}

/// A fraction; a whole number where it comes out as one.
fn fraction(above: &str, below: &str) -> Value {
    match (above.parse::<i64>(), below.parse::<i64>()) {
        (Ok(above), Ok(below)) if below > 0 && above % below == 0 => Value::Int(above / below),
        _ => Value::String(format!("{above}/{below}")),
    }
}

/// The fraction that a number of frames a second stands for: the rates of television, else to
/// three decimals.
fn of_float(rate: f64) -> Option<Value> {
    if !(0.001..=1e6).contains(&rate) {
        return None;
    }
    if rate.fract() == 0.0 {
        return Some(Value::Int(rate as i64));
    }
    let whole = rate.ceil();
    if (whole * 1000.0 / 1001.0 - rate).abs() < 0.006 {
        return Some(Value::String(format!("{}/1001", whole as i64 * 1000)));
    }
    Some(Value::String(format!("{}/1000", (rate * 1000.0).round() as i64)))
}

/// Two keys of a table that become one value; other keys in it have no place.
fn pair(
    work: &mut Work,
    at: At,
    key: Key<'_>,
    name: &str,
    names: [&str; 2],
    join: impl Fn([Option<&Node>; 2]) -> Option<Value>,
) {
    let parts = names.map(|name| key.node.get(name));
    let whole = parts.iter().flatten().all(|node| node.plain().is_some());
    let value = if whole { join(parts) } else { None };
    let Some(value) = value else {
        let why = format!("{name} is made of two numbers, {} and {}", names[0], names[1]);
        return work.lose(at, key, why, "write the value that is meant");
    };
    let to = format!("{}.{name}", work.page.path(at));
    if !work.put_parts(at, name, &value, key) {
        return;
    }
    for (inner, node) in key.node.map().unwrap_or_default() {
        let from = node::below(key.from, inner);
        let part = Key { from: &from, name: inner, node };
        if names.contains(&inner.as_str()) {
            work.carried(part, to.clone());
        } else {
            let inner = format!("{name}.{inner}");
            let part = Key { name: &inner, ..part };
            work.lose_part(at, part, format!("{name} has no such part"), NO_HOME);
        }
    }
    if parts[1].is_none() {
        let why = format!("{} is missing and taken for 1", names[1]);
        work.changed(key, &to, why, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_television_are_fractions() {
        for (rate, expected) in [
            (29.97, "\"30000/1001\""),
            (59.94, "\"60000/1001\""),
            (23.976, "\"24000/1001\""),
            (30.0, "30"),
            (12.5, "\"12500/1000\""),
        ] {
            assert_eq!(of_float(rate).unwrap().to_string(), expected);
        }
        assert_eq!(of_float(f64::NAN), None);
        assert_eq!(of_float(-1.0), None);
        assert_eq!(of_float(1e300), None);
    }

    #[test]
    fn fractions_come_out_whole_where_they_are() {
        assert_eq!(fraction("60", "2").to_string(), "30");
        assert_eq!(fraction("30000", "1001").to_string(), "\"30000/1001\"");
        assert_eq!(fraction("30", "0").to_string(), "\"30/0\"");
        assert_eq!(
            fraction("-9223372036854775808", "-1").to_string(),
            "\"-9223372036854775808/-1\""
        );
    }
}
