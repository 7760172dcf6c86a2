//! What is kept of a bench, also where nothing can be: the bench runs on without it.

use std::path::Path;

use setpoint_store::{
    Audit, BenchFolder, FolderLock, Intent, Journal, RevisionRecord, Revisions, StoreError,
    TargetLock, TextHash,
};

use crate::{
    event::Origin,
    files::OnDiskText,
    keeping::{self, Store},
    status::Revision,
};

/// The id of a text that runs and could not be kept.
pub(crate) const UNKEPT: &str = "r0";

/// The folder beside the bench file.
pub(crate) enum Shelf {
    /// Everything can be read and written.
    Open(Box<Store>),
    /// It cannot be used, or only be read.
    Closed {
        /// What can be read of it.
        revisions: Box<Revisions>,
        /// The lock, where it could be taken.
        lock: Option<FolderLock>,
        /// The lock on the file that links lead to.
        target: Option<TargetLock>,
        /// Why.
        why: StoreError,
    },
}

impl Shelf {
    /// Opens it; one that cannot be used is closed.
    ///
    /// # Errors
    /// Only if another Setpoint or another bench has it.
    pub(crate) fn open(bench: &Path) -> Result<Self, StoreError> {
        let folder = BenchFolder::of(bench);
        // First: a folder beside a link that is refused would only be litter.
        let target = TargetLock::take(bench)?;
        match folder.lock() {
            Ok(lock) => Ok(Self::with_locks(folder, lock, target)),
            Err(error @ (StoreError::InUse { .. } | StoreError::OtherBench { .. })) => Err(error),
            Err(why) => {
                let revisions = Box::new(Revisions::look(&folder));
                Ok(Self::Closed { revisions, lock: None, target: Some(target), why })
            }
        }
    }

    fn with_locks(folder: BenchFolder, lock: FolderLock, target: TargetLock) -> Self {
        match Parts::open(&folder) {
            Ok(parts) => Self::Open(Box::new(parts.store(folder, lock, Some(target)))),
            Err(why) => Self::Closed {
                revisions: Box::new(Revisions::look(&folder)),
                lock: Some(lock),
                target: Some(target),
                why,
            },
        }
    }

    /// What can be written to. A closed one is tried again first, a deleted one made anew.
    ///
    /// # Errors
    /// When nothing can be kept.
    pub(crate) fn store(&mut self, bench: &Path) -> Result<&mut Store, StoreError> {
        if let Self::Closed { lock, target, why, .. } = self {
            let folder = BenchFolder::of(bench);
            let locked = match lock.take() {
                Some(lock) => Ok(lock),
                None => folder.lock(),
            };
            match locked.map(|locked| (Parts::open(&folder), locked)) {
                Ok((Ok(parts), locked)) => {
                    let store = parts.store(folder, locked, target.take());
                    *self = Self::Open(Box::new(store));
                }
                Ok((Err(error), locked)) => (*why, *lock) = (error, Some(locked)),
                Err(error) => *why = error,
            }
        }
        match self {
            Self::Open(store) => {
                store.remake_if_gone(bench)?;
                Ok(store)
            }
            Self::Closed { why, .. } => Err(why.clone()),
        }
    }

    /// What can be read.
    pub(crate) fn revisions(&self) -> &Revisions {
        match self {
            Self::Open(store) => &store.revisions,
            Self::Closed { revisions, .. } => revisions,
        }
    }

    /// The log, where it can be written.
    pub(crate) fn audit(&self) -> Option<&Audit> {
        match self {
            Self::Open(store) => Some(&store.audit),
            Self::Closed { .. } => None,
        }
    }

    /// Why nothing can be kept, if nothing can.
    pub(crate) fn problem(&self) -> Option<&StoreError> {
        match self {
            Self::Open(_) => None,
            Self::Closed { why, .. } => Some(why),
        }
    }

    /// The change that an earlier run did not finish. A damaged journal is set aside.
    pub(crate) fn unfinished(bench: &Path) -> Earlier {
        let journal = Journal::open(&BenchFolder::of(bench));
        let unknown = "What Setpoint was doing when it last ended is not known";
        match journal.found() {
            Ok(None) => Earlier::Nothing,
            Ok(Some(intent)) => Earlier::Unfinished(Box::new(intent)),
            Err(error @ StoreError::Damaged { .. }) => {
                let aside = match journal.set_aside() {
                    Ok(aside) => format!("it is now {}", aside.display()),
                    Err(error) => format!("it could not be set aside either ({error})"),
                };
                Earlier::Damaged(format!("{unknown}: {error}; {aside}. Check the devices."))
            }
            Err(error) => Earlier::Unread(format!(
                "{unknown}: {error}. It is looked at again every few seconds; until then changes \
                 are made without a journal. Check the devices."
            )),
        }
    }

    /// Whether a revision never reached the files, as far as the audit log before the revision
    /// `found` says.
    pub(crate) fn never_written(&self, newest: &RevisionRecord, found: &str) -> bool {
        match self {
            Self::Open(store) => keeping::never_written(&store.audit, newest, found)
                .unwrap_or_else(|error| {
                    tracing::warn!("whether {} reached the file is not known: {error}", newest.id);
                    false
                }),
            Self::Closed { .. } => false,
        }
    }

    /// Gives the bench free for another program.
    pub(crate) fn unlock(&mut self) {
        match self {
            Self::Open(store) => drop((store.lock.take(), store.target.take())),
            Self::Closed { lock, target, .. } => drop((lock.take(), target.take())),
        }
    }
}

/// What an earlier run left in the journal.
pub(crate) enum Earlier {
    Nothing,
    Unfinished(Box<Intent>),
    /// Something that made no sense, told in a sentence.
    Damaged(String),
    /// It cannot be read now, told in a sentence. It must not be written over.
    Unread(String),
}

struct Parts {
    audit: Audit,
    revisions: Revisions,
}

impl Parts {
    fn open(folder: &BenchFolder) -> Result<Self, StoreError> {
        let audit = Audit::open(folder)?;
        let revisions = Revisions::open(folder, &audit)?;
        Ok(Self { audit, revisions })
    }

    fn store(self, folder: BenchFolder, lock: FolderLock, target: Option<TargetLock>) -> Store {
        let Self { audit, revisions } = self;
        let (journal, lock) = (Journal::open(&folder), Some(lock));
        Store { journal, lock, target, folder, revisions, audit }
    }
}

/// A text that runs without having been kept.
pub(crate) fn unkept(file: &OnDiskText) -> Revision {
    Revision {
        id: UNKEPT.to_owned(),
        hash: file.hash.short(),
        at: jiff::Timestamp::now(),
        author: Origin::File.as_str().to_owned(),
        origin: Origin::File,
        message: "As opened; it could not be kept".to_owned(),
        label: None,
    }
}

/// Which side of a change a text is on.
pub(crate) fn side(intent: &Intent, hash: Option<TextHash>) -> crate::FileHolds {
    match hash {
        Some(hash) if hash == intent.to_hash => crate::FileHolds::After,
        Some(hash) if Some(hash) == intent.from_hash => crate::FileHolds::Before,
        _ => crate::FileHolds::Other,
    }
}
