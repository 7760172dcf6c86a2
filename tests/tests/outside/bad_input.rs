//! Files that no bench can be read from: each command ends with a message that names the thing.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;
use setpoint_tests::{
    Bench, Outcome,
    bench::{demo_text, with},
    program,
};

/// Runs `check` and `serve` on it; both end with this exit status and name these things.
fn ends(bench: &Bench, code: i32, named: &[&str]) {
    for command in ["check", "serve"] {
        let path = bench.path().display().to_string();
        let outcome = program::run(bench, &[command, &path]);
        expect(command, &outcome, code, named);
    }
}

fn expect(command: &str, outcome: &Outcome, code: i32, named: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{command}: {outcome:?}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for name in named {
        assert!(said.contains(name), "{command} does not name “{name}”: {outcome:?}");
    }
    assert!(!said.contains("\"ready\":true"), "{command}: {outcome:?}");
}

#[test]
fn a_missing_file() {
    ends(&Bench::without_file(), 3, &["bench.toml"]);
}

#[test]
fn a_folder() {
    let bench = Bench::without_file();
    fs::create_dir(bench.path()).expect("a folder can be made");
    ends(&bench, 3, &["bench.toml", "folder"]);
}

#[test]
fn an_empty_file() {
    ends(&Bench::of(""), 1, &["bench.toml"]);
}

#[test]
fn no_utf_8() {
    let bench = Bench::of(b"[bench]\nname = \"caf\xe9\"\n");
    ends(&bench, 1, &["bench.toml", "UTF-8"]);
}

#[test]
fn no_toml() {
    ends(&Bench::of("[bench\nname = 1\n"), 1, &["bench.toml:1:"]);
}

#[test]
fn an_unknown_instrument_type() {
    let text = with(&demo_text(), "\"rigol_dp832\"", "\"rigol_dp823\"");
    ends(&Bench::of(text), 1, &["bench.toml:", "rigol_dp823", "rigol_dp832"]);
}

#[test]
fn a_file_that_may_not_be_read() {
    let bench = Bench::demo();
    fs::set_permissions(bench.path(), fs::Permissions::from_mode(0o000))
        .expect("the mode can be set");
    for command in ["check", "serve"] {
        let mut setpoint = program::command(&bench);
        setpoint.arg(command).arg(bench.path());
        if rustix::process::geteuid().is_root() {
            setpoint = without_privileges(&setpoint);
        }
        expect(command, &program::finish(&bench, setpoint), 3, &["bench.toml", "ermission"]);
    }
}

/// The same command, bound by file modes although root runs it.
fn without_privileges(command: &Command) -> Command {
    let dropped = "-dac_override,-dac_read_search";
    let mut bound = Command::new("setpriv");
    bound.args(["--bounding-set", dropped, "--inh-caps", dropped, "--"]);
    bound.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound
}

#[test]
fn an_address_nobody_listens_on_is_no_mistake_in_the_file() {
    let text = demo_text().replacen("\"sim:\"", "\"tcp://127.0.0.1:1\"", 1);
    let bench = Bench::of(text);
    let outcome = program::run(&bench, &["check", &bench.path().display().to_string()]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn check_prints_its_findings_as_json() {
    let bench =
        Bench::of(with(&demo_text(), "resolution = \"640x480\"", "resoluton = \"640x480\""));
    let path = bench.path().display().to_string();
    let outcome = program::run(&bench, &["check", &path, "--format", "json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone on stdout");
    assert_eq!(report["ok"], false);
    let found = report["diagnostics"].as_array().expect("a list");
    let found = found.iter().find(|one| one["code"] == "unknown_key").expect("the misspelt key");
    assert_eq!(found["severity"], "error");
    assert_eq!(found["path"], "sources.ball.resoluton");
    assert_eq!(found["suggestion"], "resolution");
    assert_eq!((&found["column"], &found["end_column"]), (&1.into(), &10.into()), "{found:#}");

    let good = Bench::demo();
    let path = good.path().display().to_string();
    let outcome = program::run(&good, &["check", &path, "--format", "json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone on stdout");
    assert_eq!(report["ok"], true);
    assert!(!good.folder().join(".setpoint").exists(), "check leaves nothing behind");
}

#[test]
fn wrong_usage() {
    let bench = Bench::demo();
    let path = bench.path().display().to_string();
    for arguments in [
        &["serve"][..],
        &["check", &path, "--fromat", "json"],
        &["serve", &path, "--listen", "nowhere"],
    ] {
        let outcome = program::run(&bench, arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
        assert!(!outcome.stderr.is_empty());
    }
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let bench = Bench::demo();
    let path = bench.path().display().to_string();
    let outcome = program::run(&bench, &["serve", &path, "--listen", &address]);
    expect("serve", &outcome, 3, &[&address]);
}
