//! `setpoint audit verify FILE`

use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use setpoint_store::{
    BenchFolder,
    audit::{AuditFault, Verified, verify},
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
              Exit status 1 if a record is not as it was written, or if nothing vouches for there \
              having been no more of them.")]
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
        Ok(log) => whole(&log, output),
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

/// All records are as they were written. Whether there were more is another question.
fn whole(log: &Verified, output: &Output) -> Result<(), Failure> {
    let Verified { records, open_end, gaps } = log;
    if output.is_json() {
        let mut said = json!({ "ok": open_end.is_none(), "records": records, "gaps": gaps });
        if let Some(why) = open_end {
            said["message"] = why.clone().into();
        }
        output.json(&said)?;
    } else {
        output.line(format!("{records} records, each as it was written"));
        for gap in gaps {
            output.line(format!(
                "Whether others were cut off before record {gap} cannot be told; it says why."
            ));
        }
    }
    match open_end {
        None => Ok(()),
        Some(_) if output.is_json() => Err(Failure::wrong(String::new())),
        Some(why) => Err(Failure::wrong(format!("the end of the audit log is open: {why}"))),
    }
}

/// The log, if all its records are as they were written.
fn verified(bench: &Path) -> Result<Verified, AuditFault> {
    let log = BenchFolder::of(bench).audit();
    let mut found = verify(&log);
    for _ in 1..TRIES {
        // A record that is being written looks like one that was cut off.
        let whole = found.as_ref().is_ok_and(|log| log.open_end.is_none());
        if whole || !matches!(Client::find(bench), Ok(Some(_))) {
            break;
        }
        found = verify(&log);
    }
    found
}
