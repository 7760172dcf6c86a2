//! A fresh database out of the audit log: what that knows of changes, revisions and what was set.

use std::{io::ErrorKind, path::Path, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};
use setpoint_bench::{
    Change, Effect,
    diff::{common_path, part_changes},
};

use super::{
    BEGUN, HistoryError, HistoryEvent, Reading, RevisionFacts,
    database::Database,
    insert::{Batch, Names},
};
use crate::{
    StoreError,
    audit::{self, AuditLine},
};

/// The run of events that were taken from the audit log.
const RUN: &str = "audit";
/// The kind of record of a change that failed.
const FAILED: &str = "change_failed";
/// Numbers that a lost database may have given out at once, and on average in a second since.
const BURST: u64 = 1_000_000;
const PACE: u64 = 10;
/// The least number that is chosen where nothing is known: the year 2026 in milliseconds since
/// 1970. A clock that says less is not set.
pub(super) const GUESSED: u64 = 1_767_225_600_000;

/// What a log holds: nothing where there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn lines(path: &Path) -> Result<Vec<AuditLine>, StoreError> {
    match audit::lines(path) {
        Err(StoreError::Io { kind: ErrorKind::NotFound, .. }) => Ok(Vec::new()),
        read => read,
    }
}

/// A number that no event has had: above all that a lost database can have given. `lines` is what
/// the log knows, `None` if it cannot be read; `existed` says that there was a database.
pub(super) fn floor(lines: Option<&[AuditLine]>, existed: bool, now: Timestamp) -> u64 {
    let begun = lines.and_then(|lines| {
        lines.iter().rev().find_map(|line| {
            let first = line.data.get("first").and_then(Value::as_u64)?;
            (line.kind == BEGUN).then_some((first, line.at))
        })
    });
    match begun {
        Some((first, at)) => {
            let seconds = u64::try_from(now.as_second() - at.as_second()).unwrap_or(0);
            first.saturating_add(BURST).saturating_add(seconds.saturating_mul(PACE))
        }
        None if lines.is_some() && !existed => 1,
        // Milliseconds since 1970: no bench has a thousand events in each second of its life.
        None => u64::try_from(now.as_millisecond()).unwrap_or(0).max(GUESSED),
    }
}

/// A fresh database that what the log knows is still to be put into.
#[derive(Debug)]
pub(super) struct Filling {
    /// Numbers that were put by for it.
    first: u64,
    /// So many records of the log.
    count: usize,
    /// What is to be told once it is done.
    pub(super) notes: Vec<String>,
}

impl Filling {
    /// For the log as it is now; `first` gives the first of so many numbers.
    pub(super) fn of(audit: &Path, first: impl FnOnce(u64) -> u64, note: Option<String>) -> Self {
        let mut notes = Vec::from_iter(note);
        let lines = lines(audit).unwrap_or_else(|error| {
            notes.push(format!("What the audit log knows is not in the history: {error}"));
            Vec::new()
        });
        let run: Arc<str> = RUN.into();
        let numbers: usize = lines.iter().map(|line| events(line, &run).len()).sum();
        Self { first: first(numbers as u64), count: lines.len(), notes }
    }

    /// Puts in what the log knows: all of it or nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) fn put_into(
        &self,
        database: &mut Database,
        audit: &Path,
    ) -> Result<(), HistoryError> {
        let lines = lines(audit).unwrap_or_default();
        let lines = lines.get(..self.count).unwrap_or(&lines);
        let run: Arc<str> = RUN.into();
        let events: Vec<HistoryEvent> = lines
            .iter()
            .flat_map(|line| events(line, &run))
            .zip(self.first..)
            .map(|(event, seq)| HistoryEvent { seq, ..event })
            .collect();
        let facts: Vec<RevisionFacts> = lines.iter().filter_map(facts).collect();
        let batch = Batch {
            events: events.iter().collect(),
            facts: facts.iter().collect(),
            fills: true,
            ..Batch::default()
        };
        // One transaction: a log is no larger than what a database may be.
        database.put(&batch, &mut Names::default()).map(drop)
    }
}

/// The events that a record stands for, without their numbers: for a revision that changed several
/// parts of the bench one for each of them too, as was told then.
fn events(line: &AuditLine, run: &Arc<str>) -> Vec<HistoryEvent> {
    let mut payload = line.data.clone();
    payload.insert("author".into(), line.author.clone().into());
    let of_device = line.path.starts_with("instruments") && line.kind != FAILED;
    let mut told = HistoryEvent {
        seq: 0,
        at: line.at,
        mono_us: 0,
        run: run.clone(),
        origin: line.origin.clone(),
        kind: line.kind.clone(),
        subject: if of_device { "instruments" } else { "configuration" }.to_owned(),
        tone: if line.kind == FAILED { "error" } else { "info" }.to_owned(),
        path: line.path.clone(),
        message: line.message.clone(),
        took_ms: None,
        payload: Some(Value::Object(payload)),
    };
    let Some(number) = revision(line) else { return vec![told] };
    let changes: Vec<Change> = details(line, "changes")
        .iter()
        .filter_map(|change| serde_json::from_value(change.clone()).ok())
        .collect();
    told.path = common_path(changes.iter().map(|change| &change.path)).to_string();
    let id = format!("r{number}");
    let parts: Vec<HistoryEvent> = part_changes(&id, &changes)
        .into_iter()
        .map(|part| HistoryEvent {
            kind: "component_changed".to_owned(),
            path: part.path.to_string(),
            message: part.message,
            payload: Some(json!({ "revision": id, "changes": part.changes })),
            ..told.clone()
        })
        .collect();
    std::iter::once(told).chain(parts).collect()
}

/// The number that a record gives to a revision, if it is of one.
fn revision(line: &AuditLine) -> Option<u64> {
    let number = line.data.get("number").and_then(Value::as_u64)?;
    (line.kind == "revision").then_some(number)
}

/// A list of what is told of a revision.
fn details<'a>(line: &'a AuditLine, key: &str) -> &'a [Value] {
    let details = line.data.get("details").and_then(|details| details.get(key));
    details.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What the record of a revision says of the moment: its changes, and what was read back of the
/// values that were set.
fn facts(line: &AuditLine) -> Option<RevisionFacts> {
    let number = revision(line)?;
    let at = line.data.get("at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    Some(RevisionFacts {
        revision: format!("r{number}"),
        at: at.unwrap_or(line.at),
        effect: greatest(details(line, "changes")),
        readings: details(line, "set").iter().filter_map(reading).collect(),
        pictures: Vec::new(),
    })
}

/// The greatest effect among changes that are written as JSON.
fn greatest(changes: &[Value]) -> String {
    let effects = changes.iter().filter_map(|change| change.get("effect"));
    let greatest = effects
        .filter_map(|effect| serde_json::from_value::<Effect>(effect.clone()).ok())
        .max()
        .unwrap_or(Effect::None);
    let word = serde_json::to_value(greatest).ok();
    word.as_ref().and_then(Value::as_str).unwrap_or("none").to_owned()
}

fn reading(set: &Value) -> Option<Reading> {
    // `psu.ch1.voltage`, as people say it.
    let (instrument, parameter) = set.get("path")?.as_str()?.split_once('.')?;
    let value = |key: &str| set.get(key).filter(|value| !value.is_null()).cloned();
    let readback = value("readback");
    Some(Reading {
        instrument: instrument.to_string(),
        parameter: parameter.to_string(),
        unit: None,
        setpoint: value("asked"),
        quality: if readback.is_some() { "good" } else { "none" }.to_owned(),
        age_ms: readback.is_some().then_some(0),
        readback,
    })
}
