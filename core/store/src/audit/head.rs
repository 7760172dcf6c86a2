//! `audit.head`: number and hash of the last record, so that one that is cut off or changed shows.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Number and hash of a record that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
}

impl Head {
    /// Reads it; `None` if there is none, or half of one, as a power cut may leave it.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        let digits = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        Some(Self { seq: seq.parse().ok()?, hash: digits.then(|| hash.to_owned())? })
    }

    /// Puts it in the place of the one before. The log is on the disk already; this may get there
    /// when it likes, so that a record still costs one wait.
    pub(super) fn write(&self, path: &Path) {
        if let Err(error) = self.try_write(path) {
            tracing::debug!(file = %path.display(), %error, "the end of the audit log is not vouched for");
        }
    }

    fn try_write(&self, path: &Path) -> io::Result<()> {
        // Always the same length: written over in one go, nothing is ever cut off.
        let line = format!("{:020} {}\n", self.seq, self.hash);
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)?
            .write_all(line.as_bytes())
    }

    /// What is wrong with a log that does not have this record, in a sentence; `lines` is what it
    /// has, `changed` whether it has another one of that number.
    pub(super) fn contradicted(&self, lines: u64, changed: bool) -> String {
        if changed {
            return format!("Record {} is not the one that was written.", self.seq);
        }
        match lines + 1 {
            first if first == self.seq => format!("Record {first} is missing at its end."),
            first => format!("Records {first} to {} are missing at its end.", self.seq),
        }
    }
}
