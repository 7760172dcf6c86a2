//! What may be half a save, or a deletion, is asked about; what fails over and over is held back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::path::PathBuf;

use common::{BENCH, Bench, edit, in_step};
use setpoint_runtime::{CommandError, Options, ReloadState, Runtime, Status};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const THERMO: &str = "\n[instruments.thermo]\ntype = \"lakeshore_335\"\naddress = \"sim:\"\n";

fn asked(status: &Status) -> bool {
    status.reload.state == ReloadState::Proposed && status.reload.question.is_some()
}

fn two() -> String {
    format!("{BENCH}{THERMO}")
}

/// The first of two instruments goes, so that what is left is no beginning.
fn without_psu() -> String {
    format!("# the bench of the tests\n[bench]\nname = \"Test bench\"\n{THERMO}")
}

fn beside(bench: &Bench, name: &str) -> PathBuf {
    bench.folder().join(name)
}

fn save_beside(bench: &Bench, name: &str, text: &str) {
    let aside = beside(bench, "aside");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(&aside, beside(bench, name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_asked_about_and_what_runs_can_be_kept() {
    let bench = Bench::open(&two()).await;
    bench.save("");
    let status = bench.until("it is asked about", asked).await;
    let question = status.reload.question.clone().unwrap();
    assert!(question.message.contains("2 of 2 instruments"), "{question:?}");
    assert_eq!(question.removed, ["instruments.psu", "instruments.thermo"]);
    assert_eq!(bench.told("reload_asked"), 1);
    let error = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    bench.sync().await.unwrap();
    assert_eq!(bench.text(), two());
    let status = bench.runtime.status();
    assert!(in_step(&status) && status.reload.question.is_none());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_is_asked_about_and_can_be_meant() {
    let bench = Bench::open(&two()).await;
    bench.save(BENCH);
    bench.until("it is asked about", asked).await;
    assert!(bench.runtime.status().instruments.contains_key("thermo"));
    bench.reload().await.unwrap();
    let status = bench.runtime.status();
    assert!(in_step(&status) && !status.instruments.contains_key("thermo"));
    assert_eq!(bench.text(), BENCH);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_text_answers_by_itself() {
    let bench = Bench::open(&two()).await;
    std::fs::write(&bench.file, BENCH).unwrap();
    bench.until("it is asked about", asked).await;
    std::fs::write(&bench.file, two()).unwrap();
    bench.until("in step", in_step).await;
    assert!(bench.runtime.status().instruments.contains_key("thermo"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_fifth_is_asked_about_unless_it_is_one_and_renamed_into_place() {
    let bench = Bench::open(&two()).await;
    std::fs::write(&bench.file, without_psu()).unwrap();
    let status = bench.until("it is asked about", asked).await;
    assert_eq!(status.reload.question.as_ref().unwrap().removed, ["instruments.psu"]);
    bench.sync().await.unwrap();
    bench.save(&format!("{}# meant\n", without_psu()));
    bench.until("it is gone", |status| !status.instruments.contains_key("psu")).await;
    bench.until("in step", in_step).await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resuming_asks_too() {
    let bench = Bench::open(&two()).await;
    bench.ask(setpoint_runtime::Command::Pause { author: "tester".into() }).await.unwrap();
    bench.save(BENCH);
    bench.ask(setpoint_runtime::Command::Resume { author: "tester".into() }).await.unwrap();
    bench.until("it is asked about", asked).await;
    assert!(bench.runtime.status().instruments.contains_key("thermo"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_start_the_newest_revision_runs_instead_of_a_torn_file() {
    let bench = Bench::open(&two()).await;
    bench.runtime.stop().await;
    for torn in ["", BENCH] {
        bench.save(torn);
        let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
        let status = again.status();
        assert_eq!(*status.text, two());
        assert!(asked(&status), "{:?}", status.reload);
        again.stop().await;
        assert_eq!(bench.text(), torn);
    }
    // What someone edited at leisure runs.
    bench.save(&without_psu());
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    assert!(in_step(&again.status()) && !again.status().instruments.contains_key("psu"));
    again.stop().await;
}

const MAIN: &str = "[bench]\nname = \"Table\"\ninclude = [\"parts/*.toml\"]\n\n[instruments.psu]\n\
                    type = \"rigol_dp832\"\naddress = \"sim:\"\n";

async fn with_part(part: &str) -> Bench {
    let bench = Bench::open(MAIN).await;
    std::fs::create_dir(beside(&bench, "parts")).unwrap();
    save_beside(&bench, "parts/one.toml", part);
    let there = |status: &Status| status.instruments.contains_key("thermo") && in_step(status);
    bench.until("the part", there).await;
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_gone_or_empty_or_cut_off_is_asked_about() {
    let part = format!("[sources.one]\ntype = \"test_pattern\"\n{THERMO}");
    let bench = with_part(&part).await;
    let path = beside(&bench, "parts/one.toml");
    type Act<'a> = Box<dyn Fn() + 'a>;
    let acts: [(&str, Act<'_>); 3] = [
        ("gone", Box::new(|| std::fs::remove_file(&path).unwrap())),
        ("empty", Box::new(|| std::fs::write(&path, "").unwrap())),
        ("breaks off", Box::new(|| std::fs::write(&path, part.replace(THERMO, "")).unwrap())),
    ];
    for (what, act) in acts {
        act();
        let status = bench.until(what, asked).await;
        let question = status.reload.question.clone().unwrap();
        assert!(
            question.message.contains(&format!("parts/one.toml {what}"))
                || question.message.contains(&format!("parts/one.toml is {what}")),
            "{question:?}"
        );
        assert!(status.instruments.contains_key("thermo"));
        bench.sync().await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), part);
        assert!(in_step(&bench.runtime.status()));
    }
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_edited_while_the_bench_file_is_gone_is_not_written_over() {
    let bench = with_part(&format!("# one\n{THERMO}")).await;
    std::fs::remove_file(&bench.file).unwrap();
    let edited = format!("# two\n{THERMO}enabled = false\n");
    save_beside(&bench, "parts/one.toml", &edited);
    bench.change(vec![edit("instruments.thermo.label", "Cold")]).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(beside(&bench, "parts/one.toml")).unwrap(), edited);
    assert!(!bench.file.exists());
    bench.runtime.stop().await;
}

const SECRET: &str = "[instruments.psu]\ntype = \"rigol_dp832\"\naddress = \"${secret:WHERE}\"\n\
                      label = \"${NAME:-none}\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn refused_variables_are_not_forgotten_and_gone_ones_are_asked_about() {
    let bench = Bench::open_with(SECRET, &[(".env", "WHERE='sim:'\n")]).await;
    save_beside(&bench, ".env", "WHERE='nonsense:x'\n");
    let rejected = |status: &Status| status.reload.state == ReloadState::Rejected;
    bench.until("refused", rejected).await;
    // The bench file is looked at again and holds what runs: that mends nothing.
    bench.save(&format!("{SECRET}# more\n"));
    bench.save(SECRET);
    let error = bench.change(vec![edit("instruments.psu.poll_interval", "2s")]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    assert_eq!(bench.text(), SECRET);
    save_beside(&bench, ".env", "WHERE='sim:'\n");
    bench.until("mended", in_step).await;
    bench.runtime.stop().await;
}

/// Voltages and a limit from `.env`, each of which would be another without the rest of it.
const VALUES: &str = "SETPOINT__INSTRUMENTS__PSU__SET__CH2__VOLTAGE=1.5\n\
                      SETPOINT__INSTRUMENTS__PSU__SET__CH2__CURRENT_LIMIT=0.7\n\
                      SETPOINT__INSTRUMENTS__PSU__SET__CH3__VOLTAGE=1.5\n";

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_are_empty_or_cut_off_are_asked_about_however_they_were_saved() {
    let bench = Bench::open_with(BENCH, &[(".env", VALUES)]).await;
    let path = beside(&bench, ".env");
    let revisions = bench.revisions();
    let first = VALUES.lines().next().unwrap();
    for (text, what) in [
        (String::new(), ".env is empty"),
        (format!("{first}\n"), ".env breaks off in line 1 of what it held"),
        (VALUES[..VALUES.len() - 3].to_owned(), ".env breaks off in line 3 of what it held"),
    ] {
        for renamed in [false, true] {
            match renamed {
                true => save_beside(&bench, ".env", &text),
                false => std::fs::write(&path, &text).unwrap(),
            }
            let status = bench.until(what, asked).await;
            assert_eq!(status.reload.question.as_ref().unwrap().message, what);
            // Neither a change from elsewhere nor a save of the bench file brings it along.
            let error = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
            assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
            // What is there is not Setpoint's to write, and the question stays.
            let error = bench.sync().await.unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            assert!(asked(&bench.runtime.status()));
            std::fs::write(&path, VALUES).unwrap();
            bench.until("in step", in_step).await;
            assert_eq!(bench.revisions(), revisions);
        }
    }
    std::fs::write(&path, "").unwrap();
    bench.until("it is asked about", asked).await;
    bench.save(&BENCH.replace("3.300", "3.600"));
    let asked_again = |status: &Status| {
        let events = status.events.iter().filter(|event| event.kind == "reload_asked");
        asked(status) && events.count() == 8
    };
    bench.until("asked with the bench file too", asked_again).await;
    bench.reload().await.unwrap();
    let status = bench.runtime.status();
    assert!(in_step(&status) && !status.values.to_string().contains("1.5"), "{:?}", status.values);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_cut_off_while_nobody_looks_do_not_come_along_with_a_change() {
    let bench = Bench::open_with(BENCH, &[(".env", VALUES)]).await;
    bench.ask(setpoint_runtime::Command::Pause { author: "tester".into() }).await.unwrap();
    std::fs::write(beside(&bench, ".env"), "").unwrap();
    let (text, author) = (BENCH.replace("3.300", "3.450"), "tester".to_owned());
    let replace = setpoint_runtime::Command::Replace { text, author, if_match: None };
    let error = bench.ask(replace).await.unwrap_err();
    assert!(error.to_string().contains(".env is empty"), "{error}");
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_start_much_that_is_missing_is_asked_about() {
    let list = |ids: std::ops::Range<usize>| -> String {
        ids.map(|id| format!("[sources.s{id}]\ntype = \"test_pattern\"\nenabled = false\n"))
            .collect()
    };
    let whole = format!("{BENCH}{}# the end\n", list(0..10));
    let bench = Bench::open(&whole).await;
    bench.runtime.stop().await;
    bench.save(&format!("{BENCH}{}{}# the end\n", list(0..4), list(7..10)));
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    let status = again.status();
    assert!(asked(&status), "{:?}", status.reload);
    assert_eq!(*status.text, whole);
    let question = status.reload.question.as_ref().unwrap();
    assert_eq!(question.removed, ["sources.s4", "sources.s5", "sources.s6"]);
    again
        .call(
            setpoint_runtime::Origin::Panel,
            setpoint_runtime::Command::Reload { author: "tester".into() },
        )
        .await
        .unwrap();
    assert!(in_step(&again.status()) && !again.status().sources.contains_key("s4"));
    again.stop().await;
    // Answered once.
    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    assert!(in_step(&again.status()));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secrets_value_that_changed_is_told_without_the_value() {
    let bench = Bench::open_with(SECRET, &[(".env", "WHERE='sim:'\n")]).await;
    save_beside(&bench, ".env", "WHERE='tcp://127.0.0.1:9'\n");
    let status = bench
        .until("it is applied", |status| {
            status.events.iter().any(|event| event.kind == "reload_applied")
        })
        .await;
    let event = status.events.iter().find(|event| event.kind == "reload_applied").unwrap();
    assert!(event.message.ends_with("a secret's value changed"), "{}", event.message);
    assert!(!event.message.contains("127.0.0.1"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_only_a_refused_bench_file_names_is_followed() {
    let bench = Bench::open_with(MAIN, &[("more.toml", "[instruments.thermo]\ntype = 1\n")]).await;
    bench.save(&MAIN.replace("parts/*.toml", "more.toml"));
    let rejected = |status: &Status| status.reload.state == ReloadState::Rejected;
    bench.until("refused", rejected).await;
    save_beside(&bench, "more.toml", THERMO);
    bench.until("mended", |status| status.instruments.contains_key("thermo")).await;
    bench.until("in step", in_step).await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_that_fail_over_and_over_are_held_back_until_a_good_one() {
    let bench = Bench::open(BENCH).await;
    for bad in 1..=5 {
        bench.save(&BENCH.replace("3.300", &format!("5{bad}.0")));
        bench.until("refused", |status| status.reload.rejected >= bad).await;
    }
    let suspended = |status: &Status| status.reload.state == ReloadState::Suspended;
    let status = bench.until("held back", suspended).await;
    assert_eq!(status.reload.suspended.as_ref().unwrap().failures, 5);
    assert_eq!(bench.told("reload_suspended"), 1);
    // Held back, and then the newest content counts.
    bench.save(&BENCH.replace("3.300", "60.0"));
    bench.save(&BENCH.replace("3.300", "3.600"));
    let status = bench.until("the good one is looked at", in_step).await;
    assert_eq!((status.reload.rejected, status.reload.applied), (5, 1));
    assert!(status.reload.suspended.is_none());
    assert_eq!(bench.told("reload_unsuspended"), 1);
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.600");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_need_not_wait_for_saves_that_are_held_back() {
    let bench = Bench::open(BENCH).await;
    for bad in 1..=5 {
        bench.save(&BENCH.replace("3.300", &format!("5{bad}.0")));
        bench.until("refused", |status| status.reload.rejected >= bad).await;
    }
    bench.until("held back", |status| status.reload.suspended.is_some()).await;
    bench.save(&BENCH.replace("3.300", "3.600"));
    bench.reload().await.unwrap();
    let status = bench.runtime.status();
    assert!(in_step(&status) && status.reload.suspended.is_none());
    bench.runtime.stop().await;
}
