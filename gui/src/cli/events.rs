//! `setpoint events FILE`

use std::{
    io::{self, BufRead},
    ops::ControlFlow,
    path::Path,
};

use jiff::{Timestamp, tz::TimeZone};
use setpoint_store::{
    BenchFolder, HistoryReader,
    history::{EventFilter, HistoryError, HistoryEvent, Order, Table},
};

use crate::cli::{
    BenchArg, Failure,
    client::{Client, query},
    out::{self, RowFormat, RowOutput},
    printable::line as shown,
    time::{self, time},
};

mod replay;

/// Events printed when neither a number nor a length is given.
const NEWEST: usize = 200;
/// Most events that a running bench gives in one answer.
const PAGE: usize = 10_000;

/// What happened on a bench, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint events bench.toml --path instruments.psu\n  \
              setpoint events bench.toml --kind commit_applied --from 2026-11-01T00:00:00Z\n  \
              setpoint events bench.toml --since 0 --format csv > events.csv\n  \
              setpoint events bench.toml --follow --format json\n  \
              setpoint events bench.toml --replay --from 2h --until 1h --speed 10\n\n\
              Without --since or --replay, the newest 200 or --limit. A bench that nobody runs is read from\n\
              .setpoint/history.sqlite.")]
pub struct Events {
    #[command(flatten)]
    bench: BenchArg,
    /// Only events after this number.
    #[arg(long, value_name = "SEQ")]
    since: Option<u64>,
    /// Only events before this number.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// Only events about this key and what lies below it.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Only events of this kind: `commit_applied`, `instrument_offline`.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only events from this origin: `panel`, `file`, `api`, `rollback`, `bench`.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Only events at this time or later: 2026-11-21, 2026-11-21T10:42, with Z for UTC, or an age
    /// such as 2h.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Only events at this time or earlier.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on with what happens, until it is interrupted or the bench is closed.
    #[arg(long, conflicts_with = "limit")]
    follow: bool,
    /// Tell a range of the past as it would have been followed: all of it that fits, up to now or
    /// --until or --before.
    #[arg(long, conflicts_with_all = ["limit", "follow"])]
    replay: bool,
    /// Wait between the events of a replay as long as it took then, divided by this.
    #[arg(long, value_name = "FACTOR", requires = "replay", value_parser = replay::speed)]
    speed: Option<f64>,
    #[command(flatten)]
    output: RowOutput,
}

pub fn run(command: &Events) -> Result<(), Failure> {
    let bench = &command.bench.file;
    let mut printer = Printer::new(command.output);
    let client = if command.follow { Some(Client::require(bench)?) } else { Client::find(bench)? };
    match client {
        Some(client) if command.follow => follow(&client, command, &mut printer),
        Some(client) if command.replay => replay::of_running(&client, command, &mut printer),
        Some(client) => of_running(&client, command, &mut printer),
        None if command.replay => replay::kept(bench, command, &mut printer),
        None => kept(bench, |reader| from_database(reader, command, &mut printer)),
    }?;
    printer.end();
    Ok(())
}

impl Events {
    fn filter(&self) -> EventFilter {
        EventFilter {
            after: self.since,
            before: self.before,
            path: self.path.clone(),
            kind: self.kind.clone(),
            origin: self.origin.clone(),
            from: self.from,
            until: self.until,
            limit: self.limit.unwrap_or(usize::MAX),
            ..EventFilter::default()
        }
    }

    /// The address that asks for events between two numbers.
    fn address(&self, since: Option<u64>, before: Option<u64>, limit: Option<usize>) -> String {
        let query = query([
            ("since", since.map(|since| since.to_string())),
            ("before", before.map(|before| before.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
            ("path", self.path.clone()),
            ("kind", self.kind.clone()),
            ("origin", self.origin.clone()),
            ("from", self.from.map(|from| from.to_string())),
            ("until", self.until.map(|until| until.to_string())),
        ]);
        format!("/v1/events{query}")
    }
}

/// What happens from now on, after what was asked for of the past.
fn follow(client: &Client, command: &Events, printer: &mut Printer) -> Result<(), Failure> {
    let stream = client.stream(&command.address(command.since, command.before, None))?;
    if told(stream, |event| printer.event(event)) == Told::BrokeOff && !command.output.quiet {
        out::note("the bench was closed");
    }
    Ok(())
}

/// How a stream of events came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// All was told that was asked for.
    Whole,
    /// Whoever it was told to wants no more.
    Enough,
    /// It broke off.
    BrokeOff,
}

/// Hands on the events of a stream as they come.
fn told(stream: impl BufRead, mut to: impl FnMut(&HistoryEvent) -> ControlFlow<()>) -> Told {
    for line in stream.lines() {
        let Ok(line) = line else { break };
        if line.strip_prefix("event:").is_some_and(|name| name.trim() == "end") {
            return Told::Whole;
        }
        let Some(data) = line.strip_prefix("data:") else { continue };
        let Ok(event) = serde_json::from_str::<HistoryEvent>(data.trim()) else { continue };
        if to(&event).is_break() {
            return Told::Enough;
        }
    }
    Told::BrokeOff
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
        let events = page(client, &command.address(None, command.before, Some(limit)))?;
        // A reader that has gone needs no more.
        let _ = events.iter().try_for_each(|event| printer.event(event));
        return Ok(());
    };
    let mut left = command.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let limit = left.min(PAGE);
        let events = page(client, &command.address(Some(since), command.before, Some(limit)))?;
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

/// Asks the database of a bench that nobody runs; where there is none, nothing happened.
///
/// # Errors
/// [`Failure`] if there is no bench, or its database cannot be read.
pub fn kept(
    bench: &Path,
    ask: impl FnOnce(&HistoryReader) -> Result<(), HistoryError>,
) -> Result<(), Failure> {
    match ask(&HistoryReader::of(&BenchFolder::of(bench))) {
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
    table: Option<Table<HistoryEvent, io::Stdout>>,
    json: bool,
}

impl Printer {
    fn new(output: RowOutput) -> Self {
        let RowOutput { format, quiet } = output;
        let csv = format == RowFormat::Csv && !quiet;
        Self {
            quiet,
            zone: TimeZone::system(),
            table: csv.then(|| Table::new(io::stdout())),
            json: format == RowFormat::Json,
        }
    }

    /// Prints one; breaks off when nobody reads any more.
    fn event(&mut self, event: &HistoryEvent) -> ControlFlow<()> {
        if self.quiet {
            return ControlFlow::Continue(());
        }
        out::handed(match &mut self.table {
            Some(table) => table.write(event),
            // Plain data always serialises.
            None if self.json => out::row(&serde_json::to_string(event).unwrap_or_default()),
            None => out::row(&line(event, &self.zone)),
        })
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
    let at = time::shown(event.at, zone);
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
            events.address(Some(4), None, Some(9)),
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
        let mut printer = Printer::new(parsed(&["--quiet"]).output);
        let mut ask = || kept(&bench, |reader| from_database(reader, &parsed(&[]), &mut printer));
        assert!(ask().is_err(), "there is no bench");
        std::fs::write(&bench, "format = 1\n").unwrap();
        assert!(ask().is_ok(), "no history is an answer");
    }

    #[test]
    fn a_stream_that_broke_off_is_not_taken_for_its_end() {
        let event = r#"{"seq":1,"at":"2026-11-21T10:42:07Z","mono_us":1,"run":"r","origin":"api",
            "kind":"k","subject":"s","tone":"info","path":"","message":"m","took_ms":null,
            "payload":null}"#;
        let one = format!("id: 1\nevent: k\ndata: {}\n\n", event.replace('\n', " "));
        let end = "event: end\ndata: {\"told\":1}\n\n";
        for (text, expected) in
            [(format!(": alive\n\n{one}{end}{one}"), Told::Whole), (one.clone(), Told::BrokeOff)]
        {
            let mut seen = Vec::new();
            let ended = told(text.as_bytes(), |event| {
                seen.push(event.seq);
                ControlFlow::Continue(())
            });
            assert_eq!((ended, seen), (expected, vec![1]));
        }
        assert_eq!(told(one.as_bytes(), |_| ControlFlow::Break(())), Told::Enough);
    }
}
