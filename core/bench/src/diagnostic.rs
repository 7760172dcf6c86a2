//! One finding of a check, and its place in the file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is. A file with an error does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Runs, but probably not as meant.
    Warning,
    /// Does not run.
    Error,
}

/// A stretch of a file. Lines and columns start at 1, columns count characters, the end is
/// exclusive: the column after the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// The very beginning of a file.
impl Default for Span {
    fn default() -> Self {
        Self { line: 1, column: 1, end_line: 1, end_column: 1 }
    }
}

/// One finding. Serialises to the shape that `check --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of the kind of finding: `unknown_key`, `out_of_range`, `syntax`, …
    pub code: String,
    /// The key it is about, as a dotted path; empty for the file as a whole.
    pub path: String,
    /// What is wrong, in a sentence, with the allowed values or range.
    pub message: String,
    /// The file's name as the person gave it.
    pub file: String,
    /// Where; flattened to `line`, `column`, `end_line`, `end_column`.
    #[serde(flatten)]
    pub span: Span,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suggestion: Option<String>,
}

/// `bench.toml:29:15: error: ch2.voltage 52 V is above …`
impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let Span { line, column, .. } = self.span;
        write!(out, "{}:{line}:{column}: {severity}: {}", self.file, self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(out, " (did you mean “{suggestion}”?)")?;
        }
        Ok(())
    }
}
