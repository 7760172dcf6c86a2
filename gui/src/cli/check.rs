//! `setpoint check FILE`

use std::path::PathBuf;

use serde_json::json;
use setpoint_bench::{Diagnostic, Severity};

use crate::cli::{
    Failure, Output, excerpt,
    input::{Bench, read_bench},
    out,
};

/// Reads and checks a bench file; changes nothing, opens no port
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint check bench.toml --format json\n\n\
              Exit status: 0 fit to run, 1 it has errors, 3 it cannot be read.")]
pub struct Check {
    /// The bench file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The environment to check for.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Check) -> Result<(), Failure> {
    let bench = read_bench(&command.file, command.env.as_deref())?;
    report(&bench, command.output)?;
    if bench.ok() { Ok(()) } else { Err(Failure::wrong("")) }
}

fn report(bench: &Bench, output: Output) -> Result<(), Failure> {
    let findings: &[Diagnostic] = &bench.reading.diagnostics;
    if output.is_json() {
        return output.json(&json!({"ok": bench.ok(), "diagnostics": findings}));
    }
    for finding in findings {
        output.line(excerpt::render(finding, &bench.text, out::colours()));
        output.line("");
    }
    let summary = excerpt::summary(findings);
    let name = &bench.name;
    output.line(match (bench.ok(), summary.is_empty()) {
        (true, true) => format!("{name}: fit to run"),
        (true, false) => format!("{name}: fit to run, {summary}"),
        (false, _) => format!("{name}: {summary}"),
    });
    Ok(())
}

/// Whether any finding keeps a bench from running.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
