//! What the audit log knows of revisions, and numbers for files that it does not know.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use serde_json::Value;

use super::{
    BENCH, KIND, LABELLED, RevisionRecord, UNKNOWN, id, label,
    name::{Stamp, VersionName},
    scan::Found,
    search::Changed,
    seen::Seen,
};
use crate::{
    StoreError,
    audit::{self, Audit, AuditLine},
};

/// The revisions that the log tells of, whether their files are left or not.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// By the part of the file's name that a label does not change.
    by_key: HashMap<String, Logged>,
    numbers: BTreeSet<u64>,
}

/// One revision in the log.
#[derive(Debug)]
struct Logged {
    number: u64,
    author: String,
    origin: String,
    message: String,
    label: Option<String>,
    changed: Changed,
}

impl Log {
    /// Lines that cannot be read are passed over: the files are what counts.
    pub(super) fn read(audit: &Audit) -> Result<Self, StoreError> {
        Ok(Self::of(audit.lines_of(&[KIND, LABELLED])?))
    }

    /// The same of a log that is not open for writing.
    pub(super) fn read_file(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::of(audit::lines_of(path, &[KIND, LABELLED])?))
    }

    fn of(lines: Vec<AuditLine>) -> Self {
        let mut log = Self::default();
        for line in lines {
            let Some(number) = line.data.get("number").and_then(Value::as_u64) else { continue };
            let name = line.data.get("file").and_then(Value::as_str).and_then(VersionName::parse);
            let label = line.data.get("label").and_then(Value::as_str).map(str::to_owned);
            log.numbers.insert(number);
            let Some(key) = name.map(|name| name.key()) else { continue };
            if line.kind == LABELLED {
                if let Some(logged) = log.by_key.get_mut(&key) {
                    logged.label = label;
                }
                continue;
            }
            let logged = Logged {
                number,
                author: line.author,
                origin: line.origin,
                message: line.message,
                label,
                changed: Changed::of(line.data.get("details")),
            };
            log.by_key.insert(key, logged);
        }
        log
    }

    /// The number after all that were given.
    pub(super) fn next(&self) -> u64 {
        self.numbers.last().map_or(1, |last| last + 1)
    }

    /// The facts of a file, if the log knows them.
    pub(super) fn recall(&mut self, found: &Found) -> Option<(RevisionRecord, Changed)> {
        let Logged { number, author, origin, message, label, changed } =
            self.by_key.remove(&found.name.key())?;
        // A label in the file's name says more than the log: someone renamed the file, or a crash
        // came between renaming and noting it. As it was typed, it stands only in the log.
        let in_name = found.name.label.clone();
        let same = label.as_deref().map(label::for_file) == in_name;
        let label = if same { label } else { in_name };
        let record = RevisionRecord { author, origin, message, label, ..bare(number, found) };
        Some((record, changed))
    }
}

/// A revision of which only the file is left.
pub(super) fn bare(number: u64, found: &Found) -> RevisionRecord {
    RevisionRecord {
        id: id(number),
        number,
        hash: found.hash,
        short_hash: found.name.short_hash.clone(),
        at: found.name.stamp.into(),
        author: UNKNOWN.into(),
        origin: BENCH.into(),
        message: String::new(),
        label: found.name.label.clone(),
        path: found.path.clone(),
    }
}

/// Gives numbers to files that the log does not know: the one that was noted elsewhere, else one
/// that is missing between those before and after it in time, else one after all others.
pub(super) struct Numbers {
    /// Of files that have one, by time.
    by_time: BTreeMap<Stamp, u64>,
    used: BTreeSet<u64>,
    next: u64,
}

impl Numbers {
    pub(super) fn new(log: &Log, seen: &Seen, known: impl Iterator<Item = (Stamp, u64)>) -> Self {
        let by_time: BTreeMap<Stamp, u64> = known.collect();
        let used = by_time.values().copied().chain(log.numbers.iter().copied()).collect();
        Self { by_time, used, next: log.next().max(seen.next) }
    }

    /// For one file; to be asked for in the order of their times.
    pub(super) fn give(&mut self, name: &VersionName, seen: &Seen) -> u64 {
        let noted = seen.files.get(&name.key()).map(|file| file.number);
        let noted = noted.filter(|number| !self.used.contains(number));
        let number = noted.or_else(|| self.missing(name.stamp)).unwrap_or(self.next);
        self.next = self.next.max(number + 1);
        self.used.insert(number);
        self.by_time.insert(name.stamp, number);
        number
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    fn missing(&self, at: Stamp) -> Option<u64> {
        let before = self.by_time.range(..at).next_back().map_or(0, |(_, number)| *number);
        let after = *self.by_time.range(at..).next()?.1;
        (before + 1..after).find(|number| !self.used.contains(number))
    }
}
