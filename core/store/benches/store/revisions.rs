//! A commit to disk, a snapshot, and finding among 10,000 revisions. The floor is what any safe
//! save takes on this disk: write, fsync, rename, fsync of the folder.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use serde_json::json;
use setpoint_store::{Audit, BenchFolder, Facts, RevisionQuery, Revisions, atomic};

use crate::{median, median_of, timed};

const ROUNDS: usize = 200;
const MANY: usize = 10_000;
/// Bytes of a bench file.
const SIZE: usize = 100 * 1024;

pub fn main() {
    writing();
    finding();
}

/// In each round everything is measured once, so that whatever else the machine does slows all of
/// it down; what is printed are medians, of times and of ratios within a round.
fn writing() {
    // In the target folder: temporary folders are often in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bench = dir.path().join("bench.toml");
    let folder = BenchFolder::open(&bench).unwrap();
    let audit = Audit::open(&folder).unwrap();
    let mut revisions = Revisions::open(&folder, &audit).unwrap();
    let mut measured: [Vec<f64>; 4] = Default::default();
    for round in 0..ROUNDS {
        let text = text(round);
        let ms = [
            timed(|| floor(&dir.path().join("floor.toml"), &text)),
            timed(|| atomic::replace(&bench, text.as_bytes()).unwrap()),
            timed(|| drop(revisions.keep(&text, facts(round), &audit).unwrap())),
            timed(|| drop(revisions.keep(&text, facts(round), &audit).unwrap())),
        ];
        measured.iter_mut().zip(ms).for_each(|(list, ms)| list.push(ms));
    }
    let floor = measured[0].clone();
    println!("100 KB, {ROUNDS} rounds     median ms   of the floor   limit");
    let rows = ["floor", "commit to disk", "snapshot", "snapshot, same text"];
    for ((name, list), limit) in rows.into_iter().zip(measured).zip([1.0, 1.3, 1.5, 1.5]) {
        let ratios = list.iter().zip(&floor).map(|(ms, floor)| ms / floor).collect();
        let (ratio, ms) = (median(ratios), median(list));
        let over = if ratio > limit { "  OVER" } else { "" };
        println!("{name:<22} {ms:>9.3} {ratio:>14.2} {limit:>7.2}{over}");
    }
}

fn finding() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
    let audit = Audit::open(&folder).unwrap();
    let mut revisions = Revisions::open(&folder, &audit).unwrap();
    for number in 0..MANY {
        let label = number.is_multiple_of(100).then(|| format!("kept {number}"));
        revisions.keep(&text(number), Facts { label, ..facts(number) }, &audit).unwrap();
    }
    drop((revisions, audit));
    let open = || {
        let audit = Audit::open(&folder).unwrap();
        let list = Revisions::open(&folder, &audit).unwrap();
        assert_eq!(list.iter().count(), MANY);
        (audit, list)
    };
    let first = timed(|| drop(open()));
    println!("{MANY} revisions of 100 KB       ms   limit");
    println!("{:<26} {first:>9.2}", "opening, all are read");
    // The last ones are too fresh for their times to be believed yet.
    std::thread::sleep(std::time::Duration::from_secs(4));
    drop(open());
    println!("{:<26} {:>9.2}", "opening again", median_of(5, || drop(open())));
    let audit_only = median_of(5, || drop(Audit::open(&folder).unwrap()));
    println!("{:<26} {audit_only:>9.2}", "of that, the log alone");
    let (_audit, revisions) = open();
    let query = |text: &str| RevisionQuery { text: text.to_owned(), ..RevisionQuery::default() };
    let psu = RevisionQuery { instrument: Some("psu7".to_owned()), ..RevisionQuery::default() };
    for (name, ms) in [
        ("listing", median_of(20, || drop(revisions.list()))),
        ("search, two words", median_of(20, || drop(revisions.search(&query("voltage 3.45"))))),
        ("search, nothing found", median_of(20, || drop(revisions.search(&query("nowhere"))))),
        ("search, an instrument", median_of(20, || drop(revisions.search(&psu)))),
        ("search, everything", median_of(20, || drop(revisions.search(&query("r"))))),
    ] {
        println!("{name:<26} {ms:>9.2}   50.00{}", if ms > 50.0 { "  OVER" } else { "" });
    }
}

fn floor(path: &Path, text: &str) {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.sync_all().unwrap();
    fs::rename(&temporary, path).unwrap();
    File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
}

fn text(number: usize) -> String {
    let line = format!("# revision {number}, a line of a bench file that is long enough\n");
    line.repeat(SIZE / line.len())
}

fn facts(number: usize) -> Facts {
    let change = |parameter: &str| {
        let path = format!("instruments.psu{}.set.ch1.{parameter}", number % 50);
        let new = 3.0 + (number % 100) as f64 / 100.0;
        json!({"kind": "changed", "path": path, "old": 3.3, "new": new, "effect": "live"})
    };
    Facts {
        author: "nora".to_owned(),
        origin: "panel".to_owned(),
        message: format!("psu{}.ch1.voltage, as measured", number % 50),
        label: None,
        data: json!({"changes": [change("voltage"), change("current")]}),
    }
}
