//! `setpoint plan FILE NEW`

use std::path::PathBuf;

use serde_json::json;
use setpoint_bench::{Change, ChangeKind, Effect, model::Bench as Model};
use setpoint_runtime::{PlanStep, plan_between};

use crate::cli::{
    Failure, Output, diff, excerpt,
    input::{Bench, read_bench, read_in_place_of},
    look::{Look, Tone},
    printable,
    sources::Sources,
};

/// A step is cut after so many letters.
const STEP: usize = 300;

/// The ordered steps that going from one bench file to another takes; no device is asked
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint plan bench.toml bench-new.toml\n\n\
              NEW is read in the place of FILE, with the drivers and layers that lie beside FILE.\n\
              Instruments that FILE has enabled are taken to answer. Exit status: 0 there is a\n\
              plan, 1 one of the files has errors, 3 one cannot be read.")]
pub struct Plan {
    /// The bench file as it runs.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it would become: read as if it stood in the place of FILE.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The environment to read both for; else SETPOINT_ENV, else what they say.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Plan) -> Result<(), Failure> {
    let env = command.env.as_deref();
    let old = read_bench(&command.file, env)?;
    let new = read_in_place_of(&command.file, &command.new, env)?;
    let (Some(from), Some(to)) = (&old.reading().bench, &new.reading().bench) else {
        return refused(&[&old, &new], command.output);
    };
    let changes = setpoint_bench::diff(&old.layers.masked_values(), &new.layers.masked_values());
    let steps = steps(from, to, &old, &new);
    let output = command.output;
    if output.is_json() {
        return output.json(&json!({
            "ok": true,
            "steps": steps,
            "changes": changes,
            "diagnostics": new.findings(),
        }));
    }
    if !output.quiet {
        text(&old, &new, &steps, &changes, Look::stdout())
            .into_iter()
            .for_each(|line| output.line(line));
    }
    Ok(())
}

/// What the two files are checked to be wrong with.
fn refused(benches: &[&Bench], output: Output) -> Result<(), Failure> {
    let findings: Vec<_> = benches.iter().flat_map(|bench| bench.findings().to_vec()).collect();
    if output.is_json() {
        output.json(&json!({"ok": false, "diagnostics": findings}))?;
        return Err(Failure::wrong(""));
    }
    let mut sources = Sources::default();
    for bench in benches {
        bench.add_to(&mut sources);
    }
    if !output.quiet {
        for block in excerpt::report(&findings, &mut sources, Look::stdout(), false) {
            output.line(block);
            output.line("");
        }
    }
    let wrong: Vec<_> =
        benches.iter().filter(|bench| !bench.ok()).map(|bench| bench.name.as_str()).collect();
    Err(Failure::wrong(format!("there is no plan; not fit to run: {}", wrong.join(", "))))
}

/// What the runtime would do, and what would be written.
fn steps(from: &Model, to: &Model, old: &Bench, new: &Bench) -> Vec<PlanStep> {
    let mut steps = plan_between(from, to, &old.drivers);
    for step in &mut steps {
        let text = std::mem::take(&mut step.text);
        step.text = new.layers.without_secrets(old.layers.without_secrets(text));
    }
    if old.text != new.text {
        steps.push(PlanStep {
            text: format!("write {}", old.name),
            kind: "write",
            note: None,
            hazard: false,
        });
    }
    steps
}

fn text(
    old: &Bench,
    new: &Bench,
    steps: &[PlanStep],
    changes: &[Change],
    look: Look,
) -> Vec<String> {
    let (from, to) = (printable::line(&old.name), printable::line(&new.name));
    if steps.is_empty() {
        return vec![format!("{from} and {to} are the same; there is nothing to do")];
    }
    let mut lines = vec![look.paint(Tone::Bold, &format!("{from} → {to}: {}", count(steps, look)))];
    let digits = steps.len().to_string().len();
    for (index, step) in steps.iter().enumerate() {
        lines.extend(step_lines(index + 1, digits, step, look));
    }
    // These have no step of their own.
    let file_only: Vec<&Change> = changes.iter().filter(|change| only_in_file(change)).collect();
    if !file_only.is_empty() {
        lines.push(String::new());
        lines.push("only in the file:".to_owned());
        lines.extend(file_only.into_iter().map(|change| {
            let kept = change.effect != Effect::None;
            let kept = if kept { "; the device keeps its value" } else { "" };
            format!("  {}{kept}", diff::describe(change, look))
        }));
    }
    let warnings = excerpt::summary(new.findings());
    if !warnings.is_empty() {
        lines.push(String::new());
        lines.push(format!("{to} has {warnings}; see “setpoint check {to}”"));
    }
    lines.push(String::new());
    let promise = "No device was asked, nothing was changed: every instrument is taken to answer.";
    lines.push(look.paint(Tone::Dim, promise));
    lines
}

/// `5 steps, 1 of them hazardous`
fn count(steps: &[PlanStep], look: Look) -> String {
    let noun = if steps.len() == 1 { "step" } else { "steps" };
    match steps.iter().filter(|step| step.hazard).count() {
        0 => format!("{} {noun}", steps.len()),
        some => {
            let hazards = look.paint(Tone::Red, &format!("{some} hazardous"));
            format!("{} {noun}, {hazards}", steps.len())
        }
    }
}

/// A step, and what there is to know about it on the same line if there is room.
fn step_lines(number: usize, digits: usize, step: &PlanStep, look: Look) -> Vec<String> {
    let tone = match step.kind {
        _ if step.hazard => Tone::Red,
        "disconnect" => Tone::Red,
        "restart" => Tone::Yellow,
        "connect" => Tone::Green,
        "set" => Tone::Cyan,
        _ => Tone::Dim,
    };
    let margin = digits + "  . ".len();
    let body = printable::start(&step.text, STEP);
    let first = format!("  {number:>digits$}. {}", look.paint(tone, &body));
    let Some(note) = &step.note else { return vec![first] };
    let note = printable::start(note, STEP);
    let (note, tone) =
        if step.hazard { (format!("! {note}"), Tone::Red) } else { (note, Tone::Dim) };
    let painted = look.paint(tone, &note);
    if margin + printable::columns(&body) + 2 + printable::columns(&note) <= look.width.min(80) {
        vec![format!("{first}  {painted}")]
    } else {
        vec![first, format!("{}{painted}", " ".repeat(margin + 2))]
    }
}

/// Whether a change is told by no step: nothing runs differently, or a setpoint is only forgotten.
fn only_in_file(change: &Change) -> bool {
    change.effect == Effect::None
        || (change.kind == ChangeKind::Removed && change.path.as_setpoint().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str, kind: &'static str, note: Option<&str>, hazard: bool) -> PlanStep {
        PlanStep { text: text.to_owned(), kind, note: note.map(str::to_owned), hazard }
    }

    #[test]
    fn hazards_stand_out_with_and_without_colours() {
        let step = step("psu.ch1.output off → on", "set", Some("energises the load"), true);
        assert_eq!(
            step_lines(7, 2, &step, Look::PLAIN),
            ["   7. psu.ch1.output off → on  ! energises the load"]
        );
        let colours = Look { colours: true, ..Look::PLAIN };
        assert!(step_lines(7, 1, &step, colours)[0].contains("\u{1b}[1;31m! energises"));
        assert_eq!(count(&[step.clone(), step], Look::PLAIN), "2 steps, 2 hazardous");
    }

    #[test]
    fn a_note_without_room_stands_below() {
        let long = "x".repeat(60);
        let lines = step_lines(
            1,
            1,
            &step(&long, "connect", Some("its values are read"), false),
            Look::PLAIN,
        );
        assert_eq!(lines, [format!("  1. {long}"), "       its values are read".to_owned()]);
    }
}
