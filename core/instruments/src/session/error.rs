//! Why a session could not do what it was asked.

use crate::{driver::ValueError, link::LinkError, value::ParamValue};

/// Why a parameter was not read, a line not answered, a value not set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// The driver knows no such parameter.
    #[error("{instrument} has no parameter {parameter}")]
    UnknownParameter {
        /// The instrument.
        instrument: String,
        /// What was asked for.
        parameter: String,
    },
    /// It can only be read.
    #[error("{parameter} can only be read")]
    NotSettable {
        /// The parameter.
        parameter: String,
    },
    /// It can only be set.
    #[error("{parameter} can only be set")]
    NotReadable {
        /// The parameter.
        parameter: String,
    },
    /// The value is of the wrong kind or out of range; nothing was sent.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// There is no link.
    #[error("{instrument} is offline: {reason}")]
    Offline {
        /// The instrument.
        instrument: String,
        /// Why.
        reason: String,
    },
    /// The link failed on the way.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The device reported an error.
    #[error("{parameter}: the device refused {asked}: {report}")]
    Refused {
        /// The parameter.
        parameter: String,
        /// What was asked for, with unit.
        asked: String,
        /// What the device reported.
        report: String,
    },
    /// The device holds something else than it was told.
    #[error("{parameter}: asked for {asked}, the device reads {read}")]
    NotVerified {
        /// The parameter.
        parameter: String,
        /// What was asked for, with unit.
        asked: String,
        /// What was read back, with unit.
        read: String,
    },
    /// The device answered something that is not a value.
    #[error("{parameter}: the device answered something that is not a value")]
    Invalid {
        /// The parameter.
        parameter: String,
    },
    /// Too many requests wait already.
    #[error("{instrument} is busy: {waiting} requests wait already")]
    Busy {
        /// The instrument.
        instrument: String,
        /// The queue's length.
        waiting: usize,
    },
    /// The session has ended.
    #[error("{instrument} is being closed")]
    Stopped {
        /// The instrument.
        instrument: String,
    },
}

/// Why a value was not set, with what is needed to put things right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{cause}")]
pub struct SetError {
    /// The parameter.
    pub parameter: String,
    /// The value just before, where it was read.
    pub before: Option<ParamValue>,
    /// Whether the command went out, or may have: if so, the device may hold another value than
    /// before.
    pub sent: bool,
    /// What went wrong.
    pub cause: SessionError,
}

impl SetError {
    pub(super) fn unsent(parameter: &str, cause: impl Into<SessionError>) -> Self {
        Self { parameter: parameter.to_owned(), before: None, sent: false, cause: cause.into() }
    }
}
