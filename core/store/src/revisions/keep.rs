//! Keeping a text as a revision.

use std::{fs, path::Path};

use jiff::Timestamp;

use super::{
    Facts, Kept, RevisionRecord, Revisions, id, label, name::VersionName, next_generation,
    numbered, search::Changed,
};
use crate::{StoreError, TextHash, atomic, audit::Audit, folder};

impl Revisions {
    /// Keeps a text as a revision of its own, also if an earlier one has the same text; on the
    /// disk that text is then stored once, where the file system can do that. When this returns,
    /// text and facts are on the disk.
    ///
    /// # Errors
    /// When the label cannot be used or something cannot be written; no revision is kept then.
    pub fn keep(
        &mut self,
        text: &str,
        facts: Facts,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        self.keep_of(Timestamp::now(), text, facts, audit)
    }

    /// The same of a text that was accepted at an earlier time, when it could not be kept.
    ///
    /// # Errors
    /// As for [`Revisions::keep`].
    pub fn keep_of(
        &mut self,
        at: Timestamp,
        text: &str,
        facts: Facts,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        let kept = self.put(self.next, at, text, facts, audit)?;
        self.next += 1;
        Ok(kept)
    }

    /// Keeps a text once more that was kept as `number` at a time, and is not any more: someone
    /// deleted the folder. Where another one has that number by now, it gets the next.
    ///
    /// # Errors
    /// As for [`Revisions::keep`].
    pub fn keep_again(
        &mut self,
        number: u64,
        at: Timestamp,
        text: &str,
        facts: Facts,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        if self.kept.iter().any(|kept| kept.record.number == number) {
            return self.keep_of(at, text, facts, audit);
        }
        let kept = self.put(number, at, text, facts, audit)?;
        self.kept.sort_by_key(|kept| kept.record.number);
        self.next = self.next.max(number + 1);
        Ok(kept)
    }

    fn put(
        &mut self,
        number: u64,
        at: Timestamp,
        text: &str,
        facts: Facts,
        audit: &Audit,
    ) -> Result<RevisionRecord, StoreError> {
        let label = facts.label.as_deref().map(|label| label::composed(label).into_owned());
        if let Some(label) = &label {
            self.check_label(label)?;
        }
        let hash = TextHash::of(text);
        let stamp = self.free_stamp(at);
        let name = VersionName {
            stamp,
            short_hash: hash.short(),
            label: label.as_deref().map(label::for_file),
        };
        let path = self.versions.join(name.to_string());
        if !self.link(hash, &path) {
            atomic::replace_private(&path, text.as_bytes())?;
        }
        let record = RevisionRecord {
            id: id(number),
            number,
            hash,
            short_hash: hash.short(),
            at: stamp.into(),
            author: facts.author,
            origin: facts.origin,
            message: facts.message,
            label,
            path,
        };
        let changed = Changed::of(Some(&facts.data));
        if let Err(e) = audit.append(numbered(&record, facts.data)) {
            // Without its facts it was not kept; a file alone would turn up as one at next start.
            let _ = fs::remove_file(&record.path);
            return Err(e);
        }
        self.generation = next_generation();
        self.stamps.insert(stamp);
        self.kept.push(Kept { record: record.clone(), changed });
        Ok(record)
    }

    /// Gives `path` as another name to the file of a revision that holds a text already. Answers
    /// whether that was done, and will last.
    fn link(&self, hash: TextHash, path: &Path) -> bool {
        let same = self.kept.iter().rev().find(|kept| kept.record.hash == hash);
        let Some(same) = same.map(|kept| &kept.record.path) else { return false };
        // Its file may have been damaged meanwhile.
        if !atomic::read(same).is_ok_and(|file| file.hash == hash) {
            return false;
        }
        // Fails where the file system knows no second names, or not for that many.
        if fs::hard_link(same, path).is_err() {
            return false;
        }
        if folder::sync_folder(&self.versions).is_ok() {
            return true;
        }
        let _ = fs::remove_file(path);
        false
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
        self.keep_unnumbered(&bytes).map(Some)
    }

    /// The same of what a file held and does not any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_unnumbered(&mut self, bytes: &[u8]) -> Result<(String, TextHash), StoreError> {
        let stamp = self.free_stamp(Timestamp::now());
        let hash = TextHash::of(bytes);
        let name = VersionName { stamp, short_hash: hash.short(), label: None };
        let name = format!("refused-{}.toml", name.key());
        atomic::replace_private(&self.versions.join(&name), bytes)?;
        self.stamps.insert(stamp);
        Ok((name, hash))
    }
}
