//! A change in the middle of which Setpoint is killed.

use serde_json::json;
use setpoint_tests::{
    Bench, FakeSupply, Process, Server,
    bench::{demo_text, with},
    fake::closed_port,
    program::{self, ends, good, json},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

/// A bench whose server was killed while its supply was being set from 3.3 to 4.75, and that is
/// served again.
fn crashed() -> (Bench, FakeSupply, Server) {
    let port = closed_port();
    let supply = FakeSupply::listen(port);
    let line = "address = \"sim:\"            # a simulated one; a real one: \
                \"tcp://192.0.2.21:5555\"";
    let address =
        format!("address = \"tcp://127.0.0.1:{port}\"\nwire = {{ reply_timeout = \"20s\" }}");
    let bench = Bench::of(with(&demo_text(), line, &address));
    let mut server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    server.api.until_readback("psu", "ch1.voltage", 3.3);

    supply.silent_from(":SOUR1:VOLT 4.75");
    let mut command = program::command(&bench);
    command.arg("set").arg(bench.path()).arg(format!("{VOLTAGE}=4.75")).args(["-m", "more"]);
    let mut asking = Process::start(&bench, command);
    let journal = bench.folder().join(".setpoint/journal.toml");
    until("the middle of the change", || {
        let set = supply.received().iter().any(|line| line.contains(":VOLT 4.75"));
        (set && journal.exists()).then_some(())
    });
    server.process.kill();
    let ended = until("the end of set", || asking.child.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(3), "{}", asking.stderr());

    let again = Server::start(&bench);
    again.api.until_instrument("psu", "connected");
    (bench, supply, again)
}

#[test]
fn a_change_that_was_cut_short_is_shown_and_finished() {
    let (bench, _supply, server) = crashed();
    for command in ["recover", "status"] {
        let shown = good(&bench, command, &[]);
        assert!(shown.contains("unfinished") && shown.contains("4.75"), "{command}: {shown}");
        assert!(shown.contains("--finish"), "{command}: {shown}");
    }
    let unfinished = json(&bench, "recover", &[]);
    assert_eq!(unfinished["from_revision"], "r1", "{unfinished:#}");
    let refused = ends(&bench, "set", &["instruments.psu.set.ch2.voltage=5.0"], 1);
    assert!(refused.stderr.contains("recover"), "{refused:?}");

    let finished = json(&bench, "recover", &["--finish"]);
    assert_eq!(finished["changes"][0]["path"], VOLTAGE, "{finished:#}");
    server.api.until_readback("psu", "ch1.voltage", 4.75);
    assert!(bench.text().contains("ch1.voltage = 4.75"), "{}", bench.text());
    assert!(good(&bench, "recover", &[]).contains("no change is unfinished"));
    assert!(!bench.folder().join(".setpoint/journal.toml").exists());
    assert_eq!(ends(&bench, "recover", &["--finish"], 2).stdout, "");
}

#[test]
fn a_change_that_was_cut_short_is_gone_back_from() {
    let (bench, supply, server) = crashed();
    let before = bench.text();
    good(&bench, "recover", &["--go-back"]);
    assert_eq!(bench.text(), before, "the file had not been written yet");
    server.api.until_readback("psu", "ch1.voltage", 3.3);
    let last = supply.received().into_iter().rfind(|line| line.starts_with(":SOUR1:VOLT "));
    assert!(last.as_deref().is_some_and(|line| line.contains("3.3")), "{last:?}");
    server.api.change(&[(VOLTAGE, json!(4.0))], "as usual again").good();
}

#[test]
fn http_decides_about_it_once() {
    let (_bench, _supply, server) = crashed();
    let api = &server.api;
    assert!(api.get("/v1/status")["unfinished"]["steps"].is_array());
    let blocked = api.change(&[(VOLTAGE, json!(4.0))], "");
    assert_eq!(blocked.status, 409, "{}", blocked.text());
    let back = api.send("POST", "/v1/unfinished/go-back", &[], None);
    assert_eq!(back.status, 200, "{}", back.text());
    assert!(api.get("/v1/status")["unfinished"].is_null());
    for path in ["/v1/unfinished/go-back", "/v1/unfinished/finish"] {
        assert_eq!(api.send("POST", path, &[], None).status, 404, "{path}");
    }
}
