//! Keeping the database within its bounds, a little at a time.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    HistoryError, HistoryOptions,
    database::{Database, SPAN, signed},
};

/// Readbacks removed in one go; nothing else is written meanwhile.
const TRENDS_AT_ONCE: i64 = 20_000;
/// Spans of events removed in one go.
const SPANS_AT_ONCE: i64 = 16;
/// The same for events that would not be too old.
const SPANS_FOR_ROOM: i64 = 2;
/// Removals between two looks at what takes how much room.
const REMOVALS: usize = 64;
/// Facts removed in one go.
const FACTS_AT_ONCE: i64 = 8;

/// Forgetting what is beyond the bounds, under way.
#[derive(Debug)]
pub(super) struct Pass {
    options: HistoryOptions,
    now: Timestamp,
    /// Once the bytes are over, they go down to nine tenths: else every pass would find a few
    /// too many.
    shrinking: bool,
    freed: bool,
    /// What takes room, most first, and how many more removals that is believed for.
    classes: (Vec<Class>, usize),
}

/// What takes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Events,
    Facts,
    Trends,
}

impl Pass {
    pub(super) fn new(options: HistoryOptions, now: Timestamp) -> Self {
        Self { options, now, shrinking: false, freed: false, classes: (Vec::new(), 0) }
    }

    /// Removes a little; answers whether there may be more to remove.
    ///
    /// # Errors
    /// When the database cannot be changed.
    pub(super) fn step(
        &mut self,
        database: &mut Database,
        labelled: &HashSet<String>,
    ) -> Result<bool, HistoryError> {
        let path = database.path.clone();
        self.advance(database, labelled).map_err(|error| HistoryError::of(&path, &error))
    }

    fn advance(
        &mut self,
        database: &mut Database,
        labelled: &HashSet<String>,
    ) -> rusqlite::Result<bool> {
        let ago = |age: Duration| {
            let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            self.now.as_microsecond().saturating_sub(age)
        };
        let (old, old_trends) = (ago(self.options.max_age), ago(self.options.max_trend_age));
        let removed = old_events(database, old)?
            || old_facts(database, Some(old), labelled)?
            || any_trends(database, old_trends)?
            || self.over_size(database, labelled)?;
        self.freed |= removed;
        if !removed && self.freed {
            // Topics that nothing is about any more, and the room that became free.
            database.connection.execute_batch(
                "DELETE FROM topics WHERE NOT EXISTS \
                 (SELECT 1 FROM events WHERE events.topic = topics.id);",
            )?;
            let mut vacuum = database.connection.prepare("PRAGMA incremental_vacuum")?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(removed)
    }

    fn over_size(
        &mut self,
        database: &mut Database,
        labelled: &HashSet<String>,
    ) -> rusqlite::Result<bool> {
        let most = self.options.max_bytes;
        let aim = if self.shrinking { most / 10 * 9 } else { most };
        if used(database)? <= aim {
            return Ok(false);
        }
        self.shrinking = true;
        if self.classes.1 == 0 {
            let mut classes = room(database)?;
            classes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
            self.classes = (classes.into_iter().map(|(class, _)| class).collect(), REMOVALS);
        }
        self.classes.1 -= 1;
        for class in &self.classes.0 {
            let removed = match class {
                Class::Events => oldest_spans(database)?,
                Class::Facts => old_facts(database, None, labelled)?,
                Class::Trends => match middle_age(database)? {
                    Some(cut) => any_trends(database, cut)?,
                    None => false,
                },
            };
            if removed {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Bytes in pages that hold something.
pub(super) fn used(database: &Database) -> rusqlite::Result<u64> {
    let number = |pragma: &str| -> rusqlite::Result<u64> {
        let number: i64 =
            database.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}

fn room(database: &Database) -> rusqlite::Result<Vec<(Class, i64)>> {
    let of = |tables: &str| -> rusqlite::Result<i64> {
        let ask = format!(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN ({tables})"
        );
        database.connection.query_row(&ask, [], |row| row.get(0))
    };
    Ok(vec![
        (Class::Events, of("'events', 'events_topic'")?),
        (Class::Facts, of("'facts', 'pictures'")?),
        (Class::Trends, of("'trends'")?),
    ])
}

/// Removes spans of events in which nothing is younger, from the oldest on.
fn old_events(database: &mut Database, old: i64) -> rusqlite::Result<bool> {
    let ask = "SELECT id, greatest FROM spans ORDER BY id LIMIT ?1";
    let mut beyond = None;
    {
        let mut spans = database.connection.prepare(ask)?;
        let mut rows = spans.query([SPANS_AT_ONCE])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= old {
                break;
            }
            beyond = Some(row.get::<_, i64>(0)?);
        }
    }
    match beyond {
        Some(last) => remove_spans(database, last),
        None => Ok(false),
    }
}

/// Removes the oldest spans of events, but never the newest one.
fn oldest_spans(database: &mut Database) -> rusqlite::Result<bool> {
    let ask = "SELECT max(id) FROM (SELECT id FROM spans WHERE id < (SELECT max(id) FROM spans) \
               ORDER BY id LIMIT ?1)";
    let last: Option<i64> =
        database.connection.query_row(ask, [SPANS_FOR_ROOM], |row| row.get(0))?;
    last.map_or(Ok(false), |last| remove_spans(database, last))
}

fn remove_spans(database: &mut Database, last: i64) -> rusqlite::Result<bool> {
    let transaction = database.connection.transaction()?;
    let first_kept = (last + 1).saturating_mul(signed(SPAN));
    transaction.execute("DELETE FROM events WHERE seq < ?1", [first_kept])?;
    transaction.execute("DELETE FROM spans WHERE id <= ?1", [last])?;
    transaction.commit()?;
    Ok(true)
}

/// Removes the oldest facts of revisions without a label, all of them or those taken before.
fn old_facts(
    database: &mut Database,
    before: Option<i64>,
    labelled: &HashSet<String>,
) -> rusqlite::Result<bool> {
    let mut oldest: Vec<String> = Vec::new();
    {
        let ask = "SELECT revision FROM facts WHERE at < ?1 ORDER BY at";
        let mut facts = database.connection.prepare(ask)?;
        let mut rows = facts.query([before.unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let revision: String = row.get(0)?;
            if !labelled.contains(&revision) {
                oldest.push(revision);
                if oldest.len() as i64 == FACTS_AT_ONCE {
                    break;
                }
            }
        }
    }
    let transaction = database.connection.transaction()?;
    for revision in &oldest {
        transaction.execute("DELETE FROM pictures WHERE revision = ?1", [revision])?;
        transaction.execute("DELETE FROM facts WHERE revision = ?1", [revision])?;
    }
    transaction.commit()?;
    Ok(!oldest.is_empty())
}

/// Removes some readbacks that are older.
fn any_trends(database: &mut Database, old: i64) -> rusqlite::Result<bool> {
    let oldest = "SELECT at FROM trends WHERE series = ?1 ORDER BY at LIMIT 1 OFFSET ?2";
    for id in series(database)? {
        let at = |offset: i64| -> rusqlite::Result<Option<i64>> {
            database.connection.query_row(oldest, [id, offset], |row| row.get(0)).optional()
        };
        if at(0)?.is_none_or(|at| at >= old) {
            continue;
        }
        let cut = at(TRENDS_AT_ONCE)?.map_or(old, |at| at.min(old));
        let remove = "DELETE FROM trends WHERE series = ?1 AND at < ?2";
        let removed = database.connection.execute(remove, params![id, cut])?;
        if removed > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A time a tenth of the way from the oldest readback to the newest.
fn middle_age(database: &Database) -> rusqlite::Result<Option<i64>> {
    let (mut least, mut greatest) = (None::<i64>, None::<i64>);
    for id in series(database)? {
        let ends = "SELECT (SELECT at FROM trends WHERE series = ?1 ORDER BY at LIMIT 1), \
                    (SELECT at FROM trends WHERE series = ?1 ORDER BY at DESC LIMIT 1)";
        let (first, last): (Option<i64>, Option<i64>) =
            database.connection.query_row(ends, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        least = first.into_iter().chain(least).min();
        greatest = last.into_iter().chain(greatest).max();
    }
    Ok(least.zip(greatest).map(|(least, greatest)| least + (greatest - least) / 10 + 1))
}

fn series(database: &Database) -> rusqlite::Result<Vec<i64>> {
    let mut ask = database.connection.prepare("SELECT id FROM series")?;
    ask.query_map([], |row| row.get(0))?.collect()
}
