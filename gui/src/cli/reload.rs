//! `setpoint reload FILE`, `setpoint pause FILE`, `setpoint resume FILE`

use serde_json::{Value, json};

use crate::cli::{
    BenchArg, Failure, Output,
    client::{Client, Method},
    set,
    status::{self, file_name},
};

/// Reads the bench file now and puts it into effect, watched or not
///
/// Applies the file where the panel asks "apply or keep?", where it waits for a reload, and where
/// reloads are suspended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint reload bench.toml\n\n\
              Needs the panel or server of the bench to run. Exit status 1 if the file does not\n\
              check or a device refused; the bench runs on as it was.")]
pub struct Reload {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

/// Stops following the bench file: saves wait until resume or reload
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint pause bench.toml\n\n\
              Needs the panel or server of the bench to run.")]
pub struct Pause {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

/// Follows the bench file again, beginning with what it holds now
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint resume bench.toml\n\n\
              Needs the panel or server of the bench to run.")]
pub struct Resume {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

pub fn reload(command: &Reload) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let done = client.send(Method::Post, "/v1/reload", &json!({}))?;
    let status = client.get("/v1/status")?;
    if command.output.is_json() {
        return command.output.json(&answer(done, &status));
    }
    command.output.line(if done.get("revision").is_some() {
        set::summary(&done)
    } else {
        let (file, id) = (file_name(&status), status::text(&status, "/revision/id"));
        format!("{file} is what runs already, {id}")
    });
    print_rest(command.output, &status);
    Ok(())
}

pub fn pause(command: &Pause) -> Result<(), Failure> {
    ask(&command.bench, command.output, "/v1/reload/pause", |file, _| {
        format!("{file} is not followed until “setpoint resume” or “setpoint reload”")
    })
}

pub fn resume(command: &Resume) -> Result<(), Failure> {
    let told = |file: &str, _: &str| format!("{file} is followed again");
    ask(&command.bench, command.output, "/v1/reload/resume", told)
}

/// Makes a call that answers nothing; tells of the bench file and the id of what runs then.
pub fn ask(
    bench: &BenchArg,
    output: Output,
    call: &str,
    told: impl FnOnce(&str, &str) -> String,
) -> Result<(), Failure> {
    let client = Client::require(&bench.file)?;
    client.send(Method::Post, call, &json!({}))?;
    let status = client.get("/v1/status")?;
    if output.is_json() {
        return output.json(&answer(json!({}), &status));
    }
    output.line(told(&file_name(&status), status::text(&status, "/revision/id")));
    print_rest(output, &status);
    Ok(())
}

/// What came of it, with the revision that runs and how the file stands to it.
fn answer(mut done: Value, status: &Value) -> Value {
    if done.get("revision").is_none() {
        done["revision"] = status["revision"].clone();
    }
    done["reload"] = status["reload"].clone();
    done
}

/// What still wants a look.
fn print_rest(output: Output, status: &Value) {
    for line in status::standing(status) {
        output.line(line);
    }
}
