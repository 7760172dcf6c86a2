//! What cannot be written stays in force, says so, and is written as soon as that can be done; what
//! someone else wrote meanwhile is never written over unseen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use common::{BENCH, Bench, Mount, edit, in_step};
use setpoint_runtime::{Answer, Command, CommandError, Options, ReloadState, Runtime, Status};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn volts(volts: &str) -> String {
    BENCH.replace("3.300", volts)
}

async fn change(bench: &Bench, volts: f64) -> bool {
    match bench.change(vec![edit(VOLTAGE, volts)]).await.unwrap() {
        Answer::Changed(applied) => applied.persisted,
        other => panic!("{other:?}"),
    }
}

fn refused_texts(bench: &Bench) -> Vec<String> {
    let versions = std::fs::read_dir(bench.runtime.folder().join("versions")).unwrap();
    let paths = versions.map(|entry| entry.unwrap().path());
    let refused = paths.filter(|path| path.to_str().unwrap().contains("/refused-"));
    refused.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_stays_in_force_and_is_written_by_itself() {
    let bench = Bench::open(BENCH).await;
    let revisions = bench.revisions();
    let Some(read_only) = Mount::read_only(bench.folder()) else { return };
    assert!(!change(&bench, 3.45).await);
    let status = bench.runtime.status();
    assert_eq!(status.reload.state, ReloadState::Ahead);
    let ahead = status.reload.ahead.clone().unwrap();
    assert!(ahead.cause.contains("bench.toml") && ahead.next_try.is_some(), "{ahead:?}");
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!(bench.text(), BENCH);
    // Further changes are possible, and stay ahead.
    let first = status.revision.clone().unwrap().id;
    assert!(!change(&bench, 3.5).await);
    let status = bench.runtime.status();
    assert_eq!(status.reload.state, ReloadState::Ahead);
    assert_ne!(status.revision.as_ref().unwrap().id, first);
    assert!(status.history_problem.is_some());
    assert_eq!(bench.told("file_not_written"), 1);

    drop(read_only);
    bench.until("it is written by itself", in_step).await;
    assert_eq!(bench.text(), volts("3.500"));
    assert_eq!(bench.told("file_written"), 1);
    // What could not be kept is kept now, under the ids that were told.
    let status = bench.runtime.status();
    assert_eq!((status.revisions.len(), &status.history_problem), (revisions + 2, &None));
    assert_eq!(*bench.runtime.revision_text(&first).await.unwrap(), volts("3.450"));
    assert!(change(&bench, 3.6).await);
    assert_eq!(bench.told("reload_applied"), 0);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_writes_at_once_or_says_why_not() {
    let bench = Bench::open(BENCH).await;
    let Some(read_only) = Mount::read_only(bench.folder()) else { return };
    change(&bench, 3.45).await;
    let error = bench.sync().await.unwrap_err();
    assert!(matches!(&error, CommandError::ReadOnly { message } if message.contains("bench.toml")));
    assert_eq!(bench.runtime.status().reload.state, ReloadState::Ahead);
    drop(read_only);
    bench.sync().await.unwrap();
    assert_eq!(bench.text(), volts("3.450"));
    assert!(in_step(&bench.runtime.status()));
    assert_eq!(refused_texts(&bench), [""; 0]);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_meanwhile_is_a_conflict_that_a_person_decides() {
    for keep in [true, false] {
        let bench = Bench::open(BENCH).await;
        let Some(pinned) = Mount::pinned(&bench.file) else { return };
        change(&bench, 3.45).await;
        let edited = BENCH.replace("0.500", "0.700");
        drop(pinned);
        if keep {
            bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
        }
        bench.save(&edited);
        // Nobody has told of it yet: whoever asks for writing hears of it first.
        if keep {
            assert!(matches!(bench.sync().await, Err(CommandError::Conflict { .. })));
        }
        let conflict = |status: &Status| status.reload.state == ReloadState::Conflict;
        let status = bench.until("a conflict", conflict).await;
        assert!(status.reload.ahead.as_ref().is_some_and(|ahead| ahead.next_try.is_none()));
        assert_eq!(status.disk_text.as_deref(), Some(edited.as_str()));
        let error = bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap_err();
        assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
        assert_eq!(bench.text(), edited);
        if keep {
            bench.sync().await.unwrap();
            assert_eq!(bench.text(), volts("3.450"));
            assert_eq!(refused_texts(&bench), [edited]);
            bench.ask(Command::Resume { author: "tester".into() }).await.unwrap();
        } else {
            bench.reload().await.unwrap();
            assert_eq!(bench.text(), edited);
            assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.300");
        }
        assert!(in_step(&bench.runtime.status()));
        bench.runtime.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_no_bench() {
    let Some(bench) = Bench::on_a_disk_of(400, BENCH).await else { return };
    let ballast = bench.folder().join("ballast");
    let full = std::fs::write(&ballast, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    assert!(!change(&bench, 3.45).await);
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    let status = bench.runtime.status();
    assert_eq!(status.reload.state, ReloadState::Ahead);
    assert_eq!(bench.text(), BENCH);
    let told = |now: &Status, kind: &str| now.events.iter().filter(|one| one.kind == kind).count();
    bench.until("the database has no room", |now| told(now, "history_failing") > 0).await;
    std::fs::remove_file(&ballast).unwrap();
    bench.until("it is written by itself", in_step).await;
    assert_eq!(bench.text(), volts("3.450"));
    // Once for all of it.
    let again = |now: &Status| told(now, "history_usable") + told(now, "history_works");
    bench.until("it is kept again", |now| now.history_problem.is_none() && again(now) > 0).await;
    bench.runtime.stop().await;
    assert_eq!(again(&bench.runtime.status()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_to_what_the_file_holds_is_in_step() {
    let bench = Bench::open(BENCH).await;
    let revision = bench.runtime.status().revision.clone().unwrap().id;
    let Some(_pinned) = Mount::pinned(&bench.file) else { return };
    change(&bench, 3.45).await;
    let back = Command::Rollback { revision, only: Vec::new(), author: "tester".into() };
    let Answer::Changed(applied) = bench.ask(back).await.unwrap() else { panic!() };
    assert!(applied.persisted);
    assert!(in_step(&bench.runtime.status()));
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.300");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_file_decides_and_what_it_never_got_is_told() {
    let bench = Bench::open(BENCH).await;
    let Some(pinned) = Mount::pinned(&bench.file) else { return };
    change(&bench, 3.45).await;
    let lost = bench.runtime.status().revision.clone().unwrap().id;
    bench.runtime.stop().await;
    drop(pinned);
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    let status = again.status();
    assert_eq!(&*status.text, BENCH);
    let attention = status.attention.clone().unwrap();
    assert!(attention.contains(&lost) && attention.contains("never reached"), "{attention}");
    let back = Command::Rollback { revision: lost, only: Vec::new(), author: "tester".into() };
    again.call(setpoint_runtime::Origin::Panel, back).await.unwrap();
    assert_eq!(bench.text(), volts("3.450"));
    assert_eq!(again.status().attention, None);
    again.stop().await;
    // Written after all: nothing to tell.
    bench.save(BENCH);
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    assert_eq!(again.status().attention, None);
    again.stop().await;
}

/// Whoever saves what runs has written it: nothing is missing after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn what_someone_else_saved_did_reach_the_file() {
    let bench = Bench::open(BENCH).await;
    let Some(pinned) = Mount::pinned(&bench.file) else { return };
    change(&bench, 3.45).await;
    // Nothing moves that would have it written by itself.
    bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
    drop(pinned);
    bench.save(&volts("3.450"));
    bench.ask(Command::Resume { author: "tester".into() }).await.unwrap();
    bench.until("the file holds what runs", in_step).await;
    assert_eq!((bench.told("file_written"), bench.told("file_in_step")), (0, 1));
    bench.runtime.stop().await;
    bench.save(&volts("3.600"));
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    assert_eq!(again.status().attention, None);
    again.stop().await;
}

/// What runs may not check any more when it could be written at last.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_check_any_more_is_not_written() {
    let text = BENCH.replace("[instruments.psu.set]", "label = \"${NAME}\"\n[instruments.psu.set]");
    let bench = Bench::open_with(&text, &[(".env", "NAME=bias\n")]).await;
    let Some(pinned) = Mount::pinned(&bench.file) else { return };
    bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
    change(&bench, 3.45).await;
    std::fs::remove_file(bench.file.with_file_name(".env")).unwrap();
    drop(pinned);
    let error = bench.sync().await.unwrap_err();
    assert!(matches!(error, CommandError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("does not check any more"), "{error}");
    assert_eq!(bench.text(), text);
    std::fs::write(bench.file.with_file_name(".env"), "NAME=bias\n").unwrap();
    bench.sync().await.unwrap();
    assert_eq!(bench.text(), text.replace("3.300", "3.450"));
    bench.runtime.stop().await;
}
