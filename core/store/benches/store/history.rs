//! A million events: putting them in, in batches, and pages out of them. The floors, of the same
//! run and rows: SQLite alone with one table and one index, and appending lines with one fdatasync
//! a batch.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use setpoint_store::{
    BenchFolder, History, HistoryReader,
    history::{EventFilter, HistoryEvent, HistoryOptions, Order},
};

use crate::{median_of, timed};

const EVENTS: u64 = 1_000_000;
const BATCH: usize = 4_096;
/// Events in a second at least.
const LEAST: f64 = 50_000.0;
/// Milliseconds for a page at most.
const MOST: f64 = 20.0;

pub fn main() {
    // In the target folder: temporary folders are often in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
    let events: Vec<HistoryEvent> = (1..=EVENTS).map(event).collect();
    println!("{EVENTS} events in batches of {BATCH}");
    println!("{:<32} {:>10} {:>8} {:>8}", "", "a second", "MiB", "least");
    let bare = dir.path().join("bare.sqlite");
    row("floor: SQLite, bare", timed(|| sqlite(&bare, &events)), &bare, None);
    let lines = dir.path().join("lines");
    row("floor: appends and fdatasync", timed(|| append(&lines, &events)), &lines, None);
    let history = History::open(&folder, HistoryOptions::default(), None).unwrap();
    let took = timed(|| put(&history, &events));
    row("history", took, &folder.history(), Some(LEAST));
    history.close();
    pages(&HistoryReader::of(&folder), &bare);
}

fn event(seq: u64) -> HistoryEvent {
    let kinds = ["instrument_offline", "commit_applied", "setpoint_written", "source_live"];
    let kind = kinds[(seq / 7 % 4) as usize];
    HistoryEvent {
        seq,
        at: at(seq.cast_signed() / 10),
        mono_us: seq * 10,
        run: "a-run".into(),
        origin: "bench".into(),
        kind: if seq % 50_000 == 1 { "rare" } else { kind }.into(),
        subject: "instruments".into(),
        tone: "info".into(),
        path: format!("instruments.psu{}.set.ch{}.voltage", seq % 97, seq % 3),
        message: format!("number {seq}"),
        took_ms: None,
        payload: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn row(name: &str, ms: f64, file: &Path, least: Option<f64>) {
    let (pace, mib) = (EVENTS as f64 / ms * 1_000.0, fs::metadata(file).unwrap().len() >> 20);
    let said = least.map(|least| format!("{least:.0}")).unwrap_or_default();
    let under = if least.is_some_and(|least| pace < least) { "  UNDER" } else { "" };
    println!("{name:<32} {pace:>10.0} {mib:>8} {said:>8}{under}");
}

/// As many rows of as many bytes, without names that are numbers, bounds or numbers put by.
fn sqlite(path: &Path, events: &[HistoryEvent]) {
    let mut connection = Connection::open(path).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
             CREATE TABLE events(seq INTEGER PRIMARY KEY, topic INTEGER NOT NULL,
                 at INTEGER NOT NULL, mono_us INTEGER NOT NULL, run INTEGER NOT NULL,
                 subject TEXT NOT NULL, tone TEXT NOT NULL, message TEXT NOT NULL,
                 took_ms REAL, payload TEXT);
             CREATE INDEX events_topic ON events(topic);",
        )
        .unwrap();
    for events in events.chunks(BATCH) {
        let transaction = connection.transaction().unwrap();
        let mut put = transaction
            .prepare("INSERT INTO events VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, NULL, NULL)")
            .unwrap();
        for event in events {
            put.execute(params![
                event.seq.cast_signed(),
                (event.seq % 1_164).cast_signed(),
                event.at.as_microsecond(),
                event.mono_us.cast_signed(),
                event.subject,
                event.tone,
                event.message,
            ])
            .unwrap();
        }
        drop(put);
        transaction.commit().unwrap();
    }
}

fn append(path: &Path, events: &[HistoryEvent]) {
    let mut file = File::create(path).unwrap();
    for events in events.chunks(BATCH) {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).unwrap();
            lines.push(b'\n');
        }
        file.write_all(&lines).unwrap();
        file.sync_data().unwrap();
    }
}

/// As the runtime hands them over; what waits is bounded.
fn put(history: &History, events: &[HistoryEvent]) {
    for events in events.chunks(BATCH) {
        events.iter().for_each(|event| history.put_event(event.clone()));
        assert!(history.flush(Duration::from_secs(60)), "{:?}", history.problem());
    }
    assert!(history.take_notes().is_empty(), "nothing is lost");
}

fn pages(reader: &HistoryReader, bare: &Path) {
    let base = EventFilter::default;
    let of = |path: &str, kind: Option<&str>| EventFilter {
        path: Some(path.into()),
        kind: kind.map(str::to_owned),
        ..base()
    };
    let rare = EventFilter { kind: Some("rare".into()), order: Order::NewestFirst, ..base() };
    let hour = EventFilter {
        from: Some(at(50_000)),
        until: Some(at(53_600)),
        order: Order::NewestFirst,
        ..of("instruments.psu3", None)
    };
    let all = EventFilter { origin: Some("bench".into()), ..of("instruments.psu96.set", None) };
    println!("{:<32} {:>10} {:>8}", "a page of 200", "median ms", "most");
    // The floor: opening, and 200 rows by their number.
    let floor = median_of(15, || {
        let connection = Connection::open(bare).unwrap();
        let mut page =
            connection.prepare("SELECT * FROM events WHERE seq > 500000 LIMIT 200").unwrap();
        let text = |row: &rusqlite::Row<'_>| row.get::<_, String>(7);
        assert_eq!(page.query_map([], text).unwrap().count(), 200);
    });
    println!("{:<32} {floor:>10.2}", "floor: SQLite, bare");
    for (name, filter) in [
        ("newest", EventFilter { order: Order::NewestFirst, ..base() }),
        ("after a number", EventFilter { after: Some(500_000), ..base() }),
        ("one path", of("instruments.psu7", None)),
        ("every path", of("instruments", None)),
        ("a kind", EventFilter { kind: Some("source_live".into()), ..base() }),
        ("a rare kind, newest", rare),
        ("no such kind", EventFilter { kind: Some("never".into()), ..base() }),
        ("path and origin", all),
        ("path and kind", of("instruments.psu96.set", Some("commit_applied"))),
        ("an hour in the middle", hour),
    ] {
        let ms = median_of(15, || assert!(reader.events(&filter).unwrap().len() <= 200));
        let over = if ms > MOST { "  OVER" } else { "" };
        println!("{name:<32} {ms:>10.2} {MOST:>8.0}{over}");
    }
}
