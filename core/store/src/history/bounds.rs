//! Keeping the database within its bounds, a little at a time.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::{
    HistoryError, HistoryOptions,
    clock::Cuts,
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
    max_bytes: u64,
    cuts: Cuts,
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
    pub(super) fn new(options: HistoryOptions, cuts: Cuts) -> Self {
        let max_bytes = options.max_bytes;
        Self { max_bytes, cuts, shrinking: false, freed: false, classes: (Vec::new(), 0) }
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
        let removed = self.old(database, labelled)? || self.over_size(database, labelled)?;
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

    fn old(&self, database: &mut Database, labelled: &HashSet<String>) -> rusqlite::Result<bool> {
        let Cuts { events, trends } = self.cuts;
        Ok(match events {
            Some(old) => old_events(database, old)? || old_facts(database, Some(old), labelled)?,
            None => false,
        } || match trends {
            Some(old) => any_trends(database, old)?,
            None => false,
        })
    }

    fn over_size(
        &mut self,
        database: &mut Database,
        labelled: &HashSet<String>,
    ) -> rusqlite::Result<bool> {
        let most = self.max_bytes;
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

/// Removes spans of events in which nothing is younger, but never the newest one. A clock that was
/// wrong once leaves spans of the future between them.
fn old_events(database: &mut Database, old: i64) -> rusqlite::Result<bool> {
    let ask = "SELECT id FROM spans WHERE greatest < ?1 AND id < (SELECT max(id) FROM spans) \
               ORDER BY id LIMIT ?2";
    remove_spans(database, ask, &[old, SPANS_AT_ONCE])
}

/// Removes the oldest spans of events, but never the newest one.
fn oldest_spans(database: &mut Database) -> rusqlite::Result<bool> {
    let ask = "SELECT id FROM spans WHERE id < (SELECT max(id) FROM spans) ORDER BY id LIMIT ?1";
    remove_spans(database, ask, &[SPANS_FOR_ROOM])
}

/// Removes the spans that a question names; answers whether there were any.
fn remove_spans(database: &mut Database, ask: &str, of: &[i64]) -> rusqlite::Result<bool> {
    let transaction = database.connection.transaction()?;
    let spans: Vec<i64> = {
        let mut spans = transaction.prepare(ask)?;
        spans
            .query_map(rusqlite::params_from_iter(of), |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    for id in &spans {
        let first = id.saturating_mul(signed(SPAN));
        let last = first.saturating_add(signed(SPAN) - 1);
        transaction.execute("DELETE FROM events WHERE seq BETWEEN ?1 AND ?2", [first, last])?;
        transaction.execute("DELETE FROM spans WHERE id = ?1", [id])?;
    }
    transaction.commit()?;
    Ok(!spans.is_empty())
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

/// Removes some readbacks that are older. Of each series the last of them stays: it says what was
/// so from then on.
fn any_trends(database: &mut Database, old: i64) -> rusqlite::Result<bool> {
    let oldest = "SELECT at FROM trends WHERE series = ?1 ORDER BY at LIMIT 1 OFFSET ?2";
    for id in series(database)? {
        let at = |offset: i64| -> rusqlite::Result<Option<i64>> {
            database.connection.query_row(oldest, [id, offset], |row| row.get(0)).optional()
        };
        if at(1)?.is_none_or(|at| at >= old) {
            continue;
        }
        let cut = at(TRENDS_AT_ONCE)?.map_or(old, |at| at.min(old));
        let remove = "DELETE FROM trends WHERE series = ?1 AND at < \
                      (SELECT max(at) FROM trends WHERE series = ?1 AND at < ?2)";
        let removed = database.connection.execute(remove, params![id, cut])?;
        if removed > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A time a tenth of the way from the oldest readback to the newest, those aside that stay.
fn middle_age(database: &Database) -> rusqlite::Result<Option<i64>> {
    let (mut least, mut greatest) = (None::<i64>, None::<i64>);
    for id in series(database)? {
        let ends = "SELECT (SELECT at FROM trends WHERE series = ?1 ORDER BY at LIMIT 1 OFFSET 1), \
                    (SELECT at FROM trends WHERE series = ?1 ORDER BY at DESC LIMIT 1)";
        let (first, last): (Option<i64>, Option<i64>) =
            database.connection.query_row(ends, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((first, last)) = first.zip(last) else { continue };
        least = least.into_iter().chain([first]).min();
        greatest = greatest.into_iter().chain([last]).max();
    }
    Ok(least.zip(greatest).map(|(least, greatest)| least + (greatest - least) / 10 + 1))
}

fn series(database: &Database) -> rusqlite::Result<Vec<i64>> {
    let mut ask = database.connection.prepare("SELECT id FROM series")?;
    ask.query_map([], |row| row.get(0))?.collect()
}
