//! Every accepted state of the bench file, each as a plain TOML file that can be read without
//! Setpoint. Who, why and which number stand in the audit log; if that is lost, the files alone
//! still make a list.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{
    ReadError, StoreError, TextHash, atomic,
    audit::{Audit, AuditRecord},
    folder::{self, BenchFolder},
    journal::Journal,
};

mod apart;
mod changes;
mod keep;
mod label;
mod look;
mod name;
mod recall;
mod scan;
mod search;
mod seen;

pub use apart::text_of;
pub use changes::changes_of;
use name::{Stamp, VersionName};
use recall::{Log, Numbers};
use scan::{Found, Scan};
pub use search::RevisionQuery;
use search::{Changed, Search};
use seen::{Seen, SeenFile};

/// The kind of audit record that numbers a revision.
const KIND: &str = "revision";

/// The kind of audit record that names one, or takes the name away.
const LABELLED: &str = "revision_label";

/// Who stands for revisions of which only the file is left.
const UNKNOWN: &str = "unknown";

/// The door that they came through.
const BENCH: &str = "bench";

/// What is known about a revision besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Who: a user's login name, or `file` where that cannot be known.
    pub author: String,
    /// Through which door: `panel`, `file`, `api`, …
    pub origin: String,
    /// Why.
    pub message: String,
    /// A name that keeps it for good; see [`Revisions::check_label`].
    pub label: Option<String>,
    /// What else the audit log should know of it; null for nothing.
    pub data: Value,
}

/// One kept revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRecord {
    /// `r41`
    pub id: String,
    /// 41. Later revisions have higher numbers; none is used twice.
    pub number: u64,
    /// Fingerprint of the text.
    pub hash: TextHash,
    /// Its first 8 hex digits.
    pub short_hash: String,
    /// When it was accepted, in UTC, to the millisecond.
    pub at: Timestamp,
    /// Who; `unknown` when only the file is left.
    pub author: String,
    /// Through which door; `bench` when only the file is left.
    pub origin: String,
    /// Why; empty when only the file is left.
    pub message: String,
    /// The name that keeps it for good.
    pub label: Option<String>,
    /// Its file.
    pub path: PathBuf,
}

/// The kept revisions of a bench. To be opened by whoever holds the bench's lock.
#[derive(Debug)]
pub struct Revisions {
    versions: PathBuf,
    /// Oldest first.
    kept: Vec<Kept>,
    next: u64,
    /// File stamps in use, so that no two revisions share one.
    stamps: HashSet<Stamp>,
    problems: Vec<String>,
    /// Another one with every change of the list, in all of the program.
    generation: u64,
}

/// A revision, and what is remembered of its changes.
#[derive(Debug)]
struct Kept {
    record: RevisionRecord,
    changed: Changed,
}

/// A number that no list of revisions had before in this program.
fn next_generation() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    GENERATION.fetch_add(1, Ordering::Relaxed)
}

impl Revisions {
    /// Finds what is kept. A file that looks as it did when it was read last is not read again,
    /// however many there are. Damaged files are passed over; see [`Revisions::problems`]. Files
    /// that the log does not know (it was lost or damaged, or someone put them there) get the
    /// number that is missing at their time, else one after all others. Whose the last one is, the
    /// journal may know, if a crash came before the log was told.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or the log not be read.
    pub fn open(folder: &BenchFolder, audit: &Audit) -> Result<Self, StoreError> {
        folder::make(folder.path())?;
        let versions = folder.versions();
        folder::make(&versions)?;

        let seen = Seen::read(&folder.versions_seen());
        let mut log = Log::read(audit)?;
        let scan = scan::scan(&versions, &seen)?;
        let (mut revisions, adopted) = Self::gathered(versions, &mut log, &seen, &scan);
        revisions.adopt(adopted, &Journal::open(folder), audit);
        revisions.kept.sort_by_key(|kept| kept.record.number);
        revisions.tell_labels_apart();
        let found = revisions.seen(scan.found);
        if found != seen && (scan.read > 0 || seen.next != found.next) {
            found.write(&folder.versions_seen());
        }
        Ok(revisions)
    }

    /// What the log knows of what was found, and what it does not know, with numbers for it.
    fn gathered(
        versions: PathBuf,
        log: &mut Log,
        seen: &Seen,
        scan: &Scan,
    ) -> (Self, Vec<RevisionRecord>) {
        let mut kept = Vec::with_capacity(scan.found.len());
        let mut unknown = Vec::new();
        for found in &scan.found {
            match log.recall(found) {
                Some((record, changed)) => kept.push(Kept { record, changed }),
                None => unknown.push(found),
            }
        }
        let known = kept.iter().map(|one| (one.record.at.into(), one.record.number));
        let mut numbers = Numbers::new(log, seen, known);
        let adopted = unknown
            .into_iter()
            .map(|found| recall::bare(numbers.give(&found.name, seen), found))
            .collect();
        let revisions = Self {
            versions,
            kept,
            next: numbers.next(),
            stamps: scan.stamps.clone(),
            problems: scan.problems.clone(),
            generation: next_generation(),
        };
        (revisions, adopted)
    }

    /// What was found damaged when opening, in sentences: files that were passed over.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// A number that is another one whenever the list is.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Names a revision, or takes its name away, and answers it as it is then. Its file is renamed
    /// in one step: whatever happens, it has the one name or the other.
    ///
    /// # Errors
    /// When there is no such revision, the label cannot be used, or something cannot be written;
    /// the revision is as it was then.
    pub fn label(
        &mut self,
        id_or_label: &str,
        label: Option<&str>,
        author: &str,
        origin: &str,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        let kept = self.position(id_or_label)?;
        let before = self.kept[kept].record.clone();
        let label = label.map(label::composed);
        let label = label.as_deref();
        if before.label.as_deref() == label {
            return Ok(before);
        }
        if let Some(label) = label {
            self.check_label_for(label, Some(before.number))?;
        }
        let name = VersionName {
            stamp: before.at.into(),
            short_hash: before.short_hash.clone(),
            label: label.map(label::for_file),
        };
        let path = self.versions.join(name.to_string());
        let moved = path != before.path;
        if moved {
            let failed = |e: &std::io::Error| StoreError::io("rename", &before.path, e);
            fs::rename(&before.path, &path).map_err(|e| failed(&e))?;
            if let Err(e) = folder::sync_folder(&self.versions) {
                tracing::warn!(file = %path.display(), error = %e, "renamed, but its folder could not be synced");
            }
        }
        let record = RevisionRecord {
            label: label.map(str::to_owned),
            path: path.clone(),
            ..before.clone()
        };
        if let Err(e) = audit.append(labelled(&record, &before, author, origin)) {
            // What the log does not know is not done.
            if moved && let Err(e) = fs::rename(&path, &before.path) {
                tracing::error!(file = %path.display(), error = %e, "it could not be named back");
                self.kept[kept].record = record;
                self.generation = next_generation();
            }
            return Err(e);
        }
        self.kept[kept].record = record.clone();
        self.generation = next_generation();
        Ok(record)
    }

    /// All kept revisions, newest first.
    pub fn list(&self) -> Vec<RevisionRecord> {
        self.iter().cloned().collect()
    }

    /// The same, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &RevisionRecord> {
        self.kept.iter().rev().map(|kept| &kept.record)
    }

    /// Those that are asked for, newest first.
    pub fn search(&self, query: &RevisionQuery) -> Vec<RevisionRecord> {
        let search = Search::new(query);
        let wanted = |kept: &&Kept| search.wants(&kept.record, &kept.changed);
        let found = self.kept.iter().rev().filter(wanted).map(|kept| &kept.record);
        found.take(query.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    /// The number that the next one gets.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Gives no revision the next `count` numbers: they were told of, and what they were told of
    /// could not be kept.
    pub fn pass_over(&mut self, count: u64) {
        self.next += count;
    }

    /// The newest one.
    pub fn newest(&self) -> Option<&RevisionRecord> {
        self.iter().next()
    }

    /// A revision by its id (`r41`) or its label.
    pub fn find(&self, id_or_label: &str) -> Option<&RevisionRecord> {
        let by_id = self.iter().find(|kept| kept.id == id_or_label);
        let label = label::composed(id_or_label);
        let has = |kept: &&RevisionRecord| {
            kept.label.as_deref().is_some_and(|other| label::composed(other) == label)
        };
        by_id.or_else(|| self.iter().find(has))
    }

    fn position(&self, id_or_label: &str) -> Result<usize, StoreError> {
        let number = self.find(id_or_label).map(|kept| kept.number);
        let position = self.kept.iter().position(|kept| Some(kept.record.number) == number);
        position.ok_or_else(|| StoreError::NoRevision { name: id_or_label.to_owned() })
    }

    /// The text of a revision, by its id or label.
    ///
    /// # Errors
    /// When there is no such revision, or its file was changed, damaged or removed.
    pub fn text(&self, id_or_label: &str) -> Result<Arc<str>, StoreError> {
        let kept = self
            .find(id_or_label)
            .ok_or_else(|| StoreError::NoRevision { name: id_or_label.to_owned() })?;
        let file = atomic::read(&kept.path).map_err(unread)?;
        if file.hash != kept.hash {
            return Err(changed(kept.path.clone()));
        }
        Ok(file.text)
    }

    /// Removes unlabelled revisions beyond the last `keep_last`, never the newest one nor the one
    /// with the id `running`. Answers the ids of those that are gone.
    ///
    /// # Errors
    /// When a file cannot be removed; those before it are gone.
    pub fn prune(
        &mut self,
        keep_last: usize,
        running: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        let newest = self.newest().map(|kept| kept.number);
        let mut beyond: Vec<(u64, PathBuf)> = self
            .iter()
            .filter(|kept| kept.label.is_none())
            .skip(keep_last)
            .filter(|kept| Some(kept.number) != newest && Some(kept.id.as_str()) != running)
            .map(|kept| (kept.number, kept.path.clone()))
            .collect();
        beyond.reverse();
        let (mut gone, mut failed) = (Vec::new(), None);
        for (number, path) in beyond {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    failed = Some(StoreError::io("remove", &path, &e));
                    break;
                }
                _ => gone.push(number),
            }
        }
        if !gone.is_empty() {
            // Both lists are in the order of numbers.
            self.kept.retain(|kept| gone.binary_search(&kept.record.number).is_err());
            self.generation = next_generation();
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(gone.into_iter().map(id).collect()),
        }
    }

    /// Whether a label can be given to a revision: at most 60 characters that can be seen, with a
    /// letter or digit among them, no slash, not like `r41`, and told apart from every other label
    /// in a file name, where capital letters do not count and what is neither letter nor digit is
    /// a dash.
    ///
    /// # Errors
    /// [`StoreError::BadLabel`], or [`StoreError::LabelTaken`] with the revision that has it.
    pub fn check_label(&self, label: &str) -> Result<(), StoreError> {
        self.check_label_for(label, None)
    }

    fn check_label_for(&self, label: &str, number: Option<u64>) -> Result<(), StoreError> {
        if let Err(unfit) = label::check(label) {
            return Err(StoreError::BadLabel { label: label.to_owned(), why: unfit.0 });
        }
        let folded = label::folded(label);
        let alike = |kept: &&RevisionRecord| {
            Some(kept.number) != number
                && kept.label.as_deref().is_some_and(|other| label::folded(other) == folded)
        };
        match self.iter().find(alike) {
            Some(kept) => Err(StoreError::LabelTaken {
                label: kept.label.clone().unwrap_or_default(),
                id: kept.id.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Takes revisions in that the log does not know, and tells it.
    fn adopt(&mut self, mut adopted: Vec<RevisionRecord>, journal: &Journal, audit: &Audit) {
        let before = self.kept.iter().map(|kept| kept.record.number).max().unwrap_or(0);
        let last = adopted.iter_mut().max_by_key(|record| record.number);
        if let Some(record) = last.filter(|record| record.number > before)
            // One that cannot be read is told of by whoever opens the bench.
            && let Ok(Some(intent)) = journal.found()
            && intent.brought(record)
        {
            let Facts { author, origin, message, .. } = intent.facts();
            (record.author, record.origin, record.message) = (author, origin, message);
        }
        let records = adopted.iter().map(|record| numbered(record, Value::Null)).collect();
        // They are numbered in the same way the next time.
        if let Err(e) = audit.append_all(records) {
            self.problems.push(format!("revisions that the log does not know: {e}"));
        }
        let changed = Changed::default;
        self.kept.extend(adopted.into_iter().map(|record| Kept { record, changed: changed() }));
    }

    /// Files that people renamed may share a label: the newest one has it, older ones get their
    /// number behind it.
    fn tell_labels_apart(&mut self) {
        let mut taken: HashSet<String> = HashSet::new();
        for kept in self.kept.iter_mut().rev() {
            let record = &mut kept.record;
            let Some(label) = &record.label else { continue };
            if !taken.insert(label::folded(label)) {
                let apart = format!("{label}-{}", record.id);
                let path = record.path.display();
                self.problems.push(format!(
                    "{path} has the same label as a newer revision: it is called {apart} for now"
                ));
                record.label = Some(apart);
            }
        }
    }

    /// What was found out about the files, for the next start.
    fn seen(&self, found: Vec<Found>) -> Seen {
        let by_path: std::collections::HashMap<&Path, u64> =
            self.kept.iter().map(|kept| (kept.record.path.as_path(), kept.record.number)).collect();
        let file = |found: Found| {
            let number = *by_path.get(found.path.as_path())?;
            let file = SeenFile { number, hash: found.hash, look: found.look };
            Some((found.name.key(), file))
        };
        Seen { next: self.next, files: found.into_iter().filter_map(file).collect() }
    }

    /// A time that no file has yet, this one or a few milliseconds later.
    fn free_stamp(&self, mut at: Timestamp) -> Stamp {
        while self.stamps.contains(&Stamp::from(at)) {
            at += SignedDuration::from_millis(1);
        }
        at.into()
    }
}

/// The audit record that gives a revision its number.
fn numbered(record: &RevisionRecord, details: Value) -> AuditRecord {
    let mut data = about(record);
    // The line has the time at which it was written, which may be later.
    data.insert("at".to_owned(), record.at.to_string().into());
    data.insert("hash".to_owned(), record.hash.to_string().into());
    if !details.is_null() {
        data.insert("details".to_owned(), details);
    }
    let RevisionRecord { origin, author, message, .. } = record;
    AuditRecord { data, ..AuditRecord::new(KIND, origin, author, "", message) }
}

/// The audit record of another label.
fn labelled(
    record: &RevisionRecord,
    before: &RevisionRecord,
    author: &str,
    origin: &str,
) -> AuditRecord {
    let mut data = about(record);
    data.insert("before".to_owned(), before.label.clone().into());
    let id = &record.id;
    let message = match (&record.label, &before.label) {
        (Some(label), None) => format!("{id} is called “{label}”"),
        (Some(label), Some(before)) => format!("{id} is called “{label}”, no longer “{before}”"),
        (None, _) => format!("{id} has no name any more"),
    };
    AuditRecord { data, ..AuditRecord::new(LABELLED, origin, author, "", &message) }
}

fn about(record: &RevisionRecord) -> Map<String, Value> {
    let file = record.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Map::from_iter([
        ("number".to_owned(), record.number.into()),
        ("file".to_owned(), file.into()),
        ("label".to_owned(), record.label.clone().into()),
    ])
}

fn id(number: u64) -> String {
    format!("r{number}")
}

/// The advice for a folder that should be a bench file is none here.
fn unread(error: ReadError) -> StoreError {
    match error {
        ReadError::Folder { path } => StoreError::Damaged {
            path,
            what: "it should be a file and is a folder; move it away".into(),
        },
        error => error.into(),
    }
}

fn changed(path: PathBuf) -> StoreError {
    StoreError::Damaged {
        path,
        what: "its text is not the one it was kept with, so it is passed over".into(),
    }
}
