//! The thread that writes.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    HistoryError, HistoryOptions,
    bounds::Pass,
    clock::Clocks,
    database::{self, Database},
    insert::{Batch, Names},
    queue::{Item, Shared},
    rebuild::Filling,
};
use crate::StoreError;

/// What is written in one transaction.
const BATCH: usize = 4_096;
/// How often is looked whether something is beyond the bounds.
const LOOK: Duration = Duration::from_secs(600);
/// What is written between two looks at most.
const WRITTEN: usize = 100_000;
/// How long a failure is waited out at first, and at most.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Belongs to the thread.
pub(super) struct Writer {
    path: PathBuf,
    audit: PathBuf,
    options: HistoryOptions,
    database: Option<Database>,
    /// What the audit log knows and the database does not yet.
    filling: Option<Filling>,
    next: Arc<AtomicU64>,
    shared: Arc<Shared>,
    queue: Receiver<Item>,
    /// Taken out of the queue and not written yet.
    pending: Vec<Item>,
    names: Names,
    /// `None` until someone said which they are.
    labelled: Option<HashSet<String>>,
    clocks: Clocks,
    pass: Option<Pass>,
    looked: Instant,
    written: usize,
    /// How long to wait before it is tried again, while something fails.
    retry: Option<Duration>,
    suspect: bool,
    /// More waits in the queue than one batch takes.
    behind: bool,
    /// Entries that were lost before the queue was found empty: what is lost after that belongs to
    /// the next time.
    lost: u64,
}

/// What the thread begins with.
pub(super) struct Begin {
    pub(super) path: PathBuf,
    pub(super) audit: PathBuf,
    pub(super) options: HistoryOptions,
    pub(super) database: Option<Database>,
    pub(super) filling: Option<Filling>,
    pub(super) next: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn new(begin: Begin, shared: Arc<Shared>, queue: Receiver<Item>) -> Self {
        let Begin { path, audit, options, database, filling, next } = begin;
        let fails = database.is_none() || filling.is_some();
        Self {
            path,
            audit,
            options,
            database,
            filling,
            next,
            shared,
            queue,
            pending: Vec::new(),
            names: Names::default(),
            labelled: None,
            clocks: Clocks::new(options),
            pass: None,
            looked: Instant::now(),
            written: WRITTEN,
            retry: fails.then_some(RETRY),
            suspect: false,
            behind: false,
            lost: 0,
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
        shared.set_thread(thread);
        Ok(())
    }

    fn run(mut self) {
        loop {
            self.wait();
            self.drain();
            let closing = self.shared.closing();
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
            if closing && !(works && self.behind) {
                break;
            }
            if works && let Err(error) = self.bound() {
                self.failed(&error);
            }
        }
        self.give_up_the_rest();
        let last = self.next.load(Ordering::Relaxed).saturating_sub(1);
        if let Some(database) = self.database.take()
            && let Err(error) = database.close(last)
        {
            tracing::warn!("the history database was not closed properly: {error}");
        }
    }

    /// What could not be written before the end is lost, and told.
    fn give_up_the_rest(&mut self) {
        let rest = self.pending.drain(..).chain(self.queue.try_iter());
        self.shared.lose(rest.map(|item| item.entries()).sum());
        let lost = self.shared.take_lost();
        if lost > 0 {
            let note = lost_note(lost);
            tracing::warn!("{note}");
            self.shared.note(note);
        }
    }

    /// Waits for something to do.
    fn wait(&mut self) {
        if self.shared.closing() {
            return;
        }
        if let Some(retry) = self.retry {
            return self.shared.rest(retry);
        }
        let patience = match self.pass {
            Some(_) => Duration::ZERO,
            None if self.behind => Duration::ZERO,
            None => LOOK.saturating_sub(self.looked.elapsed()),
        };
        match self.queue.recv_timeout(patience) {
            Ok(item) => self.receive(item),
            // The thread holds a sender itself, and is told to end before that.
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
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
                    self.lost = self.shared.lost();
                    return;
                }
            }
        }
    }

    fn receive(&mut self, item: Item) {
        match item {
            Item::Suspect => self.suspect = true,
            Item::Wake => {}
            item => self.pending.push(item),
        }
    }

    /// Writes what is pending; on an error it stays pending.
    fn write(&mut self) -> Result<(), HistoryError> {
        let idle = self.pending.is_empty() && !self.suspect && self.filling.is_none();
        if idle && self.retry.is_none() {
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
        self.fill()?;
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
        if count > 0 {
            match database.put(&batch, &mut self.names) {
                Ok(left_out) => {
                    self.shared.lose(left_out);
                    self.lost += left_out;
                }
                Err(error) => {
                    self.names = Names::default();
                    return Err(error);
                }
            }
        }
        self.written += count;
        for item in self.pending.drain(..) {
            self.shared.done_with(&item);
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
        let opening = database::open(&self.path, |_| next.load(Ordering::Relaxed))?;
        self.next.fetch_max(opening.next, Ordering::Relaxed);
        self.database = Some(opening.database);
        if let Some(fresh) = opening.fresh {
            let note = fresh.moved_to.as_deref().map(|to| fresh.sentence(to));
            self.plan_filling(note.unwrap_or_else(|| {
                "The history database was gone; a fresh one was made from the audit log.".to_owned()
            }));
        }
        Ok(())
    }

    /// Moves a damaged database aside; what follows makes another.
    fn replace(&mut self, why: String) -> Result<(), HistoryError> {
        self.database = None;
        let fresh = database::Fresh { moved_to: None, why };
        let moved_to = database::move_aside(&self.path)?;
        let note = fresh.sentence(&moved_to);
        self.names = Names::default();
        self.pass = None;
        let next = self.next.clone();
        let opening = database::open(&self.path, |_| next.load(Ordering::Relaxed))?;
        self.database = Some(opening.database);
        self.plan_filling(note);
        Ok(())
    }

    /// A fresh database is there, and has to be filled. What was to be told of that and was not
    /// yet is told with it; numbers that were put by for it are used.
    fn plan_filling(&mut self, note: String) {
        match &mut self.filling {
            Some(filling) => filling.notes.push(note),
            None => {
                let first = |count| self.next.fetch_add(count, Ordering::Relaxed);
                self.filling = Some(Filling::of(&self.audit, first, Some(note)));
            }
        }
    }

    /// Fills a fresh database with what the audit log knows, and tells of it.
    fn fill(&mut self) -> Result<(), HistoryError> {
        let (Some(filling), Some(database)) = (&self.filling, &mut self.database) else {
            return Ok(());
        };
        filling.put_into(database, &self.audit)?;
        if let Some(filling) = self.filling.take() {
            filling.notes.into_iter().for_each(|note| self.shared.note(note));
            self.shared.set_begun(self.next.load(Ordering::Relaxed));
        }
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
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            self.shared.told_lost(lost);
            self.shared.note(lost_note(lost));
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
        if let Some(labelled) = self.shared.take_labelled() {
            self.labelled = Some(labelled);
        }
        let (Some(labelled), Some(database)) = (&self.labelled, &mut self.database) else {
            return Ok(());
        };
        if self.pass.is_none() && (self.written >= WRITTEN || self.looked.elapsed() >= LOOK) {
            self.written = 0;
            self.looked = Instant::now();
            let cuts = self.clocks.cuts(database, Timestamp::now(), Instant::now());
            let cuts = cuts.map_err(|error| HistoryError::of(&self.path, &error))?;
            self.pass = Some(Pass::new(self.options, cuts));
        }
        let Some(pass) = &mut self.pass else { return Ok(()) };
        let stepped = pass.step(database, labelled);
        if !matches!(stepped, Ok(true)) {
            self.pass = None;
            // Topics may be gone, also where the last step failed.
            self.names = Names::default();
        }
        self.suspect |= stepped.as_ref().is_err_and(HistoryError::is_damage);
        stepped.map(drop)
    }
}

fn lost_note(lost: u64) -> String {
    let (entries, are) = if lost == 1 { ("entry", "is") } else { ("entries", "are") };
    format!("{lost} {entries} of history could not be written and {are} not in it.")
}
