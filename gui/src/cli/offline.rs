//! Changing a bench that nobody runs: checked, locked, kept as a revision, written whole.

use std::path::Path;

use serde_json::json;
use setpoint_bench::{Change, Diagnostic, TextEdit};
use setpoint_runtime::{OfflineBench, OfflineEdit, Origin};
use setpoint_store::Facts;

use crate::{
    author,
    cli::{
        Failure,
        history::{self, Kept, failed},
        sources::Sources,
    },
};

/// What a change of the files came to.
pub struct Done {
    /// The revision that they are at.
    pub id: String,
    /// What differs from before.
    pub changes: Vec<Change>,
    /// Warnings about what they say now.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes edits in the files of a bench, all or none of them. No device is touched. What the files
/// held is kept as a revision first, if it is none yet.
///
/// # Errors
/// [`Failure`] if someone has the bench open, an edit cannot be made, or the bench would not run
/// with it; the files are as they were.
pub fn edit(
    file: &Path,
    environment: Option<&str>,
    edits: &[TextEdit],
    message: &str,
) -> Result<Done, Failure> {
    let bench = OfflineBench::read(file, environment);
    let bench = bench.map_err(|error| Failure::unusable(error.to_string()))?;
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let edited = bench.edited(edits, &now).map_err(Failure::wrong)?;
    let OfflineEdit { text, changes, diagnostics, runs } = edited;
    if !runs {
        let message = format!("{} would not run any more; it is as it was", file.display());
        // The text they are about is the one that would have come out, which nobody has.
        return Err(Failure::wrong(message).with_findings(&diagnostics, &mut Sources::default()));
    }
    // Nobody can open the bench from here on; that the files are still as they were read is seen
    // to when they are written. A folder beside a file that was not changed would only be litter.
    let mut store = history::open(file)?;
    let newest = store.revisions.newest().map(|newest| (newest.hash, newest.id.clone()));
    if text == *bench.text()
        && let Some((hash, id)) = &newest
        && *hash == bench.hash()
    {
        return Ok(Done { id: id.clone(), changes, diagnostics });
    }
    if newest.is_none_or(|(hash, _)| hash != bench.hash()) {
        let facts = Facts {
            author: Origin::File.as_str().to_owned(),
            origin: Origin::File.as_str().to_owned(),
            message: "Edited while it was not open".to_owned(),
            label: None,
            data: serde_json::Value::Null,
        };
        let id = keep(&mut store, bench.text(), facts)?;
        if text == *bench.text() {
            return Ok(Done { id, changes, diagnostics });
        }
    }
    bench.write(file, &text).map_err(failed)?;
    let facts = Facts {
        author: author::name(),
        origin: Origin::Api.as_str().to_owned(),
        message: if message.trim().is_empty() { summary(&changes) } else { message.to_owned() },
        label: None,
        data: json!({"changes": changes}),
    };
    match keep(&mut store, &text, facts) {
        Ok(id) => Ok(Done { id, changes, diagnostics }),
        Err(failure) => {
            // What is not in the history is not in the file.
            let back = match bench.write_back() {
                Ok(()) => "the file is as it was".to_owned(),
                Err(error) => format!("and the file could not be put back: {error}"),
            };
            Err(Failure::unusable(format!("{}; {back}", failure.message())))
        }
    }
}

fn keep(store: &mut Kept, text: &str, facts: Facts) -> Result<String, Failure> {
    store.revisions.keep(text, facts, &store.audit).map(|kept| kept.id).map_err(failed)
}

/// What a change is called that nobody gave a reason for.
fn summary(changes: &[Change]) -> String {
    match changes {
        [] => "Written otherwise".to_owned(),
        [one] => format!("Changed {}", one.path),
        [first, rest @ ..] => format!("Changed {} and {} more", first.path, rest.len()),
    }
}
