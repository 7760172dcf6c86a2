//! Plain data as a bench file holds it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::KeyPath;
pub use crate::table::Table;

/// One value of a bench file. Serialises as the plain JSON value.
///
/// A TOML date or time is held as its text: no key of a bench file takes one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true`, `false`
    Bool(bool),
    /// `30`
    Int(i64),
    /// `3.3`; also `nan` and `inf`
    Float(f64),
    /// `"on"`
    String(String),
    /// `[0.0, 3.6]`
    Array(Vec<Value>),
    /// `{ … }`, `[table]` and the tables that dotted keys imply
    Table(Table),
}

impl Value {
    /// What a person calls this type: `number`, `text`, `list`, …
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Int(_) => "whole number",
            Self::Float(_) => "number",
            Self::String(_) => "text",
            Self::Array(_) => "list",
            Self::Table(_) => "table",
        }
    }

    /// The number in it, of either number type.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[allow(
                clippy::cast_precision_loss,
                reason = "values of a bench are far below 2^53, where this starts to round"
            )]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The text in it.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What stands at a path below this value.
    pub fn get(&self, path: &KeyPath) -> Option<&Value> {
        path.names().iter().try_fold(self, |value, name| value.as_table()?.get(name))
    }

    /// Whether both mean the same to a device: `3` and `3.0` do.
    pub fn means(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::Array(mine), Self::Array(theirs)) => {
                mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| a.means(b))
            }
            (Self::Table(mine), Self::Table(theirs)) => {
                mine.len() == theirs.len()
                    && mine.iter().all(|(key, a)| theirs.get(key).is_some_and(|b| a.means(b)))
            }
            // Both exact: as floats, neighbours above 2^53 are the same.
            (Self::Int(mine), Self::Int(theirs)) => mine == theirs,
            _ => match (self.as_f64(), other.as_f64()) {
                (Some(mine), Some(theirs)) => mine.to_bits() == theirs.to_bits() || mine == theirs,
                _ => self == other,
            },
        }
    }

    /// The table in it.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// As a bench file writes it, on one line: `3.3`, `"on"`, `[0.0, 3.6]`, `{ a = 1 }`.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) if value.is_nan() => out.write_str("nan"),
            // `{:?}` keeps the point: 3.0, not 3.
            Self::Float(value) => write!(out, "{value:?}"),
            Self::String(value) => out.write_str(&quoted(value)),
            Self::Array(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(out, "{comma}{item}")?;
                }
                out.write_str("]")
            }
            Self::Table(table) => {
                out.write_str("{")?;
                for (index, (key, item)) in table.iter().enumerate() {
                    let comma = if index == 0 { " " } else { ", " };
                    write!(out, "{comma}{} = {item}", toml_edit::Key::new(key))?;
                }
                out.write_str(" }")
            }
        }
    }
}

/// A text as a file writes it, on one line.
fn quoted(text: &str) -> String {
    let escapes = text.contains(['"', '\\']);
    escapes.then(|| literal(text)).flatten().unwrap_or_else(|| basic(text))
}

/// `'…'`, in which nothing is escaped; `None` if it cannot hold the text.
pub(crate) fn literal(text: &str) -> Option<String> {
    let fits = !text.contains(|c: char| c == '\'' || (c.is_control() && c != '\t'));
    fits.then(|| format!("'{text}'"))
}

/// `"…"`
pub(crate) fn basic(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_on_one_line_and_read_back() {
        for (value, expected) in [
            (Value::Float(3.0), "3.0"),
            (Value::Float(1e300), "1e300"),
            (Value::Float(f64::NAN), "nan"),
            (Value::Float(f64::NEG_INFINITY), "-inf"),
            ("on".into(), "\"on\""),
            ("C:\\x".into(), "'C:\\x'"),
            ("it's \"x\"".into(), "\"it's \\\"x\\\"\""),
            ("a\nb\u{1}".into(), "\"a\\nb\\u0001\""),
            (Value::Array(vec![1.into(), 2.5.into()]), "[1, 2.5]"),
        ] {
            assert_eq!(value.to_string(), expected);
            let read = crate::Document::parse(&format!("a = {value}")).unwrap().into_values();
            assert!(read.as_table().unwrap()["a"].means(&value), "{expected}");
        }
    }

    #[test]
    fn numbers_of_both_types_can_mean_the_same() {
        assert!(Value::Int(3).means(&Value::Float(3.0)));
        assert!(!Value::Int(i64::MAX).means(&Value::Int(i64::MAX - 1)));
        assert!(!Value::Int(1).means(&Value::Bool(true)));
    }
}
