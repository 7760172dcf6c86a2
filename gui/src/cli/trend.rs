//! `setpoint trend FILE INSTRUMENT.PARAMETER`

use std::{io, ops::ControlFlow, path::Path};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;
use setpoint_bench::{Catalogue as _, KeyPath};
use setpoint_store::history::{Table, TrendPoint};

use crate::cli::{
    BenchArg, Failure,
    client::{Client, query, segment},
    events,
    input::read_bench,
    out::{self, RowFormat, RowOutput},
    printable::line as shown,
    time::{self, time},
};

/// How far back it goes where nobody says.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// Readbacks fetched at a time.
const PAGE: usize = 5_000;

/// What a parameter read back over time, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint trend bench.toml psu.ch1.voltage\n  \
              setpoint trend bench.toml thermo.a.temperature --since 2d --format csv > a.csv\n\n\
              Of the last hour unless --since says otherwise. Kept for 30 days, when it changes, at\n\
              most once a second. A bench that nobody runs is read from .setpoint/history.sqlite.")]
pub struct Trend {
    #[command(flatten)]
    bench: BenchArg,
    /// Instrument and parameter: psu.ch1.voltage.
    #[arg(value_name = "INSTRUMENT.PARAMETER")]
    of: KeyPath,
    /// From this time on: 2026-11-21, 2026-11-21T10:42, with Z for UTC, or an age such as 2h.
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Up to this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// At most so many, the oldest.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    output: RowOutput,
}

/// What is asked for.
struct Wanted {
    instrument: String,
    parameter: String,
    from: Timestamp,
    until: Timestamp,
    left: usize,
    /// When the last one was that has been told.
    told: Option<Timestamp>,
}

pub fn run(command: &Trend) -> Result<(), Failure> {
    let mut wanted = wanted(command)?;
    let mut printer = Printer::new(command.output);
    let mut count = 0;
    let mut one = |point: &TrendPoint, unit: Option<&str>| {
        count += 1;
        printer.point(point, unit)
    };
    match Client::find(&command.bench.file)? {
        Some(client) => of_running(&client, &mut wanted, &mut one)?,
        None => events::kept(&command.bench.file, |reader| {
            let unit = unit(&command.bench.file, &wanted);
            while wanted.left > 0 {
                let Wanted { instrument, parameter, from, until, left, told } = &wanted;
                let limit = PAGE.min(*left) + usize::from(told.is_some());
                let mut points = reader.trend(instrument, parameter, *from, *until, limit)?;
                let all = points.len() < limit;
                points.retain(|point| told.is_none_or(|told| point.at > told));
                let gone =
                    points.iter().try_for_each(|point| one(point, unit.as_deref())).is_break();
                if gone || all || !wanted.go_on(&points) {
                    break;
                }
            }
            Ok(())
        })?,
    }
    printer.end();
    if count == 0 && command.output.format == RowFormat::Text && !command.output.quiet {
        let at = time::shown(wanted.from, &TimeZone::system());
        out::note(&format!(
            "nothing of {} is kept from {at} on; --since 30d looks further back",
            shown(&command.of.to_string())
        ));
    }
    Ok(())
}

fn wanted(command: &Trend) -> Result<Wanted, Failure> {
    let [instrument, parameter @ ..] = command.of.names() else {
        return Err(Failure::usage("a trend is of a parameter: psu.ch1.voltage"));
    };
    if parameter.is_empty() {
        return Err(Failure::usage(format!(
            "{instrument} is no parameter: name one of its parameters too, {instrument}.ch1.voltage"
        )));
    }
    let until = command.until.unwrap_or_else(Timestamp::now);
    let hour_before = || until.checked_sub(SPAN).unwrap_or(Timestamp::MIN);
    let from = command.since.unwrap_or_else(hour_before);
    if from > until {
        return Err(Failure::usage(format!("--since {from} is later than --until {until}")));
    }
    let (instrument, parameter) = (instrument.clone(), parameter.join("."));
    let left = command.limit.unwrap_or(usize::MAX);
    Ok(Wanted { instrument, parameter, from, until, left, told: None })
}

impl Wanted {
    /// Goes on behind some readbacks; answers whether there can be more. A trend begins with what
    /// held at its beginning, which has been told then.
    fn go_on(&mut self, points: &[TrendPoint]) -> bool {
        let Some(last) = points.last() else { return false };
        self.left -= points.len();
        (self.from, self.told) = (last.at, Some(last.at));
        true
    }
}

/// The unit of a parameter of a bench that nobody runs, as its driver has it; `None` where the file
/// does not say which that is.
fn unit(bench: &Path, wanted: &Wanted) -> Option<String> {
    let bench = read_bench(bench, None).ok()?;
    let reading = bench.reading().bench.as_ref()?;
    let kind = &reading.instruments.get(&wanted.instrument)?.driver;
    let parameters = bench.drivers.parameters(kind)?;
    parameters.into_iter().find(|one| one.name == wanted.parameter)?.unit
}

fn of_running(
    client: &Client,
    wanted: &mut Wanted,
    one: &mut impl FnMut(&TrendPoint, Option<&str>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    while wanted.left > 0 {
        let limit = PAGE.min(wanted.left);
        let query = query([
            ("parameter", Some(wanted.parameter.clone())),
            ("from", Some(wanted.from.to_string())),
            ("until", Some(wanted.until.to_string())),
            ("limit", Some(limit.to_string())),
        ]);
        let address = format!("/v1/instruments/{}/trend{query}", segment(&wanted.instrument));
        let answer = client.get(&address)?;
        let points = points(wanted, &answer)?;
        let unit = answer["unit"].as_str();
        let gone = points.iter().try_for_each(|point| one(point, unit)).is_break();
        let next = answer["next"].as_str().and_then(|next| next.parse().ok());
        let Some(next) = next.filter(|_| !gone) else { break };
        wanted.left -= points.len();
        wanted.from = next;
    }
    Ok(())
}

fn points(wanted: &Wanted, answer: &Value) -> Result<Vec<TrendPoint>, Failure> {
    let wrong = || Failure::unusable("the answer is no list of readbacks");
    let point = |point: &Value| {
        let at = point["at"].as_str()?.parse().ok()?;
        let (instrument, parameter) = (wanted.instrument.clone(), wanted.parameter.clone());
        Some(TrendPoint { instrument, parameter, at, value: point.get("value")?.clone() })
    };
    let list = answer["points"].as_array().ok_or_else(wrong)?;
    list.iter().map(point).collect::<Option<_>>().ok_or_else(wrong)
}

/// Writes readbacks to stdout.
struct Printer {
    output: RowOutput,
    zone: TimeZone,
    table: Option<Table<TrendPoint, io::Stdout>>,
}

impl Printer {
    fn new(output: RowOutput) -> Self {
        let csv = output.format == RowFormat::Csv && !output.quiet;
        let table = csv.then(|| Table::new(io::stdout()));
        Self { output, zone: TimeZone::system(), table }
    }

    /// Prints one; breaks off when nobody reads any more.
    fn point(&mut self, point: &TrendPoint, unit: Option<&str>) -> ControlFlow<()> {
        if self.output.quiet {
            return ControlFlow::Continue(());
        }
        out::handed(match &mut self.table {
            Some(table) => table.write(point),
            None if self.output.format == RowFormat::Json => {
                // Plain data always serialises.
                out::row(&serde_json::to_string(point).unwrap_or_default())
            }
            None => out::row(&line(point, unit, &self.zone)),
        })
    }

    /// Writes the head of a table that has no rows.
    fn end(&mut self) {
        if let Some(table) = &mut self.table {
            out::written(table.end());
        }
    }
}

/// `2026-11-21 10:42:07.120  3.299 V`
fn line(point: &TrendPoint, unit: Option<&str>, zone: &TimeZone) -> String {
    let at = point.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let value = match &point.value {
        Value::String(text) => shown(text).into_owned(),
        value => value.to_string(),
    };
    let unit = unit.map(|unit| format!(" {}", shown(unit))).unwrap_or_default();
    format!("{at}  {value}{unit}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        trend: Trend,
    }

    fn parsed(arguments: &[&str]) -> Result<Wanted, Failure> {
        wanted(&Line::parse_from([&["trend", "b.toml"], arguments].concat()).trend)
    }

    #[test]
    fn a_parameter_is_named_with_its_instrument() {
        let wanted = parsed(&["psu.ch1.voltage", "--until", "2026-11-21T10:00:00Z"]).unwrap();
        assert_eq!((wanted.instrument.as_str(), &*wanted.parameter), ("psu", "ch1.voltage"));
        assert_eq!(wanted.from.to_string(), "2026-11-21T09:00:00Z");
        assert!(parsed(&["psu"]).is_err());
        assert!(parsed(&["a.b", "--from", "2026-11-21T10:00Z", "--until", "2026-11-20"]).is_err());
    }

    #[test]
    fn pages_follow_each_other_without_a_readback_twice() {
        let mut wanted = parsed(&["a.b", "--since", "2026-11-20", "--limit", "3"]).unwrap();
        let point = TrendPoint {
            instrument: "a".into(),
            parameter: "b".into(),
            at: "2026-11-21T10:00:00.000001Z".parse().unwrap(),
            value: 3.5.into(),
        };
        assert_eq!(line(&point, Some("V"), &TimeZone::UTC), "2026-11-21 10:00:00.000  3.5 V");
        assert!(wanted.go_on(std::slice::from_ref(&point)));
        assert_eq!((wanted.from, wanted.told, wanted.left), (point.at, Some(point.at), 2));
        assert!(!wanted.go_on(&[]));
    }
}
