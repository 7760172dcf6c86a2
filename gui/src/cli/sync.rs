//! `setpoint sync FILE`

use crate::cli::{BenchArg, Failure, Output, reload};

/// Writes what runs to the bench file again, over whatever the file holds
///
/// Keeps what runs where the panel asks "apply or keep?", after an edit that was refused, and writes
/// at once what could not be written before. A text that never ran is kept in .setpoint/versions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint sync bench.toml\n\n\
              Needs the panel or server of the bench to run. Exit status 1 if someone saved the\n\
              file since what runs could not be written: look at it, then say it again.")]
pub struct Sync {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Sync) -> Result<(), Failure> {
    let told = |file: &str, id: &str| format!("{file} holds {id}, which runs");
    reload::ask(&command.bench, command.output, "/v1/sync", told)
}
