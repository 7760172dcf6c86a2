//! File, revisions, journal and audit, reached without blocking the async threads.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use serde_json::json;
use setpoint_bench::Change;
use setpoint_store::{
    Audit, AuditRecord, BenchFolder, Beside, FolderLock, Intent, Journal, ReadError,
    RevisionRecord, Revisions, StoreError, TextHash, WatchMode, WatchOptions, Watcher,
};
use tokio::time::Instant;

use crate::{
    apply::Verified,
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, OnDiskText},
    passage::verified_json,
    standing::Held,
    status::Revision,
};

/// Who did it and why, for revision and audit.
pub(crate) struct Facts {
    pub(crate) author: String,
    pub(crate) origin: Origin,
    pub(crate) message: String,
    pub(crate) verified: Vec<Verified>,
    /// Whether the files hold it.
    pub(crate) written: bool,
}

/// Texts that ran and could not be kept, so many at most.
const UNKEPT: usize = 50;
/// How long after a failure keeping them is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(15);

/// A text that ran, to be kept as soon as that can be done.
pub(crate) struct Unkept {
    text: Arc<str>,
    facts: setpoint_store::Facts,
}

/// Why the files were not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Someone else did so meanwhile.
    Changed(StoreError),
    /// It cannot be done now; they are as they were.
    Failed(StoreError),
}

impl From<WriteError> for CommandError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed(error) | WriteError::Failed(error) => error.into(),
        }
    }
}

/// What survives. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeping(Arc<Inner>);

struct Inner {
    path: PathBuf,
    files: Files,
    drivers: ArcSwap<Drivers>,
    store: Mutex<Store>,
    watcher: Mutex<Option<Watcher>>,
    list: ArcSwap<Vec<Revision>>,
    /// Why the history is not kept, in a sentence, and when that is tried again.
    problem: Mutex<Option<(String, Instant)>>,
}

impl Inner {
    fn note_problem(&self, error: Option<&StoreError>) {
        let now = error.map(|error| {
            let why = format!("The history is not kept now: {error}. The bench runs without it.");
            (why, Instant::now() + KEEP_AGAIN)
        });
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some((why, _))) = (&*problem, &now) {
            tracing::warn!("{why}");
        }
        *problem = now;
    }

    /// Writes the files; the watcher is told not to take that for someone else's save.
    fn put(&self, text: &Arc<str>) -> Result<(), StoreError> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watcher.as_ref() {
            for (path, hash) in self.files.hashes(text) {
                watcher.believe_beside(&path, hash);
            }
            watcher.believe(TextHash::of(&*Files::main(text)));
        }
        drop(watcher);
        self.files.write(text)
    }
}

pub(crate) struct Store {
    pub(crate) folder: BenchFolder,
    pub(crate) revisions: Revisions,
    pub(crate) audit: Audit,
    pub(crate) journal: Journal,
    pub(crate) transactions: setpoint_store::Transactions,
    pub(crate) lock: Option<FolderLock>,
    /// What could not be kept yet, oldest first.
    pub(crate) unkept: VecDeque<Unkept>,
}

impl Store {
    /// Keeps what could not be kept when it ran.
    fn keep_unkept(&mut self, bench: &Path) -> Result<(), StoreError> {
        self.remake_if_gone(bench)?;
        while let Some(Unkept { text, facts }) = self.unkept.front() {
            self.revisions.keep(text, facts.clone(), &self.audit)?;
            self.unkept.pop_front();
        }
        Ok(())
    }

    /// The newest text that ran as a revision, kept or yet to be.
    fn newest(&self) -> Option<Revision> {
        let kept = self.revisions.newest();
        let Some(Unkept { text, facts }) = self.unkept.back() else {
            return kept.map(revision);
        };
        let number = kept.map_or(0, |kept| kept.number) + self.unkept.len() as u64;
        Some(Revision {
            id: format!("r{number}"),
            hash: TextHash::of(&**text).short(),
            at: jiff::Timestamp::now(),
            author: facts.author.clone(),
            origin: origin(&facts.origin),
            message: facts.message.clone(),
            label: None,
        })
    }

    /// Someone may delete the folder at any time: history is lost then, and nothing else.
    fn remake_if_gone(&mut self, bench: &Path) -> Result<(), StoreError> {
        if self.lock.is_none() || self.folder.versions().is_dir() {
            return Ok(());
        }
        tracing::warn!("{} was deleted: history starts anew", self.folder.path().display());
        let folder = BenchFolder::open(bench)?;
        self.lock = Some(folder.lock()?);
        self.audit = Audit::open(&folder)?;
        self.revisions = Revisions::open(&folder, &self.audit)?;
        self.journal = Journal::open(&folder);
        self.folder = folder;
        Ok(())
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Storage { message: error.to_string() }
    }
}

impl Keeping {
    pub(crate) fn new(path: PathBuf, files: Files, drivers: Arc<Drivers>, store: Store) -> Self {
        let list = ArcSwap::from_pointee(revisions(&store));
        let drivers = ArcSwap::new(drivers);
        let (store, watcher, problem) = (Mutex::new(store), Mutex::new(None), Mutex::new(None));
        Self(Arc::new(Inner { path, files, drivers, store, watcher, list, problem }))
    }

    /// Why the history is not kept, in a sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        self.trouble().map(|(why, _)| why)
    }

    /// When keeping is to be tried again.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.trouble().map(|(_, due)| due)
    }

    fn trouble(&self) -> Option<(String, Instant)> {
        self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands over the watcher of the file.
    pub(crate) fn set_watcher(&self, watcher: Watcher) {
        *self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
    }

    fn watcher<R>(&self, ask: impl FnOnce(&Watcher) -> R) -> Option<R> {
        self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    /// Tells the watcher which files there are beside the bench file.
    pub(crate) fn follow(&self, beside: Beside) {
        self.watcher(|watcher| watcher.set_beside(beside));
    }

    /// Why the system does not tell of every save; `None` if it does.
    pub(crate) fn polling(&self) -> Option<String> {
        match self.watcher(Watcher::mode)? {
            WatchMode::Native => None,
            WatchMode::Polling { reason } => Some(reason),
        }
    }

    /// Reads the files with other drivers from now on.
    pub(crate) fn set_drivers(&self, drivers: Arc<Drivers>) {
        self.0.drivers.store(drivers);
    }

    /// Runs disk work on a thread that may block.
    pub(crate) async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, CommandError> {
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut store = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            let result = store.remake_if_gone(&inner.path).and_then(|()| work(&mut store));
            inner.list.store(Arc::new(revisions(&store)));
            result
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(CommandError::Storage {
                message: format!("disk work failed: {error}; please report this"),
            }),
        }
    }

    /// The same for what touches no disk, and works also where that cannot be used.
    pub(crate) async fn with_memory<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> R + Send + 'static,
    ) -> Result<R, CommandError> {
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&mut inner.store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.map_err(|error| CommandError::Storage {
            message: format!("disk work failed: {error}; please report this"),
        })
    }

    /// What the bench's files hold now.
    pub(crate) async fn read_file(&self) -> Result<OnDiskText, ReadError> {
        let inner = self.0.clone();
        let read = tokio::task::spawn_blocking(move || inner.files.read(&inner.drivers.load()));
        match read.await {
            Ok(result) => result,
            // A panic in the reader: passed on, as the task's own would be.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Station 6: tells the journal what is about to happen. Where that cannot be written, the
    /// bench runs on without.
    pub(crate) async fn begin(&self, from: &str, text: &Arc<str>, steps: Vec<String>) {
        let mut intent = Intent::now(from, TextHash::of(&**text), steps);
        intent.to_text = text.to_string();
        let inner = self.0.clone();
        let begun = self.with(move |store| {
            let begun = store.journal.begin(&intent);
            if let Err(error) = &begun {
                inner.note_problem(Some(error));
            }
            begun
        });
        if let Err(error) = begun.await {
            tracing::warn!("a change begins without a journal: {error}");
        }
    }

    /// Station 8: the files, each whole or not at all. They are left alone if they hold anything
    /// but `expected`.
    pub(crate) async fn write(&self, text: Arc<str>, expected: Held) -> Result<(), WriteError> {
        self.writing(move |inner| {
            let changed = || WriteError::Changed(StoreError::Changed { path: inner.path.clone() });
            match inner.files.read(&inner.drivers.load()) {
                Ok(now) if now.text == text => return Ok(()),
                Ok(now) if now.hash == expected.hash => {}
                Ok(_) => return Err(changed()),
                // Without the bench file nobody knows which others belong to it now.
                Err(error) if error.is_missing() => {
                    if !inner.files.others_that_differ(&expected.text).is_empty() {
                        return Err(changed());
                    }
                }
                Err(error @ ReadError::NotUtf8 { .. }) => {
                    return Err(WriteError::Changed(error.into()));
                }
                Err(error) => return Err(WriteError::Failed(error.into())),
            }
            inner.put(&text).map_err(|error| match error {
                StoreError::Changed { .. } => WriteError::Changed(error),
                error => WriteError::Failed(error),
            })
        })
        .await
    }

    /// Station 9: the text as a revision, the change in the audit, the journal cleared. What cannot
    /// be kept now runs all the same, and is kept later.
    pub(crate) async fn accept(
        &self,
        text: &Arc<str>,
        changes: &Arc<Vec<Change>>,
        facts: Facts,
    ) -> Result<Revision, CommandError> {
        let (text, changes) = (text.clone(), changes.clone());
        let Facts { author, origin, message, verified, written } = facts;
        let mut data = json!({ "changes": *changes, "set": verified_json(&verified) });
        if !written {
            data[NOT_WRITTEN] = true.into();
        }
        let origin = origin.as_str().to_owned();
        let facts = setpoint_store::Facts { author, origin, message, label: None, data };
        self.keep(Some(Unkept { text, facts })).await
    }

    /// Keeps what could not be kept before; answers the revision that runs.
    pub(crate) async fn keep_unkept(&self) -> Result<Revision, CommandError> {
        self.keep(None).await
    }

    async fn keep(&self, more: Option<Unkept>) -> Result<Revision, CommandError> {
        let inner = self.0.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let mut store = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.unkept.extend(more);
            while store.unkept.len() > UNKEPT {
                store.unkept.pop_front();
            }
            let kept = store.keep_unkept(&inner.path);
            if kept.is_ok()
                && let Err(error) = store.journal.clear()
            {
                tracing::warn!("the change is done, its journal stays behind: {error}");
            }
            inner.note_problem(kept.as_ref().err());
            inner.list.store(Arc::new(revisions(&store)));
            store.newest()
        });
        kept.await.ok().flatten().ok_or_else(|| CommandError::Storage {
            message: "keeping a revision failed; please report this".to_owned(),
        })
    }

    /// A change that failed: noted in the audit, the journal cleared.
    pub(crate) async fn give_up(&self, why: &str, origin: Origin, author: &str) {
        let record = AuditRecord::new("change_failed", origin.as_str(), author, "", why);
        let noted = self
            .with(move |store| {
                store.journal.clear()?;
                store.audit.append(record)
            })
            .await;
        if let Err(error) = noted {
            tracing::error!("a failed change could not be noted: {error}");
        }
    }

    /// Forgets unlabelled revisions beyond `retention` and takes a quiet window over.
    pub(crate) async fn retain(&self, retention: usize, quiet: Duration) {
        let options = WatchOptions { quiet, ..WatchOptions::default() };
        self.watcher(|watcher| watcher.set_options(options));
        if let Err(error) = self.with(move |store| store.revisions.prune(retention)).await {
            tracing::warn!("old revisions could not be removed: {error}");
        }
    }

    /// Keeps what the bench file holds, text or not, under a name that is no revision's, and so
    /// every other file that differs from what `text` has for it. Returns the name and fingerprint
    /// of the first; `None` if there is no bench file.
    pub(crate) async fn keep_what_is_there(
        &self,
        text: &Arc<str>,
    ) -> Result<Option<(String, TextHash)>, CommandError> {
        let (inner, text) = (self.0.clone(), text.clone());
        self.with(move |store| {
            for path in inner.files.others_that_differ(&text) {
                store.revisions.keep_refused(&path)?;
            }
            store.revisions.keep_refused(&inner.path)
        })
        .await
    }

    /// The files, over what they hold: they are left alone if the bytes of the bench file are not
    /// those with this fingerprint, or if there is one though none is expected.
    pub(crate) async fn write_over(
        &self,
        text: Arc<str>,
        expected: Option<TextHash>,
    ) -> Result<(), WriteError> {
        self.writing(move |inner| {
            let found = match std::fs::read(&inner.path) {
                Ok(bytes) => Some(TextHash::of(&bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    let reason = error.to_string();
                    let error = ReadError::Other { path: inner.path.clone(), reason };
                    return Err(WriteError::Failed(error.into()));
                }
            };
            if found != expected {
                let path = inner.path.clone();
                return Err(WriteError::Changed(StoreError::Changed { path }));
            }
            inner.put(&text).map_err(WriteError::Failed)
        })
        .await
    }

    /// Runs work on the files on a thread that may block.
    async fn writing(
        &self,
        work: impl FnOnce(&Inner) -> Result<(), WriteError> + Send + 'static,
    ) -> Result<(), WriteError> {
        let (inner, path) = (self.0.clone(), self.0.path.clone());
        let written = tokio::task::spawn_blocking(move || {
            let _one_at_a_time = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&inner)
        });
        written.await.unwrap_or_else(|error| {
            let (action, reason) = ("write", format!("{error}; please report this"));
            let kind = std::io::ErrorKind::Other;
            Err(WriteError::Failed(StoreError::Io { action, path, reason, kind }))
        })
    }

    /// An audit record for what reaches a device or the file without a revision.
    pub(crate) async fn audit_note(
        &self,
        kind: &str,
        path: &str,
        message: &str,
        origin: Origin,
        author: &str,
    ) -> Result<(), CommandError> {
        self.audit(AuditRecord::new(kind, origin.as_str(), author, path, message)).await
    }

    /// Any audit record.
    pub(crate) async fn audit(&self, record: AuditRecord) -> Result<(), CommandError> {
        self.with(move |store| store.audit.append(record)).await
    }

    /// Kept revisions, newest first.
    pub(crate) fn list(&self) -> Arc<Vec<Revision>> {
        self.0.list.load_full()
    }

    /// A revision by its id or label.
    pub(crate) fn find(&self, name: &str) -> Result<Revision, CommandError> {
        let list = self.list();
        let named = |kept: &&Revision| kept.id == name || kept.label.as_deref() == Some(name);
        list.iter()
            .find(named)
            .cloned()
            .ok_or_else(|| CommandError::NotFound { what: "revision", name: name.to_owned() })
    }

    /// The text of a revision.
    pub(crate) async fn text(&self, id: &str) -> Result<Arc<str>, CommandError> {
        let id = self.find(id)?.id;
        self.with(move |store| store.revisions.text(&id)).await
    }

    /// Stops and starts following the file.
    pub(crate) fn pause(&self, paused: bool) {
        self.watcher(|watcher| if paused { watcher.pause() } else { watcher.resume() });
    }

    /// Ends the watcher and gives the bench free for another program.
    pub(crate) async fn close(&self) {
        let inner = self.0.clone();
        let closed = tokio::task::spawn_blocking(move || {
            drop(inner.watcher.lock().unwrap_or_else(PoisonError::into_inner).take());
            drop(inner.store.lock().unwrap_or_else(PoisonError::into_inner).lock.take());
        });
        if let Err(error) = closed.await {
            tracing::error!("closing the bench's folder failed: {error}");
        }
    }
}

fn revisions(store: &Store) -> Vec<Revision> {
    store.revisions.list().iter().map(revision).collect()
}

/// A kept revision as screens see it.
pub(crate) fn revision(record: &RevisionRecord) -> Revision {
    Revision {
        id: record.id.clone(),
        hash: record.short_hash.clone(),
        at: record.at,
        author: record.author.clone(),
        origin: origin(&record.origin),
        message: record.message.clone(),
        label: record.label.clone(),
    }
}

/// An origin as it was written.
pub(crate) fn origin(word: &str) -> Origin {
    match word {
        "panel" => Origin::Panel,
        "api" => Origin::Api,
        "rollback" => Origin::Rollback,
        "bench" => Origin::Bench,
        _ => Origin::File,
    }
}

/// Marks a revision in the audit log whose text the files did not get.
const NOT_WRITTEN: &str = "not_written";
/// The kind of audit record that says they got it later.
pub(crate) const WRITTEN: &str = "file_written";

/// Whether a revision was in force and its text never reached the files, going by the audit log up
/// to the revision `found` that was found in them. Blocks.
///
/// # Errors
/// When the audit log cannot be read.
pub(crate) fn never_written(
    audit: &Audit,
    newest: &RevisionRecord,
    found: &str,
) -> Result<bool, StoreError> {
    let mut never = false;
    for line in audit.lines()? {
        if line.kind == WRITTEN {
            never = false;
        } else if line.kind == "revision" {
            let number = line.data.get("number").and_then(serde_json::Value::as_u64);
            if number.is_some_and(|number| format!("r{number}") == found) {
                break;
            }
            let details = line.data.get("details");
            let marked = details.is_some_and(|details| details.get(NOT_WRITTEN).is_some());
            never = number == Some(newest.number) && marked;
        }
    }
    Ok(never)
}
