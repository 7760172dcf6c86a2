//! A disk that stops answering, as that of a network home does: single system calls of the running
//! server hang until they are let go, and the bench goes on.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use setpoint_tests::{
    Bench, Hang, Server,
    bench::{demo_text, with},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const SILENT: &str = "the disk has not answered since ";
/// Much less than a disk is given.
const AT_ONCE: Duration = Duration::from_secs(6);

/// A bench without pictures, served.
fn serve() -> (Bench, Server) {
    let text = demo_text();
    let end = text.find("[sources.pattern]").expect("the demo bench has sources");
    let bench = Bench::of(&text[..end]);
    let server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    (bench, server)
}

/// Changes the voltage, which must take effect and stay ahead of the file.
fn ahead(server: &Server, volts: f64) -> Value {
    let applied = server.api.change(&[(VOLTAGE, json!(volts))], "").good();
    assert_eq!(applied["persisted"], false, "{applied:#}");
    server.wire("psu").until(":SOUR1:VOLT?", volts);
    let reload = server.api.until_reload("ahead");
    let cause = reload["ahead"]["cause"].as_str().unwrap_or_default();
    assert!(cause.contains(SILENT), "{reload:#}");
    reload
}

fn told(server: &Server, kind: &str) -> Vec<String> {
    let events = server.api.get(&format!("/v1/events?kind={kind}"));
    let list = events.as_array().or_else(|| events["events"].as_array()).expect("events").clone();
    list.iter().map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_bench_can_be_changed_while_its_disk_hangs_and_all_is_kept_when_it_answers() {
    // What is written hangs before it is in place, or in the middle of that.
    for calls in ["fsync,fdatasync", "rename"] {
        let (bench, server) = serve();
        let before = bench.text();
        let kept = server.api.revisions().len();
        let Some(hang) = Hang::of(&bench, &server.process, calls, None) else { return };
        ahead(&server, 2.0);
        // From here on everybody knows.
        let begun = Instant::now();
        ahead(&server, 1.5);
        ahead(&server, 1.0);
        let status = server.api.get("/v1/status");
        let problem = status["history_problem"].as_str().unwrap_or_default();
        assert!(problem.contains(SILENT), "{calls}: {status:#}");
        let refused = server.api.json("POST", "/v1/transactions", &json!({}));
        assert_eq!(refused.status, 503, "{calls}: {}", refused.text());
        assert!(refused.text().contains(SILENT), "{calls}: {}", refused.text());
        let sync = server.api.send("POST", "/v1/sync", &[], None);
        assert_eq!(sync.status, 503, "{calls}: {}", sync.text());
        assert!(begun.elapsed() < AT_ONCE, "{calls}: {:?}", begun.elapsed());
        assert_eq!(bench.text(), before, "{calls}");

        hang.let_go();
        server.api.until_reload("in_step");
        assert!(bench.text().contains("ch1.voltage = 1.0"), "{calls}: {}", bench.text());
        until("the history is kept again", || {
            let status = server.api.get("/v1/status");
            status["history_problem"].is_null().then_some(())
        });
        let revisions = server.api.revisions();
        assert_eq!(revisions.len(), kept + 3, "{calls}: {revisions:#?}");
        server.wire("psu").until(":SOUR1:VOLT?", 1.0);
        assert_eq!(told(&server, "reload_applied"), [""; 0], "{calls}: nobody else saved it");
        assert!(!bench.folder().join(".setpoint/journal.toml").exists(), "{calls}");
        assert_eq!(server.stop().code(), Some(0), "{calls}");
        let again = Server::start(&bench);
        let status = again.api.get("/v1/status");
        assert!(status["unfinished"].is_null(), "{calls}: {status:#}");
        assert_eq!(status["reload"]["state"], "in_step", "{calls}: {status:#}");
        assert_eq!(again.api.revisions().len(), kept + 3, "{calls}");
    }
}

#[test]
fn an_old_write_that_comes_late_does_not_bring_back_what_was_changed_since() {
    let (bench, server) = serve();
    let before = bench.text();
    // Of a change only the bench file's mode is set: it exists already.
    let Some(hang) = Hang::of(&bench, &server.process, "fchmod", None) else { return };
    ahead(&server, 2.0);
    // Back to what the file holds still: nothing needs writing.
    let headers = [("Content-Type", "application/toml")];
    let back = server.api.send("PUT", "/v1/bench", &headers, Some(before.as_bytes()));
    back.good();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    assert_eq!(bench.text(), before);

    hang.let_go();
    until("the late write to be over", || {
        let written = told(&server, "file_written");
        (!written.is_empty()).then_some(())
    });
    server.api.until_reload("in_step");
    assert_eq!(bench.text(), before);
    assert_eq!(
        told(&server, "reload_applied"),
        [""; 0],
        "the late text was never taken for a save"
    );
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6);
}

#[test]
fn a_newer_change_is_written_over_a_late_one_unasked() {
    let (bench, server) = serve();
    let Some(hang) = Hang::of(&bench, &server.process, "fchmod", None) else { return };
    ahead(&server, 2.0);
    ahead(&server, 1.0);
    hang.let_go();
    server.api.until_reload("in_step");
    assert!(bench.text().contains("ch1.voltage = 1.0"), "{}", bench.text());
    server.wire("psu").until(":SOUR1:VOLT?", 1.0);
    for kind in ["file_conflict", "reload_applied", "reload_rejected"] {
        assert_eq!(told(&server, kind), [""; 0], "{kind}");
    }
}

#[test]
fn a_save_that_came_before_a_late_write_stays() {
    let (bench, server) = serve();
    let Some(hang) = Hang::of(&bench, &server.process, "fchmod", None) else { return };
    ahead(&server, 2.0);
    let theirs = with(&bench.text(), "ch1.current_limit = 0.500", "ch1.current_limit = 0.700");
    bench.save_by_rename(&theirs);
    server.api.until_reload("conflict");
    hang.let_go();
    until("the disk to answer", || {
        let sent = server.api.json("POST", "/v1/revisions", &json!({}));
        (sent.status < 300).then_some(())
    });
    assert_eq!(bench.text(), theirs);
    assert_eq!(server.api.reload()["state"], "conflict");
    server.api.send("POST", "/v1/reload", &[], None).good();
    server.api.until_reload("in_step");
    assert_eq!(bench.text(), theirs);
    server.wire("psu").until(":SOUR1:VOLT?", 3.3);
}

#[test]
fn a_save_that_a_late_rename_came_over_is_kept_aside() {
    let (bench, server) = serve();
    // Without a journal the bench file is the first to be renamed into place.
    let journal = bench.folder().join(".setpoint/journal.toml");
    fs::create_dir(&journal).expect("a folder can be made");
    let Some(hang) = Hang::of(&bench, &server.process, "rename", None) else { return };
    ahead(&server, 2.0);
    let theirs = with(&bench.text(), "ch1.current_limit = 0.500", "ch1.current_limit = 0.700");
    bench.save_by_rename(&theirs);
    server.api.until_reload("conflict");
    fs::remove_dir(&journal).expect("it can be removed");
    hang.let_go();
    server.api.until_reload("in_step");
    assert!(bench.text().contains("ch1.voltage = 2.0"), "{}", bench.text());
    until("their text to be kept", || {
        let aside =
            |(name, text): &(String, String)| name.starts_with("refused-") && *text == theirs;
        bench.versions().iter().any(aside).then_some(())
    });
    until("that to be told", || {
        let told = told(&server, "file_overwritten");
        told.first().is_some_and(|message| message.contains("refused-")).then_some(())
    });
}

#[test]
fn what_cannot_be_read_is_as_it_was_known() {
    let (bench, server) = serve();
    let Some(hang) = Hang::of(&bench, &server.process, "openat", Some(&bench.path())) else {
        return;
    };
    ahead(&server, 2.0);
    let begun = Instant::now();
    let reload = ahead(&server, 1.0);
    assert!(reload["problem"].as_str().is_some_and(|why| why.contains(SILENT)), "{reload:#}");
    let more = server.api.change(&[("bench.include", json!(["more.toml"]))], "");
    assert_eq!(more.status, 422, "{}", more.text());
    assert!(more.text().contains(SILENT), "{}", more.text());
    let reload = server.api.send("POST", "/v1/reload", &[], None);
    assert!(reload.status >= 400 && reload.text().contains(SILENT), "{}", reload.text());
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    hang.let_go();
    server.api.until_reload("in_step");
    assert!(bench.text().contains("ch1.voltage = 1.0"), "{}", bench.text());
}

#[test]
fn a_small_file_that_hangs_holds_up_neither_the_bench_nor_its_end() {
    let (bench, mut server) = serve();
    let run = bench.folder().join(".setpoint/run.json");
    let Some(hang) =
        Hang::of(&bench, &server.process, "statx,newfstatat,openat,unlink", Some(&run))
    else {
        return;
    };
    server.api.change(&[(VOLTAGE, json!(2.0))], "").good();
    server.wire("psu").until(":SOUR1:VOLT?", 2.0);
    server.process.signal(Signal::TERM);
    until("what is said of it", || {
        let said = server.process.stderr();
        said.contains("run.json stays behind: the disk does not answer").then_some(())
    });
    // Nothing else was waited for: devices and folder are free.
    let lock = bench.folder().join(".setpoint/lock");
    until("the bench to be free", || {
        let lock = fs::File::open(&lock).expect("the lock file stays");
        lock.try_lock().is_ok().then_some(())
    });
    hang.let_go();
    until("its end", || server.process.child.try_wait().expect("a child"));
}

#[test]
fn told_to_end_it_says_what_did_not_answer() {
    let (bench, mut server) = serve();
    let before = bench.text();
    let Some(hang) = Hang::of(&bench, &server.process, "fsync,fdatasync", None) else { return };
    ahead(&server, 2.0);
    server.process.signal(Signal::TERM);
    let said = until("what it was left for", || {
        let said = server.process.stderr();
        said.contains("is left: ").then_some(said)
    });
    assert!(said.contains("closing the history database did not end"), "{said}");
    // A thread that is held up by another program is waited for by the system.
    hang.let_go();
    let ended = until("its end", || server.process.child.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(3), "{}", server.process.stderr());
    // What never reached the disk is gone, and nothing is left half done.
    let again = Server::start(&bench);
    let status = again.api.get("/v1/status");
    assert!(status["unfinished"].is_null(), "{status:#}");
    assert_eq!(status["reload"]["state"], "in_step", "{status:#}");
    assert_eq!(bench.text(), before);
}
