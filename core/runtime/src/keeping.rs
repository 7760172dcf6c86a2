//! File, revisions, journal and audit, reached without blocking the async threads, and without
//! waiting for ever for a disk that does not answer.
//!
//! All that may change something on the disk has turns, one piece of work at a time: also what was
//! given up is done before what is begun after it, so that nothing old lands on something newer.

mod accepted;
mod files;
mod journal;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use setpoint_bench::Change;
use setpoint_store::{
    Audit, AuditRecord, BenchFolder, FolderLock, Intent, Journal, ReadError, RevisionQuery,
    RevisionRecord, Revisions, StoreError, TargetLock, Transactions, Watcher, revisions::text_of,
};
use tokio::{sync::Notify, time::Instant};

use self::{accepted::Unkept, journal::Left};
pub(crate) use self::{
    accepted::{Facts, NOT_WRITTEN, WRITTEN, never_written},
    files::{WriteError, Wrote, watch_options},
    turns::{PATIENCE, Turns, Unanswered, Waited},
};
use crate::{
    catalogue::Drivers, command::CommandError, event::Origin, files::Files, shelf::Shelf,
    staging::none, status::Revision,
};

/// How long after a failure keeping them is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(5);
/// Questions that may read from the disk at once.
const QUESTIONS: usize = 4;

/// What survives. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeping(Arc<Inner>);

struct Inner {
    path: PathBuf,
    files: Files,
    drivers: ArcSwap<Drivers>,
    /// Locked by whoever has a turn in `storing`, for as long as that takes.
    store: Mutex<Shelf>,
    /// Transactions on disk, and their numbers. Written to in `storing`.
    transactions: Transactions,
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
    /// Work that may change what is on the disk, and whatever needs `store`.
    storing: Turns,
    /// Reading the files of the bench.
    reading: Turns,
    /// Reading what someone wants to know and no change waits for.
    asking: Turns,
    /// Told when work on the disk has ended that was given up.
    answers: Arc<Notify>,
}

impl Inner {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the list of revisions as it is now.
    fn show(&self, shelf: &Shelf) {
        self.unkept().follow(shelf);
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
    pub(crate) target: Option<TargetLock>,
}

impl Store {
    /// Someone may delete the folder at any time, or put another in its place: history is lost
    /// then, and nothing else. Numbers that were given are not given again.
    pub(crate) fn remake_if_gone(&mut self, bench: &Path) -> Result<(), StoreError> {
        let Some(lock) = &self.lock else { return Ok(()) };
        let held = lock.is_of(&self.folder);
        if held && self.folder.versions().is_dir() {
            return Ok(());
        }
        tracing::warn!("{} was deleted: history starts anew", self.folder.path().display());
        let folder = BenchFolder::open(bench)?;
        // All of it or nothing: what is half made would be taken for what was there.
        let lock = if held { None } else { Some(folder.lock()?) };
        let audit = Audit::open(&folder)?;
        let mut revisions = Revisions::open(&folder, &audit)?;
        let given = self.revisions.next_number();
        revisions.pass_over(given.saturating_sub(revisions.next_number()));
        self.journal = Journal::open(&folder);
        (self.audit, self.revisions, self.folder) = (audit, revisions, folder);
        self.lock = lock.or_else(|| self.lock.take());
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
        patience: Duration,
    ) -> Self {
        let list = ArcSwap::from_pointee(revisions(&shelf));
        let problem = Mutex::new(shelf.problem().map(trouble));
        let whole = AtomicBool::new(shelf.problem().is_none());
        let unkept = Mutex::new(Unkept::after(&shelf));
        let (store, left) = (Mutex::new(shelf), Left::new(unfinished, unread));
        let (drivers, watcher) = (ArcSwap::new(drivers), Mutex::new(None));
        let answers = Arc::new(Notify::new());
        let turns = |at_once| Turns::new(at_once, patience, answers.clone());
        let (storing, reading, asking) = (turns(1), turns(1), turns(QUESTIONS));
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
            unkept,
            storing,
            reading,
            asking,
            answers,
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

    /// Runs disk work on a thread that may block, when it is its turn.
    ///
    /// # Errors
    /// Those of the work, or that the disk does not answer: then it may still be done.
    pub(crate) async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, CommandError> {
        self.with_waited(|store, _| work(store)).await
    }

    /// The same for work that has to know whether someone still waits for it.
    async fn with_waited<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, &Waited) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, CommandError> {
        let inner = self.0.clone();
        let done = self.storing(move |waited| {
            let mut shelf = inner.shelf();
            let result = shelf.store(&inner.path).and_then(|store| work(store, waited));
            inner.show(&shelf);
            inner.note_result(&result);
            result
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(why) => Err(self.unkept_because(why).into()),
        }
    }

    /// Whatever needs the store or may change something on the disk: one piece of work at a time.
    async fn storing<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Waited) -> R + Send + 'static,
    ) -> Result<R, Unanswered> {
        let storing = &self.0.storing;
        let done = match self.0.reading.stuck() {
            None => storing.work(work).await,
            // Most likely the same disk.
            Some(_) => storing.work_in_a_hurry(work).await,
        };
        if let Err(why) = done {
            self.0.note_problem(Some(&self.unkept_because(why)));
        }
        done
    }

    fn unkept_because(&self, why: Unanswered) -> StoreError {
        no_answer("use", self.folder().path(), why)
    }

    /// The folder `.setpoint` beside the bench file.
    pub(crate) fn folder(&self) -> BenchFolder {
        BenchFolder::of(&self.0.path)
    }

    /// Reads the files of the bench on a thread that may block.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub(crate) async fn reading<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, ReadError> {
        self.0.reading.work(|_| work()).await.map_err(|why| {
            let path = self.0.path.clone();
            match why {
                Unanswered::NotBegun(since) | Unanswered::GivenUp(since) => {
                    ReadError::NoAnswer { path, since }
                }
                Unanswered::Failed => ReadError::Other { path, reason: FAILED.to_owned() },
            }
        })
    }

    /// Returns when work on the disk has ended that was given up.
    pub(crate) async fn answers(&self) {
        self.0.answers.notified().await;
    }

    /// Whether something that may change what is on the disk was given up and goes on.
    pub(crate) fn is_stuck(&self) -> bool {
        self.0.storing.stuck().is_some()
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
        work: impl FnOnce(&Transactions) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, CommandError> {
        let inner = self.0.clone();
        self.with(move |_| work(&inner.transactions)).await
    }

    /// A number for a transaction where the disk cannot be written. Never waits.
    pub(crate) fn passing_transaction_id(&self) -> String {
        self.0.transactions.passing_id()
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
        let (kept, inner) = (self.find(id)?, self.0.clone());
        let id = kept.id.clone();
        let read = self.storing(move |_| inner.shelf().revisions().text(&id));
        let folder = self.folder();
        let versions = folder.versions();
        let silent = |why| CommandError::from(no_answer("read", &versions, why));
        match read.await {
            Ok(text) => Ok(text?),
            Err(why) if self.0.reading.stuck().is_some() => Err(silent(why)),
            // What is kept is not written to any more: it can be read beside what hangs.
            Err(_) => {
                let read = move || text_of(&folder, kept.at, &kept.hash, kept.label.as_deref());
                Ok(self.ask(read).await.map_err(silent)??)
            }
        }
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
        let compared = self.ask(move || inner.files.changes(&old, &new, &inner.drivers.load()));
        compared.await.map_err(|why| no_answer("read", self.0.files.path(), why).into())
    }

    /// Answers what someone wants to know, on a thread that may block.
    ///
    /// # Errors
    /// When the disk does not answer, or did not answer what was asked before.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Unanswered> {
        self.0.asking.work(|_| work()).await
    }

    /// Ends the watcher and gives the bench free for another program. Waits for what was given up.
    pub(crate) async fn close(&self) {
        let inner = self.0.clone();
        let closed = tokio::task::spawn_blocking(move || {
            drop(inner.watcher.lock().unwrap_or_else(PoisonError::into_inner).take());
            inner.shelf().unlock();
        });
        if let Err(error) = closed.await {
            tracing::error!("closing the bench's folder failed: {error}");
        }
    }
}

/// What is said of work that failed in itself.
pub(crate) const FAILED: &str = "it failed in itself; please report this";

/// Why there is no result of work on a file or folder.
pub(crate) fn no_answer(action: &'static str, path: &Path, why: Unanswered) -> StoreError {
    let path = path.to_owned();
    match why {
        Unanswered::NotBegun(since) | Unanswered::GivenUp(since) => {
            StoreError::NoAnswer { action, path, since }
        }
        Unanswered::Failed => {
            let (reason, kind) = (FAILED.to_owned(), ErrorKind::Other);
            StoreError::Io { action, path, reason, kind }
        }
    }
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
