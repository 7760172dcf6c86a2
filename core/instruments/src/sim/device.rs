//! A simulated device: a line in, perhaps a line out.

use std::{collections::VecDeque, sync::Arc};

use tokio::time::Instant;

use super::values::Values;
use crate::{
    driver::{Driver, Kind, Param},
    template::{Arg, Fields, Template},
    value::ParamValue,
};

/// Errors a device remembers; a real one says “queue overflow” and drops the rest.
const QUEUE: usize = 20;

pub(super) struct Device {
    driver: Arc<Driver>,
    values: Values,
    errors: VecDeque<String>,
    now: Instant,
}

/// What is wrong with a command.
enum Refusal {
    Unknown,
    Range,
}

impl Device {
    pub(super) fn new(driver: Arc<Driver>) -> Self {
        let values = Values::new(driver.clone());
        Self { driver, values, errors: VecDeque::new(), now: Instant::now() }
    }

    /// What the device answers; nothing to a setting, to a command it does not know, and to a
    /// value it does not take. Those two it remembers as errors.
    pub(super) fn handle(&mut self, line: &str) -> Option<String> {
        let now = Instant::now();
        self.values.pass(now.duration_since(self.now));
        self.now = now;
        let driver = self.driver.clone();
        let is = |send: &str| send.eq_ignore_ascii_case(line);
        if let Some(identity) = driver.identity.as_ref().filter(|who| is(&who.question.send)) {
            let reply = identity.sim_reply.clone();
            return reply.or_else(|| placeholder(&identity.question.expect, &driver));
        }
        if let Some(errors) = driver.errors.as_ref().filter(|errors| is(&errors.question.send)) {
            return match &errors.sim {
                Some(_) => self.next_error(),
                None => placeholder(&errors.question.expect, &driver),
            };
        }
        let asked = driver.params.values().find_map(|param| {
            let get = param.get.as_ref().filter(|get| is(&get.send))?;
            Some((param, &get.expect))
        });
        if let Some((param, expect)) = asked {
            let text = self.wire_text(param);
            return expect.format(&|_| Some(Arg::Text(text.clone()))).ok();
        }
        if let Some((name, group)) = driver.groups.iter().find(|(_, g)| is(&g.question.send)) {
            let texts = self.group_texts(name);
            let text = |field: &str| texts.get(field).cloned().or(Some(Arg::Text("0".into())));
            return group.question.expect.format(&text).ok();
        }
        if let Err(refusal) = self.set(line) {
            self.remember(&refusal);
        }
        None
    }

    fn set(&mut self, line: &str) -> Result<(), Refusal> {
        let driver = self.driver.clone();
        let matching = driver.params.values().find_map(|param| {
            let fields = param.set.as_ref()?.parse_any_case(line).ok()?;
            Some((param, fields))
        });
        let (param, fields) = matching.ok_or(Refusal::Unknown)?;
        // A command that sets several fields takes all of them or none.
        let mut accepted = Vec::new();
        for (field, arg) in &fields {
            let of = |other: &&Param| match (&other.from, &param.from) {
                (Some((group, name)), Some((own, _))) => group == own && name == field,
                _ => false,
            };
            let target =
                if field == "value" { Some(param) } else { driver.params.values().find(of) };
            let Some(target) = target else { continue };
            let value = target.from_arg(arg).ok_or(Refusal::Range)?;
            accepted.push((
                target.name.clone(),
                target.accept(&value, target.range).map_err(|_| Refusal::Range)?,
            ));
        }
        for (name, value) in accepted {
            self.values.set(&name, value);
        }
        Ok(())
    }

    /// A reading as the device writes it.
    fn wire_text(&mut self, param: &Param) -> String {
        let value = self.values.reading(param);
        let arg = param.to_arg(&value);
        if let Some(text) =
            param.sim.reply.as_ref().and_then(|r| r.format(&|_| Some(arg.clone())).ok())
        {
            return text;
        }
        match (&value, param.kind) {
            (ParamValue::Float(number), Kind::Float) => {
                let decimals = param.decimals.unwrap_or(4);
                // The noise of a reading near nothing must not show as -0.0000.
                let text = format!("{number:.decimals$}");
                let zero = text.chars().all(|c| "-0.".contains(c));
                if zero { text.trim_start_matches('-').to_owned() } else { text }
            }
            _ => arg.to_string(),
        }
    }

    fn group_texts(&mut self, group: &str) -> Fields {
        let driver = self.driver.clone();
        let members = driver.params.values().filter_map(|param| {
            let (of, field) = param.from.as_ref()?;
            (of == group).then_some((field, param))
        });
        members.map(|(field, param)| (field.clone(), Arg::Text(self.wire_text(param)))).collect()
    }

    fn remember(&mut self, refusal: &Refusal) {
        let Some(sim) = self.driver.errors.as_ref().and_then(|errors| errors.sim.as_ref()) else {
            return;
        };
        let line = match refusal {
            Refusal::Unknown => &sim.unknown,
            Refusal::Range => &sim.range,
        };
        if self.errors.len() < QUEUE {
            self.errors.push_back(line.clone());
        }
    }

    /// The oldest error, or all of them as bits of one register; reading clears it.
    fn next_error(&mut self) -> Option<String> {
        let sim = self.driver.errors.as_ref()?.sim.as_ref()?;
        if !sim.accumulate {
            return Some(self.errors.pop_front().unwrap_or_else(|| sim.none.clone()));
        }
        let bits = |line: &String| line.trim().parse::<i64>().unwrap_or(0);
        let register = self.errors.drain(..).map(|line| bits(&line)).fold(0, |all, one| all | one);
        Some(format!("{register:0width$}", width = sim.none.len()))
    }
}

/// An answer for a driver file that gives the simulator none: the first model, zeros.
fn placeholder(expect: &Template, driver: &Driver) -> Option<String> {
    let value = |field: &str| {
        Some(Arg::Text(match field {
            "model" => driver.models.first().cloned().unwrap_or_else(|| driver.id.clone()),
            "serial" | "text" => "simulated".to_owned(),
            _ => "0".to_owned(),
        }))
    };
    expect.format(&value).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::library::Library;

    fn device(name: &str) -> Device {
        Device::new(Library::bundled().get(name).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_rigol_speaks_as_a_rigol_does() {
        let mut psu = device("rigol_dp832");
        let mut ask = |line: &str| psu.handle(line).unwrap_or_default();
        assert_eq!(ask("*IDN?"), "RIGOL TECHNOLOGIES,DP832,DP8C1234567,00.01.16");
        assert_eq!(ask(":SOUR1:VOLT 3.3"), "");
        assert_eq!(ask(":sour1:volt?"), "3.300");
        assert_eq!(ask(":OUTP? CH1"), "OFF");
        assert_eq!(ask(":OUTP CH1,ON"), "");
        assert_eq!(ask(":OUTP? CH1"), "ON");
        assert_eq!(ask(":SYST:ERR?"), "0,\"No error\"");
    }

    #[tokio::test(start_paused = true)]
    async fn refused_commands_change_nothing_and_are_told() {
        let mut psu = device("rigol_dp832");
        let mut ask = |line: &str| psu.handle(line).unwrap_or_default();
        ask(":SOUR3:VOLT 4.5");
        assert_eq!(ask(":SOUR3:VOLT 5.001"), "");
        assert_eq!(ask(":BOGUS?"), "");
        assert_eq!(ask(":SOUR3:VOLT?"), "4.500");
        assert_eq!(ask(":SYST:ERR?"), "-224,\"Illegal parameter value\"");
        assert_eq!(ask(":SYST:ERR?"), "-113,\"Undefined header\"");
        assert_eq!(ask(":SYST:ERR?"), "0,\"No error\"");
    }

    #[tokio::test(start_paused = true)]
    async fn the_output_shows_in_what_is_measured() {
        let mut psu = device("rigol_dp832");
        let volts = |psu: &mut Device| -> f64 {
            let reply = psu.handle(":MEAS:ALL? CH1").unwrap();
            reply.split(',').next().unwrap().parse().unwrap()
        };
        psu.handle(":SOUR1:VOLT 5");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(volts(&mut psu).abs() < 0.01);
        psu.handle(":OUTP CH1,ON");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!((volts(&mut psu) - 5.0).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_warms_slowly_and_only_when_heated() {
        let mut thermo = device("lakeshore_335");
        let kelvin =
            |thermo: &mut Device| -> f64 { thermo.handle("KRDG? A").unwrap().parse().unwrap() };
        thermo.handle("SETP 1,310");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!((kelvin(&mut thermo) - 294.8).abs() < 0.1);
        thermo.handle("RANGE 1,3");
        tokio::time::advance(Duration::from_secs(5)).await;
        let soon = kelvin(&mut thermo);
        assert!((295.5..305.0).contains(&soon), "{soon}");
        tokio::time::advance(Duration::from_secs(300)).await;
        assert!((kelvin(&mut thermo) - 310.0).abs() < 0.1);
        assert!((thermo.handle("KRDG? B").unwrap().parse::<f64>().unwrap() - 294.8).abs() < 0.1);
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_bits_of_one_register() {
        let mut thermo = device("lakeshore_335");
        let mut ask = |line: &str| thermo.handle(line).unwrap_or_default();
        ask("FOO");
        ask("SETP 1,99999");
        assert_eq!(ask("*ESR?"), "048");
        assert_eq!(ask("*ESR?"), "000");
    }

    #[tokio::test(start_paused = true)]
    async fn one_command_sets_several_fields_or_none() {
        let mut thermo = device("lakeshore_335");
        let mut ask = |line: &str| thermo.handle(line).unwrap_or_default();
        ask("RAMP 1,1,7.5");
        assert_eq!(ask("RAMP? 1"), "1,7.5");
        ask("RAMP 1,0,500");
        assert_eq!(ask("RAMP? 1"), "1,7.5");
        ask("PID 2,60,30,5");
        assert_eq!(ask("PID? 2"), "+60.0,+30.0,+5");
    }
}
