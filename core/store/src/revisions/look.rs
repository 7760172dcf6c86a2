//! Reading what is kept where nothing can be written.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{KIND, RevisionRecord, Revisions, UNKNOWN, VersionName, id, number, recalled};
use crate::{audit, folder::BenchFolder};

impl Revisions {
    /// Reads what is kept and writes nothing: for a folder on a disk that is full, read-only or
    /// not this user's. What cannot be read is missing and told in [`Revisions::problems`]; files
    /// that the log does not know are numbered here only.
    pub fn look(folder: &BenchFolder) -> Self {
        let (versions, log) = (folder.versions(), folder.audit());
        let (stamps, problems) = (HashSet::new(), Vec::new());
        let mut revisions = Self { versions, kept: Vec::new(), next: 1, stamps, problems };
        let lines = if log.exists() { audit::lines(&log) } else { Ok(Vec::new()) };
        let lines = lines.unwrap_or_else(|error| {
            revisions.problems.push(error.to_string());
            Vec::new()
        });
        let mut known = HashMap::new();
        for line in lines.into_iter().filter(|line| line.kind == KIND) {
            revisions.next = revisions.next.max(number(&line).unwrap_or(0) + 1);
            let name = line.data.get("file").and_then(Value::as_str).and_then(VersionName::parse);
            known.extend(name.map(|name| (name.key(), line)));
        }
        let found = match revisions.versions.is_dir().then(|| revisions.scan()) {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                revisions.problems.push(error.to_string());
                Vec::new()
            }
            None => Vec::new(),
        };
        let mut unknown = Vec::new();
        for (name, path, hash) in found {
            match known.get(&name.key()) {
                Some(line) => revisions.kept.extend(recalled(line, name, path, hash)),
                None => unknown.push((name, path, hash)),
            }
        }
        unknown.sort_by_key(|(name, ..)| (name.stamp, name.key()));
        for (name, path, hash) in unknown {
            let number = revisions.next;
            revisions.next += 1;
            revisions.kept.push(RevisionRecord {
                id: id(number),
                number,
                hash,
                short_hash: hash.short(),
                at: name.stamp.into(),
                author: UNKNOWN.to_owned(),
                origin: "bench".to_owned(),
                message: String::new(),
                label: name.label,
                path,
            });
        }
        revisions.kept.sort_by_key(|kept| kept.number);
        revisions
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Audit, Facts};

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
