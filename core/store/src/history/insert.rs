//! Putting a batch into the database, in one transaction.

use std::collections::HashMap;

use rusqlite::{Connection, Statement, params};
use serde_json::Value;

use super::{
    HistoryError, HistoryEvent, RevisionFacts, TrendPoint,
    database::{Database, RESERVE, SPAN, UNFILLED, signed},
};

/// What is put in together.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    pub(super) events: Vec<&'a HistoryEvent>,
    pub(super) facts: Vec<&'a RevisionFacts>,
    pub(super) trends: Vec<&'a TrendPoint>,
    /// It is what a fresh database was to be filled with.
    pub(super) fills: bool,
}

/// Numbers of the rows that names stand for.
#[derive(Debug, Default)]
pub(super) struct Names {
    topics: HashMap<(String, String, String), i64>,
    runs: HashMap<String, i64>,
    series: HashMap<(String, String), i64>,
}

impl Database {
    /// Puts a batch in; when this returns, it is on the disk. What is there already stays. Answers
    /// how many events were left out because their number is another's.
    ///
    /// # Errors
    /// When nothing of it could be put in. The names may then stand for rows that are not there.
    pub(super) fn put(
        &mut self,
        batch: &Batch<'_>,
        names: &mut Names,
    ) -> Result<u64, HistoryError> {
        let path = self.path.clone();
        self.put_all(batch, names).map_err(|error| HistoryError::of(&path, &error))
    }

    fn put_all(&mut self, batch: &Batch<'_>, names: &mut Names) -> rusqlite::Result<u64> {
        let transaction = self.connection.transaction()?;
        let left_out = events(&transaction, &batch.events, names)?;
        for facts in &batch.facts {
            put_facts(&transaction, facts)?;
        }
        trends(&transaction, &batch.trends, names)?;
        if let Some(last) = batch.events.iter().map(|event| event.seq).max() {
            let put = "INSERT INTO meta VALUES('reserved', ?1) \
                       ON CONFLICT(key) DO UPDATE SET value = max(value, ?1)";
            transaction.execute(put, [signed(last.saturating_add(RESERVE))])?;
        }
        if batch.fills {
            transaction.execute("DELETE FROM meta WHERE key = ?1", [UNFILLED])?;
        }
        transaction.commit()?;
        Ok(left_out)
    }
}

fn events(
    connection: &Connection,
    events: &[&HistoryEvent],
    names: &mut Names,
) -> rusqlite::Result<u64> {
    if events.is_empty() {
        return Ok(0);
    }
    let mut left_out = 0;
    let mut same = connection
        .prepare("SELECT 1 FROM events WHERE seq = ?1 AND topic = ?2 AND at = ?3 AND run = ?4")?;
    let mut put = connection
        .prepare("INSERT OR IGNORE INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    let mut topic = Naming::topics(connection)?;
    let mut run = Naming::runs(connection)?;
    let mut spans: HashMap<u64, (i64, i64)> = HashMap::new();
    for event in events {
        let HistoryEvent { origin, kind, path, .. } = event;
        let named = (path.clone(), kind.clone(), origin.clone());
        let topic = match names.topics.get(&named) {
            Some(number) => *number,
            None => {
                let number = topic.number(params![path, kind, origin])?;
                names.topics.insert(named, number);
                number
            }
        };
        let run = match names.runs.get(&*event.run) {
            Some(number) => *number,
            None => {
                let number = run.number(params![&*event.run])?;
                names.runs.insert(event.run.to_string(), number);
                number
            }
        };
        let at = event.at.as_microsecond();
        let put_in = put.execute(params![
            signed(event.seq),
            topic,
            at,
            signed(event.mono_us),
            run,
            event.subject,
            event.tone,
            event.message,
            event.took_ms,
            event.payload.as_ref().map(Value::to_string),
        ])?;
        // Handed over twice is no loss.
        if put_in == 0 && !same.exists(params![signed(event.seq), topic, at, run])? {
            left_out += 1;
        }
        let span = spans.entry(event.seq / SPAN).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    let mut widen = connection.prepare(
        "INSERT INTO spans VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE SET \
         least = min(least, ?2), greatest = max(greatest, ?3)",
    )?;
    for (id, (least, greatest)) in spans {
        widen.execute(params![signed(id), least, greatest])?;
    }
    Ok(left_out)
}

fn put_facts(connection: &Connection, facts: &RevisionFacts) -> rusqlite::Result<()> {
    let readings = serde_json::to_string(&facts.readings)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let at = facts.at.as_microsecond();
    let put = "INSERT OR IGNORE INTO facts VALUES(?1, ?2, ?3, ?4)";
    if connection.execute(put, params![facts.revision, at, facts.effect, readings])? == 0 {
        return Ok(());
    }
    for picture in &facts.pictures {
        connection.execute(
            "INSERT OR IGNORE INTO pictures VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                facts.revision,
                picture.source,
                picture.at.as_microsecond(),
                picture.width,
                picture.height,
                picture.png,
            ],
        )?;
    }
    Ok(())
}

fn trends(
    connection: &Connection,
    points: &[&TrendPoint],
    names: &mut Names,
) -> rusqlite::Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    let mut put = connection.prepare("INSERT OR IGNORE INTO trends VALUES(?1, ?2, ?3)")?;
    let mut series = Naming::series(connection)?;
    for point in points {
        let named = (point.instrument.clone(), point.parameter.clone());
        let series = match names.series.get(&named) {
            Some(number) => *number,
            None => {
                let number = series.number(params![point.instrument, point.parameter])?;
                names.series.insert(named, number);
                number
            }
        };
        let at = point.at.as_microsecond();
        match &point.value {
            Value::Number(number) => put.execute(params![series, at, number.as_f64()])?,
            // As JSON, so that a text cannot be taken for a truth value.
            other => put.execute(params![series, at, other.to_string()])?,
        };
    }
    Ok(())
}

/// Finds the number of a name, or gives it one.
struct Naming<'a> {
    put: Statement<'a>,
    find: Statement<'a>,
}

impl<'a> Naming<'a> {
    fn topics(connection: &'a Connection) -> rusqlite::Result<Self> {
        Self::new(
            connection,
            "INSERT OR IGNORE INTO topics(path, kind, origin) VALUES(?1, ?2, ?3)",
            "SELECT id FROM topics WHERE path = ?1 AND kind = ?2 AND origin = ?3",
        )
    }

    fn runs(connection: &'a Connection) -> rusqlite::Result<Self> {
        Self::new(
            connection,
            "INSERT OR IGNORE INTO runs(name) VALUES(?1)",
            "SELECT id FROM runs WHERE name = ?1",
        )
    }

    fn series(connection: &'a Connection) -> rusqlite::Result<Self> {
        Self::new(
            connection,
            "INSERT OR IGNORE INTO series(instrument, parameter) VALUES(?1, ?2)",
            "SELECT id FROM series WHERE instrument = ?1 AND parameter = ?2",
        )
    }

    fn new(connection: &'a Connection, put: &str, find: &str) -> rusqlite::Result<Self> {
        Ok(Self { put: connection.prepare(put)?, find: connection.prepare(find)? })
    }

    fn number(&mut self, name: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<i64> {
        self.put.execute(name)?;
        self.find.query_row(name, |row| row.get(0))
    }
}
