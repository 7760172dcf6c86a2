//! What it costs to read, change and compare a bench file, next to a floor measured in the same
//! run: one typed parse of the whole text with the `toml` crate.
//!
//! `cargo bench -p setpoint-bench --bench bench_language`; with numbers of instruments as
//! arguments for other sizes than 10, 100, 1,000 and 10,000.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may stop")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hint::black_box,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use setpoint_bench::{
    BenchText, Catalogue, Edit, ParameterFacts, ParameterKind, Value, apply, diff,
};

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

/// One type of instrument with the parameters that the file sets.
struct Types;

impl Catalogue for Types {
    fn types(&self) -> Vec<String> {
        vec!["supply".to_owned()]
    }

    fn parameters(&self, instrument_type: &str) -> Option<Vec<ParameterFacts>> {
        let number = |name: String, unit: &str, most| ParameterFacts {
            name,
            kind: ParameterKind::Float,
            unit: Some(unit.to_owned()),
            range: Some((0.0, most)),
            choices: Vec::new(),
            settable: true,
            hazard: None,
        };
        let channel = |n: usize| {
            [
                number(format!("ch{n}.voltage"), "V", 30.0),
                number(format!("ch{n}.current"), "A", 3.0),
            ]
        };
        (instrument_type == "supply").then(|| (1..=3).flat_map(channel).collect())
    }
}

/// A file of so many instruments with ten keys each. `shift` changes a value in all of them.
fn file(instruments: usize, shift: f64) -> String {
    let mut text = "# Bench for measuring\nformat = 1\n\n[bench]\nname = \"Large\"\n".to_owned();
    for n in 0..instruments {
        let (host, port, volts) = (n % 250 + 1, 5000 + n / 250, (n % 29) as f64 + shift);
        write!(
            text,
            "\n# Bias supply {n}\n[instruments.psu{n:05}]\ntype = \"supply\"\naddress = \"tcp://192.0.2.{host}:{port}\"\n\
             enabled = true\nlabel = \"Rack {n}\"\non_reconnect = \"compare\"\nwire.reply_timeout = \"1s\"\n\
             [instruments.psu{n:05}.set]\nch1.voltage = {volts:.3} # V\nch1.current = 0.5\nch2.voltage = 1.5\nch2.current = 0.25\n",
        )
        .unwrap();
    }
    text
}

/// The median of several runs; what is measured returns how long it took.
fn median(runs: usize, mut run: impl FnMut() -> Duration) -> f64 {
    run();
    let mut took: Vec<Duration> = (0..runs).map(|_| run()).collect();
    took.sort();
    took[runs / 2].as_secs_f64() * 1e3
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let made = black_box(work());
    (made, begun.elapsed())
}

fn measure(instruments: usize) {
    let runs = if instruments >= 10_000 { 15 } else { 31 };
    let text: Arc<str> = file(instruments, 0.0).into();
    let all: Arc<str> = file(instruments, 0.25).into();
    println!("\n{instruments} instruments of 10 keys, {:.2} MB", text.len() as f64 / 1e6);

    let floor = median(runs, || timed(|| toml::from_str::<Floor>(&text).unwrap()).1);
    println!("  typed toml parse (floor)           {floor:9.3} ms");
    let line = |what: &str, took: f64, limit: Option<f64>| {
        let limit = limit.map(|limit| format!(", at most {limit}")).unwrap_or_default();
        println!("  {what:34} {took:9.3} ms  {:6.3} of the floor{limit}", took / floor);
    };

    let first = median(runs, || timed(|| BenchText::read("bench.toml", text.clone(), &Types)).1);
    line("first read and check", first, None);

    let before = BenchText::read("bench.toml", text.clone(), &Types);
    assert!(before.reading().bench.is_some(), "{:?}", before.reading().diagnostics.first());
    let path = format!("instruments.psu{:05}.set.ch1.voltage", instruments / 2);
    let mut number = 0_u32;
    let mut edit = || {
        number += 1;
        Edit {
            path: path.parse().unwrap(),
            value: Some(Value::Float(f64::from(number % 200) / 10.0 + 0.05)),
        }
    };
    let one = median(runs, || {
        let now: Arc<str> = apply(&text, &[edit()]).unwrap().into();
        let (after, took) = timed(|| {
            let after = before.again(now, &Types);
            let changes = diff(&before.reading().values, &after.reading().values);
            (after, changes)
        });
        assert_eq!((after.1.len(), after.0.reading().bench.is_some()), (1, true));
        took
    });
    line("one table changed: read, check, diff", one, (instruments >= 1_000).then_some(0.25));

    let every = median(runs, || {
        let (after, took) = timed(|| {
            let after = before.again(all.clone(), &Types);
            let changes = diff(&before.reading().values, &after.reading().values);
            (after, changes)
        });
        assert_eq!(after.1.len(), instruments);
        took
    });
    line("all changed: read, check, diff", every, (instruments >= 1_000).then_some(1.3));

    let edited = median(runs, || {
        let edit = [edit()];
        let (after, took) = timed(|| before.edited(&edit, &Types).unwrap());
        assert!(after.reading().bench.is_some());
        took
    });
    line("edit of one value, patched, proven", edited, None);
    println!("  against the touched-table path     {:9.3}", edited / one);

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
    println!(
        "  memory above the texts             {:9.1} MiB kept, {:.1} at most, {:.1} with a second version",
        kept / 1024.0,
        peak / 1024.0,
        both / 1024.0
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
