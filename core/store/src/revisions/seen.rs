//! What was found out about the files of revisions earlier, so that opening thousands of them
//! does not mean reading them all: a cache that may be lost or deleted at any time.

use std::{
    collections::HashMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{TextHash, atomic};

/// A file that was written this recently may be written again without its time changing.
const FRESH: Duration = Duration::from_secs(3);

/// All that was found out, by the part of a file's name that a label does not change.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The number that the next revision gets.
    pub(super) next: u64,
    pub(super) files: HashMap<String, SeenFile>,
}

/// What was found out about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenFile {
    /// The number of its revision.
    pub(super) number: u64,
    /// Fingerprint of what it held.
    pub(super) hash: TextHash,
    /// What it looked like then; `None` if it was too fresh to tell by that.
    pub(super) look: Option<Look>,
}

/// What shows that a file was changed, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    inode: u64,
    size: u64,
    /// Of the last change of its content.
    seconds: i64,
    nanoseconds: i64,
}

impl Look {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            inode: meta.ino(),
            size: meta.size(),
            seconds: meta.mtime(),
            nanoseconds: meta.mtime_nsec(),
        }
    }

    /// Whether a change from now on would show.
    pub(super) fn is_settled(meta: &Metadata) -> bool {
        let age = meta.modified().map(|at| SystemTime::now().duration_since(at));
        matches!(age, Ok(Ok(age)) if age > FRESH)
    }
}

impl Seen {
    /// What is there; nothing if it is not there or makes no sense.
    pub(super) fn read(path: &Path) -> Self {
        let read = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.unwrap_or_default()
    }

    /// Keeps it for the next start. If that cannot be done, the next start takes longer.
    pub(super) fn write(&self, path: &Path) {
        let written =
            serde_json::to_vec(self).map_err(|error| error.to_string()).and_then(|bytes| {
                atomic::replace_private(path, &bytes).map_err(|error| error.to_string())
            });
        if let Err(error) = written {
            tracing::warn!("the next start will read all revisions: {error}");
        }
    }
}
