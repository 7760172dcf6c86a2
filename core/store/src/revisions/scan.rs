//! The files in the folder of revisions, and whether each holds what its name says.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    changed,
    name::{Stamp, VersionName},
    seen::{Look, Seen},
    unread,
};
use crate::{StoreError, TextHash, atomic};

/// What is in the folder.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Whole ones, by time.
    pub(super) found: Vec<Found>,
    /// Times in use, damaged files included: nothing may be written over them.
    pub(super) stamps: HashSet<Stamp>,
    /// What is wrong with the others, in sentences.
    pub(super) problems: Vec<String>,
    /// How many had to be read.
    pub(super) read: usize,
}

/// The file of a revision.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: VersionName,
    pub(super) path: PathBuf,
    pub(super) hash: TextHash,
    /// What it looks like, if a later change of it would show.
    pub(super) look: Option<Look>,
}

/// Looks at every file; reads those that do not look as they did when they were read last.
/// Temporary files that a crash left behind are removed.
pub(super) fn scan(versions: &Path, seen: &Seen) -> Result<Scan, StoreError> {
    let failed = |e: &io::Error| StoreError::io("read", versions, e);
    let mut scan = Scan::default();
    for entry in fs::read_dir(versions).map_err(|e| failed(&e))? {
        let entry = entry.map_err(|e| failed(&e))?;
        let path = entry.path();
        let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
        if is_left_over(name) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(file = %path.display(), %error, "a temporary file stays behind");
            }
            continue;
        }
        let Some(name) = VersionName::parse(name) else { continue };
        scan.stamps.insert(name.stamp);
        scan.look_at(name, path, seen);
    }
    scan.drop_copies();
    Ok(scan)
}

impl Scan {
    fn look_at(&mut self, name: VersionName, path: PathBuf, seen: &Seen) {
        // Before it is read: what changes while it is read shows the next time.
        let meta = fs::metadata(&path).ok();
        let look = meta.as_ref().filter(|meta| Look::is_settled(meta)).map(Look::of);
        let before = seen.files.get(&name.key());
        if let Some(before) = before
            && look.is_some()
            && before.look == look
        {
            let hash = before.hash;
            self.found.push(Found { name, path, hash, look });
            return;
        }
        self.read += 1;
        match atomic::read(&path) {
            Ok(file) if file.hash.short() == name.short_hash => {
                self.found.push(Found { name, path, hash: file.hash, look });
            }
            Ok(_) => self.problems.push(changed(path).to_string()),
            Err(e) => self.problems.push(unread(e).to_string()),
        }
    }

    /// Someone copied the file of a revision to one with a label: that is the one that counts.
    fn drop_copies(&mut self) {
        self.found.sort_by_cached_key(|found| {
            (found.name.stamp, found.name.key(), found.name.label.is_none(), found.path.clone())
        });
        let mut first: HashMap<String, PathBuf> = HashMap::with_capacity(self.found.len());
        let problems = &mut self.problems;
        self.found.retain(|found| match first.get(&found.name.key()) {
            None => {
                first.insert(found.name.key(), found.path.clone());
                true
            }
            Some(other) => {
                let (path, other) = (found.path.display(), other.display());
                problems.push(format!(
                    "{path} is passed over: {other} is the same revision; remove one of them"
                ));
                false
            }
        });
    }
}

/// Whether a name is that of a temporary file for a revision or a refused text.
fn is_left_over(name: &str) -> bool {
    (name.starts_with(".config-") || name.starts_with(".refused-"))
        && name.contains(".toml.setpoint-")
        && name.ends_with(".tmp")
}
