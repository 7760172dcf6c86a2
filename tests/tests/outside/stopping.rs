//! Ends, good and bad, and starting again.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use setpoint_tests::{
    Bench, FakeSupply, Process, Server,
    bench::{demo_text, with},
    program, until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
/// Server and devices get 8 s, the disk one more; the rest is for a loaded machine.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(8 + 1 + 6);
/// What is told twice waits for the disk for one second.
const AT_ONCE: Duration = Duration::from_secs(1 + 4);

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

/// A bench that was served once, and the way to serve it on a disk where what is written to this
/// file of `.setpoint` never gets there.
fn with_a_disk_that_hangs_at(file: &str) -> (Bench, Command) {
    let (bench, server) = Server::demo();
    assert_eq!(server.stop().code(), Some(0));
    let file = bench.folder().join(".setpoint").join(file);
    assert!(file.exists(), "{}", file.display());
    let file = file.display().to_string();
    let trace = bench.home().join("trace").display().to_string();
    let words = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", &trace, "-P", &file];
    let hang = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=600s"];
    let command = program::command_by(&bench, &[&words[..], &hang[..]].concat());
    (bench, command)
}

/// Changes the voltage by command and does not wait for what comes of it.
fn set(bench: &Bench, volts: &str) -> Process {
    let mut command = program::command(bench);
    command.arg("set").arg(bench.path()).arg(format!("{VOLTAGE}={volts}"));
    Process::start(bench, command)
}

/// Tells it to end, and waits until it has begun to.
fn told_to_stop(server: &Server) -> Instant {
    server.process.signal(Signal::TERM);
    let told = Instant::now();
    until("that it stops", || server.process.stderr().contains("stopping").then_some(()));
    told
}

/// The end of a server that gave up, within this time, and what it said then.
fn given_up(server: &mut Server, since: Instant, within: Duration) -> String {
    until("its end", || server.process.has_ended().then_some(()));
    let took = since.elapsed();
    release(&server.process);
    let status = until("its status", || server.process.child.try_wait().expect("a child"));
    let said = server.process.stderr();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(took < within, "{took:?}: {said}");
    said
}

/// What has ended is held by the strace whose hanging disk it waited for, if there is one, until
/// that has waited long enough.
fn release(process: &Process) {
    let status = fs::read_to_string(format!("/proc/{}/status", process.child.id()));
    let status = status.expect("nobody has asked for its status yet");
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).expect("a line");
    let tracer = tracer.trim().parse().ok().and_then(Pid::from_raw);
    if let Some(tracer) = tracer {
        kill_process(tracer, Signal::KILL).expect("it is there");
    }
}

/// What was acknowledged before is there when the bench is served again.
fn served_again(bench: &Bench) -> Server {
    let again = Server::start(bench);
    let kept = again.api.revisions();
    assert!(kept.iter().any(|one| one["message"] == "acknowledged"), "{kept:#?}");
    let audit = program::run(bench, &["audit", "verify", &bench.path().display().to_string()]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    again
}

#[test]
fn a_device_that_holds_up_a_change_holds_up_the_end_for_seconds() {
    for twice in [false, true] {
        let (bench, supply) = FakeSupply::on_the_demo("60s");
        let mut server = Server::start(&bench);
        server.api.until_instrument("psu", "connected");
        server.api.change(&[(VOLTAGE, json!(4.0))], "acknowledged").good();
        let text = bench.text();
        supply.silent_from(":SOUR1:VOLT 4.75");
        let mut asking = set(&bench, "4.75");
        until("the middle of the change", || {
            supply.received().iter().any(|line| line.contains(":VOLT 4.75")).then_some(())
        });
        let told = told_to_stop(&server);
        let said = if twice {
            assert_eq!(server.process.child.try_wait().expect("a child"), None, "too early");
            server.process.signal(Signal::TERM);
            let said = given_up(&mut server, Instant::now(), AT_ONCE);
            assert!(said.contains("was told twice to end"), "{said}");
            said
        } else {
            let said = given_up(&mut server, told, GIVEN_UP_WITHIN);
            assert!(said.contains("did not stop within 8 s"), "{said}");
            said
        };
        assert!(said.contains("a call or change that is being carried out did not end"), "{said}");
        assert!(bench.run_file().is_none(), "run.json goes with it");
        let ended = until("the end of set", || asking.child.try_wait().expect("a child"));
        assert_ne!(ended.code(), Some(0), "{}", asking.stderr());

        let again = served_again(&bench);
        assert_eq!(bench.text(), text);
        assert!(again.api.get("/v1/status")["unfinished"]["steps"].is_array());
        assert_eq!(again.stop().code(), Some(0));
    }
}

#[test]
fn a_disk_that_hangs_at_the_history_holds_up_the_end_for_seconds() {
    let (bench, command) = with_a_disk_that_hangs_at("history.sqlite");
    let mut server = Server::start_as(&bench, command);
    server.api.change(&[(VOLTAGE, json!(4.0))], "acknowledged").good();
    let told = told_to_stop(&server);
    let said = given_up(&mut server, told, GIVEN_UP_WITHIN);
    let why = "did not stop within 8 s and is left: closing the history database did not end";
    assert!(said.contains(why), "{said}");
    let again = served_again(&bench);
    again.wire("psu").until(":SOUR1:VOLT?", 4.0);
    assert_eq!(again.stop().code(), Some(0));
}

#[test]
fn a_disk_that_hangs_at_a_change_holds_up_the_end_until_it_is_told_twice() {
    let (bench, command) = with_a_disk_that_hangs_at("audit.log");
    {
        let server = Server::start(&bench);
        server.api.change(&[(VOLTAGE, json!(4.0))], "acknowledged").good();
        assert_eq!(server.stop().code(), Some(0));
    }
    let mut server = Server::start_as(&bench, command);
    server.api.until_instrument("psu", "connected");
    let mut asking = set(&bench, "4.75");
    until("a file that is written", || bench.text().contains("ch1.voltage = 4.75").then_some(()));
    told_to_stop(&server);
    assert_eq!(server.process.child.try_wait().expect("a child"), None, "too early");
    server.process.signal(Signal::INT);
    let said = given_up(&mut server, Instant::now(), AT_ONCE);
    let why = "was told twice to end and is left: a call or change that is being carried out";
    assert!(said.contains(why), "{said}");
    let ended = until("the end of set", || asking.child.try_wait().expect("a child"));
    assert_ne!(ended.code(), Some(0), "{}", asking.stderr());

    // The file was written: whatever the log knows of it, that is what runs.
    let again = served_again(&bench);
    again.wire("psu").until(":SOUR1:VOLT?", 4.75);
    assert!(again.api.get("/v1/status")["unfinished"].is_null());
    assert_eq!(again.stop().code(), Some(0));
}
