//! The journal of what is under way, and of what an earlier run did not finish.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use setpoint_store::{AuditRecord, Intent, Journal, ReadError, StoreError};
use tokio::time::Instant;

use super::{Keeping, Store};
use crate::{
    command::CommandError,
    event::Origin,
    shelf::{Earlier, Shelf},
};

/// How long after a look at a journal that cannot be read the next one comes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What an earlier run left in the journal.
pub(super) struct Left(Mutex<State>);

enum State {
    /// Nothing, or it has been decided.
    Nothing,
    /// A change that it did not finish: the journal keeps it until that is decided.
    Unfinished(Box<Intent>),
    /// What, cannot be read: nothing is written over it.
    Unread { look_at: Instant },
}

impl Left {
    pub(super) fn new(unfinished: Option<Intent>, unread: bool) -> Self {
        Self(Mutex::new(match unfinished {
            Some(intent) => State::Unfinished(Box::new(intent)),
            None if unread => State::Unread { look_at: Instant::now() + LOOK_AGAIN },
            None => State::Nothing,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match *self.state() {
            State::Unread { look_at } => Some(look_at),
            State::Nothing | State::Unfinished(_) => None,
        }
    }

    /// Looks once more at what could not be read. `None`: it still cannot.
    fn look(&self, bench: &Path) -> Option<Earlier> {
        let mut state = self.state();
        let earlier = Shelf::unfinished(bench);
        *state = match &earlier {
            Earlier::Nothing | Earlier::Damaged(_) => State::Nothing,
            Earlier::Unfinished(intent) => State::Unfinished(intent.clone()),
            Earlier::Unread(_) => State::Unread { look_at: Instant::now() + LOOK_AGAIN },
        };
        match earlier {
            Earlier::Unread(_) => None,
            earlier => Some(earlier),
        }
    }

    /// A change is over, whichever way: the journal is empty, or again what an earlier run left.
    pub(super) fn end(&self, store: &Store) -> Result<(), StoreError> {
        match &*self.state() {
            State::Nothing => store.journal.clear(),
            State::Unfinished(earlier) => store.journal.put(earlier),
            State::Unread { .. } => Ok(()),
        }
    }
}

impl Keeping {
    /// Station 6: tells the journal what is about to happen. Answers the journal and how many of
    /// its lines come before these: while an earlier change is unfinished, it stays in front.
    pub(crate) async fn begin(&self, intent: Intent) -> Result<(Journal, usize), CommandError> {
        let inner = self.0.clone();
        self.with(move |store| {
            let base = match &*inner.left.state() {
                State::Unfinished(earlier) => {
                    let mut earlier = earlier.clone();
                    let base = earlier.steps.len();
                    earlier.touches.resize(base, String::new());
                    earlier.steps.extend(intent.steps);
                    earlier.touches.extend(intent.touches);
                    store.journal.put(&earlier)?;
                    base
                }
                State::Nothing => {
                    store.journal.begin(&intent)?;
                    0
                }
                State::Unread { .. } => {
                    let reason = "what an earlier run left in it could not be read yet".to_owned();
                    let path = store.folder.journal();
                    return Err(ReadError::Other { path, reason }.into());
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
            *inner.left.state() = State::Nothing;
            Ok(())
        })
        .await
    }

    /// Whether what an earlier run left in the journal could not be read yet.
    pub(crate) fn journal_is_unread(&self) -> bool {
        self.0.left.due().is_some()
    }

    /// Looks again at what an earlier run left and could not be read, if that is due. `None`:
    /// there is nothing new.
    pub(crate) async fn look_at_journal(&self) -> Option<Earlier> {
        self.0.left.due().filter(|due| *due <= Instant::now())?;
        let inner = self.0.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let _one_at_a_time = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            inner.left.look(&inner.path)
        });
        looked.await.ok().flatten()
    }

    /// A change that failed: noted in the audit, the journal cleared.
    pub(crate) async fn give_up(&self, why: &str, origin: Origin, author: &str) {
        let record = AuditRecord::new("change_failed", origin.as_str(), author, "", why);
        let inner = self.0.clone();
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
