//! `history.sqlite`: events, what was read back at every revision, and readbacks over time, for
//! questions that plain files answer too slowly. Everything in it is second-hand: the bench runs
//! without it, and it is rebuilt from the audit log when it is damaged.
//!
//! [`History`] writes, on a thread of its own; handing something over never waits. Opened once a
//! bench, by whoever holds its lock. [`HistoryReader`] asks questions, from any process.
//!
//! # Promises
//! - What was written is on the disk, also after a power cut.
//! - A number of an event is never used twice, also where the program or the database was lost.
//! - A damaged database is moved aside, never deleted.
//! - It stays within its bounds of age and size; of what takes the most room the oldest goes
//!   first, facts of labelled revisions stay.

mod bounds;
mod clock;
mod database;
mod entry;
mod error;
mod export;
mod filter;
mod insert;
mod queue;
mod reader;
mod rebuild;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{Audit, AuditRecord, BenchFolder, StoreError, atomic::random_hex};

pub use entry::{HistoryEvent, Picture, Reading, RevisionFacts, TrendPoint};
pub use error::HistoryError;
pub use export::{Row, Table};
pub use filter::{EventFilter, Order};
pub use reader::HistoryReader;

use database::Opening;
use queue::{Item, Shared};
use rebuild::Filling;
use writer::{Begin, Writer};

/// The kind of audit record that says from which number on the events of a database count.
const BEGUN: &str = "history_begun";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Events and facts older than this are forgotten.
    pub max_age: Duration,
    /// Readbacks over time that are older than this are forgotten.
    pub max_trend_age: Duration,
    /// Most bytes on disk, the write-ahead log (at most 16 MiB) aside.
    pub max_bytes: u64,
}

impl Default for HistoryOptions {
    /// Two years of events, 30 days of readbacks, 512 MiB.
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { max_age: day * 730, max_trend_age: day * 30, max_bytes: 512 << 20 }
    }
}

/// The history of a bench, open for writing. Cheap to clone; [`History::close`] ends it.
#[derive(Debug, Clone)]
pub struct History {
    shared: Arc<Open>,
    next: Arc<AtomicU64>,
    run: Arc<str>,
}

/// Closes the database with its last handle.
#[derive(Debug)]
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl std::ops::Deref for Open {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl History {
    /// Opens the database, makes it if there is none, rebuilds it if it is damaged, and starts
    /// its thread. Where that is not possible the history is there all the same:
    /// [`History::problem`] says what is wrong, and it is tried again. `audit` is the log where it
    /// can be written; otherwise see [`History::take_begun`].
    ///
    /// # Errors
    /// When the system gives no thread or no random bytes.
    pub fn open(
        folder: &BenchFolder,
        options: HistoryOptions,
        audit: Option<&Audit>,
    ) -> Result<Self, StoreError> {
        let path = folder.history();
        let (shared, queue) = Shared::new();
        let run: Arc<str> = random_hex::<8>()?.into();
        let log = folder.audit();
        let lines = rebuild::lines(&log).ok();
        let floor = |existed| rebuild::floor(lines.as_deref(), existed, Timestamp::now());
        let (mut database, mut filling, mut next) = (None, None, None);
        match database::open(&path, floor) {
            Ok(Opening { database: mut opened, next: mut first, fresh }) => {
                if let Some(fresh) = fresh {
                    let note = fresh.moved_to.as_deref().map(|to| fresh.sentence(to));
                    let put_by = |count| {
                        first += count;
                        first - count
                    };
                    let to_fill = Filling::of(&log, put_by, note);
                    match to_fill.put_into(&mut opened, &log) {
                        Ok(()) => to_fill.notes.into_iter().for_each(|note| shared.note(note)),
                        Err(error) => {
                            shared.set_problem(Some(error.to_string()));
                            filling = Some(to_fill);
                        }
                    }
                    let record = record(first, fresh.moved_to.as_deref());
                    if audit.is_none_or(|audit| audit.append(record).is_err()) {
                        shared.set_begun(first);
                    }
                }
                (database, next) = (Some(opened), Some(first));
            }
            Err(error) => shared.set_problem(Some(error.to_string())),
        }
        let next = next.unwrap_or_else(|| {
            let existed =
                !fs::symlink_metadata(&path).is_err_and(|e| e.kind() == ErrorKind::NotFound);
            let first = floor(existed);
            if first >= rebuild::GUESSED {
                // The next guess has to be above it, which the log then knows.
                shared.set_begun(first);
            }
            first
        });
        let next = Arc::new(AtomicU64::new(next));
        let open = Arc::new(Open(shared.clone()));
        let begin = Begin { path, audit: log, options, database, filling, next: next.clone() };
        Writer::new(begin, shared, queue).start()?;
        Ok(Self { shared: open, next, run })
    }

    /// The number of the next event; each is given once.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The number that [`History::number`] gave last; it may not be written yet.
    pub fn last_number(&self) -> u64 {
        self.next.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Names this run of the program; times since its start count within it.
    pub fn run(&self) -> &Arc<str> {
        &self.run
    }

    /// Hands an event over.
    pub fn put_event(&self, event: HistoryEvent) {
        self.shared.put(Item::Event(Box::new(event)));
    }

    /// Hands over what was read back at a revision, unless there is something for it already.
    pub fn put_facts(&self, facts: RevisionFacts) {
        self.shared.put(Item::Facts(Box::new(facts)));
    }

    /// Hands over readbacks.
    pub fn put_trends(&self, points: Vec<TrendPoint>) {
        if !points.is_empty() {
            self.shared.put(Item::Trends(points));
        }
    }

    /// Says which revisions have a label: their facts are kept, whatever their age. Nothing is
    /// forgotten before this was said once.
    pub fn set_labelled(&self, revisions: Vec<String>) {
        self.shared.set_labelled(revisions.into_iter().collect());
    }

    /// Says that reading found the database damaged: it is looked into.
    pub fn suspect(&self) {
        self.shared.put(Item::Suspect);
    }

    /// What does not work, in a sentence; `None` while all is well.
    pub fn problem(&self) -> Option<String> {
        self.shared.problem()
    }

    /// What there is to tell since this was asked last, in sentences: a damaged database that was
    /// rebuilt, what was lost.
    pub fn take_notes(&self) -> Vec<String> {
        self.shared.take_notes()
    }

    /// The number from which on a database made since this was asked last counts, for
    /// [`History::record_begun`].
    pub fn take_begun(&self) -> Option<u64> {
        self.shared.take_begun()
    }

    /// The audit record for a database that was made anew while the bench ran.
    pub fn record_begun(first: u64) -> AuditRecord {
        record(first, None)
    }

    /// Waits until everything handed over before is on the disk, at most so long. Answers whether
    /// it is.
    pub fn flush(&self, patience: Duration) -> bool {
        self.shared.flush(patience)
    }

    /// Writes what waits and closes the database. What is handed over later is lost.
    pub fn close(&self) {
        self.shared.close();
    }
}

fn record(first: u64, moved_to: Option<&Path>) -> AuditRecord {
    let said = match moved_to {
        None => format!("The history counts its events from {first} on."),
        Some(to) => format!(
            "The history database was damaged and moved to {}; it was made anew from this log.",
            to.file_name().unwrap_or(to.as_os_str()).display()
        ),
    };
    let mut record = AuditRecord::new(BEGUN, "bench", "setpoint", "", &said);
    record.data.insert("first".into(), first.into());
    record
}
