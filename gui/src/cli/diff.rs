//! `setpoint diff A B`

use std::path::{Path, PathBuf};

use serde_json::json;
use setpoint_bench::{Change, ChangeKind, Effect, Value};

use crate::cli::{Failure, Output, excerpt, history, input::read_bench, out};

/// What differs between two bench files or revisions, key by key, and what each change does
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint diff bench.toml bench-new.toml\n  \
              setpoint diff r36 r41 --bench bench.toml --format json")]
pub struct Diff {
    /// A file; with --bench, a revision such as r36 or a label.
    #[arg(value_name = "A")]
    old: String,
    /// Likewise; what A would become.
    #[arg(value_name = "B")]
    new: String,
    /// The bench file whose revisions A and B name.
    #[arg(long, value_name = "FILE")]
    bench: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Diff) -> Result<(), Failure> {
    let bench = command.bench.as_deref();
    let old = values(&command.old, bench)?;
    let new = values(&command.new, bench)?;
    let changes = setpoint_bench::diff(&old, &new);
    if command.output.is_json() {
        return command.output.json(&json!({"changes": changes}));
    }
    if changes.is_empty() {
        command.output.line("no key differs");
    }
    for change in &changes {
        command.output.line(describe(change));
    }
    Ok(())
}

/// The values of a file or revision. A file that does not check can be compared all the same, one
/// that is not TOML cannot.
fn values(name: &str, bench: Option<&Path>) -> Result<Value, Failure> {
    let Some(bench) = bench else {
        let read = read_bench(Path::new(name), None)?;
        unparsable(name, &read.text, &read.reading)?;
        return Ok(read.reading.values);
    };
    let text = history::text(bench, name)?;
    Ok(crate::values::of(&text))
}

fn unparsable(file: &str, text: &str, reading: &setpoint_bench::Reading) -> Result<(), Failure> {
    let broken = ["syntax", "not_utf8"];
    match reading.diagnostics.iter().find(|one| broken.contains(&one.code.as_str())) {
        None => Ok(()),
        Some(finding) => Err(Failure::wrong(format!(
            "{file} is not TOML\n{}",
            excerpt::render(finding, text, out::colours())
        ))),
    }
}

/// `~ instruments.psu.set.ch1.voltage  3.3 → 3.45  (live)`
pub fn describe(change: &Change) -> String {
    let shown = |value: &Option<Value>| match value {
        Some(Value::Table(_)) | None => String::new(),
        Some(value) => value.to_string(),
    };
    let (old, new) = (shown(&change.old), shown(&change.new));
    let (mark, values) = match change.kind {
        ChangeKind::Added => ('+', new),
        ChangeKind::Removed => ('-', old),
        ChangeKind::Changed => ('~', format!("{old} → {new}")),
    };
    let gap = if values.is_empty() { "" } else { "  " };
    format!("{mark} {}{gap}{values}  ({})", change.path, effect(change.effect))
}

/// What a change does to what is running, in words.
fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "nothing runs differently",
        Effect::Live => "live",
        Effect::Renegotiate => "renegotiates, stays connected",
        Effect::Restart => "restarts this one",
        Effect::Connect => "connects",
        Effect::Disconnect => "disconnects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_both_values_and_its_effect() {
        let change = Change {
            kind: ChangeKind::Changed,
            path: "a.b".parse().unwrap(),
            old: Some(Value::Float(3.3)),
            new: Some(Value::Float(3.45)),
            effect: Effect::Live,
        };
        assert_eq!(describe(&change), "~ a.b  3.3 → 3.45  (live)");
    }
}
