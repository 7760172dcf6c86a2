//! A parameter's value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One value of a parameter, as asked for or read back. Serialises as plain JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number, in the parameter's unit.
    Float(f64),
    /// A word of an enum (the driver's key, not what goes over the wire), or text.
    Text(String),
}

impl ParamValue {
    /// The number in it, of either number type.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "instrument integers are small")]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            // `{:?}` keeps the point: 3.0, not 3.
            Self::Float(value) => write!(out, "{value:?}"),
            Self::Text(value) => out.write_str(value),
        }
    }
}
