use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;

mod age;
mod lost;

/// Reached only if what is waited for never comes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    _dir: tempfile::TempDir,
    folder: BenchFolder,
    audit: Audit,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        Self { _dir: dir, folder, audit }
    }

    fn history(&self) -> History {
        self.with(HistoryOptions::default())
    }

    fn with(&self, options: HistoryOptions) -> History {
        History::open(&self.folder, options, Some(&self.audit)).unwrap()
    }

    fn reader(&self) -> HistoryReader {
        HistoryReader::of(&self.folder)
    }

    fn all(&self) -> Vec<HistoryEvent> {
        let filter = EventFilter { limit: usize::MAX, ..EventFilter::default() };
        self.reader().events(&filter).unwrap()
    }

    fn kinds(&self) -> Vec<String> {
        self.all().into_iter().map(|event| event.kind).collect()
    }

    /// A history with one event, and a lock that keeps all others from being written.
    fn locked(&self) -> (History, Connection) {
        let history = self.history();
        put(&history, "a", "x");
        assert!(history.flush(PATIENCE));
        let lock = Connection::open(self.folder.history()).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        (history, lock)
    }

    fn damaged(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| {
                path.file_name().unwrap().to_str().unwrap().starts_with("history-damaged-")
            })
            .filter(|path| path.extension().is_some_and(|end| end == "sqlite"))
            .collect()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn event(seq: u64, at: Timestamp, path: &str, kind: &str) -> HistoryEvent {
    HistoryEvent {
        seq,
        at,
        mono_us: seq * 10,
        run: "a-run".into(),
        origin: "bench".into(),
        kind: kind.into(),
        subject: "instruments".into(),
        tone: "info".into(),
        path: path.into(),
        message: format!("number {seq}"),
        took_ms: None,
        payload: None,
    }
}

fn put(history: &History, path: &str, kind: &str) -> u64 {
    let seq = history.number();
    // Numbers can be beyond all times.
    history.put_event(event(seq, at(seq.cast_signed() % 1_000_000), path, kind));
    seq
}

/// Waits for something that another thread does, without a fixed time.
#[track_caller]
fn until(what: &str, is: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

fn facts(revision: &str, second: i64) -> RevisionFacts {
    let picture = Picture {
        source: "sample".into(),
        at: at(second),
        width: 2,
        height: 1,
        png: b"png".to_vec(),
    };
    let reading = Reading {
        instrument: "psu".into(),
        parameter: "ch1.voltage".into(),
        unit: Some("V".into()),
        setpoint: Some(json!(3.3)),
        readback: Some(json!(3.299)),
        quality: "good".into(),
        age_ms: Some(120),
    };
    RevisionFacts {
        revision: revision.into(),
        at: at(second),
        effect: "live".into(),
        readings: vec![reading],
        pictures: vec![picture],
    }
}

#[test]
fn everything_reads_back_and_is_private() {
    let bench = Bench::new();
    let history = bench.history();
    let event = HistoryEvent {
        took_ms: Some(1.25),
        payload: Some(json!({ "changes": [{ "path": "a.b", "new": 1 }] })),
        message: "one\nline, “quoted”".into(),
        ..event(history.number(), at(1), "instruments.psu", "commit_applied")
    };
    history.put_event(event.clone());
    history.put_facts(facts("r1", 5));
    // What was first is what was at that moment.
    history.put_facts(RevisionFacts { effect: "none".into(), ..facts("r1", 9) });
    let points: Vec<TrendPoint> = [json!(1.5), json!(true), json!("CV")]
        .into_iter()
        .zip(0..)
        .map(|(value, second)| TrendPoint {
            instrument: "psu".into(),
            parameter: "ch1.voltage".into(),
            at: at(second),
            value,
        })
        .collect();
    history.put_trends(points.clone());
    assert!(history.flush(PATIENCE));

    let reader = bench.reader();
    assert_eq!(bench.all(), [event]);
    let mut expected = facts("r1", 5);
    expected.pictures[0].png.clear();
    assert_eq!(reader.facts("r1").unwrap(), Some(expected));
    assert_eq!(reader.facts("r2").unwrap(), None);
    assert_eq!(reader.picture("r1", "sample").unwrap().as_deref(), Some(&b"png"[..]));
    assert_eq!(reader.picture("r1", "other").unwrap(), None);
    let trend = |from, until| reader.trend("psu", "ch1.voltage", at(from), at(until), 10).unwrap();
    assert_eq!(trend(0, 9), points);
    assert_eq!(trend(1, 1), points[1..2]);
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", bench.folder.history().display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn numbers_go_on_after_a_restart() {
    let bench = Bench::new();
    let history = bench.history();
    assert_eq!(put(&history, "", "a"), 1);
    put(&history, "", "a");
    history.close();
    drop(history);
    let history = bench.history();
    assert_eq!(history.last_number(), 2);
    assert_eq!(put(&history, "", "a"), 3);
    history.close();
    assert_eq!(bench.all().iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((history.problem(), history.take_notes()), (None, Vec::new()));
}

#[test]
fn numbers_that_a_crash_left_unwritten_are_not_used_again() {
    let (bench, after) = (Bench::new(), Bench::new());
    let history = bench.history();
    put(&history, "", "a");
    assert!(history.flush(PATIENCE));
    // As a crash leaves it: handed out and not written.
    let handed_out = history.number() + 1_000;
    for end in ["", "-wal"] {
        let path = |bench: &Bench| format!("{}{end}", bench.folder.history().display());
        fs::copy(path(&bench), path(&after)).unwrap();
    }
    let history = after.history();
    assert!(history.number() > handed_out);
    assert_eq!(after.all().len(), 1, "what was acknowledged is there");
}

#[test]
fn a_key_is_not_the_beginning_of_another() {
    let bench = Bench::new();
    let history = bench.history();
    let paths =
        ["instruments.psu", "instruments.psu2", "instruments.psu.set.ch1", "instruments", ""];
    for path in paths {
        put(&history, path, "x");
    }
    assert!(history.flush(PATIENCE));
    let below = |path: &str| {
        let filter = EventFilter { path: Some(path.into()), ..EventFilter::default() };
        let events = bench.reader().events(&filter).unwrap();
        events.into_iter().map(|event| event.path).collect::<Vec<_>>()
    };
    assert_eq!(below("instruments.psu"), ["instruments.psu", "instruments.psu.set.ch1"]);
    assert_eq!(below("instruments.ps"), Vec::<String>::new());
    assert_eq!(below("instruments"), &paths[..4]);
    assert_eq!(below(""), paths);
}

fn filters() -> impl Strategy<Value = EventFilter> {
    let number = || prop::option::of(0..60_u64);
    let time = || prop::option::of((-5..70_i64).prop_map(at));
    let path = prop::option::of(prop::sample::select(vec!["", "a", "a.b", "a.bc", "d"]));
    let word = |words: &'static [&'static str]| prop::option::of(prop::sample::select(words));
    (
        number(),
        number(),
        time(),
        time(),
        path,
        word(&["x", "y"]),
        word(&["bench", "panel"]),
        0..9_usize,
        any::<bool>(),
    )
        .prop_map(|(after, before, from, until, path, kind, origin, limit, oldest)| {
            EventFilter {
                after,
                before,
                from,
                until,
                path: path.map(str::to_owned),
                kind: kind.map(str::to_owned),
                origin: origin.map(str::to_owned),
                limit,
                order: if oldest { Order::OldestFirst } else { Order::NewestFirst },
            }
        })
}

#[test]
fn queries_agree_with_looking_at_every_event() {
    let bench = Bench::new();
    let history = bench.history();
    let paths = ["", "a", "a.b", "a.b.c", "a.bc", "d"];
    let mut events = Vec::new();
    // A clock that is set back now and then, and numbers that leave gaps over many spans.
    for index in 0..50_u64 {
        let second = if index % 7 == 0 { 60 - index.cast_signed() } else { index.cast_signed() };
        let seq = if index < 25 { index + 1 } else { index * 5_000 };
        let kind = if index % 3 == 0 { "x" } else { "y" };
        let mut event = event(seq, at(second), paths[index as usize % paths.len()], kind);
        if index % 5 == 0 {
            event.origin = "panel".into();
        }
        history.put_event(event.clone());
        events.push(event);
    }
    assert!(history.flush(PATIENCE));
    let reader = bench.reader();
    proptest!(ProptestConfig::with_cases(400), |(filter in filters())| {
        let mut expected: Vec<_> = events.iter().filter(|event| filter.fits(event)).cloned().collect();
        if filter.order == Order::NewestFirst {
            expected.reverse();
        }
        expected.truncate(filter.limit);
        prop_assert_eq!(reader.events(&filter).unwrap(), expected.clone());
        let mut replayed = Vec::new();
        let told = reader.replay(&filter, |event| {
            replayed.push(event.clone());
            ControlFlow::Continue(())
        });
        prop_assert_eq!(told.unwrap(), expected.len());
        prop_assert_eq!(replayed, expected);
    });
}

#[test]
fn replay_goes_over_pages_and_ends_when_told() {
    let bench = Bench::new();
    let history = bench.history();
    for _ in 0..2_500 {
        put(&history, "a", "x");
    }
    assert!(history.flush(PATIENCE));
    let filter =
        EventFilter { limit: usize::MAX, path: Some("a".into()), ..EventFilter::default() };
    let mut seen = 0;
    let told = bench.reader().replay(&filter, |event| {
        seen += 1;
        assert_eq!(event.seq, seen);
        if seen == 2_400 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(told.unwrap(), 2_400);
    let filter = EventFilter { limit: 2_300, order: Order::NewestFirst, ..filter };
    assert_eq!(bench.reader().replay(&filter, |_| ControlFlow::Continue(())).unwrap(), 2_300);
}

#[test]
fn a_table_reads_back_as_what_was_written() {
    let bench = Bench::new();
    let history = bench.history();
    put(&history, "a", "x");
    let odd = HistoryEvent {
        message: "comma, \"quote\"\nand line".into(),
        payload: Some(json!({ "a": [1, "ü"] })),
        took_ms: Some(0.5),
        ..event(history.number(), at(7), "a.b", "y")
    };
    history.put_event(odd.clone());
    assert!(history.flush(PATIENCE));

    let mut bytes = Vec::new();
    let mut table = Table::new(&mut bytes);
    let told = bench.reader().replay(&EventFilter::default(), |event| {
        table.write(event).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(told.unwrap(), 2);
    drop(table);
    let mut rows = csv::Reader::from_reader(&bytes[..]);
    let names = rows.headers().unwrap().clone();
    let row = rows.records().nth(1).unwrap().unwrap();
    let field = |name: &str| &row[names.iter().position(|other| other == name).unwrap()];
    assert_eq!((field("seq"), field("message")), ("2", odd.message.as_str()));
    assert_eq!(serde_json::from_str::<Value>(field("payload")).ok(), odd.payload);
}

fn revise(audit: &Audit, number: u64) {
    let mut record = AuditRecord::new("revision", "panel", "nora", "", "Warmer");
    record.data.insert("number".into(), number.into());
    let change =
        json!({ "kind": "changed", "path": "instruments.psu.set.ch1.voltage", "effect": "live" });
    let set = json!({ "path": "psu.ch1.voltage", "asked": 3.3, "before": 1.0, "readback": 3.29 });
    record.data.insert("details".into(), json!({ "changes": [change], "set": [set] }));
    audit.append(record).unwrap();
}

#[track_caller]
fn survives(damage: impl FnOnce(&Path)) {
    let bench = Bench::new();
    let history = bench.history();
    revise(&bench.audit, 4);
    put(&history, "a", "x");
    history.close();
    drop(history);
    damage(&bench.folder.history());

    let history = bench.history();
    assert_eq!(bench.damaged().len(), 1, "it is moved aside");
    let notes = history.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("history-damaged-"), "{notes:?}");
    assert_eq!(history.problem(), None);
    let seq = put(&history, "a", "after");
    assert!(seq > 1, "numbers go on");
    assert!(history.flush(PATIENCE));
    assert_eq!(bench.kinds(), ["history_begun", "revision", "after"]);
    let facts = bench.reader().facts("r4").unwrap().unwrap();
    assert_eq!(facts.effect, "live");
    assert_eq!(
        (facts.readings[0].instrument.as_str(), &facts.readings[0].readback),
        ("psu", &Some(json!(3.29)))
    );
    assert_eq!(crate::audit::verify(&bench.folder.audit()).map(|log| log.records), Ok(3));
}

#[test]
fn garbage_is_moved_aside_and_rebuilt() {
    survives(|path| fs::write(path, "no database at all".repeat(1_000)).unwrap());
}

#[test]
fn a_broken_header_is_moved_aside_and_rebuilt() {
    survives(|path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[..100].fill(0x5a);
        fs::write(path, bytes).unwrap();
    });
}

#[test]
fn tables_of_another_version_are_moved_aside() {
    survives(|path| {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
    });
}

#[test]
fn a_database_of_something_else_is_moved_aside() {
    survives(|path| {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "application_id", 7).unwrap();
    });
}

#[test]
fn missing_tables_are_damage() {
    survives(|path| {
        Connection::open(path)
            .unwrap()
            .execute_batch("DROP TABLE events; DROP TABLE meta")
            .unwrap();
    });
}

#[test]
fn pages_that_break_while_it_runs_are_found() {
    let bench = Bench::new();
    let history = bench.history();
    for _ in 0..3_000 {
        put(&history, "a", "x");
    }
    assert!(history.flush(PATIENCE));
    let connection = Connection::open(bench.folder.history()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let path = bench.folder.history();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4_096..end].fill(0xa5);
    // In place: what was moved aside would be another file.
    std::os::unix::fs::FileExt::write_all_at(
        &fs::OpenOptions::new().write(true).open(&path).unwrap(),
        &bytes,
        0,
    )
    .unwrap();

    let error = bench.reader().events(&EventFilter::default()).unwrap_err();
    assert!(error.is_damage(), "{error}");
    history.suspect();
    put(&history, "a", "after");
    assert!(history.flush(PATIENCE));
    assert_eq!(bench.damaged().len(), 1);
    assert!(bench.all().iter().any(|event| event.kind == "after"));
    assert!(history.take_begun().is_some());
}

#[test]
fn a_database_that_is_deleted_while_it_runs_is_made_again() {
    let bench = Bench::new();
    let history = bench.history();
    put(&history, "a", "before");
    assert!(history.flush(PATIENCE));
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", bench.folder.history().display())).unwrap();
    }
    let seq = put(&history, "a", "after");
    assert!(history.flush(PATIENCE));
    assert!(bench.damaged().is_empty());
    let events = bench.all();
    let after = events.iter().find(|event| event.kind == "after").unwrap();
    assert_eq!(after.seq, seq);
    assert!(history.number() > events.last().unwrap().seq, "numbers go on");
    assert_eq!(history.take_notes().len(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_problem_that_passes() {
    let bench = Bench::new();
    // Also root cannot write a file where a folder is.
    fs::create_dir(bench.folder.history()).unwrap();
    let history = bench.history();
    let problem = history.problem().unwrap();
    assert!(problem.contains("history.sqlite cannot be used"), "{problem}");
    assert!(!history.flush(PATIENCE));
    put(&history, "a", "x");
    fs::remove_dir(bench.folder.history()).unwrap();
    until("it works again", || history.problem().is_none());
    assert!(history.flush(PATIENCE));
    assert!(bench.all().iter().any(|event| event.kind == "x"), "what waited is written");
}

#[test]
fn what_does_not_fit_the_queue_is_counted_and_told_once() {
    let bench = Bench::new();
    let (history, lock) = bench.locked();
    let put_in = 20_000;
    for _ in 0..put_in {
        put(&history, "a", "x");
    }
    assert!(history.problem().is_some());
    drop(lock);
    until("it works again", || history.problem().is_none() && history.flush(PATIENCE));
    let notes = history.take_notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let lost: usize = notes[0].split(' ').next().unwrap().parse().unwrap();
    assert_eq!(bench.all().len() + lost, put_in + 1);
    assert!(lost > 0);
}

#[test]
fn what_is_too_old_is_forgotten_but_not_what_has_a_label() {
    let bench = Bench::new();
    let history = bench.history();
    let now = Timestamp::now();
    for _ in 0..3_000 {
        put(&history, "old", "x");
    }
    let newest = history.number() + 5_000;
    history.put_event(event(newest, now, "young", "x"));
    history.put_facts(facts("r1", 0));
    history.put_facts(facts("r2", 0));
    let point =
        |at| TrendPoint { instrument: "psu".into(), parameter: "v".into(), at, value: json!(1.0) };
    history.put_trends(vec![point(at(0)), point(at(1)), point(now)]);
    history.close();
    drop(history);

    // The events of these tests are of September 2026.
    let hour = Duration::from_secs(3_600);
    let options =
        HistoryOptions { max_age: hour, max_trend_age: hour, ..HistoryOptions::default() };
    let history = bench.with(options);
    history.set_labelled(vec!["r2".into()]);
    until("old ones are gone", || {
        bench.all().len() == 1 && bench.reader().facts("r1").unwrap().is_none()
    });
    assert_eq!(bench.all()[0].seq, newest);
    assert!(bench.reader().picture("r2", "sample").unwrap().is_some());
    until("old readbacks are gone", || {
        bench.reader().trend("psu", "v", at(-9), now, 10).unwrap().len() == 2
    });
}

#[test]
fn the_size_stays_within_its_bound() {
    let bench = Bench::new();
    let most = 2 << 20;
    let history = bench.with(HistoryOptions {
        max_bytes: most,
        max_age: Duration::MAX,
        max_trend_age: Duration::MAX,
    });
    history.set_labelled(vec!["r1".into()]);
    history.put_facts(facts("r1", 0));
    for round in 0..30 {
        for _ in 0..2_000 {
            let mut event = event(history.number(), at(round), "a", "x");
            event.message = "x".repeat(300);
            history.put_event(event);
        }
        assert!(history.flush(PATIENCE));
    }
    let last = history.last_number();
    history.close();
    drop(history);
    let history = bench.with(HistoryOptions { max_bytes: most, ..HistoryOptions::default() });
    history.set_labelled(vec!["r1".into()]);
    until("it is small", || fs::metadata(bench.folder.history()).unwrap().len() <= most);
    history.close();
    let events = bench.all();
    assert_eq!(events.last().unwrap().seq, last, "the newest stay");
    assert!(events.len() > 1_000, "no more goes than has to: {}", events.len());
    assert!(bench.reader().facts("r1").unwrap().is_some());
}
