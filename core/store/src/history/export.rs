//! Events as JSON lines and as CSV, written as they are read.

use std::{
    io::{self, Write},
    ops::ControlFlow,
};

use super::{EventFilter, HistoryError, HistoryEvent, HistoryReader};

/// The columns of the CSV file.
const COLUMNS: [&str; 12] = [
    "seq", "at", "mono_us", "run", "origin", "kind", "subject", "tone", "path", "message",
    "took_ms", "payload",
];

/// Writes every event that fits as one JSON object a line. Answers how many there were.
///
/// # Errors
/// When the history cannot be read, or [`HistoryError::Output`].
pub fn write_json_lines(
    reader: &HistoryReader,
    filter: &EventFilter,
    mut out: impl Write,
) -> Result<usize, HistoryError> {
    streamed(reader, filter, |event| {
        serde_json::to_writer(&mut out, event).map_err(HistoryError::output)?;
        out.write_all(b"\n").map_err(HistoryError::output)
    })
}

/// Writes every event that fits as a row of CSV, below a row with the names of the columns; the
/// payload is JSON in one column. Answers how many there were.
///
/// # Errors
/// As [`write_json_lines`].
pub fn write_csv(
    reader: &HistoryReader,
    filter: &EventFilter,
    out: impl Write,
) -> Result<usize, HistoryError> {
    let mut table = EventTable::new(out);
    let written =
        streamed(reader, filter, |event| table.write(event).map_err(HistoryError::output))?;
    table.end().map_err(HistoryError::output)?;
    Ok(written)
}

/// Events as rows of CSV, below a row with the names of the columns.
pub struct EventTable<W: Write> {
    rows: csv::Writer<W>,
    begun: bool,
}

impl<W: Write> EventTable<W> {
    /// A table with nothing in it.
    pub fn new(out: W) -> Self {
        Self { rows: csv::Writer::from_writer(out), begun: false }
    }

    /// Adds an event; when this returns, it was handed to `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&mut self, event: &HistoryEvent) -> io::Result<()> {
        self.begin()?;
        self.rows.write_record(row(event)).map_err(io_error)?;
        self.rows.flush()
    }

    /// Writes the names of the columns if there was no event.
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
        self.rows.write_record(COLUMNS).map_err(io_error)
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The fields of an event in the order of the columns.
fn row(event: &HistoryEvent) -> [String; 12] {
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

fn streamed(
    reader: &HistoryReader,
    filter: &EventFilter,
    mut write: impl FnMut(&HistoryEvent) -> Result<(), HistoryError>,
) -> Result<usize, HistoryError> {
    let mut failed = None;
    let told = reader.replay(filter, |event| match write(event) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(told), Err)
}
