//! Cases of following a file that were reported of other programs, as far as they are about what
//! runs: by their numbers in the list that the watcher's own tests name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::process::Command as Process;

use common::{BENCH, Bench, edit, in_step, readback};
use setpoint_instruments::ParamValue;
use setpoint_runtime::{ReloadState, Status};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn rejected(status: &Status) -> bool {
    status.reload.state == ReloadState::Rejected
}

/// A bad file: what runs keeps its values, which are not defaults, and the program goes on.
#[tokio::test(flavor = "multi_thread")]
async fn case_30_a_bad_file_keeps_the_values_that_run() {
    let bench = Bench::open(BENCH).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    let before = bench.runtime.status();
    for bad in ["not = = toml\n", "[instruments.psu]\ntype = \"no_such_type\"\n"] {
        bench.save(bad);
        let disk = |status: &Status| rejected(status) && status.disk_text.as_deref() == Some(bad);
        let status = bench.until("it is refused", disk).await;
        assert!(!status.reload.diagnostics.is_empty());
        assert_eq!((&status.values, &status.text), (&before.values, &before.text));
        assert_eq!(status.revision, before.revision);
        assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    }
    bench.runtime.stop().await;
}

/// A text is the last good one when all of it is in effect, not when it checks.
#[tokio::test(flavor = "multi_thread")]
async fn case_32_only_what_all_devices_took_is_the_last_good_one() {
    let text = format!("{BENCH}\n[instruments.knob]\ntype = \"stuck\"\naddress = \"sim:\"\n");
    let bench = Bench::open(&text).await;
    let half = text.replace("3.300", "3.450") + "set.stuck = 3.0\n";
    bench.save(&half);
    let status = bench.until("a device refuses it", rejected).await;
    assert_eq!((bench.revisions(), &*status.text), (1, text.as_str()));
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "0.000", "taken back");
    bench.runtime.stop().await;
    // What runs instead of a broken file is what was in effect.
    bench.save("not = = toml\n");
    let bench = bench.again().await;
    assert_eq!(&*bench.runtime.status().text, text);
    bench.runtime.stop().await;
}

const OVERRIDE: &str = "SETPOINT__INSTRUMENTS__PSU__SET__CH1__VOLTAGE";

/// An override from the environment still holds after a reload. The variable is set for a process
/// of its own: this test, once more.
#[test]
fn case_34_overrides_from_the_environment_survive_a_reload() {
    let mut own = Process::new(std::env::current_exe().unwrap());
    own.env(OVERRIDE, "2.5");
    common::run_ignored("case_34_with_an_override", own);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by case_34 with a variable set"]
async fn case_34_with_an_override() {
    if std::env::var_os(OVERRIDE).is_none() {
        return;
    }
    let bench = Bench::open(BENCH).await;
    let voltage =
        |status: &Status| status.instruments["psu"].parameters["ch1.voltage"].setpoint.clone();
    assert_eq!(voltage(&bench.runtime.status()), Some(ParamValue::Float(2.5)));
    bench.save(&BENCH.replace("0.500", "0.700").replace("3.300", "3.900"));
    let limit = |status: &Status| readback(status, "psu", "ch1.current_limit");
    let status = bench.until("the reload", |now| limit(now) == Some(ParamValue::Float(0.7))).await;
    assert_eq!(voltage(&status), Some(ParamValue::Float(2.5)));
    bench.until("in step", in_step).await;
    bench.runtime.stop().await;
}

/// Comments are there after each of our own saves.
#[tokio::test(flavor = "multi_thread")]
async fn case_38_comments_survive_our_saves() {
    let text = format!("{BENCH}# about the end\n");
    let bench = Bench::open(&text).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    bench.change(vec![edit("instruments.psu.label", "Bias")]).await.unwrap();
    let saved = bench.text();
    for comment in ["# the bench of the tests\n", "3.450   # bias\n", "# about the end\n"] {
        assert!(saved.contains(comment), "{comment} in {saved}");
    }
    // And after one on top of a save that brought another.
    bench.save(&format!("{saved}# one more\n"));
    bench.change(vec![edit(VOLTAGE, 3.5)]).await.unwrap();
    assert_eq!(bench.text(), format!("{}# one more\n", saved.replace("3.450", "3.500")));
    bench.runtime.stop().await;
}
