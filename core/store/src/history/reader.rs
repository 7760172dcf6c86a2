//! Questions to the database. Each opens it for itself, read-only, and disturbs nobody.

use std::{
    collections::BinaryHeap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params, types::ValueRef};

use super::{
    EventFilter, HistoryError, HistoryEvent, Order, Picture, RevisionFacts, TrendPoint,
    database::{SPAN, signed},
};
use crate::BenchFolder;

/// How long a reader waits for a lock; in this mode of SQLite there is hardly one.
const BUSY: Duration = Duration::from_secs(2);
/// Events fetched at a time when they are handed on one by one.
const PAGE: usize = 1_000;
/// With more topics than this, walking through all events is the shorter way.
const TOPICS: usize = 4_096;

/// Reads the history of a bench, whether it runs or not.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    path: PathBuf,
}

impl HistoryReader {
    /// The history in a folder `.setpoint`. Touches no disk.
    pub fn of(folder: &BenchFolder) -> Self {
        Self { path: folder.history() }
    }

    /// The database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One page of events.
    ///
    /// # Errors
    /// When there is no database or it cannot be read.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<HistoryEvent>, HistoryError> {
        self.ask(|connection| page(connection, filter))
    }

    /// Hands every event that fits to `to`, in order, until it breaks off or the limit is
    /// reached. Only a page of them is in memory at a time. Answers how many there were.
    ///
    /// # Errors
    /// As [`HistoryReader::events`]; what was handed over by then was.
    pub fn replay(
        &self,
        filter: &EventFilter,
        mut to: impl FnMut(&HistoryEvent) -> ControlFlow<()>,
    ) -> Result<usize, HistoryError> {
        let connection = self.connect()?;
        let (mut filter, mut left, mut told) = (filter.clone(), filter.limit, 0);
        while left > 0 {
            filter.limit = left.min(PAGE);
            let events = in_one(&connection, |connection| page(connection, &filter))
                .map_err(|error| self.failed(&error))?;
            for event in &events {
                told += 1;
                if to(event).is_break() {
                    return Ok(told);
                }
            }
            let Some(last) = events.last().filter(|_| events.len() == filter.limit) else { break };
            match filter.order {
                Order::OldestFirst => filter.after = Some(last.seq),
                Order::NewestFirst => filter.before = Some(last.seq),
            }
            left -= events.len();
        }
        Ok(told)
    }

    /// What was known when a revision was accepted, pictures without their bytes; `None` if
    /// nothing was kept.
    ///
    /// # Errors
    /// As [`HistoryReader::events`].
    pub fn facts(&self, revision: &str) -> Result<Option<RevisionFacts>, HistoryError> {
        self.ask(|connection| {
            let ask = "SELECT at, effect, readings FROM facts WHERE revision = ?1";
            let found = connection
                .query_row(ask, [revision], |row| {
                    Ok(RevisionFacts {
                        revision: revision.to_owned(),
                        at: time(row, 0)?,
                        effect: row.get(1)?,
                        readings: json(row, 2)?,
                        pictures: Vec::new(),
                    })
                })
                .optional()?;
            let Some(mut facts) = found else { return Ok(None) };
            let ask = "SELECT source, at, width, height FROM pictures WHERE revision = ?1 \
                       ORDER BY source";
            let mut pictures = connection.prepare(ask)?;
            let picture = |row: &Row<'_>| {
                Ok(Picture {
                    source: row.get(0)?,
                    at: time(row, 1)?,
                    width: row.get(2)?,
                    height: row.get(3)?,
                    png: Vec::new(),
                })
            };
            facts.pictures = pictures.query_map([revision], picture)?.collect::<Result<_, _>>()?;
            Ok(Some(facts))
        })
    }

    /// A picture kept with a revision, as PNG.
    ///
    /// # Errors
    /// As [`HistoryReader::events`].
    pub fn picture(&self, revision: &str, source: &str) -> Result<Option<Vec<u8>>, HistoryError> {
        self.ask(|connection| {
            let ask = "SELECT png FROM pictures WHERE revision = ?1 AND source = ?2";
            connection.query_row(ask, [revision, source], |row| row.get(0)).optional()
        })
    }

    /// The readbacks of a parameter in a time, oldest first, at most `limit`. Only changes are kept:
    /// the first is the one that held at `from`, which may be from long before.
    ///
    /// # Errors
    /// As [`HistoryReader::events`].
    pub fn trend(
        &self,
        instrument: &str,
        parameter: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TrendPoint>, HistoryError> {
        self.ask(|connection| {
            let ask = "SELECT id FROM series WHERE instrument = ?1 AND parameter = ?2";
            let series: Option<i64> =
                connection.query_row(ask, [instrument, parameter], |row| row.get(0)).optional()?;
            let Some(series) = series.filter(|_| from <= until) else { return Ok(Vec::new()) };
            let ask = "SELECT at, value FROM trends WHERE series = ?1 AND at <= ?3 AND at >= \
                       coalesce((SELECT max(at) FROM trends WHERE series = ?1 AND at <= ?2), ?2) \
                       ORDER BY at LIMIT ?4";
            let mut points = connection.prepare(ask)?;
            let (from, until) = (from.as_microsecond(), until.as_microsecond());
            let point = |row: &Row<'_>| {
                Ok(TrendPoint {
                    instrument: instrument.to_owned(),
                    parameter: parameter.to_owned(),
                    at: time(row, 0)?,
                    value: match row.get_ref(1)? {
                        ValueRef::Real(number) => number.into(),
                        _ => json(row, 1)?,
                    },
                })
            };
            let wanted = params![series, from, until, signed(limit as u64)];
            points.query_map(wanted, point)?.collect()
        })
    }

    fn ask<R>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<R, HistoryError> {
        in_one(&self.connect()?, ask).map_err(|error| self.failed(&error))
    }

    fn connect(&self) -> Result<Connection, HistoryError> {
        if !self.path.exists() {
            return Err(HistoryError::Missing { path: self.path.clone() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|e| self.failed(&e))?;
        connection.busy_timeout(BUSY).map_err(|e| self.failed(&e))?;
        Ok(connection)
    }

    fn failed(&self, error: &rusqlite::Error) -> HistoryError {
        HistoryError::of(&self.path, error)
    }
}

/// Asks in one transaction: what is forgotten meanwhile must not be missing in the middle.
fn in_one<R>(
    connection: &Connection,
    ask: impl FnOnce(&Connection) -> rusqlite::Result<R>,
) -> rusqlite::Result<R> {
    let transaction = connection.unchecked_transaction()?;
    let answer = ask(&transaction)?;
    transaction.finish()?;
    Ok(answer)
}

const COLUMNS: &str = "SELECT seq, at, mono_us, runs.name, origin, kind, subject, tone, path, \
                       message, took_ms, payload FROM events JOIN topics ON topics.id = topic \
                       JOIN runs ON runs.id = run";

fn page(connection: &Connection, filter: &EventFilter) -> rusqlite::Result<Vec<HistoryEvent>> {
    let Some((first, last)) = numbers(connection, filter)? else { return Ok(Vec::new()) };
    if !filter.by_topic() {
        return walk(connection, filter, first, last);
    }
    let topics = topics(connection, filter)?;
    if topics.len() > TOPICS {
        return walk(connection, filter, first, last);
    }
    merge(connection, filter, &topics, first, last)
}

/// The least and greatest number that can fit, ends included; `None` if none can.
fn numbers(connection: &Connection, filter: &EventFilter) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut first = filter.after.map_or(0, |after| signed(after).saturating_add(1));
    let mut last = filter.before.map_or(i64::MAX, |before| signed(before) - 1);
    if filter.from.is_some() || filter.until.is_some() {
        let from = filter.from.map_or(i64::MIN, Timestamp::as_microsecond);
        let until = filter.until.map_or(i64::MAX, Timestamp::as_microsecond);
        let ask = "SELECT min(id), max(id) FROM spans WHERE greatest >= ?1 AND least <= ?2";
        let (low, high): (Option<i64>, Option<i64>) =
            connection.query_row(ask, [from, until], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((low, high)) = low.zip(high) else { return Ok(None) };
        let span = signed(SPAN);
        first = first.max(low.saturating_mul(span));
        last = last.min(high.saturating_mul(span).saturating_add(span - 1));
    }
    Ok((first <= last).then_some((first, last)))
}

/// All events in order, those that do not fit passed over.
fn walk(
    connection: &Connection,
    filter: &EventFilter,
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<HistoryEvent>> {
    let order = match filter.order {
        Order::OldestFirst => "ASC",
        Order::NewestFirst => "DESC",
    };
    // The join is by number for each row, in the order of the events.
    let ask = format!("{COLUMNS} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq {order}");
    let mut events = connection.prepare(&ask)?;
    let mut rows = events.query([first, last])?;
    let mut page = Vec::new();
    while page.len() < filter.limit
        && let Some(row) = rows.next()?
    {
        let event = event(row)?;
        if filter.fits(&event) {
            page.push(event);
        }
    }
    Ok(page)
}

/// The numbers of the topics that fit.
fn topics(connection: &Connection, filter: &EventFilter) -> rusqlite::Result<Vec<i64>> {
    // `/` is the character after `.`: between them is what lies below a key, and nothing else.
    let ask = "SELECT id FROM topics WHERE (?1 IS NULL OR path = ?1 \
               OR (path > ?1 || '.' AND path < ?1 || '/')) \
               AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR origin = ?3)";
    let path = filter.path.as_ref().filter(|path| !path.is_empty());
    let mut topics = connection.prepare(ask)?;
    topics.query_map(params![path, filter.kind, filter.origin], |row| row.get(0))?.collect()
}

/// Events of some topics, in order: always the next one of whichever topic has it.
fn merge(
    connection: &Connection,
    filter: &EventFilter,
    topics: &[i64],
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<HistoryEvent>> {
    let rising = filter.order == Order::OldestFirst;
    let mut next = connection.prepare(if rising {
        "SELECT seq FROM events WHERE topic = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq LIMIT 1"
    } else {
        "SELECT seq FROM events WHERE topic = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq DESC LIMIT 1"
    })?;
    let mut of = |topic: i64, first: i64, last: i64| -> rusqlite::Result<Option<i64>> {
        next.query_row([topic, first, last], |row| row.get(0)).optional()
    };
    let mut fetch = connection.prepare(&format!("{COLUMNS} WHERE seq = ?1"))?;
    // The greatest comes out first; the other way round, the least negative one is the least.
    let rank = |seq: i64| if rising { -seq } else { seq };
    let mut heads = BinaryHeap::with_capacity(topics.len());
    for topic in topics {
        heads.extend(of(*topic, first, last)?.map(|seq| (rank(seq), *topic)));
    }
    let mut page = Vec::new();
    while page.len() < filter.limit
        && let Some((ranked, topic)) = heads.pop()
    {
        let seq = if rising { -ranked } else { ranked };
        let event = fetch.query_row([seq], event)?;
        if filter.fits(&event) {
            page.push(event);
        }
        let following = if rising { of(topic, seq + 1, last) } else { of(topic, first, seq - 1) };
        heads.extend(following?.map(|seq| (rank(seq), topic)));
    }
    Ok(page)
}

fn event(row: &Row<'_>) -> rusqlite::Result<HistoryEvent> {
    let payload: Option<String> = row.get(11)?;
    Ok(HistoryEvent {
        seq: number(row, 0)?,
        at: time(row, 1)?,
        mono_us: number(row, 2)?,
        run: row.get::<_, String>(3)?.into(),
        origin: row.get(4)?,
        kind: row.get(5)?,
        subject: row.get(6)?,
        tone: row.get(7)?,
        path: row.get(8)?,
        message: row.get(9)?,
        took_ms: row.get(10)?,
        payload: payload.map(|_| json(row, 11)).transpose()?,
    })
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|error| wrong(column, error))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| wrong(column, error))
}

fn wrong(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
