//! Printing, and how a command ends.

use std::{
    io::{self, ErrorKind, Write},
    ops::ControlFlow,
    process::ExitCode,
    sync::OnceLock,
};

use serde::Serialize;
use serde_json::json;
use setpoint_bench::Diagnostic;

use crate::cli::{excerpt, look::Look, printable, sources::Sources};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// What every command that prints data takes.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Output {
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

/// How rows of data are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum RowFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// A table for spreadsheets.
    Csv,
}

/// What every command that prints rows takes.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct RowOutput {
    /// For people, for programs or for spreadsheets.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: RowFormat,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

impl Output {
    /// Whether programs read it.
    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Prints to stdout, a line end added, unless `--quiet` was given.
    pub fn line(self, text: impl AsRef<str>) {
        if !self.quiet {
            print(text.as_ref());
        }
    }

    /// Prints a text to stdout as it is, unless `--quiet` was given.
    pub fn exactly(self, text: &str) {
        if !self.quiet {
            let mut out = io::stdout().lock();
            written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        }
    }

    /// Prints one line of JSON, unless `--quiet` was given.
    ///
    /// # Errors
    /// [`Failure`] if the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value)
            .map_err(|error| Failure::unusable(format!("the answer is no JSON: {error}")))?;
        self.line(text);
        Ok(())
    }
}

/// Why something that was to be printed could not be written: a full disk, say.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints one line to stdout. A reader that went away (`setpoint … | head`) is no error; anything
/// else that keeps it from being written is told at the [`end`].
pub fn print(text: &str) {
    written(row(text));
}

/// Remembers that something could not be written.
pub fn written(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// What becomes of a list of which a row was written: nobody reads it any more, or it cannot be
/// written, which is told at the [`end`].
pub fn handed(row: io::Result<()>) -> ControlFlow<()> {
    match row {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            written(Err(error));
            ControlFlow::Break(())
        }
    }
}

/// Writes one row of text to stdout.
pub fn row(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// Prints one line to stderr.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How the program ends: `status`, or 3 if not all could be printed that was to be.
pub fn end(status: u8) -> ExitCode {
    match LOST.get() {
        None => ExitCode::from(status),
        Some(why) => {
            note(&format!("setpoint: the answer could not be written: {why}"));
            ExitCode::from(3)
        }
    }
}

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub struct Failure {
    status: u8,
    message: String,
    /// The findings as a person reads them.
    details: String,
    diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// The bench is wrong. Findings that were printed already leave the message empty.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    /// The arguments do not make sense together, or name something that does not exist.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(2, message)
    }

    /// A file, port or running panel could not be reached or used.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self::new(3, message)
    }

    fn new(status: u8, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message, details: String::new(), diagnostics: Vec::new() }
    }

    /// With the findings that are the reason.
    pub fn with_findings(mut self, findings: &[Diagnostic], sources: &mut Sources<'_>) -> Self {
        self.details = excerpt::report(findings, sources, Look::stderr(), false).join("\n\n");
        self.diagnostics = findings.to_vec();
        self
    }

    /// The same where a bench that is wrong would have findings: without any, what was asked for
    /// is wrong, such as a label that is taken.
    pub fn of_a_label(self) -> Self {
        let asked = self.status == 1 && self.diagnostics.is_empty();
        Self { status: if asked { 2 } else { self.status }, ..self }
    }

    /// With another line to the message.
    pub fn adding(mut self, line: &str) -> Self {
        self.message = format!("{}\n{line}", self.message);
        self
    }

    /// What happened, where, what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Says why and gives the exit status: on stderr for people, on stdout for programs, so that
    /// what they read is JSON whatever happens.
    pub fn report(self, json: bool) -> ExitCode {
        let Self { status, message, details, diagnostics } = self;
        if message.is_empty() {
            return end(status);
        }
        if json {
            let mut answer = json!({
                "ok": false,
                "error": {"status": status, "kind": kind(status), "message": message},
            });
            if !diagnostics.is_empty() {
                answer["diagnostics"] = json!(diagnostics);
            }
            print(&answer.to_string());
        } else {
            note(&format!("setpoint: {}", printable::lines(&message)));
            if !details.is_empty() {
                note(&format!("\n{details}"));
            }
        }
        end(status)
    }
}

/// An exit status as a word.
fn kind(status: u8) -> &'static str {
    match status {
        1 => "bench",
        2 => "usage",
        _ => "unusable",
    }
}
