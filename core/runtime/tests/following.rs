//! How saves are followed, as the bench file wants it, while everything runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use common::{BENCH, Bench, edit};
use setpoint_bench::Value;
use setpoint_runtime::{CommandError, ReloadState, Status};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn with_runtime(line: &str) -> String {
    BENCH.replace("[instruments.psu]", &format!("[runtime]\n{line}\n\n[instruments.psu]"))
}

fn asked_to_poll(status: &Status) -> bool {
    status.reload.watch.polling.as_ref().is_some_and(|why| why.contains("asked for"))
}

#[tokio::test(flavor = "multi_thread")]
async fn how_the_file_is_watched_changes_while_it_is() {
    let bench = Bench::open(BENCH).await;
    assert!(!asked_to_poll(&bench.runtime.status()));
    for watch in ["poll", "native", "poll", "auto"] {
        bench.change(vec![edit("runtime.watch", watch)]).await.unwrap();
        bench.until(watch, |now| asked_to_poll(now) == (watch == "poll")).await;
        // A save is noticed all the same.
        let text = bench.text();
        let volts = if text.contains("3.300") { "3.450" } else { "3.300" };
        bench.save(&text.replace("3.300", volts).replace("3.450", volts));
        let asked = format!("= {volts}");
        bench.until("a save", |now| now.text.contains(&asked)).await;
    }
    bench.runtime.stop().await;
    let bench = Bench::open(&with_runtime("watch = \"poll\"")).await;
    bench.until("from the start", asked_to_poll).await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quiet_time_changes_while_it_runs() {
    let text =
        with_runtime("quiet = \"1500ms\"").replace("[bench]", "[bench]\ninclude = [\"more.toml\"]");
    // Where there are several files, every save waits for it.
    let bench = Bench::open_with(&text, &[("more.toml", "# more\n")]).await;
    let settled = async |volts: &str| {
        let before = bench.runtime.status().reload.applied;
        let text = bench.text();
        let line = text.lines().find(|line| line.starts_with("ch1.voltage")).unwrap();
        bench.save(&text.replace(line, &format!("ch1.voltage = {volts}")));
        let status = bench.until(volts, |now| now.reload.applied > before).await;
        status.reload.last.as_ref().unwrap().timings_ms.settle
    };
    let long = settled("3.4").await;
    assert!(long >= 1_500.0, "{long}");
    bench.change(vec![edit("runtime.quiet", "20ms")]).await.unwrap();
    let short = settled("3.5").await;
    assert!(short < 1_500.0, "{short}");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_edit_waits_for_an_operator_with_its_differences() {
    let text = with_runtime("hot_reload = \"propose\"");
    let bench = Bench::open(&text).await;
    let proposed = |status: &Status| status.reload.state == ReloadState::Proposed;
    let edited = text.replace("3.300", "3.450");
    bench.save(&edited);
    let status = bench.until("it waits", proposed).await;
    assert_eq!(status.disk_text.as_deref(), Some(edited.as_str()));
    let problem = status.reload.problem.clone().unwrap();
    assert!(problem.contains("psu.ch1.voltage 3.3 → 3.45"), "{problem}");
    assert_eq!(bench.told("reload_proposed"), 1);
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "0.000", "as it was when it was opened");
    let error = bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    assert_eq!(bench.text(), edited);
    // What does not check is no proposal.
    bench.save("not = = toml\n");
    let rejected = |status: &Status| status.reload.state == ReloadState::Rejected;
    let status = bench.until("it is refused", rejected).await;
    assert_eq!((status.reload.rejected, status.reload.diagnostics.is_empty()), (1, false));
    bench.save(&edited);
    bench.until("it waits again", proposed).await;
    bench.reload().await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!(bench.runtime.status().reload.state, ReloadState::InStep);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_that_are_not_followed_are_noticed_and_never_written_over() {
    let text = with_runtime("hot_reload = \"off\"");
    let bench = Bench::open(&text).await;
    let status = bench.runtime.status();
    assert!(status.reload.watch.off && status.reload.state == ReloadState::InStep);
    // Not even looked into.
    bench.save("not = = toml\n");
    let differs = |status: &Status| status.reload.state == ReloadState::Paused;
    let status = bench.until("the file differs", differs).await;
    assert_eq!((status.reload.rejected, status.reload.question.is_none()), (0, true));
    assert!(status.reload.problem.as_ref().unwrap().contains("not followed"));
    let error = bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    assert_eq!(bench.text(), "not = = toml\n");
    bench.reload().await.unwrap_err();
    bench.save(&text);
    bench.until("in step", |now| now.reload.state == ReloadState::InStep).await;
    // One that nobody has told of yet is not written over either.
    bench.save(&text.replace("0.500", "0.700"));
    bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap_err();
    assert_eq!(bench.text(), text.replace("0.500", "0.700"));
    bench.reload().await.unwrap();
    assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, "0.700");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_an_edit_is_proposed_unless_the_file_says_otherwise() {
    let text = "[bench]\nenvironment = \"production\"\n[sources.a]\ntype = \"test_pattern\"\n";
    let bench = Bench::open(text).await;
    bench.save(&format!("{text}label = \"A\"\n"));
    bench.until("it waits", |now| now.reload.state == ReloadState::Proposed).await;
    let apply = format!("{text}[runtime]\nhot_reload = \"apply\"\n");
    bench.save(&apply);
    let waits = |status: &Status| status.disk_text.as_deref() == Some(apply.as_str());
    bench.until("that waits too", waits).await;
    bench.reload().await.unwrap();
    bench.save(&apply.replace("[runtime]", "label = \"A\"\n[runtime]"));
    let path = "sources.a.label".parse().unwrap();
    let label = |status: &Status| status.values.get(&path) == Some(&Value::from("A"));
    bench.until("it is applied", label).await;
    bench.runtime.stop().await;
}
