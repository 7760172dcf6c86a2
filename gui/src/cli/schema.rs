//! `setpoint schema [FILE]`

use std::path::{Path, PathBuf};

use serde_json::Value;
use setpoint_bench::schema::json::{part_with, schema_with};
use setpoint_runtime::Drivers;

use crate::cli::{Failure, Output, out};

/// Prints the JSON Schema of bench files, with which editors complete and check them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint schema bench.toml > bench.schema.json\n\n\
              Editors with Taplo (VS Code: the extension Even Better TOML) use it if the first\n\
              line of bench.toml is\n  #:schema ./bench.schema.json\n\
              or, without a word in the file, by VS Code's settings.json:\n  \
              \"evenBetterToml.schema.associations\": {\n    \
              \"bench\\\\.toml$\": \"file:///home/me/lab/bench.schema.json\"\n  }\n\n\
              Run it again when drivers come or go. An editor knows less than `setpoint check`,\n\
              which has the last word.")]
pub struct Schema {
    /// The bench file whose folder `drivers` is looked at too; without it, that of this folder.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// For files that are included or laid over a bench file: nothing has to be in them.
    #[arg(long)]
    part: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Schema) -> Result<(), Failure> {
    let schema = schema(command)?;
    if command.output.is_json() {
        return command.output.json(&schema);
    }
    command.output.line(format!("{schema:#}"));
    Ok(())
}

fn schema(command: &Schema) -> Result<Value, Failure> {
    let bench = command.file.as_deref().unwrap_or(Path::new("bench.toml"));
    if command.file.is_some() && !bench.is_file() {
        return Err(Failure::unusable(format!("{}: there is no such file", bench.display())));
    }
    let drivers = Drivers::beside(bench);
    for problem in drivers.library().problems() {
        out::note(&problem.to_string());
    }
    Ok(if command.part { part_with(&drivers) } else { schema_with(&drivers) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "that is how a test fails")]
mod tests {
    use std::fs;

    use super::*;

    fn of(file: Option<PathBuf>, part: bool) -> Result<String, Failure> {
        let command = Schema { file, part, output: Output::default() };
        schema(&command).map(|schema| schema.to_string())
    }

    #[test]
    fn drivers_beside_the_bench_are_in_its_schema() {
        let folder = tempfile::tempdir().unwrap();
        let bench = folder.path().join("bench.toml");
        assert!(of(Some(bench.clone()), false).unwrap_err().message().contains("no such file"));
        fs::write(&bench, "format = 1\n").unwrap();
        let drivers = folder.path().join("drivers");
        fs::create_dir(&drivers).unwrap();
        let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/drivers/rigol_dp832.toml");
        let own = fs::read_to_string(bundled).unwrap();
        let own = own.replace("id = \"rigol_dp832\"", "id = \"our_supply\"");
        fs::write(drivers.join("our_supply.toml"), own).unwrap();
        let whole = of(Some(bench.clone()), false).unwrap();
        assert!(whole.contains("\"our_supply\"") && whole.contains("\"rigol_dp832\""));
        assert!(!of(None, false).unwrap().contains("our_supply"));
        let part = of(Some(bench), true).unwrap();
        assert!(part.contains("\"our_supply\"") && part.len() < whole.len());
    }
}
