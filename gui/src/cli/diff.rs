//! `setpoint diff A B`

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use setpoint_bench::{Change, ChangeKind, Effect, Value, diff::side_by_side, value::Table};

use crate::cli::{
    Failure, Output,
    client::{Client, segment},
    history,
    input::{is_broken, read_bench},
    lines,
    look::{Look, Tone},
    printable,
};

/// A value is cut after so many letters.
const VALUE: usize = 60;
/// So many lines that are the same are shown around those that differ.
const CONTEXT: usize = 3;

/// What differs between two bench files or revisions, key by key, and what each change does
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint diff bench.toml bench-new.toml\n  \
              setpoint diff bench.toml bench-new.toml --lines\n  \
              setpoint diff r36 r41 --bench bench.toml --format json\n\n\
              Bench files are compared with all their layers, each with those beside it,\n\
              revisions with those that they had; --lines is about one text each.\n\
              Secrets are not shown.")]
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
    /// The environment that bench files are read for; else SETPOINT_ENV, else what they say.
    #[arg(long, value_name = "NAME", conflicts_with = "bench")]
    env: Option<String>,
    /// Line by line, comments and all, instead of key by key.
    #[arg(long)]
    lines: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Diff) -> Result<(), Failure> {
    let bench = command.bench.as_deref();
    let env = command.env.as_deref();
    let old = Side::read(&command.old, bench, env)?;
    let new = Side::read(&command.new, bench, env)?;
    let output = command.output;
    let changes = match bench {
        Some(bench) => revisions(bench, &command.old, &command.new)?,
        None => setpoint_bench::diff(&old.values, &new.values),
    };
    let rows = if command.lines { side_by_side(&old.text, &new.text, CONTEXT) } else { Vec::new() };
    let unified = lines::unified(&rows);
    if output.is_json() {
        let mut answer = json!({"changes": changes});
        if command.lines {
            answer["lines"] = json!(unified);
        }
        return output.json(&answer);
    }
    if output.quiet {
        return Ok(());
    }
    let look = Look::stdout();
    if command.lines {
        print_lines(command, &unified, look);
    } else {
        changes.iter().for_each(|change| output.line(describe(change, look)));
    }
    if !command.lines || !changes.is_empty() {
        output.line(summary(&changes, look));
    }
    Ok(())
}

fn print_lines(command: &Diff, unified: &[lines::Unified<'_>], look: Look) {
    let output = command.output;
    if unified.iter().all(|line| matches!(line.mark, '=' | '…')) {
        output.line("no line differs");
        return;
    }
    output.line(look.paint(Tone::Red, &format!("--- {}", printable::line(&command.old))));
    output.line(look.paint(Tone::Green, &format!("+++ {}", printable::line(&command.new))));
    lines::draw(unified, look).into_iter().for_each(|line| output.line(line));
}

/// One of the two.
struct Side {
    text: Arc<str>,
    values: Value,
}

impl Side {
    /// A file or revision. A file that does not check can be compared all the same, one that is
    /// not TOML cannot.
    fn read(name: &str, bench: Option<&Path>, env: Option<&str>) -> Result<Self, Failure> {
        let Some(bench) = bench else {
            let read = read_bench(Path::new(name), env)?;
            if is_broken(read.reading()) {
                return Err(Failure::wrong(format!("{name} cannot be compared"))
                    .with_findings(read.findings(), &mut read.sources()));
            }
            return Ok(Self { values: read.layers.masked_values(), text: read.text });
        };
        // Their values are compared where all their files are at hand.
        Ok(Self { text: history::text(bench, name)?, values: Value::Table(Table::default()) })
    }
}

/// What differs between two revisions, all their files read.
fn revisions(bench: &Path, old: &str, new: &str) -> Result<Vec<Change>, Failure> {
    let Some(client) = Client::find(bench)? else {
        return history::offline(bench, None)?.changes(old, new).map_err(history::refused);
    };
    let answer = client.get(&format!("/v1/revisions/{}/diff/{}", segment(old), segment(new)))?;
    serde_json::from_value(answer["changes"].clone())
        .map_err(|error| Failure::unusable(format!("the answer is not a list of changes: {error}")))
}

/// `~ instruments.psu.set.ch1.voltage  3.3 → 3.45  (set live)`
pub fn describe(change: &Change, look: Look) -> String {
    let shown = |value: &Option<Value>| match value {
        Some(Value::Table(_)) | None => String::new(),
        Some(value) => printable::start(&value.to_string(), VALUE),
    };
    let quiet = change.shown();
    let (old, new) = (shown(&quiet.old), shown(&quiet.new));
    let (mark, tone, values) = match change.kind {
        ChangeKind::Added => ("+", Tone::Green, new),
        ChangeKind::Removed => ("-", Tone::Red, old),
        ChangeKind::Changed => ("~", Tone::Yellow, format!("{old} → {new}")),
    };
    let gap = if values.is_empty() { "" } else { "  " };
    let path = change.path.to_string();
    let key = look.paint(tone, &format!("{mark} {}", printable::line(&path)));
    let (word, tone) = effect(change.effect);
    format!("{key}{gap}{values}  {}", look.paint(tone, &format!("({word})")))
}

/// What a change does to what is running, in words.
fn effect(effect: Effect) -> (&'static str, Tone) {
    match effect {
        Effect::None => ("nothing runs differently", Tone::Dim),
        Effect::Live => ("set live", Tone::Cyan),
        Effect::Renegotiate => ("renegotiates, stays connected", Tone::Cyan),
        Effect::Restart => ("restarts this one", Tone::Yellow),
        Effect::Connect => ("connects", Tone::Green),
        Effect::Disconnect => ("disconnects", Tone::Red),
    }
}

/// `3 changes: 1 disconnects, 2 set live`; what interrupts most comes first.
pub fn summary(changes: &[Change], look: Look) -> String {
    let order = [
        Effect::Disconnect,
        Effect::Restart,
        Effect::Connect,
        Effect::Renegotiate,
        Effect::Live,
        Effect::None,
    ];
    let counts: Vec<String> = order
        .into_iter()
        .filter_map(|kind| {
            let count = changes.iter().filter(|change| change.effect == kind).count();
            let (word, tone) = match kind {
                Effect::None => ("without effect on what runs", Tone::Dim),
                Effect::Renegotiate => ("renegotiates", Tone::Cyan),
                kind => effect(kind),
            };
            (count > 0).then(|| look.paint(tone, &format!("{count} {word}")))
        })
        .collect();
    match changes.len() {
        0 => "no key differs".to_owned(),
        1 => format!("1 change: {}", counts.join(", ")),
        many => format!("{many} changes: {}", counts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind, effect: Effect) -> Change {
        Change {
            kind,
            path: "a.b".parse().unwrap(),
            old: Some(Value::Float(3.3)),
            new: Some(Value::Float(3.45)),
            effect,
        }
    }

    #[test]
    fn a_change_shows_both_values_and_its_effect() {
        let change = change(ChangeKind::Changed, Effect::Live);
        assert_eq!(describe(&change, Look::PLAIN), "~ a.b  3.3 → 3.45  (set live)");
        let look = Look { colours: true, ..Look::PLAIN };
        assert_eq!(
            describe(&change, look),
            "\u{1b}[1;33m~ a.b\u{1b}[0m  3.3 → 3.45  \u{1b}[36m(set live)\u{1b}[0m"
        );
    }

    #[test]
    fn a_value_of_any_length_is_one_short_line() {
        let mut change = change(ChangeKind::Added, Effect::None);
        change.new = Some(Value::from("x\u{202e}".repeat(100_000)));
        let line = describe(&change, Look::PLAIN);
        assert!(line.chars().count() < 500 && line.contains("…  (nothing"), "{line}");
        assert!(!line.contains('\u{202e}'), "{line}");
    }

    #[test]
    fn what_interrupts_most_is_counted_first() {
        let changes = [Effect::Live, Effect::Disconnect, Effect::Live, Effect::None]
            .map(|effect| change(ChangeKind::Changed, effect));
        assert_eq!(
            summary(&changes, Look::PLAIN),
            "4 changes: 1 disconnects, 2 set live, 1 without effect on what runs"
        );
        assert_eq!(summary(&[], Look::PLAIN), "no key differs");
    }
}
