//! The plain values of a text, for looking at and comparing; whether they make sense is not asked.

use setpoint_bench::{Catalogue, ParameterFacts, Value};

/// No instrument types: types and ranges of setpoints do not matter here.
struct NoTypes;

impl Catalogue for NoTypes {
    fn types(&self) -> Vec<String> {
        Vec::new()
    }

    fn parameters(&self, _: &str) -> Option<Vec<ParameterFacts>> {
        None
    }
}

/// The values of a text as nested tables; an empty table if it is not TOML.
pub fn of(text: &str) -> Value {
    setpoint_bench::read("", text, &NoTypes).values
}

/// A value as a bench file would write it; what is not TOML is text.
pub fn parse(text: &str) -> Value {
    match of(&format!("value = {text}")) {
        // More than one key: the text tried to bring its own.
        Value::Table(mut table) if table.len() == 1 => table.shift_remove("value"),
        _ => None,
    }
    .unwrap_or_else(|| Value::from(text))
}
