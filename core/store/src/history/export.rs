//! Events and readbacks over time as CSV, row by row as they are read.

use std::io::{self, Write};

use serde_json::Value;

use super::{HistoryEvent, TrendPoint};

/// The columns of a table of events.
const EVENT: [&str; 12] = [
    "seq", "at", "mono_us", "run", "origin", "kind", "subject", "tone", "path", "message",
    "took_ms", "payload",
];

/// The columns of a table of readbacks.
const TREND: [&str; 4] = ["at", "instrument", "parameter", "value"];

/// Events as rows of CSV, below a row with the names of the columns; the payload is JSON in one
/// column.
pub struct EventTable<W: Write>(Table<W>);

impl<W: Write> EventTable<W> {
    /// A table with nothing in it.
    pub fn new(out: W) -> Self {
        Self(Table::new(out, &EVENT))
    }

    /// Adds an event; when this returns, it was handed to `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&mut self, event: &HistoryEvent) -> io::Result<()> {
        self.0.write(&event_row(event))
    }

    /// Writes the names of the columns if there was no event.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end(&mut self) -> io::Result<()> {
        self.0.end()
    }
}

/// Readbacks as rows of CSV, below a row with the names of the columns.
pub struct TrendTable<W: Write>(Table<W>);

impl<W: Write> TrendTable<W> {
    /// A table with nothing in it.
    pub fn new(out: W) -> Self {
        Self(Table::new(out, &TREND))
    }

    /// Adds a readback; when this returns, it was handed to `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&mut self, point: &TrendPoint) -> io::Result<()> {
        self.0.write(&trend_row(point))
    }

    /// Writes the names of the columns if there was no readback.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end(&mut self) -> io::Result<()> {
        self.0.end()
    }
}

struct Table<W: Write> {
    rows: csv::Writer<W>,
    columns: &'static [&'static str],
    begun: bool,
}

impl<W: Write> Table<W> {
    fn new(out: W, columns: &'static [&'static str]) -> Self {
        Self { rows: csv::Writer::from_writer(out), columns, begun: false }
    }

    fn write(&mut self, row: &[String]) -> io::Result<()> {
        self.begin()?;
        self.rows.write_record(row).map_err(io_error)?;
        self.rows.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        self.rows.flush()
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.rows.write_record(self.columns).map_err(io_error)
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The fields of an event in the order of the columns.
fn event_row(event: &HistoryEvent) -> [String; 12] {
    [
        event.seq.to_string(),
        event.at.to_string(),
        event.mono_us.to_string(),
        event.run.to_string(),
        event.origin.clone(),
        event.kind.clone(),
        event.subject.clone(),
        event.tone.clone(),
        event.path.clone(),
        event.message.clone(),
        event.took_ms.map(|took| took.to_string()).unwrap_or_default(),
        event.payload.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

/// The fields of a readback in the order of the columns; a text without quotes of its own.
fn trend_row(point: &TrendPoint) -> [String; 4] {
    let value = match &point.value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    [point.at.to_string(), point.instrument.clone(), point.parameter.clone(), value]
}
