//! `setpoint history FILE`

use std::{path::Path, sync::Arc};

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use setpoint_store::{Audit, BenchFolder, FolderLock, Revisions, StoreError};

use crate::cli::{BenchArg, Failure, Output, client::Client, printable::line as shown};

/// The kept revisions of a bench, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint history bench.toml")]
pub struct History {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &History) -> Result<(), Failure> {
    let revisions = match Client::find(&command.bench.file)? {
        Some(client) => client.get("/v1/revisions")?,
        None => kept(&command.bench.file)?,
    };
    if command.output.is_json() {
        return command.output.json(&revisions);
    }
    let list = revisions.as_array().or_else(|| revisions.get("revisions")?.as_array());
    let list = list.map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        command.output.line("no revision is kept yet");
    }
    for revision in list {
        command.output.line(line(revision, &TimeZone::system()));
    }
    Ok(())
}

/// What the folder beside the file holds.
fn kept(bench: &Path) -> Result<Value, Failure> {
    if !has_history(bench) {
        // No history is an answer; a bench that is not there is none.
        setpoint_store::atomic::read(bench).map_err(|e| Failure::unusable(e.to_string()))?;
        return Ok(json!([]));
    }
    Ok(open(bench)?
        .revisions
        .list()
        .iter()
        .map(|one| {
            json!({
                "id": one.id,
                "hash": one.short_hash,
                "at": one.at,
                "author": one.author,
                "origin": one.origin,
                "message": one.message,
                "label": one.label,
            })
        })
        .collect())
}

/// Whether anything is kept about a bench.
pub fn has_history(bench: &Path) -> bool {
    BenchFolder::of(bench).versions().is_dir()
}

/// What is kept about a bench that nobody runs.
pub struct Kept {
    /// Its revisions.
    pub revisions: Revisions,
    /// The record that vouches for them.
    pub audit: Audit,
    _lock: FolderLock,
}

/// Opens what is kept about a bench that nobody runs; nobody can while the lock is held.
pub fn open(bench: &Path) -> Result<Kept, Failure> {
    let folder = BenchFolder::of(bench);
    let lock = folder.lock().map_err(failed)?;
    let audit = Audit::open(&folder).map_err(failed)?;
    let revisions = Revisions::open(&folder, &audit).map_err(failed)?;
    Ok(Kept { revisions, audit, _lock: lock })
}

/// The text of a kept revision, by id or label, of a bench that runs or not.
pub fn text(bench: &Path, name: &str) -> Result<Arc<str>, Failure> {
    if let Some(client) = Client::find(bench)? {
        return client.text(&format!("/v1/revisions/{name}")).map(Arc::from);
    }
    if !has_history(bench) {
        return Err(Failure::usage(format!("{} has no history", bench.display())));
    }
    open(bench)?.revisions.text(name).map_err(failed)
}

/// What the store says, with the exit status that goes with it.
pub fn failed(error: StoreError) -> Failure {
    match error {
        StoreError::NoRevision { .. } => Failure::usage(error.to_string()),
        error => Failure::unusable(error.to_string()),
    }
}

/// `r41  2026-11-21 10:42:07  ada       file      bench.toml changed on disk`
fn line(revision: &Value, zone: &TimeZone) -> String {
    let word = |key: &str| revision.get(key).and_then(Value::as_str).unwrap_or("-");
    let at = word("at").parse::<jiff::Timestamp>().map_or_else(
        |_| word("at").to_owned(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    );
    let label = match word("label") {
        "-" => String::new(),
        label => format!("  [{}]", shown(label)),
    };
    let (id, origin) = (shown(word("id")), shown(word("origin")));
    let message = cut(word("message"));
    let (author, message) = (shown(word("author")), shown(&message));
    format!("{id:<5} {}  {author:<10} {origin:<9} {message}{label}", shown(&at))
}

/// The greatest length of a message in the list, in characters.
const MESSAGE: usize = 120;

/// The beginning of a message that is too long for a list.
fn cut(message: &str) -> String {
    if message.chars().count() <= MESSAGE {
        return message.to_owned();
    }
    message.chars().take(MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_one_line() {
        let revision = json!({"id": "r4", "at": "2026-11-21T10:42:07Z", "author": "ada",
            "origin": "panel", "message": "Warmer", "label": "aligned"});
        assert_eq!(
            line(&revision, &TimeZone::UTC),
            "r4    2026-11-21 10:42:07  ada        panel     Warmer  [aligned]"
        );
    }
}
