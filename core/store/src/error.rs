//! What can go wrong with files. Each message names the file and says what to do.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use crate::AccessError;

/// Why a text file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is nothing of that name.
    #[error("{path} does not exist: check the name, or put the file back")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is a folder.
    #[error("{path} is a folder: name the bench file in it, for example {}", .path.join("bench.toml").display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// It is a pipe, a socket or a device.
    #[error("{path} is not a regular file: name a text file")]
    NotAFile {
        /// The thing.
        path: PathBuf,
    },
    /// It holds bytes that are not text.
    #[error(
        "{path} is not UTF-8 text, first at line {line}, column {column}: save it in the encoding \
         UTF-8"
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first bad byte, from 1.
        line: usize,
        /// Column of the first bad byte in characters, from 1.
        column: usize,
    },
    /// It must not be used, because of who else could have written it.
    #[error(transparent)]
    NotAllowed(#[from] AccessError),
    /// This user may not read it.
    #[error("{path} may not be read by this user: change its permissions or those of its folder")]
    NoPermission {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than any bench file.
    #[error(
        "{path} has {bytes} bytes, more than the 16 MiB a bench file may have: is it the right file?"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Its disk does not answer; whoever reads does not wait any longer.
    #[error("{path} cannot be read: {}", silence(*.since))]
    NoAnswer {
        /// The file.
        path: PathBuf,
        /// When the disk was asked.
        since: Timestamp,
    },
    /// Anything else, in the system's words.
    #[error("{path} cannot be read: {reason}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

impl ReadError {
    pub(crate) fn from_io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing { path },
            ErrorKind::PermissionDenied => Self::NoPermission { path },
            ErrorKind::IsADirectory => Self::Folder { path },
            _ => Self::Other { path, reason: reason(error) },
        }
    }

    /// Whether its disk does not answer.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }

    /// Whether the file is simply not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// Why something could not be kept or found again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file or folder could not be written, made or removed. What was there before still is.
    #[error("cannot {action} {path}: {reason}{}", advice(*.kind))]
    Io {
        /// `write`, `create`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
        /// The same, for programs.
        kind: ErrorKind,
    },
    /// The disk does not answer; whoever asked does not wait any longer. What it was asked for may
    /// still be done.
    #[error("cannot {action} {path}: {}", silence(*.since))]
    NoAnswer {
        /// `write`, `use`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// When the disk was asked.
        since: Timestamp,
    },
    /// The thing to be replaced is not a file.
    #[error("cannot replace {path}: it is not a regular file; move it away or name another file")]
    NotAFile {
        /// The thing.
        path: PathBuf,
    },
    /// Someone made the file read-only.
    #[error("cannot replace {path}: it is read-only for this user; change its permissions")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Another Setpoint holds the lock.
    #[error("another Setpoint has {bench} open{}: use that one, or close it first", process(.pid))]
    InUse {
        /// The bench file.
        bench: PathBuf,
        /// Its process, where it left word.
        pid: Option<u32>,
    },
    /// The folder `.setpoint` holds the history of another bench file.
    #[error(
        "{bench} cannot be opened: the folder .setpoint beside it belongs to {other}; keep each \
         bench in a folder of its own"
    )]
    OtherBench {
        /// The bench file asked for.
        bench: PathBuf,
        /// The one that the folder belongs to.
        other: PathBuf,
    },
    /// A file is there and does not hold what it should.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A file that was to be replaced holds something else than its replacer read.
    #[error("{path} was saved by someone else meanwhile; repeat the change")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// What was written is not what is on the disk.
    #[error(
        "cannot write {path}: the disk gave back something else than was written, so the file was \
         left as it is; check the disk"
    )]
    ReadBack {
        /// The file.
        path: PathBuf,
    },
    /// No kept revision has that id or label.
    #[error("there is no revision “{name}”; it may have been pruned")]
    NoRevision {
        /// The id or label asked for.
        name: String,
    },
    /// A label keeps one revision only.
    #[error("the label “{label}” is taken by {id}: choose another")]
    LabelTaken {
        /// The label.
        label: String,
        /// The revision that has it.
        id: String,
    },
    /// A label that could be mistaken for something else.
    #[error("“{label}” cannot be a label: {why}")]
    BadLabel {
        /// The label.
        label: String,
        /// Why not.
        why: &'static str,
    },
    /// A thread could not be started.
    #[error("cannot follow {path}: the system gives no thread for it ({reason})")]
    NoThread {
        /// The file to be followed.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The system has no random numbers to give.
    #[error("cannot make a token: the system gives no random bytes ({reason})")]
    NoRandom {
        /// What the system says.
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), reason: reason(error), kind: error.kind() }
    }
}

/// What the system says, and what to do where it has no kind of its own to tell it by.
pub(crate) fn reason(error: &io::Error) -> String {
    use rustix::io::Errno;

    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE) => format!(
            "{error}; this program has as many files open as it may: close some, or raise the \
             limit (ulimit -n)"
        ),
        Some(Errno::NFILE) => format!(
            "{error}; all programs together have as many files open as the system allows: close \
             some programs"
        ),
        Some(Errno::IO) => {
            format!("{error}; the disk may be failing: keep a copy elsewhere and check it")
        }
        _ => error.to_string(),
    }
}

/// Since when a disk has not answered, by the clock on the wall, and what to do.
pub(crate) fn silence(since: Timestamp) -> String {
    let since = since.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
    format!("the disk has not answered since {since}; look whether it is there and reachable")
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied => "; check who may write to its folder",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free some space and try again",
        ErrorKind::ReadOnlyFilesystem => "; its disk is mounted read-only",
        ErrorKind::NotFound => "; its folder is missing",
        ErrorKind::ResourceBusy => {
            "; something is mounted on it, replace the file where it comes from"
        }
        _ => "",
    }
}

fn process(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_file_and_what_to_do() {
        let path = PathBuf::from("/lab/bench.toml");
        let full = io::Error::from(ErrorKind::StorageFull);
        let said = StoreError::io("write", &path, &full).to_string();
        assert!(said.starts_with("cannot write /lab/bench.toml: "), "{said}");
        assert!(said.ends_with("free some space and try again"), "{said}");
        let said = StoreError::io("write", &path, &io::Error::from_raw_os_error(24)).to_string();
        assert!(said.contains("ulimit -n"), "{said}");
        let said = StoreError::InUse { bench: path, pid: Some(7) }.to_string();
        assert_eq!(
            said,
            "another Setpoint has /lab/bench.toml open (process 7): use that one, or close it first"
        );
    }
}
