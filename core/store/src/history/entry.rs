//! What is kept, as plain data.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// Its number; later ones are higher, none is used twice.
    pub seq: u64,
    /// When, in UTC, to the microsecond.
    pub at: Timestamp,
    /// Microseconds since its run began, by a clock that nobody sets.
    pub mono_us: u64,
    /// The run of the program; `audit` for what was taken from the audit log.
    pub run: Arc<str>,
    /// Who caused it: `panel`, `file`, `api`, …
    pub origin: String,
    /// Stable name: `commit_applied`, `instrument_offline`, …
    pub kind: String,
    /// `configuration`, `instruments` or `sources`.
    pub subject: String,
    /// How it should look: `info`, `good`, `staged`, `warning`, `error`, `kept`.
    pub tone: String,
    /// The key or component; empty for the bench as a whole.
    pub path: String,
    /// One sentence for a person.
    pub message: String,
    /// How long it took, in milliseconds, where that is of interest.
    pub took_ms: Option<f64>,
    /// Details, by kind.
    pub payload: Option<Value>,
}

/// What was known of the world when a revision was accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RevisionFacts {
    /// `r41`
    pub revision: String,
    /// When they were taken, in UTC.
    pub at: Timestamp,
    /// The greatest effect among its changes: `live`, `restart`, …; `none` without changes.
    pub effect: String,
    /// What every instrument had said last.
    pub readings: Vec<Reading>,
    /// A picture of every source that had one.
    pub pictures: Vec<Picture>,
}

/// One parameter at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Name in the bench file.
    pub instrument: String,
    /// Dotted name: `ch1.voltage`.
    pub parameter: String,
    /// Unit of both values.
    pub unit: Option<String>,
    /// What was asked for.
    pub setpoint: Option<Value>,
    /// What the device had said last.
    pub readback: Option<Value>,
    /// `good`, `stale`, `invalid` or `none`.
    pub quality: String,
    /// How old the readback was, in milliseconds.
    pub age_ms: Option<u64>,
}

/// A picture of a source at a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picture {
    /// Name in the bench file.
    pub source: String,
    /// When the picture arrived, in UTC.
    pub at: Timestamp,
    /// Columns of the small picture.
    pub width: u32,
    /// Rows of it.
    pub height: u32,
    /// The picture as PNG; empty in lists.
    #[serde(skip)]
    pub png: Vec<u8>,
}

/// A readback at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// Name in the bench file.
    pub instrument: String,
    /// Dotted name: `ch1.voltage`.
    pub parameter: String,
    /// When the reply arrived, in UTC.
    pub at: Timestamp,
    /// A number, a truth value or a text.
    pub value: Value,
}
