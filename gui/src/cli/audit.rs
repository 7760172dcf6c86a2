//! `setpoint audit verify FILE`

use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use setpoint_store::{
    BenchFolder,
    audit::{AuditFault, verify},
};

use crate::cli::{BenchArg, Failure, Output, client::Client};

/// How often a log is looked at again that a running Setpoint writes to.
const TRIES: usize = 3;

/// The record of what was done: whether it is as it was written
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint audit verify bench.toml")]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Finds any record that was changed, removed, moved or cut off, and names the first
    #[command(after_help = "Example:\n  setpoint audit verify bench.toml --format json\n\n\
              Exit status 1 if a record is not as it was written.")]
    Verify {
        #[command(flatten)]
        bench: BenchArg,
        #[command(flatten)]
        output: Output,
    },
}

pub fn run(command: &Audit) -> Result<(), Failure> {
    let Action::Verify { bench, output } = &command.action;
    match verified(&bench.file) {
        Ok(records) if output.is_json() => output.json(&json!({ "ok": true, "records": records })),
        Ok(records) => {
            output.line(format!("{records} records, each as it was written"));
            Ok(())
        }
        Err(fault) if fault.record == 0 => Err(Failure::unusable(fault.what)),
        Err(fault) if output.is_json() => {
            let AuditFault { record, line, what } = &fault;
            output
                .json(&json!({ "ok": false, "record": record, "line": line, "message": what }))?;
            Err(Failure::wrong(String::new()))
        }
        Err(fault) => Err(Failure::wrong(fault.to_string())),
    }
}

/// How many records there are, if all are as they were written.
fn verified(bench: &Path) -> Result<u64, AuditFault> {
    let log = BenchFolder::of(bench).audit();
    let mut found = verify(&log);
    for _ in 1..TRIES {
        // A record that is being written looks like one that was cut off.
        if found.is_ok() || !matches!(Client::find(bench), Ok(Some(_))) {
            break;
        }
        found = verify(&log);
    }
    found
}
