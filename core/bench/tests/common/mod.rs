//! A small catalogue: a power supply and a thermometer.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    collections::BTreeSet,
    fs,
    sync::LazyLock,
    time::{Duration, Instant},
};

use setpoint_bench::{Catalogue, LineFacts, ParameterFacts, ParameterKind, Poll};

pub struct Types;

impl Catalogue for Types {
    fn types(&self) -> Vec<String> {
        vec!["lakeshore_335".to_owned(), "rigol_dp832".to_owned()]
    }

    fn parameters(&self, instrument_type: &str) -> Option<Vec<ParameterFacts>> {
        match instrument_type {
            "rigol_dp832" => Some(power_supply()),
            "lakeshore_335" => Some(thermometer()),
            _ => None,
        }
    }

    fn line(&self, instrument_type: &str) -> Option<LineFacts> {
        (instrument_type == "lakeshore_335").then(|| LineFacts {
            polls: vec![Poll { every: Duration::from_millis(100), bytes: 40 }; 5],
            baud: 57_600,
            bits: 10,
            gap: Duration::from_millis(10),
        })
    }
}

fn facts(name: &str, kind: ParameterKind, unit: Option<&str>) -> ParameterFacts {
    ParameterFacts {
        name: name.to_owned(),
        kind,
        unit: unit.map(str::to_owned),
        range: None,
        choices: Vec::new(),
        settable: true,
        hazard: None,
    }
}

fn power_supply() -> Vec<ParameterFacts> {
    let mut all = Vec::new();
    for (channel, volts) in [(1, 30.0), (2, 30.0), (3, 5.0)] {
        let name = |parameter: &str| format!("ch{channel}.{parameter}");
        all.push(ParameterFacts {
            range: Some((0.0, volts)),
            ..facts(&name("voltage"), ParameterKind::Float, Some("V"))
        });
        all.push(ParameterFacts {
            range: Some((0.0, 3.0)),
            ..facts(&name("current_limit"), ParameterKind::Float, Some("A"))
        });
        all.push(ParameterFacts {
            choices: vec!["off".to_owned(), "on".to_owned()],
            hazard: Some("energises the load".to_owned()),
            ..facts(&name("output"), ParameterKind::Enum, None)
        });
        all.push(ParameterFacts {
            settable: false,
            ..facts(&name("measured_voltage"), ParameterKind::Float, Some("V"))
        });
    }
    all
}

fn thermometer() -> Vec<ParameterFacts> {
    vec![
        ParameterFacts {
            range: Some((0.0, 400.0)),
            ..facts("loop1.setpoint", ParameterKind::Float, Some("K"))
        },
        ParameterFacts {
            range: Some((0.0, 3.0)),
            ..facts("loop1.heater_range", ParameterKind::Int, None)
        },
        facts("alarm", ParameterKind::Bool, None),
        facts("label", ParameterKind::String, None),
        ParameterFacts {
            settable: false,
            ..facts("a.temperature", ParameterKind::Float, Some("K"))
        },
    ]
}

/// The codes of findings in the tables of a module's documentation.
pub fn listed_codes(source: &str) -> BTreeSet<String> {
    let rows = source.lines().filter(|line| line.starts_with("//! | ") && line.contains('`'));
    let codes = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    codes.map(str::to_owned).collect()
}

/// Whether four times as much takes less than a quadratic time would: sixteen times as long.
/// `make` gives an input of a size, which is no part of what is measured.
pub fn grows<T>(what: &str, size: usize, make: impl Fn(usize) -> T, work: impl Fn(&T)) {
    let time = |input: &T, runs: usize| {
        let run = || {
            let begun = busy();
            work(input);
            busy() - begun
        };
        (0..runs).map(|_| run()).min().unwrap_or_default()
    };
    let (small, large) = (make(size), make(4 * size));
    // A machine that is busy with something else has cold caches, and is given another chance.
    let mut last = (Duration::ZERO, Duration::ZERO);
    for _ in 0..3 {
        last = (time(&small, 3), time(&large, 1));
        if last.1 < last.0 * 10 + Duration::from_millis(30) {
            return;
        }
    }
    panic!("{what}: {:?} for {size} and {:?} for four times as much", last.0, last.1);
}

/// How long this thread has had a processor: whatever else runs on the machine counts for nothing.
/// The time of day where the system does not say.
fn busy() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}
