//! Revisions through restarts, pruning, damage and loss.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::{collections::HashSet, fs};

use setpoint_store::{
    Audit, AuditRecord, BenchFolder, Facts, RevisionQuery, RevisionRecord, Revisions, StoreError,
    TextHash, audit,
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

    fn at(&self, id: &str) -> jiff::Timestamp {
        self.revisions.find(id).unwrap().at
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
    assert_eq!(bench.revisions.prune(0, None).unwrap(), ["r1", "r2", "r3"]);
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
    bench.try_keep("a = 1\n", Some("Day one: äöü")).unwrap();
    for n in 2..=5 {
        bench.keep(&format!("a = {n}\n"));
    }
    assert_eq!(bench.revisions.prune(10, None).unwrap(), [""; 0]);
    assert_eq!(bench.revisions.prune(2, None).unwrap(), ["r2", "r3"]);
    assert_eq!(bench.ids(), ["r5", "r4", "r1"]);
    assert_eq!(fs::read_dir(bench.folder.versions()).unwrap().count(), 3);
    assert_eq!(bench.revisions.prune(0, None).unwrap(), ["r4"]);
    bench.reopen();
    assert_eq!(bench.ids(), ["r5", "r1"]);
    assert_eq!(bench.revisions.find("Day one: äöü").unwrap().id, "r1");
    assert_eq!(bench.text("Day one: äöü"), "a = 1\n");
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
fn a_label_is_given_changed_and_taken_away_and_the_file_follows() {
    let mut bench = Bench::new();
    bench.keep("a = 1\n");
    bench.try_keep("a = 2\n", Some("Beam on")).unwrap();
    let label = |bench: &mut Bench, id: &str, label: Option<&str>| {
        bench.revisions.label(id, label, "nora", "panel", &bench.audit)
    };
    let names = |bench: &Bench| {
        let mut names: Vec<_> = fs::read_dir(bench.folder.versions())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.split_at("config-20261121T104207.123Z-1a2b3c4d".len()).1.to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&bench), ["-Beam-on.toml", ".toml"]);
    let named = label(&mut bench, "r1", Some("für später")).unwrap();
    assert_eq!((named.id.as_str(), named.label.as_deref()), ("r1", Some("für später")));
    assert_eq!(names(&bench), ["-Beam-on.toml", "-für-später.toml"]);
    assert_eq!(bench.text("für später"), "a = 1\n");

    // Taken, also where only the file's name could not tell them apart.
    for taken in ["Beam on", "beam-ON"] {
        let error = label(&mut bench, "r1", Some(taken)).unwrap_err();
        assert!(matches!(error, StoreError::LabelTaken { id, .. } if id == "r2"));
    }
    assert!(matches!(label(&mut bench, "r9", None), Err(StoreError::NoRevision { .. })));
    // Its own may be written another way.
    label(&mut bench, "Beam on", Some("beam on")).unwrap();
    label(&mut bench, "r1", None).unwrap();
    let before = bench.revisions.list();
    bench.reopen();
    assert_eq!(bench.revisions.list(), before);
    assert_eq!(bench.revisions.find("beam on").unwrap().id, "r2");
    assert_eq!(names(&bench), ["-beam-on.toml", ".toml"]);
    assert_eq!(bench.revisions.problems(), [""; 0]);
    audit::verify(&bench.folder.audit()).unwrap();
    assert_eq!(bench.revisions.prune(0, None).unwrap(), ["r1"]);
}

#[test]
fn the_same_text_is_stored_once() {
    use std::os::unix::fs::MetadataExt;
    let mut bench = Bench::new();
    let [one, other, again] = ["a = 1\n", "a = 2\n", "a = 1\n"].map(|text| bench.keep(text));
    let inode = |kept: &RevisionRecord| fs::metadata(&kept.path).unwrap().ino();
    assert_eq!(inode(&one), inode(&again));
    assert_ne!(inode(&one), inode(&other));
    // Pruning the first leaves the other its text.
    assert_eq!(bench.revisions.prune(2, None).unwrap(), ["r1"]);
    bench.reopen();
    assert_eq!(bench.text("r3"), "a = 1\n");

    // A damaged file is not taken for the text it should hold.
    fs::write(&again.path, "a = 7\n").unwrap();
    let whole = bench.keep("a = 1\n");
    assert_ne!(inode(&again), inode(&whole));
    assert_eq!(bench.text(&whole.id), "a = 1\n");
}

#[test]
fn pruning_spares_what_runs() {
    let mut bench = Bench::new();
    for n in 0..4 {
        bench.keep(&format!("a = {n}\n"));
    }
    assert_eq!(bench.revisions.prune(1, Some("r2")).unwrap(), ["r1", "r3"]);
    assert_eq!(bench.ids(), ["r4", "r2"]);
}

#[test]
fn damage_of_any_kind_is_passed_over_and_the_rest_opens() {
    let mut bench = Bench::new();
    let kept: Vec<_> = (0..6).map(|n| bench.keep(&format!("a = {n}\nb = 2\n"))).collect();
    fs::write(&kept[0].path, b"\xff\xfe").unwrap();
    fs::write(&kept[1].path, "a = ").unwrap();
    fs::write(&kept[2].path, "").unwrap();
    fs::remove_file(&kept[3].path).unwrap();
    fs::create_dir(&kept[3].path).unwrap();
    let left = bench.folder.versions().join(".config-x.toml.setpoint-0a1b2c3d.tmp");
    fs::write(&left, "a").unwrap();
    bench.reopen();
    assert_eq!(bench.ids(), ["r6", "r5"]);
    assert_eq!(bench.revisions.problems().len(), 4);
    assert!(!left.exists());
    assert_eq!(bench.keep("a = 7\n").id, "r7");
}

#[test]
fn a_file_changed_after_it_was_seen_is_noticed() {
    let mut bench = Bench::new();
    let kept = bench.keep("a = 1\n");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    let dated = |text: Option<&str>, at| {
        let file = fs::OpenOptions::new().write(true).open(&kept.path).unwrap();
        if let Some(text) = text {
            std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
        }
        file.set_modified(at).unwrap();
    };
    dated(None, old);
    bench.reopen();
    // Same size and time, as no editor leaves it: not noticed on opening, but when it is read.
    dated(Some("a = 7\n"), old);
    bench.reopen();
    assert_eq!(bench.ids(), ["r1"]);
    assert!(matches!(bench.revisions.text("r1"), Err(StoreError::Damaged { .. })));
    // Another time: noticed at once.
    dated(None, old + std::time::Duration::from_millis(1));
    bench.reopen();
    assert_eq!(bench.ids(), [""; 0]);
    assert_eq!(bench.revisions.problems().len(), 1);
}

#[test]
fn a_log_damaged_in_the_middle_costs_the_facts_of_what_it_lost() {
    let mut bench = Bench::new();
    for n in 1..=5 {
        bench.keep(&format!("a = {n}\n"));
    }
    let ids = bench.ids();
    let log = fs::read_to_string(bench.folder.audit()).unwrap();
    for damage in ["garbage", "", "\u{0}\u{0}"] {
        let lines: Vec<&str> = log.lines().collect();
        let damaged = [lines[0], damage, damage, lines[3], damage].join("\n");
        fs::write(bench.folder.audit(), damaged + "\n").unwrap();
        let _ = fs::remove_file(bench.folder.path().join("versions.json"));
        bench.reopen();
        assert_eq!(bench.ids(), ids, "{damage:?}");
        let author = |id| bench.revisions.find(id).unwrap().author.clone();
        assert_eq!([author("r1"), author("r2")], ["nora", "unknown"]);
    }
}

#[test]
fn numbers_survive_a_lost_log_where_revisions_were_pruned() {
    let mut bench = Bench::new();
    for n in 1..=6 {
        bench.keep(&format!("a = {n}\n"));
    }
    bench.revisions.prune(2, None).unwrap();
    bench.reopen();
    fs::remove_file(bench.folder.audit()).unwrap();
    bench.reopen();
    assert_eq!(bench.ids(), ["r6", "r5"]);
    // Damage to what is only a cache costs nothing but time.
    fs::write(bench.folder.path().join("versions.json"), "{").unwrap();
    bench.reopen();
    assert_eq!(bench.ids(), ["r6", "r5"]);
    assert_eq!(bench.keep("a = 7\n").id, "r7");
}

#[test]
fn labels_that_people_gave_twice_are_told_apart() {
    let mut bench = Bench::new();
    for n in 1..=2 {
        let kept = bench.keep(&format!("a = {n}\n"));
        let stem = kept.path.file_stem().unwrap().to_str().unwrap().to_owned();
        fs::rename(&kept.path, kept.path.with_file_name(stem + "-golden.toml")).unwrap();
    }
    let kept = bench.keep("a = 3\n");
    let stem = kept.path.file_stem().unwrap().to_str().unwrap().to_owned();
    fs::copy(&kept.path, kept.path.with_file_name(stem + "-copied.toml")).unwrap();
    bench.reopen();
    let labels: Vec<_> =
        bench.revisions.list().into_iter().map(|kept| kept.label.unwrap()).collect();
    assert_eq!(labels, ["copied", "golden", "golden-r1"]);
    assert_eq!(bench.revisions.problems().len(), 2);
}

#[test]
fn revisions_are_found_by_what_they_changed_by_whom_and_when() {
    let mut bench = Bench::new();
    let mut keep = |author: &str, origin: &str, message: &str, path: &str, new: f64| {
        let change = serde_json::json!({
            "kind": "changed", "path": path, "old": 3.3, "new": new, "effect": "live"
        });
        let facts = Facts {
            author: author.into(),
            origin: origin.into(),
            message: message.into(),
            label: (message == "Aligned").then(|| "golden".to_owned()),
            data: serde_json::json!({ "changes": [change] }),
        };
        bench.revisions.keep(&format!("{path} = {new}\n"), facts, &bench.audit).unwrap()
    };
    let first = keep("Nora", "panel", "Warmer", "instruments.psu.set.ch1.voltage", 3.45);
    keep("file", "file", "edited", "instruments.heater.set.power", 12.5);
    keep("Ada", "api", "Aligned", "sources.cam.framerate", 25.0);
    let all = RevisionQuery::default;
    let check = |bench: &Bench| {
        let found = |query: &RevisionQuery| -> Vec<_> {
            bench.revisions.search(query).into_iter().map(|one| one.id).collect()
        };
        let text = |text: &str| found(&RevisionQuery { text: text.into(), ..all() });
        assert_eq!(found(&all()), ["r3", "r2", "r1"]);
        assert_eq!(text("warm"), ["r1"]);
        assert_eq!(text("VOLTAGE 3.45"), ["r1"]);
        assert_eq!(text("golden"), ["r3"]);
        assert_eq!(text("3.3"), ["r3", "r2", "r1"]);
        assert_eq!(text("voltage 12.5"), [""; 0]);
        let instrument = |name: &str| RevisionQuery { instrument: Some(name.into()), ..all() };
        assert_eq!(found(&instrument("psu")), ["r1"]);
        assert_eq!(found(&instrument("instruments.heater.set")), ["r2"]);
        assert_eq!(found(&RevisionQuery { author: Some("nora".into()), ..all() }), ["r1"]);
        assert_eq!(found(&RevisionQuery { origin: Some("api".into()), ..all() }), ["r3"]);
        assert_eq!(found(&RevisionQuery { labelled: true, ..all() }), ["r3"]);
        assert_eq!(found(&RevisionQuery { limit: Some(1), ..all() }), ["r3"]);
        assert_eq!(found(&RevisionQuery { to: Some(first.at), ..all() }), [""; 0]);
        assert_eq!(found(&RevisionQuery { from: Some(first.at), ..all() }), ["r3", "r2", "r1"]);
    };
    check(&bench);
    bench.reopen();
    check(&bench);
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
    assert_eq!(audit::verify(&bench.folder.audit()).map(|log| log.records), Ok(3));
}

#[test]
fn one_that_is_kept_late_has_the_time_at_which_it_was_made() {
    let mut bench = Bench::new();
    bench.keep("first");
    let at: jiff::Timestamp = "2026-03-01T10:00:00.250Z".parse().unwrap();
    for text in ["second", "third"] {
        bench.revisions.keep_of(at, text, Facts::default(), &bench.audit).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(bench.at("r2"), at);
        assert_eq!(bench.at("r3"), "2026-03-01T10:00:00.251Z".parse().unwrap(), "names are unique");
        let kept = bench.revisions.find("r2").unwrap();
        assert!(kept.path.to_string_lossy().contains("20260301T100000.250Z"), "{kept:?}");
        bench.reopen();
    }
    let line = &bench.audit.lines().unwrap()[1];
    assert_eq!(line.data["at"], "2026-03-01T10:00:00.25Z");
    assert!(line.at > at, "the line was written later");
}

#[test]
fn one_that_was_deleted_is_kept_again_under_its_number_if_that_is_free() {
    let mut bench = Bench::new();
    let at: jiff::Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    bench.revisions.pass_over(4);
    let again = bench.revisions.keep_again(3, at, "what ran", Facts::default(), &bench.audit);
    assert_eq!(again.unwrap().id, "r3");
    assert_eq!(bench.keep("next").id, "r5");
    let again = bench.revisions.keep_again(5, at, "another", Facts::default(), &bench.audit);
    assert_eq!(again.unwrap().id, "r6");
    bench.reopen();
    assert_eq!(bench.revisions.list().iter().map(|one| one.number).collect::<Vec<_>>(), [6, 5, 3]);
}

/// Both spellings look the same: é in one piece, and e with an accent behind it.
#[test]
fn a_label_is_the_same_however_its_letters_are_put_together() {
    let (whole, parts) = ("caf\u{e9}", "cafe\u{301}");
    let mut bench = Bench::new();
    let kept = bench.try_keep("a = 1\n", Some(parts)).unwrap();
    assert_eq!(kept.label.as_deref(), Some(whole));
    assert!(kept.path.to_str().unwrap().ends_with("-caf\u{e9}.toml"), "{:?}", kept.path);
    for label in [whole, parts] {
        let error = bench.try_keep("a = 2\n", Some(label)).unwrap_err();
        assert!(matches!(error, StoreError::LabelTaken { .. }), "{error:?}");
    }
    bench.reopen();
    assert_eq!((bench.text(whole), bench.text(parts)), ("a = 1\n".into(), "a = 1\n".into()));
    let same = bench.revisions.label("r1", Some(parts), "nora", "panel", &bench.audit).unwrap();
    assert_eq!(same.label.as_deref(), Some(whole));
}

#[test]
fn a_folder_in_the_place_of_a_revision_is_told_as_what_it_is() {
    let mut bench = Bench::new();
    let kept = bench.keep("a = 1\n");
    fs::remove_file(&kept.path).unwrap();
    fs::create_dir(&kept.path).unwrap();
    let said = bench.revisions.text("r1").unwrap_err().to_string();
    assert!(said.ends_with("it should be a file and is a folder; move it away"), "{said}");
    bench.reopen();
    let problems = bench.revisions.problems().join("\n");
    assert!(problems.contains("is a folder; move it away"), "{problems}");
    assert!(!problems.contains("name the bench file"), "{problems}");
}
