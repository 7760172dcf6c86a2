//! Reading bench files and revisions for commands.

use std::path::Path;

use setpoint_bench::{Diagnostic, Reading, Severity, Span};
use setpoint_runtime::Drivers;
use setpoint_store::{ReadError, atomic};

use crate::cli::{Failure, check::has_errors};

/// A bench file that could be read, whether it checks or not.
pub struct Bench {
    /// The file as the person gave it.
    pub name: String,
    /// Its text; empty where it is none.
    pub text: String,
    /// What it means and what is wrong with it.
    pub reading: Reading,
}

impl Bench {
    /// Whether it may run.
    pub fn ok(&self) -> bool {
        !has_errors(&self.reading.diagnostics)
    }
}

/// Reads and checks a bench file with the drivers beside it. What is wrong with its content is a
/// finding; `env` names the environment to check for.
///
/// # Errors
/// [`Failure`] if the file cannot be read.
pub fn read_bench(path: &Path, env: Option<&str>) -> Result<Bench, Failure> {
    let name = path.display().to_string();
    let (text, mut reading) = match atomic::read(path) {
        Ok(file) => {
            let reading = setpoint_bench::read(&name, &file.text, &Drivers::beside(path));
            (file.text.to_string(), reading)
        }
        Err(ReadError::NotUtf8 { line, column, .. }) => {
            (String::new(), setpoint_bench::check::not_utf8(&name, line, column))
        }
        Err(error) => return Err(Failure::unusable(error.to_string())),
    };
    if let Some(finding) = env.and_then(|env| overlay_not_read(path, &name, env)) {
        reading.diagnostics.insert(0, finding);
    }
    Ok(Bench { name, text, reading })
}

/// Says so where there are values for an environment that would not be taken into account.
fn overlay_not_read(path: &Path, name: &str, env: &str) -> Option<Diagnostic> {
    let overlay = path.with_extension(format!("{env}.toml"));
    overlay.exists().then(|| Diagnostic {
        severity: Severity::Warning,
        code: "overlay_not_read".to_owned(),
        path: String::new(),
        message: format!("{} is not read: benches have no layers yet", overlay.display()),
        file: name.to_owned(),
        span: Span { line: 1, column: 1, end_line: 1, end_column: 1 },
        suggestion: None,
    })
}
