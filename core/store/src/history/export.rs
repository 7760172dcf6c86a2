//! Events and readbacks over time as CSV, row by row as they are read.

use std::{
    io::{self, Write},
    marker::PhantomData,
};

use serde_json::Value;

use super::{HistoryEvent, TrendPoint};

/// What can be a row of a table.
pub trait Row {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The fields in the order of the columns.
    fn fields(&self) -> Vec<String>;
}

impl Row for HistoryEvent {
    /// The payload is JSON in one column.
    const COLUMNS: &'static [&'static str] = &[
        "seq", "at", "mono_us", "run", "origin", "kind", "subject", "tone", "path", "message",
        "took_ms", "payload",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            self.at.to_string(),
            self.mono_us.to_string(),
            self.run.to_string(),
            self.origin.clone(),
            self.kind.clone(),
            self.subject.clone(),
            self.tone.clone(),
            self.path.clone(),
            self.message.clone(),
            self.took_ms.map(|took| took.to_string()).unwrap_or_default(),
            self.payload.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    }
}

impl Row for TrendPoint {
    const COLUMNS: &'static [&'static str] = &["at", "instrument", "parameter", "value"];

    /// A text without quotes of its own.
    fn fields(&self) -> Vec<String> {
        let value = match &self.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        vec![self.at.to_string(), self.instrument.clone(), self.parameter.clone(), value]
    }
}

/// Rows of CSV below a row with the names of the columns.
pub struct Table<R: Row, W: Write> {
    rows: csv::Writer<W>,
    begun: bool,
    of: PhantomData<fn(&R)>,
}

impl<R: Row, W: Write> Table<R, W> {
    /// A table with nothing in it.
    pub fn new(out: W) -> Self {
        Self { rows: csv::Writer::from_writer(out), begun: false, of: PhantomData }
    }

    /// Adds a row; when this returns, it was handed to `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&mut self, row: &R) -> io::Result<()> {
        self.begin()?;
        self.rows.write_record(row.fields()).map_err(io_error)?;
        self.rows.flush()
    }

    /// Writes the names of the columns if there was no row.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        self.rows.flush()
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.rows.write_record(R::COLUMNS).map_err(io_error)
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
