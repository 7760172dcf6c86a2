//! A bench that nobody runs: its files read, edited and written as a running bench would.

use std::{path::Path, sync::Arc};

use setpoint_bench::{Change, Diagnostic, TextEdit};
use setpoint_store::{ReadError, StoreError, TextHash};

use crate::{
    catalogue::Drivers,
    files::{Files, Meaning},
};

/// The files of a bench as they are, and what they mean. No device is opened.
///
/// Whoever writes holds the lock of the bench's folder meanwhile, so that nobody runs it.
pub struct OfflineBench {
    files: Files,
    drivers: Drivers,
    text: Arc<str>,
    hash: TextHash,
    meaning: Meaning,
}

/// What edits make of the files, not written yet.
pub struct OfflineEdit {
    /// All files as one text, as revisions keep it.
    pub text: Arc<str>,
    /// What differs from before.
    pub changes: Vec<Change>,
    /// What is wrong with it, or worth knowing.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether it may run.
    pub runs: bool,
}

impl OfflineBench {
    /// Reads the files for an environment, or the one that their surroundings name. Blocks.
    ///
    /// # Errors
    /// [`ReadError`] of the bench file.
    pub fn read(path: &Path, environment: Option<&str>) -> Result<Self, ReadError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let drivers = Drivers::beside(&path);
        let files = Files::new(&path, environment.map(str::to_owned));
        let file = files.read(&drivers)?;
        let meaning = files.meaning(&file.text, None, &drivers);
        Ok(Self { files, drivers, text: file.text, hash: file.hash, meaning })
    }

    /// All files as one text, as revisions keep it.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The fingerprint of that.
    pub fn hash(&self) -> TextHash {
        self.hash
    }

    /// What is wrong with the files as they are.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        self.meaning.diagnostics()
    }

    /// What edits make of the files, each in the file and layer that holds its key. `annotate` is
    /// the time for remarks, left where the bench wants them.
    ///
    /// # Errors
    /// A sentence about the edit that cannot be made.
    pub fn edited(&self, edits: &[TextEdit], annotate: &str) -> Result<OfflineEdit, String> {
        let wanted = self.meaning.bench().is_some_and(|bench| bench.runtime.annotate);
        let annotate = wanted.then_some(annotate);
        let text = self
            .files
            .edited(&self.text, &self.meaning, edits, annotate, &self.drivers)
            .map_err(|error| error.to_string())?;
        let after = self.files.meaning(&text, Some(&self.meaning), &self.drivers);
        Ok(OfflineEdit {
            changes: setpoint_bench::diff(&self.meaning.values(), &after.values()),
            diagnostics: after.diagnostics().to_vec(),
            runs: after.bench().is_some(),
            text: after.packed(&text),
        })
    }

    /// Writes a text of all files over them, each whole at every instant, if they still hold what
    /// was read. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if they hold something else by now, else that of the first file
    /// that cannot be written; what was written before it has its old text again.
    pub fn write(&self, path: &Path, text: &str) -> Result<(), StoreError> {
        match self.files.read(&self.drivers) {
            Ok(now) if now.hash == self.hash => self.files.write(text),
            _ => Err(StoreError::Changed { path: path.to_owned() }),
        }
    }

    /// Writes what was read over a text that was just written. Blocks.
    ///
    /// # Errors
    /// As [`OfflineBench::write`].
    pub fn write_back(&self) -> Result<(), StoreError> {
        self.files.write(&self.text)
    }
}
