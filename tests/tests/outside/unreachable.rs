//! A device that is not there does not keep the rest from running, and is found when it comes.

use setpoint_tests::{Bench, FakeSupply, Server, api, bench::demo_text, fake::closed_port};

#[test]
fn the_rest_runs_and_the_device_is_tried_again() {
    let port = closed_port();
    let address = format!("\"tcp://127.0.0.1:{port}\"");
    let bench = Bench::of(demo_text().replacen("\"sim:\"", &address, 1));
    let server = Server::start(&bench);

    let psu = server.api.until_instrument("psu", "offline");
    let error = psu["error"].as_str().expect("it says why");
    assert!(error.contains(&port.to_string()), "the address is named: {error}");
    assert!(psu["retry_at"].is_string(), "it says when it tries again: {psu:#}");
    assert_ne!(api::parameter(&psu, "ch1.voltage")["quality"], "good");
    server.api.until_instrument("thermo", "connected");
    server.api.until_live("pattern");

    let supply = FakeSupply::listen(port);
    let psu = server.api.until_instrument("psu", "connected");
    assert!(psu["identity"].as_str().is_some_and(|id| id.contains("DP832")), "{psu:#}");
    assert!(psu["error"].is_null(), "what went wrong is over: {psu:#}");
    // `on_reconnect = "reapply"` in the demo bench.
    server.api.until_readback("psu", "ch1.voltage", 3.3);
    let received = supply.received();
    assert!(received.iter().any(|line| line == "*IDN?"), "{received:?}");
    assert!(!received.iter().any(|line| line.contains("ON")), "no output unasked: {received:?}");

    let edits = [("instruments.psu.set.ch1.voltage", 4.5.into())];
    server.api.change(&edits, "").good();
    let received = supply.received();
    assert!(received.iter().any(|line| line == ":SOUR1:VOLT 4.500"), "{received:?}");
}

#[test]
fn a_disabled_instrument_is_left_alone() {
    let supply_text = "type = \"rigol_dp832\"\n";
    let disabled = format!("{supply_text}enabled = false\n");
    let server_bench = Bench::of(demo_text().replacen(supply_text, &disabled, 1));
    let server = Server::start(&server_bench);
    let psu = server.api.until_instrument("psu", "disabled");
    assert!(psu["link"].is_null(), "{psu:#}");
    server_bench.save_by_rename(demo_text());
    server.api.until_instrument("psu", "connected");
}
