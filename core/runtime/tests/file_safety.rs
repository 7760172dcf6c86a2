//! What the file holds is believed when its writer has finished, and is never written over unseen.

mod common;

use std::io::Write;

use common::{BENCH, Bench, edit};
use setpoint_runtime::{Command, CommandError, ReloadState};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

/// A bench whose first half is valid by itself.
fn two_instruments() -> String {
    format!("{BENCH}\n[instruments.thermo]\ntype = \"lakeshore_335\"\naddress = \"sim:\"\n")
}

/// Promise: no half-saved file is believed. A commit that arrives while an editor writes must not
/// take the half for the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_a_save_waits_for_the_whole_file() {
    let whole = two_instruments();
    let bench = Bench::open(&whole).await;
    let (first, rest) = whole.split_at(BENCH.len());
    let mut editor = std::fs::File::create(&bench.file).unwrap();
    editor.write_all(first.as_bytes()).unwrap();
    editor.sync_all().unwrap();
    let runtime = bench.runtime.clone();
    let change = tokio::spawn(async move {
        let command = Command::Change {
            edits: vec![edit(VOLTAGE, 3.45).into()],
            message: String::new(),
            author: "tester".into(),
            if_match: None,
        };
        runtime.call(setpoint_runtime::Origin::Api, command).await
    });
    bench.until("the save is noticed", |now| now.reload.state == ReloadState::Settling).await;
    assert!(bench.runtime.status().instruments.contains_key("thermo"));
    editor.write_all(rest.as_bytes()).unwrap();
    drop(editor);
    change.await.unwrap().unwrap();
    assert_eq!(bench.text(), whole.replace("3.300", "3.450"));
    assert!(bench.runtime.status().instruments.contains_key("thermo"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_text_is_refused_and_kept() {
    let bench = Bench::open(BENCH).await;
    let bytes = b"[bench]\nname = \"Labor M\xfcnchen\"\n";
    std::fs::write(&bench.file, bytes).unwrap();
    let status =
        bench.until("it is refused", |now| now.reload.state == ReloadState::Rejected).await;
    let finding = &status.reload.diagnostics[0];
    assert_eq!(
        (finding.code.as_str(), finding.span.line, finding.span.column),
        ("not_utf8", 2, 16)
    );
    let error = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    assert_eq!(std::fs::read(&bench.file).unwrap(), bytes);
    bench.ask(Command::Sync { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.text(), BENCH);
    let versions = std::fs::read_dir(bench.runtime.folder().join("versions")).unwrap();
    let mut kept = versions.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    assert!(kept.any(|kept| kept == bytes));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_bench_writes_over_nothing() {
    let bench = Bench::open(BENCH).await;
    bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
    let edited = BENCH.replace("0.500", "0.700");
    bench.save(&edited);
    let error = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    assert_eq!(bench.text(), edited);
    bench.ask(Command::Resume { author: "tester".into() }).await.unwrap();
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    assert_eq!(bench.text(), edited.replace("3.300", "3.450"));
    bench.runtime.stop().await;
}

/// The window between looking at the file and writing it: no edit is lost, neither is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_save_while_devices_are_set_is_merged() {
    // The save falls into the seconds that setting takes.
    let text = format!("{BENCH}\n[instruments.tank]\ntype = \"slow\"\naddress = \"sim:\"\n");
    let bench = Bench::open(&text).await;
    let runtime = bench.runtime.clone();
    let change = tokio::spawn(async move {
        let command = Command::Change {
            edits: vec![edit("instruments.tank.set.level", 2.0).into()],
            message: String::new(),
            author: "tester".into(),
            if_match: None,
        };
        runtime.call(setpoint_runtime::Origin::Api, command).await
    });
    bench.until("it is being applied", |now| now.reload.state == ReloadState::Applying).await;
    let edited = text.replace("0.500", "0.700");
    bench.save(&edited);
    change.await.unwrap().unwrap();
    // The save is in effect first, the change is made again on top of it.
    let text = bench.text();
    assert!(text.starts_with(&BENCH.replace("0.500", "0.700")), "{text}");
    assert!(text.contains("level = 2.0"), "{text}");
    assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, "0.700");
    assert_eq!(bench.device("tank", "LEVEL?").await, "2.0");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_history_is_begun_again() {
    let bench = Bench::open(BENCH).await;
    std::fs::remove_dir_all(bench.runtime.folder()).unwrap();
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.450"));
    assert_eq!(bench.revisions(), 2, "what ran before the change is there too");
    let again = setpoint_runtime::Options::new(bench.file.clone());
    assert!(setpoint_runtime::Runtime::start(again).await.is_err(), "the lock is held again");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_holds_one_benchs_history() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let other = bench.file.with_file_name("other.toml");
    std::fs::write(&other, BENCH).unwrap();
    let open = |bench: &std::path::Path| {
        setpoint_runtime::Runtime::start(setpoint_runtime::Options::new(bench.to_owned()))
    };
    let error = open(&other).await.err().unwrap().to_string();
    assert!(error.contains("belongs to") && error.contains("bench.toml"), "{error}");
    // A bench that was renamed keeps its history.
    std::fs::rename(&bench.file, &other).unwrap();
    let renamed = open(&other).await.unwrap();
    assert_eq!(renamed.status().revision.as_ref().unwrap().id, "r1");
    renamed.stop().await;
}
