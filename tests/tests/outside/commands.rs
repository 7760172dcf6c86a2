//! The commands that talk to a running instance, or do without one.

use setpoint_tests::{
    Bench, Server,
    bench::{changed_lines, demo_text, with},
    program::{self, good, json},
};

#[test]
fn set_history_and_rollback_go_through_the_running_instance() {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    let before = bench.text();
    let first = server.api.revisions()[0]["id"].as_str().expect("an id").to_owned();

    let path = "instruments.psu.set.ch1.voltage";
    good(&bench, "set", &[&format!("{path}=4.75"), "--message", "by hand"]);
    assert!((wire.number(":SOUR1:VOLT?") - 4.75).abs() < 1e-6);
    assert_eq!(changed_lines(&before, &bench.text()).len(), 1);
    assert!(good(&bench, "get", &[path]).contains("4.75"));
    let history = good(&bench, "history", &[]);
    assert!(history.contains("by hand") && history.contains(&first), "{history}");
    assert_eq!(json(&bench, "status", &[])["bench"]["name"], "Demo bench");

    good(&bench, "rollback", &[&first]);
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6);
    assert_eq!(bench.text(), before);
}

#[test]
fn without_a_running_instance() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    let first = server.api.revisions()[0]["id"].as_str().expect("an id").to_owned();
    server.api.change(&[("instruments.psu.set.ch1.voltage", 4.75.into())], "then").good();
    server.stop();

    let history = good(&bench, "history", &[]);
    assert!(history.contains("then") && history.contains(&first), "{history}");
    good(&bench, "rollback", &[&first]);
    assert_eq!(bench.text(), before, "the file alone goes back");

    let path = bench.path().display().to_string();
    let outcome = program::run(&bench, &["status", &path]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("bench.toml"), "{outcome:?}");
}

#[test]
fn diff_names_keys_and_effects() {
    let text = with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 3.450");
    let (old, new) = (Bench::demo(), Bench::of(text));
    let new = new.path().display().to_string();
    let report = json(&old, "diff", &[&new]);
    let changes = report["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{report:#}");
    assert_eq!(changes[0]["kind"], "changed");
    assert_eq!(changes[0]["path"], "instruments.psu.set.ch1.voltage");
    assert_eq!((&changes[0]["old"], &changes[0]["new"]), (&3.3.into(), &3.45.into()));
    assert_eq!(changes[0]["effect"], "live");
}

#[test]
fn a_refused_set_says_where_and_why() {
    let (bench, _server) = Server::demo();
    let before = bench.text();
    let path = bench.path().display().to_string();
    let edit = "instruments.psu.set.ch1.voltage=13.5";
    let outcome = program::run(&bench, &["set", &path, edit]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("ch1.voltage") && outcome.stderr.contains("12"), "{outcome:?}");
    assert_eq!(bench.text(), before);
}
