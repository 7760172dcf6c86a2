//! What a person wants, as said by a page. The app carries it out; a page never does.

use std::path::PathBuf;

use setpoint_bench::{Edit, KeyPath};
use setpoint_runtime::{EventFilter, Keep, RevisionQuery};

use super::{answers::Search, pages::Page};

/// One wish, by subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Staged changes.
    Stage(StageIntent),
    /// Revisions.
    History(HistoryIntent),
    /// Bench and file.
    Reload(ReloadIntent),
    /// One device.
    Instrument(InstrumentIntent),
    /// What the window shows.
    View(ViewIntent),
}

/// About staged changes.
#[derive(Debug, Clone, PartialEq)]
pub enum StageIntent {
    /// Stage these.
    Stage(Vec<Edit>),
    /// Take these back.
    Unstage(Vec<KeyPath>),
    /// Decide a clash.
    Resolve(KeyPath, Keep),
    /// Drop all.
    Discard,
    /// Drop the transaction with this id.
    DiscardOne(String),
    /// Go on with the draft with this id.
    TakeUp(String),
    /// Put all into effect.
    Commit {
        /// Why; may be empty.
        message: String,
    },
}

/// About revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryIntent {
    /// The page cannot go on without the text of this revision.
    NeedText(String),
    /// It cannot go on without what differs between two revisions.
    NeedChanges {
        /// `r36`
        old: String,
        /// `r41`
        new: String,
    },
    /// It cannot go on without what was so when this revision was accepted.
    NeedFacts(String),
    /// Look for revisions.
    Find(Search, RevisionQuery),
    /// Look for events in the history.
    FindEvents(Search, EventFilter),
    /// Keep what runs, with a name if there is one.
    Snapshot {
        /// The name.
        label: Option<String>,
    },
    /// Name a revision, or take its name away.
    Label {
        /// `r36`
        revision: String,
        /// The name; `None`: none.
        label: Option<String>,
    },
    /// Go back to a revision, as a whole or these keys only.
    Rollback {
        /// `r36`
        revision: String,
        /// Empty: everything.
        only: Vec<KeyPath>,
    },
}

/// About bench and file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadIntent {
    /// Read the file now.
    Now,
    /// Stop following it.
    Pause,
    /// Follow it again.
    Resume,
    /// Write what runs over what the file holds.
    Sync,
    /// Finish the change that an earlier run did not.
    Finish,
    /// Go back to what ran before that change.
    GoBack,
}

/// About one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstrumentIntent {
    /// Set what differs from its setpoints.
    Reapply(String),
}

/// About the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewIntent {
    /// Show this page.
    Go(Page),
    /// From light to dark or back.
    SwitchTheme,
    /// Ask for a bench file.
    OpenDialog,
    /// Open this bench file.
    Open(PathBuf),
    /// Open the demo bench.
    Demo,
    /// Close the window.
    Leave,
    /// Do not close it.
    Stay,
    /// Put this text on the clipboard.
    Copy(String),
}

impl From<StageIntent> for Intent {
    fn from(intent: StageIntent) -> Self {
        Self::Stage(intent)
    }
}

impl From<HistoryIntent> for Intent {
    fn from(intent: HistoryIntent) -> Self {
        Self::History(intent)
    }
}

impl From<ReloadIntent> for Intent {
    fn from(intent: ReloadIntent) -> Self {
        Self::Reload(intent)
    }
}

impl From<InstrumentIntent> for Intent {
    fn from(intent: InstrumentIntent) -> Self {
        Self::Instrument(intent)
    }
}

impl From<ViewIntent> for Intent {
    fn from(intent: ViewIntent) -> Self {
        Self::View(intent)
    }
}
