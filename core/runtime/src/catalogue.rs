//! The driver library as the checks of a bench file and the plan see it.

use std::{path::Path, sync::Arc};

use setpoint_bench::{
    Catalogue, LineFacts, ParameterFacts, ParameterKind, Poll, Value,
    model::{Instrument, OnReconnect},
};
use setpoint_instruments::{
    Address, Config, Kind, Library, ParamFacts, ParamValue, ReconnectRule, WireOverrides,
    driver::Parity,
};

/// The folder of a lab's own drivers, beside the bench file.
pub(crate) const DRIVERS: &str = "drivers";

/// Known instrument types: the bundled ones and those in `drivers/` beside the bench file.
#[derive(Debug, Clone)]
pub struct Drivers(Arc<Library>);

impl Drivers {
    /// The bundled drivers and those in the folder `drivers` beside a bench file, which win.
    pub fn beside(bench: &Path) -> Self {
        let folder = bench.parent().unwrap_or(Path::new(".")).join(DRIVERS);
        Self(Arc::new(Library::load(&[folder])))
    }

    /// The library itself.
    pub fn library(&self) -> &Library {
        &self.0
    }

    /// What is known of one parameter.
    pub(crate) fn facts(&self, driver: &str, parameter: &str) -> Option<ParamFacts> {
        self.0.parameters(driver)?.into_iter().find(|facts| facts.name == parameter)
    }

    /// What a session needs to run an instrument of a bench that checks; `None` if its driver is
    /// gone since.
    pub(crate) fn config(&self, id: &str, instrument: &Instrument) -> Option<Config> {
        let driver = self.0.get(&instrument.driver)?;
        let address: Address = instrument.address.parse().ok()?;
        let facts = self.0.parameters(&instrument.driver)?;
        let value = |name: &str, value: &Value| {
            let facts = facts.iter().find(|facts| facts.name == name)?;
            Some((name.to_owned(), param_value(facts, value)))
        };
        let setpoints = instrument.set.iter();
        let wire = &instrument.wire;
        Some(Config {
            id: id.to_owned(),
            driver,
            address,
            wire: WireOverrides {
                reply_timeout: wire.reply_timeout,
                gap: wire.gap,
                baud: wire.baud,
                tx_end: wire.tx_end.clone(),
                rx_end: wire.rx_end.clone(),
            },
            setpoints: setpoints.filter_map(|(name, asked)| value(name, asked)).collect(),
            limits: instrument.limits.clone(),
            reports: None,
            on_reconnect: match instrument.on_reconnect {
                OnReconnect::Compare => ReconnectRule::Compare,
                OnReconnect::Reapply => ReconnectRule::Reapply,
                OnReconnect::Ignore => ReconnectRule::Ignore,
            },
        })
    }
}

impl Catalogue for Drivers {
    fn types(&self) -> Vec<String> {
        self.0.types()
    }

    fn parameters(&self, instrument_type: &str) -> Option<Vec<ParameterFacts>> {
        let facts = |facts: ParamFacts| ParameterFacts {
            kind: kind(&facts),
            name: facts.name,
            unit: facts.unit,
            range: facts.range,
            choices: facts.choices,
            settable: facts.settable,
            hazard: facts.hazard,
        };
        Some(self.0.parameters(instrument_type)?.into_iter().map(facts).collect())
    }

    fn line(&self, instrument_type: &str) -> Option<LineFacts> {
        let driver = self.0.get(instrument_type)?;
        let wire = &driver.wire.common;
        let serial = &wire.serial;
        let ends = wire.tx_end.len() + wire.rx_end.len();
        // Of a reply only the least length is known: its end.
        let poll = |send: &str, every| Poll { every, bytes: send.len() + ends };
        let groups = driver.groups.values();
        let groups = groups.map(|group| poll(&group.question.send, group.poll));
        let alone = driver.params.values();
        let alone = alone.filter_map(|one| Some(poll(&one.get.as_ref()?.send, one.poll)));
        let parity = u32::from(serial.parity != Parity::None);
        Some(LineFacts {
            polls: groups.chain(alone).collect(),
            baud: serial.baud,
            bits: 1 + u32::from(serial.bits) + parity + u32::from(serial.stop),
            gap: wire.gap,
        })
    }
}

fn kind(facts: &ParamFacts) -> ParameterKind {
    match facts.kind {
        Kind::Float => ParameterKind::Float,
        Kind::Int => ParameterKind::Int,
        Kind::Bool => ParameterKind::Bool,
        Kind::Enum => ParameterKind::Enum,
        Kind::String => ParameterKind::String,
    }
}

/// A checked value of a bench file as the instrument takes it.
pub(crate) fn param_value(facts: &ParamFacts, value: &Value) -> ParamValue {
    value_of_kind(value, matches!(kind(facts), ParameterKind::Float))
}

/// A value of a bench file as a session has it, for a parameter that is, or is not, a float.
pub(crate) fn value_of_kind(value: &Value, float: bool) -> ParamValue {
    match value {
        number if float && number.as_f64().is_some() => {
            ParamValue::Float(number.as_f64().unwrap_or(f64::NAN))
        }
        Value::Bool(on) => ParamValue::Bool(*on),
        Value::Int(number) => ParamValue::Int(*number),
        Value::Float(number) => ParamValue::Float(*number),
        Value::String(text) => ParamValue::Text(text.clone()),
        // No parameter takes a list or a table; a file that gives one does not check.
        Value::Array(_) | Value::Table(_) => ParamValue::Text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_drivers_fit_on_their_lines_and_not_on_slow_ones() {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        for name in drivers.types() {
            let told = |wire: &str| {
                let text = format!(
                    "[instruments.a]\ntype = '{name}'\naddress = 'serial:///dev/ttyUSB0'\n{wire}"
                );
                let findings = setpoint_bench::read("bench.toml", &text, &drivers).diagnostics;
                findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
            };
            assert!(told("").is_empty(), "{name}: {:?}", told(""));
            assert_eq!(told("wire = { baud = 300 }\n"), ["poll_too_fast"], "{name}");
        }
    }
}
