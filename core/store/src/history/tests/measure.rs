//! Numbers, by hand: `cargo test --release -p setpoint-store --lib measure -- --ignored --nocapture`

use std::time::Instant;

use super::*;
use crate::history::{
    database,
    insert::{Batch, Names},
};

const EVENTS: u64 = 1_000_000;

#[test]
#[ignore = "takes its time and says something in a release build only"]
#[allow(clippy::print_stdout, reason = "its result is what it prints")]
fn inserting_and_finding_among_a_million_events() {
    let bench = Bench::new();
    let mut database = database::open(&bench.folder.history(), || 1).unwrap().database;
    let kinds = ["instrument_offline", "commit_applied", "setpoint_written", "source_live"];
    let events: Vec<HistoryEvent> = (1..=EVENTS)
        .map(|seq| {
            let path = format!("instruments.psu{}.set.ch{}.voltage", seq % 97, seq % 3);
            let kind = kinds[(seq / 7 % 4) as usize];
            let kind = if seq % 50_000 == 1 { "rare" } else { kind };
            event(seq, at(seq.cast_signed() / 10), &path, kind)
        })
        .collect();
    let mut names = Names::default();
    let begun = Instant::now();
    for events in events.chunks(4_096) {
        let batch = Batch { events: events.iter().collect(), ..Batch::default() };
        database.put(&batch, &mut names).unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    let size = fs::metadata(bench.folder.history()).unwrap().len() >> 20;
    println!("{EVENTS} events in {took:.2} s: {:.0}/s, {size} MiB", EVENTS as f64 / took);

    let base = || EventFilter::default();
    let filters = [
        ("newest", EventFilter { order: Order::NewestFirst, ..base() }),
        ("after a number", EventFilter { after: Some(500_000), ..base() }),
        ("one path", EventFilter { path: Some("instruments.psu7".into()), ..base() }),
        ("every path", EventFilter { path: Some("instruments".into()), ..base() }),
        ("kind", EventFilter { kind: Some("source_live".into()), ..base() }),
        (
            "rare kind, newest",
            EventFilter { kind: Some("rare".into()), order: Order::NewestFirst, ..base() },
        ),
        ("no such kind", EventFilter { kind: Some("never".into()), ..base() }),
        (
            "path and kind and origin",
            EventFilter {
                path: Some("instruments.psu96.set".into()),
                kind: Some("commit_applied".into()),
                origin: Some("bench".into()),
                ..base()
            },
        ),
        (
            "an hour in the middle",
            EventFilter {
                from: Some(at(50_000)),
                until: Some(at(53_600)),
                path: Some("instruments.psu3".into()),
                order: Order::NewestFirst,
                ..base()
            },
        ),
    ];
    let reader = bench.reader();
    for (name, filter) in filters {
        let mut times: Vec<f64> = (0..15)
            .map(|_| {
                let begun = Instant::now();
                let found = reader.events(&filter).unwrap().len();
                assert!(found <= 200);
                begun.elapsed().as_secs_f64() * 1_000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} ms, most {:.2} ms", times[7], times[14]);
    }
}
