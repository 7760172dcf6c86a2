//! What waits, what is lost, and numbers that are used once.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::history::{
    database,
    queue::{Item, Shared},
    rebuild::{Filling, GUESSED},
    writer::{Begin, Writer},
};

/// More than half of what may wait.
const HEAVY: usize = 20 << 20;

#[track_caller]
fn two_do_not_fit(item: impl Fn() -> Item, entries: u64) {
    let (shared, queue) = Shared::new();
    shared.put(item());
    assert_eq!(shared.take_lost(), 0);
    shared.put(item());
    assert_eq!(shared.take_lost(), entries);
    shared.done_with(&queue.try_recv().unwrap());
    assert!(queue.try_recv().is_err(), "it waits all the same");
    shared.put(item());
    assert_eq!(shared.take_lost(), 0, "there is room again");
}

#[test]
fn everything_that_waits_is_weighed() {
    let points = || {
        let point = TrendPoint {
            instrument: "psu".into(),
            parameter: "v".into(),
            at: at(0),
            value: json!(1.0),
        };
        Item::Trends(vec![point; HEAVY / 160])
    };
    two_do_not_fit(points, (HEAVY / 160) as u64);
    let heavy = || "x".repeat(HEAVY);
    let message = || HistoryEvent { message: heavy(), ..event(1, at(0), "a", "x") };
    two_do_not_fit(|| Item::Event(Box::new(message())), 1);
    let payload = || Some(json!({ "changes": [{ "new": heavy() }] }));
    let payload = || HistoryEvent { payload: payload(), ..event(1, at(0), "a", "x") };
    two_do_not_fit(|| Item::Event(Box::new(payload())), 1);
    let read = || {
        let mut facts = facts("r1", 0);
        facts.readings[0].readback = Some(json!(heavy()));
        facts
    };
    two_do_not_fit(|| Item::Facts(Box::new(read())), 1);
    let seen = || {
        let mut facts = facts("r1", 0);
        facts.pictures[0].png = heavy().into();
        facts
    };
    two_do_not_fit(|| Item::Facts(Box::new(seen())), 1);
}

#[test]
fn closing_writes_all_that_waits() {
    let bench = Bench::new();
    let (history, lock) = bench.locked();
    for _ in 0..8_000 {
        put(&history, "a", "x");
    }
    drop(lock);
    history.close();
    assert_eq!(bench.all().len(), 8_001);
    assert_eq!(history.take_notes(), [] as [&str; 0]);
}

#[test]
fn what_cannot_be_written_before_the_end_is_told() {
    let bench = Bench::new();
    fs::create_dir(bench.folder.history()).unwrap();
    let history = bench.history();
    for _ in 0..3 {
        put(&history, "a", "x");
    }
    history.close();
    let notes = history.take_notes();
    assert!(notes.len() == 1 && notes[0].starts_with("3 entries of history"), "{notes:?}");
}

#[test]
fn a_number_that_is_taken_is_a_loss_and_the_same_event_twice_is_none() {
    let bench = Bench::new();
    let history = bench.history();
    let first = event(1, at(1), "a", "x");
    history.put_event(first.clone());
    history.put_event(first.clone());
    assert!(history.flush(PATIENCE));
    assert_eq!(history.take_notes(), [] as [&str; 0]);
    history.put_event(event(1, at(2), "a", "x"));
    assert!(history.flush(PATIENCE));
    until("it is told", || {
        history.take_notes().iter().any(|note| note.starts_with("1 entry of history"))
    });
    assert_eq!(bench.all(), [first]);
}

#[test]
fn where_nothing_is_known_numbers_are_above_all_there_can_have_been() {
    // There was a database, and neither it nor the log can be read.
    let dir = tempfile::tempdir().unwrap();
    let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
    for path in [folder.audit(), folder.history()] {
        fs::create_dir(path).unwrap();
    }
    let history = History::open(&folder, HistoryOptions::default(), None).unwrap();
    let number = history.number();
    assert!(number >= GUESSED, "{number}");
    assert_eq!(history.take_begun(), Some(number), "the log has to know of it");

    // There was one, and the log does not know from which number on it counted.
    let bench = Bench::new();
    fs::write(bench.folder.history(), "no database").unwrap();
    let history = bench.history();
    assert!(history.number() >= GUESSED);
}

#[test]
fn numbers_that_a_long_failure_left_unwritten_are_not_used_again() {
    let bench = Bench::new();
    let history = bench.history();
    history.close();
    drop(history);
    // As a crash leaves it after an hour in which nothing could be written.
    let connection = Connection::open(bench.folder.history()).unwrap();
    let begun = Timestamp::now().as_second() - 3_600;
    connection.execute("UPDATE meta SET value = ?1 WHERE key = 'opened'", [begun]).unwrap();
    connection.execute("UPDATE meta SET value = 0 WHERE key = 'clean'", []).unwrap();
    drop(connection);
    let history = bench.history();
    assert!(history.number() > 100_000, "{}", history.last_number());
}

/// A fresh database into which nothing can be put until the trigger is gone.
fn refusing(bench: &Bench) -> (database::Database, Connection) {
    let opened = database::open(&bench.folder.history(), |_| 1).unwrap();
    assert!(opened.fresh.is_some());
    let other = Connection::open(bench.folder.history()).unwrap();
    // As a disk that becomes full half-way.
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.seq = 2 \
                  BEGIN SELECT raise(ABORT, 'full'); END";
    other.execute_batch(refuse).unwrap();
    (opened.database, other)
}

#[test]
fn a_rebuild_that_failed_is_made_good_and_swallows_nothing() {
    let bench = Bench::new();
    (1..=3).for_each(|number| revise(&bench.audit, number));
    let (database, other) = refusing(&bench);
    let (shared, queue) = Shared::new();
    let next = std::sync::Arc::new(AtomicU64::new(1));
    let first = |count| next.fetch_add(count, Ordering::Relaxed);
    let filling = Filling::of(&bench.folder.audit(), first, Some("made anew".to_owned()));
    let begin = Begin {
        path: bench.folder.history(),
        audit: bench.folder.audit(),
        options: HistoryOptions::default(),
        database: Some(database),
        filling: Some(filling),
        next: next.clone(),
    };
    Writer::new(begin, shared.clone(), queue).start().unwrap();
    let seq = next.fetch_add(1, Ordering::Relaxed);
    shared.put(Item::Event(Box::new(event(seq, at(0), "a", "x"))));
    until("it fails", || shared.problem().is_some_and(|problem| problem.contains("full")));
    assert_eq!(bench.all(), [], "all of it or nothing");
    assert_eq!(shared.take_begun(), None);
    other.execute_batch("DROP TRIGGER full").unwrap();
    until("it works", || shared.flush(PATIENCE));
    let kinds: Vec<_> = bench.all().into_iter().map(|event| (event.seq, event.kind)).collect();
    let kinds: Vec<_> = kinds.iter().map(|(seq, kind)| (*seq, kind.as_str())).collect();
    assert_eq!(kinds, [(1, "revision"), (2, "revision"), (3, "revision"), (4, "x")]);
    assert_eq!((shared.take_notes(), shared.take_begun()), (vec!["made anew".to_owned()], Some(5)));
    shared.close();
}

#[test]
fn a_rebuild_that_a_crash_cut_short_is_made_at_the_next_start() {
    let bench = Bench::new();
    (1..=3).for_each(|number| revise(&bench.audit, number));
    let (mut database, other) = refusing(&bench);
    let to_fill = Filling::of(&bench.folder.audit(), |_| 1, None);
    to_fill.put_into(&mut database, &bench.folder.audit()).unwrap_err();
    drop(database);
    other.execute_batch("DROP TRIGGER full").unwrap();
    drop(other);
    let history = bench.history();
    assert_eq!(bench.kinds(), ["revision"; 3]);
    assert!(history.number() > bench.all()[2].seq);
}

#[test]
fn what_is_forgotten_while_someone_reads_is_no_damage() {
    let bench = Bench::new();
    let history = bench.history();
    for _ in 0..8_000 {
        put(&history, "a", "x");
    }
    assert!(history.flush(PATIENCE));
    let other = Connection::open(bench.folder.history()).unwrap();
    let filter = EventFilter { path: Some("a".into()), limit: 2_000, ..EventFilter::default() };
    std::thread::scope(|scope| {
        let forgetting = scope.spawn(move || {
            other.busy_timeout(PATIENCE).unwrap();
            for seq in 1..=2_000 {
                other.execute("DELETE FROM events WHERE seq = ?1", [seq]).unwrap();
            }
        });
        while !forgetting.is_finished() {
            assert_eq!(bench.reader().events(&filter).unwrap().len(), 2_000);
        }
    });
}
