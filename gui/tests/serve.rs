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

#[test]
fn a_bench_beside_the_one_that_runs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let other = folder.path().join("other.toml");
    fs::write(&file, bench()).unwrap();
    fs::write(&other, bench()).unwrap();
    let (name, other) = (file.to_str().unwrap(), other.to_str().unwrap());
    let served = Served::start(&file);
    for arguments in [
        &["status", other][..],
        &["get", other, "bench.name"],
        &["set", other, "bench.name=x"],
        &["history", other],
        &["rollback", other, "r1"],
        &["diff", "r1", "r1", "--bench", other],
    ] {
        let output = setpoint(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {text}");
        assert!(text.contains(".setpoint belongs to bench.toml, which runs"), "{text}");
    }
    // The same file by another way is the same bench.
    let detour = folder.path().join("../").join(folder.path().file_name().unwrap());
    assert!(setpoint(&["status", detour.join("bench.toml").to_str().unwrap()]).status.success());
    assert!(setpoint(&["status", name]).status.success());
    assert_eq!(served.stop(), 0);

    // Nor does it get at that history when nothing runs.
    for arguments in [&["history", other][..], &["rollback", other, "r1"]] {
        assert_eq!(setpoint(arguments).status.code(), Some(3), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(other).unwrap(), bench());
}

#[test]
fn going_back_on_the_file_alone_keeps_nothing_where_nothing_differs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, bench()).unwrap();
    let name = file.to_str().unwrap();
    let missing = setpoint(&["rollback", folder.path().join("no.toml").to_str().unwrap(), "r1"]);
    assert_eq!(missing.status.code(), Some(2), "no file and no history");
    assert_eq!(Served::start(&file).stop(), 0);
    let kept = || {
        let list = json(&setpoint(&["history", name, "--format", "json"]));
        list.as_array().unwrap().len()
    };
    assert_eq!(kept(), 1);

    let output = setpoint(&["rollback", name, "r1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("nothing changed"), "{text}");
    let answer = json(&setpoint(&["rollback", name, "r1", "--format", "json"]));
    assert_eq!(answer["revision"]["id"], "r1");
    assert_eq!(kept(), 1);

    let output = setpoint(&["rollback", name, "r1", "--only", "instruments.psu.set"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("no difference at “instruments.psu.set”"), "{text}");
    assert_eq!(kept(), 1);

    // The file was deleted: its history brings it back.
    fs::remove_file(&file).unwrap();
    let output = setpoint(&["rollback", name, "r1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), bench());
}

#[test]
fn going_back_to_what_runs_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, bench()).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    for (value, message) in [("3.4", "up"), ("3.3", "and down")] {
        let path = format!("instruments.psu.set.ch1.voltage={value}");
        assert!(setpoint(&["set", name, &path, "-m", message]).status.success());
    }
    let back =
        |revision: &str| String::from_utf8(setpoint(&["rollback", name, revision]).stdout).unwrap();
    assert_eq!(back("r3"), "r3 runs already; nothing changed\n");
    assert_eq!(back("r1"), "r1 runs already, as r3; nothing changed\n");
    let events = String::from_utf8(setpoint(&["events", name]).stdout).unwrap();
    assert!(events.contains("r1 runs already, as r3; nothing changed"), "{events}");
    assert!(!events.contains("rollback_applied"), "{events}");
    assert_eq!(back("r2"), "r4: Rolled back to r2\n");
    assert_eq!(served.stop(), 0);
}

#[test]
fn messages_in_the_history_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, bench()).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    let long = "x".repeat(200);
    let set = |value: &str, message: &str| {
        let path = format!("instruments.psu.set.ch1.voltage={value}");
        json(&setpoint(&["set", name, &path, "-m", message, "--format", "json"]));
    };
    set("3.4", "one\nr9 \u{1b}[31mtwo");
    set("3.5", &long);
    let text = String::from_utf8(setpoint(&["history", name]).stdout).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains(r"one\nr9 \u{1b}[31mtwo"), "{text}");
    assert!(text.contains(&format!("{}…", "x".repeat(119))) && !text.contains(&long), "{text}");
    let list = json(&setpoint(&["history", name, "--format", "json"]));
    assert_eq!(list[0]["message"], *long);
    assert_eq!(list[1]["message"], "one\nr9 \u{1b}[31mtwo");
    assert_eq!(served.stop(), 0);
}

#[test]
fn a_deleted_run_file_comes_back_until_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    fs::write(&file, bench()).unwrap();
    let name = file.to_str().unwrap();
    let served = Served::start(&file);
    let kept = folder.path().join(".setpoint");
    let run = kept.join("run.json");
    let before = fs::read_to_string(&run).unwrap();
    fs::remove_dir_all(&kept).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !run.exists() {
        assert!(Instant::now() < deadline, "run.json was not written again");
        std::thread::yield_now();
    }
    assert_eq!(fs::read_to_string(&run).unwrap(), before);
    assert!(setpoint(&["status", name]).status.success());
    assert_eq!(served.stop(), 0);
    assert!(!run.exists(), "run.json goes with the server");
}
