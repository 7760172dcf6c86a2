//! `transactions/<id>.toml`: changes that are staged and not yet in effect, one file each, so that
//! a restart loses none. Plain TOML, readable without Setpoint; values keep their types.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use setpoint_bench::{Clash, KeyPath};

use crate::{
    ReadError, StoreError, atomic,
    folder::{self, BenchFolder, sync_folder},
};

mod text;

/// What the file is called that holds the last number given to a transaction.
const LAST: &str = "last";

/// One transaction, as it is on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct TransactionRecord {
    /// `t7`
    pub id: String,
    /// When it was begun.
    pub opened: Timestamp,
    /// When someone last did something to it.
    pub touched: Timestamp,
    /// Through which door: `panel`, `api`, …
    pub origin: String,
    /// Who; empty where that is not known.
    pub author: String,
    /// Why; may be empty.
    pub message: String,
    /// The revision that its edits were compared with last.
    pub base: String,
    /// Whether it was left alone for so long that it has to be taken up again.
    pub draft: bool,
    /// Whether someone opened it by itself, before anything was staged.
    pub begun: bool,
    /// In the order they were staged.
    pub edits: Vec<EditRecord>,
}

/// One edit of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct EditRecord {
    /// The key.
    pub path: KeyPath,
    /// Its value when the edit was staged; `None`: it was not there.
    pub base: Option<setpoint_bench::Value>,
    /// The value asked for; `None` removes the key.
    pub value: Option<setpoint_bench::Value>,
    /// What someone else made of the same key meanwhile.
    pub clash: Option<Clash>,
}

/// The transactions of a bench on disk. To be opened by whoever holds the bench's lock.
#[derive(Debug)]
pub struct Transactions {
    folder: PathBuf,
    /// The last number given. Taken before it is on disk: whoever cannot wait for that gets the
    /// next one.
    last: AtomicU64,
}

/// What was there when the folder was opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoundTransactions {
    /// All that can be read, oldest first.
    pub kept: Vec<TransactionRecord>,
    /// What could not be read or put right, in sentences.
    pub problems: Vec<String>,
}

impl Transactions {
    /// Reads what is kept. A damaged file is moved aside, one that cannot be read now stays; both
    /// are reported and passed over. Nothing that is wrong here keeps a bench from running.
    pub fn open(folder: &BenchFolder) -> (Self, FoundTransactions) {
        let folder = folder.transactions();
        let mut found = FoundTransactions::default();
        let mut highest = 0;
        for path in files(&folder, &mut found.problems) {
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            highest = highest.max(number(&id).unwrap_or(0));
            match read(&path) {
                Ok(Some(record)) => found.kept.push(record),
                Ok(None) => {}
                Err(Unread::NotNow(why)) => found.problems.push(format!(
                    "{why}; the staged changes in it are there again after a start that can read it"
                )),
                Err(Unread::Damaged(why)) => {
                    let moved = match set_aside(&path) {
                        Ok(to) => format!("it is kept as {}", to.display()),
                        Err(error) => error.to_string(),
                    };
                    found.problems.push(format!("{why}; {moved}"));
                }
            }
        }
        found.kept.sort_by_key(|kept| (kept.opened, number(&kept.id)));
        let last = last_number(&folder).max(highest);
        (Self { folder, last: last.into() }, found)
    }

    /// An id that no transaction of this bench ever had: `t8`.
    ///
    /// # Errors
    /// When it cannot be written down that it is taken.
    pub fn next_id(&self) -> Result<String, StoreError> {
        let next = self.take_number();
        let kept = self.make().and_then(|()| {
            atomic::replace_private(&self.folder.join(LAST), format!("{next}\n").as_bytes())
        });
        if let Err(error) = kept {
            // Nobody has it, unless the next one is taken already.
            let _ = self.last.compare_exchange(
                next,
                next.saturating_sub(1),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            return Err(error);
        }
        Ok(format!("t{next}"))
    }

    /// Like [`Transactions::next_id`] where the disk cannot be written: unique as long as this
    /// program runs. Never waits, not even for a disk that another call waits for.
    pub fn passing_id(&self) -> String {
        format!("t{}", self.take_number())
    }

    fn take_number(&self) -> u64 {
        let next = |last: u64| Some(last.saturating_add(1));
        let taken = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken.unwrap_or_else(|last| last).saturating_add(1)
    }

    /// Puts a transaction on disk, in place of what was kept of it. When this returns, a crash
    /// cannot lose it.
    ///
    /// # Errors
    /// When it cannot be written; what was kept of it before still is.
    pub fn save(&self, record: &TransactionRecord) -> Result<(), StoreError> {
        let path = self.path(&record.id);
        let text = text::write(record);
        // A text that could not be read back would be lost at the next start.
        let readable = match text.len() as u64 {
            bytes if bytes > atomic::MAX_BYTES => Err(format!("it has {bytes} bytes")),
            _ => text::read(&text).map(drop),
        };
        readable.map_err(|what| StoreError::Damaged {
            path: path.clone(),
            what: format!("it would not be readable: {what}; commit in smaller parts"),
        })?;
        self.make()?;
        atomic::replace_private(&path, text.as_bytes())
    }

    /// Forgets a transaction that was committed or discarded. A file that cannot be removed is
    /// emptied: that says the same.
    ///
    /// # Errors
    /// When its file can be neither removed nor emptied.
    pub fn remove(&self, id: &str) -> Result<(), StoreError> {
        let path = self.path(id);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => empty(&path).map_err(|_| error),
            Ok(()) => sync_folder(&self.folder),
        };
        removed.map_err(|error| StoreError::io("remove", &path, &error))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.toml"))
    }

    /// Someone may have deleted it meanwhile.
    fn make(&self) -> Result<(), StoreError> {
        folder::make(&self.folder)
    }
}

/// The number of an id: 7 of `t7`.
fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('t')?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

/// The last number that was given. If that is lost, one that cannot have been reached: an id that
/// is used twice could commit what someone else staged.
fn last_number(folder: &Path) -> u64 {
    match fs::read_to_string(folder.join(LAST)) {
        Ok(text) if text.trim().parse::<u64>().is_ok() => text.trim().parse().unwrap_or(0),
        Err(error) if error.kind() == ErrorKind::NotFound && !folder.exists() => 0,
        _ => u64::try_from(Timestamp::now().as_second()).unwrap_or(0),
    }
}

/// The files of transactions. What a crash in the middle of writing one left behind is removed.
fn files(folder: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(format!(
                "Staged changes cannot be read: {}",
                StoreError::io("read", folder, &error)
            ));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.contains(".setpoint-") && name.ends_with(".tmp") {
            if let Err(error) = fs::remove_file(&path) {
                problems.push(StoreError::io("clean up", &path, &error).to_string());
            }
        } else if name.ends_with(".toml") && !name.starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn empty(path: &Path) -> std::io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    file.set_len(0)?;
    file.sync_all()
}

/// Why there is no transaction out of a file, in a sentence.
enum Unread {
    /// What is in it makes no sense.
    Damaged(String),
    /// The system does not let it be read, which may pass.
    NotNow(String),
}

/// A transaction out of its file; `None` if it is gone by now, or emptied.
fn read(path: &Path) -> Result<Option<TransactionRecord>, Unread> {
    let file = match atomic::read(path) {
        Ok(file) => file,
        Err(ReadError::Missing { .. }) => return Ok(None),
        Err(
            error @ (ReadError::NoPermission { .. }
            | ReadError::NotAllowed(_)
            | ReadError::Other { .. }),
        ) => return Err(Unread::NotNow(error.to_string())),
        Err(error) => return Err(Unread::Damaged(error.to_string())),
    };
    if file.text.is_empty() {
        // It could not be removed when it was done with.
        if let Err(error) = fs::remove_file(path) {
            tracing::debug!("{} still stays behind: {error}", path.display());
        }
        return Ok(None);
    }
    let damaged = |what: String| Unread::Damaged(format!("{} is damaged: {what}", path.display()));
    let record = text::read(&file.text).map_err(damaged)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if record.id != stem || number(&record.id).is_none() {
        return Err(damaged(format!("it says that it is transaction “{}”", record.id)));
    }
    Ok(Some(record))
}

/// Gives a damaged file a name under which it is not read again, and no other is overwritten.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut to = path.with_extension("toml.damaged");
    let mut count = 1;
    while to.exists() {
        count += 1;
        to = path.with_extension(format!("toml.damaged-{count}"));
    }
    fs::rename(path, &to).map_err(|error| StoreError::io("move aside", path, &error))?;
    Ok(to)
}

#[cfg(test)]
mod tests;
