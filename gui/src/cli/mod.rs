//! The command line: one file a command.
//!
//! Exit status: 0 done; 1 the bench is wrong, its findings are printed; 2 wrong usage; 3 a file,
//! port or running panel could not be reached or used.

mod audit;
mod check;
mod client;
mod diff;
mod drivers;
mod events;
mod excerpt;
mod explain;
mod get;
mod history;
mod input;
mod label;
mod lines;
mod look;
mod merge;
mod migrate;
mod open;
mod out;
mod plan;
mod printable;
mod recover;
mod reload;
mod revision;
mod rollback;
mod schema;
mod serve;
mod set;
mod snapshot;
mod sources;
mod status;
mod sync;
mod time;
mod transaction;
mod trend;

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use out::{Failure, Output};

/// Control panel for lab benches.
///
/// Keeps instruments and picture sources in step with one readable file.
#[derive(Debug, Parser)]
#[command(
    name = "setpoint",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  setpoint --demo             look around, nothing to plug in\n  \
                  setpoint bench.toml         open the panel on a bench\n  \
                  setpoint check bench.toml   is this file fit to run?\n\n\
                  Exit status: 0 done, 1 the bench is wrong, 2 wrong usage,\n\
                  3 a file, port or running panel could not be reached or used."
)]
struct Cli {
    #[command(flatten)]
    open: open::Open,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    Schema(schema::Schema),
    Diff(diff::Diff),
    Merge(merge::Merge),
    Plan(plan::Plan),
    Migrate(migrate::Migrate),
    Status(status::Status),
    Get(get::Get),
    Set(set::Set),
    Sync(sync::Sync),
    Reload(reload::Reload),
    Pause(reload::Pause),
    Resume(reload::Resume),
    Events(events::Events),
    Trend(trend::Trend),
    Transaction(transaction::Transaction),
    History(history::History),
    Snapshot(snapshot::Snapshot),
    Label(label::Label),
    Rollback(rollback::Rollback),
    Recover(recover::Recover),
    Audit(audit::Audit),
    Drivers(drivers::Drivers),
}

/// Reads the arguments, does what they ask and says how it went.
pub fn main() -> ExitCode {
    let (cli, json) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            // clap writes help to stdout and errors to stderr.
            let printed = error.print();
            if error.use_stderr() {
                return ExitCode::from(2);
            }
            out::written(printed);
            return out::end(0);
        }
    };
    let done = match cli.command {
        None => open::run(cli.open),
        Some(Command::Serve(command)) => serve::run(command),
        Some(Command::Check(command)) => check::run(&command),
        Some(Command::Schema(command)) => schema::run(&command),
        Some(Command::Diff(command)) => diff::run(&command),
        Some(Command::Merge(command)) => merge::run(&command),
        Some(Command::Plan(command)) => plan::run(&command),
        Some(Command::Migrate(command)) => migrate::run(&command),
        Some(Command::Status(command)) => status::run(&command),
        Some(Command::Get(command)) => get::run(&command),
        Some(Command::Set(command)) => set::run(&command),
        Some(Command::Sync(command)) => sync::run(&command),
        Some(Command::Reload(command)) => reload::reload(&command),
        Some(Command::Pause(command)) => reload::pause(&command),
        Some(Command::Resume(command)) => reload::resume(&command),
        Some(Command::Events(command)) => events::run(&command),
        Some(Command::Trend(command)) => trend::run(&command),
        Some(Command::Transaction(command)) => transaction::run(&command),
        Some(Command::History(command)) => history::run(&command),
        Some(Command::Snapshot(command)) => snapshot::run(&command),
        Some(Command::Label(command)) => label::run(&command),
        Some(Command::Rollback(command)) => rollback::run(&command),
        Some(Command::Recover(command)) => recover::run(&command),
        Some(Command::Audit(command)) => audit::run(&command),
        Some(Command::Drivers(command)) => drivers::run(&command),
    };
    match done {
        Ok(()) => out::end(0),
        Err(failure) => failure.report(json),
    }
}

/// The arguments, and whether the answer is for a program.
fn parse() -> Result<(Cli, bool), clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok((cli, wants_json(&matches)))
}

/// Whether `--format json` was given, to whichever command.
fn wants_json(matches: &ArgMatches) -> bool {
    matches!(matches.try_get_one("format"), Ok(Some(out::Format::Json)))
        || matches!(matches.try_get_one("format"), Ok(Some(out::RowFormat::Json)))
        || matches.subcommand().is_some_and(|(_, matches)| wants_json(matches))
}

/// The bench file that most commands take.
#[derive(Debug, clap::Args)]
struct BenchArg {
    /// The bench file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed_and_every_command_shows_an_example() {
        let mut command = super::Cli::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let help = sub.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{} has no example:\n{help}", sub.get_name());
        }
    }
}
