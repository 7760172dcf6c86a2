//! What it costs to read, change and compare a bench file, next to a floor measured in the same
//! run: one typed parse of the whole text with the `toml` crate.
//!
//! `cargo bench -p setpoint-bench --bench bench_language`; with numbers of instruments as
//! arguments (after `--`) for other sizes than 10, 100, 1,000 and 10,000. In each round everything
//! is measured once, floor included, so that whatever else the machine does slows all of it down;
//! what is printed are medians of times and of ratios within a round. `OVER` marks a limit that is
//! not kept. Instructions, which do not depend on what else runs:
//! `valgrind --tool=callgrind … --once floor|first|one|all N`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may stop")]

use std::{
    collections::BTreeMap,
    hint::black_box,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use setpoint_bench::{BenchText, Edit, Value, apply, diff};

mod large;
use large::Types;

/// What the floor reads a file into.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is parsed, not used")]
struct Floor {
    format: i64,
    bench: Names,
    instruments: BTreeMap<String, Instrument>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "likewise")]
struct Names {
    name: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "likewise")]
struct Instrument {
    r#type: String,
    address: String,
    enabled: bool,
    label: String,
    on_reconnect: String,
    wire: Wire,
    set: BTreeMap<String, BTreeMap<String, toml::Value>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "likewise")]
struct Wire {
    reply_timeout: String,
}

/// A file of so many instruments. `shift` changes a value in all of them.
fn file(instruments: usize, shift: f64) -> String {
    large::file(instruments, |n| (n % 29) as f64 + shift)
}

/// The middle one.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let made = black_box(work());
    (made, begun.elapsed())
}

/// What is measured in each round, with the greatest part of the floor that it may take, from 1,000
/// instruments on.
const MEASURED: [(&str, Option<f64>); 5] = [
    ("typed toml parse (floor)", None),
    ("first read and check", None),
    ("one table changed: read, check, diff", Some(0.25)),
    ("all changed: read, check, diff", Some(1.3)),
    ("edit of one value, patched, proven", None),
];
const FLOOR: usize = 0;
const ONE: usize = 2;
const EDITED: usize = 4;

fn measure(instruments: usize) {
    let rounds = if instruments >= 10_000 { 21 } else { 51 };
    let text: Arc<str> = file(instruments, 0.0).into();
    let all: Arc<str> = file(instruments, 0.25).into();
    println!("\n{instruments} instruments of 10 keys, {:.2} MB", text.len() as f64 / 1e6);

    let before = BenchText::read("bench.toml", text.clone(), &Types);
    assert!(before.reading().bench.is_some(), "{:?}", before.reading().diagnostics.first());
    let path = format!("instruments.psu{:05}.set.ch1.voltage", instruments / 2);
    let mut number = 0_u32;
    let mut edit = || {
        number += 1;
        let value = Some(Value::Float(f64::from(number % 200) / 10.0 + 0.05));
        [Edit { path: path.parse().unwrap(), value }]
    };
    let again = |now: Arc<str>, expected: usize| {
        let (after, took) = timed(|| {
            let after = before.again(now, &Types);
            let changes = diff(&before.reading().values, &after.reading().values);
            (after, changes)
        });
        assert_eq!((after.1.len(), after.0.reading().bench.is_some()), (expected, true));
        took
    };
    let mut round = || {
        let floor = timed(|| toml::from_str::<Floor>(&text).unwrap()).1;
        let first = timed(|| BenchText::read("bench.toml", text.clone(), &Types)).1;
        let one = again(apply(&text, &edit()).unwrap().into(), 1);
        let every = again(all.clone(), instruments);
        let (after, edited) = timed(|| before.edited(&edit(), &Types).unwrap());
        assert!(after.reading().bench.is_some());
        [floor, first, one, every, edited].map(|took| took.as_secs_f64() * 1e3)
    };
    // The first one warms up.
    round();
    let took: Vec<[f64; MEASURED.len()]> = (0..rounds).map(|_| round()).collect();
    let times = |what: usize| median(took.iter().map(|round| round[what]).collect());
    let ratio = |what: usize, to: usize| median(took.iter().map(|it| it[what] / it[to]).collect());
    for (what, (name, limit)) in MEASURED.into_iter().enumerate() {
        let ratio = ratio(what, FLOOR);
        let limit = limit.filter(|_| instruments >= 1_000);
        let limit = limit.map_or_else(String::new, |limit| {
            let mark = if ratio > limit { "   OVER" } else { "" };
            format!(", at most {limit}{mark}")
        });
        println!("  {name:38} {:9.3} ms  {ratio:6.3} of the floor{limit}", times(what));
    }
    println!("  an edit against one table changed      {:9.3}, at most 1", ratio(EDITED, ONE));

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--memory", &instruments.to_string()])
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&child.stdout));
}

/// Kibibytes that the process holds, now or at most so far.
fn held(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(f64::NAN)
}

/// Mebibytes that 10,000 instruments may take above their text.
const MOST_MEMORY: f64 = 30.0;

/// In a process of its own: what reading a file and then a changed one holds at most.
fn memory(instruments: usize) {
    let text: Arc<str> = file(instruments, 0.0).into();
    let changed: Arc<str> = text.replacen("ch1.current = 0.5", "ch1.current = 0.75", 1).into();
    let before = held("VmRSS");
    let read = BenchText::read("bench.toml", text, &Types);
    let (kept, peak) = (held("VmRSS") - before, held("VmHWM") - before);
    let again = read.again(changed, &Types);
    let both = held("VmHWM") - before;
    assert!(again.reading().bench.is_some());
    let over = instruments == 10_000 && both >= MOST_MEMORY * 1024.0;
    println!(
        "  memory above the texts {:28.1} MiB kept, {:.1} at most, {:.1} with a second version{}",
        kept / 1024.0,
        peak / 1024.0,
        both / 1024.0,
        if over { "   OVER" } else { "" }
    );
}

/// One run of one thing, for a profiler that counts instructions.
fn once(what: &str, instruments: usize) {
    let text: Arc<str> = file(instruments, 0.0).into();
    match what {
        "floor" => drop(black_box(toml::from_str::<Floor>(&text).unwrap())),
        "first" => drop(black_box(BenchText::read("bench.toml", text, &Types))),
        _ => {
            let before = BenchText::read("bench.toml", text.clone(), &Types);
            let now: Arc<str> = match what {
                "all" => file(instruments, 0.25).into(),
                _ => text.replacen("ch1.current = 0.5", "ch1.current = 0.75", 1).into(),
            };
            let after = before.again(now, &Types);
            black_box(diff(&before.reading().values, &after.reading().values));
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    match (arguments.first().map(String::as_str), numbers.as_slice()) {
        (Some("--once"), [number]) => once(arguments.get(1).map_or("", String::as_str), *number),
        (Some("--memory"), [number]) => memory(*number),
        (_, []) => [10, 100, 1_000, 10_000].into_iter().for_each(measure),
        (_, numbers) => numbers.iter().copied().for_each(measure),
    }
}
