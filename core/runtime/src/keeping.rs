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
    Audit, AuditRecord, BenchFolder, Beside, FolderLock, Intent, Journal, ReadError, RevisionQuery,
    RevisionRecord, Revisions, StoreError, TextHash, Transactions, WatchMode, WatchOptions,
    Watcher,
};
use tokio::time::Instant;

use crate::{
    apply::Verified,
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, OnDiskText},
    passage::verified_json,
    shelf::Shelf,
    staging::none,
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
const KEEP_AGAIN: Duration = Duration::from_secs(5);

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
    store: Mutex<Shelf>,
    /// Transactions on disk, and their numbers.
    transactions: Mutex<Transactions>,
    /// A change that an earlier run did not finish: the journal keeps it until that is decided.
    unfinished: Mutex<Option<Intent>>,
    watcher: Mutex<Option<Watcher>>,
    list: ArcSwap<Vec<Revision>>,
    /// Which list of revisions that is.
    shown: Mutex<Option<u64>>,
    /// What could not be kept yet, oldest first.
    unkept: Mutex<VecDeque<Unkept>>,
    /// Why the history is not kept, in a sentence, and when that is tried again.
    problem: Mutex<Option<(String, Instant)>>,
}

impl Inner {
    /// Shows the list of revisions as it is now.
    fn show(&self, shelf: &Shelf) {
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
        self.files.write(text, main_hash)?;
        self.knows(text);
        Ok(())
    }

    /// Tells the watcher that the files were seen to hold a text.
    fn knows(&self, text: &Arc<str>) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watcher) = watcher.as_ref() else { return };
        for (path, hash) in self.files.hashes(text) {
            watcher.knows(Some(&path), Ok(hash));
        }
        watcher.knows(None, Ok(TextHash::of(&*Files::main(text))));
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

    fn waits(&self) -> bool {
        !self.unkept.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Why the history is not kept, and when that is tried again.
fn trouble(error: &StoreError) -> (String, Instant) {
    let why = format!("The history is not kept now: {error}. The bench runs without it.");
    (why, Instant::now() + KEEP_AGAIN)
}

/// The newest text that ran as a revision, kept or yet to be.
fn newest(shelf: &Shelf, unkept: &VecDeque<Unkept>) -> Option<Revision> {
    let kept = shelf.revisions().newest();
    let Some(Unkept { text, facts }) = unkept.back() else {
        return kept.map(revision);
    };
    let number = kept.map_or(0, |kept| kept.number) + unkept.len() as u64;
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

pub(crate) struct Store {
    pub(crate) folder: BenchFolder,
    pub(crate) revisions: Revisions,
    pub(crate) audit: Audit,
    pub(crate) journal: Journal,
    pub(crate) lock: Option<FolderLock>,
}

impl Store {
    /// Keeps what could not be kept when it ran, in the order in which it did.
    fn keep_all(&mut self, unkept: &mut VecDeque<Unkept>) -> Result<(), StoreError> {
        while let Some(Unkept { text, facts }) = unkept.front() {
            self.revisions.keep(text, facts.clone(), &self.audit)?;
            unkept.pop_front();
        }
        Ok(())
    }

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
        unfinished: Option<Intent>,
        transactions: Transactions,
    ) -> Self {
        let list = ArcSwap::from_pointee(revisions(&shelf));
        let problem = Mutex::new(shelf.problem().map(trouble));
        let (store, unfinished) = (Mutex::new(shelf), Mutex::new(unfinished));
        let (drivers, watcher) = (ArcSwap::new(drivers), Mutex::new(None));
        let transactions = Mutex::new(transactions);
        let unkept = Mutex::new(VecDeque::new());
        let inner = Inner {
            path,
            files,
            drivers,
            store,
            transactions,
            unfinished,
            problem,
            watcher,
            list,
            shown: Mutex::default(),
            unkept,
        };
        Self(Arc::new(inner))
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

    /// Tells the watcher what the manager found in the files without having been told of it.
    pub(crate) fn knows(&self, text: &Arc<str>) {
        self.0.knows(text);
    }

    /// The same of the bench file where it could not be read.
    pub(crate) fn knows_unreadable(&self, error: &ReadError) {
        self.watcher(|watcher| watcher.knows(None, Err(error.clone())));
    }

    /// The same of one file beside it: its fingerprint, or nothing if it was not there.
    pub(crate) fn knows_beside(&self, path: &Path, hash: Option<TextHash>) {
        let missing = || ReadError::Missing { path: path.to_owned() };
        self.watcher(|watcher| watcher.knows(Some(path), hash.ok_or_else(missing)));
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

    /// Station 8: the files, each whole or not at all. They are left alone if they hold anything
    /// but `expected`.
    pub(crate) async fn write(&self, text: Arc<str>, expected: Held) -> Result<(), WriteError> {
        self.writing(move |inner| {
            let mut main_hash = None;
            let changed = || WriteError::Changed(StoreError::Changed { path: inner.path.clone() });
            match inner.files.read(&inner.drivers.load()) {
                Ok(now) if now.text == text => return Ok(()),
                Ok(now) if now.hash == expected.hash => main_hash = Some(now.main_hash),
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
            inner.put(&text, main_hash).map_err(|error| match error {
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
            // Always in this order: whoever holds the store may look whether something waits.
            let mut shelf = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            let mut unkept = inner.unkept.lock().unwrap_or_else(PoisonError::into_inner);
            unkept.extend(more);
            while unkept.len() > UNKEPT {
                unkept.pop_front();
            }
            let kept = shelf.store(&inner.path).and_then(|store| {
                store.keep_all(&mut unkept)?;
                Ok(store)
            });
            let kept = kept.map(|store| inner.end_journal(store));
            if let Ok(Err(error)) = &kept {
                tracing::warn!("the change is done, its journal stays behind: {error}");
            }
            inner.note_problem(kept.as_ref().err());
            inner.show(&shelf);
            newest(&shelf, &unkept)
        });
        kept.await.ok().flatten().ok_or_else(|| CommandError::Storage {
            message: "keeping a revision failed; please report this".to_owned(),
        })
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
    /// The one with the id `running` stays.
    pub(crate) async fn retain(&self, retention: usize, quiet: Duration, running: &str) {
        let options = WatchOptions { quiet, ..WatchOptions::default() };
        self.watcher(|watcher| watcher.set_options(options));
        let running = running.to_owned();
        let pruned = self.with(move |store| store.revisions.prune(retention, Some(&running)));
        if let Err(error) = pruned.await {
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
            inner.put(&text, expected).map_err(|error| match error {
                StoreError::Changed { .. } => WriteError::Changed(error),
                error => WriteError::Failed(error),
            })
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

    /// An audit record as it is.
    pub(crate) async fn audit_record(&self, record: AuditRecord) -> Result<(), CommandError> {
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

    /// Keeps a text as a revision for the sake of keeping it.
    pub(crate) async fn snapshot(
        &self,
        text: &Arc<str>,
        facts: setpoint_store::Facts,
    ) -> Result<Revision, CommandError> {
        let (text, inner) = (text.clone(), self.0.clone());
        let record = self.with(move |store| {
            // What ran before has its number already.
            let mut unkept = inner.unkept.lock().unwrap_or_else(PoisonError::into_inner);
            store.keep_all(&mut unkept)?;
            store.revisions.keep(&text, facts, &store.audit)
        });
        Ok(revision(&record.await?))
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
