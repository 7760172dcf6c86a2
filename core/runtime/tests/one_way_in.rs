//! Every door leads through the same stations: what runs, what the file says and what is kept
//! agree afterwards, or nothing changed.

mod common;

use common::{BENCH, Bench, edit, readback};
use setpoint_bench::Edit;
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Answer, Command, CommandError, Keep, Origin, ReloadState, Status};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_device_file_and_history() {
    let bench = Bench::open(BENCH).await;
    let revisions = bench.revisions();
    let answer = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    let Answer::Changed(applied) = answer else { panic!("{answer:?}") };
    assert_eq!(applied.changes.len(), 1);
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!(bench.text(), BENCH.replace("3.300   # bias", "3.450   # bias"));
    assert_eq!(bench.revisions(), revisions + 1);
    let status = bench.runtime.status();
    assert_eq!(status.revision.as_ref().unwrap().id, applied.revision.id);
    assert_eq!(status.reload.state, ReloadState::InStep);
    let kept = bench.runtime.revision_text(&applied.revision.id).await.unwrap();
    assert_eq!(&*kept, bench.text());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_restores_file_device_and_is_a_revision() {
    let bench = Bench::open(BENCH).await;
    let first = bench.runtime.status().revision.clone().unwrap();
    bench.change(vec![edit(VOLTAGE, 3.3)]).await.unwrap();
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap();
    let rollback =
        Command::Rollback { revision: first.id.clone(), only: Vec::new(), author: "tester".into() };
    bench.ask(rollback).await.unwrap();
    assert_eq!(bench.text(), BENCH);
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.300");
    let now = bench.runtime.status().revision.clone().unwrap();
    assert_ne!(now.id, first.id);
    assert_eq!(now.hash, first.hash);
    assert_eq!(now.origin, Origin::Rollback);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_of_one_key_leaves_the_others() {
    let bench = Bench::open(BENCH).await;
    let first = bench.runtime.status().revision.clone().unwrap();
    let limit = "instruments.psu.set.ch1.current_limit";
    bench.change(vec![edit(VOLTAGE, 3.45), edit(limit, 0.8)]).await.unwrap();
    let only = vec![VOLTAGE.parse().unwrap()];
    let rollback = Command::Rollback { revision: first.id, only, author: "tester".into() };
    bench.ask(rollback).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("0.500", "0.800"));
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.300");
    assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, "0.800");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_file_reaches_the_device() {
    let bench = Bench::open(BENCH).await;
    bench.save(&BENCH.replace("3.300", "3.600"));
    let status = bench
        .until("3.6 V read back", |status| {
            readback(status, "psu", "ch1.voltage") == Some(ParamValue::Float(3.6))
                && status.reload.applied == 1
        })
        .await;
    assert_eq!(status.reload.last.as_ref().unwrap().origin, Origin::File);
    assert_eq!(status.reload.state, ReloadState::InStep);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_leaves_no_trace_and_a_good_one_follows() {
    let bench = Bench::open(BENCH).await;
    let revisions = bench.revisions();
    bench.save(&BENCH.replace("3.300", "52.0"));
    let status = bench
        .until("the file is refused", |status| status.reload.state == ReloadState::Rejected)
        .await;
    let finding = &status.reload.diagnostics[0];
    assert_eq!((finding.code.as_str(), finding.span.line), ("out_of_range", 10));
    assert_eq!(status.revisions.len(), revisions);
    // A commit would write over the expert's edit.
    let refused = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
    assert!(matches!(refused, CommandError::Conflict { .. }), "{refused}");
    bench.save(&BENCH.replace("3.300", "3.500"));
    bench
        .until("the next good file is applied", |status| {
            status.reload.state == ReloadState::InStep && status.text.contains("3.500")
        })
        .await;
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.500");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_ones_own_keeps_the_refused_text_too() {
    let bench = Bench::open(BENCH).await;
    let bad = BENCH.replace("3.300", "52.0");
    bench.save(&bad);
    bench.until("refused", |status| status.reload.state == ReloadState::Rejected).await;
    bench.ask(Command::Sync { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.text(), BENCH);
    let versions = bench.runtime.folder().join("versions");
    let mut refused = std::fs::read_dir(versions).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?.to_owned();
        name.starts_with("refused-").then(|| std::fs::read_to_string(path).unwrap())
    });
    assert_eq!(refused.next().as_deref(), Some(bad.as_str()));
    bench.runtime.stop().await;
}

/// Promise: all or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing() {
    let text = format!(
        "{BENCH}\n[instruments.knob]\ntype = \"stuck\"\naddress = \"sim:\"\n\n\
         [instruments.knob.set]\nstuck = 7.0\n"
    );
    let bench = Bench::open(&text).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    let before = (bench.text(), bench.revisions());
    let edits = vec![edit(VOLTAGE, 5.0), edit("instruments.knob.set.stuck", 2.0)];
    let error = bench.change(edits).await.unwrap_err();
    let CommandError::Failed { message } = &error else { panic!("{error:?}") };
    assert!(message.contains("stuck"), "{message}");
    assert!(message.contains("psu.ch1.voltage back to 3.45"), "{message}");
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!((bench.text(), bench.revisions()), before);
    assert!(!bench.runtime.folder().join("journal.toml").exists());
    bench.runtime.stop().await;
}

/// Promise: no edit is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_edit_is_merged_with_what_is_staged() {
    let bench = Bench::open(BENCH).await;
    bench
        .ask(Command::Stage { transaction: None, edits: vec![edit(VOLTAGE, 3.45)] })
        .await
        .unwrap();
    let staged = &bench.runtime.status().transactions[0];
    assert!(staged.ok);
    assert_eq!(staged.changes.len(), 1);
    bench.save(&BENCH.replace("0.500", "0.700"));
    bench.until("the file edit runs", |status| status.text.contains("0.700")).await;
    let commit =
        Command::Commit { transaction: None, message: "both".into(), author: "tester".into() };
    bench.ask(commit).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("0.500", "0.700").replace("3.300", "3.450"));
    assert!(bench.runtime.status().transactions.is_empty());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clash_is_shown_and_decided_by_a_person() {
    let bench = Bench::open(BENCH).await;
    bench
        .ask(Command::Stage { transaction: None, edits: vec![edit(VOLTAGE, 3.45)] })
        .await
        .unwrap();
    bench.save(&BENCH.replace("3.300", "3.200"));
    let status = bench
        .until("a clash", |status| {
            status.transactions.first().is_some_and(|open| open.edits[0].clash.is_some())
        })
        .await;
    assert_eq!(status.reload.state, ReloadState::Conflict);
    let commit =
        || Command::Commit { transaction: None, message: String::new(), author: "tester".into() };
    let error = bench.ask(commit()).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    let path = VOLTAGE.parse().unwrap();
    bench.ask(Command::Resolve { transaction: None, path, keep: Keep::Mine }).await.unwrap();
    bench.ask(commit()).await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_caller_is_told() {
    let bench = Bench::open(BENCH).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    let stale = Command::Change {
        edits: vec![edit(VOLTAGE, 3.5).into()],
        message: String::new(),
        author: "tester".into(),
        if_match: Some("r1".into()),
    };
    let error = bench.ask(stale).await.unwrap_err();
    assert!(matches!(error, CommandError::Stale { .. }), "{error}");
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instrument_comes_and_goes_with_its_table() {
    let bench = Bench::open(BENCH).await;
    let address = setpoint_bench::Value::from("sim:");
    let table = [
        ("type".to_owned(), setpoint_bench::Value::from("lakeshore_335")),
        ("address".to_owned(), address),
    ];
    let thermo = setpoint_bench::Value::Table(table.into_iter().collect());
    bench.change(vec![edit("instruments.thermo", thermo)]).await.unwrap();
    bench
        .until("thermo answers", |status| readback(status, "thermo", "a.temperature").is_some())
        .await;
    let path = "instruments.thermo".parse().unwrap();
    bench.change(vec![Edit { path, value: None }]).await.unwrap();
    assert!(!bench.runtime.status().instruments.contains_key("thermo"));
    assert_eq!(bench.text().trim_end(), BENCH.trim_end());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_starts_with_its_last_good_revision() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    bench.save("this is not TOML [");
    let options = setpoint_runtime::Options::new(bench.file.clone());
    let again = setpoint_runtime::Runtime::start(options).await.unwrap();
    let status = again.status();
    assert_eq!(&*status.text, BENCH);
    assert_eq!(status.reload.state, ReloadState::Rejected);
    assert!(status.reload.diagnostics.iter().any(|finding| finding.code == "syntax"));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_file_is_not_an_empty_one() {
    let bench = Bench::open(BENCH).await;
    std::fs::remove_file(&bench.file).unwrap();
    bench.until("the file is missed", |status| status.reload.state == ReloadState::Ahead).await;
    assert!(bench.runtime.status().instruments.contains_key("psu"));
    bench.save(BENCH);
    bench.until("it is back", |status| status.reload.state == ReloadState::InStep).await;
    bench.runtime.stop().await;
}

/// A readback may lie outside limits that the failed change brought, and is put back all the same.
#[tokio::test(flavor = "multi_thread")]
async fn undo_knows_no_limits_and_energises_last() {
    let text = format!(
        "{BENCH}ch1.output = \"on\"\n\n[instruments.psu.limits]\nch1.voltage = [0.0, 12.0]\n\n\
         [instruments.knob]\ntype = \"stuck\"\naddress = \"sim:\"\n"
    );
    let bench = Bench::open(&text.replace("\"on\"", "\"off\"")).await;
    let output = "instruments.psu.set.ch1.output";
    bench.change(vec![edit(VOLTAGE, 5.0), edit(output, "on")]).await.unwrap();
    let limits = setpoint_bench::Value::Array(vec![0.0.into(), 3.0.into()]);
    let edits = vec![
        edit("instruments.psu.limits.ch1.voltage", limits),
        edit(VOLTAGE, 2.0),
        edit(output, "off"),
        edit("instruments.knob.set.stuck", 2.0),
    ];
    let error = bench.change(edits).await.unwrap_err();
    assert!(error.to_string().contains("the bench is as it was"), "{error}");
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "5.000");
    assert_eq!(bench.device("psu", ":OUTP? CH1").await, "ON");
    assert_eq!(bench.runtime.status().attention, None);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_counts_before_the_callers_expectation() {
    let bench = Bench::open(BENCH).await;
    bench.save(&BENCH.replace("0.500", "0.700"));
    let stale = Command::Replace {
        text: BENCH.replace("3.300", "3.450"),
        author: "tester".into(),
        if_match: Some("r1".into()),
    };
    let error = bench.ask(stale).await.unwrap_err();
    assert!(matches!(error, CommandError::Stale { .. }), "{error}");
    assert_eq!(bench.text(), BENCH.replace("0.500", "0.700"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resuming_does_not_apply_what_nobody_asked_for() {
    let text =
        BENCH.replace("[instruments.psu]", "[runtime]\nhot_reload = \"off\"\n\n[instruments.psu]");
    let bench = Bench::open(&text).await;
    bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap();
    bench.save(&text.replace("3.300", "4.000"));
    bench.until("it waits", |now| now.reload.state == ReloadState::Paused).await;
    bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
    bench.ask(Command::Resume { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.500");
    bench.ask(Command::Reload { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "4.000");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_what_runs_writes_a_file_that_is_gone() {
    let bench = Bench::open(BENCH).await;
    std::fs::remove_file(&bench.file).unwrap();
    bench.until("the file is missed", |now| now.reload.state == ReloadState::Ahead).await;
    let revision = bench.runtime.status().revision.clone().unwrap().id;
    let only = Vec::new();
    bench.ask(Command::Rollback { revision, only, author: "tester".into() }).await.unwrap();
    assert_eq!(bench.text(), BENCH);
    assert_eq!(bench.runtime.status().reload.state, ReloadState::InStep);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_by_rule_is_told() {
    let text =
        BENCH.replace("address = \"sim:\"", "address = \"sim:\"\non_reconnect = \"reapply\"");
    let bench = Bench::open(&text).await;
    let status = bench
        .until("the rule's writing is told", |now| {
            now.events.iter().any(|event| event.kind == "setpoints_applied")
        })
        .await;
    let told = status.events.iter().find(|event| event.kind == "setpoints_applied").unwrap();
    assert_eq!(told.origin, Origin::Bench);
    assert!(told.message.contains("ch1.voltage") && told.message.contains("3.3"), "{told:?}");
    let audit = std::fs::read_to_string(bench.runtime.folder().join("audit.log")).unwrap();
    assert!(audit.contains("setpoints_applied"), "{audit}");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_waits_for_the_end_of_a_pause_is_told() {
    let bench = Bench::open(BENCH).await;
    bench.ask(Command::Pause { author: "tester".into() }).await.unwrap();
    bench.save(&BENCH.replace("3.300", "4.000"));
    let waits = |now: &Status| {
        let problem = now.reload.problem.as_deref().unwrap_or_default();
        now.reload.state == ReloadState::Paused && problem.contains("not in effect yet")
    };
    bench.until("it is said that an edit waits", waits).await;
    bench.save(BENCH);
    bench.until("it was taken back", |now| now.reload.problem.is_none()).await;
    assert_eq!(bench.runtime.status().reload.state, ReloadState::Paused);
    bench.save(&BENCH.replace("3.300", "4.000"));
    bench.until("it is said that an edit waits", waits).await;
    let before = bench.device("psu", ":SOUR1:VOLT?").await;
    assert_eq!(before, "0.000", "nothing was set");
    bench.ask(Command::Resume { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "4.000");
    assert_eq!(bench.runtime.status().reload.state, ReloadState::InStep);
    bench.runtime.stop().await;
}
