//! Your text stays yours: what a change does not concern keeps its bytes.

use serde_json::json;
use setpoint_tests::{
    Bench, Server,
    bench::{changed_lines, demo_text},
};

const SETPOINT: &str = "instruments.thermo.set.loop1.setpoint";

#[test]
fn the_comment_behind_a_changed_value_stays() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    server.api.change(&[(SETPOINT, json!(290.5))], "").good();
    let after = bench.text();
    let changed = changed_lines(&before, &after);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].2.starts_with("loop1.setpoint = 290.5"), "{changed:?}");
    assert!(changed[0].2.ends_with("# kelvin"), "{changed:?}");
}

#[test]
fn line_ends_of_another_system_stay() {
    let bench = Bench::of(demo_text().replace('\n', "\r\n"));
    let server = Server::start(&bench);
    server.api.until_instrument("thermo", "connected");
    let before = bench.text();
    server.api.change(&[(SETPOINT, json!(290.5))], "").good();
    let after = bench.text();
    let changed = changed_lines(&before, &after);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].2.ends_with("# kelvin\r"), "{changed:?}");
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
}

#[test]
fn a_key_that_was_not_there_is_added_where_its_kin_are() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    server.api.change(&[("instruments.psu.set.ch3.voltage", json!(2.5))], "").good();
    let after = bench.text();
    let added: Vec<_> = after.lines().filter(|line| !before.contains(*line)).collect();
    assert_eq!(added, ["ch3.voltage = 2.500"], "{after}");
    let kept: Vec<_> = after.lines().filter(|line| !added.contains(line)).collect();
    assert_eq!(kept, before.lines().collect::<Vec<_>>(), "every other line as it was");
    assert!(after.find("ch3.voltage") < after.find("# Cryostat thermometer"), "{after}");

    let edit = json!({ "edits": [{ "path": "instruments.psu.set.ch3.voltage", "remove": true }] });
    server.api.json("PATCH", "/v1/bench", &edit).good();
    assert_eq!(bench.text(), before, "taken out again, nothing is left of it");
}
