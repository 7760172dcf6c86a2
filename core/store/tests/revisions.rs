//! Revisions through restarts, pruning, damage and loss.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::{collections::HashSet, fs};

use setpoint_store::{
    Audit, AuditRecord, BenchFolder, Facts, RevisionRecord, Revisions, StoreError, TextHash, audit,
};
use tempfile::TempDir;

/// The store of a bench, which can be closed and opened again.
struct Bench {
    _dir: TempDir,
    folder: BenchFolder,
    audit: Audit,
    revisions: Revisions,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        let revisions = Revisions::open(&folder, &audit).unwrap();
        Self { _dir: dir, folder, audit, revisions }
    }

    fn reopen(&mut self) {
        self.audit = Audit::open(&self.folder).unwrap();
        self.revisions = Revisions::open(&self.folder, &self.audit).unwrap();
    }

    fn keep(&mut self, text: &str) -> RevisionRecord {
        self.try_keep(text, None).unwrap()
    }

    fn try_keep(&mut self, text: &str, label: Option<&str>) -> Result<RevisionRecord, StoreError> {
        let facts = Facts {
            author: "nora".into(),
            origin: "panel".into(),
            message: "first light".into(),
            label: label.map(str::to_owned),
            data: serde_json::json!({ "changes": 3 }),
        };
        self.revisions.keep(text, facts, &self.audit)
    }

    fn ids(&self) -> Vec<String> {
        self.revisions.list().into_iter().map(|kept| kept.id).collect()
    }

    fn text(&self, name: &str) -> String {
        self.revisions.text(name).unwrap().to_string()
    }
}

#[test]
fn a_revision_is_a_plain_file_with_facts_that_survive_a_restart() {
    let mut bench = Bench::new();
    let kept = bench.keep("a = 1\n");
    assert_eq!(kept.id, "r1");
    assert_eq!(kept.short_hash, TextHash::of("a = 1\n").short());
    let name = kept.path.file_name().unwrap().to_str().unwrap();
    let stamp = kept.at.strftime("%Y%m%dT%H%M%S%.3fZ");
    assert_eq!(name, format!("config-{stamp}-{}.toml", kept.short_hash));
    assert_eq!(fs::read_to_string(&kept.path).unwrap(), "a = 1\n");

    bench.reopen();
    assert_eq!(bench.revisions.list(), [kept]);
    assert_eq!(bench.text("r1"), "a = 1\n");
    assert_eq!(bench.revisions.problems(), [""; 0]);
    assert_eq!(bench.audit.lines().unwrap()[0].data["details"]["changes"], 3);
    audit::verify(&bench.folder.audit()).unwrap();
}

#[test]
fn numbers_are_never_used_twice() {
    let mut bench = Bench::new();
    for n in 0..4 {
        bench.keep(&format!("a = {n}\n"));
    }
    assert_eq!(bench.revisions.prune(0).unwrap(), ["r1", "r2", "r3"]);
    fs::remove_file(&bench.revisions.newest().unwrap().path).unwrap();
    bench.reopen();
    assert_eq!(bench.ids(), [""; 0]);
    assert_eq!(bench.keep("a = 9\n").id, "r5");
}

#[test]
fn a_burst_of_the_same_text_makes_as_many_files() {
    let mut bench = Bench::new();
    let kept: Vec<_> = (0..30).map(|_| bench.keep("a = 1\n")).collect();
    let paths: HashSet<_> = kept.iter().map(|kept| kept.path.clone()).collect();
    assert_eq!(paths.len(), 30);
    assert!(kept.is_sorted_by_key(|kept| kept.at));
    bench.reopen();
    assert_eq!(bench.ids().len(), 30);
}

#[test]
fn pruning_spares_labels_and_the_newest() {
    let mut bench = Bench::new();
    bench.try_keep("a = 1\n", Some("Day one / äöü")).unwrap();
    for n in 2..=5 {
        bench.keep(&format!("a = {n}\n"));
    }
    assert_eq!(bench.revisions.prune(10).unwrap(), [""; 0]);
    assert_eq!(bench.revisions.prune(2).unwrap(), ["r2", "r3"]);
    assert_eq!(bench.ids(), ["r5", "r4", "r1"]);
    assert_eq!(fs::read_dir(bench.folder.versions()).unwrap().count(), 3);
    assert_eq!(bench.revisions.prune(0).unwrap(), ["r4"]);
    bench.reopen();
    assert_eq!(bench.ids(), ["r5", "r1"]);
    assert_eq!(bench.revisions.find("Day one / äöü").unwrap().id, "r1");
    assert_eq!(bench.text("Day one / äöü"), "a = 1\n");
}

#[test]
fn labels_that_mislead_are_refused() {
    let mut bench = Bench::new();
    bench.try_keep("a = 1\n", Some("good")).unwrap();
    let mut refused = |label: &str| bench.try_keep("a = 2\n", Some(label)).unwrap_err();
    assert!(matches!(refused("good"), StoreError::LabelTaken { id, .. } if id == "r1"));
    assert!(matches!(refused("r7"), StoreError::BadLabel { .. }));
    assert!(matches!(refused(" "), StoreError::BadLabel { .. }));
    assert_eq!(bench.ids(), ["r1"]);
    let missing = StoreError::NoRevision { name: "r2".into() };
    assert_eq!(bench.revisions.text("r2").unwrap_err(), missing);
}

#[test]
fn a_lost_log_costs_the_facts_only() {
    let mut bench = Bench::new();
    bench.keep("a = 1\n");
    bench.try_keep("a = 2\n", Some("beam")).unwrap();
    bench.keep("a = 3\n");
    let list = |bench: &Bench| -> Vec<_> {
        bench.revisions.list().into_iter().map(|r| (r.id, r.at, r.hash)).collect()
    };
    let before = list(&bench);
    fs::remove_file(bench.folder.audit()).unwrap();

    bench.reopen();
    assert_eq!(list(&bench), before);
    assert_eq!(bench.revisions.find("beam").unwrap().id, "r2");
    assert_eq!(bench.revisions.find("r1").unwrap().author, "unknown");
    // The numbers that were given are in the log now.
    assert_eq!(bench.audit.lines().unwrap().len(), 4, "that it was lost, and three numbers");
    bench.reopen();
    assert_eq!(bench.audit.lines().unwrap().len(), 4);
    assert_eq!(bench.keep("a = 4\n").id, "r4");
}

#[test]
fn a_damaged_file_is_passed_over_and_reported() {
    let mut bench = Bench::new();
    let first = bench.keep("a = 1\n");
    bench.keep("a = 2\n");
    fs::write(&first.path, "a = 7\n").unwrap();
    assert!(matches!(bench.revisions.text("r1"), Err(StoreError::Damaged { .. })));
    fs::write(bench.folder.versions().join("notes.txt"), "mine").unwrap();

    bench.reopen();
    assert_eq!(bench.ids(), ["r2"]);
    let [problem] = bench.revisions.problems() else {
        panic!("{:?}", bench.revisions.problems());
    };
    assert!(problem.contains(first.path.to_str().unwrap()), "{problem}");
    assert!(first.path.exists(), "it is left for a person to look at");
}

#[test]
fn renaming_the_file_by_hand_labels_it() {
    let mut bench = Bench::new();
    let kept = bench.keep("a = 1\n");
    let name = kept.path.file_stem().unwrap().to_str().unwrap().to_owned() + "-golden.toml";
    fs::rename(&kept.path, bench.folder.versions().join(name)).unwrap();
    bench.reopen();
    let found = bench.revisions.find("golden").unwrap();
    assert_eq!((found.id.as_str(), found.message.as_str()), ("r1", "first light"));
}

#[test]
fn a_refused_text_is_kept_and_is_no_revision() {
    let mut bench = Bench::new();
    let text = "a = \n";
    let file = bench.folder.bench();
    fs::write(file, text).unwrap();
    let (name, _) = bench.revisions.keep_refused(file).unwrap().unwrap();
    assert!(name.starts_with("refused-"), "{name}");
    assert_eq!(fs::read_to_string(bench.folder.versions().join(name)).unwrap(), text);
    bench.reopen();
    assert_eq!(bench.ids(), [""; 0]);
    assert_eq!(bench.revisions.problems(), [""; 0]);
}

#[test]
fn other_records_share_the_log() {
    let mut bench = Bench::new();
    let query = || AuditRecord::new("query", "panel", "nora", "instruments.psu", "*IDN?");
    bench.audit.append(query()).unwrap();
    bench.keep("a = 1\n");
    bench.audit.append(query()).unwrap();
    assert_eq!(audit::verify(&bench.folder.audit()), Ok(3));
}
