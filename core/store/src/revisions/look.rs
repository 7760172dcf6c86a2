//! Reading what is kept where nothing can be written.

use super::{Kept, Log, Revisions, Scan, Seen, scan};
use crate::{StoreError, folder::BenchFolder};

impl Revisions {
    /// Reads what is kept and writes nothing: for a folder on a disk that is full, read-only or
    /// not this user's. What cannot be read is missing and told in [`Revisions::problems`]; files
    /// that the log does not know are numbered here only.
    pub fn look(folder: &BenchFolder) -> Self {
        let (versions, log) = (folder.versions(), folder.audit());
        let mut problems = Vec::new();
        let mut missing = |error: StoreError| problems.push(error.to_string());
        let mut log = match log.exists().then(|| Log::read_file(&log)) {
            Some(Err(error)) => {
                missing(error);
                Log::default()
            }
            Some(Ok(log)) => log,
            None => Log::default(),
        };
        let seen = Seen::read(&folder.versions_seen());
        let scan = match versions.is_dir().then(|| scan::scan(&versions, &seen)) {
            Some(Err(error)) => {
                missing(error);
                Scan::default()
            }
            Some(Ok(scan)) => scan,
            None => Scan::default(),
        };
        let (mut revisions, adopted) = Self::gathered(versions, &mut log, &seen, &scan);
        let adopted = adopted.into_iter();
        revisions.kept.extend(adopted.map(|record| Kept { record, changed: Default::default() }));
        revisions.kept.sort_by_key(|kept| kept.record.number);
        revisions.tell_labels_apart();
        revisions.problems.splice(0..0, problems);
        revisions
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Audit, Facts, revisions::UNKNOWN};

    #[test]
    fn sees_what_opening_sees_and_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        let mut revisions = Revisions::open(&folder, &audit).unwrap();
        for text in ["one", "two"] {
            let facts = Facts { author: "nora".into(), ..Facts::default() };
            revisions.keep(text, facts, &audit).unwrap();
        }
        assert_eq!(Revisions::look(&folder).list(), revisions.list());

        // The log is gone: the files alone still make a list, and none of it is written down.
        fs::remove_file(folder.audit()).unwrap();
        let seen = Revisions::look(&folder);
        assert_eq!(&*seen.text("r2").unwrap(), "two");
        assert_eq!(seen.find("r2").unwrap().author, UNKNOWN);
        assert!(!folder.audit().exists());
    }

    #[test]
    fn there_need_be_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::of(&dir.path().join("bench.toml"));
        let seen = Revisions::look(&folder);
        assert!(seen.list().is_empty() && seen.problems().is_empty());
        // A log that is no file is told of.
        fs::create_dir_all(folder.audit()).unwrap();
        assert_eq!(Revisions::look(&folder).problems().len(), 1);
    }
}
