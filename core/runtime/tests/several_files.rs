//! A bench of several files is one bench: all of them take effect, an edit goes to the file that
//! holds the key, and a rollback brings all of them back.

#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Bench, edit, readback};
use setpoint_bench::TextEdit;
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Answer, Command, CommandError, ReloadState};

const MAIN: &str = "\
[bench]
name = \"Table\"
include = [\"supplies/*.toml\", \"one.toml\"]

[templates.supply]
type = \"rigol_dp832\"
address = \"sim:\"
set.ch1.current_limit = 0.5
";

const ONE: &str = "\
# The supply of the laser
[instruments.one]
template = \"supply\"
set.ch1.voltage = 3.300 # bias
set.ch2.voltage = \"${VOLTS}\"
";

const OVERLAY: &str = "[instruments.one.set]\nch3.voltage = 1.5\n";

const VOLTAGE: &str = "instruments.one.set.ch1.voltage";

async fn open() -> Bench {
    let others = [("one.toml", ONE), ("bench.development.toml", OVERLAY), (".env", "VOLTS=2.5\n")];
    Bench::open_with(MAIN, &others).await
}

fn read(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.file.with_file_name(name)).unwrap()
}

fn write(bench: &Bench, name: &str, text: &str) {
    let path = bench.file.with_file_name(name);
    let aside = path.with_extension("saving");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(&aside, &path).unwrap();
}

fn volts(channel: usize, volts: f64) -> impl Fn(&setpoint_runtime::Status) -> bool {
    move |status| {
        readback(status, "one", &format!("ch{channel}.voltage")) == Some(ParamValue::Float(volts))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_goes_to_the_file_that_holds_the_key_and_rollback_brings_it_back() {
    let bench = open().await;
    let first = bench.runtime.status().revision.clone().unwrap();
    let apply = Command::Reapply { instrument: "one".into(), author: "tester".into() };
    bench.ask(apply).await.unwrap();
    assert_eq!(bench.device("one", ":SOUR2:VOLT?").await, "2.500");
    assert_eq!(bench.device("one", ":SOUR3:VOLT?").await, "1.500");
    assert_eq!(bench.device("one", ":SOUR1:CURR?").await, "0.500");

    let changes = [(VOLTAGE, 3.45), ("instruments.one.set.ch3.voltage", 1.25)];
    let answer = bench.change(changes.map(|(path, value)| edit(path, value)).into()).await;
    let Answer::Changed(applied) = answer.unwrap() else { panic!() };
    assert_eq!(applied.changes.len(), 2);
    assert_eq!(read(&bench, "one.toml"), ONE.replace("3.300 #", "3.450 #"));
    assert_eq!(read(&bench, "bench.development.toml"), OVERLAY.replace("1.5", "1.25"));
    assert_eq!(bench.text(), MAIN);
    assert_eq!(bench.device("one", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!(bench.device("one", ":SOUR3:VOLT?").await, "1.250");

    // What the template gives is overridden in the component.
    bench.change(vec![edit("instruments.one.set.ch1.current_limit", 0.75)]).await.unwrap();
    assert_eq!(bench.text(), MAIN);
    let one = read(&bench, "one.toml");
    assert!(one.contains("\nset.ch1.current_limit = 0.75"), "{one}");

    let rollback = Command::Rollback { revision: first.id, only: Vec::new(), author: "t".into() };
    bench.ask(rollback).await.unwrap();
    assert_eq!(read(&bench, "one.toml"), ONE);
    assert_eq!(read(&bench, "bench.development.toml"), OVERLAY);
    assert_eq!(bench.device("one", ":SOUR1:VOLT?").await, "3.300");
    assert_eq!(bench.device("one", ":SOUR3:VOLT?").await, "1.500");
    assert_eq!(bench.runtime.status().reload.state, ReloadState::InStep);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_of_any_file_takes_effect() {
    let bench = open().await;
    write(&bench, "one.toml", &ONE.replace("3.300", "3.600"));
    bench.until("3.6 V from the included file", volts(1, 3.6)).await;
    write(&bench, "bench.development.toml", &OVERLAY.replace("1.5", "1.75"));
    bench.until("1.75 V from the overlay", volts(3, 1.75)).await;
    // The same texts, other variables.
    write(&bench, ".env", "VOLTS=2.75\n");
    bench.until("2.75 V from .env", volts(2, 2.75)).await;
    bench.until("in step", |status| status.reload.state == ReloadState::InStep).await;
    // A file that a pattern finds and that was not there.
    let folder = bench.file.with_file_name("supplies");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("two.toml"), "[instruments.two]\ntemplate = \"supply\"\n").unwrap();
    bench.until("another supply", |status| status.instruments.contains_key("two")).await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_beside_leaves_everything_as_it_is_until_it_is_mended() {
    let bench = open().await;
    write(&bench, "one.toml", &ONE.replace("3.300", "99.0"));
    let status =
        bench.until("refused", |status| status.reload.state == ReloadState::Rejected).await;
    let mut findings = status.reload.diagnostics.iter();
    let finding = findings.find(|finding| finding.code == "out_of_range").unwrap();
    assert_eq!((finding.file.as_str(), finding.span.line), ("one.toml", 4));
    let refused = bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap_err();
    assert!(matches!(refused, CommandError::Conflict { .. }), "{refused:?}");
    write(&bench, "one.toml", &ONE.replace("3.300", "3.900"));
    bench.until("3.9 V", volts(1, 3.9)).await;
    bench.until("in step", |status| status.reload.state == ReloadState::InStep).await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_variable_decides_cannot_be_edited_away() {
    let bench = open().await;
    let path = "instruments.one.set.ch2.voltage";
    // It stands in a file, as a variable's: the edit writes the value in its place.
    bench.change(vec![edit(path, 1.25)]).await.unwrap();
    assert_eq!(read(&bench, "one.toml"), ONE.replace("\"${VOLTS}\"", "1.25"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_the_files_of_its_revision_and_no_others() {
    let bench = open().await;
    let folder = bench.file.with_file_name("supplies");
    std::fs::create_dir(&folder).unwrap();
    let first = bench.runtime.status().revision.clone().unwrap();
    std::fs::write(folder.join("two.toml"), "[instruments.two]\ntemplate = \"supply\"\n").unwrap();
    bench.until("another supply", |status| status.instruments.contains_key("two")).await;
    let both = bench
        .until("kept", |status| status.revision.as_ref().unwrap().id != first.id)
        .await
        .revision
        .clone()
        .unwrap();
    let back = |id: &str| Command::Rollback {
        revision: id.to_owned(),
        only: Vec::new(),
        author: "t".into(),
    };
    let refused = bench.ask(back(&first.id)).await.unwrap_err();
    assert!(refused.to_string().contains("had no supplies/two.toml"), "{refused}");
    assert!(bench.runtime.status().instruments.contains_key("two"));

    // Deleting a file is no edit: a person has to mean it.
    std::fs::remove_file(folder.join("two.toml")).unwrap();
    bench.until("asked about", |status| status.reload.question.is_some()).await;
    assert!(bench.runtime.status().instruments.contains_key("two"));
    bench.ask(Command::Reload { author: "tester".into() }).await.unwrap();
    assert!(!bench.runtime.status().instruments.contains_key("two"));
    bench.ask(back(&both.id)).await.unwrap();
    assert!(folder.join("two.toml").exists());
    assert!(bench.runtime.status().instruments.contains_key("two"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_as_it_is_written_everywhere() {
    let text = "[instruments.one]\ntype = \"rigol_dp832\"\naddress = \"${secret:WHERE}\"\n";
    let bench = Bench::open_with(text, &[(".env", "WHERE='sim:'\n")]).await;
    let add =
        "[instruments.two]\ntype = \"rigol_dp832\"\naddress = \"tcp://${secret:HOST}:5555\"\n";
    write(&bench, ".env", "WHERE='sim:'\nHOST=hidden.example\n");
    write(&bench, "bench.toml", &format!("{text}{add}"));
    let status = bench.until("a second one", |status| status.instruments.contains_key("two")).await;
    assert_eq!(status.instruments["two"].address, "tcp://•••:5555");
    assert!(!serde_json::to_string(&*status.values).unwrap().contains("hidden"));
    bench.change(vec![edit("instruments.two.enabled", false)]).await.unwrap();
    bench.change(vec![edit("instruments.two.address", "tcp://${secret:HOST}:5555")]).await.unwrap();
    assert!(bench.text().contains("\"tcp://${secret:HOST}:5555\""), "{}", bench.text());
    let kept = std::fs::read_to_string(bench.runtime.folder().join("audit.log")).unwrap();
    assert!(!kept.contains("hidden.example"), "{kept}");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remarks_tell_what_was_changed_if_the_bench_wants_them() {
    let text = format!("{}\n[runtime]\nannotate = true\n", common::BENCH);
    let bench = Bench::open(&text).await;
    bench.change(vec![edit("instruments.psu.set.ch1.voltage", 3.45)]).await.unwrap();
    let line = bench.text().lines().find(|line| line.contains("ch1.voltage")).unwrap().to_owned();
    assert!(line.starts_with("ch1.voltage = 3.450   # bias # changed 2"), "{line}");
    assert!(line.ends_with("Z, was 3.300"), "{line}");
    bench.runtime.stop().await;
}

const OWN: &str = "\
schema = 1
[driver]
id = \"own\"
name = \"Own\"
[params.level]
type = \"float\"
get = \"L?\"
";

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_saved_is_taken_while_the_bench_runs() {
    // Two saves fall into the quiet time, also where both take long.
    let text =
        "[runtime]\nquiet = \"500ms\"\n[instruments.a]\ntype = \"own\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(text, &[("drivers/own.toml", OWN)]).await;
    let told = |kind: &'static str| {
        move |status: &setpoint_runtime::Status| {
            status.events.iter().any(|event| event.kind == kind)
        }
    };
    // What the driver could not do until now, asked for in the same breath.
    write(&bench, "drivers/own.toml", &format!("{OWN}set = \"L {{value:.3f}}\"\nrange = [0, 5]\n"));
    bench.save(&format!("{text}set.level = 2.0\n"));
    let status = bench.until("drivers read", told("drivers_read")).await;
    let told_of = status.events.iter().find(|event| event.kind == "drivers_read").unwrap();
    assert!(told_of.message.contains("connected anew: a"), "{}", told_of.message);
    bench.until("applied", |status| status.reload.applied == 1).await;
    assert_eq!(bench.runtime.status().reload.rejected, 0);
    // One that what runs does not check with is not taken.
    write(&bench, "drivers/own.toml", OWN);
    bench.until("refused", told("drivers_refused")).await;
    bench.save(&format!("{text}set.level = 3.0\n"));
    bench.until("applied with the driver of before", |status| status.reload.applied == 2).await;
    bench.runtime.stop().await;
}

/// Neither is right without the other: what runs does not check with the drivers, nor the text
/// without them.
#[tokio::test(flavor = "multi_thread")]
async fn a_driver_and_the_bench_file_that_are_saved_together_are_one_change() {
    let text = "[bench]\nname = \"Table\"\n[instruments.a]\ntype = \"own\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(text, &[("drivers/own.toml", OWN)]).await;
    let renamed = OWN.replace("\"own\"", "\"other\"");
    write(&bench, "drivers/own.toml", &renamed);
    bench.save(&text.replace("\"own\"", "\"other\""));
    bench
        .until("the renamed driver runs", |status| {
            let one = &status.instruments["a"];
            let connected = one.state == setpoint_instruments::LinkState::Connected;
            // It answers while the change is still on its way.
            one.driver == "other" && connected && status.reload.state == ReloadState::InStep
        })
        .await;
    assert_eq!(bench.runtime.status().reload.rejected, 0);
    // What comes together and is wrong is refused together, and the drivers of before stay.
    write(&bench, "drivers/own.toml", OWN);
    bench.save(&text.replace("sim:", "nowhere"));
    bench.until("refused", |status| status.reload.state == ReloadState::Rejected).await;
    bench.save(&text.replace("\"own\"", "\"other\"").replace("Table", "Bench"));
    bench
        .until("the drivers of before read it", |status| {
            status.bench.name == "Bench" && status.reload.state == ReloadState::InStep
        })
        .await;
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_file_that_looks_torn_is_taken_only_when_asked_for() {
    let more = format!("{OWN}[params.other]\ntype = \"float\"\nget = \"O?\"\n");
    let text = "[instruments.a]\ntype = \"own\"\naddress = \"sim:\"\n";
    // One of the bundled drivers would take the place of the other.
    let mine = more.replace("\"own\"", "\"rigol_dp832\"");
    let text = format!("{text}[instruments.b]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n");
    let others = [("drivers/own.toml", more.as_str()), ("drivers/mine.toml", mine.as_str())];
    let bench = Bench::open_with(&text, &others).await;
    let parameters = |id: &str| bench.runtime.status().instruments[id].parameters.len();
    let refused = |what: &'static str| {
        move |status: &setpoint_runtime::Status| {
            status.drivers_problem.as_ref().is_some_and(|problem| problem.contains(what))
        }
    };
    let whole = |status: &setpoint_runtime::Status| status.drivers_problem.is_none();
    let path = |name: &str| bench.file.with_file_name("drivers").join(name);
    for (name, now, what) in [
        ("own.toml", Some(OWN.to_owned()), "own.toml breaks off in line 7 of what it held"),
        ("own.toml", Some(String::new()), "own.toml is empty"),
        ("mine.toml", Some(String::new()), "mine.toml is empty"),
        ("mine.toml", Some(format!("{mine}nonsense = 1\n")), "nonsense"),
    ] {
        match &now {
            Some(now) => std::fs::write(path(name), now).unwrap(),
            None => std::fs::remove_file(path(name)).unwrap(),
        }
        bench.until(what, refused(what)).await;
        // Nor does anything else that happens take it.
        bench.change(vec![edit("instruments.a.label", what)]).await.unwrap();
        assert_eq!((parameters("a"), parameters("b")), (2, 2), "{what}");
        assert!(refused(what)(&bench.runtime.status()));
        let text = if name == "own.toml" { &more } else { &mine };
        write(&bench, &format!("drivers/{name}"), text);
        bench.until("whole again", whole).await;
    }
    std::fs::write(path("own.toml"), OWN).unwrap();
    bench.until("refused", refused("breaks off")).await;
    bench.ask(Command::Reload { author: "tester".into() }).await.unwrap();
    bench.until("taken", |status| status.instruments["a"].parameters.len() == 1).await;
    assert!(whole(&bench.runtime.status()));
    // One that nothing uses is told of as long as it is wrong.
    write(&bench, "drivers/odd.toml", "schema = 1\n[drivr]\n");
    bench.until("told", refused("odd.toml")).await;
    bench.runtime.stop().await;
}

/// The values of `.env` that can be read count; what cannot be is not made up from the files below,
/// whatever the rule for devices that come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_dot_env_does_not_keep_the_last_good_revision_from_running() {
    let text = common::BENCH.replace("\"sim:\"\n", "\"sim:\"\non_reconnect = \"reapply\"\n");
    let values = "SETPOINT__INSTRUMENTS__PSU__SET__CH1__VOLTAGE=2.5\n\
                  SETPOINT__INSTRUMENTS__PSU__SET__CH2__VOLTAGE=1.5\n";
    let mut bench = Bench::open_with(&text, &[(".env", values)]).await;
    let path = bench.file.with_file_name(".env");
    let set = |bench: &Bench, channel: usize| {
        let path = format!("instruments.psu.set.ch{channel}.voltage").parse().unwrap();
        bench.runtime.status().values.get(&path).and_then(setpoint_bench::Value::as_f64)
    };
    let others_may_write = |may: bool| {
        let mode = if may { 0o646 } else { 0o644 };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    };
    // What is wrong, and what it runs with.
    for (now, code, ch1, ch2) in [
        (format!("nonsense\n{values}"), "malformed_line", Some(2.5), Some(1.5)),
        (values.replace("2.5", "500"), "out_of_range", Some(3.3), Some(1.5)),
        (values.to_owned(), "not_allowed", Some(3.3), None),
    ] {
        bench.runtime.stop().await;
        std::fs::write(&path, &now).unwrap();
        others_may_write(code == "not_allowed");
        bench = bench.again().await;
        let status = bench.runtime.status();
        assert_eq!(status.reload.state, ReloadState::Rejected);
        assert!(status.reload.diagnostics.iter().any(|it| it.code == code && it.file == ".env"));
        let problem = status.reload.problem.clone().unwrap();
        assert!(problem.contains("sets no instrument by itself"), "{problem}");
        assert_eq!((set(&bench, 1), set(&bench, 2)), (ch1, ch2), "{code}");
        // The simulated device came without values, and was given none.
        assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "0.000", "{code}");
        bench.change(vec![edit("instruments.psu.label", "x")]).await.unwrap_err();
        others_may_write(false);
        write(&bench, ".env", values);
        let status = bench.until("mended", common::in_step).await;
        assert!(status.reload.problem.is_none());
        assert_eq!((set(&bench, 1), set(&bench, 2)), (Some(2.5), Some(1.5)), "{code}");
    }
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_beside_while_nobody_looks_is_taken_in_later() {
    let text = "[bench]\nname = \"Table\"\n[instruments.a]\ntype = \"own\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(text, &[("drivers/own.toml", OWN)]).await;
    let author = || "tester".to_owned();
    bench.ask(Command::Pause { author: author() }).await.unwrap();
    write(&bench, "drivers/own.toml", &OWN.replace("Own", "Renamed"));
    bench.ask(Command::Resume { author: author() }).await.unwrap();
    bench
        .until("the driver is read", |status| status.instruments["a"].driver_name == "Renamed")
        .await;
    // A reload that a person asks for takes drivers too.
    bench.ask(Command::Pause { author: author() }).await.unwrap();
    write(&bench, "drivers/own.toml", &OWN.replace("Own", "Again"));
    bench.ask(Command::Reload { author: author() }).await.unwrap();
    bench
        .until("the driver is read", |status| status.instruments["a"].driver_name == "Again")
        .await;
    bench.runtime.stop().await;
}

/// A text that is set is taken letter by letter, in a bench of one file and of several, and what
/// a program reads can be set again and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_is_what_the_bench_says_whatever_its_files() {
    let (label, name) = ("instruments.psu.label", "bench.name");
    let bench = Bench::open(common::BENCH).await;
    let says = |path: &str| {
        let status = bench.runtime.status();
        status.values.get(&path.parse().unwrap()).and_then(|it| it.as_str()).map(str::to_owned)
    };
    let before = says(name).unwrap();
    bench.change(vec![edit(label, "${X} and $${Y}")]).await.unwrap();
    assert_eq!(says(label).as_deref(), Some("${X} and $${Y}"));
    // By now the bench is one that is put together from layers.
    bench.change(vec![edit(name, "${X}")]).await.unwrap();
    assert_eq!(says(name).as_deref(), Some("${X}"));
    assert!(bench.text().contains("\"$${X}\""), "{}", bench.text());
    let text = bench.text();
    let again = vec![edit(name, "${X}"), edit(label, "${X} and $${Y}")];
    let Answer::Changed(applied) = bench.change(again).await.unwrap() else { panic!() };
    assert!(applied.changes.is_empty());
    assert_eq!(bench.text(), text);
    bench.change(vec![edit(name, before.as_str())]).await.unwrap();
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_and_values_come_in_the_order_asked_for() {
    let bench = open().await;
    let label = |id: &str| TextEdit::Put(edit(&format!("instruments.{id}.label"), "bias"));
    let rename = TextEdit::rename("instruments.one".parse().unwrap(), "two");
    let ask = |edits| {
        let (message, author) = (String::new(), "t".to_owned());
        bench.ask(Command::Change { edits, message, author, if_match: None })
    };
    ask(vec![label("one"), rename.clone(), label("two")]).await.unwrap();
    assert!(read(&bench, "one.toml").contains("[instruments.two]\n"));
    assert_eq!(read(&bench, "bench.development.toml"), OVERLAY.replace("one", "two"));
    let gone = ask(vec![rename]).await.unwrap_err();
    assert!(gone.to_string().contains("instruments.one is not in the file"), "{gone}");
    bench.runtime.stop().await;
}
