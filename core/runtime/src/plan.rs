//! From two benches to the ordered steps that lead from one to the other.

use setpoint_bench::{
    Bench, Value,
    model::{Instrument, Source},
};
use setpoint_instruments::{LinkState, ParamValue};

use crate::{
    catalogue::{Drivers, SetFacts},
    status::PlanStep,
};

/// One step. How it is taken back, [`crate::apply`] knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Closes an instrument's link, opens one, or both, as its definition now says.
    Bring { instrument: String },
    /// Hands an instrument its limits and setpoints for comparison, while it runs.
    Configure { instrument: String },
    /// Sets one parameter and verifies it.
    Set { instrument: String, parameter: String, value: ParamValue },
    /// Stops a source, starts it, or both.
    BringSource { source: String },
    /// Changes a source while it runs.
    ChangeSource { source: String },
    /// Quiet window, retention and the like.
    Settings,
}

/// Ordered steps, and the same for reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) lines: Vec<PlanStep>,
    /// Sources that stop showing pictures for a moment.
    pub(crate) interrupted: usize,
}

impl Plan {
    fn add(&mut self, step: Step, kind: &'static str, text: String, note: Option<String>) {
        self.steps.push(step);
        self.lines.push(PlanStep { text, kind, note });
    }

    /// A line before all others.
    pub(crate) fn tell_first(&mut self, kind: &'static str, text: String) {
        self.lines.insert(0, PlanStep { text, kind, note: None });
    }

    /// A line that tells of something and does nothing by itself.
    pub(crate) fn tell(&mut self, kind: &'static str, text: String, note: Option<String>) {
        self.lines.push(PlanStep { text, kind, note });
    }
}

/// A parameter to be set, with what decides its place.
struct Wanted {
    instrument: String,
    parameter: String,
    old: Option<Value>,
    value: Value,
    facts: SetFacts,
    going_off: bool,
    waits: Option<&'static str>,
}

/// The steps from `old` to `new`: what goes off first, links closed, links opened and
/// instruments configured, values in their drivers' order, sources, settings.
///
/// `link` tells whether an instrument answers now: a value for one that does not is left to its
/// `on_reconnect` rule and told as such.
pub(crate) fn plan(
    old: &Bench,
    new: &Bench,
    drivers: &Drivers,
    link: &dyn Fn(&str) -> Option<LinkState>,
) -> Plan {
    let mut plan = Plan::default();
    let mut wanted = Vec::new();
    for (id, now) in &new.instruments {
        collect_sets(id, old.instruments.get(id), now, drivers, link, &mut wanted);
    }
    // Stable, so that the file's order decides between equals.
    wanted.sort_by_key(|set| (!set.going_off, set.facts.order));
    let rest = wanted.iter().position(|set| !set.going_off).unwrap_or(wanted.len());
    let (off_first, in_order) = wanted.split_at(rest);

    off_first.iter().for_each(|set| add_set(&mut plan, set));
    for id in old.instruments.keys().filter(|id| !new.instruments.contains_key(*id)) {
        let step = Step::Bring { instrument: id.clone() };
        plan.add(step, "disconnect", format!("{id} disconnect"), None);
    }
    for (id, now) in &new.instruments {
        add_link(&mut plan, id, old.instruments.get(id), now);
    }
    in_order.iter().for_each(|set| add_set(&mut plan, set));
    for id in old.sources.keys().filter(|id| !new.sources.contains_key(*id)) {
        plan.interrupted += 1;
        plan.add(
            Step::BringSource { source: id.clone() },
            "disconnect",
            format!("{id} stop"),
            None,
        );
    }
    for (id, now) in &new.sources {
        add_source(&mut plan, id, old.sources.get(id), now);
    }
    if old.runtime != new.runtime || old.name != new.name || old.environment != new.environment {
        plan.add(Step::Settings, "settings", "settings of the bench".to_owned(), None);
    }
    plan
}

/// Whether a link has to be closed or opened to get from one definition to the other.
fn relinks(old: &Instrument, new: &Instrument) -> bool {
    let wiring = |instrument: &Instrument| {
        (instrument.driver.clone(), instrument.address.clone(), instrument.wire.clone())
    };
    old.enabled != new.enabled || (new.enabled && wiring(old) != wiring(new))
}

fn collect_sets(
    id: &str,
    old: Option<&Instrument>,
    new: &Instrument,
    drivers: &Drivers,
    link: &dyn Fn(&str) -> Option<LinkState>,
    wanted: &mut Vec<Wanted>,
) {
    // A device that is only now connected is treated by its `on_reconnect` rule.
    let Some(old) = old.filter(|old| new.enabled && !relinks(old, new)) else { return };
    let waits = match link(id) {
        Some(LinkState::Connected) => None,
        _ => Some("does not answer now; compared when it does"),
    };
    for (parameter, value) in &new.set {
        let before = old.set.get(parameter);
        if before.is_some_and(|before| before.means(value)) {
            continue;
        }
        // A parameter without facts does not pass the checks.
        let Some(facts) = drivers.set_facts(&new.driver, parameter) else { continue };
        wanted.push(Wanted {
            instrument: id.to_owned(),
            parameter: parameter.clone(),
            old: before.cloned(),
            value: value.clone(),
            going_off: facts.off_first && goes_off(value),
            facts,
            waits,
        });
    }
}

/// Whether a value switches something off, in any of the ways a bench file says so.
fn goes_off(value: &Value) -> bool {
    match value {
        Value::Bool(on) => !on,
        Value::String(word) => word == "off",
        other => other.as_f64() == Some(0.0),
    }
}

fn add_set(plan: &mut Plan, set: &Wanted) {
    let Wanted { instrument, parameter, old, value, facts, waits, .. } = set;
    let unit = facts.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let shown = |value: &Value| show(value, facts.decimals);
    let before = old.as_ref().map(|old| format!("{} → ", shown(old))).unwrap_or_default();
    let verify = match facts.tolerance {
        Some(tolerance) if waits.is_none() => format!(", verify ±{tolerance}"),
        _ => String::new(),
    };
    let text = format!("{instrument}.{parameter} {before}{}{unit}{verify}", shown(value));
    match waits {
        Some(why) => plan.tell("set", text, Some(format!("{instrument} {why}"))),
        None => {
            let note = facts.hazard.clone().filter(|_| !goes_off(value));
            let step = Step::Set {
                instrument: instrument.clone(),
                parameter: parameter.clone(),
                value: facts.value(value),
            };
            plan.add(step, "set", text, note);
        }
    }
}

/// A value as a person reads it: numbers with the driver's decimals, words bare.
fn show(value: &Value, decimals: Option<usize>) -> String {
    match (value, decimals) {
        (Value::Float(_) | Value::Int(_), Some(decimals)) => {
            format!("{:.decimals$}", value.as_f64().unwrap_or(f64::NAN))
        }
        (Value::String(word), _) => word.clone(),
        _ => value.to_string(),
    }
}

fn add_link(plan: &mut Plan, id: &str, old: Option<&Instrument>, new: &Instrument) {
    let step = Step::Bring { instrument: id.to_owned() };
    match old {
        None if new.enabled => {
            plan.add(step, "connect", format!("{id} connect {}", new.address), None);
        }
        None => plan.add(step, "settings", format!("{id} added, disabled"), None),
        Some(old) if relinks(old, new) => match (old.enabled, new.enabled) {
            (true, false) => plan.add(step, "disconnect", format!("{id} disconnect"), None),
            (false, _) => plan.add(step, "connect", format!("{id} connect {}", new.address), None),
            _ => plan.add(step, "restart", format!("{id} reconnect {}", new.address), None),
        },
        Some(old) if old != new => {
            // Values that are set by steps of their own need no line of their own here.
            let silent = Instrument { set: new.set.clone(), ..old.clone() } == *new;
            let step = Step::Configure { instrument: id.to_owned() };
            if silent {
                plan.steps.push(step);
            } else {
                plan.add(step, "settings", format!("{id} limits and rules"), None);
            }
        }
        Some(_) => {}
    }
}

fn add_source(plan: &mut Plan, id: &str, old: Option<&Source>, new: &Source) {
    let step = Step::BringSource { source: id.to_owned() };
    let (width, height) = new.resolution;
    match old {
        None if new.enabled => plan.add(step, "connect", format!("{id} start"), None),
        None => plan.add(step, "settings", format!("{id} added, disabled"), None),
        Some(old) if old.enabled != new.enabled => {
            let (kind, verb) =
                if new.enabled { ("connect", "start") } else { ("disconnect", "stop") };
            plan.interrupted += usize::from(!new.enabled);
            plan.add(step, kind, format!("{id} {verb}"), None);
        }
        Some(old) if old != new => {
            let step = Step::ChangeSource { source: id.to_owned() };
            let caps =
                |source: &Source| (source.resolution, source.framerate, source.format.clone());
            if caps(old) != caps(new) {
                let (old_width, old_height) = old.resolution;
                let text = if old.resolution == new.resolution {
                    format!("{id} caps {} at {} fps", new.format, rate(new.framerate))
                } else {
                    format!("{id} caps {old_width}×{old_height} → {width}×{height}")
                };
                plan.add(step, "restart", text, Some("the picture before stays until then".into()));
            } else if old.pattern != new.pattern {
                plan.add(
                    step,
                    "set",
                    format!("{id} pattern {} → {}", old.pattern, new.pattern),
                    None,
                );
            } else {
                plan.add(step, "settings", format!("{id} settings"), None);
            }
        }
        Some(_) => {}
    }
}

/// `30`, `29.97`
fn rate((frames, seconds): (u32, u32)) -> String {
    let rate = f64::from(frames) / f64::from(seconds.max(1));
    if rate.fract() == 0.0 { format!("{rate}") } else { format!("{rate:.2}") }
}
