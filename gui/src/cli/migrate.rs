//! `setpoint migrate FILE`

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde_json::json;
use setpoint_bench::{
    Migration,
    migrate::{Kind, Language},
};
use setpoint_runtime::Drivers;
use setpoint_store::{BenchFolder, ReadError, atomic};

use crate::cli::{
    Failure, Output,
    client::Client,
    excerpt,
    history::failed,
    input::{Bench, read_with_text},
    look::Look,
    out,
};

/// Brings an older or foreign bench file to today's format; TOML, YAML or JSON
///
/// Without --write the result is printed and no file is touched; what a person should look at goes
/// to stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint migrate cameras.toml > bench.toml\n  \
              setpoint migrate cameras.yaml --write      writes cameras.toml\n  \
              setpoint migrate bench.toml --write        keeps bench.toml.before-migration\n\n\
              Exit status: 0 done, 1 the file is none that can be migrated,\n\
              3 it cannot be read or written.")]
pub struct Migrate {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file, keeping it as FILE.before-migration; for YAML and JSON, write a .toml
    /// beside it.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Migrate) -> Result<(), Failure> {
    let Migrate { file, write, output } = command;
    let name = file.display().to_string();
    let text = match atomic::read(file) {
        Ok(read) => read.text,
        Err(error @ ReadError::NotUtf8 { .. }) => return Err(Failure::wrong(error.to_string())),
        Err(error) => return Err(Failure::unusable(error.to_string())),
    };
    let drivers = Drivers::beside(file);
    let migration = setpoint_bench::migrate(&name, &text, &drivers)
        .map_err(|error| Failure::wrong(error.to_string()))?;
    let target = target(file, migration.language);
    let written =
        if *write { Some(self::write(file, &text, &target, &migration.text)?) } else { None };
    let bench = read_with_text(&target, &migration.text);
    let findings = bench.findings();
    if output.is_json() {
        return output.json(&json!({
            "from": migration.from,
            "language": migration.language,
            "text": migration.text,
            "notes": migration.notes,
            "carried": migration.carried,
            "diagnostics": findings,
            "changed": migration.text != *text,
            "written": matches!(written, Some(Done::Written { .. })).then_some(&target),
        }));
    }
    if output.quiet {
        return Ok(());
    }
    match written {
        None => output.exactly(&migration.text),
        Some(done) => output.line(summary(&name, &target, &migration, &done)),
    }
    tell(&name, &migration, &bench);
    Ok(())
}

/// Where the migrated text belongs: the file itself, if it is a TOML file.
fn target(file: &Path, language: Language) -> PathBuf {
    let is_toml = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    if language == Language::Toml || is_toml {
        file.to_owned()
    } else {
        file.with_extension("toml")
    }
}

/// What writing came to.
#[derive(Debug, PartialEq)]
enum Done {
    /// The file held that text already.
    Already,
    /// It holds it now; where what it held before is kept.
    Written { kept: Option<PathBuf> },
}

fn write(file: &Path, text: &str, target: &Path, migrated: &str) -> Result<Done, Failure> {
    let replaces = file == target;
    if replaces && text == migrated {
        return Ok(Done::Already);
    }
    if Client::find(target)?.is_some() {
        return Err(Failure::unusable(format!(
            "{} is run by a Setpoint; stop it first, or migrate a copy of the file",
            target.display()
        )));
    }
    // Nobody begins to run it meanwhile.
    let _lock = match BenchFolder::exists(target) {
        true => Some(BenchFolder::of(target).lock().map_err(failed)?),
        false => None,
    };
    if !replaces {
        match atomic::read(target) {
            Ok(other) if *other.text == *migrated => return Ok(Done::Already),
            Err(error) if error.is_missing() => {}
            _ => {
                return Err(Failure::unusable(format!(
                    "{} is there already and holds something else; move it away first",
                    target.display()
                )));
            }
        }
        atomic::replace(target, migrated.as_bytes()).map_err(failed)?;
        return Ok(Done::Written { kept: None });
    }
    let kept = keep(file, text)?;
    if let Err(error) = atomic::replace(file, migrated.as_bytes()) {
        // The file is as it was.
        let _ = fs::remove_file(&kept);
        return Err(failed(error));
    }
    Ok(Done::Written { kept: Some(kept) })
}

/// Keeps a file under another name. It is the same file, with owner and permissions; the one that
/// takes its place is another.
fn keep(file: &Path, text: &str) -> Result<PathBuf, Failure> {
    let mut name = OsString::from(file);
    name.push(".before-migration");
    let kept = PathBuf::from(name);
    let unusable = |error: std::io::Error| {
        Failure::unusable(format!("cannot keep the file as {}: {error}", kept.display()))
    };
    // A link to a symbolic link would lead to the migrated text.
    let original = fs::canonicalize(file).map_err(unusable)?;
    match fs::hard_link(&original, &kept) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists || kept.exists() => {
            if !atomic::read(&kept).is_ok_and(|read| *read.text == *text) {
                return Err(Failure::unusable(format!(
                    "{} is there already, from another time; move it away first",
                    kept.display()
                )));
            }
        }
        // Not every file system has links.
        Err(_) => drop(fs::copy(&original, &kept).map_err(unusable)?),
    }
    Ok(kept)
}

fn summary(name: &str, target: &Path, migration: &Migration, done: &Done) -> String {
    let target = target.display();
    match done {
        Done::Already if migration.from == Kind::Bench => {
            format!("{target} is in today's format already; nothing changed")
        }
        Done::Already => format!("{target} holds the migrated bench already; nothing changed"),
        Done::Written { kept: None } => {
            format!("{target} is written, from {} ({name})", migration.from)
        }
        Done::Written { kept: Some(kept) } => format!(
            "{target} is a bench of today's format now; as {} it is kept in {}",
            migration.from,
            kept.display()
        ),
    }
}

/// What a person should look at, and what a check says of the result; both on stderr.
fn tell(name: &str, migration: &Migration, bench: &Bench) {
    let findings = bench.findings();
    for note in &migration.notes {
        out::note(&format!("{name}:{}:{}: {}", note.line, note.column, note.told()));
    }
    if !findings.is_empty() {
        out::note(&format!("\nsetpoint check says of the result, {}:", excerpt::summary(findings)));
        let mut sources = bench.sources();
        for shown in excerpt::report(findings, &mut sources, Look::stderr(), false) {
            out::note(&shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const FOREIGN: &str = "[instruments.psu]\nname = \"Bias\"\ntype = \"rigol_dp832\"\nport = \
                           \"192.0.2.1:5555\"\n";
    const BENCH: &str = "format = 1\n\n[instruments.psu]\nlabel = \"Bias\"\ntype = \
                         \"rigol_dp832\"\naddress = \"tcp://192.0.2.1:5555\"\n";

    fn migrate(file: &Path) -> Result<(), Failure> {
        let output = Output { quiet: true, ..Output::default() };
        run(&Migrate { file: file.to_owned(), write: true, output })
    }

    fn read(file: impl AsRef<Path>) -> String {
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn a_toml_file_is_replaced_and_kept_and_the_second_time_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bench.toml");
        let kept = dir.path().join("bench.toml.before-migration");
        fs::write(&file, FOREIGN).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        migrate(&file).unwrap();
        assert_eq!((read(&file).as_str(), read(&kept).as_str()), (BENCH, FOREIGN));
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
        migrate(&file).unwrap();
        assert_eq!((read(&file).as_str(), read(&kept).as_str()), (BENCH, FOREIGN));

        // Another one is not written over.
        fs::write(&file, FOREIGN.replace("Bias", "Other")).unwrap();
        let refused = migrate(&file).unwrap_err();
        assert!(refused.message().contains("move it away"), "{}", refused.message());
        assert_eq!(read(&kept), FOREIGN);
        assert!(read(&file).contains("Other"));
    }

    #[test]
    fn what_a_link_leads_to_is_kept_and_the_link_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("real.toml"), dir.path().join("bench.toml"));
        fs::write(&file, FOREIGN).unwrap();
        symlink(&file, &link).unwrap();
        migrate(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file), BENCH);
        assert_eq!(read(dir.path().join("bench.toml.before-migration")), FOREIGN);
    }

    #[test]
    fn yaml_is_written_beside_and_over_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lab.yaml");
        let target = dir.path().join("lab.toml");
        let yaml = "instruments:\n  psu:\n    name: Bias\n    type: rigol_dp832\n    port: \
                    192.0.2.1:5555\n";
        fs::write(&file, yaml).unwrap();
        migrate(&file).unwrap();
        assert_eq!((read(&file).as_str(), read(&target).as_str()), (yaml, BENCH));
        migrate(&file).unwrap();
        fs::write(&target, "format = 1\n").unwrap();
        let refused = migrate(&file).unwrap_err();
        assert!(refused.message().contains("holds something else"), "{}", refused.message());
        assert_eq!(read(&target), "format = 1\n");
    }

    #[test]
    fn a_bench_that_is_held_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bench.toml");
        fs::write(&file, FOREIGN).unwrap();
        let folder = BenchFolder::open(&file).unwrap();
        let _lock = folder.lock().unwrap();
        assert!(migrate(&file).is_err());
        assert_eq!(read(&file), FOREIGN);
        assert!(!dir.path().join("bench.toml.before-migration").exists());
    }
}
