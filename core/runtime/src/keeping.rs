//! File, revisions, journal and audit, reached without blocking the async threads.

mod accepted;
mod files;
mod journal;
mod reading;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use setpoint_bench::Change;
use setpoint_store::{
    Audit, AuditRecord, BenchFolder, FolderLock, Intent, Journal, ReadError, RevisionQuery,
    RevisionRecord, Revisions, StoreError, Transactions, Watcher,
};
use tokio::time::Instant;

use self::{accepted::Unkept, journal::Left, reading::OneReading};
pub(crate) use self::{
    accepted::{Facts, NOT_WRITTEN, WRITTEN, never_written},
    files::{WriteError, watch_options},
};
use crate::{
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, OnDiskText},
    shelf::Shelf,
    staging::none,
    status::Revision,
};

/// How long after a failure keeping them is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(5);

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
    left: Left,
    watcher: Mutex<Option<Watcher>>,
    list: ArcSwap<Vec<Revision>>,
    /// Whether all there are is in that list.
    whole: AtomicBool,
    /// Which list of revisions that is.
    shown: Mutex<Option<u64>>,
    unkept: Mutex<Unkept>,
    /// Why the history is not kept, in a sentence, and when that is tried again.
    problem: Mutex<Option<(String, Instant)>>,
    reading: OneReading<Result<OnDiskText, ReadError>>,
}

impl Inner {
    /// Shows the list of revisions as it is now.
    fn show(&self, shelf: &Shelf) {
        self.whole.store(shelf.problem().is_none(), Ordering::Relaxed);
        let generation = Some(shelf.revisions().generation());
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != generation {
            *shown = generation;
            self.list.store(Arc::new(revisions(shelf)));
        }
    }

    fn note_problem(&self, error: Option<&StoreError>) {
        let now = error.map(trouble);
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some((why, _))) = (&*problem, &now) {
            tracing::warn!("{why}");
        }
        *problem = now;
    }

    /// Only what is wrong with the disk is a problem; everything else is the caller's.
    fn note_result<R>(&self, result: &Result<R, StoreError>) {
        match result {
            // As long as something waits to be kept, the history is not whole.
            Ok(_) if self.waits() => {}
            Ok(_) => self.note_problem(None),
            Err(error @ (StoreError::Io { path, .. } | StoreError::Damaged { path, .. }))
                if path.starts_with(BenchFolder::of(&self.path).path()) =>
            {
                self.note_problem(Some(error));
            }
            Err(_) => {}
        }
    }
}

/// Why the history is not kept, and when that is tried again.
fn trouble(error: &StoreError) -> (String, Instant) {
    let why = format!("The history is not kept now: {error}. The bench runs without it.");
    (why, Instant::now() + KEEP_AGAIN)
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
        // All of it or nothing: what is half made would be taken for what was there.
        let lock = folder.lock()?;
        let audit = Audit::open(&folder)?;
        let revisions = Revisions::open(&folder, &audit)?;
        self.journal = Journal::open(&folder);
        (self.audit, self.revisions, self.folder) = (audit, revisions, folder);
        self.lock = Some(lock);
        Ok(())
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NoRevision { name } => Self::NotFound { what: "revision", name },
            StoreError::LabelTaken { .. } => Self::Conflict { message, diagnostics: none() },
            StoreError::BadLabel { .. } => Self::Invalid { message, diagnostics: none() },
            StoreError::ReadOnly { .. }
            | StoreError::Io { kind: ErrorKind::ReadOnlyFilesystem, .. } => {
                Self::ReadOnly { message }
            }
            _ => Self::Storage { message },
        }
    }
}

impl Keeping {
    pub(crate) fn new(
        path: PathBuf,
        files: Files,
        drivers: Arc<Drivers>,
        shelf: Shelf,
        (unfinished, unread): (Option<Intent>, bool),
        transactions: Transactions,
    ) -> Self {
        let list = ArcSwap::from_pointee(revisions(&shelf));
        let problem = Mutex::new(shelf.problem().map(trouble));
        let whole = AtomicBool::new(shelf.problem().is_none());
        let (store, left) = (Mutex::new(shelf), Left::new(unfinished, unread));
        let (drivers, watcher) = (ArcSwap::new(drivers), Mutex::new(None));
        let transactions = Mutex::new(transactions);
        let inner = Inner {
            path,
            files,
            drivers,
            store,
            transactions,
            left,
            problem,
            watcher,
            list,
            whole,
            shown: Mutex::default(),
            unkept: Mutex::default(),
            reading: OneReading::default(),
        };
        Self(Arc::new(inner))
    }

    /// Why the history is not kept, in a sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        self.trouble().map(|(why, _)| why)
    }

    /// When keeping is to be tried again.
    pub(crate) fn keep_at(&self) -> Option<Instant> {
        self.trouble().map(|(_, due)| due)
    }

    /// When there is something to do by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        [self.keep_at(), self.0.left.due()].into_iter().flatten().min()
    }

    fn trouble(&self) -> Option<(String, Instant)> {
        self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries once more whether something can be kept, where nothing could be.
    pub(crate) async fn try_again(&self) {
        // What is wrong, `problem` says.
        let _ = self.with(|store| store.folder.probe()).await;
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
            inner.show(&shelf);
            inner.note_result(&result);
            result
        });
        Ok(done.await??)
    }

    /// What was found wrong with the audit log since this was asked last; nothing while the store
    /// is busy.
    pub(crate) fn take_audit_notes(&self) -> Vec<String> {
        let Ok(shelf) = self.0.store.try_lock() else { return Vec::new() };
        shelf.audit().map(Audit::take_notes).unwrap_or_default()
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

    /// Forgets unlabelled revisions beyond `retention`. The one with the id `running` stays.
    pub(crate) async fn retain(&self, retention: usize, running: &str) {
        let running = running.to_owned();
        let pruned = self.with(move |store| store.revisions.prune(retention, Some(&running)));
        if let Err(error) = pruned.await {
            tracing::warn!("old revisions could not be removed: {error}");
        }
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

    /// An audit record as it is.
    pub(crate) async fn audit_record(&self, record: AuditRecord) -> Result<(), CommandError> {
        self.with(move |store| store.audit.append(record)).await
    }

    /// Kept revisions, newest first.
    pub(crate) fn list(&self) -> Arc<Vec<Revision>> {
        self.0.list.load_full()
    }

    /// The ids of those with a label; `None` while it is not known which there are.
    pub(crate) fn labelled(&self) -> Option<Vec<String>> {
        let labelled = |kept: &&Revision| kept.label.is_some();
        let ids = || self.list().iter().filter(labelled).map(|kept| kept.id.clone()).collect();
        self.0.whole.load(Ordering::Relaxed).then(ids)
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

    /// Names a revision or takes its name away; answers it before and after.
    pub(crate) async fn label(
        &self,
        name: &str,
        label: Option<String>,
        origin: Origin,
        author: &str,
    ) -> Result<(Revision, Revision), CommandError> {
        let before = self.find(name)?;
        let (id, author) = (before.id.clone(), author.to_owned());
        let after = self.with(move |store| {
            let Store { revisions, audit, .. } = store;
            revisions.label(&id, label.as_deref(), &author, origin.as_str(), audit)
        });
        Ok((before, revision(&after.await?)))
    }

    /// Kept revisions that are asked for, newest first.
    pub(crate) async fn search(&self, query: RevisionQuery) -> Result<Vec<Revision>, CommandError> {
        self.with(move |store| Ok(store.revisions.search(&query).iter().map(revision).collect()))
            .await
    }

    /// What differs between two revisions, all their files read.
    pub(crate) async fn changes(&self, old: &str, new: &str) -> Result<Vec<Change>, CommandError> {
        let (old, new) = (self.text(old).await?, self.text(new).await?);
        let inner = self.0.clone();
        let compared = tokio::task::spawn_blocking(move || {
            inner.files.changes(&old, &new, &inner.drivers.load())
        });
        compared.await.map_err(|error| CommandError::Failed {
            message: format!("comparing failed: {error}; please report this"),
        })
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
    shelf.revisions().iter().map(revision).collect()
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
