//! What was found in the files and is not in effect.

use std::sync::Arc;

use setpoint_bench::Diagnostic;
use setpoint_store::ReadError;

use crate::status::Question;

/// The code of findings about who may write a file.
const NOT_ALLOWED: &str = "not_allowed";

/// Something on disk that is not in effect.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It was refused: it does not check, or a device did not take it. No text if it is none.
    Refused { text: Option<Arc<str>>, diagnostics: Arc<Vec<Diagnostic>>, why: String },
    /// It is not in effect before someone says so, or something else happens.
    Waiting { text: Arc<str>, why: Wait },
    /// Nothing: the file is gone or cannot be read.
    Unreadable { why: String, because: Unreadable },
}

/// Why a file is not there to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Who may write it.
    Rights,
    /// The disk does not answer.
    Silence,
    /// Anything else.
    Other,
}

impl From<&ReadError> for Unreadable {
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::NotAllowed(_) => Self::Rights,
            ReadError::NoAnswer { .. } => Self::Silence,
            _ => Self::Other,
        }
    }
}

impl Found {
    /// Whether it would be something else had the disk answered, for all that is known.
    pub(crate) fn may_be_silence(&self) -> bool {
        match self {
            Self::Unreadable { because, .. } => *because == Unreadable::Silence,
            Self::Waiting { why, .. } => *why == Wait::Reload,
            Self::Refused { .. } => self.was_hindered(),
        }
    }

    /// Whether nothing was wrong with the text: a disk or a device was in the way, and may not be
    /// any more.
    pub(crate) fn was_hindered(&self) -> bool {
        matches!(self, Self::Refused { diagnostics, .. } if diagnostics.is_empty())
    }

    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Refused { text, .. } => text.as_ref(),
            Self::Waiting { text, .. } => Some(text),
            Self::Unreadable { .. } => None,
        }
    }

    /// Whether it is not used because of who may write a file: taking that right away changes no
    /// text, and nothing tells of it.
    pub(crate) fn by_rights(&self) -> bool {
        match self {
            Self::Unreadable { because, .. } => *because == Unreadable::Rights,
            Self::Refused { diagnostics, .. } => are_rights(diagnostics),
            Self::Waiting { .. } => false,
        }
    }
}

/// Whether a file is not used because of who may write it.
pub(crate) fn are_rights(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|finding| finding.code == NOT_ALLOWED)
}

/// What a text on disk waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A reload: there is more to it than was written.
    Reload,
    /// A reload: saves are not followed.
    Off,
    /// An operator, who sees what it would change: in few words.
    Operator(String),
    /// The end of a pause.
    Resume,
    /// The end of the time for which failing reloads are held back.
    Calm,
    /// An answer: it may be half of what its writer means.
    Answer(Question),
    /// A decision: what runs was never written, and now the file holds something else.
    Decision,
}
