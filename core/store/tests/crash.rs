//! The crash campaign: a program that commits in a loop is killed at random instants and at every
//! call that changes the disk, and every call fails in turn. `SETPOINT_KILLS` and
//! `SETPOINT_EVERY_ERROR` make it longer; `cargo xtask soak crash` sets them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod campaign;

use std::{thread, time::Duration};

use campaign::{
    After, Dice, Running, asked, calls::Traced, fresh, has_temporary, inspect, inspect_history,
    scratch,
};

/// Random kills in every test run.
const KILLS: u64 = 130;

#[test]
fn killed_at_random_the_file_is_whole_and_nothing_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let bench = fresh(dir.path());
    let seed = asked("SETPOINT_SEED", u64::from(std::process::id()));
    println!("SETPOINT_SEED={seed} repeats the choice of instants");
    let mut dice = Dice::new(seed);
    let (mut holds, mut noted) = (0, 0);
    for kill in 0..asked("SETPOINT_KILLS", KILLS) {
        let mut running = Running::endless(&bench);
        // Also while it opens the bench, which is when a crash is cleaned up.
        running.read_lines(1 + dice.below(4));
        // Not waiting for anything: any instant will do.
        thread::sleep(Duration::from_micros(dice.below(6_000)));
        let said = running.kill();
        assert_eq!(said.failed, None);
        assert!(said.opened.is_none_or(|opened| opened == holds), "kill {kill}");
        let acked = said.acked.or(said.opened).unwrap_or(holds);
        noted = said.acked.unwrap_or(noted);
        holds = inspect(&bench, acked, After::Kill);
        inspect_history(&bench, noted);
    }
    assert!(holds > 0, "nothing was committed at all");
}

#[test]
fn killed_at_every_call_the_file_is_whole_and_the_journal_tells_the_truth() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let calls = {
        let dir = scratch();
        Traced { bench: fresh(dir.path()), commits: 2 }.calls(trace.path())
    };
    let changing: Vec<_> = calls.iter().filter(|call| call.changes()).collect();
    assert!(changing.len() >= 60, "{changing:?}");
    for call in &changing {
        let dir = scratch();
        let traced = Traced { bench: fresh(dir.path()), commits: 2 };
        let outcome = traced.disturbed(call, "signal=SIGKILL");
        assert!(!outcome.status.success(), "{call:?} was to kill it: {outcome:?}");
        println!("{} {}: {:?}", call.name, call.nth, outcome.said);
        inspect(&traced.bench, outcome.said.acked.unwrap_or(0), After::Kill);
    }
    println!("{} kills, one at each call that changes the disk", changing.len());
}

/// Numbers of errors that disks and systems give.
const ERRORS: [&str; 5] = ["EIO", "ENOSPC", "EROFS", "EMFILE", "EINTR"];

#[test]
fn whatever_call_fails_the_file_is_whole_and_what_is_said_is_so() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let calls = {
        let dir = scratch();
        Traced { bench: fresh(dir.path()), commits: 1 }.calls(trace.path())
    };
    let every = asked("SETPOINT_EVERY_ERROR", 0) > 0;
    let (mut runs, mut failures) = (0, 0);
    for call in calls.iter().filter(|call| !call.speaks()) {
        let errors = if every || call.changes() { &ERRORS[..] } else { &ERRORS[..1] };
        for error in errors {
            let dir = scratch();
            let traced = Traced { bench: fresh(dir.path()), commits: 1 };
            let outcome = traced.disturbed(call, &format!("error={error}"));
            let code = outcome.status.code();
            let said = &outcome.said;
            println!("{error} at {} {}: {said:?}", call.name, call.nth);
            match (code, said.acked, &said.failed) {
                (Some(0), Some(1), None) => {}
                (Some(1), None, Some(_)) => failures += 1,
                _ => panic!("{error} at {call:?}: {outcome:?}"),
            }
            let cannot_remove = call.name.starts_with("unlink");
            assert!(cannot_remove || !has_temporary(&traced.bench), "{error} at {call:?}");
            inspect(&traced.bench, said.acked.unwrap_or(0), After::Fault);
            runs += 1;
        }
    }
    println!("{runs} errors, {failures} failed commits");
    assert!(failures > 50, "errors have to be seen to be handled");
}

/// What syncs a file: its path, between the brackets that strace puts it in.
fn synced(line: &str) -> Option<&str> {
    let call = line.split_once("fsync(").or_else(|| line.split_once("fdatasync("))?.1;
    Some(call.split_once('<')?.1.split_once(">)")?.0)
}

#[test]
fn a_file_whose_sync_failed_is_never_synced_again() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let calls = {
        let dir = scratch();
        Traced { bench: fresh(dir.path()), commits: 2 }.calls(trace.path())
    };
    let syncs = calls.iter().filter(|call| ["fsync", "fdatasync"].contains(&call.name.as_str()));
    let (mut files, mut renewed) = (0, 0);
    for call in syncs {
        let dir = scratch();
        let traced = Traced { bench: fresh(dir.path()), commits: 2 };
        let (outcome, lines) = traced.syncs(call, "EIO", trace.path());
        let mut failed: Option<&str> = None;
        for line in &lines {
            let path = synced(line);
            if path.is_some() && path == failed {
                panic!("after {call:?} failed: {line}\n{lines:#?}");
            }
            if line.contains("INJECTED") {
                // A folder is synced for another name each time.
                failed = path.filter(|path| !std::path::Path::new(path).is_dir());
                files += u32::from(failed.is_some());
            } else if let Some(path) = failed
                && path == line.rsplit('"').nth(1).unwrap_or_default()
            {
                // Removed, or another one put in its place.
                renewed += u32::from(line.contains("rename"));
                failed = None;
            }
        }
        inspect(&traced.bench, outcome.said.acked.unwrap_or(0), After::Fault);
    }
    println!("{files} failed syncs of files, {renewed} files written anew");
    assert!(files >= 10 && renewed >= 4, "audit log and journal: {files}, {renewed}");
}

#[test]
fn a_disk_that_says_it_wrote_what_it_did_not_is_found_out() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let calls = {
        let dir = scratch();
        Traced { bench: fresh(dir.path()), commits: 1 }.calls(trace.path())
    };
    let writes: Vec<_> = calls.iter().filter(|call| call.writes_temporary()).collect();
    assert!(writes.len() >= 3, "bench file, journal, revision: {writes:?}");
    for call in writes {
        let dir = scratch();
        let traced = Traced { bench: fresh(dir.path()), commits: 1 };
        // The call is not made; its answer is that five bytes are written.
        let outcome = traced.disturbed(call, "retval=5");
        assert!(!has_temporary(&traced.bench));
        inspect(&traced.bench, outcome.said.acked.unwrap_or(0), After::Fault);
        // An index that can be made again stops nobody.
        if call.line.contains("/.versions.json.") {
            continue;
        }
        let why = outcome.said.failed.clone().unwrap_or_else(|| panic!("{call:?}: {outcome:?}"));
        assert!(why.contains("gave back something else"), "{why}");
    }
}
