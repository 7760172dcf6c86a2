//! Printing, and how a command ends.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

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
            let _ = out.write_all(text.as_bytes());
            let _ = out.flush();
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

/// Prints one line to stdout. A reader that went away (`setpoint … | head`) is no error.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Prints one line to stderr.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether colours may be used on stdout.
pub fn colours() -> bool {
    io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    /// The bench is wrong. Findings that were printed already leave the message empty.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self { status: 1, message: message.into() }
    }

    /// The arguments do not make sense together, or name something that does not exist.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { status: 2, message: message.into() }
    }

    /// A file, port or running panel could not be reached or used.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self { status: 3, message: message.into() }
    }

    /// What happened, where, what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Says why on stderr and gives the exit status.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            note(&format!("setpoint: {}", self.message));
        }
        ExitCode::from(self.status)
    }
}
