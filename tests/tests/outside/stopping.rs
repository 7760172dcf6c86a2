//! Ends, good and bad, and starting again.

use rustix::process::Signal;
use serde_json::json;
use setpoint_tests::{
    Bench, Server,
    bench::{demo_text, with},
    until,
};

#[test]
fn asked_to_stop_it_tidies_up() {
    for signal in [Signal::TERM, Signal::INT] {
        let (bench, mut server) = Server::demo();
        assert_eq!(server.ready["pid"], server.process.child.id());
        assert_eq!(server.ready["url"], server.api.url);
        server.process.signal(signal);
        let status = until("its end", || server.process.child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(0), "{signal:?}: {}", server.process.stderr());
        assert!(bench.run_file().is_none(), "run.json goes with it");
        assert_eq!(bench.text(), demo_text());
    }
}

#[test]
fn after_a_sudden_end_it_starts_again_with_what_was_committed() {
    let (bench, mut server) = Server::demo();
    server.api.change(&[("instruments.psu.set.ch1.voltage", json!(5.5))], "before").good();
    let text = bench.text();
    let revisions = server.api.revisions();
    server.process.kill();
    assert!(bench.run_file().is_some(), "nobody was there to take it away");

    let again = Server::start(&bench);
    assert_eq!(bench.text(), text);
    again.wire("psu").until(":SOUR1:VOLT?", 5.5);
    let kept = again.api.revisions();
    assert_eq!(kept[0]["id"], revisions[0]["id"], "{kept:#?}");
    assert_eq!(kept[0]["message"], "before");
    assert_eq!(again.stop().code(), Some(0));
}

#[test]
fn an_edit_made_while_nothing_ran_is_a_revision_of_its_own() {
    let (bench, server) = Server::demo();
    let revisions = server.api.revisions().len();
    server.stop();
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 6.000"));

    let again = Server::start(&bench);
    again.wire("psu").until(":SOUR1:VOLT?", 6.0);
    let kept = again.api.revisions();
    assert_eq!(kept.len(), revisions + 1, "{kept:#?}");
    assert_eq!(kept[0]["origin"], "file");
}

#[test]
fn without_its_folder_it_loses_history_and_nothing_else() {
    let (bench, server) = Server::demo();
    server.api.change(&[("instruments.psu.set.ch1.voltage", json!(5.5))], "").good();
    server.stop();
    std::fs::remove_dir_all(bench.folder().join(".setpoint")).expect("it can be removed");

    let again = Server::start(&bench);
    again.wire("psu").until(":SOUR1:VOLT?", 5.5);
    assert_eq!(again.api.revisions().len(), 1);
}

#[test]
fn a_hang_up_reloads_a_file_that_is_not_watched() {
    let text = with(&demo_text(), "hot_reload = \"apply\"", "hot_reload = \"off\"");
    let bench = Bench::of(&text);
    let server = Server::start(&bench);
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    bench.save_by_rename(with(&text, "ch1.voltage = 3.300", "ch1.voltage = 6.000"));
    server.process.signal(Signal::HUP);
    wire.until(":SOUR1:VOLT?", 6.0);
}
