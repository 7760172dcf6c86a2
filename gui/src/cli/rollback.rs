//! `setpoint rollback FILE REV`

use std::{path::Path, sync::Arc};

use serde_json::json;
use setpoint_bench::{
    Change, KeyPath,
    layers::{LayerKind, bundle},
};
use setpoint_runtime::Origin;
use setpoint_store::{Facts, atomic};

use crate::{
    author,
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method},
        diff,
        history::{self, failed},
        input::read_with_text,
        look::Look,
        set,
    },
    values,
};

/// Goes back to a kept revision; through the panel or server of the bench, else on the file alone
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint rollback bench.toml r36\n  \
              setpoint rollback bench.toml r36 --only instruments.psu.set")]
pub struct Rollback {
    #[command(flatten)]
    bench: BenchArg,
    /// The revision, such as r36, or a label.
    #[arg(value_name = "REV")]
    revision: String,
    /// Only this key and what lies below it; can be given more than once.
    #[arg(long, value_name = "PATH")]
    only: Vec<KeyPath>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Rollback) -> Result<(), Failure> {
    let file = &command.bench.file;
    let output = command.output;
    if let Some(client) = Client::find(file)? {
        let path = format!("/v1/revisions/{}/rollback", command.revision);
        // Left out, it is the whole file; an empty list is refused.
        let body = match command.only.as_slice() {
            [] => json!({}),
            only => json!({"only": only}),
        };
        let answer = client.send(Method::Post, &path, &body)?;
        if output.is_json() {
            return output.json(&answer);
        }
        output.line(set::summary(&answer));
        return Ok(());
    }
    let Done { id, changes, already } = on_the_file_alone(file, &command.revision, &command.only)?;
    if output.is_json() {
        return output.json(&json!({"revision": {"id": id}, "changes": changes}));
    }
    for change in &changes {
        output.line(diff::describe(change, Look::stdout()));
    }
    if already {
        output.line(format!(
            "{} is at {} already; nothing changed",
            file.display(),
            command.revision
        ));
        return Ok(());
    }
    output.line(format!("{id}: {} is back at {}", file.display(), command.revision));
    Ok(())
}

/// What going back did.
struct Done {
    /// The revision the file is at.
    id: String,
    changes: Vec<Change>,
    /// There was no difference; nothing was written.
    already: bool,
}

/// Writes the file; nobody runs the bench, so no device is touched. What the file held is kept
/// as a revision first, if it is none yet.
fn on_the_file_alone(file: &Path, name: &str, only: &[KeyPath]) -> Result<Done, Failure> {
    if !history::has_history(file) {
        return Err(Failure::usage(format!("{} has no history to go back to", file.display())));
    }
    let mut store = history::open(file)?;
    let then = store.revisions.text(name).map_err(failed)?;
    let newest = store.revisions.newest().map(|newest| newest.hash);
    let now = match atomic::read(file) {
        Ok(read) => Some(read),
        // The whole file comes back; parts of it need the rest.
        Err(error) if error.is_missing() && only.is_empty() => None,
        Err(error) => return Err(Failure::unusable(error.to_string())),
    };
    let now_text: Arc<str> = now.as_ref().map_or_else(|| "".into(), |read| read.text.clone());
    one_file(file, name, &now_text, &then)?;
    let mut changes = setpoint_bench::diff(&values::of(&now_text), &values::of(&then));
    let names = only.iter().map(KeyPath::to_string).collect::<Vec<_>>().join(", ");
    let text: Arc<str> = if only.is_empty() {
        then
    } else {
        changes.retain(|change| only.iter().any(|path| change.concerns(path)));
        if changes.is_empty() {
            return Err(Failure::usage(format!("there is no difference at {names} to {name}")));
        }
        let edits: Vec<_> = changes.iter().map(Change::edit).collect();
        setpoint_bench::apply(&now_text, &edits)
            .map_err(|error| Failure::wrong(error.to_string()))?
            .into()
    };
    if now.is_some() && text == now_text {
        let id = store.revisions.find(name).map_or_else(|| name.to_owned(), |one| one.id.clone());
        return Ok(Done { id, changes, already: true });
    }
    check(file, &text)?;

    let mut keep = |text: &str, author: String, origin: Origin, message: String| {
        let origin = origin.as_str().to_owned();
        let facts = Facts { author, origin, message, label: None, data: serde_json::Value::Null };
        store.revisions.keep(text, facts, &store.audit).map_err(failed)
    };
    if let Some(now) = &now
        && newest != Some(now.hash)
    {
        let file = Origin::File;
        keep(&now.text, file.as_str().to_owned(), file, "Edited while it was not open".to_owned())?;
    }
    atomic::replace(file, text.as_bytes()).map_err(failed)?;
    let message = match names.as_str() {
        "" => format!("Rolled back to {name}"),
        names => format!("Rolled back {names} to {name}"),
    };
    let kept = keep(&text, author::name(), Origin::Rollback, message)?;
    Ok(Done { id: kept.id, changes, already: false })
}

/// A bench of several files is brought back by a Setpoint that runs it: here is one text only.
fn one_file(file: &Path, name: &str, now: &str, then: &str) -> Result<(), Failure> {
    let files = read_with_text(file, now).layers.files;
    let beside = |kind| matches!(kind, LayerKind::Include | LayerKind::Overlay);
    let now = files.iter().filter(|one| beside(one.kind)).map(|one| one.name.to_string());
    let then = bundle::unpack(then).1.into_iter().map(|(name, _)| name);
    let mut others: Vec<String> = then.chain(now).collect();
    if others.is_empty() {
        return Ok(());
    }
    others.sort();
    others.dedup();
    Err(Failure::usage(format!(
        "this bench has other files that {name} goes with ({}): run it with `setpoint serve {}` or in \
         the panel, and go back there",
        others.join(", "),
        file.display()
    )))
}

/// A revision ran once; the drivers and other layers it needs may be gone since.
fn check(file: &Path, text: &str) -> Result<(), Failure> {
    let bench = read_with_text(file, text);
    if bench.ok() {
        return Ok(());
    }
    Err(Failure::wrong("that would not run any more; the file is as it was")
        .with_findings(bench.findings(), &mut bench.sources()))
}
