//! A bench that nobody runs: changes, snapshots, labels and going back on its files alone. No device
//! is touched. Everything here blocks.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use setpoint_bench::{Change, Diagnostic, KeyPath, TextEdit, Value, check, value::Table};
use setpoint_store::{
    AccessRules, Audit, BenchFolder, Facts, FolderLock, HistoryReader, Intent, Journal, ReadError,
    RevisionRecord, Revisions, StoreError, TargetLock, TextHash, revisions::changes_of,
};

use crate::{
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, Meaning, OnDiskText},
    going_back, keeping,
    kept::KeptRevision,
    naming::snapshot_facts,
    passage::summary,
    staging::none,
    status::Revision,
};

/// A bench that nobody runs, and nobody can run while this is held.
#[derive(Debug)]
pub struct Offline {
    path: PathBuf,
    files: Files,
    drivers: Drivers,
    revisions: Revisions,
    audit: Audit,
    journal: Journal,
    _lock: FolderLock,
}

/// What going back did.
#[derive(Debug, Clone)]
pub struct WentBack {
    /// The revision that the files hold now; the one asked for if they held it already.
    pub revision: Revision,
    /// What differs from before, key by key.
    pub changes: Vec<Change>,
    /// Whether anything was written.
    pub written: bool,
}

/// What a change of the files came to.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The revision that they are at.
    pub revision: Revision,
    /// What differs from before, key by key.
    pub changes: Vec<Change>,
    /// What is worth knowing about what they say now.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the files hold before something is done.
struct Now {
    disk: OnDiskText,
    meaning: Meaning,
}

impl Offline {
    /// Takes a bench for this process, as a panel does: a panel that is started meanwhile is
    /// refused. Its files are read for an environment, or the one that their surroundings name.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if someone runs it; otherwise when its folder cannot be used.
    pub fn open(
        bench: &Path,
        environment: Option<String>,
        rules: AccessRules,
    ) -> Result<Self, StoreError> {
        let folder = BenchFolder::open(bench)?;
        let lock = folder.lock()?;
        let audit = Audit::open(&folder)?;
        let revisions = Revisions::open(&folder, &audit)?;
        for problem in revisions.problems() {
            tracing::warn!("{problem}");
        }
        Ok(Self {
            path: bench.to_owned(),
            files: Files::new(bench, environment, rules),
            drivers: Drivers::beside(bench),
            revisions,
            audit,
            journal: Journal::open(&folder),
            _lock: lock,
        })
    }

    /// What is kept.
    pub fn revisions(&self) -> &Revisions {
        &self.revisions
    }

    /// What differs between two revisions, by id or label, key by key: all files of the bench as
    /// they were then.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Storage`] if a file cannot be read.
    pub fn changes(&self, old: &str, new: &str) -> Result<Vec<Change>, CommandError> {
        let (old, new) = (self.revisions.text(old)?, self.revisions.text(new)?);
        Ok(self.files.changes(&old, &new, &self.drivers))
    }

    /// A revision, by id or label, with what it changed and what was known when it was accepted.
    /// Where the history database cannot be read, that is told in it.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Storage`] if the audit log cannot be read.
    pub fn kept_revision(&self, name: &str) -> Result<KeptRevision, CommandError> {
        let missing = || CommandError::NotFound { what: "revision", name: name.to_owned() };
        let revision = keeping::revision(self.revisions.find(name).ok_or_else(missing)?);
        let folder = BenchFolder::of(&self.path);
        let changes = changes_of(&folder, &revision.id)?;
        let facts = HistoryReader::of(&folder).facts(&revision.id);
        Ok(KeptRevision::new(revision, changes, facts))
    }

    /// Keeps what the files hold as a revision, if they check.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] with the findings, also for a label that is none;
    /// [`CommandError::Conflict`] for one that is taken; [`CommandError::Storage`].
    pub fn snapshot(
        &mut self,
        label: Option<String>,
        message: String,
        author: String,
    ) -> Result<Revision, CommandError> {
        let now = self.now()?;
        if now.meaning.bench().is_none() {
            return Err(invalid(&now.meaning));
        }
        let mut facts = snapshot_facts(Origin::File, label, message, author);
        let newest = self.revisions.newest().filter(|newest| newest.hash != now.disk.hash);
        if let Some(changes) = newest.map(|newest| self.since(newest, &now)) {
            facts.data = json!({ "changes": changes });
        }
        let kept = self.revisions.keep(&now.disk.text, facts, &self.audit)?;
        self.retain(&now.meaning);
        Ok(keeping::revision(&kept))
    }

    /// Names a revision or takes its name away, and answers it as it is then.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], [`CommandError::Invalid`] or [`CommandError::Conflict`] for a
    /// label that cannot be used, [`CommandError::Storage`].
    pub fn label(
        &mut self,
        revision: &str,
        label: Option<&str>,
        author: &str,
    ) -> Result<Revision, CommandError> {
        let origin = Origin::File.as_str();
        Ok(keeping::revision(&self.revisions.label(
            revision,
            label,
            author,
            origin,
            &self.audit,
        )?))
    }

    /// Brings the files back to what they were, all of it or chosen keys. What they hold is kept
    /// first: as a revision if it checks, else as it is.
    ///
    /// # Errors
    /// As going back in a bench that runs; the files are as they were then.
    pub fn roll_back(
        &mut self,
        revision: &str,
        only: &[KeyPath],
        author: String,
    ) -> Result<WentBack, CommandError> {
        let _target = TargetLock::take(&self.path)?;
        self.nothing_unfinished()?;
        let missing = || CommandError::NotFound { what: "revision", name: revision.to_owned() };
        let target = self.revisions.find(revision).ok_or_else(missing)?.clone();
        let then = self.revisions.text(&target.id)?;
        let now = match self.now() {
            Ok(now) => Some(now),
            // The whole bench comes back; parts of it need the rest.
            Err(_) if only.is_empty() && !self.path.exists() => None,
            Err(error) => return Err(error),
        };
        let (text, meaning) = self.proposed(&target.id, then, now.as_ref(), only)?;
        if meaning.bench().is_none() {
            return Err(invalid(&meaning));
        }
        let empty = Value::Table(Table::default());
        let before = now.as_ref().map_or(empty, |now| now.meaning.values());
        let changes = setpoint_bench::diff(&before, &meaning.values());
        if now.as_ref().is_some_and(|now| now.disk.text == text) {
            return Ok(WentBack { revision: keeping::revision(&target), changes, written: false });
        }
        if let Some(now) = &now {
            self.keep_what_is_there(now, &text)?;
        }
        let facts = Facts {
            author,
            origin: Origin::Rollback.as_str().to_owned(),
            message: going_back::message(&target.id, only),
            label: None,
            data: json!({ "changes": changes }),
        };
        let kept = self.write(&text, now.as_ref(), facts)?;
        self.retain(&meaning);
        Ok(WentBack { revision: keeping::revision(&kept), changes, written: true })
    }

    /// Makes edits in the files, all or none of them, each in the file and layer that holds its
    /// key. What they held is kept as a revision first, if it is none yet.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] if an edit cannot be made or the bench would not run with it,
    /// [`CommandError::Conflict`], [`CommandError::Storage`]; the files are as they were then.
    pub fn change(
        &mut self,
        edits: &[TextEdit],
        message: &str,
        author: String,
    ) -> Result<Edited, CommandError> {
        let _target = TargetLock::take(&self.path)?;
        self.nothing_unfinished()?;
        let now = self.now()?;
        let (text, meaning) = would_be(&self.files, &self.drivers, &now, edits)?;
        let changes = setpoint_bench::diff(&now.meaning.values(), &meaning.values());
        let diagnostics = meaning.diagnostics().to_vec();
        self.keep_what_is_there(&now, &text)?;
        if text == now.disk.text
            && let Some(newest) = self.revisions.newest()
        {
            return Ok(Edited { revision: keeping::revision(newest), changes, diagnostics });
        }
        let message = match message.trim() {
            "" => summary(&changes),
            message => message.to_owned(),
        };
        let origin = Origin::Api.as_str().to_owned();
        let data = json!({ "changes": changes });
        let facts = Facts { author, origin, message, label: None, data };
        let kept = self.write(&text, Some(&now), facts)?;
        self.retain(&meaning);
        Ok(Edited { revision: keeping::revision(&kept), changes, diagnostics })
    }

    fn now(&self) -> Result<Now, CommandError> {
        now(&self.files, &self.drivers)
    }

    /// A change that a crash interrupted may have left files and devices apart: a person decides
    /// about that in the panel, before its trace is written over.
    fn nothing_unfinished(&self) -> Result<(), CommandError> {
        if self.journal.found()?.is_none() {
            return Ok(());
        }
        let message = format!(
            "Setpoint ended in the middle of a change of {}: open it, look at what was done, and \
             go back there",
            self.path.display()
        );
        Err(CommandError::Conflict { message, diagnostics: none() })
    }

    /// The text to go back to and what it means.
    fn proposed(
        &self,
        id: &str,
        then: Arc<str>,
        now: Option<&Now>,
        only: &[KeyPath],
    ) -> Result<(Arc<str>, Meaning), CommandError> {
        let (files, drivers) = (&self.files, &self.drivers);
        let (text, meaning) = match now {
            Some(now) if !only.is_empty() => {
                let values = now.meaning.values();
                let edits = going_back::edits_towards(files, drivers, &values, &then, only)?;
                let text = edited(files, drivers, now, &edits)?;
                let meaning = files.meaning(&text, Some(&now.meaning), drivers);
                (text, meaning)
            }
            now => {
                if let Some(now) = now {
                    going_back::no_surplus(id, &now.disk.text, &then)?;
                }
                let meaning = files.meaning_then(&then, drivers);
                (then, meaning)
            }
        };
        Ok((meaning.packed(&text), meaning))
    }

    /// What differs from a revision.
    fn since(&self, revision: &RevisionRecord, now: &Now) -> Vec<Change> {
        // Without its text nothing can be said; that it is damaged was told when it was found.
        let Ok(text) = self.revisions.text(&revision.id) else { return Vec::new() };
        let then = self.files.meaning_then(&text, &self.drivers).values();
        setpoint_bench::diff(&then, &now.meaning.values())
    }

    fn keep_what_is_there(&mut self, now: &Now, text: &str) -> Result<(), CommandError> {
        let newest = self.revisions.newest();
        if newest.is_some_and(|newest| newest.hash == now.disk.hash) {
            return Ok(());
        }
        if now.meaning.bench().is_none() {
            for path in self.files.others_that_differ(&[text]) {
                self.revisions.keep_refused(&path)?;
            }
            self.revisions.keep_refused(&self.path)?;
            return Ok(());
        }
        let changes = newest.map(|newest| self.since(newest, now));
        let facts = Facts {
            author: Origin::File.as_str().to_owned(),
            origin: Origin::File.as_str().to_owned(),
            message: match newest {
                Some(_) => "Edited while it was not open".to_owned(),
                None => "As it was before the first change".to_owned(),
            },
            label: None,
            data: changes.map_or(serde_json::Value::Null, |list| json!({ "changes": list })),
        };
        self.revisions.keep(&now.disk.text, facts, &self.audit)?;
        Ok(())
    }

    /// Stations 6, 8 and 9: journal, files, revision. What fails leaves the files as they were.
    fn write(
        &mut self,
        text: &Arc<str>,
        now: Option<&Now>,
        facts: Facts,
    ) -> Result<RevisionRecord, CommandError> {
        let from = self.revisions.newest().map(|newest| newest.id.clone()).unwrap_or_default();
        let steps = vec![format!("write {}", self.files.name())];
        let mut intent = Intent::now(from, TextHash::of(&**text), steps);
        intent.to_text = text.to_string();
        intent.from_hash = now.map(|now| now.disk.hash);
        (intent.author, intent.origin) = (facts.author.clone(), facts.origin.clone());
        intent.message.clone_from(&facts.message);
        self.journal.begin(&intent)?;
        let written = self
            .unchanged(now)
            .and_then(|()| self.files.write(text, now.map(|now| now.disk.main_hash)));
        if let Err(error) = written {
            self.journal.clear()?;
            return Err(error.into());
        }
        let kept = self.revisions.keep(text, facts, &self.audit);
        if let Err(error) = &kept {
            tracing::warn!("the files get their text from before again: {error}");
            let ours = TextHash::of(&*Files::main(text));
            let back = match now {
                Some(now) => self.files.write(&now.disk.text, Some(ours)),
                None => std::fs::remove_file(&self.path).map_err(|error| {
                    let (action, reason) = ("remove", error.to_string());
                    StoreError::Io { action, path: self.path.clone(), reason, kind: error.kind() }
                }),
            };
            if let Err(back) = back {
                // The journal stays: whoever opens the bench next is asked what to do.
                let message = format!(
                    "{error}; and the files could not be put back ({back}). They hold the change; \
                     open the bench to decide about it"
                );
                return Err(CommandError::Storage { message });
            }
        }
        self.journal.clear()?;
        Ok(kept?)
    }

    /// Someone may have saved while this was put together.
    fn unchanged(&self, now: Option<&Now>) -> Result<(), StoreError> {
        let same = match (self.files.read(&self.drivers), now) {
            (Ok(disk), Some(now)) => disk.hash == now.disk.hash,
            (Err(error), None) => error.is_missing(),
            _ => false,
        };
        if same { Ok(()) } else { Err(StoreError::Changed { path: self.path.clone() }) }
    }

    fn retain(&mut self, meaning: &Meaning) {
        let Some(bench) = meaning.bench() else { return };
        // What going back from an unfinished change needs is not forgotten before that is decided,
        // nor before it is known whether there is one.
        if !matches!(self.journal.found(), Ok(None)) {
            return;
        }
        if let Err(error) = self.revisions.prune(bench.runtime.snapshot_retention, None) {
            tracing::warn!("old revisions could not be removed: {error}");
        }
    }
}

/// Whether edits can be made in the files of a bench, which are only looked at: for a bench beside
/// which nothing is kept, and nothing need be made to refuse them. Blocks.
///
/// # Errors
/// As [`Offline::change`].
pub fn check_change(
    bench: &Path,
    environment: Option<String>,
    rules: AccessRules,
    edits: &[TextEdit],
) -> Result<(), CommandError> {
    let (files, drivers) = (Files::new(bench, environment, rules), Drivers::beside(bench));
    would_be(&files, &drivers, &now(&files, &drivers)?, edits).map(drop)
}

fn now(files: &Files, drivers: &Drivers) -> Result<Now, CommandError> {
    let disk = files.read(drivers).map_err(unreadable)?;
    let meaning = files.meaning(&disk.text, None, drivers);
    Ok(Now { disk, meaning })
}

/// The text of all files with edits in it, and remarks on them if the bench wants them.
fn edited(
    files: &Files,
    drivers: &Drivers,
    now: &Now,
    edits: &[TextEdit],
) -> Result<Arc<str>, CommandError> {
    let annotate = now.meaning.bench().is_some_and(|bench| bench.runtime.annotate);
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let annotate = annotate.then_some(time.as_str());
    let edited = files.edited(&now.disk.text, &now.meaning, edits, annotate, drivers);
    edited
        .map_err(|error| CommandError::Invalid { message: error.to_string(), diagnostics: none() })
}

/// The same with what it means, if it may run.
fn would_be(
    files: &Files,
    drivers: &Drivers,
    now: &Now,
    edits: &[TextEdit],
) -> Result<(Arc<str>, Meaning), CommandError> {
    let text = edited(files, drivers, now, edits)?;
    let meaning = files.meaning(&text, Some(&now.meaning), drivers);
    if meaning.bench().is_none() {
        return Err(invalid(&meaning));
    }
    Ok((meaning.packed(&text), meaning))
}

fn unreadable(error: ReadError) -> CommandError {
    CommandError::Storage { message: error.to_string() }
}

fn invalid(meaning: &Meaning) -> CommandError {
    let diagnostics = Arc::new(meaning.diagnostics().to_vec());
    CommandError::Invalid { message: check::summary(&diagnostics), diagnostics }
}
