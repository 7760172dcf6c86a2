//! The file: making it, opening it, moving it aside.

use std::{
    fs::{self, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::HistoryError;
use crate::folder::sync_folder;

/// Says that a database is one of Setpoint's: `SPHT`.
const APPLICATION: i32 = 0x5350_4854;
/// The tables below.
const VERSION: i32 = 1;
/// How long another program may keep the database locked.
const BUSY: Duration = Duration::from_secs(5);
/// Up to this size every page is looked at when the last run did not end properly; more would
/// keep the bench from opening. Damage beyond is found when it is met.
const CHECKED_BYTES: u64 = 32 << 20;

/// Numbers that a crash may have left handed out and unwritten.
pub(super) const RESERVE: u64 = 16_384;

/// Numbers that may have been handed out in a second since, where nothing could be written.
const PACE: i64 = 100;

/// Keys of the table `meta`: a fresh database that the audit log was not put into yet; the time
/// that was believed last, for the age of events and of readbacks.
pub(super) const UNFILLED: &str = "unfilled";
pub(super) const EVENTS_BELIEVED: &str = "events_believed";
pub(super) const TRENDS_BELIEVED: &str = "trends_believed";

/// Events that share one entry of the table of times.
pub(super) const SPAN: u64 = 1_024;

// `topics` are the combinations of path, kind and origin that occur: few, so that any filter
// becomes a choice of topics, and one index serves all. `spans` holds the least and greatest time
// of every 1,024 numbers: with it, times become numbers, whatever the clock did. Times are UTC in
// microseconds. Numbers are SQLite's signed ones: 2^63 events come never.
const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE topics(id INTEGER PRIMARY KEY, path TEXT NOT NULL, kind TEXT NOT NULL,
    origin TEXT NOT NULL, UNIQUE(path, kind, origin));
CREATE TABLE events(seq INTEGER PRIMARY KEY, topic INTEGER NOT NULL, at INTEGER NOT NULL,
    mono_us INTEGER NOT NULL, run INTEGER NOT NULL, subject TEXT NOT NULL, tone TEXT NOT NULL,
    message TEXT NOT NULL, took_ms REAL, payload TEXT);
CREATE INDEX events_topic ON events(topic);
CREATE TABLE spans(id INTEGER PRIMARY KEY, least INTEGER NOT NULL, greatest INTEGER NOT NULL);
CREATE TABLE facts(revision TEXT PRIMARY KEY, at INTEGER NOT NULL, effect TEXT NOT NULL,
    readings TEXT NOT NULL);
CREATE TABLE pictures(revision TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, png BLOB NOT NULL,
    PRIMARY KEY(revision, source));
CREATE TABLE series(id INTEGER PRIMARY KEY, instrument TEXT NOT NULL, parameter TEXT NOT NULL,
    UNIQUE(instrument, parameter));
CREATE TABLE trends(series INTEGER NOT NULL, at INTEGER NOT NULL, value NOT NULL,
    PRIMARY KEY(series, at)) WITHOUT ROWID;
";

/// The database, open for writing.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    /// Device and inode, to notice that the name leads elsewhere.
    identity: (u64, u64),
}

/// What opening came to.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) database: Database,
    /// The number of the next event.
    pub(super) next: u64,
    /// It was made now, or before and never filled.
    pub(super) fresh: Option<Fresh>,
}

/// A database that was made now.
#[derive(Debug)]
pub(super) struct Fresh {
    /// Where the one before is, if it was damaged.
    pub(super) moved_to: Option<PathBuf>,
    /// What was wrong with it.
    pub(super) why: String,
}

impl Fresh {
    pub(super) fn sentence(&self, moved_to: &Path) -> String {
        format!(
            "The history database was damaged ({}). It is kept as {}; a fresh one was made from \
             the audit log, which knows of changes and not of what devices said.",
            self.why,
            moved_to.file_name().unwrap_or(moved_to.as_os_str()).display()
        )
    }
}

/// Opens the database or makes it; a damaged one is moved aside first. A fresh one counts from
/// `floor`, which is told whether there was one before.
///
/// # Errors
/// When it can be neither opened nor made.
pub(super) fn open(path: &Path, floor: impl Fn(bool) -> u64) -> Result<Opening, HistoryError> {
    let (moved_to, why) = match Database::open(path) {
        Ok((database, Some(next))) => {
            let unfilled = database.ask(|database| database.meta(UNFILLED))?.is_some();
            let fresh = unfilled.then(|| Fresh { moved_to: None, why: String::new() });
            return database.begin(next, fresh);
        }
        Ok((database, None)) => {
            return database
                .begin(floor(false), Some(Fresh { moved_to: None, why: String::new() }));
        }
        Err(HistoryError::Damaged { what, .. }) => (move_aside(path)?, what),
        Err(error) => return Err(error),
    };
    let (database, _) = Database::open(path)?;
    database.begin(floor(true), Some(Fresh { moved_to: Some(moved_to), why }))
}

impl Database {
    /// Opens it; with the next number, or `None` if it was made now.
    fn open(path: &Path) -> Result<(Self, Option<u64>), HistoryError> {
        let failed = |error: &rusqlite::Error| HistoryError::of(path, error);
        let made = create(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(&e))?;
        let found = prepare(&connection).map_err(|e| failed(&e))?;
        let identity = identity(path).ok_or_else(|| HistoryError::Missing { path: path.into() })?;
        let database = Self { path: path.to_owned(), connection, identity };
        match found {
            Found::Empty => {
                database.make().map_err(|e| failed(&e))?;
                if made && let Some(folder) = path.parent() {
                    // The name has to last as well; the first commit does not see to that.
                    let _ = sync_folder(folder);
                }
                Ok((database, None))
            }
            Found::Ours => {
                let next = database.resume().map_err(|e| failed(&e))??;
                Ok((database, Some(next)))
            }
            Found::Other(what) => Err(HistoryError::Damaged { path: path.to_owned(), what }),
        }
    }

    fn ask<R>(&self, ask: impl FnOnce(&Self) -> rusqlite::Result<R>) -> Result<R, HistoryError> {
        ask(self).map_err(|error| HistoryError::of(&self.path, &error))
    }

    /// From now on a crash is possible: puts by the numbers that it may leave unwritten.
    fn begin(self, next: u64, fresh: Option<Fresh>) -> Result<Opening, HistoryError> {
        self.ask(|database| {
            let transaction = database.connection.unchecked_transaction()?;
            database.set_meta("clean", 0)?;
            database.set_meta("opened", Timestamp::now().as_second())?;
            database.set_meta("reserved", signed(next.saturating_add(RESERVE)))?;
            database.believe_newest()?;
            transaction.commit()
        })?;
        Ok(Opening { database: self, next, fresh })
    }

    /// The clock is measured by the events of earlier runs, where that was not done before.
    fn believe_newest(&self) -> rusqlite::Result<()> {
        let put = "INSERT OR IGNORE INTO meta SELECT ?1, at FROM events ORDER BY seq DESC LIMIT 1";
        for key in [EVENTS_BELIEVED, TRENDS_BELIEVED] {
            self.connection.execute(put, [key])?;
        }
        Ok(())
    }

    fn make(&self) -> rusqlite::Result<()> {
        let begin = format!(
            "BEGIN; {TABLES} INSERT INTO meta VALUES('{UNFILLED}', 1); PRAGMA application_id = {APPLICATION}; \
             PRAGMA user_version = {VERSION}; COMMIT;"
        );
        self.connection.execute_batch(&begin)
    }

    /// The next number, of a database that ran before.
    fn resume(&self) -> rusqlite::Result<Result<u64, HistoryError>> {
        let clean = self.meta("clean")?.unwrap_or(0) == 1;
        let size: u64 = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if !clean
            && size <= CHECKED_BYTES
            && let Some(what) = damage(&self.connection)?
        {
            return Ok(Err(HistoryError::Damaged { path: self.path.clone(), what }));
        }
        let ask = "SELECT seq, at FROM events ORDER BY seq DESC LIMIT 1";
        let last = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let last = self.connection.query_row(ask, [], last).optional()?;
        let (seq, at) = last.unwrap_or((0, 0));
        let mut reached = self.meta("reserved")?.unwrap_or(0).max(seq);
        if !clean && let Some(opened) = self.meta("opened")? {
            // Where nothing could be written for long, more may have been handed out.
            let seconds = Timestamp::now().as_second() - opened.max(at / 1_000_000);
            reached = reached.saturating_add(seconds.max(0).saturating_mul(PACE));
        }
        Ok(Ok(u64::try_from(reached).unwrap_or(0) + 1))
    }

    pub(super) fn meta(&self, key: &str) -> rusqlite::Result<Option<i64>> {
        let ask = "SELECT value FROM meta WHERE key = ?1";
        self.connection.query_row(ask, [key], |row| row.get(0)).optional()
    }

    pub(super) fn set_meta(&self, key: &str, value: i64) -> rusqlite::Result<()> {
        let put = "INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2";
        self.connection.execute(put, rusqlite::params![key, value])?;
        Ok(())
    }

    /// Whether the name still leads to the file that is open.
    pub(super) fn in_place(&self) -> bool {
        identity(&self.path) == Some(self.identity)
    }

    /// Notes that all that was handed out up to `last` is written, and closes.
    pub(super) fn close(self, last: u64) -> rusqlite::Result<()> {
        self.set_meta("reserved", signed(last))?;
        self.set_meta("clean", 1)?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// What is wrong with its pages and indexes, if anything is.
fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

/// What is wrong with the pages on the disk, whatever an open connection remembers of them.
///
/// # Errors
/// When that cannot be looked at now.
pub(super) fn look(path: &Path) -> Result<Option<String>, HistoryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let said = Connection::open_with_flags(path, flags).and_then(|connection| damage(&connection));
    match said.map_err(|error| HistoryError::of(path, &error)) {
        Err(HistoryError::Damaged { what, .. }) => Ok(Some(what)),
        other => other,
    }
}

/// What was found in a file.
enum Found {
    Empty,
    Ours,
    Other(String),
}

fn prepare(connection: &Connection) -> rusqlite::Result<Found> {
    connection.busy_timeout(BUSY)?;
    let number = |pragma: &str| -> rusqlite::Result<i32> {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
    };
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if tables == 0 {
        // Before anything is in it: later it would need a rewrite.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    // Where shared memory is not to be had, on some network folders, the answer is another mode,
    // which is as safe and slower.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; \
         PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;",
    )?;
    if tables == 0 {
        return Ok(Found::Empty);
    }
    let (application, version) = (number("application_id")?, number("user_version")?);
    Ok(match (application, version) {
        (APPLICATION, VERSION) => Found::Ours,
        (APPLICATION, version) => Found::Other(format!(
            "its tables are of version {version}, this Setpoint knows {VERSION}"
        )),
        _ => Found::Other("it is not a history database".to_owned()),
    })
}

/// Makes an empty file for its owner only; SQLite gives its other files the same permissions.
/// Answers whether there was none.
fn create(path: &Path) -> Result<bool, HistoryError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(HistoryError::Unusable {
            path: path.to_owned(),
            what: error.to_string(),
            kind: match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => super::error::Unusable::Full,
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    super::error::Unusable::Permission
                }
                _ => super::error::Unusable::Other,
            },
        }),
    }
}

/// Gives a damaged database another name, its write-ahead log with it.
///
/// # Errors
/// When the system does not let it be renamed.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, HistoryError> {
    let failed = |error: std::io::Error| HistoryError::Unusable {
        path: path.to_owned(),
        what: format!("it is damaged and cannot be moved aside: {error}"),
        kind: super::error::Unusable::Permission,
    };
    let to = free_name(path, Timestamp::now());
    fs::rename(path, &to).map_err(failed)?;
    // Without its log a database is older, not worse; without its database a log is nothing.
    let beside = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    match fs::rename(beside(path, "-wal"), beside(&to, "-wal")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    match fs::remove_file(beside(path, "-shm")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    if let Some(folder) = path.parent() {
        sync_folder(folder).map_err(failed)?;
    }
    Ok(to)
}

/// `history-damaged-20261121T104207Z.sqlite`, or a second later if that is taken.
fn free_name(path: &Path, mut at: Timestamp) -> PathBuf {
    loop {
        let name = format!("history-damaged-{}.sqlite", at.strftime("%Y%m%dT%H%M%SZ"));
        let to = path.with_file_name(name);
        if !to.exists() {
            return to;
        }
        at += jiff::SignedDuration::from_secs(1);
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    // Not by opening it: closing another handle of the file would let go of SQLite's locks.
    fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// A number as SQLite has it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
