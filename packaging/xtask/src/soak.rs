//! What takes longer than tests may: fuzzing, which looks for inputs that break what must hold for
//! any input; crashes and power cuts, which must not break a bench; saves by many at once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Failure,
    arguments::Soak,
    command::{output, shown, succeed},
    packages::Purpose,
    system::{cargo, prepare},
};

/// How long each target runs, in seconds, where nobody says.
pub(crate) const SECONDS: u32 = 600;

/// How often a committing program is killed, and how often the power of each disk is cut, where
/// nobody says.
pub(crate) const KILLS: u32 = 2_000;
pub(crate) const CUTS: u32 = 50;

/// How long many save one bench file, in seconds, where nobody says.
pub(crate) const SAVES_SECONDS: u32 = 60;

/// The folder of `fuzz` that holds one file for each target.
const TARGETS: &str = "fuzz_targets";

/// Runs one kind.
///
/// # Errors
/// If what it needs cannot be had, or something was found.
pub(crate) fn run(root: &Path, kind: &Soak) -> Result<(), Failure> {
    match kind {
        Soak::Fuzz { seconds } => fuzz_all(root, *seconds),
        Soak::Crash { kills } => {
            prepare(Purpose::Crash)?;
            let mut command = store_test(root, "crash", &[]);
            command.env("SETPOINT_KILLS", kills.to_string()).env("SETPOINT_EVERY_ERROR", "1");
            succeed(&mut command)
        }
        Soak::Power { cuts } => {
            prepare(Purpose::Power)?;
            let mut command = store_test(root, "power", &["--ignored"]);
            command.env("SETPOINT_POWER_CUTS", cuts.to_string());
            succeed(&mut command)
        }
        Soak::Saves { seconds } => {
            prepare(Purpose::Test)?;
            // The tests start the real program.
            let build = ["build", "--workspace"];
            succeed(Command::new(cargo()).args(build).current_dir(root))?;
            for (file, name) in [("outside", "hammer::"), ("watch", "case_27_a_stream_of_saves")] {
                let mut command = Command::new(cargo());
                command
                    .args(["test", "--workspace", "--test", file, name, "--", "--nocapture"])
                    .env("SETPOINT_SAVES_SECONDS", seconds.to_string())
                    .current_dir(root);
                succeed(&mut command)?;
            }
            Ok(())
        }
    }
}

/// A test of the store, with everything that it has to say.
fn store_test(root: &Path, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo());
    command
        .args(["test", "-p", "setpoint-store", "--test", name, "--", "--nocapture"])
        .args(arguments)
        .current_dir(root);
    command
}

/// Installs cargo-fuzz if it is missing and runs every target.
///
/// # Errors
/// If cargo-fuzz cannot be had, and as [`fuzz_each`].
fn fuzz_all(root: &Path, seconds: u32) -> Result<(), Failure> {
    prepare(Purpose::Fuzz)?;
    if !has_fuzzer() {
        succeed(Command::new(cargo()).args(["install", "--locked", "cargo-fuzz"]))?;
    }
    fuzz_each(root, seconds)
}

/// Whether cargo-fuzz is installed.
pub(crate) fn has_fuzzer() -> bool {
    output(Command::new(cargo()).args(["fuzz", "--version"])).is_some()
}

/// Runs every target for that many seconds, one after the other, all of them even where one has
/// found something.
///
/// # Errors
/// If a target does not build or one has found something; the message says where the input is.
pub(crate) fn fuzz_each(root: &Path, seconds: u32) -> Result<(), Failure> {
    let targets = targets(&root.join("fuzz"))?;
    let mut found = Vec::new();
    for target in &targets {
        println!("== {target}: {seconds} s");
        let grown = grown(root, target);
        fs::create_dir_all(&grown)
            .map_err(|error| Failure::new(format!("cannot make {}: {error}", grown.display())))?;
        let mut command = fuzz(root, target, seconds);
        if succeed(&mut command).is_err() {
            found.push(format!("{target}, to repeat it: {}", shown(&command)));
        }
    }
    if found.is_empty() {
        println!("{} targets, {seconds} s each, no finding", targets.len());
        return Ok(());
    }
    Err(Failure::new(format!(
        "Found something, or not run (inputs are in fuzz/artifacts):\n  {}",
        found.join("\n  ")
    )))
}

/// Where inputs go that a fuzzer finds interesting: a folder that is not kept.
fn grown(root: &Path, target: &str) -> PathBuf {
    root.join("fuzz").join("target").join("grown").join(target)
}

/// One run of a target, which begins with the inputs that are kept.
fn fuzz(root: &Path, target: &str, seconds: u32) -> Command {
    let fuzz = root.join("fuzz");
    let mut command = Command::new(cargo());
    command
        .args(["fuzz", "run", "--sanitizer", "none", target])
        .arg(grown(root, target))
        .arg(fuzz.join("corpus").join(target))
        .args(["--", "-max_len=8192", "-timeout=20", "-rss_limit_mb=4096"])
        .arg(format!("-max_total_time={seconds}"))
        .current_dir(&fuzz)
        // The fuzzer's counters need flags that are not stable; nothing else does.
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Names of the targets, sorted.
fn targets(fuzz: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::new(format!("cannot read fuzz/{TARGETS}: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(fuzz.join(TARGETS)).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_target_is_built_and_has_inputs_that_tests_replay() {
        let fuzz = root().join("fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        let targets = targets(&fuzz).unwrap();
        assert!(targets.len() >= 5, "{targets:?}");
        for target in targets {
            assert!(manifest.contains(&format!("fuzz_targets/{target}.rs")), "{target}");
            let kept = fs::read_dir(fuzz.join("corpus").join(&target)).unwrap().count();
            assert!(kept > 0, "nothing is kept for {target}");
        }
    }

    #[test]
    fn kept_inputs_are_few_and_small() {
        let (mut count, mut bytes) = (0, 0);
        for folder in fs::read_dir(root().join("fuzz/corpus")).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                count += 1;
                bytes += file.unwrap().metadata().unwrap().len();
            }
        }
        assert!(count <= 300 && bytes <= 1 << 20, "{count} files of {bytes} bytes together");
    }

    #[test]
    fn a_run_ends_after_the_time_given() {
        let typed = shown(&fuzz(Path::new("nowhere-at-all"), "merge", 7));
        assert!(typed.contains("merge") && typed.ends_with("-max_total_time=7"), "{typed}");
    }
}
