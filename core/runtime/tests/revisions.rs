//! Snapshots, labels and search on a bench that runs, and going back on one that nobody runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use common::{BENCH, Bench, edit};
use setpoint_runtime::{
    Answer, Command, CommandError, Offline, Revision, RevisionQuery, Status, Tone,
};
use setpoint_store::StoreError;

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn offline(file: &std::path::Path) -> Result<Offline, setpoint_store::StoreError> {
    Offline::open(file, None, setpoint_runtime::AccessRules::default())
}

async fn snapshot(bench: &Bench, label: Option<&str>) -> Result<Revision, CommandError> {
    let (label, message) = (label.map(str::to_owned), String::new());
    kept(bench.ask(Command::Snapshot { label, message, author: "ada".to_owned() }).await)
}

async fn label(bench: &Bench, name: &str, label: Option<&str>) -> Result<Revision, CommandError> {
    let (revision, label) = (name.to_owned(), label.map(str::to_owned));
    kept(bench.ask(Command::Label { revision, label, author: "ada".to_owned() }).await)
}

fn kept(answer: Result<Answer, CommandError>) -> Result<Revision, CommandError> {
    match answer? {
        Answer::Kept { revision } => Ok(*revision),
        other => panic!("not kept: {other:?}"),
    }
}

fn running(status: &Status) -> Revision {
    status.revision.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_revision_of_what_runs_and_keeps_its_name() {
    let bench = Bench::open(BENCH).await;
    let first = running(&bench.runtime.status());
    let named = snapshot(&bench, Some("before beam time")).await.unwrap();
    assert_eq!((named.id.as_str(), named.hash.as_str()), ("r2", first.hash.as_str()));
    let status = bench.runtime.status();
    assert_eq!(running(&status), named);
    assert_eq!(status.revisions[0], named);
    let event = status.events.last().unwrap();
    assert_eq!((&*event.kind, event.tone), ("snapshot_kept", Tone::Kept));

    let taken = snapshot(&bench, Some("Before-beam-time")).await.unwrap_err();
    assert!(matches!(&taken, CommandError::Conflict { .. }), "{taken}");
    assert!(taken.to_string().contains("taken by r2"), "{taken}");
    let bad = snapshot(&bench, Some("r7")).await.unwrap_err();
    assert!(matches!(bad, CommandError::Invalid { .. }), "{bad}");
    assert_eq!(bench.revisions(), 2);

    // Whoever looked at the bench before the snapshot has seen what runs.
    let edits = vec![setpoint_bench::TextEdit::Put(edit(VOLTAGE, 3.4))];
    let (message, author) = (String::new(), "ada".to_owned());
    let change = Command::Change { edits, message, author, if_match: Some(first.id.clone()) };
    bench.ask(change.clone()).await.unwrap();
    let stale = bench.ask(change).await.unwrap_err();
    assert!(matches!(stale, CommandError::Stale { .. }), "{stale}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_given_and_taken_away_also_of_what_runs() {
    let bench = Bench::open(BENCH).await;
    bench.change(vec![edit(VOLTAGE, 3.4)]).await.unwrap();
    label(&bench, "r1", Some("cold")).await.unwrap();
    label(&bench, "r2", Some("warm")).await.unwrap();
    let status = bench.runtime.status();
    assert_eq!(running(&status).label.as_deref(), Some("warm"));
    let labels: Vec<_> = status.revisions.iter().map(|one| one.label.as_deref()).collect();
    assert_eq!(labels, [Some("warm"), Some("cold")]);
    let taken = label(&bench, "r1", Some("warm")).await.unwrap_err();
    assert!(matches!(taken, CommandError::Conflict { .. }), "{taken}");

    assert_eq!(label(&bench, "warm", None).await.unwrap().label, None);
    assert_eq!(running(&bench.runtime.status()).label, None);
    let event = bench.runtime.status().events.last().unwrap().clone();
    assert_eq!((&*event.kind, event.tone), ("revision_labelled", Tone::Kept));
    let missing = label(&bench, "warm", None).await.unwrap_err();
    assert!(matches!(missing, CommandError::NotFound { .. }), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_are_found_and_compared() {
    let bench = Bench::open(BENCH).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    bench.change(vec![edit("bench.name", "Other")]).await.unwrap();
    let find = async |query: RevisionQuery| -> Vec<String> {
        let found = bench.runtime.search_revisions(query).await.unwrap();
        found.into_iter().map(|one| one.id).collect()
    };
    let all = RevisionQuery::default;
    assert_eq!(find(RevisionQuery { instrument: Some("psu".into()), ..all() }).await, ["r2"]);
    assert_eq!(find(RevisionQuery { text: "other".into(), ..all() }).await, ["r3"]);
    assert_eq!(find(RevisionQuery { limit: Some(2), ..all() }).await, ["r3", "r2"]);
    let changes = bench.runtime.revision_changes("r1", "r3").await.unwrap();
    let paths: Vec<_> = changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(paths, ["bench.name", VOLTAGE]);
}

const MAIN: &str = "[bench]\nname = \"Table\"\ninclude = [\"one.toml\"]\n";
const ONE: &str = "\
[instruments.psu]
type = \"rigol_dp832\"
address = \"sim:\"
set.ch1.voltage = 3.300 # bias
set.ch1.current_limit = 0.5
";

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_of_several_files_that_nobody_runs_goes_back() {
    let bench = Bench::open_with(MAIN, &[("one.toml", ONE)]).await;
    bench.change(vec![edit(VOLTAGE, 3.45), edit("bench.name", "Other")]).await.unwrap();
    let changes = bench.runtime.revision_changes("r1", "r2").await.unwrap();
    assert_eq!(changes.len(), 2, "the included file counts: {changes:?}");
    let file = bench.file.clone();
    let included = file.with_file_name("one.toml");
    let held = offline(&file).unwrap_err();
    assert!(matches!(held, StoreError::InUse { .. }), "{held}");
    bench.runtime.stop().await;

    let mut offline = offline(&file).unwrap();
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let ada = || "ada".to_owned();
    let only = [VOLTAGE.parse().unwrap()];
    let back = offline.roll_back("r1", &only, ada()).unwrap();
    assert_eq!((back.revision.id.as_str(), back.changes.len()), ("r3", 1));
    assert_eq!(read(&included), ONE);
    assert!(read(&file).contains("Other"));

    // An edit that no revision has yet is kept before it is written over.
    std::fs::write(&file, read(&file).replace("Other", "Third")).unwrap();
    let back = offline.roll_back("r1", &[], ada()).unwrap();
    assert_eq!((back.revision.id.as_str(), back.written), ("r5", true));
    assert_eq!((read(&file).as_str(), read(&included).as_str()), (MAIN, ONE));
    assert!(offline.revisions().text("r4").unwrap().contains("Third"));
    let again = offline.roll_back("r1", &[], ada()).unwrap();
    assert_eq!((again.revision.id.as_str(), again.written), ("r1", false));

    // Nothing that would not check, and nothing over a file that the revision did not have.
    let named = offline.snapshot(Some("golden".to_owned()), String::new(), ada()).unwrap();
    std::fs::write(&file, "[bench\n").unwrap();
    let broken = offline.snapshot(None, String::new(), ada()).unwrap_err();
    assert!(!broken.diagnostics().is_empty(), "{broken}");
    offline.roll_back("golden", &[], ada()).unwrap();
    assert_eq!(read(&file), MAIN);
    assert_eq!(offline.label("golden", None, "ada").unwrap().id, named.id);
    let folder = file.with_file_name(".setpoint");
    assert!(!folder.join("journal.toml").exists());
    let refused = std::fs::read_dir(folder.join("versions")).unwrap();
    let refused = refused.filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("refused-")
    });
    assert_eq!(refused.count(), 1, "what did not check is kept as it was");
}

/// What going back needs is not forgotten by someone who only makes snapshots.
#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_change_keeps_what_it_goes_back_to() {
    let text =
        BENCH.replace("[instruments.psu]", "[runtime]\nsnapshot_retention = 1\n[instruments.psu]");
    let bench = Bench::open(&text).await;
    bench.runtime.stop().await;
    let journal = setpoint_store::Journal::open(&setpoint_store::BenchFolder::of(&bench.file));
    let to = setpoint_store::TextHash::of("other");
    journal.begin(&setpoint_store::Intent::now("r1", to, vec!["write".into()])).unwrap();
    let snapshot = || {
        let mut offline = offline(&bench.file).unwrap();
        offline.snapshot(None, String::new(), "ada".into()).unwrap();
        offline.revisions().list().len()
    };
    assert_eq!((snapshot(), snapshot()), (2, 3));
    journal.clear().unwrap();
    assert_eq!(snapshot(), 1);
}
