//! Rules of this repository that no compiler knows.

mod files;
mod text;
mod walls;

use std::path::Path;

use crate::Failure;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, from the top folder.
    file: String,
    /// Counts from 1; 0 for the file as a whole.
    line: usize,
    /// Which rule, and what to do.
    message: String,
}

/// Checks the whole tree and prints every breach.
///
/// # Errors
/// If there is one, or a file cannot be read.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let files = files::collect(root)
        .map_err(|error| Failure::new(format!("cannot read the repository: {error}")))?;
    let mut findings: Vec<_> = files.iter().flat_map(text::check).collect();
    findings.extend(walls::check(&files));
    if findings.is_empty() {
        println!("{} files, nothing to tidy", files.len());
        return Ok(());
    }
    for Finding { file, line, message } in &findings {
        println!("{file}:{line}: {message}");
    }
    Err(Failure::new(format!("{} to tidy", findings.len())))
}
