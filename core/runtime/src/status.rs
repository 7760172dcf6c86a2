//! Everything a screen needs, in one value: immutable, swapped whole, read without a lock.

use std::{path::PathBuf, sync::Arc};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;
use setpoint_bench::{Change, Clash, Diagnostic, KeyPath, Value};
use setpoint_instruments::InstrumentStatus;
use setpoint_video::SourceStatus;

use crate::event::{Event, Origin};

/// The bench as it is now.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Which bench.
    pub bench: BenchInfo,
    /// The revision that runs; `None` until the first good file.
    pub revision: Option<Revision>,
    /// How bench and file stand to each other.
    pub reload: Reload,
    /// Something only a person can put right: a device could not be put back after a change that
    /// failed. Stays until a change succeeds. What `unfinished` asks for is not repeated here.
    pub attention: Option<String>,
    /// A change that an earlier run of Setpoint began and did not finish; stays until someone
    /// finishes it or goes back.
    pub unfinished: Option<Arc<Unfinished>>,
    /// What of the bench's memory does not work (history database damaged, folder unwritable), in
    /// a sentence: the bench runs on without it.
    pub history_problem: Option<String>,
    /// Why files in the folder of drivers are not used as they are, in a sentence; stays as long as
    /// that is so.
    pub drivers_problem: Option<String>,
    /// Changes staged and not yet in effect, drafts among them, oldest first.
    pub transactions: Vec<Arc<Transaction>>,
    /// Instruments in file order.
    pub instruments: IndexMap<String, Arc<InstrumentStatus>>,
    /// Sources in file order.
    pub sources: IndexMap<String, Arc<SourceInfo>>,
    /// Kept revisions, newest first.
    #[serde(skip)]
    pub revisions: Arc<Vec<Revision>>,
    /// The last events, oldest first.
    #[serde(skip)]
    pub events: Arc<Vec<Arc<Event>>>,
    /// The text that runs.
    #[serde(skip)]
    pub text: Arc<str>,
    /// The values that run, as nested tables.
    #[serde(skip)]
    pub values: Arc<Value>,
    /// What the file on disk holds while it is not what runs (rejected or not yet applied).
    #[serde(skip)]
    pub disk_text: Option<Arc<str>>,
    /// The share of one processor core this program used over the last second, in percent.
    pub cpu_percent: Option<f64>,
}

/// Which bench this is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchInfo {
    /// `[bench] name`
    pub name: String,
    /// The bench file.
    pub path: PathBuf,
    /// `development`, `production`, …
    pub environment: String,
}

/// One accepted state of the bench file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Revision {
    /// `r41`
    pub id: String,
    /// First 8 hex digits of the text's BLAKE3 hash.
    pub hash: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// Who: a user's login name, or `file` where that cannot be known.
    pub author: String,
    /// Through which door.
    pub origin: Origin,
    /// Why: the author's words, or a summary of what changed.
    pub message: String,
    /// The name that keeps it for good.
    pub label: Option<String>,
}

/// How bench and file stand to each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reload {
    /// The pill.
    pub state: ReloadState,
    /// Saves of the file that were applied since start.
    pub applied: u64,
    /// Saves that were refused since start.
    pub rejected: u64,
    /// The last save or commit.
    pub last: Option<LastReload>,
    /// What is wrong with the file on disk, or worth knowing about what runs.
    pub diagnostics: Arc<Vec<Diagnostic>>,
    /// Why the file cannot be read or followed, in a sentence.
    pub problem: Option<String>,
    /// What runs is not on disk, and why.
    pub ahead: Option<Ahead>,
    /// A text that is not applied before someone says so.
    pub question: Option<Question>,
    /// Too many saves failed: saves are looked at less often for a while.
    pub suspended: Option<Suspended>,
    /// How saves are noticed.
    pub watch: WatchShown,
}

/// How saves are noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WatchShown {
    /// Why the system does not tell of them, or not of all, in a sentence: the files are asked
    /// once a second then. `None` if it does.
    pub polling: Option<String>,
    /// Saves are noticed and not followed, as the bench file wants: they wait for a reload.
    pub off: bool,
}

/// What runs could not be written to disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// Which file, and why it could not be written, in a sentence.
    pub cause: String,
    /// Since when.
    pub since: Timestamp,
    /// When writing is tried again by itself.
    pub next_try: Option<Timestamp>,
}

/// A text in the file that may be half of what someone means to save. Reloading applies it,
/// writing the file anew keeps what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// `23 of 30 instruments would be removed`
    pub message: String,
    /// Paths of the components that would be removed: `instruments.psu`.
    pub removed: Vec<String>,
}

/// Reloads are held back after too many failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspended {
    /// Failed reloads in a row.
    pub failures: usize,
    /// When the file is looked at again.
    pub until: Timestamp,
}

/// A change that was under way when Setpoint ended without finishing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// What happened and what a person has to decide, in sentences.
    pub message: String,
    /// When it began.
    pub at: Timestamp,
    /// The revision that ran until then; empty if there was none.
    pub from_revision: String,
    /// Its steps in order.
    pub steps: Vec<UnfinishedStep>,
    /// What the file holds: `before` (the text from before the change), `after` (the intended
    /// one) or `other`.
    pub file_holds: FileHolds,
    /// What finishing it would do to the file; `None` until that is known.
    pub finish: Option<Arc<Decision>>,
    /// What going back would do to the file; `None` until that is known.
    pub go_back: Option<Arc<Decision>>,
}

/// What a decision about an [`Unfinished`] change would do to the file as it is now. What was saved
/// since stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What it would write, key by key, in words; empty: the file stays as it is.
    pub writes: Vec<String>,
    /// Keys of the change that were saved with another value since, in words: while there are any,
    /// it is refused.
    pub clashes: Vec<String>,
    /// Why it cannot be told, or would be refused otherwise.
    pub problem: Option<String>,
}

/// One step of an [`Unfinished`] change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnfinishedStep {
    /// In words.
    pub text: String,
    /// Whether it is known to have been taken.
    pub done: bool,
}

/// Which side of an [`Unfinished`] change the file is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileHolds {
    /// The text from before it.
    Before,
    /// The text it was to bring.
    After,
    /// Something else, or nothing.
    Other,
}

/// See interface.md, `reload.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReloadState {
    /// The bench runs what the file says.
    InStep,
    /// The file is changing.
    Settling,
    /// A change is being applied.
    Applying,
    /// The file holds something that does not check or could not be applied; the bench runs on.
    Rejected,
    /// File and staged changes clash, or the bench runs something else than a good file.
    Conflict,
    /// The file changed and waits for someone to ask for a reload.
    Proposed,
    /// The file is not watched for now.
    Paused,
    /// What runs is not on disk: the file is gone or cannot be written.
    Ahead,
    /// Reloads failed too often; see [`Reload::suspended`].
    Suspended,
}

/// What became of the last save or commit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastReload {
    /// When it ended.
    pub at: Timestamp,
    /// Through which door it came.
    pub origin: Origin,
    /// `applied`, `rejected` or `unchanged`.
    pub outcome: Outcome,
    /// Keys that differ.
    pub changes: usize,
    /// Streams that were interrupted.
    pub interrupted: usize,
    /// What it took.
    pub timings_ms: Timings,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It runs.
    Applied,
    /// Nothing changed, in the file (unless the file itself is what was refused) or on the bench.
    Rejected,
    /// No key differs: a comment or the order.
    Unchanged,
}

/// Milliseconds spent at each station.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Timings {
    /// First sign of a save to its turn: settling, and waiting for earlier requests.
    pub settle: f64,
    /// Text to values.
    pub parse: f64,
    /// Values to findings.
    pub check: f64,
    /// Differences to ordered steps.
    pub plan: f64,
    /// Journal and steps.
    pub apply: f64,
    /// Writing the file.
    pub write: f64,
    /// All of it.
    pub total: f64,
}

/// Changes staged together, not yet in effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// Short, and given to no other one ever: `t7`.
    pub id: String,
    /// When it was begun or its first edit staged.
    pub opened: Timestamp,
    /// Through which door it was opened, or taken up last.
    pub origin: Origin,
    /// Who; empty where that is not known.
    pub author: String,
    /// Why, in the author's words; may be empty.
    pub message: String,
    /// When it becomes a draft unless someone touches it; `None` for a draft.
    pub expires: Option<Timestamp>,
    /// Nobody touched it for long: it is kept, and can be taken up again.
    pub draft: bool,
    /// In the order they were staged, one a key.
    pub edits: Vec<StagedEdit>,
    /// What a commit would do is still being worked out: until then `diagnostics`, `changes` and
    /// `plan` are empty, and `ok` is false. Validating and committing do not wait for that.
    pub pending: bool,
    /// What the bench file would be checked as with the edits in it.
    pub diagnostics: Arc<Vec<Diagnostic>>,
    /// What would differ from what runs.
    pub changes: Arc<Vec<Change>>,
    /// The steps a commit would take, in order.
    pub plan: Arc<Vec<PlanStep>>,
    /// Whether a commit would be tried: no errors, no clash.
    pub ok: bool,
}

/// One edit of a transaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StagedEdit {
    /// The key.
    pub path: KeyPath,
    /// Its value when the edit was staged; `None`: it was not there.
    pub base: Option<Value>,
    /// The value asked for; `None` removes the key.
    pub value: Option<Value>,
    /// What someone else made of the same key meanwhile: the edit waits for a decision.
    pub clash: Option<Clash>,
}

/// One step of a plan, for reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanStep {
    /// `psu.ch1.voltage 3.300 → 3.450 V, verify ±0.001`
    pub text: String,
    /// The kind of step: `snapshot`, `set`, `connect`, `disconnect`, `restart`, `settings`,
    /// `write`.
    pub kind: &'static str,
    /// What an operator should know: the instrument is offline, the output becomes live.
    pub note: Option<String>,
    /// Whether it makes something dangerous: an output that becomes live, a heater that goes on.
    pub hazard: bool,
}

/// A source as it is now, with what the bench file asks of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceInfo {
    /// What is measured.
    #[serde(flatten)]
    pub measured: SourceStatus,
    /// What people call it.
    pub label: Option<String>,
    /// Frames a second asked for.
    pub asked_framerate: f64,
}
