//! `journal.toml`: what a commit is about to do, on disk before its first step, so that a restart
//! after a crash knows how far it came.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{StoreError, TextHash, atomic, folder::BenchFolder, folder::sync_folder};

/// What a commit is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When it began.
    pub at: Timestamp,
    /// The revision that runs until then; empty if there is none.
    pub from_revision: String,
    /// Fingerprint of the text to come.
    pub to_hash: TextHash,
    /// The text to come; empty if it is kept elsewhere.
    #[serde(default)]
    pub to_text: String,
    /// The steps in order, in words for a person.
    pub steps: Vec<String>,
    /// Indices into `steps`, from 0, of those that were taken, in the order they were.
    #[serde(skip)]
    pub done: Vec<usize>,
}

impl Intent {
    /// One that begins now, with no step taken.
    pub fn now(from_revision: impl Into<String>, to_hash: TextHash, steps: Vec<String>) -> Self {
        Self {
            at: Timestamp::now(),
            from_revision: from_revision.into(),
            to_hash,
            to_text: String::new(),
            steps,
            done: Vec::new(),
        }
    }
}

/// Writes and reads `journal.toml`. There is one only while a commit is under way.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// For a bench. Touches no disk.
    pub fn open(folder: &BenchFolder) -> Self {
        Self { path: folder.journal() }
    }

    /// Puts on disk what is about to be done. When this returns, a crash cannot hide it.
    ///
    /// # Errors
    /// When it cannot be written; the commit must not begin then.
    pub fn begin(&self, intent: &Intent) -> Result<(), StoreError> {
        let text = toml::to_string(intent).map_err(|e| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("it cannot be written as TOML: {e}"),
        })?;
        if self.path.exists() {
            tracing::warn!(file = %self.path.display(), "an unfinished commit is given up");
        }
        // Steps are appended behind this: one line and one sync each, however long the text is.
        atomic::replace_private(&self.path, format!("{text}\n[done]\n").as_bytes())
    }

    /// Puts on disk that a step was taken.
    ///
    /// # Errors
    /// When it cannot be written, or no commit is under way.
    pub fn step_done(&self, step: usize) -> Result<(), StoreError> {
        let line = format!("{step} = \"{}\"\n", Timestamp::now());
        self.append(line.as_bytes()).map_err(|e| StoreError::io("write", &self.path, &e))
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        let whole = file.metadata()?.len();
        let written = file.write_all(line).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line must not stand in front of the next one.
            file.set_len(whole)?;
        }
        written
    }

    /// The commit is over, whichever way.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn clear(&self) -> Result<(), StoreError> {
        let removed = match fs::remove_file(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
            Ok(()) => self.path.parent().map_or(Ok(()), sync_folder),
        };
        removed.map_err(|e| StoreError::io("remove", &self.path, &e))
    }

    /// The commit that a crash interrupted, if there is one. Ask before the first
    /// [`Journal::begin`].
    ///
    /// # Errors
    /// When the file cannot be read or makes no sense.
    pub fn found(&self) -> Result<Option<Intent>, StoreError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("read", &self.path, &e)),
        };
        let damaged = |what: String| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("{what}; look at it and remove it"),
        };
        // A step that was being written when it happened does not count.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let written: Written = toml::from_str(whole).map_err(|e| damaged(e.to_string()))?;
        let mut intent = written.intent;
        if !intent.to_text.is_empty() && TextHash::of(&intent.to_text) != intent.to_hash {
            return Err(damaged("its text is not the one it was written with".into()));
        }
        let mut steps: Vec<(Timestamp, usize)> = written
            .done
            .into_iter()
            .filter_map(|(step, at)| Some((at, step.parse().ok()?)))
            .collect();
        steps.sort();
        intent.done = steps.into_iter().map(|(_, step)| step).collect();
        Ok(Some(intent))
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(flatten)]
    intent: Intent,
    done: BTreeMap<String, Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, BenchFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        (dir, folder)
    }

    fn intent() -> Intent {
        let text = "# \"quotes\", '''more''' and\r\n\tü = \"\"\"x\"\"\"\n[psu]\n";
        let steps = vec!["psu.ch1.voltage 3.3 → 3.45 V".into(), "write bench.toml".into()];
        Intent { to_text: text.into(), ..Intent::now("r41", TextHash::of(text), steps) }
    }

    #[test]
    fn is_there_from_begin_to_clear() {
        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        assert_eq!(journal.found().unwrap(), None);
        let intent = intent();
        journal.begin(&intent).unwrap();
        assert_eq!(journal.found().unwrap(), Some(intent));
        journal.clear().unwrap();
        assert_eq!(journal.found().unwrap(), None);
        journal.clear().unwrap();
    }

    #[test]
    fn tells_how_far_it_came_also_with_a_torn_last_line() {
        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        journal.begin(&intent()).unwrap();
        journal.step_done(1).unwrap();
        journal.step_done(0).unwrap();
        let mut file = OpenOptions::new().append(true).open(folder.journal()).unwrap();
        file.write_all(b"7 = \"2026-1").unwrap();
        assert_eq!(journal.found().unwrap().unwrap().done, [1, 0]);
    }

    #[test]
    fn a_damaged_one_is_named() {
        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        fs::write(folder.journal(), "not = \"a journal\"\n").unwrap();
        let error = journal.found().unwrap_err().to_string();
        assert!(error.contains("journal.toml is damaged"), "{error}");
        journal.begin(&Intent { to_text: "other".into(), ..intent() }).unwrap();
        assert!(journal.found().is_err());
    }

    #[test]
    fn no_step_without_a_commit() {
        let (_dir, folder) = folder();
        assert!(Journal::open(&folder).step_done(0).is_err());
        assert!(!folder.journal().exists());
    }
}
