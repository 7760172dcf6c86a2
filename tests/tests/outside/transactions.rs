//! Transactions by command, over a kill and a restart.

use serde_json::Value;
use setpoint_tests::{
    Bench, Server,
    program::{self, Outcome},
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn transaction(bench: &Bench, arguments: &[&str]) -> Outcome {
    let path = bench.path().display().to_string();
    program::run(bench, &[&["transaction", &path], arguments].concat())
}

fn json(bench: &Bench, arguments: &[&str]) -> Value {
    // Of the command, not of what is done with it.
    let outcome = transaction(bench, &[&["--format", "json"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{arguments:?}: {outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[test]
fn what_is_staged_is_there_again_after_a_kill() {
    let (bench, mut server) = Server::demo();
    let before = bench.text();
    let id = json(&bench, &["begin", "--message", "warmer"])["id"].clone();
    let id = id.as_str().expect("an id");
    let other = json(&bench, &["begin"])["id"].clone();
    let other = other.as_str().expect("an id");
    json(&bench, &["set", id, &format!("{VOLTAGE}=4.75"), "instruments.psu.set.ch2.voltage=5.0"]);
    json(&bench, &["set", other, &format!("{VOLTAGE}=99")]);
    let refused = transaction(&bench, &["validate", other]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(bench.text(), before, "staged is not in effect");
    server.process.kill();

    let again = Server::start(&bench);
    again.api.until_instrument("psu", "connected");
    let list = json(&bench, &["list"]);
    let ids: Vec<_> = list.as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [id, other], "{list:#}");
    let shown = transaction(&bench, &["show", id]);
    assert!(shown.stdout.contains("4.75") && shown.stdout.contains("warmer"), "{shown:?}");
    assert_eq!(json(&bench, &["validate", id])["ok"], true);
    json(&bench, &["unstage", id, "instruments.psu.set.ch2.voltage"]);
    assert_eq!(transaction(&bench, &["commit", other]).code, Some(1));
    let committed = json(&bench, &["commit", id]);
    assert_eq!(committed["revision"]["message"], "warmer", "{committed:#}");
    again.wire("psu").until(":SOUR1:VOLT?", 4.75);
    assert_eq!(committed["changes"].as_array().map(Vec::len), Some(1));
    json(&bench, &["discard", other]);
    assert_eq!(json(&bench, &["list"]), serde_json::json!([]));
    let gone = transaction(&bench, &["show", id]);
    assert_eq!(gone.code, Some(2), "{gone:?}");
}
