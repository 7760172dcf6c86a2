//! `audit.log`: what was done, by whom, why. One JSON object a line, only ever appended to; each
//! line holds the BLAKE3 hash of the one before, so that a changed, missing or moved line shows.
//! What vouches for the last line is `audit.head`: its number and hash, written without waiting for
//! the disk. After a power cut it may name an earlier line, never one that is not in the log.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{StoreError, folder::BenchFolder, folder::sync_folder};

mod head;
mod verify;

use head::Head;
pub use verify::{AuditFault, verify};

/// What the first line holds in place of a hash.
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The kind of record that says what was found wrong with the end of the log when it was opened:
/// written down, because records that follow would hide it.
const DAMAGED: &str = "audit_damaged";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// Counts from 1 without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// BLAKE3 hash of the line before (without its line end), 64 hex digits; zeros in the first.
    pub prev: String,
    /// Stable name: `revision`, `commit_applied`, …
    pub kind: String,
    /// Through which door it came: `panel`, `file`, `api`, …
    pub origin: String,
    /// Who.
    pub author: String,
    /// The key or component; empty for the bench as a whole.
    pub path: String,
    /// One sentence for a person.
    pub message: String,
    /// Details, by kind.
    pub data: Map<String, Value>,
}

/// What there is to record; number, time and hash are added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuditRecord {
    /// See [`AuditLine::kind`].
    pub kind: String,
    /// See [`AuditLine::origin`].
    pub origin: String,
    /// See [`AuditLine::author`].
    pub author: String,
    /// See [`AuditLine::path`].
    pub path: String,
    /// See [`AuditLine::message`].
    pub message: String,
    /// See [`AuditLine::data`].
    pub data: Map<String, Value>,
}

impl AuditRecord {
    /// A record without details.
    pub fn new(kind: &str, origin: &str, author: &str, path: &str, message: &str) -> Self {
        Self {
            kind: kind.into(),
            origin: origin.into(),
            author: author.into(),
            path: path.into(),
            message: message.into(),
            data: Map::new(),
        }
    }
}

/// The log, open for appending. A file must be opened for that once only, by whoever holds the
/// bench's lock: each line builds on the one before.
#[derive(Debug)]
pub struct Audit {
    open: Mutex<Open>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    /// Whole lines.
    lines: u64,
    prev: String,
    /// Bytes in whole lines.
    length: u64,
    /// An append failed: there may be bytes beyond `length`.
    dirty: bool,
    head: PathBuf,
}

impl Audit {
    /// Opens the log, making it if there is none. What a crash left of a last record is cut off
    /// and goes into a record of its own (kind `audit_cut`). So does what is wrong with the end
    /// (kind `audit_damaged`): acknowledged records that are missing there, a last one that was
    /// changed. Damage further up is left as it is for [`verify`] to find; the log goes on behind
    /// it. See [`Audit::notes`].
    ///
    /// # Errors
    /// When the file cannot be read, made or written.
    pub fn open(folder: &BenchFolder) -> Result<Self, StoreError> {
        let path = &folder.audit();
        let failed = |e: io::Error| StoreError::io("open", path, &e);
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        if fresh && let Some(folder) = path.parent() {
            sync_folder(folder).map_err(failed)?;
        }

        let mut open = Open {
            path: path.to_owned(),
            file,
            lines: 0,
            prev: NOTHING_BEFORE.to_owned(),
            length: 0,
            dirty: false,
            head: folder.audit_head(),
        };
        let head = Head::read(&open.head);
        let mut vouched = None;
        let mut torn = Vec::new();
        each_line(path, |line, whole| {
            if whole {
                open.lines += 1;
                open.length += line.len() as u64 + 1;
                open.prev = hash_of(line);
                if head.as_ref().is_some_and(|head| head.seq == open.lines) {
                    vouched = Some(open.prev.clone());
                }
            } else {
                torn = line.to_vec();
            }
        })
        .map_err(failed)?;

        let lines = open.lines;
        let mut audit = Self { open: Mutex::new(open), notes: Vec::new() };
        if let Some(head) = head
            && vouched.as_ref() != Some(&head.hash)
        {
            let what = head.contradicted(lines, vouched.is_some());
            let mut data = Map::new();
            data.insert("record".into(), head.seq.min(lines + 1).into());
            data.insert("last".into(), head.seq.into());
            data.insert("hash".into(), head.hash.into());
            audit.lock().dirty = !torn.is_empty();
            let record = AuditRecord::new(DAMAGED, "bench", "setpoint", "", &what);
            audit.append(AuditRecord { data, ..record })?;
            audit.notes.push(format!("The audit log is damaged: {what}"));
        }
        if !torn.is_empty() {
            {
                let mut open = audit.lock();
                open.dirty |= open.lines == lines;
            }
            let mut data = Map::new();
            data.insert("bytes".into(), torn.len().into());
            data.insert("text".into(), String::from_utf8_lossy(&torn).into());
            let said = "The last record was not whole and was cut off.";
            let record = AuditRecord::new("audit_cut", "bench", "setpoint", "", said);
            audit.append(AuditRecord { data, ..record })?;
            audit.notes.push(
                "The last record of the audit log was not whole, as a crash leaves it; it was cut \
                 off."
                    .to_owned(),
            );
        }
        Ok(audit)
    }

    /// What was found wrong when it was opened, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// # Errors
    /// When it could not be written; the log then is as before.
    pub fn append(&self, record: AuditRecord) -> Result<(), StoreError> {
        self.lock().append(record)
    }

    /// Appends several records at once: all of them are on the disk when this returns.
    ///
    /// # Errors
    /// When they could not be written; the log then is as before.
    pub fn append_all(&self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        if records.is_empty() { Ok(()) } else { self.lock().append_all(records) }
    }

    /// All lines of some kinds that can be read, oldest first. Others are not even looked into.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines_of(&self, kinds: &[&str]) -> Result<Vec<AuditLine>, StoreError> {
        lines_of(&self.lock().path, kinds)
    }

    /// All lines that can be read, oldest first; the others are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines(&self) -> Result<Vec<AuditLine>, StoreError> {
        lines(&self.lock().path)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // Whoever panicked left at worst a dirty tail, which the next append cuts off.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn append(&mut self, record: AuditRecord) -> Result<(), StoreError> {
        self.append_all(vec![record])
    }

    fn append_all(&mut self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        let (mut bytes, mut prev, mut seq) = (Vec::new(), self.prev.clone(), self.lines);
        for record in records {
            let AuditRecord { kind, origin, author, path, message, data } = record;
            seq += 1;
            let at = Timestamp::now();
            let line = AuditLine { seq, at, prev, kind, origin, author, path, message, data };
            let line = serde_json::to_vec(&line).map_err(|e| StoreError::Damaged {
                path: self.path.clone(),
                what: format!("a record cannot be written as JSON: {e}"),
            })?;
            prev = hash_of(&line);
            bytes.extend(line);
            bytes.push(b'\n');
        }
        self.write(&bytes).map_err(|e| StoreError::io("write", &self.path, &e))?;
        self.lines = seq;
        self.length += bytes.len() as u64;
        self.prev = prev;
        Head { seq: self.lines, hash: self.prev.clone() }.write(&self.head);
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.length)?;
        }
        self.dirty = true;
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        // Half a line must not stand in front of the next one; if it cannot be cut off now, the
        // next append tries again.
        if written.is_ok() || self.file.set_len(self.length).is_ok() {
            self.dirty = false;
        }
        written
    }
}

/// All lines that can be read, oldest first; the others are passed over.
pub(crate) fn lines(path: &Path) -> Result<Vec<AuditLine>, StoreError> {
    let mut lines = Vec::new();
    each_line(path, |line, _| match serde_json::from_slice(line) {
        Ok(line) => lines.push(line),
        Err(e) => tracing::warn!(file = %path.display(), error = %e, "a record is passed over"),
    })
    .map_err(|e| StoreError::io("read", path, &e))?;
    Ok(lines)
}

pub(crate) fn lines_of(path: &Path, kinds: &[&str]) -> Result<Vec<AuditLine>, StoreError> {
    let marks: Vec<String> = kinds.iter().map(|kind| format!("\"kind\":\"{kind}\"")).collect();
    let mut lines = Vec::new();
    each_line(path, |line, _| {
        let text = std::str::from_utf8(line).unwrap_or_default();
        if marks.iter().any(|mark| text.contains(mark))
            && let Ok(line) = serde_json::from_str::<AuditLine>(text)
            && kinds.contains(&line.kind.as_str())
        {
            lines.push(line);
        }
    })
    .map_err(|e| StoreError::io("read", path, &e))?;
    Ok(lines)
}

/// Calls `with` for every line, without its line end, and whether it has one.
fn each_line(path: &Path, mut with: impl FnMut(&[u8], bool)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        match line.strip_suffix(b"\n") {
            Some(whole) => with(whole, true),
            None => with(&line, false),
        }
        line.clear();
    }
    Ok(())
}

fn hash_of(line: &[u8]) -> String {
    blake3::hash(line).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn bench() -> (tempfile::TempDir, BenchFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        (dir, folder)
    }

    fn record(message: &str) -> AuditRecord {
        let data = Map::from_iter([("took_ms".to_owned(), Value::from(1.5))]);
        let path = "instruments.psu";
        AuditRecord { data, ..AuditRecord::new("commit_applied", "panel", "nora", path, message) }
    }

    #[test]
    fn numbers_chains_and_goes_on_after_reopening() {
        let (_dir, folder) = bench();
        Audit::open(&folder).unwrap().append(record("one\nline")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        audit.append(record("two")).unwrap();
        let text = fs::read_to_string(folder.audit()).unwrap();
        let line = text.lines().next().unwrap();
        assert!(line.starts_with(r#"{"seq":1,"at":""#), "{line}");
        let lines = audit.lines().unwrap();
        assert_eq!((lines[0].seq, lines[0].prev.as_str()), (1, NOTHING_BEFORE));
        assert_eq!((lines[1].seq, lines[1].prev.clone()), (2, hash_of(line.as_bytes())));
        assert_eq!(
            (lines[0].message.as_str(), &lines[0].data["took_ms"]),
            ("one\nline", &1.5.into())
        );
        assert_eq!(verify(&folder.audit()), Ok(2));
    }

    #[test]
    fn what_a_crash_left_is_cut_off_and_noted() {
        let (_dir, folder) = bench();
        Audit::open(&folder).unwrap().append(record("whole")).unwrap();
        let mut file = OpenOptions::new().append(true).open(folder.audit()).unwrap();
        file.write_all(b"{\"seq\":2,\"at\"").unwrap();
        assert_eq!(verify(&folder.audit()).unwrap_err().line, 2);

        let audit = Audit::open(&folder).unwrap();
        let lines = audit.lines().unwrap();
        assert_eq!(lines[1].kind, "audit_cut");
        assert_eq!(lines[1].data["text"], "{\"seq\":2,\"at\"");
        audit.append(record("after")).unwrap();
        assert_eq!(verify(&folder.audit()), Ok(3));
    }

    #[test]
    fn threads_share_one_chain() {
        let (_dir, folder) = bench();
        let audit = Audit::open(&folder).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| audit.append(record("x")).unwrap()));
            }
        });
        assert_eq!(verify(&folder.audit()), Ok(40));
    }
}
