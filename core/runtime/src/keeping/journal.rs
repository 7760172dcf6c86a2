//! The journal of what is under way, and of what an earlier run did not finish.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use setpoint_store::{AuditRecord, Intent, Journal, ReadError, StoreError};
use tokio::time::Instant;

use super::{Keeping, Store};
use crate::{
    command::CommandError,
    event::Origin,
    journaling::{Lines, Notes},
    shelf::{Earlier, Shelf},
};

/// How long after a look at a journal that cannot be read the next one comes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What an earlier run left in the journal. Locked for moments only, never while anything waits for
/// the disk.
pub(super) struct Left {
    state: Mutex<State>,
    /// A change is over, and its journal could not be ended.
    owed: AtomicBool,
}

enum State {
    /// Nothing, or it has been decided.
    Nothing,
    /// A change that it did not finish: the journal keeps it until that is decided.
    Unfinished(Box<Intent>),
    /// What, cannot be read: nothing is written over it.
    Unread {
        look_at: Instant,
        /// What a look found that came to its end when nobody waited for it any more.
        late: Option<Earlier>,
    },
}

impl State {
    fn unread() -> Self {
        Self::Unread { look_at: Instant::now() + LOOK_AGAIN, late: None }
    }
}

impl Left {
    pub(super) fn new(unfinished: Option<Intent>, unread: bool) -> Self {
        let state = match unfinished {
            Some(intent) => State::Unfinished(Box::new(intent)),
            None if unread => State::unread(),
            None => State::Nothing,
        };
        Self { state: Mutex::new(state), owed: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match &*self.state() {
            State::Unread { late: Some(_), .. } => Some(Instant::now()),
            State::Unread { look_at, .. } => Some(*look_at),
            State::Nothing | State::Unfinished(_) => None,
        }
    }

    fn is_unread(&self) -> bool {
        matches!(*self.state(), State::Unread { .. })
    }

    fn unfinished(&self) -> Option<Box<Intent>> {
        match &*self.state() {
            State::Unfinished(intent) => Some(intent.clone()),
            State::Nothing | State::Unread { .. } => None,
        }
    }

    /// The disk does not answer: the next look comes later.
    fn put_off(&self) {
        if let State::Unread { look_at, .. } = &mut *self.state() {
            *look_at = Instant::now() + LOOK_AGAIN;
        }
    }

    /// What a look found that came to its end late.
    fn take_late(&self) -> Option<Earlier> {
        match &mut *self.state() {
            State::Unread { late, .. } => late.take(),
            State::Nothing | State::Unfinished(_) => None,
        }
    }

    /// What could not be read was looked at once more. `None`: it still cannot be read.
    fn looked(&self, earlier: Earlier) -> Option<Earlier> {
        *self.state() = match &earlier {
            Earlier::Nothing | Earlier::Damaged(_) => State::Nothing,
            Earlier::Unfinished(intent) => State::Unfinished(intent.clone()),
            Earlier::Unread(_) => State::unread(),
        };
        match earlier {
            Earlier::Unread(_) => None,
            earlier => Some(earlier),
        }
    }

    /// A change is over: its journal is to be ended, now or when that can be done.
    pub(super) fn owe(&self) {
        self.owed.store(true, Ordering::Relaxed);
    }

    /// Whether a journal is to be ended.
    pub(super) fn owes(&self) -> bool {
        self.owed.load(Ordering::Relaxed)
    }

    /// A change is over, whichever way: the journal is empty, or again what an earlier run left.
    pub(super) fn end(&self, store: &Store) -> Result<(), StoreError> {
        let ended = match self.unfinished() {
            Some(earlier) => store.journal.put(&earlier),
            None if self.is_unread() => Ok(()),
            None => store.journal.clear(),
        };
        self.owed.store(ended.is_err(), Ordering::Relaxed);
        ended
    }
}

impl Keeping {
    /// Station 6: tells the journal what is about to happen. Answers the journal and how many of
    /// its lines come before these: while an earlier change is unfinished, it stays in front.
    pub(crate) async fn begin(&self, intent: Intent) -> Result<(Journal, usize), CommandError> {
        let inner = self.0.clone();
        self.with_waited(move |store, waited| {
            if inner.left.is_unread() {
                let reason = "what an earlier run left in it could not be read yet".to_owned();
                let path = store.folder.journal();
                return Err(ReadError::Other { path, reason }.into());
            }
            let base = match inner.left.unfinished() {
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
            // The change went on without: at the next start it would look as if it was cut short.
            if !waited.claim() {
                inner.left.end(store)?;
            }
            Ok((store.journal.clone(), base))
        })
        .await
    }

    /// Where steps of the change under way are noted.
    pub(crate) fn notes(&self, journal: Journal, base: usize, lines: Lines) -> Notes {
        Notes::start(self.0.storing.clone(), journal, base, lines)
    }

    /// What an earlier run did not finish has been decided.
    pub(crate) async fn decided(&self) -> Result<(), CommandError> {
        let inner = self.0.clone();
        self.with(move |store| {
            store.journal.clear()?;
            *inner.left.state() = State::Nothing;
            Ok(())
        })
        .await
    }

    /// Whether what an earlier run left in the journal could not be read yet.
    pub(crate) fn journal_is_unread(&self) -> bool {
        self.0.left.is_unread()
    }

    /// Looks again at what an earlier run left and could not be read, if that is due. `None`:
    /// there is nothing new.
    pub(crate) async fn look_at_journal(&self) -> Option<Earlier> {
        self.0.left.due().filter(|due| *due <= Instant::now())?;
        if let Some(late) = self.0.left.take_late() {
            return self.0.left.looked(late);
        }
        let inner = self.0.clone();
        let looked = self.storing(move |waited| {
            let earlier = Shelf::unfinished(&inner.path);
            if waited.claim() {
                return Some(earlier);
            }
            if let State::Unread { late, .. } = &mut *inner.left.state() {
                *late = Some(earlier);
            }
            None
        });
        match looked.await {
            Ok(Some(earlier)) => self.0.left.looked(earlier),
            Ok(None) | Err(_) => {
                self.0.left.put_off();
                None
            }
        }
    }

    /// A change that failed, and where it was to change something: noted in the audit, the journal
    /// cleared.
    pub(crate) async fn give_up(&self, path: &str, why: &str, origin: Origin, author: &str) {
        let record = AuditRecord::new("change_failed", origin.as_str(), author, path, why);
        let inner = self.0.clone();
        inner.left.owe();
        let noted = self
            .with(move |store| {
                inner.left.end(store)?;
                store.audit.append(record)
            })
            .await;
        if let Err(error) = noted {
            tracing::error!("a failed change could not be noted: {error}");
        }
    }
}
