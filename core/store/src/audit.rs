//! `audit.log`: what was done, by whom, why. One JSON object a line, only ever appended to; each
//! line holds the BLAKE3 hash of the one before, so that a changed, missing or moved line shows.
//! What vouches for the last line is `audit.head`: its number and hash, written without waiting for
//! the disk. After a power cut it may name an earlier line, or nothing, never one that is not in the
//! log. Where it vouches for nothing, that goes into the log, and from there on it vouches again.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{StoreError, atomic, folder::BenchFolder, folder::sync_folder};

mod head;
mod verify;

use head::{Found, Head};
pub use verify::{AuditFault, Verified, verify};

/// What the first line holds in place of a hash.
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The kind of record that says what was found wrong with the end of the log when it was opened:
/// written down, because records that follow would hide it.
const DAMAGED: &str = "audit_damaged";

/// The kind of record that says that nothing vouched for the end of the log when it was opened.
const UNVOUCHED: &str = "audit_unvouched";

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
    /// A sync failed: this file is not written to again.
    spoiled: bool,
    head: PathBuf,
    /// What was found wrong and is not told yet.
    notes: Vec<String>,
}

impl Audit {
    /// Opens the log, making it if there is none. What a crash left of a last record is cut off
    /// and goes into a record of its own (kind `audit_cut`). So does what is wrong with the end
    /// (kind `audit_damaged`): acknowledged records that are missing there, a last one that was
    /// changed; and that nothing vouches for it (kind `audit_unvouched`). Damage further up is left
    /// as it is for [`verify`] to find; the log goes on behind it. See [`Audit::take_notes`].
    ///
    /// # Errors
    /// When the file cannot be read, made or written.
    pub fn open(folder: &BenchFolder) -> Result<Self, StoreError> {
        let open = Open::new(folder.audit(), folder.audit_head())?;
        Ok(Self { open: Mutex::new(open) })
    }

    /// What was found wrong with the log since this was asked last, in sentences: when it was
    /// opened, and when another was found in its place.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().notes)
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// # Errors
    /// When it could not be written; the log then is as before.
    pub fn append(&self, record: AuditRecord) -> Result<(), StoreError> {
        self.append_all(vec![record])
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
    /// Opens what is there and puts right, with records of it, what is wrong at its end.
    fn new(path: PathBuf, head: PathBuf) -> Result<Self, StoreError> {
        let failed = |e: io::Error| StoreError::io("open", &path, &e);
        let fresh = !path.exists();
        let file = append_to(&path).map_err(failed)?;
        if fresh && let Some(folder) = path.parent() {
            sync_folder(folder).map_err(failed)?;
        }
        let found = Found::read(&head);
        let (mut lines, mut length, mut prev) = (0, 0, NOTHING_BEFORE.to_owned());
        let (mut vouched, mut torn) = (None, Vec::new());
        each_line(&path, |line, whole| {
            if whole {
                lines += 1;
                length += line.len() as u64 + 1;
                prev = hash_of(line);
                if found.head().is_some_and(|head| head.seq == lines) {
                    vouched = Some(prev.clone());
                }
            } else {
                torn = line.to_vec();
            }
        })
        .map_err(failed)?;
        let dirty = !torn.is_empty();
        let notes = Vec::new();
        let mut open = Self { path, file, lines, prev, length, dirty, spoiled: false, head, notes };
        open.begin(&found, vouched, &torn)?;
        Ok(open)
    }

    fn begin(
        &mut self,
        found: &Found,
        vouched: Option<String>,
        torn: &[u8],
    ) -> Result<(), StoreError> {
        let record = |kind, said: &str| AuditRecord::new(kind, "bench", "setpoint", "", said);
        let mut records = Vec::new();
        if let Some(head) = found.head()
            && vouched.as_ref() != Some(&head.hash)
        {
            let what = head.contradicted(self.lines, vouched.is_some());
            let mut data = Map::new();
            data.insert("record".into(), head.seq.min(self.lines + 1).into());
            data.insert("last".into(), head.seq.into());
            data.insert("hash".into(), head.hash.clone().into());
            records.push(AuditRecord { data, ..record(DAMAGED, &what) });
            self.notes.push(format!("The audit log is damaged: {what}"));
        }
        if let Some(doubt) = found.doubt(self.lines) {
            records.push(record(UNVOUCHED, &doubt));
            self.notes.push(format!("The end of the audit log was not vouched for: {doubt}"));
        }
        if !torn.is_empty() {
            let mut data = Map::new();
            data.insert("bytes".into(), torn.len().into());
            data.insert("text".into(), String::from_utf8_lossy(torn).into());
            let said = "The last record was not whole and was cut off.";
            records.push(AuditRecord { data, ..record("audit_cut", said) });
            self.notes.push(
                "The last record of the audit log was not whole, as a crash leaves it; it was cut \
                 off."
                    .to_owned(),
            );
        }
        if records.is_empty() { Ok(()) } else { self.put(records) }
    }

    fn append_all(&mut self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        if !self.in_place() {
            // What is written into a file without a name is gone.
            let mut other = Self::new(self.path.clone(), self.head.clone())?;
            let found = std::mem::take(&mut other.notes);
            let mut notes = std::mem::replace(self, other).notes;
            notes.push(
                "The audit log was removed or replaced while it was in use; records go into what \
                 is in its place now."
                    .to_owned(),
            );
            notes.extend(found);
            self.notes = notes;
        }
        self.put(records)
    }

    /// Whether the name still leads to the file that is open.
    fn in_place(&self) -> bool {
        let number = |meta: Metadata| (meta.dev(), meta.ino());
        let ours = self.file.metadata().map(number);
        let theirs = fs::metadata(&self.path).map(number);
        matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours == theirs)
    }

    fn put(&mut self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
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
        if self.spoiled {
            self.renew()?;
        }
        self.write(&bytes).map_err(|e| StoreError::io("write", &self.path, &e))?;
        self.lines = seq;
        self.length += bytes.len() as u64;
        self.prev = prev;
        Head { seq: self.lines, hash: self.prev.clone() }.write(&self.head);
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.length)?;
        }
        self.dirty = true;
        let mut written = self.file.write_all(lines);
        if written.is_ok() {
            written = self.file.sync_data();
            self.spoiled = written.is_err();
        }
        // Half a line must not stand in front of the next one; if it cannot be cut off now, the
        // next append tries again.
        if written.is_ok() || self.file.set_len(self.length).is_ok() {
            self.dirty = false;
        }
        written
    }

    /// Puts the whole lines into a file of their own in the place of one whose sync failed: what
    /// another sync of that would say cannot be believed.
    fn renew(&mut self) -> Result<(), StoreError> {
        let failed = |e: io::Error| StoreError::io("write anew", &self.path, &e);
        let mut whole = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(self.length).read_to_end(&mut whole))
            .map_err(failed)?;
        let last = whole.strip_suffix(b"\n").unwrap_or_default();
        let last = last.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if whole.len() as u64 != self.length || (self.lines > 0 && hash_of(last) != self.prev) {
            let what = "its last record is not what was written; check the disk".to_owned();
            return Err(StoreError::Damaged { path: self.path.clone(), what });
        }
        atomic::replace_private(&self.path, &whole)?;
        self.file = append_to(&self.path).map_err(failed)?;
        (self.spoiled, self.dirty) = (false, false);
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)
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
        assert_eq!(verify(&folder.audit()).map(|log| log.records), Ok(2));
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
        assert_eq!(verify(&folder.audit()).map(|log| log.records), Ok(3));
    }

    #[test]
    fn a_log_that_is_removed_or_replaced_while_it_is_open_is_noticed() {
        let (_dir, folder) = bench();
        let audit = Audit::open(&folder).unwrap();
        for message in ["one", "two", "three"] {
            audit.append(record(message)).unwrap();
        }
        // As `sed -i '$d'` does it.
        let text = fs::read_to_string(folder.audit()).unwrap();
        let shorter = text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
        fs::remove_file(folder.audit()).unwrap();
        fs::write(folder.audit(), shorter).unwrap();
        audit.append(record("four")).unwrap();
        let kinds = |audit: &Audit| {
            audit.lines().unwrap().into_iter().map(|line| line.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&audit)[2..], [DAMAGED, "commit_applied"]);
        assert_eq!(verify(&folder.audit()).unwrap_err().record, 3);
        let notes = audit.take_notes();
        assert!(notes[0].contains("removed or replaced"), "{notes:?}");
        assert!(notes[1].contains("Record 3 is missing"), "{notes:?}");

        fs::remove_file(folder.audit()).unwrap();
        audit.append(record("five")).unwrap();
        assert_eq!(kinds(&audit), [DAMAGED, "commit_applied"]);
        // The folder is gone: it cannot be kept, and that is said.
        fs::remove_dir_all(folder.path()).unwrap();
        audit.append(record("six")).unwrap_err();
    }

    #[test]
    fn a_file_whose_sync_failed_is_put_aside_for_another() {
        let (_dir, folder) = bench();
        let audit = Audit::open(&folder).unwrap();
        audit.append(record("one")).unwrap();
        let before = fs::metadata(folder.audit()).unwrap().ino();
        audit.lock().spoiled = true;
        audit.append(record("two")).unwrap();
        assert_ne!(fs::metadata(folder.audit()).unwrap().ino(), before);
        audit.append(record("three")).unwrap();
        assert_eq!(verify(&folder.audit()).map(|log| log.records), Ok(3));
        // What the disk gives back is not what was written: it is not put in its own place.
        audit.lock().spoiled = true;
        let text = fs::read_to_string(folder.audit()).unwrap().replace("three", "threw");
        fs::write(folder.audit(), text).unwrap();
        let error = audit.append(record("four")).unwrap_err().to_string();
        assert!(error.contains("check the disk"), "{error}");
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
        assert_eq!(verify(&folder.audit()).map(|log| log.records), Ok(40));
    }
}
