//! `setpoint events FILE`

use std::{
    io::{self, BufRead, ErrorKind, Write},
    ops::ControlFlow,
    path::Path,
};

use jiff::{Timestamp, tz::TimeZone};
use setpoint_store::{
    BenchFolder, HistoryReader,
    history::{EventFilter, EventTable, HistoryError, HistoryEvent, Order},
};

use crate::cli::{BenchArg, Failure, client::Client, out, printable::line as shown};

/// Events printed when neither a number nor a length is given.
const NEWEST: usize = 200;
/// Most events that a running bench gives in one answer.
const PAGE: usize = 10_000;

/// How events are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// A table for spreadsheets, the details as JSON in its last column.
    Csv,
}

/// What happened on a bench, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint events bench.toml --path instruments.psu\n  \
              setpoint events bench.toml --kind commit_applied --from 2026-11-01T00:00:00Z\n  \
              setpoint events bench.toml --since 0 --format csv > events.csv\n  \
              setpoint events bench.toml --follow --format json\n\n\
              Without --since, the newest 200 or --limit. A bench that nobody runs is read from\n\
              .setpoint/history.sqlite.")]
pub struct Events {
    #[command(flatten)]
    bench: BenchArg,
    /// Only events after this number.
    #[arg(long, value_name = "SEQ")]
    since: Option<u64>,
    /// Only events about this key and what lies below it.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Only events of this kind: `commit_applied`, `instrument_offline`.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only events from this origin: `panel`, `file`, `api`, `rollback`, `bench`.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Only events at this time or later: `2026-11-21T10:00:00Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only events at this time or earlier.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on with what happens, until it is interrupted or the bench is closed.
    #[arg(long, conflicts_with = "limit")]
    follow: bool,
    /// For people, for programs or for spreadsheets.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(command: &Events) -> Result<(), Failure> {
    let bench = &command.bench.file;
    let mut printer = Printer::new(command);
    let client = if command.follow { Some(Client::require(bench)?) } else { Client::find(bench)? };
    match client {
        Some(client) if command.follow => follow(&client, command, &mut printer),
        Some(client) => of_running(&client, command, &mut printer),
        None => kept(bench, command, &mut printer),
    }?;
    printer.end();
    Ok(())
}

impl Events {
    fn filter(&self) -> EventFilter {
        EventFilter {
            after: self.since,
            path: self.path.clone(),
            kind: self.kind.clone(),
            origin: self.origin.clone(),
            from: self.from,
            until: self.until,
            limit: self.limit.unwrap_or(usize::MAX),
            ..EventFilter::default()
        }
    }

    /// The address that asks for events after a number.
    fn address(&self, since: Option<u64>, limit: Option<usize>) -> String {
        let text = |key, value: &Option<String>| value.as_ref().map(|value| (key, value.clone()));
        let given = [
            since.map(|since| ("since", since.to_string())),
            limit.map(|limit| ("limit", limit.to_string())),
            text("path", &self.path),
            text("kind", &self.kind),
            text("origin", &self.origin),
            self.from.map(|from| ("from", from.to_string())),
            self.until.map(|until| ("until", until.to_string())),
        ];
        let words: Vec<String> = given
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", encoded(&value)))
            .collect();
        format!("/v1/events?{}", words.join("&"))
    }
}

/// Text as part of an address.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What happens from now on, after what was asked for of the past.
fn follow(client: &Client, command: &Events, printer: &mut Printer) -> Result<(), Failure> {
    let stream = client.stream(&command.address(command.since, None))?;
    for line in stream.lines() {
        let Ok(line) = line else { break };
        let Some(data) = line.strip_prefix("data:") else { continue };
        let Ok(event) = serde_json::from_str::<HistoryEvent>(data.trim()) else { continue };
        if printer.event(&event).is_break() {
            return Ok(());
        }
    }
    if !command.quiet {
        out::note("the bench was closed");
    }
    Ok(())
}

/// The events of a bench that runs.
fn of_running(client: &Client, command: &Events, printer: &mut Printer) -> Result<(), Failure> {
    let Some(mut since) = command.since else {
        let limit = command.limit.unwrap_or(NEWEST);
        if limit > PAGE {
            return Err(Failure::usage(format!(
                "--limit may be {PAGE} while the bench runs; --since 0 gives all events"
            )));
        }
        let events = page(client, &command.address(None, Some(limit)))?;
        // A reader that has gone needs no more.
        let _ = events.iter().try_for_each(|event| printer.event(event));
        return Ok(());
    };
    let mut left = command.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let limit = left.min(PAGE);
        let events = page(client, &command.address(Some(since), Some(limit)))?;
        if events.iter().try_for_each(|event| printer.event(event)).is_break() {
            return Ok(());
        }
        let Some(last) = events.last().filter(|_| events.len() == limit) else { break };
        since = last.seq;
        left -= events.len();
    }
    Ok(())
}

fn page(client: &Client, address: &str) -> Result<Vec<HistoryEvent>, Failure> {
    serde_json::from_value(client.get(address)?)
        .map_err(|error| Failure::unusable(format!("the answer is no list of events: {error}")))
}

/// The events of a bench that nobody runs.
fn kept(bench: &Path, command: &Events, printer: &mut Printer) -> Result<(), Failure> {
    let reader = HistoryReader::of(&BenchFolder::of(bench));
    match from_database(&reader, command, printer) {
        Err(HistoryError::Missing { .. }) => {
            // No history is an answer; a bench that is not there is none.
            setpoint_store::atomic::read(bench).map_err(|e| Failure::unusable(e.to_string()))?;
            Ok(())
        }
        Err(error) if error.is_damage() => Err(Failure::unusable(format!(
            "{error}. Opening the bench moves it aside and makes it anew from the audit log"
        ))),
        Err(error) => Err(Failure::unusable(error.to_string())),
        Ok(()) => Ok(()),
    }
}

fn from_database(
    reader: &HistoryReader,
    command: &Events,
    printer: &mut Printer,
) -> Result<(), HistoryError> {
    let mut filter = command.filter();
    if command.since.is_none() {
        // Where the newest ones begin; then forwards, so that none has to be kept in memory.
        filter.limit = command.limit.unwrap_or(NEWEST);
        let mut first = None;
        let backwards = EventFilter { order: Order::NewestFirst, ..filter.clone() };
        reader.replay(&backwards, |event| {
            first = Some(event.seq);
            ControlFlow::Continue(())
        })?;
        let Some(first) = first else { return Ok(()) };
        filter.after = Some(first.saturating_sub(1));
    }
    reader.replay(&filter, |event| printer.event(event))?;
    Ok(())
}

/// Writes events to stdout.
struct Printer {
    quiet: bool,
    zone: TimeZone,
    table: Option<EventTable<io::Stdout>>,
    json: bool,
}

impl Printer {
    fn new(command: &Events) -> Self {
        let csv = command.format == Format::Csv && !command.quiet;
        Self {
            quiet: command.quiet,
            zone: TimeZone::system(),
            table: csv.then(|| EventTable::new(io::stdout())),
            json: command.format == Format::Json,
        }
    }

    /// Prints one; breaks off when nobody reads any more.
    fn event(&mut self, event: &HistoryEvent) -> ControlFlow<()> {
        if self.quiet {
            return ControlFlow::Continue(());
        }
        let written = match &mut self.table {
            Some(table) => table.write(event),
            None => {
                let line = if self.json {
                    // Plain data always serialises.
                    serde_json::to_string(event).unwrap_or_default()
                } else {
                    line(event, &self.zone)
                };
                let mut out = io::stdout().lock();
                writeln!(out, "{line}").and_then(|()| out.flush())
            }
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                let gone = error.kind() == ErrorKind::BrokenPipe;
                out::written(Err(error));
                tracing::debug!(gone, "stdout");
                ControlFlow::Break(())
            }
        }
    }

    /// Writes the head of a table that has no rows.
    fn end(&mut self) {
        if let Some(table) = &mut self.table {
            out::written(table.end());
        }
    }
}

/// `41  2026-11-21 10:42:07  panel     commit_applied          Commit r4 by ada: …`
fn line(event: &HistoryEvent, zone: &TimeZone) -> String {
    let at = event.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let (origin, kind) = (shown(&event.origin), shown(&event.kind));
    let message = shown(&event.message);
    format!("{:<6} {at}  {origin:<9} {kind:<22} {message}", event.seq)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        events: Events,
    }

    fn parsed(arguments: &[&str]) -> Events {
        Line::parse_from([&["events", "b.toml"], arguments].concat()).events
    }

    #[test]
    fn what_is_asked_for_is_in_the_address() {
        let events = parsed(&["--path", "instruments.\"a b\"", "--from", "2026-11-21T10:00:00Z"]);
        assert_eq!(
            events.address(Some(4), Some(9)),
            "/v1/events?since=4&limit=9&path=instruments.%22a%20b%22&from=2026-11-21T10%3A00%3A00Z"
        );
    }

    #[test]
    fn an_event_is_one_line() {
        let event = HistoryEvent {
            seq: 7,
            at: "2026-11-21T10:42:07Z".parse().unwrap(),
            mono_us: 1,
            run: "r".into(),
            origin: "panel".into(),
            kind: "commit_applied".into(),
            subject: "configuration".into(),
            tone: "good".into(),
            path: String::new(),
            message: "Commit r4\nby ada".into(),
            took_ms: None,
            payload: None,
        };
        assert_eq!(
            line(&event, &TimeZone::UTC),
            "7      2026-11-21 10:42:07  panel     commit_applied         Commit r4\\nby ada"
        );
    }

    #[test]
    fn a_bench_that_nobody_runs_is_read_from_its_database() {
        let dir = tempfile::tempdir().unwrap();
        let bench = dir.path().join("bench.toml");
        let mut printer = Printer::new(&parsed(&["--quiet"]));
        assert!(kept(&bench, &parsed(&[]), &mut printer).is_err(), "there is no bench");
        std::fs::write(&bench, "format = 1\n").unwrap();
        assert!(kept(&bench, &parsed(&[]), &mut printer).is_ok(), "no history is an answer");
    }
}
