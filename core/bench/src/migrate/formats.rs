//! Formats of bench files by number. The first is today's, so there is no step yet that leads to
//! it; one belongs here, with the number it starts from, as soon as there is a second.

use super::{MigrateError, node::Node, place};
use crate::value::Value;

/// Today's format.
const TODAY: i64 = 1;

/// Whether the format that a bench names is one that this version reads. None named is today's.
pub(super) fn known(file: &str, text: &str, root: &Node) -> Result<(), MigrateError> {
    let Some(format) = root.get("format") else { return Ok(()) };
    let version = env!("CARGO_PKG_VERSION");
    let message = match format.plain() {
        Some(Value::Int(TODAY)) => return Ok(()),
        Some(Value::Int(newer)) if *newer > TODAY => format!(
            "format is {newer}: the file was written for a newer Setpoint than {version}, which \
             reads format {TODAY}; take a later version of Setpoint for this file"
        ),
        Some(Value::Int(other)) => format!("format is {TODAY} or more, not {other}"),
        _ => format!("format takes a whole number, {TODAY} today, not {}", format.shown()),
    };
    let (line, column) = place(text, format.at.start);
    Err(MigrateError::Format { file: file.to_owned(), line, column, message })
}
