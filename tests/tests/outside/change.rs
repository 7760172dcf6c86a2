//! One value changed over HTTP and taken back: device, file and history go together.

use serde_json::json;
use setpoint_tests::{Server, bench::changed_lines};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

#[test]
fn a_changed_voltage_is_in_device_file_and_history_and_comes_back() {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    let before = bench.text();
    let revisions = server.api.revisions();
    let first = revisions[0]["id"].as_str().expect("a revision has an id").to_owned();

    let answer = server.api.change(&[(VOLTAGE, json!(3.45))], "warmer").good();

    assert!((wire.number(":SOUR1:VOLT?") - 3.45).abs() < 1e-6, "{answer}");
    let after = bench.text();
    let changed = changed_lines(&before, &after);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].1.contains("ch1.voltage = 3.300"), "{changed:?}");
    assert!(changed[0].2.contains("ch1.voltage = 3.45"), "{changed:?}");

    let with_change = server.api.revisions();
    assert_eq!(with_change.len(), revisions.len() + 1);
    assert_eq!(with_change[0]["message"], "warmer");
    assert_eq!(with_change[0]["origin"], "api");
    assert!(bench.versions().iter().any(|(_, text)| *text == after), "the new text is kept");
    assert!(bench.versions().iter().any(|(_, text)| *text == before), "the old text is kept");
    server.api.until_readback("psu", "ch1.voltage", 3.45);

    let path = format!("/v1/revisions/{first}/rollback");
    let answer = server.api.json("POST", &path, &json!({})).good();

    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6, "{answer}");
    assert_eq!(bench.text(), before, "byte for byte");
    let with_rollback = server.api.revisions();
    assert_eq!(with_rollback.len(), revisions.len() + 2, "going back is a revision of its own");
    assert_eq!(with_rollback[0]["origin"], "rollback");
    server.api.until_readback("psu", "ch1.voltage", 3.3);
}

#[test]
fn several_values_go_together_or_not_at_all() {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    let before = bench.text();
    let revisions = server.api.revisions().len();

    let edits = [(VOLTAGE, json!(4.0)), ("instruments.psu.set.ch1.current_limit", json!(999.0))];
    let answer = server.api.change(&edits, "");

    assert_eq!(answer.status, 422, "{}", answer.text());
    let problem = answer.json();
    let found = &problem["diagnostics"][0];
    assert_eq!(found["path"], "instruments.psu.set.ch1.current_limit", "{problem:#}");
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6);
    assert_eq!(bench.text(), before);
    assert_eq!(server.api.revisions().len(), revisions);

    let edits = [(VOLTAGE, json!(4.0)), ("instruments.psu.set.ch1.current_limit", json!(0.25))];
    server.api.change(&edits, "").good();
    assert!((wire.number(":SOUR1:VOLT?") - 4.0).abs() < 1e-6);
    assert!((wire.number(":SOUR1:CURR?") - 0.25).abs() < 1e-6);
    assert_eq!(changed_lines(&before, &bench.text()).len(), 2);
    assert_eq!(server.api.revisions().len(), revisions + 1, "one commit, one revision");
}

#[test]
fn a_revision_can_be_read_and_an_unknown_one_cannot() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    let first = server.api.revisions()[0]["id"].as_str().expect("an id").to_owned();
    server.api.change(&[(VOLTAGE, json!(5.0))], "").good();

    let kept = server.api.send("GET", &format!("/v1/revisions/{first}"), &[], None);
    assert_eq!((kept.status, kept.text()), (200, before));
    let answer = server.api.json("POST", "/v1/revisions/r999/rollback", &json!({}));
    assert_eq!(answer.status, 404, "{}", answer.text());
    let running = server.api.send("GET", "/v1/bench", &[("Accept", "application/toml")], None);
    assert_eq!(running.text(), bench.text());
}
