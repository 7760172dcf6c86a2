//! Every accepted state of the bench file, each as a plain TOML file that can be read without
//! Setpoint. Who, why and which number stand in the audit log; if that is lost, the files alone
//! still make a list.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{
    StoreError, TextHash, atomic,
    audit::{Audit, AuditLine, AuditRecord},
    folder::{self, BenchFolder},
};

mod look;
mod name;

use name::{Stamp, VersionName};

/// The kind of audit record that numbers a revision.
const KIND: &str = "revision";

/// Who stands for revisions of which only the file is left.
const UNKNOWN: &str = "unknown";

/// What is known about a revision besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Who: a user's login name, or `file` where that cannot be known.
    pub author: String,
    /// Through which door: `panel`, `file`, `api`, …
    pub origin: String,
    /// Why.
    pub message: String,
    /// A name that keeps it for good. Not empty, not like `r41`, not taken.
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
    /// When it was kept, in UTC, to the millisecond.
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
    kept: Vec<RevisionRecord>,
    next: u64,
    /// File stamps in use, so that no two revisions share one.
    stamps: HashSet<Stamp>,
    problems: Vec<String>,
}

impl Revisions {
    /// Reads what is kept. Damaged files are passed over; see
    /// [`Revisions::problems`]. Files that the log does not know (it was lost, or someone put them
    /// there) are numbered after all others, by their time.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or the log not be read or written.
    pub fn open(folder: &BenchFolder, audit: &Audit) -> Result<Self, StoreError> {
        folder::make(folder.path())?;
        let versions = folder.versions();
        folder::make(&versions)?;

        let mut known: HashMap<String, AuditLine> = HashMap::new();
        let mut next = 1;
        for record in audit.lines()?.into_iter().filter(|line| line.kind == KIND) {
            next = next.max(number(&record).unwrap_or(0) + 1);
            if let Some(file) = record.data.get("file").and_then(Value::as_str)
                && let Some(name) = VersionName::parse(file)
            {
                known.insert(name.key(), record);
            }
        }

        let mut revisions =
            Self { versions, kept: Vec::new(), next, stamps: HashSet::new(), problems: Vec::new() };
        let mut unknown = Vec::new();
        for (name, path, hash) in revisions.scan()? {
            match known.get(&name.key()) {
                Some(record) => revisions.kept.extend(recalled(record, name, path, hash)),
                None => unknown.push((name, path, hash)),
            }
        }
        unknown.sort_by_key(|(name, ..)| (name.stamp, name.key()));
        for (name, path, hash) in unknown {
            revisions.adopt(name, path, hash, audit)?;
        }
        revisions.kept.sort_by_key(|kept| kept.number);
        Ok(revisions)
    }

    /// What was found damaged when opening, in sentences: files that were passed over.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Keeps a text as a revision of its own, also if an earlier one has the same text. When this
    /// returns, text and facts are on the disk.
    ///
    /// # Errors
    /// When the label cannot be used or something cannot be written; no revision is kept then.
    pub fn keep(
        &mut self,
        text: &str,
        facts: Facts,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        if let Some(label) = &facts.label {
            self.check_label(label)?;
        }
        let hash = TextHash::of(text);
        let stamp = self.free_stamp();
        let name = VersionName {
            stamp,
            short_hash: hash.short(),
            label: facts.label.as_deref().map(name::for_file),
        };
        let path = self.versions.join(name.to_string());
        atomic::replace_private(&path, text.as_bytes())?;
        let revision = RevisionRecord {
            id: id(self.next),
            number: self.next,
            hash,
            short_hash: hash.short(),
            at: stamp.into(),
            author: facts.author,
            origin: facts.origin,
            message: facts.message,
            label: facts.label,
            path,
        };
        if let Err(e) = record(&revision, &name, facts.data, audit) {
            // Without its facts it was not kept; a file alone would turn up as one at next start.
            let _ = fs::remove_file(&revision.path);
            return Err(e);
        }
        self.next += 1;
        self.stamps.insert(stamp);
        self.kept.push(revision.clone());
        Ok(revision)
    }

    /// Keeps what a file holds, text or not, as `refused-…` beside the revisions, and answers that
    /// name and its fingerprint; `None` if there is no file. It gets no number and is not pruned: nobody else has it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn keep_refused(&mut self, file: &Path) -> Result<Option<(String, TextHash)>, StoreError> {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("keep a copy of", file, &e)),
        };
        let stamp = self.free_stamp();
        let hash = TextHash::of(&bytes);
        let name = VersionName { stamp, short_hash: hash.short(), label: None };
        let name = format!("refused-{}.toml", name.key());
        atomic::replace_private(&self.versions.join(&name), &bytes)?;
        self.stamps.insert(stamp);
        Ok(Some((name, hash)))
    }

    /// All kept revisions, newest first.
    pub fn list(&self) -> Vec<RevisionRecord> {
        self.kept.iter().rev().cloned().collect()
    }

    /// The newest one.
    pub fn newest(&self) -> Option<&RevisionRecord> {
        self.kept.last()
    }

    /// A revision by its id (`r41`) or its label.
    pub fn find(&self, id_or_label: &str) -> Option<&RevisionRecord> {
        let is = |kept: &&RevisionRecord| {
            kept.id == id_or_label || kept.label.as_deref() == Some(id_or_label)
        };
        self.kept.iter().rev().find(is)
    }

    /// The text of a revision, by its id or label.
    ///
    /// # Errors
    /// When there is no such revision, or its file was changed, damaged or removed.
    pub fn text(&self, id_or_label: &str) -> Result<Arc<str>, StoreError> {
        let kept = self
            .find(id_or_label)
            .ok_or_else(|| StoreError::NoRevision { name: id_or_label.to_owned() })?;
        let file = atomic::read(&kept.path)?;
        if file.hash != kept.hash {
            return Err(changed(kept.path.clone()));
        }
        Ok(file.text)
    }

    /// Removes unlabelled revisions beyond the last `keep_last`, never the newest one. Answers
    /// the ids of those that are gone.
    ///
    /// # Errors
    /// When a file cannot be removed; those before it are gone.
    pub fn prune(&mut self, keep_last: usize) -> Result<Vec<String>, StoreError> {
        let newest = self.newest().map(|kept| kept.number);
        let beyond: Vec<(u64, PathBuf)> = self
            .kept
            .iter()
            .rev()
            .filter(|kept| kept.label.is_none())
            .skip(keep_last)
            .filter(|kept| Some(kept.number) != newest)
            .map(|kept| (kept.number, kept.path.clone()))
            .collect();
        let mut gone = Vec::new();
        for (number, path) in beyond.into_iter().rev() {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path, &e));
                }
                _ => {}
            }
            self.kept.retain(|kept| kept.number != number);
            gone.push(id(number));
        }
        Ok(gone)
    }

    /// Finds the files of revisions, and sees whether each holds what its name says.
    fn scan(&mut self) -> Result<Vec<(VersionName, PathBuf, TextHash)>, StoreError> {
        let failed = |e: &std::io::Error| StoreError::io("read", &self.versions, e);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.versions).map_err(|e| failed(&e))? {
            let path = entry.map_err(|e| failed(&e))?.path();
            let Some(name) =
                path.file_name().and_then(|name| name.to_str()).and_then(VersionName::parse)
            else {
                continue;
            };
            // Also of a damaged one: nothing may be written over it.
            self.stamps.insert(name.stamp);
            match atomic::read(&path) {
                Ok(file) if file.hash.short() == name.short_hash => {
                    found.push((name, path, file.hash));
                }
                Ok(_) => self.problems.push(changed(path).to_string()),
                Err(e) => self.problems.push(e.to_string()),
            }
        }
        Ok(found)
    }

    /// Gives a number to a file that the log does not know.
    fn adopt(
        &mut self,
        name: VersionName,
        path: PathBuf,
        hash: TextHash,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let revision = RevisionRecord {
            id: id(self.next),
            number: self.next,
            hash,
            short_hash: hash.short(),
            at: name.stamp.into(),
            author: UNKNOWN.into(),
            origin: "bench".into(),
            message: String::new(),
            label: name.label.clone(),
            path,
        };
        record(&revision, &name, Value::Null, audit)?;
        self.next += 1;
        self.kept.push(revision);
        Ok(())
    }

    /// A time that no file has yet, now or a few milliseconds later.
    fn free_stamp(&self) -> Stamp {
        let mut at = Timestamp::now();
        while self.stamps.contains(&Stamp::from(at)) {
            at += SignedDuration::from_millis(1);
        }
        at.into()
    }

    fn check_label(&self, label: &str) -> Result<(), StoreError> {
        let bad = |why| Err(StoreError::BadLabel { label: label.to_owned(), why });
        if label.trim().is_empty() {
            return bad("it is empty");
        }
        if label.strip_prefix('r').is_some_and(|rest| rest.parse::<u64>().is_ok()) {
            return bad("it looks like the id of a revision");
        }
        match self.find(label) {
            Some(kept) => {
                Err(StoreError::LabelTaken { label: label.to_owned(), id: kept.id.clone() })
            }
            None => Ok(()),
        }
    }
}

fn record(
    revision: &RevisionRecord,
    name: &VersionName,
    more: Value,
    audit: &Audit,
) -> Result<(), StoreError> {
    let mut data = Map::from_iter([
        ("number".to_owned(), revision.number.into()),
        ("file".to_owned(), name.to_string().into()),
        ("hash".to_owned(), revision.hash.to_string().into()),
        ("label".to_owned(), revision.label.clone().into()),
    ]);
    if !more.is_null() {
        data.insert("details".to_owned(), more);
    }
    let RevisionRecord { origin, author, message, .. } = revision;
    audit.append(AuditRecord { data, ..AuditRecord::new(KIND, origin, author, "", message) })
}

fn id(number: u64) -> String {
    format!("r{number}")
}

fn number(line: &AuditLine) -> Option<u64> {
    line.data.get("number")?.as_u64()
}

/// A revision as the log knows it. A label in the file name alone counts too: someone renamed
/// the file to keep it.
fn recalled(
    line: &AuditLine,
    name: VersionName,
    path: PathBuf,
    hash: TextHash,
) -> Option<RevisionRecord> {
    let number = number(line)?;
    let label = line.data.get("label").and_then(Value::as_str).map(str::to_owned);
    Some(RevisionRecord {
        id: id(number),
        number,
        hash,
        short_hash: hash.short(),
        at: name.stamp.into(),
        author: line.author.clone(),
        origin: line.origin.clone(),
        message: line.message.clone(),
        label: label.or(name.label),
        path,
    })
}

fn changed(path: PathBuf) -> StoreError {
    StoreError::Damaged {
        path,
        what: "its text is not the one it was kept with, so it is passed over".into(),
    }
}
