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
mod database;
mod entry;
mod error;
mod export;
mod filter;
mod insert;
mod reader;
mod rebuild;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{Audit, AuditRecord, BenchFolder, StoreError, atomic::random_hex, audit};

pub use entry::{HistoryEvent, Picture, Reading, RevisionFacts, TrendPoint};
pub use error::HistoryError;
pub use export::{Row, Table};
pub use filter::{EventFilter, Order};
pub use reader::HistoryReader;

use database::Opening;
use writer::{Item, Shared, Writer};

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
        let lines = audit::lines(&folder.audit()).unwrap_or_default();
        let floor = || rebuild::floor(&lines, Timestamp::now());
        let (opened, next) = match database::open(&path, floor) {
            Ok(Opening { mut database, mut next, fresh }) => {
                if let Some(fresh) = fresh {
                    next += rebuild::fill(&mut database, &lines, next).unwrap_or(0);
                    let record = record(next, fresh.moved_to.as_deref());
                    if audit.is_none_or(|audit| audit.append(record).is_err()) {
                        shared.set_begun(next);
                    }
                    if let Some(moved_to) = &fresh.moved_to {
                        shared.note(fresh.sentence(moved_to));
                    }
                }
                (Some(database), next)
            }
            Err(error) => {
                shared.set_problem(Some(error.to_string()));
                (None, floor())
            }
        };
        let next = Arc::new(AtomicU64::new(next));
        let open = Arc::new(Open(shared.clone()));
        Writer::new(path, folder.audit(), options, opened, next.clone(), shared, queue).start()?;
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
        None => "A history database was made.".to_owned(),
        Some(to) => format!(
            "The history database was damaged and moved to {}; it was made anew from this log.",
            to.file_name().unwrap_or(to.as_os_str()).display()
        ),
    };
    let mut record = AuditRecord::new(BEGUN, "bench", "setpoint", "", &said);
    record.data.insert("first".into(), first.into());
    record
}
