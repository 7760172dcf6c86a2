//! What can happen to a bench's folder and clock while it runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, process::Command as Process};

use common::{BENCH, Bench, edit, in_step, readback};
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Answer, Command, ReloadState, Status};
use setpoint_store::{BenchFolder, TextHash};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn ahead(status: &Status) -> bool {
    status.reload.state == ReloadState::Ahead
}

/// With its history: nothing is made anew in its place, and what ran meanwhile is written and kept
/// when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_renamed_away_and_put_back() {
    let bench = Bench::open(BENCH).await;
    bench.change(vec![edit(VOLTAGE, 3.4)]).await.unwrap();
    let away = bench.folder().with_extension("away");
    fs::rename(bench.folder(), &away).unwrap();
    bench.until("it is missed", ahead).await;
    let Answer::Changed(applied) = bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap() else {
        panic!()
    };
    assert!(!applied.persisted && !bench.folder().exists());
    let asked = |now: &Status| readback(now, "psu", "ch1.voltage") == Some(ParamValue::Float(3.5));
    bench.until("the device has it", asked).await;
    fs::rename(&away, bench.folder()).unwrap();
    let whole = |now: &Status| in_step(now) && now.history_problem.is_none();
    let status = bench.until("all is back", whole).await;
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.500"));
    let ids: Vec<&str> = status.revisions.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids, applied.revision.id.as_str()), (vec!["r3", "r2", "r1"], "r3"));
    bench.runtime.stop().await;
}

/// Writing is tried again by itself, and once more when the bench ends before that.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_is_written_at_the_end() {
    let bench = Bench::open(BENCH).await;
    bench.ask(Command::Pause { author: "t".into() }).await.unwrap();
    let away = bench.folder().with_extension("away");
    fs::rename(bench.folder(), &away).unwrap();
    let Answer::Changed(applied) = bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap() else {
        panic!()
    };
    assert!(!applied.persisted);
    fs::rename(&away, bench.folder()).unwrap();
    bench.runtime.stop().await;
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.500"));
    let kept = fs::read_dir(BenchFolder::of(&bench.file).versions()).unwrap();
    let texts = kept.filter_map(|one| fs::read_to_string(one.unwrap().path()).ok());
    assert!(texts.into_iter().any(|text| text == bench.text()), "the history has it");
}

/// The rights of a folder mean nothing to root: then this is run once more by someone else.
#[test]
fn rights_that_are_lost_while_it_runs() {
    let own = std::env::current_exe().unwrap();
    let root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut process = if root {
        let mut process = Process::new("setpriv");
        process.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(own);
        process
    } else {
        Process::new(own)
    };
    process.env("HOME", "/nonexistent");
    common::run_ignored("rights_are_lost_and_given_back", process);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, and not by root"]
async fn rights_are_lost_and_given_back() {
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        return;
    }
    let bench = Bench::open(BENCH).await;
    let allow = |mode: u32| {
        for folder in [bench.runtime.folder().join("versions"), bench.folder().to_owned()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o555);
    let Answer::Changed(applied) = bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap() else {
        panic!()
    };
    assert!(!applied.persisted);
    let status = bench.runtime.status();
    assert!(ahead(&status) && status.history_problem.is_some());
    let cause = &status.reload.ahead.as_ref().unwrap().cause;
    assert!(cause.contains("check who may write to its folder"), "{cause}");
    assert_eq!(readback(&status, "psu", "ch1.voltage"), Some(ParamValue::Float(3.5)));
    assert_eq!(bench.text(), BENCH);
    allow(0o755);
    let whole = |now: &Status| in_step(now) && now.history_problem.is_none();
    bench.until("it is written by itself", whole).await;
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.500"));
    bench.runtime.stop().await;
}

/// Deleting the folder loses history, and numbers go on: what runs is kept again as the revision that
/// it is, before a change.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_kept_again_where_the_folder_is_gone() {
    for replaced in [false, true] {
        let bench = Bench::open(BENCH).await;
        bench.change(vec![edit(VOLTAGE, 3.4)]).await.unwrap();
        let before = bench.runtime.status().revision.clone().unwrap();
        let folder = BenchFolder::of(&bench.file);
        fs::rename(folder.path(), bench.folder().join("away")).unwrap();
        if replaced {
            fs::create_dir_all(folder.versions()).unwrap();
        }
        let edits = vec![setpoint_bench::TextEdit::Put(edit(VOLTAGE, 3.5))];
        let (message, author, if_match) = (String::new(), "ada".into(), Some("r2".into()));
        bench.ask(Command::Change { edits, message, author, if_match }).await.unwrap();
        let ids = |bench: &Bench| {
            let status = bench.runtime.status();
            status.revisions.iter().map(|one| one.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&bench), ["r3", "r2"], "replaced: {replaced}");
        assert_eq!(bench.runtime.status().revisions[1], before);
        let text = |volts: &str| BENCH.replace("3.300", volts);
        assert_eq!(*bench.runtime.revision_text("r2").await.unwrap(), text("3.400"));
        let revision = "r2".to_owned();
        bench.ask(Command::Rollback { revision, only: vec![], author: "t".into() }).await.unwrap();
        assert_eq!(bench.text(), text("3.400"));
        assert_eq!(bench.told("history_lost"), 1);
        bench.runtime.stop().await;
        assert!(setpoint_store::audit::verify(&folder.audit()).is_ok());
        let bench = bench.again().await;
        assert_eq!(ids(&bench), ["r4", "r3", "r2"]);
        assert_eq!(bench.runtime.status().revisions[2], before);
        bench.runtime.stop().await;
    }
}

/// A clock that was ahead when revisions were kept, and is right again: later ones are later.
#[tokio::test(flavor = "multi_thread")]
async fn revisions_from_the_future_stay_in_their_order() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let folder = BenchFolder::of(&bench.file);
    // The log is lost, and files alone make the list.
    fs::remove_dir_all(folder.path()).unwrap();
    fs::create_dir_all(folder.versions()).unwrap();
    let old = |volts: &str| BENCH.replace("3.300", volts);
    for (year, volts) in [(2126, "1.000"), (2127, "2.000")] {
        let hash = TextHash::of(old(volts)).short();
        let name = format!("config-{year}0101T000000.000Z-{hash}.toml");
        fs::write(folder.versions().join(name), old(volts)).unwrap();
    }
    let bench = bench.again().await;
    bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap();
    bench.runtime.stop().await;
    let bench = bench.again().await;
    let status = bench.runtime.status();
    let ids: Vec<&str> = status.revisions.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["r4", "r3", "r2", "r1"]);
    assert_eq!(status.revision.as_ref().unwrap().id, "r4");
    assert_eq!(*bench.runtime.revision_text("r1").await.unwrap(), old("1.000"));
    let back = Command::Rollback { revision: "r2".into(), only: Vec::new(), author: "t".into() };
    bench.ask(back).await.unwrap();
    assert_eq!(bench.text(), old("2.000"));
    assert_eq!(bench.runtime.status().revision.as_ref().unwrap().id, "r5");
    bench.runtime.stop().await;
}
