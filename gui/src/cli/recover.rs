//! `setpoint recover FILE --finish|--go-back`

use serde_json::{Value, json};

use crate::cli::{
    BenchArg, Failure, Output,
    client::{Client, Method},
    set, status,
};

/// Finishes the change in the middle of which Setpoint ended, or goes back to what ran before it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint recover bench.toml --finish\n  \
              setpoint recover bench.toml --go-back\n\n\
              With neither it shows how far the change came. Needs the panel or server of the\n\
              bench to run. Hazardous values of devices that differ are only ever switched off.")]
pub struct Recover {
    #[command(flatten)]
    bench: BenchArg,
    /// Put the intended change into effect, file and devices.
    #[arg(long, conflicts_with = "go_back")]
    finish: bool,
    /// Put file and devices back to what they were before.
    #[arg(long)]
    go_back: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Recover) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let output = command.output;
    let path = match (command.finish, command.go_back) {
        (true, _) => "/v1/unfinished/finish",
        (_, true) => "/v1/unfinished/go-back",
        _ => {
            let status = client.get("/v1/status")?;
            let unfinished = status.get("unfinished").unwrap_or(&Value::Null);
            if output.is_json() {
                return output.json(unfinished);
            }
            let mut lines = status::unfinished(unfinished);
            if lines.is_empty() {
                lines.push("no change is unfinished".to_owned());
            }
            lines.iter().for_each(|line| output.line(line));
            return Ok(());
        }
    };
    let answer = client.send(Method::Post, path, &json!({}))?;
    set::tell_change(&client, &command.bench.file, &answer, output)?;
    if output.is_json() {
        return Ok(());
    }
    let status = client.get("/v1/status")?;
    if let Some(attention) = status.get("attention").and_then(Value::as_str) {
        output.line(attention);
    }
    Ok(())
}
