//! `setpoint sync FILE`

use serde_json::json;

use crate::cli::{
    BenchArg, Failure, Output,
    client::{Client, Method},
    reload,
    status::{self, file_name},
};

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
    let client = Client::require(&command.bench.file)?;
    client.send(Method::Post, "/v1/sync", &json!({}))?;
    let status = client.get("/v1/status")?;
    if command.output.is_json() {
        return command.output.json(&reload::answer(json!({}), &status));
    }
    let (id, file) = (status::text(&status, "/revision/id"), file_name(&status));
    command.output.line(format!("{file} holds {id}, which runs"));
    reload::print_rest(command.output, &status);
    Ok(())
}
