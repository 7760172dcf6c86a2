//! What is remembered of a bench: events over restarts, readings at revisions, and what happens
//! when the database does not work.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::{fs, time::Duration};

use common::{Bench, edit};
use setpoint_runtime::{Answer, EventFilter, Options, Order, RevisionFacts, Runtime};
use setpoint_store::{BenchFolder, HistoryReader};

async fn commit(bench: &Bench, value: f64) -> String {
    match bench.change(vec![edit("instruments.psu.set.ch1.voltage", value)]).await.unwrap() {
        Answer::Changed(applied) => applied.revision.id.clone(),
        other => panic!("{other:?}"),
    }
}

/// Facts come a moment after the revision: their pictures are made aside.
async fn facts(runtime: &Runtime, id: &str) -> RevisionFacts {
    let ask = async {
        loop {
            if let Some(facts) = runtime.revision_facts(id).await.unwrap() {
                return facts;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_there_after_a_restart_and_numbers_go_on() {
    let bench = Bench::open(common::BENCH).await;
    commit(&bench, 3.4).await;
    let before = bench.runtime.status().events.clone();
    bench.runtime.stop().await;
    let last = bench.runtime.status().events.last().unwrap().seq;

    let again = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
    let now = again.status().events.clone();
    for event in before.iter() {
        assert!(now.contains(event), "{event:?} is gone");
    }
    let seqs: Vec<u64> = now.iter().map(|event| event.seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
    assert!(now.iter().any(|event| event.seq > last), "numbers go on");

    let newest = EventFilter { limit: 3, order: Order::NewestFirst, ..EventFilter::default() };
    let found = again.events(newest).await;
    assert_eq!(found.len(), 3);
    assert!(found[0].seq >= *seqs.last().unwrap(), "what happened before the call is there");
    let commits = EventFilter { kind: Some("commit_applied".into()), ..EventFilter::default() };
    let commits = again.events(commits).await;
    let change = &commits[0].payload.as_ref().unwrap()["changes"][0];
    assert_eq!(change["path"], "instruments.psu.set.ch1.voltage");
    assert_eq!((&change["old"], &change["new"]), (&3.3.into(), &3.4.into()));
    assert_eq!(change["effect"], "live");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_keeps_what_was_read_back() {
    let bench = Bench::open(common::BENCH).await;
    let id = commit(&bench, 2.5).await;
    let facts = facts(&bench.runtime, &id).await;
    assert_eq!((facts.revision.as_str(), facts.effect.as_str()), (id.as_str(), "live"));
    let of = |name: &str| facts.readings.iter().find(|reading| reading.parameter == name).unwrap();
    let voltage = of("ch1.voltage");
    assert_eq!(voltage.setpoint, Some(2.5.into()));
    let readback = voltage.readback.as_ref().unwrap().as_f64().unwrap();
    assert!((readback - 2.5).abs() < 0.01, "read back after it was set: {readback}");
    assert!(voltage.age_ms.is_some() && voltage.quality == "good");
    let current = of("ch1.current_limit");
    assert_eq!(current.setpoint, Some(0.5.into()), "not only what was changed");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readbacks_are_kept_over_time() {
    let bench = Bench::open(common::BENCH).await;
    commit(&bench, 2.5).await;
    let folder = BenchFolder::of(&bench.file);
    let points = || {
        let (from, until) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::now());
        HistoryReader::of(&folder).trend("psu", "ch1.voltage", from, until, 100).unwrap_or_default()
    };
    let near = |value: &serde_json::Value| (value.as_f64().unwrap() - 2.5).abs() < 0.01;
    let wait = async {
        while !points().iter().any(|point| near(&point.value)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_history() {
    let secret = "hidden.invalid";
    let text = "[instruments.one]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(text, &[(".env", &format!("HOST={secret}\n"))]).await;
    let add =
        "[instruments.two]\ntype = \"rigol_dp832\"\naddress = \"tcp://${secret:HOST}:5555\"\n";
    bench.save(&format!("{text}{add}"));
    let offline = |status: &setpoint_runtime::Status| {
        status.events.iter().any(|event| event.path == "instruments.two")
    };
    bench.until("its address leads nowhere", offline).await;
    bench.change(vec![edit("instruments.two.address", "tcp://${secret:HOST}:5556")]).await.unwrap();
    bench.runtime.stop().await;
    let folder = BenchFolder::of(&bench.file);
    let all = EventFilter { limit: 1_000, ..EventFilter::default() };
    let events = HistoryReader::of(&folder).events(&all).unwrap();
    assert!(events.iter().any(|event| event.kind == "commit_applied"));
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_runs_without_its_history_and_says_so() {
    let bench = Bench::open(common::BENCH).await;
    bench.runtime.stop().await;
    let database = BenchFolder::of(&bench.file).history();
    for end in ["-wal", "-shm", ""] {
        // The first two are gone after a proper end.
        let _ = fs::remove_file(format!("{}{end}", database.display()));
    }
    // Also root cannot write a file where a folder is.
    fs::create_dir(&database).unwrap();
    let bench = bench.again().await;
    let told = bench.until("it is told", |status| status.history_problem.is_some()).await;
    assert!(told.history_problem.as_ref().unwrap().contains("history.sqlite"));
    commit(&bench, 3.4).await;
    let events = bench.runtime.events(EventFilter::default()).await;
    assert!(events.iter().any(|event| event.kind == "commit_applied"), "from memory");

    fs::remove_dir(&database).unwrap();
    bench.until("it clears", |status| status.history_problem.is_none()).await;
    let works = |status: &setpoint_runtime::Status| {
        status.events.iter().any(|event| event.kind == "history_works")
    };
    bench.until("it is told", works).await;
    let kept = EventFilter { kind: Some("commit_applied".into()), ..EventFilter::default() };
    assert_eq!(bench.runtime.events(kept.clone()).await.len(), 1);
    bench.runtime.stop().await;
    let reader = HistoryReader::of(&BenchFolder::of(&bench.file));
    assert_eq!(reader.events(&kept).unwrap().len(), 1, "what happened meanwhile was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_is_moved_aside_and_told() {
    let bench = Bench::open(common::BENCH).await;
    let id = commit(&bench, 3.4).await;
    bench.runtime.stop().await;
    let last = bench.runtime.status().events.last().unwrap().seq;
    let folder = BenchFolder::of(&bench.file);
    fs::write(folder.history(), "garbage ".repeat(2_000)).unwrap();

    let bench = bench.again().await;
    let told = |status: &setpoint_runtime::Status| {
        status
            .events
            .iter()
            .any(|event| event.kind == "history_note" && event.message.contains("history-damaged-"))
    };
    let status = bench.until("it is told", told).await;
    assert!(status.history_problem.is_none());
    assert!(status.events.last().unwrap().seq > last, "no number is used twice");
    let facts = bench.runtime.revision_facts(&id).await.unwrap().unwrap();
    assert_eq!(facts.effect, "live", "rebuilt from the audit log");
    assert!(setpoint_store::audit::verify(&folder.audit()).is_ok());
    bench.runtime.stop().await;
}

/// What is below a path, without events of devices.
async fn below(runtime: &Runtime, path: &str) -> Vec<(String, String, String)> {
    let filter = EventFilter { path: Some(path.into()), limit: 1_000, ..EventFilter::default() };
    let events = runtime.events(filter).await.into_iter();
    let events = events.filter(|event| !event.kind.starts_with("instrument_"));
    events.map(|event| (event.kind, event.path, event.message)).collect()
}

/// Kind, path and message, as they are written here.
fn event(kind: &str, path: &str, message: &str) -> (String, String, String) {
    (kind.into(), path.into(), message.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_found_by_the_path_of_what_they_changed() {
    let voltage = "instruments.psu.set.ch1.voltage";
    let thermo = "\n[instruments.thermo]\ntype = \"lakeshore_335\"\naddress = \"sim:\"\n";
    let bench = Bench::open(&format!("{}{thermo}", common::BENCH)).await;
    commit(&bench, 3.4).await;
    let edits = vec![
        edit(voltage, 3.5),
        edit("instruments.psu.label", "Bias"),
        edit("instruments.thermo.label", "Cold finger"),
    ];
    bench.change(edits).await.unwrap();
    bench.change(vec![edit(voltage, 99.0)]).await.unwrap_err();
    let both = vec![edit(voltage, 99.0), edit("instruments.thermo.set.heater1.range", "warm")];
    bench.change(both).await.unwrap_err();

    let one = event("commit_applied", voltage, "Commit r2 by tester: psu.ch1.voltage 3.3 → 3.4");
    let psu = "r3 changed psu: label = \"Bias\" added, ch1.voltage 3.4 → 3.5";
    let psu = event("component_changed", "instruments.psu", psu);
    let finger = "r3 changed thermo: label = \"Cold finger\" added";
    let finger = event("component_changed", "instruments.thermo", finger);
    let told = below(&bench.runtime, "instruments.psu").await;
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| kind.as_str()).collect();
    let refused = ["commit_rejected", "component_refused"];
    assert_eq!(kinds, [&["commit_applied", "component_changed"][..], &refused[..]].concat());
    assert_eq!(told[..2], [one.clone(), psu.clone()]);
    assert_eq!((&*told[2].1, &*told[3].1), (voltage, "instruments.psu"));
    assert_eq!(below(&bench.runtime, voltage).await.len(), 2);
    let told = below(&bench.runtime, "instruments.thermo").await;
    assert_eq!((told.len(), &told[0]), (2, &finger));
    let above = below(&bench.runtime, "instruments").await;
    assert!(above.iter().any(|(kind, path, _)| kind == "commit_applied" && path == "instruments"));

    // What is made anew from the audit log is found in the same places.
    bench.runtime.stop().await;
    fs::write(BenchFolder::of(&bench.file).history(), "garbage ".repeat(2_000)).unwrap();
    let bench = bench.again().await;
    let told = below(&bench.runtime, "instruments.psu").await;
    let changed: Vec<_> = told.iter().filter(|(kind, ..)| kind != "change_failed").collect();
    assert_eq!(changed.len(), 2, "{told:?}");
    assert_eq!((&*changed[0].0, &changed[0].1), ("revision", &one.1));
    assert_eq!(*changed[1], psu);
    assert_eq!(below(&bench.runtime, "instruments.thermo").await, [finger]);
    let facts = bench.runtime.revision_facts("r2").await.unwrap().unwrap();
    let [set] = &facts.readings[..] else { panic!("{:?}", facts.readings) };
    assert_eq!((&*set.instrument, &*set.parameter), ("psu", "ch1.voltage"));
    assert_eq!(set.setpoint, Some(3.4.into()), "what was set is in the audit log");
    bench.runtime.stop().await;
}

/// Facts of a revision with a label stay, whatever their age, also at the start of a bench that
/// has not looked around yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_forgets_no_facts_of_a_revision_with_a_label() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bench.toml");
    fs::write(&file, common::BENCH).unwrap();
    let folder = BenchFolder::open(&file).unwrap();
    let history = setpoint_store::History::open(&folder, Default::default(), None).unwrap();
    let at = "2001-01-01T00:00:00Z".parse().unwrap();
    for revision in ["r1", "r2"] {
        history.put_facts(setpoint_runtime::RevisionFacts {
            revision: revision.into(),
            at,
            effect: "live".into(),
            readings: Vec::new(),
            pictures: Vec::new(),
        });
    }
    history.close();
    let audit = setpoint_store::Audit::open(&folder).unwrap();
    let mut revisions = setpoint_store::Revisions::open(&folder, &audit).unwrap();
    for label in [Some("first"), None, None] {
        let facts = setpoint_store::Facts { label: label.map(Into::into), ..Default::default() };
        revisions.keep(common::BENCH, facts, &audit).unwrap();
    }
    drop((revisions, audit));

    let runtime = setpoint_runtime::Runtime::start(Options::new(file)).await.unwrap();
    let reader = HistoryReader::of(&folder);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while reader.facts("r2").unwrap().is_some() {
        assert!(std::time::Instant::now() < deadline, "nothing old was forgotten");
        tokio::task::yield_now().await;
    }
    assert!(reader.facts("r1").unwrap().is_some());
    runtime.stop().await;
    assert!(reader.facts("r1").unwrap().is_some());
}
