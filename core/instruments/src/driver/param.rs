//! One parameter of an instrument type.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Question;
use crate::{
    expression::Expression,
    template::{Arg, Template},
    value::ParamValue,
};

/// The type of a parameter's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number.
    Float,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of a few words.
    Enum,
    /// Any text.
    String,
}

impl Kind {
    /// As a driver file writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Enum => "enum",
            Self::String => "string",
        }
    }
}

/// One parameter, channel filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Dotted name: `ch1.voltage`.
    pub name: String,
    /// What people call it: `Voltage`.
    pub label: String,
    /// The type of its values.
    pub kind: Kind,
    /// Unit of its values.
    pub unit: Option<String>,
    /// Least and greatest value.
    pub range: Option<(f64, f64)>,
    /// Words of an enum, `false` and `true` of a bool, and what goes over the wire for each.
    pub values: IndexMap<String, String>,
    /// Digits after the point.
    pub decimals: Option<usize>,
    /// The question it has to itself; the answer's field is `value`.
    pub get: Option<Question>,
    /// The group it is part of, and the field.
    pub from: Option<(String, String)>,
    /// The line that sets it: field `value`, and fields of its group, which keep what they hold.
    pub set: Option<Template>,
    /// Lower first inside one transaction.
    pub order: i64,
    /// How a set is proven.
    pub verify: Option<Verify>,
    /// How fast it should change. Kept for those who ask: a session sets a value in one step.
    pub ramp: Option<Ramp>,
    /// Switching it off comes before everything else.
    pub off_first: bool,
    /// What setting it does to the world, if that is dangerous.
    pub hazard: Option<String>,
    /// How often it is read.
    pub poll: Duration,
    /// Replies that are not a value: `.......`, `9.9E37`.
    pub invalid: Vec<String>,
    /// How the simulator behaves.
    pub sim: Simulation,
}

/// How a set is proven by readback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verify {
    /// How far a number may be off.
    pub tol: Option<f64>,
    /// How long the device may take.
    pub within: Duration,
}

/// How fast a value should change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// In the parameter's unit a second.
    pub per_second: f64,
    /// Time between two steps.
    pub tick: Duration,
}

/// How the simulator makes up a parameter's value. Nothing given: it holds what was set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Simulation {
    /// Its value at power-on, and while `when` does not hold.
    pub start: Option<ParamValue>,
    /// Parameters whose product it becomes.
    pub follows: Vec<String>,
    /// Under which condition.
    pub when: Option<Expression>,
    /// Added before scaling.
    pub offset: f64,
    /// Multiplies.
    pub scale: f64,
    /// Not below this.
    pub at_least: Option<f64>,
    /// Not above the value of this parameter.
    pub at_most: Option<String>,
    /// Spread of readings, one standard deviation.
    pub noise: f64,
    /// Time constant with which it follows.
    pub lag: Option<Duration>,
    /// The form of its answer, where it differs from what setting it takes.
    pub reply: Option<Template>,
}

/// What others need to know of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParamFacts {
    /// Dotted name: `ch1.voltage`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The type of its values.
    pub kind: Kind,
    /// Unit of its values.
    pub unit: Option<String>,
    /// Least and greatest value.
    pub range: Option<(f64, f64)>,
    /// The words an enum takes.
    pub choices: Vec<String>,
    /// Digits after the point.
    pub decimals: Option<usize>,
    /// Whether it can be read.
    pub readable: bool,
    /// Whether it can be set.
    pub settable: bool,
    /// What setting it does to the world, if that is dangerous.
    pub hazard: Option<String>,
    /// Lower first inside one transaction.
    pub order: i64,
    /// Switching it off comes before everything else.
    pub off_first: bool,
    /// How far a readback may be from what was asked for; `None` where it must be the same.
    pub tolerance: Option<f64>,
}

/// A value that a parameter does not take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// Wrong type or unknown word.
    #[error("{parameter} takes {takes}, not “{asked}”")]
    Kind {
        /// The parameter.
        parameter: String,
        /// What was asked for.
        asked: String,
        /// What it takes.
        takes: String,
    },
    /// Outside the range.
    #[error("{parameter}: {asked} is outside {least} to {greatest}")]
    OutOfRange {
        /// The parameter.
        parameter: String,
        /// What was asked for, with unit.
        asked: String,
        /// Least value.
        least: String,
        /// Greatest value, with unit.
        greatest: String,
    },
}

impl ParamFacts {
    /// Whether a value switches something off: `false`, the word `off`, and the number 0 where
    /// setting the parameter is dangerous or switching it off comes first.
    pub fn is_off(&self, value: &ParamValue) -> bool {
        is_off(value, self.hazard.is_some() || self.off_first)
    }

    /// A value that switches it off; `None` if there is none.
    pub fn off(&self) -> Option<ParamValue> {
        let takes_zero = self.range.is_none_or(|(least, most)| least <= 0.0 && most >= 0.0);
        let value = match self.kind {
            Kind::Bool => ParamValue::Bool(false),
            Kind::Enum if self.choices.iter().any(|word| word == "off") => {
                ParamValue::Text("off".to_owned())
            }
            Kind::Int if takes_zero => ParamValue::Int(0),
            Kind::Float if takes_zero => ParamValue::Float(0.0),
            Kind::Int | Kind::Float | Kind::Enum | Kind::String => return None,
        };
        self.is_off(&value).then_some(value)
    }
}

/// The one place that says which values switch something off. A 0 V is a voltage like any other,
/// a manual heater output of 0 % is off: `zero_is_off` tells them apart.
fn is_off(value: &ParamValue, zero_is_off: bool) -> bool {
    match value {
        ParamValue::Bool(on) => !on,
        ParamValue::Text(word) => word == "off",
        ParamValue::Int(_) | ParamValue::Float(_) => zero_is_off && value.as_f64() == Some(0.0),
    }
}

/// From here on a number means overload or not-a-number (SCPI: 9.9E37, 9.91E37).
const OVERLOAD: f64 = 9.9e37;

impl Param {
    /// Whether it can be read.
    pub fn readable(&self) -> bool {
        self.get.is_some() || self.from.is_some()
    }

    /// Whether it can be set.
    pub fn settable(&self) -> bool {
        self.set.is_some()
    }

    /// `r`, `w` or `rw`.
    pub fn access(&self) -> &'static str {
        match (self.readable(), self.settable()) {
            (true, false) => "r",
            (false, true) => "w",
            _ => "rw",
        }
    }

    /// What others need to know.
    pub fn facts(&self) -> ParamFacts {
        ParamFacts {
            name: self.name.clone(),
            label: self.label.clone(),
            kind: self.kind,
            unit: self.unit.clone(),
            range: self.range,
            choices: self.choices(),
            decimals: self.decimals,
            readable: self.readable(),
            settable: self.settable(),
            hazard: self.hazard.clone(),
            order: self.order,
            off_first: self.off_first,
            tolerance: self.tolerance(),
        }
    }

    /// The same as [`ParamFacts::is_off`].
    pub fn is_off(&self, value: &ParamValue) -> bool {
        is_off(value, self.hazard.is_some() || self.off_first)
    }

    /// The words an enum takes; empty for other kinds.
    pub fn choices(&self) -> Vec<String> {
        if self.kind == Kind::Enum { self.values.keys().cloned().collect() } else { Vec::new() }
    }

    /// How far a number read back may be from what was asked for.
    pub fn tolerance(&self) -> Option<f64> {
        if self.kind != Kind::Float {
            return None;
        }
        let given = self.verify.and_then(|verify| verify.tol);
        let half_digit = |decimals: usize| 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap_or(9));
        given.or_else(|| self.decimals.map(half_digit))
    }

    /// A value as this parameter's kind, if it is one of it and inside `range`.
    ///
    /// # Errors
    /// [`ValueError`]
    pub fn accept(
        &self,
        value: &ParamValue,
        range: Option<(f64, f64)>,
    ) -> Result<ParamValue, ValueError> {
        let value = self.coerce(value)?;
        if let (Some((least, greatest)), Some(number)) = (range, value.as_f64())
            && !(least..=greatest).contains(&number)
        {
            return Err(ValueError::OutOfRange {
                parameter: self.name.clone(),
                asked: self.show(&value),
                least: self.digits(least),
                greatest: self.show(&ParamValue::Float(greatest)),
            });
        }
        Ok(value)
    }

    fn coerce(&self, value: &ParamValue) -> Result<ParamValue, ValueError> {
        let takes = match (self.kind, value) {
            (Kind::Float, value) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => return Ok(ParamValue::Float(number)),
                None => "a number".to_owned(),
            },
            (Kind::Int, ParamValue::Int(_))
            | (Kind::Bool, ParamValue::Bool(_))
            | (Kind::String, ParamValue::Text(_)) => return Ok(value.clone()),
            (Kind::Enum, ParamValue::Text(word)) if self.values.contains_key(word) => {
                return Ok(value.clone());
            }
            // `on = true` is how people write a switch.
            (Kind::Enum, ParamValue::Bool(on)) => {
                let word = if *on { "on" } else { "off" };
                if self.values.contains_key(word) {
                    return Ok(ParamValue::Text(word.to_owned()));
                }
                self.words()
            }
            (Kind::Enum, _) => self.words(),
            #[allow(clippy::cast_possible_truncation, reason = "whole and in range, checked")]
            (Kind::Int, ParamValue::Float(number))
                if number.fract() == 0.0 && number.abs() < 9e15 =>
            {
                return Ok(ParamValue::Int(*number as i64));
            }
            (Kind::Int, _) => "a whole number".to_owned(),
            (Kind::Bool, _) => "true or false".to_owned(),
            (Kind::String, _) => "a text".to_owned(),
        };
        Err(ValueError::Kind { parameter: self.name.clone(), asked: value.to_string(), takes })
    }

    fn words(&self) -> String {
        self.values.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    /// A value as it goes over the wire.
    pub fn to_arg(&self, value: &ParamValue) -> Arg {
        match value {
            ParamValue::Float(number) => Arg::Float(*number),
            ParamValue::Int(number) => Arg::Int(*number),
            ParamValue::Bool(on) => {
                let plain = if *on { "1" } else { "0" };
                let word = self.values.get(&on.to_string()).cloned();
                Arg::Text(word.unwrap_or_else(|| plain.to_owned()))
            }
            ParamValue::Text(word) => {
                Arg::Text(self.values.get(word).cloned().unwrap_or_else(|| word.clone()))
            }
        }
    }

    /// A value out of a reply; `None` if it is not one.
    pub fn from_arg(&self, arg: &Arg) -> Option<ParamValue> {
        let text = arg.to_string();
        let text = text.trim();
        if self.invalid.iter().any(|word| word == text) {
            return None;
        }
        match (self.kind, arg) {
            (Kind::Float, _) => {
                let number = match arg {
                    Arg::Float(number) => *number,
                    #[allow(clippy::cast_precision_loss, reason = "instrument integers are small")]
                    Arg::Int(number) => *number as f64,
                    Arg::Text(_) => text.parse().ok()?,
                };
                (number.is_finite() && number.abs() < OVERLOAD).then_some(ParamValue::Float(number))
            }
            (Kind::Int, Arg::Int(number)) => Some(ParamValue::Int(*number)),
            (Kind::Int, _) => text.parse().ok().map(ParamValue::Int),
            (Kind::Bool, _) => {
                if let Some(word) = self.word_for(text) {
                    return word.parse().ok().map(ParamValue::Bool);
                }
                match text.to_ascii_lowercase().as_str() {
                    "1" | "on" if self.values.is_empty() => Some(ParamValue::Bool(true)),
                    "0" | "off" if self.values.is_empty() => Some(ParamValue::Bool(false)),
                    _ => None,
                }
            }
            (Kind::Enum, _) => self.word_for(text).map(|word| ParamValue::Text(word.to_owned())),
            (Kind::String, _) => Some(ParamValue::Text(text.to_owned())),
        }
    }

    /// The word whose wire form this is; numbers compare as numbers (`+02` is 2).
    fn word_for(&self, text: &str) -> Option<&str> {
        let same = |wire: &str| match (wire.parse::<i64>(), text.parse::<i64>()) {
            (Ok(wire), Ok(text)) => wire == text,
            _ => wire.eq_ignore_ascii_case(text),
        };
        self.values.iter().find(|(_, wire)| same(wire)).map(|(word, _)| word.as_str())
    }

    /// A value out of a text as driver files write it in conditions: `on`, `3.3`.
    pub fn from_text(&self, text: &str) -> Option<ParamValue> {
        let value = match self.kind {
            Kind::Float => ParamValue::Float(text.parse().ok()?),
            Kind::Int => ParamValue::Int(text.parse().ok()?),
            Kind::Bool => ParamValue::Bool(text.parse().ok()?),
            Kind::Enum | Kind::String => ParamValue::Text(text.to_owned()),
        };
        self.coerce(&value).ok()
    }

    /// Whether a readback is what was asked for, within the tolerance.
    pub fn agrees(&self, asked: &ParamValue, read: &ParamValue) -> bool {
        match (asked.as_f64(), read.as_f64()) {
            (Some(asked), Some(read)) => {
                let rounding = 1e-9 * asked.abs().max(read.abs()).max(1.0);
                (asked - read).abs() <= self.tolerance().unwrap_or(0.0) + rounding
            }
            _ => asked == read,
        }
    }

    /// A value with its digits and unit, for people: `3.450 V`.
    pub fn show(&self, value: &ParamValue) -> String {
        let digits = match value {
            ParamValue::Float(number) => self.digits(*number),
            other => other.to_string(),
        };
        match &self.unit {
            Some(unit) if value.as_f64().is_some() => format!("{digits} {unit}"),
            _ => digits,
        }
    }

    fn digits(&self, number: f64) -> String {
        match self.decimals {
            Some(decimals) => format!("{number:.decimals$}"),
            None => format!("{number}"),
        }
    }
}
