//! What a simulated device measures: values that follow others, late and with noise.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;

use crate::{
    driver::{Driver, Kind, Param},
    value::ParamValue,
};

/// How deep one value may follow another; a driver file that goes round in circles ends here.
const DEPTH: usize = 4;

/// The values inside a simulated device.
pub(super) struct Values {
    driver: Arc<Driver>,
    /// What each parameter holds, or has reached by now.
    held: IndexMap<String, ParamValue>,
    /// State of the noise: always the same for the same questions, so that tests repeat.
    noise: u64,
}

impl Values {
    pub(super) fn new(driver: Arc<Driver>) -> Self {
        let held = driver.params.values().map(|param| (param.name.clone(), at_power_on(param)));
        Self { held: held.collect(), driver: driver.clone(), noise: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Lets time pass: what follows late gets nearer.
    pub(super) fn pass(&mut self, time: Duration) {
        let driver = self.driver.clone();
        let late = driver.params.values().filter_map(|param| Some((param, param.sim.lag?)));
        let reached: Vec<(String, f64)> = late
            .filter_map(|(param, lag)| {
                let now = self.held.get(&param.name)?.as_f64()?;
                let share = (-time.as_secs_f64() / lag.as_secs_f64().max(1e-6)).exp();
                let target = self.target(param, 0);
                Some((param.name.clone(), target + (now - target) * share))
            })
            .collect();
        for (name, value) in reached {
            self.held.insert(name, ParamValue::Float(value));
        }
    }

    pub(super) fn set(&mut self, name: &str, value: ParamValue) {
        self.held.insert(name.to_owned(), value);
    }

    /// What a reading gives now.
    pub(super) fn reading(&mut self, param: &Param) -> ParamValue {
        let value = self.exact(&param.name, 0);
        match value {
            ParamValue::Float(number) if param.sim.noise > 0.0 => {
                ParamValue::Float(number + param.sim.noise * self.deviation())
            }
            other => other,
        }
    }

    fn exact(&self, name: &str, depth: usize) -> ParamValue {
        let held = self.held.get(name).cloned().unwrap_or(ParamValue::Float(0.0));
        match self.driver.params.get(name) {
            Some(param)
                if param.sim.lag.is_none() && !param.sim.follows.is_empty() && depth < DEPTH =>
            {
                ParamValue::Float(self.target(param, depth + 1))
            }
            _ => held,
        }
    }

    /// Where a following value is bound for.
    fn target(&self, param: &Param, depth: usize) -> f64 {
        let sim = &param.sim;
        let number = |name: &str| self.exact(name, depth + 1).as_f64().unwrap_or(0.0);
        let runs = sim
            .when
            .as_ref()
            .is_none_or(|when| when.holds(&|name| Some(self.exact(name, depth + 1).to_string())));
        if !runs || depth >= DEPTH {
            return at_power_on(param).as_f64().unwrap_or(0.0);
        }
        let product: f64 = sim.follows.iter().map(|name| number(name)).product();
        let mut value = (product + sim.offset) * sim.scale;
        if let Some(least) = sim.at_least {
            value = value.max(least);
        }
        if let Some(most) = &sim.at_most {
            value = value.min(number(most));
        }
        match param.range {
            Some((least, greatest)) => value.clamp(least, greatest),
            None => value,
        }
    }

    /// About normal, standard deviation 1.
    fn deviation(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..3 {
            // xorshift64
            self.noise ^= self.noise << 13;
            self.noise ^= self.noise >> 7;
            self.noise ^= self.noise << 17;
            #[allow(clippy::cast_precision_loss, reason = "53 random bits")]
            let uniform = (self.noise >> 11) as f64 / (1u64 << 53) as f64;
            sum += uniform * 2.0 - 1.0;
        }
        sum
    }
}

fn at_power_on(param: &Param) -> ParamValue {
    if let Some(start) = &param.sim.start {
        return start.clone();
    }
    match param.kind {
        Kind::Float => {
            let least = param.range.map_or(0.0, |(least, greatest)| 0.0f64.clamp(least, greatest));
            ParamValue::Float(least)
        }
        Kind::Int => ParamValue::Int(0),
        Kind::Bool => ParamValue::Bool(false),
        Kind::Enum => ParamValue::Text(param.values.keys().next().cloned().unwrap_or_default()),
        Kind::String => ParamValue::Text(String::new()),
    }
}
