//! A small catalogue: a power supply and a thermometer.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::time::Duration;

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
