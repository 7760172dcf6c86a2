//! `setpoint check FILE…`

use std::path::PathBuf;

use serde_json::json;
use setpoint_bench::{Diagnostic, KeyPath, Severity};

use crate::cli::{
    Failure, Output, excerpt, explain,
    input::{Bench, read_bench_or_stdin},
    look::{Look, Tone},
    printable,
};

/// Reads and checks bench files; changes nothing, opens no port
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint check bench.toml --format json\n  \
              setpoint check - < bench.toml\n  \
              setpoint check bench.toml --explain instruments.psu.address\n\n\
              A bench is read with all its layers: what it includes, bench.NAME.toml for the\n\
              environment NAME, .env, the process environment.\n\n\
              Exit status: 0 fit to run, 1 it has errors, 3 it cannot be read.")]
pub struct Check {
    /// Bench files; - is what comes on stdin.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The environment to check for; else SETPOINT_ENV, else what the file says.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Say where the value of this key comes from and what it overrides.
    #[arg(long, value_name = "PATH")]
    explain: Option<KeyPath>,
    /// Show every finding, not the first 100 and then counts.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Check) -> Result<(), Failure> {
    let benches: Vec<Bench> = command
        .files
        .iter()
        .map(|file| read_bench_or_stdin(file, command.env.as_deref()))
        .collect::<Result<_, _>>()?;
    if let Some(path) = &command.explain {
        return match benches.as_slice() {
            [bench] => explain::run(bench, path, command.all, command.output),
            _ => Err(Failure::usage("--explain takes one bench file")),
        };
    }
    let ok = benches.iter().all(Bench::ok);
    if command.output.is_json() {
        let findings: Vec<&Diagnostic> =
            benches.iter().flat_map(|bench| bench.findings()).collect();
        command.output.json(&json!({"ok": ok, "diagnostics": findings}))?;
    } else {
        let look = Look::stdout();
        benches.iter().for_each(|bench| report(bench, command.all, command.output, look));
    }
    if ok { Ok(()) } else { Err(Failure::wrong("")) }
}

/// All findings of a bench and the verdict, for a person.
pub fn report(bench: &Bench, all: bool, output: Output, look: Look) {
    if output.quiet {
        return;
    }
    let mut sources = bench.sources();
    for block in excerpt::report(bench.findings(), &mut sources, look, all) {
        output.line(block);
        output.line("");
    }
    output.line(verdict(bench, look));
}

/// `bench.toml: does not run, 2 errors, 1 warning`
pub fn verdict(bench: &Bench, look: Look) -> String {
    let summary = excerpt::summary(bench.findings());
    let name = printable::line(&bench.name);
    let verdict = if bench.ok() {
        look.paint(Tone::Green, "fit to run")
    } else {
        look.paint(Tone::Red, "does not run")
    };
    let gap = if summary.is_empty() { "" } else { ", " };
    format!("{name}: {verdict}{gap}{summary}")
}

/// Whether any finding keeps a bench from running.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
