//! What going back to a kept revision comes to, whether the bench runs or only its files are there.

use std::sync::Arc;

use setpoint_bench::{Change, KeyPath, TextEdit, Value, check};

use crate::{catalogue::Drivers, command::CommandError, files::Files, staging::none};

/// `Rolled back to r36`, with the keys if it is not everything.
pub(crate) fn message(id: &str, only: &[KeyPath]) -> String {
    if only.is_empty() {
        format!("Rolled back to {id}")
    } else {
        format!("Rolled back {} to {id}", names(only))
    }
}

/// `r1 runs already, as r3; nothing changed`
pub(crate) fn runs_already(id: &str, running: &str) -> String {
    let kept = if id == running { String::new() } else { format!(", as {running}") };
    format!("{id} runs already{kept}; nothing changed")
}

/// The edits that bring chosen keys from `now` to what the text of a revision says of them.
///
/// # Errors
/// [`CommandError::Invalid`] if the text means nothing any more, [`CommandError::NotFound`] if
/// nothing differs there.
pub(crate) fn edits_towards(
    files: &Files,
    drivers: &Drivers,
    now: &Value,
    then: &Arc<str>,
    only: &[KeyPath],
) -> Result<Vec<TextEdit>, CommandError> {
    let then = files.meaning_then(then, drivers);
    let values = then.values();
    if values.as_table().is_none_or(setpoint_bench::value::Table::is_empty) {
        let diagnostics = Arc::new(then.diagnostics().to_vec());
        let message = check::summary(&diagnostics);
        return Err(CommandError::Invalid { message, diagnostics });
    }
    let changes = setpoint_bench::diff(now, &values);
    let chosen = |change: &&Change| only.iter().any(|path| change.concerns(path));
    let edits: Vec<TextEdit> =
        changes.iter().filter(chosen).map(|change| change.edit().into()).collect();
    if edits.is_empty() {
        return Err(CommandError::NotFound { what: "difference at", name: names(only) });
    }
    Ok(edits)
}

/// Refuses to go back as a whole where there are files now that the revision did not have: they
/// would still be read.
///
/// # Errors
/// [`CommandError::Conflict`] with their names.
pub(crate) fn no_surplus(id: &str, now: &str, then: &str) -> Result<(), CommandError> {
    let surplus = Files::surplus(now, then);
    if surplus.is_empty() {
        return Ok(());
    }
    let surplus = surplus.join(", ");
    let message = format!("{id} had no {surplus}: move that away first, then go back");
    Err(CommandError::Conflict { message, diagnostics: none() })
}

fn names(only: &[KeyPath]) -> String {
    only.iter().map(KeyPath::to_string).collect::<Vec<_>>().join(", ")
}
