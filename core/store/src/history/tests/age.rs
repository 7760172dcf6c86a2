//! What is forgotten, and what the clock has to do with it.

use std::{collections::HashSet, time::Instant};

use super::*;
use crate::history::{
    bounds::Pass,
    clock::{Clocks, Cuts},
    database::{self, Database},
    insert::{Batch, Names},
};

const DAY: i64 = 24 * 60 * 60;

fn open(bench: &Bench) -> Database {
    database::open(&bench.folder.history(), |_| 1).unwrap().database
}

fn put_all(database: &mut Database, events: &[HistoryEvent]) {
    let batch = Batch { events: events.iter().collect(), ..Batch::default() };
    assert_eq!(database.put(&batch, &mut Names::default()).unwrap(), 0);
}

/// Forgets what is older, as far as there is any.
fn forget(database: &mut Database, cuts: Cuts) {
    let mut pass = Pass::new(HistoryOptions::default(), cuts);
    while pass.step(database, &HashSet::new()).unwrap() {}
}

#[test]
fn one_event_of_the_future_keeps_its_neighbours_only_and_the_newest_stay() {
    let bench = Bench::new();
    let mut database = open(&bench);
    let mut events: Vec<_> = (1..=5_000).map(|seq| event(seq, at(0), "a", "x")).collect();
    events[100].at = at(900 * DAY);
    put_all(&mut database, &events);
    let cuts = Cuts { events: Some(at(DAY).as_microsecond()), trends: None };
    forget(&mut database, cuts);
    let left: Vec<u64> = bench.all().iter().map(|event| event.seq).collect();
    let newest = 5_000 / 1_024 * 1_024;
    let expected: Vec<u64> = (1..1_024).chain(newest..=5_000).collect();
    assert_eq!(left, expected);
}

#[test]
fn a_clock_far_beyond_what_was_believed_is_believed_after_a_day() {
    let bench = Bench::new();
    let mut database = open(&bench);
    put_all(&mut database, &[event(1, at(0), "a", "x")]);
    // What an earlier run has written is what the clock is measured by.
    drop(database);
    let database = open(&bench);
    let options = HistoryOptions::default();
    let (mut clocks, now) = (Clocks::new(options), Instant::now());
    let cuts = |clocks: &mut Clocks, days: i64, hours: u64| {
        let later = now + Duration::from_secs(hours * 3_600);
        let cuts = clocks.cuts(&database, at(days * DAY), later).unwrap();
        (cuts.events.is_some(), cuts.trends.is_some())
    };
    assert_eq!(cuts(&mut clocks, 5, 0), (true, true));
    // Beyond a quarter of 30 days, within a quarter of two years.
    assert_eq!(cuts(&mut clocks, 15, 0), (true, false));
    assert_eq!(cuts(&mut clocks, 3_000, 0), (false, false));
    assert_eq!(cuts(&mut clocks, 3_000, 23), (false, false));
    // Another run does not believe it either, and one whose clock was set right does.
    assert_eq!(cuts(&mut Clocks::new(options), 3_000, 23), (false, false));
    assert_eq!(cuts(&mut Clocks::new(options), 6, 23), (true, true));
    assert_eq!(cuts(&mut clocks, 3_000, 24), (true, true));
    assert_eq!(cuts(&mut Clocks::new(options), 3_001, 0), (true, true));
}

fn point(second: i64, value: i64) -> TrendPoint {
    TrendPoint {
        instrument: "psu".into(),
        parameter: "v".into(),
        at: at(second),
        value: (value as f64).into(),
    }
}

#[test]
fn a_value_that_never_changes_is_seen_at_any_time_and_never_forgotten() {
    let bench = Bench::new();
    let mut database = open(&bench);
    let points = [point(0, 1), point(10, 2), point(20, 3)];
    let batch = Batch { trends: points.iter().collect(), ..Batch::default() };
    database.put(&batch, &mut Names::default()).unwrap();
    let trend = |from, until| bench.reader().trend("psu", "v", at(from), at(until), 10).unwrap();
    assert_eq!(trend(30, 40), points[2..], "what held then");
    assert_eq!(trend(15, 40), points[1..]);
    assert_eq!(trend(10, 15), points[1..2]);
    assert_eq!(trend(-9, 5), points[..1]);
    assert_eq!(trend(40, 30), []);
    assert_eq!(bench.reader().trend("psu", "v", at(15), at(40), 1).unwrap(), points[1..2]);
    let cut = |second: i64| Cuts { events: None, trends: Some(at(second).as_microsecond()) };
    forget(&mut database, cut(15));
    assert_eq!(trend(0, 40), points[1..], "what held at the cut stays");
    forget(&mut database, cut(1_000));
    assert_eq!(trend(0, 40), points[2..]);
}

#[test]
fn readbacks_make_room_though_the_last_of_each_series_stays() {
    let bench = Bench::new();
    let mut database = open(&bench);
    let mut points: Vec<_> = (0..60_000).map(|second| point(1_000_000 + second, second)).collect();
    // From long before, and the last of its series.
    points.push(TrendPoint { parameter: "constant".into(), ..point(0, 5) });
    let batch = Batch { trends: points.iter().collect(), ..Batch::default() };
    database.put(&batch, &mut Names::default()).unwrap();
    let options = HistoryOptions { max_bytes: 400 << 10, ..HistoryOptions::default() };
    let mut pass = Pass::new(options, Cuts { events: None, trends: None });
    while pass.step(&mut database, &HashSet::new()).unwrap() {}
    let used = crate::history::bounds::used(&database).unwrap();
    assert!(used <= 400 << 10, "{used}");
    let held = bench.reader().trend("psu", "constant", at(2_000_000), at(2_000_000), 1).unwrap();
    assert_eq!(held.len(), 1);
}

#[test]
fn topics_that_a_failing_pass_removed_are_named_anew() {
    let bench = Bench::new();
    let history = bench.history();
    let now = Timestamp::now();
    let gone = |seq, at| event(seq, at, "gone", "x");
    for seq in 1..=1_000 {
        history.put_event(gone(seq, at(0)));
    }
    history.put_event(event(1_001, at(0), "stays", "x"));
    history.put_event(event(5_000, now, "new", "x"));
    history.close();
    drop(history);
    let other = Connection::open(bench.folder.history()).unwrap();
    // Fails at the second topic and keeps what was done by then, as a failing last step does.
    let fail = "CREATE TRIGGER fails BEFORE DELETE ON topics WHEN old.path = 'stays' \
                BEGIN SELECT raise(FAIL, 'no'); END";
    other.execute_batch(fail).unwrap();
    let hour = Duration::from_secs(3_600);
    let history = bench.with(HistoryOptions { max_age: hour, ..HistoryOptions::default() });
    // Its number is known from now on.
    history.put_event(gone(5_001, now));
    assert!(history.flush(PATIENCE));
    other.execute("DELETE FROM events WHERE seq = 5001", []).unwrap();
    history.set_labelled(Vec::new());
    until("the pass fails", || history.problem().is_some_and(|problem| problem.contains("no")));
    let topics = "SELECT count(*) FROM topics WHERE path = 'gone'";
    let left: i64 = other.query_row(topics, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "the topic is gone");
    until("it works again", || history.problem().is_none());
    history.put_event(gone(5_002, now));
    assert!(history.flush(PATIENCE));
    let seqs: Vec<u64> = bench.all().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [5_000, 5_002]);
}
