//! `journal.toml`: what a commit is about to do, on disk before its first step, so that a restart
//! after a crash knows how far it came.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Facts, RevisionRecord, StoreError, TextHash, atomic,
    folder::{BenchFolder, sync_folder},
};

/// What a commit is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When it began.
    pub at: Timestamp,
    /// The revision that runs until then; empty if there is none. Its text is what going back
    /// brings back.
    pub from_revision: String,
    /// Fingerprint of that revision's text, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_hash: Option<TextHash>,
    /// Fingerprint of the text to come.
    pub to_hash: TextHash,
    /// The text to come; empty if it is kept elsewhere.
    #[serde(default)]
    pub to_text: String,
    /// Who; empty where that is not known.
    #[serde(default)]
    pub author: String,
    /// Through which door: `panel`, `file`, `api`, …; empty where that is not known.
    #[serde(default)]
    pub origin: String,
    /// Why, in the author's words; may be empty.
    #[serde(default)]
    pub message: String,
    /// The steps in order, in words for a person.
    pub steps: Vec<String>,
    /// For each of `steps` what it touches: `psu` for an instrument's link, `psu.ch1.voltage` for
    /// a parameter, empty for anything else. Shorter than `steps`: not known of the others.
    #[serde(default)]
    pub touches: Vec<String>,
    /// Indices into `steps`, from 0, of those that were taken and not taken back, in the order
    /// they were. A step that is not among them may have been taken all the same: the crash came
    /// before that could be written down.
    #[serde(skip)]
    pub done: Vec<usize>,
    /// By index into `steps`: what a parameter read just before it was set.
    #[serde(skip)]
    pub before: BTreeMap<usize, Value>,
}

impl Intent {
    /// One that begins now, with no step taken.
    pub fn now(from_revision: impl Into<String>, to_hash: TextHash, steps: Vec<String>) -> Self {
        Self {
            at: Timestamp::now(),
            from_revision: from_revision.into(),
            from_hash: None,
            to_hash,
            to_text: String::new(),
            author: String::new(),
            origin: String::new(),
            message: String::new(),
            steps,
            touches: Vec::new(),
            done: Vec::new(),
            before: BTreeMap::new(),
        }
    }

    /// What is known about the revision that it was to bring.
    pub fn facts(&self) -> Facts {
        let message = match self.message.as_str() {
            "" => "From a change in the middle of which Setpoint ended",
            message => message,
        };
        let (author, origin) = (self.author.clone(), self.origin.clone());
        Facts { author, origin, message: message.to_owned(), ..Facts::default() }
    }

    /// Whether a revision holds what it was to bring, and is later than the one it began from.
    pub fn brought(&self, revision: &RevisionRecord) -> bool {
        let from = self.from_revision.strip_prefix('r').and_then(|number| number.parse().ok());
        revision.hash == self.to_hash && revision.number > from.unwrap_or(0)
    }
}

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepNote {
    /// It was taken.
    Done {
        /// Index into [`Intent::steps`].
        step: usize,
        /// What the parameter it set read just before, if it set one.
        before: Option<Value>,
    },
    /// It was taken back.
    Undone {
        /// Index into [`Intent::steps`].
        step: usize,
    },
}

/// Writes and reads `journal.toml`. There is one only while a commit is under way, and after a
/// crash until someone has decided what becomes of it.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
    /// A sync of the file that is there failed: it is not synced again, but written anew.
    spoiled: Arc<AtomicBool>,
}

impl Journal {
    /// For a bench. Touches no disk.
    pub fn open(folder: &BenchFolder) -> Self {
        Self { path: folder.journal(), spoiled: Arc::default() }
    }

    /// Puts on disk what is about to be done. When this returns, a crash cannot hide it.
    ///
    /// # Errors
    /// When it cannot be written; the commit must not begin then.
    pub fn begin(&self, intent: &Intent) -> Result<(), StoreError> {
        if self.path.exists() {
            tracing::warn!(file = %self.path.display(), "an unfinished commit is given up");
        }
        self.put(intent)
    }

    /// Puts an intent on disk with what is known to be done of it, in the place of what was there.
    ///
    /// # Errors
    /// When it cannot be written; what was there still is.
    pub fn put(&self, intent: &Intent) -> Result<(), StoreError> {
        let text = toml::to_string(intent).map_err(|e| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("it cannot be written as TOML: {e}"),
        })?;
        // Steps are appended behind this: one line and one sync each, however long the text is.
        let mut text = format!("{text}\n[done]\n");
        for (place, step) in intent.done.iter().enumerate() {
            // Their order is told by their times.
            let at = intent.at + SignedDuration::from_nanos(i64::try_from(place).unwrap_or(0));
            line(&mut text, *step, at, intent.before.get(step));
        }
        self.replace(text.as_bytes())
    }

    /// Puts a file of its own in the place of the one that is there.
    fn replace(&self, bytes: &[u8]) -> Result<(), StoreError> {
        atomic::replace_private(&self.path, bytes)?;
        self.spoiled.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Puts on disk that a step was taken.
    ///
    /// # Errors
    /// When it cannot be written, or no commit is under way.
    pub fn step_done(&self, step: usize) -> Result<(), StoreError> {
        self.note(&[StepNote::Done { step, before: None }])
    }

    /// Puts on disk what happened to steps, with one sync for all of them. Each may be done once
    /// and undone once.
    ///
    /// # Errors
    /// When it cannot be written, or no commit is under way.
    pub fn note(&self, notes: &[StepNote]) -> Result<(), StoreError> {
        let mut lines = String::new();
        for note in notes {
            match note {
                StepNote::Done { step, before } => {
                    line(&mut lines, *step, Timestamp::now(), before.as_ref());
                }
                StepNote::Undone { step } => {
                    // Writing to a string does not fail.
                    let _ = writeln!(lines, "u{step} = \"{}\"", Timestamp::now());
                }
            }
        }
        let failed = |e: io::Error| StoreError::io("write", &self.path, &e);
        if self.spoiled.load(Ordering::Relaxed) {
            let mut whole = fs::read(&self.path).map_err(failed)?;
            whole.extend(lines.as_bytes());
            return self.replace(&whole);
        }
        self.append(lines.as_bytes()).map_err(failed)
    }

    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        let whole = file.metadata()?.len();
        let mut written = file.write_all(lines);
        if written.is_ok() {
            written = file.sync_data();
            self.spoiled.store(written.is_err(), Ordering::Relaxed);
        }
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
        if !self.path.exists() {
            self.spoiled.store(false, Ordering::Relaxed);
        }
        removed.map_err(|e| StoreError::io("remove", &self.path, &e))
    }

    /// Gives a journal that makes no sense another name, `journal-damaged-<UTC time>.toml`, and
    /// answers that: nothing is thrown away, and the next commit can begin.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
        let aside = self.path.with_file_name(format!("journal-damaged-{stamp}.toml"));
        fs::rename(&self.path, &aside)
            .and_then(|()| self.path.parent().map_or(Ok(()), sync_folder))
            .map_err(|e| StoreError::io("rename", &self.path, &e))?;
        Ok(aside)
    }

    /// The commit that a crash interrupted, if there is one. Ask before the first
    /// [`Journal::begin`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it makes no sense; anything else if it cannot be read now.
    pub fn found(&self) -> Result<Option<Intent>, StoreError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("read", &self.path, &e)),
        };
        let damaged = |what: String| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("{what}; look at it and remove it"),
        };
        // A step that was being written when it happened does not count.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let whole = bytes.get(..end).unwrap_or_default();
        let whole = std::str::from_utf8(whole).map_err(|e| damaged(e.to_string()))?;
        let written: Written = toml::from_str(whole).map_err(|e| damaged(e.to_string()))?;
        let mut intent = written.intent;
        if !intent.to_text.is_empty() && TextHash::of(&intent.to_text) != intent.to_hash {
            return Err(damaged("its text is not the one it was written with".into()));
        }
        let mut steps: Vec<(Timestamp, usize)> = Vec::new();
        for (key, done) in &written.done {
            let Ok(step) = key.parse() else { continue };
            let (at, before) = match done {
                Done::At(at) => (*at, None),
                Done::With { at, before } => (*at, before.clone()),
            };
            intent.before.extend(before.map(|before| (step, before)));
            if !written.done.contains_key(&format!("u{step}")) {
                steps.push((at, step));
            }
        }
        steps.sort();
        intent.done = steps.into_iter().map(|(_, step)| step).collect();
        Ok(Some(intent))
    }
}

/// One line of what was done.
fn line(lines: &mut String, step: usize, at: Timestamp, before: Option<&Value>) {
    let before = before.and_then(|before| toml::Value::try_from(before).ok());
    let before = before.map(|before| format!(", before = {before}")).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(lines, "{step} = {{ at = \"{at}\"{before} }}");
}

#[derive(Deserialize)]
struct Written {
    #[serde(flatten)]
    intent: Intent,
    done: BTreeMap<String, Done>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Done {
    At(Timestamp),
    With {
        at: Timestamp,
        #[serde(default)]
        before: Option<Value>,
    },
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
    fn keeps_what_was_read_before_and_what_was_taken_back() {
        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        let intent = intent();
        journal.begin(&intent).unwrap();
        let before = Some(Value::from("off \"for\" now"));
        journal
            .note(&[
                StepNote::Done { step: 0, before: Some(3.3.into()) },
                StepNote::Done { step: 1, before },
            ])
            .unwrap();
        journal.note(&[StepNote::Undone { step: 1 }]).unwrap();
        let mut found = journal.found().unwrap().unwrap();
        assert_eq!((found.done.as_slice(), &found.before[&0]), ([0].as_slice(), &3.3.into()));
        assert_eq!(found.before[&1], "off \"for\" now");
        // Written again with more to do, it says the same of what was done.
        found.steps.push("and back".into());
        found.before.remove(&1);
        journal.put(&found).unwrap();
        assert_eq!(journal.found().unwrap(), Some(found));
    }

    #[test]
    fn a_damaged_one_is_set_aside() {
        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        fs::write(folder.journal(), b"\xff\xfe\n").unwrap();
        assert!(journal.found().is_err());
        let aside = journal.set_aside().unwrap();
        assert_eq!(fs::read(aside).unwrap(), b"\xff\xfe\n");
        assert_eq!(journal.found().unwrap(), None);
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
    fn a_file_whose_sync_failed_is_put_aside_for_another() {
        use std::os::unix::fs::MetadataExt as _;

        let (_dir, folder) = folder();
        let journal = Journal::open(&folder);
        journal.begin(&intent()).unwrap();
        journal.step_done(0).unwrap();
        let number = || fs::metadata(folder.journal()).unwrap().ino();
        let before = number();
        // A clone is the same journal.
        journal.clone().spoiled.store(true, Ordering::Relaxed);
        journal.step_done(1).unwrap();
        let after = number();
        assert_ne!(after, before);
        journal.note(&[StepNote::Undone { step: 1 }]).unwrap();
        assert_eq!(number(), after, "the fresh one is written to");
        assert_eq!(journal.found().unwrap().unwrap().done, [0]);
    }

    #[test]
    fn no_step_without_a_commit() {
        let (_dir, folder) = folder();
        assert!(Journal::open(&folder).step_done(0).is_err());
        assert!(!folder.journal().exists());
    }
}
