//! A served bench, talked to through the command line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const GOOD: &str = include_str!("../../assets/demo/bench.toml");

/// A bench without pictures: what is tested here does not need any.
fn bench() -> String {
    let end = GOOD.find("[sources.pattern]").unwrap();
    GOOD[..end].to_owned()
}

struct Served {
    child: Child,
    ready: Value,
}

impl Served {
    fn start(bench: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_setpoint"))
            .arg("serve")
            .arg(bench)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, ready }
    }

    fn stop(mut self) -> i32 {
        signal(&self.child, "TERM");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

fn setpoint(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_setpoint"))
        .args(arguments)
        .env("LOGNAME", "ada")
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn set_changes_the_file_and_rollback_brings_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, bench()).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    assert_eq!(served.ready["ready"], true);
    assert_eq!(served.ready["pid"], served.child.id());
    let token_file = served.ready["token_file"].as_str().unwrap().to_owned();
    assert!(Path::new(&token_file).exists());

    let path = "instruments.psu.set.ch1.voltage";
    assert_eq!(json(&setpoint(&["get", name, path, "--format", "json"]))["value"], 3.3);
    let set = setpoint(&["set", name, &format!("{path}=3.45"), "-m", "More", "--format", "json"]);
    let revision = json(&set)["revision"].clone();
    assert_eq!((&revision["message"], &revision["author"]), (&"More".into(), &"ada".into()));
    let text = fs::read_to_string(&file).unwrap();
    let differing: Vec<_> = bench()
        .lines()
        .zip(text.lines())
        .filter(|(old, new)| old != new)
        .map(|(_, new)| new.to_owned())
        .collect();
    assert_eq!(differing.len(), 1, "{text}");
    assert!(differing[0].starts_with("ch1.voltage = 3.45"), "{differing:?}");

    let refused = setpoint(&["set", name, &format!("{path}=99")]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "a refused change leaves no trace");

    let history = json(&setpoint(&["history", name, "--format", "json"]));
    assert_eq!(history[0]["id"], revision["id"]);
    json(&setpoint(&["rollback", name, "r1", "--format", "json"]));
    assert_eq!(fs::read_to_string(&file).unwrap(), bench());
    let status = json(&setpoint(&["status", name, "--format", "json"]));
    assert_eq!(status["reload"]["state"], "in_step");

    // A second one is told who has it.
    let second = setpoint(&["serve", name]);
    assert_eq!(second.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another Setpoint"));

    assert_eq!(served.stop(), 0);
    assert!(!Path::new(&token_file).exists(), "run.json goes with the server");

    // Without a server, history and rollback work on the files alone.
    let history = json(&setpoint(&["history", name, "--format", "json"]));
    assert_eq!(history.as_array().unwrap().len(), 3);
    let back = setpoint(&["rollback", name, "r2", "--only", "instruments.psu.set"]);
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let diff = setpoint(&["diff", "r1", "r2", "--bench", name, "--format", "json"]);
    assert_eq!(json(&diff)["changes"][0]["path"], path);
}

#[test]
fn a_wrong_bench_with_history_runs_what_ran_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, "[instruments.psu]\ntype = \"no_such_type\"\naddress = \"sim:\"\n").unwrap();
    let name = file.to_str().unwrap();
    let output = setpoint(&["serve", name]);
    assert_eq!(output.status.code(), Some(1), "wrong, and nothing to fall back on");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("no_such_type"), "{text}");

    fs::write(&file, bench()).unwrap();
    assert_eq!(Served::start(&file).stop(), 0);
    fs::write(&file, "not = = toml").unwrap();
    let served = Served::start(&file);
    let status = json(&setpoint(&["status", name, "--format", "json"]));
    assert_eq!(status["reload"]["state"], "rejected");
    assert_eq!(status["revision"]["id"], "r1");
    assert_eq!(served.stop(), 0);
}

#[test]
fn a_hangup_reads_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let text = bench().replace("hot_reload = \"apply\"", "hot_reload = \"off\"");
    fs::write(&file, &text).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    fs::write(&file, text.replace("ch1.voltage = 3.300", "ch1.voltage = 2.500")).unwrap();
    let path = "instruments.psu.set.ch1.voltage";
    let value = || json(&setpoint(&["get", name, path, "--format", "json"]))["value"].clone();
    assert_eq!(value(), 3.3, "a save alone is not applied");
    signal(&served.child, "HUP");
    let deadline = Instant::now() + Duration::from_secs(20);
    while value() != 2.5 {
        assert!(Instant::now() < deadline, "the file was not read again");
    }
    assert_eq!(served.stop(), 0);
}

#[test]
fn an_address_nobody_listens_on_is_shown_offline() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let text = bench().replacen("address = \"sim:\"", "address = \"tcp://127.0.0.1:1\"", 1);
    fs::write(&file, text).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let output = setpoint(&["status", name]);
        let text = String::from_utf8(output.stdout).unwrap();
        let psu = text.lines().find(|line| line.trim_start().starts_with("psu")).unwrap();
        if psu.contains("offline") {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    assert_eq!(served.stop(), 0);
}
