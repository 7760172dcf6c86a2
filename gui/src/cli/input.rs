//! Reading bench files and revisions for commands.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use setpoint_bench::{
    Diagnostic, Reading,
    layers::{LayeredReading, Surroundings, Unreadable, read_layers},
};
use setpoint_runtime::Drivers;
use setpoint_store::{
    AccessError, AccessRules, DiskSurroundings, ReadError, access::exposed_secrets, atomic,
};

use crate::{
    cli::{Failure, check::has_errors, sources::Sources},
    settings,
};

/// A bench file that could be read, whether it checks or not.
pub struct Bench {
    /// The file as the person gave it.
    pub name: String,
    /// Its text; empty where it is none.
    pub text: Arc<str>,
    /// What it and the other layers of its bench come to.
    pub layers: LayeredReading,
    /// The instrument types it was checked with.
    pub drivers: Drivers,
}

impl Bench {
    /// What it means and what is wrong with it, all layers together.
    pub fn reading(&self) -> &Reading {
        &self.layers.reading
    }

    /// What is wrong with it.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.reading().diagnostics
    }

    /// Whether it may run.
    pub fn ok(&self) -> bool {
        !has_errors(self.findings())
    }

    /// The texts that its findings are about.
    pub fn sources(&self) -> Sources<'_> {
        let mut sources = Sources::default();
        self.add_to(&mut sources);
        sources
    }

    /// Likewise, beside those of other benches.
    pub fn add_to<'t>(&'t self, sources: &mut Sources<'t>) {
        for file in &self.layers.files {
            sources.add(&file.name, &file.text);
        }
        sources.add(&self.name, &self.text);
    }
}

/// Reads and checks a bench file with all its layers and with the drivers beside it. What is wrong
/// with its content is a finding; `env` names the environment to read it for.
///
/// # Errors
/// [`Failure`] if the file cannot be read.
pub fn read_bench(path: &Path, env: Option<&str>) -> Result<Bench, Failure> {
    Ok(layered(path.display().to_string(), text_of(path)?, path, env, rules()?))
}

/// Which files a bench may be made of, by the person's settings.
pub fn rules() -> Result<AccessRules, Failure> {
    settings::access().map_err(|error| Failure::unusable(error.to_string()))
}

/// What a bench would be if its file had the text of another: `new` is read in place of the bench
/// file at `path`, with the other layers and the drivers of that.
///
/// # Errors
/// As [`read_bench`].
pub fn read_in_place_of(path: &Path, new: &Path, env: Option<&str>) -> Result<Bench, Failure> {
    let (old, name) = (path.display().to_string(), new.display().to_string());
    let mut bench = layered(old.clone(), text_of(new)?, path, env, rules()?);
    // What is found in the text is found in the file that holds it.
    for finding in &mut bench.layers.reading.diagnostics {
        if finding.file == old {
            finding.file.clone_from(&name);
        }
    }
    for file in bench.layers.files.iter_mut().filter(|file| *file.name == *old) {
        file.name = name.as_str().into();
    }
    bench.name = name;
    Ok(bench)
}

/// What a bench would be if its file had another text.
pub fn read_with_text(path: &Path, text: &str) -> Bench {
    let rules = settings::access().unwrap_or_default();
    layered(path.display().to_string(), Ok(text.into()), path, None, rules)
}

type Text = Result<Arc<str>, Unreadable>;

/// The text of a file; that it is none is a finding.
fn text_of(path: &Path) -> Result<Text, Failure> {
    match atomic::read(path) {
        Ok(file) => Ok(Ok(file.text)),
        Err(ReadError::NotUtf8 { line, column, .. }) => {
            Ok(Err(Unreadable::NotUtf8 { line, column }))
        }
        Err(error) => Err(Failure::unusable(error.to_string())),
    }
}

fn layered(name: String, text: Text, path: &Path, env: Option<&str>, rules: AccessRules) -> Bench {
    let drivers = Drivers::beside(path);
    let file = name.rsplit('/').next().unwrap_or(&name);
    let around = Around { file, text: &text, disk: DiskSurroundings::beside(path).allowing(rules) };
    let layers = read_layers(&name, &around, env, &drivers);
    Bench { text: text.unwrap_or_else(|_| "".into()), name, layers, drivers }
}

/// The disk and the process environment, the main file's text given.
struct Around<'t> {
    file: &'t str,
    text: &'t Text,
    disk: DiskSurroundings,
}

impl Surroundings for Around<'_> {
    fn file(&self, name: &str) -> Text {
        if name == self.file { self.text.clone() } else { self.disk.file(name) }
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        self.disk.matching(pattern)
    }

    fn allows(&self, path: &str) -> bool {
        self.disk.allows(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.disk.variable(name)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.disk.variables()
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.disk.secret(name)
    }
}

/// The same as [`read_bench`], with a finding where others may write the file, so that no bench
/// would be run from it, and one for each file with secrets that others may read; `-` is what comes on stdin, with the drivers and the layers beside the
/// current folder. A text without a name has no overlay.
///
/// # Errors
/// As [`read_bench`].
pub fn read_bench_or_stdin(path: &Path, env: Option<&str>) -> Result<Bench, Failure> {
    if path != Path::new("-") {
        let (text, rules) = (text_of(path)?, rules()?);
        let not_allowed = |error: AccessError| Err(Unreadable::NotAllowed(error.to_string()));
        let text = rules.check(path).map_or_else(not_allowed, |()| text);
        let mut bench = layered(path.display().to_string(), text, path, env, rules);
        let findings = &mut bench.layers.reading.diagnostics;
        findings.extend(exposed_secrets(path, &bench.name, findings));
        return Ok(bench);
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
    Ok(match String::from_utf8(bytes) {
        Ok(text) => layered(name, Ok(text.into()), path, env, rules()?),
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let last = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = 1 + String::from_utf8_lossy(last).chars().count();
            layered(name, Err(Unreadable::NotUtf8 { line, column }), path, env, rules()?)
        }
    })
}

/// Whether a bench has nothing to compare or to plan with, because one of its files is not TOML
/// or cannot be had.
pub fn is_broken(reading: &Reading) -> bool {
    let broken =
        ["syntax", "not_utf8", "too_large", "missing_include", "unreadable", "not_allowed"];
    reading.diagnostics.iter().any(|one| broken.contains(&one.code.as_str()))
}
