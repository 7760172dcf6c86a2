//! `setpoint get FILE PATH`

use serde_json::{Value as Json, json};
use setpoint_bench::{KeyPath, Value};

use crate::cli::{BenchArg, Failure, Output, client::Client};

/// The value of one key of a running bench, and what the device reads where it is a setpoint
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint get bench.toml instruments.psu.set.ch1.voltage")]
pub struct Get {
    #[command(flatten)]
    bench: BenchArg,
    /// The key, dotted.
    #[arg(value_name = "PATH")]
    path: KeyPath,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Get) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let values = client.get("/v1/bench")?;
    let value =
        command.path.names().iter().try_fold(&values, |table, name| table.get(name)).ok_or_else(
            || Failure::usage(format!("{} is not in the running bench", command.path)),
        )?;
    if command.output.is_json() {
        let mut answer = json!({"path": command.path, "value": value});
        if let Some(read) = readback(&client, &command.path)? {
            for key in ["readback", "unit", "at", "age_ms", "quality", "in_tolerance"] {
                answer[key] = read.get(key).cloned().unwrap_or_default();
            }
        }
        return command.output.json(&answer);
    }
    let value: Value = serde_json::from_value(value.clone())
        .map_err(|error| Failure::unusable(format!("the answer is no value: {error}")))?;
    // A text on its own is more use to a script without quotes.
    command.output.line(match &value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    });
    Ok(())
}

/// The parameter that a setpoint belongs to, as the device has it.
fn readback(client: &Client, path: &KeyPath) -> Result<Option<Json>, Failure> {
    let Some((instrument, parameter)) = path.as_setpoint() else { return Ok(None) };
    let list = client.get("/v1/instruments")?;
    let by = |list: &Json, key: &str, name: &str| {
        list.as_array()?.iter().find(|one| one[key].as_str() == Some(name)).cloned()
    };
    Ok(by(&list, "id", instrument).and_then(|one| by(&one["parameters"], "name", &parameter)))
}
