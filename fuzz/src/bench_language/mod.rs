//! Properties of the bench language. Every function panics where one does not hold.

#![allow(dead_code, unused_imports, reason = "each that includes this uses some of it")]

pub mod commands;
mod document;
mod edit;
#[path = "../../../core/bench/tests/common/mod.rs"]
mod facts;
mod layers;
mod merge;
pub mod oracle;

pub use document::document;
pub use edit::edit;
pub use facts::Types;
pub use layers::layers;
pub use merge::merge;
use setpoint_bench::{KeyPath, Value, document::Place};

/// The line between the parts of an input that has several.
const PART: &str = "=====";

/// The parts of an input, each with what follows [`PART`] on the line before it.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let (mut name, mut start, mut at) = ("", 0, 0);
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix(PART) {
            parts.push((name, &text[start..at]));
            name = rest.trim();
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push((name, &text[start..]));
    parts
}

/// A number that depends on every byte, for choices that are the same each time.
fn number_of(data: &[u8]) -> usize {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325, mix);
    usize::try_from(hash >> 33).unwrap_or(0)
}

/// Every key that holds no table, with its value and place.
fn leaves<'d>(value: &'d Value, place: &'d Place) -> Vec<(KeyPath, &'d Value, &'d Place)> {
    fn walk<'d>(
        path: &KeyPath,
        value: &'d Value,
        place: &'d Place,
        all: &mut Vec<(KeyPath, &'d Value, &'d Place)>,
    ) {
        let Value::Table(table) = value else {
            all.push((path.clone(), value, place));
            return;
        };
        for ((name, value), place) in table.iter().zip(&place.parts) {
            walk(&path.child(name), value, place, all);
        }
    }
    let mut all = Vec::new();
    walk(&KeyPath::default(), value, place, &mut all);
    all
}

/// Whether both are the same to the last bit, keys in the same order. All `nan` are one.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Table(one), Value::Table(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
        }
        (one, other) => one == other,
    }
}

/// Without tables that hold nothing, keys sorted: what is left tells no forms apart.
fn plain(value: &Value) -> Value {
    let Value::Table(table) = value else { return value.clone() };
    let mut entries: Vec<(&str, Value)> =
        table.iter().map(|(name, value)| (name, plain(value))).collect();
    entries.retain(|(_, value)| value.as_table().is_none_or(|table| !table.is_empty()));
    entries.sort_by(|one, other| one.0.cmp(other.0));
    Value::Table(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
