//! `setpoint drivers`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use setpoint_instruments::{
    driver::{Driver, Kind, ParamFacts},
    library::Library,
};

use crate::cli::{Failure, Output};

/// Which instrument types there are, and whether driver files are whole
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint drivers list\n  \
              setpoint drivers check drivers/my_supply.toml")]
pub struct Drivers {
    #[command(subcommand)]
    action: Option<Action>,
    /// The bench file whose folder `drivers` is looked at too.
    #[arg(long, global = true, value_name = "FILE")]
    bench: Option<PathBuf>,
    /// For people or for programs.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    format: crate::cli::out::Format,
    /// Print nothing but errors.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The instrument types that can be used: bundled ones and those beside the bench file
    List,
    /// Reads driver files and tries the examples in them
    Check {
        /// Driver files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

pub fn run(command: &Drivers) -> Result<(), Failure> {
    let output = Output { format: command.format, quiet: command.quiet };
    match &command.action {
        None | Some(Action::List) => list(command.bench.as_deref(), output),
        Some(Action::Check { files }) => check(files, output),
    }
}

fn list(bench: Option<&Path>, output: Output) -> Result<(), Failure> {
    let bench = bench.unwrap_or(Path::new("bench.toml"));
    let folder = bench.parent().unwrap_or(Path::new("")).join("drivers");
    let library = Library::load(&[folder]);
    for problem in library.problems() {
        crate::cli::out::note(&problem.to_string());
    }
    if output.is_json() {
        return output.json(&library.drivers().map(|one| shape(one)).collect::<Vec<_>>());
    }
    for driver in library.drivers() {
        let parameters = driver.facts().len();
        output.line(format!("{:<20} {} · {parameters} parameters", driver.id, driver.name));
    }
    Ok(())
}

fn shape(driver: &Driver) -> Value {
    json!({
        "type": driver.id,
        "name": driver.name,
        "models": driver.models,
        "verified": driver.verified,
        "parameters": driver.facts().iter().map(parameter).collect::<Vec<_>>(),
    })
}

fn parameter(facts: &ParamFacts) -> Value {
    let kind = match facts.kind {
        Kind::Float => "float",
        Kind::Int => "int",
        Kind::Bool => "bool",
        Kind::Enum => "enum",
        Kind::String => "string",
    };
    json!({
        "name": facts.name,
        "kind": kind,
        "unit": facts.unit,
        "range": facts.range.map(|(least, greatest)| [least, greatest]),
        "choices": facts.choices,
        "settable": facts.settable,
        "hazard": facts.hazard,
    })
}

fn check(files: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    for file in files {
        let name = file.display();
        let text = setpoint_store::atomic::read(file)
            .map_err(|error| Failure::unusable(error.to_string()))?;
        match Driver::from_toml(&name.to_string(), &text.text) {
            Err(error) => {
                for problem in error.problems {
                    lines.push(problem.to_string());
                    wrong.push(json!({
                        "file": problem.file,
                        "line": problem.line,
                        "column": problem.column,
                        "message": problem.message,
                    }));
                }
            }
            Ok(driver) => {
                let failures = driver.verify_vectors();
                if failures.is_empty() {
                    let count = driver.vectors.len();
                    lines.push(format!("{name}: {} is whole, {count} examples hold", driver.id));
                }
                for failure in failures {
                    lines.push(failure.to_string());
                    wrong.push(json!({
                        "file": failure.file,
                        "vector": failure.index,
                        "param": failure.param,
                        "message": failure.message,
                    }));
                }
            }
        }
    }
    if output.is_json() {
        output.json(&json!({"ok": wrong.is_empty(), "problems": wrong}))?;
    } else {
        lines.into_iter().for_each(|line| output.line(line));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::wrong("")) }
}
