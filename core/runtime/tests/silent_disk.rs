//! A disk that never answers again: what is kept of the bench hangs for ever, and the bench runs on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::{process::Command as Program, time::Duration};

use common::{BENCH, PATIENCE, edit};
use setpoint_bench::TextEdit;
use setpoint_runtime::{Answer, Command, CommandError, Options, Origin, ReloadState, Runtime};
use tokio::time::timeout;

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const SILENT: &str = "the disk has not answered since ";

async fn ask(runtime: &Runtime, origin: Origin, command: Command) -> Result<Answer, CommandError> {
    let asked = timeout(PATIENCE, runtime.call(origin, command)).await;
    asked.unwrap_or_else(|_| panic!("the bench hangs with its disk"))
}

fn stage(volts: f64) -> Command {
    Command::Stage { transaction: None, edits: vec![edit(VOLTAGE, volts)] }
}

fn begin() -> Command {
    Command::Begin { message: String::new(), author: "tester".into() }
}

fn change(volts: f64) -> Command {
    let edits = vec![TextEdit::Put(edit(VOLTAGE, volts))];
    Command::Change { edits, message: String::new(), author: "tester".into(), if_match: None }
}

async fn runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    std::fs::write(&file, BENCH).unwrap();
    // Longer than a disk takes that works.
    let disk_patience = Duration::from_secs(3);
    let options = Options { disk_patience, ..Options::new(&file) };
    let runtime = Runtime::start(options).await.unwrap();

    // Whoever reads a pipe into which nobody writes waits for ever.
    let log = runtime.folder().join("audit.log");
    std::fs::remove_file(&log).unwrap();
    assert!(Program::new("mkfifo").arg(&log).status().unwrap().success());
    let note = ask(&runtime, Origin::Api, begin()).await;
    // The first that writes into the log hangs there.
    let applied = ask(&runtime, Origin::Api, change(2.0)).await.unwrap();
    let Answer::Changed(applied) = applied else { panic!("{applied:?}") };
    assert!(note.is_ok(), "{note:?}");
    let refused = ask(&runtime, Origin::Api, begin()).await.unwrap_err();
    assert!(matches!(&refused, CommandError::Storage { message } if message.contains(SILENT)));

    // A person goes on with what is staged, and what is staged can be committed.
    let first = ask(&runtime, Origin::Panel, stage(2.5)).await.unwrap();
    let Answer::Transaction(first) = first else { panic!("{first:?}") };
    assert!(first.ok, "{first:?}");
    let commit =
        Command::Commit { transaction: None, message: String::new(), author: "tester".into() };
    let committed = ask(&runtime, Origin::Panel, commit).await.unwrap();
    let Answer::Changed(committed) = committed else { panic!("{committed:?}") };
    assert_ne!(committed.revision.id, applied.revision.id);
    let second = ask(&runtime, Origin::Panel, stage(3.0)).await.unwrap();
    let Answer::Transaction(second) = second else { panic!("{second:?}") };
    assert_ne!(first.id, second.id);

    let status = runtime.status();
    assert_eq!(status.reload.state, ReloadState::Ahead);
    assert!(status.history_problem.as_ref().is_some_and(|why| why.contains(SILENT)));
    // Back to where it began, which is kept beside what hangs.
    let discard = Command::Discard { transaction: Some(second.id.clone()) };
    ask(&runtime, Origin::Panel, discard).await.unwrap();
    let author = "tester".to_owned();
    let back = Command::Rollback { revision: "r1".into(), only: Vec::new(), author };
    let back = ask(&runtime, Origin::Panel, back).await.unwrap();
    assert!(matches!(back, Answer::Changed(_)), "{back:?}");
    assert_eq!(&*runtime.status().text, BENCH);
    // What ends does so in turn, as far as it can; the rest says what it is.
    let stopped = timeout(Duration::from_secs(10), runtime.stop());
    assert!(stopped.await.is_err(), "the folder cannot be left");
    assert_eq!(runtime.ends_after(), "leaving the bench's folder .setpoint");
}

#[test]
fn a_disk_that_never_answers_again_stops_nothing_but_what_it_keeps() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(runs_on());
    // The thread that hangs would be waited for.
    runtime.shutdown_background();
}
