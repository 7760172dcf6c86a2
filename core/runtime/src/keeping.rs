//! File, revisions, journal and audit, reached without blocking the async threads.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use serde_json::json;
use setpoint_bench::Change;
use setpoint_store::{
    Audit, AuditRecord, BenchFolder, Beside, FolderLock, Intent, Journal, ReadError,
    RevisionRecord, Revisions, StoreError, TextHash, Transactions, WatchMode, WatchOptions,
    Watcher,
};

use crate::{
    apply::Verified,
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, OnDiskText},
    passage::verified_json,
    shelf::Shelf,
    status::Revision,
};

/// Who did it and why, for revision and audit.
pub(crate) struct Facts {
    pub(crate) author: String,
    pub(crate) origin: Origin,
    pub(crate) message: String,
    pub(crate) verified: Vec<Verified>,
}

/// What survives. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeping(Arc<Inner>);

struct Inner {
    path: PathBuf,
    files: Files,
    drivers: ArcSwap<Drivers>,
    store: Mutex<Shelf>,
    /// Transactions on disk, and their numbers.
    transactions: Mutex<Transactions>,
    /// A change that an earlier run did not finish: the journal keeps it until that is decided.
    unfinished: Mutex<Option<Intent>>,
    /// Why nothing was kept the last time something was to be.
    problem: Mutex<Option<StoreError>>,
    watcher: Mutex<Option<Watcher>>,
    list: ArcSwap<Vec<Revision>>,
}

impl Inner {
    /// Writes the files; the watcher is told not to take that for someone else's save. The bench
    /// file has to have the fingerprint `main_hash` until it is replaced, if it matters.
    fn put(&self, text: &Arc<str>, main_hash: Option<TextHash>) -> Result<(), StoreError> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watcher.as_ref() {
            for (path, hash) in self.files.hashes(text) {
                watcher.believe_beside(&path, hash);
            }
            watcher.believe(TextHash::of(&*Files::main(text)));
        }
        drop(watcher);
        self.files.write(text, main_hash)
    }

    fn unfinished(&self) -> Option<Intent> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A change is over, whichever way: the journal is empty, or again what an earlier run left.
    fn end_journal(&self, store: &Store) -> Result<(), StoreError> {
        match self.unfinished() {
            Some(earlier) => store.journal.put(&earlier),
            None => store.journal.clear(),
        }
    }

    /// Only what is wrong with the disk is a problem; everything else is the caller's.
    fn note_problem<R>(&self, result: &Result<R, StoreError>) {
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => *problem = None,
            Err(error @ (StoreError::Io { path, .. } | StoreError::Damaged { path, .. }))
                if path.starts_with(BenchFolder::of(&self.path).path()) =>
            {
                *problem = Some(error.clone());
            }
            Err(_) => {}
        }
    }
}

pub(crate) struct Store {
    pub(crate) folder: BenchFolder,
    pub(crate) revisions: Revisions,
    pub(crate) audit: Audit,
    pub(crate) journal: Journal,
    pub(crate) lock: Option<FolderLock>,
}

impl Store {
    /// Someone may delete the folder at any time: history is lost then, and nothing else.
    pub(crate) fn remake_if_gone(&mut self, bench: &Path) -> Result<(), StoreError> {
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
    pub(crate) fn new(
        path: PathBuf,
        files: Files,
        drivers: Arc<Drivers>,
        shelf: Shelf,
        unfinished: Option<Intent>,
        transactions: Transactions,
    ) -> Self {
        let list = ArcSwap::from_pointee(revisions(&shelf));
        let problem = Mutex::new(shelf.problem().cloned());
        let (store, unfinished) = (Mutex::new(shelf), Mutex::new(unfinished));
        let (drivers, watcher) = (ArcSwap::new(drivers), Mutex::new(None));
        let transactions = Mutex::new(transactions);
        let inner =
            Inner { path, files, drivers, store, transactions, unfinished, problem, watcher, list };
        Self(Arc::new(inner))
    }

    /// Why nothing can be kept now, if nothing can.
    pub(crate) fn problem(&self) -> Option<StoreError> {
        self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries once more whether something can be kept, where nothing could be.
    pub(crate) async fn try_again(&self) {
        // What is wrong, `problem` says.
        let _ = self.with(|store| store.folder.probe()).await;
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
        let done = off_thread(move || {
            let mut shelf = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            let result = shelf.store(&inner.path).and_then(work);
            inner.list.store(Arc::new(revisions(&shelf)));
            inner.note_problem(&result);
            result
        });
        Ok(done.await??)
    }

    /// The same on the transactions.
    pub(crate) async fn with_transactions<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transactions) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, CommandError> {
        let inner = self.0.clone();
        self.with(move |_| {
            work(&mut inner.transactions.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }

    /// A number for a transaction where the disk cannot be written.
    pub(crate) fn passing_transaction_id(&self) -> String {
        let mut all = self.0.transactions.lock().unwrap_or_else(PoisonError::into_inner);
        all.passing_id()
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

    /// Station 6: tells the journal what is about to happen. Answers the journal and how many of
    /// its lines come before these: while an earlier change is unfinished, it stays in front.
    pub(crate) async fn begin(&self, intent: Intent) -> Result<(Journal, usize), CommandError> {
        let inner = self.0.clone();
        self.with(move |store| {
            let base = match inner.unfinished() {
                Some(mut earlier) => {
                    let base = earlier.steps.len();
                    earlier.touches.resize(base, String::new());
                    earlier.steps.extend(intent.steps);
                    earlier.touches.extend(intent.touches);
                    store.journal.put(&earlier)?;
                    base
                }
                None => {
                    store.journal.begin(&intent)?;
                    0
                }
            };
            Ok((store.journal.clone(), base))
        })
        .await
    }

    /// What an earlier run did not finish has been decided.
    pub(crate) async fn decided(&self) -> Result<(), CommandError> {
        let inner = self.0.clone();
        self.with(move |store| {
            store.journal.clear()?;
            *inner.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(())
        })
        .await
    }

    /// Station 8: the files, each whole or not at all. If they have to hold a text with the
    /// fingerprint `expected` and hold another, they are left alone.
    pub(crate) async fn write(
        &self,
        text: Arc<str>,
        expected: Option<TextHash>,
    ) -> Result<(), CommandError> {
        let inner = self.0.clone();
        self.with(move |_| {
            let path = &inner.path;
            let mut main_hash = None;
            if let Some(expected) = expected {
                match inner.files.read(&inner.drivers.load()) {
                    Ok(now) if now.hash == expected => main_hash = Some(now.main_hash),
                    Err(error) if error.is_missing() => {}
                    _ => return Err(StoreError::Changed { path: path.clone() }),
                }
            }
            inner.put(&text, main_hash)
        })
        .await
    }

    /// Station 9: the text as a revision, the change in the audit, the journal cleared.
    pub(crate) async fn accept(
        &self,
        text: &Arc<str>,
        changes: &Arc<Vec<Change>>,
        facts: Facts,
    ) -> Result<Revision, CommandError> {
        let (text, changes) = (text.clone(), changes.clone());
        let inner = self.0.clone();
        let record = self.with(move |store| {
            let Facts { author, origin, message, verified } = facts;
            let kept = setpoint_store::Facts {
                author,
                origin: origin.as_str().to_owned(),
                message,
                label: None,
                data: json!({ "changes": *changes, "set": verified_json(&verified) }),
            };
            let record = store.revisions.keep(&text, kept, &store.audit)?;
            if let Err(error) = inner.end_journal(store) {
                tracing::warn!("the change is done, its journal stays behind: {error}");
            }
            Ok(record)
        });
        Ok(revision(&record.await?))
    }

    /// A change that failed: noted in the audit, the journal cleared.
    pub(crate) async fn give_up(&self, why: &str, origin: Origin, author: &str) {
        let record = AuditRecord::new("change_failed", origin.as_str(), author, "", why);
        let inner = self.0.clone();
        let noted = self
            .with(move |store| {
                inner.end_journal(store)?;
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

    /// The files, over what they hold: the bench file is left alone if its bytes are not those
    /// with this fingerprint.
    pub(crate) async fn write_over(
        &self,
        text: Arc<str>,
        expected: TextHash,
    ) -> Result<(), CommandError> {
        let inner = self.0.clone();
        self.with(move |_| match std::fs::read(&inner.path) {
            Ok(bytes) if TextHash::of(&bytes) == expected => inner.put(&text, Some(expected)),
            _ => Err(StoreError::Changed { path: inner.path.clone() }),
        })
        .await
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
        let record = AuditRecord::new(kind, origin.as_str(), author, path, message);
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
        let (id, inner) = (self.find(id)?.id, self.0.clone());
        let read = move || {
            let shelf = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.revisions().text(&id)
        };
        Ok(off_thread(read).await??)
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
            inner.store.lock().unwrap_or_else(PoisonError::into_inner).unlock();
        });
        if let Err(error) = closed.await {
            tracing::error!("closing the bench's folder failed: {error}");
        }
    }
}

/// Runs disk work on a thread that may block.
async fn off_thread<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, CommandError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CommandError::Storage {
        message: format!("disk work failed: {error}; please report this"),
    })
}

fn revisions(shelf: &Shelf) -> Vec<Revision> {
    shelf.revisions().list().iter().map(revision).collect()
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
