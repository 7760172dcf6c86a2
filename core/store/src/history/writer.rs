//! The thread that writes, and the queue in front of it.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    HistoryError, HistoryEvent, HistoryOptions, RevisionFacts, TrendPoint,
    bounds::Pass,
    database::{self, Database},
    insert::{Batch, Names},
    rebuild,
};
use crate::{StoreError, audit};

/// What may wait to be written; more is lost, and counted.
const QUEUE: usize = 8_192;
/// Bytes of pictures that may wait.
const QUEUE_BYTES: usize = 32 << 20;
/// What is written in one transaction.
const BATCH: usize = 4_096;
/// How often is looked whether something is beyond the bounds.
const LOOK: Duration = Duration::from_secs(600);
/// What is written between two looks at most.
const WRITTEN: usize = 100_000;
/// How long a failure is waited out at first, and at most.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// What can be handed to the thread.
#[derive(Debug)]
pub(super) enum Item {
    Event(Box<HistoryEvent>),
    Facts(Box<RevisionFacts>),
    Trends(Vec<TrendPoint>),
    /// Nothing: what is beyond the bounds may have changed.
    Wake,
    Flush(SyncSender<()>),
    Suspect,
    Close,
}

impl Item {
    /// What it weighs in the queue, where that matters.
    fn bytes(&self) -> usize {
        match self {
            Self::Facts(facts) => facts.pictures.iter().map(|picture| picture.png.len()).sum(),
            _ => 0,
        }
    }
}

/// What handles and thread share.
#[derive(Debug)]
pub(super) struct Shared {
    queue: SyncSender<Item>,
    bytes: AtomicUsize,
    /// Since the queue was full last; 0 while nothing was lost.
    lost: AtomicU64,
    closing: AtomicBool,
    told: Mutex<Told>,
    /// Revisions with a label; `None` until someone said which they are. Not in the queue, which
    /// may be full.
    labelled: Mutex<Option<Arc<HashSet<String>>>>,
    /// Wakes the thread out of waiting for better times.
    hurry: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Told {
    problem: Option<String>,
    notes: Vec<String>,
    begun: Option<u64>,
}

impl Shared {
    pub(super) fn new() -> (Arc<Self>, Receiver<Item>) {
        let (queue, receiver) = mpsc::sync_channel(QUEUE);
        let shared = Self {
            queue,
            bytes: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            told: Mutex::default(),
            labelled: Mutex::default(),
            hurry: Condvar::new(),
            thread: Mutex::new(None),
        };
        (Arc::new(shared), receiver)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands something over, or counts it as lost. Never waits.
    pub(super) fn put(&self, item: Item) {
        let bytes = item.bytes();
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting + bytes > QUEUE_BYTES || self.queue.try_send(item).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn set_labelled(&self, revisions: HashSet<String>) {
        *self.labelled.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(revisions));
        // If the queue is full, the thread is awake.
        let _ = self.queue.try_send(Item::Wake);
    }

    fn labelled(&self) -> Option<Arc<HashSet<String>>> {
        self.labelled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn problem(&self) -> Option<String> {
        let lost = self.lost.load(Ordering::Relaxed);
        let losing = || {
            (lost > 0).then(|| {
                "The disk takes longer to write history than there is to write: some of it is lost"
                    .to_owned()
            })
        };
        self.told().problem.clone().or_else(losing)
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.told().problem = problem;
    }

    pub(super) fn note(&self, note: String) {
        self.told().notes.push(note);
    }

    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.told().notes)
    }

    pub(super) fn set_begun(&self, first: u64) {
        self.told().begun = Some(first);
    }

    pub(super) fn take_begun(&self) -> Option<u64> {
        self.told().begun.take()
    }

    pub(super) fn flush(&self, patience: Duration) -> bool {
        if self.told().problem.is_some() {
            return false;
        }
        let (done, written) = mpsc::sync_channel(1);
        self.queue.try_send(Item::Flush(done)).is_ok() && written.recv_timeout(patience).is_ok()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        // If the queue is full, the thread is awake and looks at the flag.
        let _ = self.queue.try_send(Item::Close);
        self.hurry.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes history failed; please report this");
        }
    }
}

/// Belongs to the thread.
pub(super) struct Writer {
    path: PathBuf,
    audit: PathBuf,
    options: HistoryOptions,
    database: Option<Database>,
    next: Arc<AtomicU64>,
    shared: Arc<Shared>,
    queue: Receiver<Item>,
    /// Taken out of the queue and not written yet.
    pending: Vec<Item>,
    names: Names,
    pass: Option<Pass>,
    looked: Instant,
    written: usize,
    /// How long to wait before it is tried again, while something fails.
    retry: Option<Duration>,
    suspect: bool,
    /// More waits in the queue than one batch takes.
    behind: bool,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        audit: PathBuf,
        options: HistoryOptions,
        database: Option<Database>,
        next: Arc<AtomicU64>,
        shared: Arc<Shared>,
        queue: Receiver<Item>,
    ) -> Self {
        let retry = database.is_none().then_some(RETRY);
        Self {
            path,
            audit,
            options,
            database,
            next,
            shared,
            queue,
            pending: Vec::new(),
            names: Names::default(),
            pass: None,
            looked: Instant::now(),
            written: WRITTEN,
            retry,
            suspect: false,
            behind: false,
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start(self) -> Result<(), StoreError> {
        let (shared, path) = (self.shared.clone(), self.path.clone());
        let thread = std::thread::Builder::new()
            .name("setpoint-history".to_owned())
            .spawn(move || self.run())
            .map_err(|error| StoreError::NoThread { path, reason: error.to_string() })?;
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    fn run(mut self) {
        loop {
            self.wait();
            self.drain();
            let closing = self.shared.closing.load(Ordering::SeqCst);
            let works = match self.write() {
                Ok(()) => {
                    self.works();
                    true
                }
                Err(error) => {
                    self.failed(&error);
                    false
                }
            };
            if closing && (!works || self.pending.is_empty()) {
                break;
            }
            if works && let Err(error) = self.bound() {
                self.failed(&error);
            }
        }
        let last = self.next.load(Ordering::Relaxed).saturating_sub(1);
        if let Some(database) = self.database.take()
            && let Err(error) = database.close(last)
        {
            tracing::warn!("the history database was not closed properly: {error}");
        }
    }

    /// Waits for something to do.
    fn wait(&mut self) {
        if self.shared.closing.load(Ordering::SeqCst) {
            return;
        }
        if let Some(retry) = self.retry {
            let told = self.shared.told();
            let closing = |_: &mut Told| !self.shared.closing.load(Ordering::SeqCst);
            drop(self.shared.hurry.wait_timeout_while(told, retry, closing));
            return;
        }
        let patience = match self.pass {
            Some(_) => Duration::ZERO,
            None if self.behind => Duration::ZERO,
            None => LOOK.saturating_sub(self.looked.elapsed()),
        };
        match self.queue.recv_timeout(patience) {
            Ok(item) => self.receive(item),
            // Every handle is gone without a word.
            Err(RecvTimeoutError::Disconnected) => {
                self.shared.closing.store(true, Ordering::SeqCst)
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }

    /// Takes what waits, up to a batch.
    fn drain(&mut self) {
        self.behind = true;
        while self.pending.len() < BATCH {
            match self.queue.try_recv() {
                Ok(item) => self.receive(item),
                Err(_) => {
                    self.behind = false;
                    return;
                }
            }
        }
    }

    fn receive(&mut self, item: Item) {
        match item {
            Item::Wake => {}
            Item::Suspect => self.suspect = true,
            Item::Close => self.shared.closing.store(true, Ordering::SeqCst),
            item => self.pending.push(item),
        }
    }

    /// Writes what is pending; on an error it stays pending.
    fn write(&mut self) -> Result<(), HistoryError> {
        if self.pending.is_empty() && !self.suspect && self.retry.is_none() {
            return Ok(());
        }
        match self.try_write() {
            Err(HistoryError::Damaged { what, .. }) => {
                // Once: a database that is damaged as soon as it is made is no help.
                self.replace(what)?;
                self.try_write()
            }
            other => other,
        }
    }

    fn try_write(&mut self) -> Result<(), HistoryError> {
        if self.database.as_ref().is_some_and(|database| !database.in_place()) {
            self.database = None;
        }
        if self.database.is_none() {
            self.reopen()?;
        }
        let Some(database) = &mut self.database else { return Ok(()) };
        if std::mem::take(&mut self.suspect) {
            let what = database::look(&self.path)?;
            if let Some(what) = what {
                return Err(HistoryError::Damaged { path: self.path.clone(), what });
            }
        }
        let mut batch = Batch::default();
        for item in &self.pending {
            match item {
                Item::Event(event) => batch.events.push(event),
                Item::Facts(facts) => batch.facts.push(facts),
                Item::Trends(points) => batch.trends.extend(points),
                _ => {}
            }
        }
        let count = batch.events.len() + batch.facts.len() + batch.trends.len();
        if count > 0
            && let Err(error) = database.put(&batch, &mut self.names)
        {
            self.names = Names::default();
            return Err(error);
        }
        self.written += count;
        for item in self.pending.drain(..) {
            self.shared.bytes.fetch_sub(item.bytes(), Ordering::Relaxed);
            if let Item::Flush(done) = item {
                // Whoever asked may have lost patience.
                let _ = done.try_send(());
            }
        }
        Ok(())
    }

    /// Opens the database, which may have to be made.
    fn reopen(&mut self) -> Result<(), HistoryError> {
        self.names = Names::default();
        self.pass = None;
        let next = self.next.clone();
        let opening = database::open(&self.path, || next.load(Ordering::Relaxed))?;
        self.next.fetch_max(opening.next, Ordering::Relaxed);
        let fresh = opening.fresh;
        self.database = Some(opening.database);
        match fresh {
            None => Ok(()),
            Some(fresh) => {
                let note = fresh.moved_to.as_deref().map(|to| fresh.sentence(to));
                self.fill(note.unwrap_or_else(|| {
                    "The history database was gone; a fresh one was made from the audit log."
                        .to_owned()
                }))
            }
        }
    }

    /// Moves a damaged database aside and makes another.
    fn replace(&mut self, why: String) -> Result<(), HistoryError> {
        self.database = None;
        let fresh = database::Fresh { moved_to: None, why };
        let moved_to = database::move_aside(&self.path)?;
        let note = fresh.sentence(&moved_to);
        self.names = Names::default();
        self.pass = None;
        let next = self.next.clone();
        let opening = database::open(&self.path, || next.load(Ordering::Relaxed))?;
        self.database = Some(opening.database);
        self.fill(note)
    }

    /// Fills a fresh database with what the audit log knows, and tells of it.
    fn fill(&mut self, note: String) -> Result<(), HistoryError> {
        let lines = audit::lines(&self.audit).unwrap_or_default();
        let first = self.next.fetch_add(lines.len() as u64, Ordering::Relaxed);
        if let Some(database) = &mut self.database {
            rebuild::fill(database, &lines, first)?;
        }
        let mut told = self.shared.told();
        told.notes.push(note);
        told.begun = Some(self.next.load(Ordering::Relaxed));
        Ok(())
    }

    fn works(&mut self) {
        if self.retry.take().is_some() {
            self.shared.set_problem(None);
        }
        if self.behind {
            return;
        }
        // What waited is written: losing is over, and told once.
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.shared.note(format!("{lost} entries of history were lost and are not in it."));
        }
    }

    fn failed(&mut self, error: &HistoryError) {
        if self.retry.is_none() {
            tracing::debug!(%error, "history");
        }
        let before = self.retry.map_or(RETRY / 2, |retry| retry);
        self.retry = Some((before * 2).min(RETRY_MOST));
        self.shared.set_problem(Some(error.to_string()));
    }

    /// Forgets a little of what is beyond the bounds.
    fn bound(&mut self) -> Result<(), HistoryError> {
        let Some(labelled) = self.shared.labelled() else { return Ok(()) };
        if self.pass.is_none() && (self.written >= WRITTEN || self.looked.elapsed() >= LOOK) {
            self.written = 0;
            self.looked = Instant::now();
            self.pass = Some(Pass::new(self.options, Timestamp::now()));
        }
        let (Some(pass), Some(database)) = (&mut self.pass, &mut self.database) else {
            return Ok(());
        };
        match pass.step(database, &labelled) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.pass = None;
                // Topics may be gone.
                self.names = Names::default();
                Ok(())
            }
            Err(error) => {
                self.pass = None;
                self.suspect |= error.is_damage();
                Err(error)
            }
        }
    }
}
