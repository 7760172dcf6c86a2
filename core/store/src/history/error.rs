//! What can go wrong with the database.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Error, ErrorCode};

use crate::error::silence;

/// Why the history could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// There is no database.
    #[error("there is no history database {path}: the bench has not run yet, or it was removed")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It holds something else than it should.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system does not let it be read or written now.
    #[error("{path} cannot be used: {what}{}", advice(*.kind))]
    Unusable {
        /// The database.
        path: PathBuf,
        /// What the system says.
        what: String,
        /// The same, for programs.
        kind: Unusable,
    },
    /// The answer could not be written where it was to go.
    #[error("the answer cannot be written: {reason}")]
    Output {
        /// What the system says.
        reason: String,
    },
}

/// What keeps a database from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The disk is full.
    Full,
    /// It may not be read or written by this user, or its disk is read-only.
    Permission,
    /// Another program keeps it locked.
    Busy,
    /// Anything else.
    Other,
}

impl HistoryError {
    /// Of a database whose disk has not answered since then; whoever asked does not wait any longer.
    pub fn silence(path: PathBuf, since: Timestamp) -> Self {
        Self::Unusable { path, what: silence(since), kind: Unusable::Other }
    }

    pub(super) fn of(path: &Path, error: &Error) -> Self {
        let (path, what) = (path.to_owned(), error.to_string());
        let Error::SqliteFailure(failure, _) = error else {
            // A column of another type, a missing table: not what was written there.
            return Self::Damaged { path, what };
        };
        let kind = match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                return Self::Damaged { path, what };
            }
            // A statement that does not fit the tables that are there.
            ErrorCode::Unknown if failure.extended_code == 1 => {
                return Self::Damaged { path, what };
            }
            ErrorCode::DiskFull => Unusable::Full,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
                Unusable::Permission
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Unusable::Busy,
            _ => Unusable::Other,
        };
        Self::Unusable { path, what, kind }
    }

    /// Whether the database has to be made anew.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

fn advice(kind: Unusable) -> &'static str {
    match kind {
        Unusable::Full => "; free some space",
        Unusable::Permission => "; check who may write to its folder",
        Unusable::Busy => "; another program keeps it locked, close that",
        Unusable::Other => "",
    }
}
