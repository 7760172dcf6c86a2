//! Whether the audit log is as it was written.

use std::fs;

use serde_json::{Value, json};
use setpoint_tests::{Bench, Server, program};

fn verify(bench: &Bench, arguments: &[&str]) -> program::Outcome {
    let path = bench.path().display().to_string();
    program::run(bench, &[&["audit", "verify", &path], arguments].concat())
}

#[test]
fn a_log_is_whole_until_a_byte_of_it_is_changed() {
    let (bench, server) = Server::demo();
    server.api.change(&[("instruments.psu.set.ch1.voltage", json!(4.75))], "why").good();
    let running = verify(&bench, &[]);
    assert_eq!(running.code, Some(0), "{running:?}");
    assert!(running.stdout.contains("each as it was written"), "{running:?}");
    server.stop();
    let whole: Value =
        serde_json::from_str(&verify(&bench, &["--format", "json"]).stdout).expect("JSON");
    assert_eq!(whole["ok"], true);
    let records = whole["records"].as_u64().expect("a number");
    assert!(records >= 2, "{whole}");

    let log = bench.folder().join(".setpoint/audit.log");
    let text = fs::read_to_string(&log).expect("the log");
    assert_eq!(text.lines().count() as u64, records);
    // One letter of the reason, in the record that has it first.
    let line = text.lines().position(|line| line.contains("\"why\"")).expect("a record") + 1;
    fs::write(&log, text.replacen("\"why\"", "\"who\"", 1)).expect("it can be written");
    let told = verify(&bench, &[]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let outcome = verify(&bench, &["--format", "json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let fault: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!((&fault["ok"], &fault["line"]), (&false.into(), &line.into()), "{fault}");

    fs::write(&log, &text).expect("it can be written");
    assert_eq!(verify(&bench, &[]).code, Some(0), "as it was");
    let cut = text.trim_end().rfind('\n').expect("lines") + 1;
    fs::write(&log, &text[..cut]).expect("it can be written");
    assert_eq!(verify(&bench, &[]).code, Some(1), "the last record is missing");
    fs::remove_file(&log).expect("it is there");
    let missing = verify(&bench, &[]);
    assert_ne!(missing.code, Some(0), "{missing:?}");
}
