//! Reading bench files and revisions for commands.

use std::{
    io::{self, Read},
    path::Path,
};

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

/// The same; `-` is what comes on stdin, with the drivers beside the current folder.
///
/// # Errors
/// As [`read_bench`].
pub fn read_bench_or_stdin(path: &Path, env: Option<&str>) -> Result<Bench, Failure> {
    if path != Path::new("-") {
        return read_bench(path, env);
    }
    let name = "stdin".to_owned();
    let mut bytes = Vec::new();
    // One more than may be, so that too much is noticed.
    let most = atomic::MAX_BYTES + 1;
    io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unusable(format!("stdin cannot be read: {error}")))?;
    if bytes.len() as u64 == most {
        let mib = atomic::MAX_BYTES >> 20;
        return Err(Failure::unusable(format!(
            "more than {mib} MiB come on stdin; that is no bench file"
        )));
    }
    let (text, reading) = match String::from_utf8(bytes) {
        Ok(text) => {
            let reading = setpoint_bench::read(&name, &text, &Drivers::beside(path));
            (text, reading)
        }
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let last = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = 1 + String::from_utf8_lossy(last).chars().count();
            (String::new(), setpoint_bench::check::not_utf8(&name, line, column))
        }
    };
    Ok(Bench { name, text, reading })
}

/// Whether a text has nothing to compare or to plan with, because it is not TOML.
pub fn is_broken(reading: &Reading) -> bool {
    let broken = ["syntax", "not_utf8", "too_large"];
    reading.diagnostics.iter().any(|one| broken.contains(&one.code.as_str()))
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
