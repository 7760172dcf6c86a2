//! What can be asked of the runtime, and what it answers.

use std::sync::Arc;

use serde::Serialize;
use setpoint_bench::{Change, Diagnostic, Edit, KeyPath, TextEdit};

use crate::status::{PlanStep, Revision, Transaction};

/// One request. Requests are carried out one at a time, in the order they arrive.
#[derive(Debug, Clone)]
pub enum Command {
    /// Opens a transaction with nothing in it.
    Begin {
        /// Why; may be empty.
        message: String,
        /// Who.
        author: String,
    },
    /// Opens a draft again, for whoever asks. What the panel has open then becomes a draft.
    TakeUp {
        /// Its id.
        transaction: String,
    },
    /// Adds edits to a transaction. An edit of a key that is already staged replaces it; one that
    /// restores the running value takes it back.
    Stage {
        /// Its id; `None`: the panel's open one, which is opened if there is none.
        transaction: Option<String>,
        /// What to stage.
        edits: Vec<Edit>,
    },
    /// Takes staged edits back.
    Unstage {
        /// The transaction; `None`: the panel's.
        transaction: Option<String>,
        /// Their keys.
        paths: Vec<KeyPath>,
    },
    /// Decides a clash.
    Resolve {
        /// The transaction; `None`: the panel's.
        transaction: Option<String>,
        /// The key that both sides changed.
        path: KeyPath,
        /// Whose value it gets.
        keep: Keep,
    },
    /// Drops a transaction with everything staged in it.
    Discard {
        /// Which; `None`: the panel's.
        transaction: Option<String>,
    },
    /// Works out what a commit would do and what stands in its way, and changes nothing.
    Validate {
        /// The transaction; `None`: the panel's.
        transaction: Option<String>,
    },
    /// Puts everything staged into effect, or nothing of it.
    Commit {
        /// The transaction; `None`: the panel's.
        transaction: Option<String>,
        /// Why, in the author's words; may be empty.
        message: String,
        /// Who.
        author: String,
    },
    /// Stages, checks and commits edits in one go, apart from the panel's transaction.
    Change {
        /// What to change.
        edits: Vec<TextEdit>,
        /// Why; may be empty.
        message: String,
        /// Who.
        author: String,
        /// The revision the caller believes to be running, if it must be that one.
        if_match: Option<String>,
    },
    /// Puts a whole new text into effect, as if the file had been saved with it.
    Replace {
        /// The text.
        text: String,
        /// Who.
        author: String,
        /// The revision the caller believes to be running, if it must be that one.
        if_match: Option<String>,
    },
    /// Goes back to a kept revision; that is a revision of its own.
    Rollback {
        /// `r36`, or a label.
        revision: String,
        /// Only these keys and what lies below them; empty: everything.
        only: Vec<KeyPath>,
        /// Who.
        author: String,
    },
    /// Keeps what runs as a revision with a name, which keeps it for good.
    Snapshot {
        /// The name; `None`: without one.
        label: Option<String>,
        /// Why; may be empty.
        message: String,
        /// Who.
        author: String,
    },
    /// Names a kept revision, or takes its name away.
    Label {
        /// `r36`, or its label.
        revision: String,
        /// The name; `None`: none.
        label: Option<String>,
        /// Who.
        author: String,
    },
    /// Finishes the change that an earlier run did not; see [`crate::Status::unfinished`].
    Finish {
        /// Who.
        author: String,
    },
    /// Goes back to what ran before the change that an earlier run did not finish.
    GoBack {
        /// Who.
        author: String,
    },
    /// Reads the file now and puts it into effect, watched or not.
    Reload {
        /// Who.
        author: String,
    },
    /// Stops following the file.
    Pause {
        /// Who.
        author: String,
    },
    /// Follows it again, beginning with what it holds now.
    Resume {
        /// Who.
        author: String,
    },
    /// Writes what runs to the file, over whatever it holds. A text on disk that never ran is
    /// kept beside the revisions first; one that came while what runs could not be written is told
    /// of first. Audited.
    Sync {
        /// Who.
        author: String,
    },
    /// Sends one raw line to a device and returns what it answers. Audited.
    Query {
        /// Which instrument.
        instrument: String,
        /// The line, without terminator.
        command: String,
        /// Who.
        author: String,
    },
    /// Sets every setpoint of an instrument whose readback differs; hazardous ones only if they
    /// switch something off. Audited.
    Reapply {
        /// Which instrument.
        instrument: String,
        /// Who.
        author: String,
    },
}

/// Whose value a key gets that both sides changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The staged one.
    Mine,
    /// The one in the file.
    Theirs,
}

/// What came of a [`Command`].
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A change is in effect.
    Changed(Box<Applied>),
    /// A revision was kept without a change, or named.
    Kept {
        /// As it is now.
        revision: Box<Revision>,
    },
    /// A device answered a raw line.
    Reply {
        /// Its line, without terminator.
        reply: String,
    },
    /// Setpoints were compared with the device and set again.
    Reapplied(Reapplied),
    /// A transaction was opened or changed: as it is now, with what a commit would do.
    Transaction(Arc<Transaction>),
    /// What a commit would do now.
    Validated(Box<Validated>),
    /// Done; there is nothing to tell.
    Done {},
}

/// What came of setting an instrument's setpoints again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reapplied {
    /// Parameters that were set and read back as asked.
    pub set: Vec<String>,
    /// Hazardous parameters that differ and were left as they are.
    pub skipped: Vec<String>,
    /// Why it ended before all were set.
    pub failed: Option<String>,
}

/// A change that is in effect.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// The revision that runs now.
    pub revision: Revision,
    /// What differs from before.
    pub changes: Arc<Vec<Change>>,
    /// Warnings about what runs now.
    pub diagnostics: Arc<Vec<Diagnostic>>,
    /// The steps that were taken.
    pub plan: Arc<Vec<PlanStep>>,
    /// Whether it is in the file too; see [`crate::Reload::ahead`].
    pub persisted: bool,
    /// Whether the bench file was not there before it was written.
    pub file_was_gone: bool,
}

/// What a commit would do now, and what stands in its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validated {
    /// Whether a commit would be tried.
    pub ok: bool,
    /// What the bench would be checked as.
    pub diagnostics: Arc<Vec<Diagnostic>>,
    /// What would differ from what runs.
    pub changes: Arc<Vec<Change>>,
    /// The steps it would take, in order.
    pub plan: Arc<Vec<PlanStep>>,
    /// What keeps it from being tried, apart from findings.
    pub blocked_by: Vec<Blocker>,
}

/// One thing that keeps a transaction from being committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// `clash`: someone else changed a staged key; `draft`: it has to be taken up first; `empty`:
    /// nothing is staged; `edit`: an edit cannot be written into the file; `file`: the file holds
    /// something that is not in effect.
    pub kind: &'static str,
    /// The key; empty where it is none.
    pub path: String,
    /// What is in the way, in a sentence.
    pub message: String,
}

/// Why a [`Command`] changed nothing. Each message says what happened, where, and what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    /// The text that would result does not check.
    #[error("{message}")]
    Invalid {
        /// The first finding in a sentence, and how many more there are.
        message: String,
        /// All findings.
        diagnostics: Arc<Vec<Diagnostic>>,
    },
    /// A step failed; the ones before it were undone.
    #[error("{message}")]
    Failed {
        /// The step, its cause, what was undone and what could not be.
        message: String,
    },
    /// Another change is in the way: the file on disk holds an edit that is not in effect, or a
    /// staged key clashes.
    #[error("{message}")]
    Conflict {
        /// What is in the way and how to get past it.
        message: String,
        /// What is wrong with the file on disk, if that is it.
        diagnostics: Arc<Vec<Diagnostic>>,
    },
    /// Reloads are held back after too many failures, and the file holds an edit that waits for
    /// their end.
    #[error("{message}")]
    Locked {
        /// What is in the way and how to get past it.
        message: String,
    },
    /// The file, or the disk that it or the folder beside it is on, is read-only for this user.
    #[error("{message}")]
    ReadOnly {
        /// Which file, and what to do.
        message: String,
    },
    /// The caller's idea of the running revision is out of date.
    #[error("the bench runs {running}, not {expected}: read it again and repeat the change")]
    Stale {
        /// What the caller expected.
        expected: String,
        /// What runs.
        running: String,
    },
    /// There is no such thing.
    #[error("there is no {what} “{name}”")]
    NotFound {
        /// `instrument`, `revision`, …
        what: &'static str,
        /// The name asked for.
        name: String,
    },
    /// The file or the folder beside it cannot be used.
    #[error("{message}")]
    Storage {
        /// Which file, why, and what to do.
        message: String,
    },
    /// A device did not do what was asked.
    #[error("{message}")]
    Device {
        /// Which one and why.
        message: String,
    },
    /// Too many requests wait already.
    #[error("the bench is busy: {waiting} requests wait already; try again")]
    Busy {
        /// The queue's length.
        waiting: usize,
    },
    /// The program is ending.
    #[error("Setpoint is stopping")]
    Stopping,
}

impl CommandError {
    /// Findings that belong to the error.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid { diagnostics, .. } | Self::Conflict { diagnostics, .. } => diagnostics,
            _ => &[],
        }
    }
}
