//! What happened: one stream for every screen, file and client.

use jiff::Timestamp;
use serde::Serialize;

/// Who caused a change, by the door it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The panel.
    Panel,
    /// An edit of the bench file.
    File,
    /// HTTP or the command line.
    Api,
    /// Going back to a revision.
    Rollback,
    /// The bench itself: devices, sources, the program.
    Bench,
}

impl Origin {
    /// As it is written in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::File => "file",
            Self::Api => "api",
            Self::Rollback => "rollback",
            Self::Bench => "bench",
        }
    }
}

/// What an event is about: the tabs of the Activity page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The file, revisions, staged changes.
    Configuration,
    /// Devices.
    Instruments,
    /// Pictures.
    Sources,
}

/// How an event should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It happened.
    Info,
    /// It worked.
    Good,
    /// Someone staged something.
    Staged,
    /// Look at it.
    Warning,
    /// It failed or was refused.
    Error,
    /// A revision or label was kept.
    Kept,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Counts from 1 in this run, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub origin: Origin,
    /// Stable name: `reload_rejected`, `commit_applied`, `instrument_offline`, …
    pub kind: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// How it should look.
    pub tone: Tone,
    /// The key or component: `instruments.psu`; empty for the bench as a whole.
    pub path: String,
    /// One sentence for a person.
    pub message: String,
    /// How long it took, in milliseconds, where that is of interest.
    pub took_ms: Option<f64>,
}
