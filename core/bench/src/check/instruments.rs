//! What is asked of one instrument, held against what its driver knows.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::{
    allowed::{not_a_choice, wrong_type},
    drivers::Driver,
    facts::{At, Claim},
    findings::Problem,
    leaves::{self, Leaf},
    lines,
    walk::Walk,
    words,
};
use crate::{
    catalogue::{ParameterFacts, ParameterKind},
    diagnostic::Severity,
    document::{Form, Place},
    schema::Node,
    value::Value,
};

/// Ranges that a bench file narrows, by parameter.
type Limits = HashMap<String, (f64, f64)>;

impl<'d> Walk<'d, '_, '_> {
    pub(super) fn instrument(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        self.keys(node, value, place);
        let Some(table) = value.as_table() else { return };
        let part = |name: &str| {
            let (index, _, value) = table.get_full(name)?;
            Some((value, place.parts.get(index)?))
        };
        let enabled = !matches!(table.get("enabled"), Some(Value::Bool(false)));
        if let Some((address, place)) = part("address")
            && enabled
        {
            self.address(address, place);
        }
        let driver = part("type").and_then(|(name, place)| self.driver(name, place));
        let Some(driver) = driver else { return };
        self.facts.driver = Some(Arc::clone(&driver));
        self.poll_load(table, place, &driver);
        let mut limits = Limits::new();
        if let Some((value, place)) = part("limits") {
            self.each_parameter("limits", value, place, &driver, |walk, leaf, facts| {
                if let Some(range) = walk.limit(leaf, facts, &driver) {
                    limits.insert(facts.name.clone(), range);
                }
            });
        }
        let known = limits.iter().map(|(name, range)| (name.as_str().into(), *range));
        self.facts.limits = known.collect();
        if let Some((value, place)) = part("set") {
            self.each_parameter("set", value, place, &driver, |walk, leaf, facts| {
                walk.setpoint(leaf, facts, limits.get(&facts.name).copied(), &driver);
            });
        }
    }

    fn driver(&mut self, name: &'d Value, place: &Place) -> Option<Arc<Driver>> {
        let name = name.as_str().filter(|_| place.form != Form::Date)?;
        if name.contains("${") {
            return None;
        }
        let driver = self.context.drivers.get(name, self.context.catalogue);
        if driver.is_none() {
            let types = self.context.drivers.types(self.context.catalogue);
            let known = types.iter().map(String::as_str);
            let meant = words::nearest(name, known);
            let quoted = words::quoted(name);
            let message = if types.is_empty() {
                format!("there is no instrument type {quoted}: no driver file was found")
            } else {
                format!("there is no instrument type {quoted}; `setpoint drivers` lists the types")
            };
            self.origin = place.origin;
            self.names.push("type");
            self.error(place.span.clone(), Problem::new("unknown_type", message).suggest(meant));
            self.names.pop();
        }
        driver
    }

    /// Two instruments cannot share a line; simulated ones have a device each.
    fn address(&mut self, address: &'d Value, place: &Place) {
        let Some(text) = address.as_str() else { return };
        if text == "sim:" {
            self.facts.simulated = Some(At::value(place));
            return;
        }
        let at = At::value(place);
        self.facts.line = Some(match lines::same(text) {
            Some(same) => Claim::keyed(text, &same, at),
            None => Claim::new(text, at),
        });
    }

    /// Runs `check` for all parameters of `set` or `limits` that exist and can be set.
    fn each_parameter(
        &mut self,
        table: &'static str,
        value: &'d Value,
        place: &'d Place,
        driver: &Driver,
        mut check: impl FnMut(&mut Self, &Leaf<'d, '_>, &ParameterFacts),
    ) {
        let mut seen = vec![false; driver.parameters.len()];
        leaves::each(value, place, &mut |leaf| {
            let depth = self.names.len();
            self.names.push(table);
            self.names.extend(leaf.names);
            let parameter = leaf.parameter;
            self.origin = leaf.place.origin;
            let known = driver.position(parameter).and_then(|at| {
                let facts = driver.parameters.get(at)?;
                Some((facts, std::mem::replace(seen.get_mut(at)?, true)))
            });
            match known {
                None => self.unknown_parameter(leaf, driver),
                Some((_, true)) => {
                    let message = format!("{parameter} is there already, written another way");
                    self.error(self.key_of(leaf), Problem::new("duplicate_key", message));
                }
                Some((facts, _)) if !facts.settable => {
                    let message = format!("{parameter} of {} can be read, not set", driver.name);
                    self.error(self.key_of(leaf), Problem::new("read_only", message));
                }
                Some((facts, _)) => check(self, leaf, facts),
            }
            self.names.truncate(depth);
        });
    }

    fn key_of(&self, leaf: &Leaf<'d, '_>) -> Range<usize> {
        leaf.key((self.context.texts)(leaf.place.origin))
    }

    fn unknown_parameter(&mut self, leaf: &Leaf<'d, '_>, driver: &Driver) {
        let meant = words::nearest(leaf.parameter, driver.names());
        let message = format!("{} has no parameter {}", driver.name, words::quoted(leaf.parameter));
        let problem = Problem::new("unknown_parameter", message).suggest(meant);
        self.error(self.key_of(leaf), problem);
    }

    /// The narrower range, if it is one.
    fn limit(
        &mut self,
        leaf: &Leaf<'d, '_>,
        facts: &ParameterFacts,
        driver: &Driver,
    ) -> Option<(f64, f64)> {
        let span = || leaf.place.span.clone();
        let name = &facts.name;
        if !matches!(facts.kind, ParameterKind::Float | ParameterKind::Int) {
            let message = format!("{name} is not a number: it has no range to narrow");
            self.error(span(), Problem::new("wrong_type", message));
            return None;
        }
        let pair = match leaf.value {
            Value::Array(items) => match items.as_slice() {
                [least, greatest] => least.as_f64().zip(greatest.as_f64()),
                _ => None,
            },
            _ => None,
        };
        let Some((least, greatest)) = pair.filter(|(a, b)| a.is_finite() && b.is_finite()) else {
            let message = format!(
                "the limit of {name} takes two finite numbers such as [0.0, 3.6], not {}",
                leaf.value
            );
            self.error(span(), Problem::new("wrong_type", message));
            return None;
        };
        if least > greatest {
            let message =
                format!("the limit of {name} begins above its end: [least, greatest] is the order");
            self.error(span(), Problem::new("bad_value", message));
            return None;
        }
        if let Some((lowest, highest)) = facts.range
            && (least < lowest || greatest > highest)
        {
            let unit = facts.unit.as_deref();
            let message = format!(
                "the limit of {name} may narrow what {} allows, {} to {}, not widen it",
                driver.name,
                words::quantity(lowest, unit),
                words::quantity(highest, unit)
            );
            self.error(span(), Problem::new("limit_widens", message));
            return None;
        }
        Some((least, greatest))
    }

    fn setpoint(
        &mut self,
        leaf: &Leaf<'d, '_>,
        facts: &ParameterFacts,
        limit: Option<(f64, f64)>,
        driver: &Driver,
    ) {
        if self.environment(leaf.value, leaf.place) {
            return;
        }
        self.plain_text(leaf.value, leaf.place, false);
        let date = leaf.place.form == Form::Date;
        if let Err(mut problem) = setpoint(leaf.value, date, facts, limit, &driver.name) {
            problem.message = format!("{} {}", facts.name, problem.message);
            self.error(leaf.place.span.clone(), problem);
        } else if let Some(hazard) = &facts.hazard
            && switches_on(leaf.value)
        {
            let id = self.names.get(1).copied().unwrap_or_default();
            let message = format!("{} of {id} is set by this file: {hazard}", facts.name);
            let problem = Problem::new("hazard", message);
            self.warn(Severity::Warning, leaf.place.span.clone(), problem);
        }
    }
}

/// Whether a parameter takes a value; `date`: whether the file writes it as a date.
pub(super) fn setpoint(
    value: &Value,
    date: bool,
    facts: &ParameterFacts,
    limit: Option<(f64, f64)>,
    driver: &str,
) -> Result<(), Problem> {
    if date {
        return Err(Problem::new("wrong_type", "takes no date"));
    }
    match (facts.kind, value) {
        (ParameterKind::Float, Value::Float(number)) if !number.is_finite() => {
            Err(Problem::new("out_of_range", format!("takes a finite number, not {value}")))
        }
        (ParameterKind::Float, Value::Float(_) | Value::Int(_))
        | (ParameterKind::Int, Value::Int(_)) => in_range(value, facts, limit, driver),
        (ParameterKind::Float, _) => Err(wrong_type("a number", value)),
        (ParameterKind::Int, _) => Err(wrong_type("a whole number", value)),
        (ParameterKind::Bool, Value::Bool(_)) | (ParameterKind::String, Value::String(_)) => Ok(()),
        (ParameterKind::Bool, _) => Err(wrong_type("true or false", value)),
        (ParameterKind::String, _) => Err(wrong_type("text", value)),
        (ParameterKind::Enum, Value::String(word)) if facts.choices.contains(word) => Ok(()),
        (ParameterKind::Enum, Value::String(word)) => {
            Err(not_a_choice(word, facts.choices.iter().map(String::as_str)))
        }
        (ParameterKind::Enum, _) => {
            // `true` for an output that is "on" or "off" is a slip that people make.
            let word = match value {
                Value::Bool(true) => "on",
                Value::Bool(false) => "off",
                _ => "",
            };
            let meant = facts.choices.iter().find(|choice| *choice == word).cloned();
            let choices = words::either(facts.choices.iter().map(String::as_str));
            Err(wrong_type(&choices, value).suggest(meant))
        }
    }
}

fn in_range(
    value: &Value,
    facts: &ParameterFacts,
    limit: Option<(f64, f64)>,
    driver: &str,
) -> Result<(), Problem> {
    let Some(number) = value.as_f64() else { return Ok(()) };
    let unit = facts.unit.as_deref();
    let outside = |(least, greatest): (f64, f64), whose: &dyn Fn() -> String| {
        let (word, bound, below) = match () {
            () if number < least => ("minimum", least, "below"),
            () if number > greatest => ("maximum", greatest, "above"),
            () => return Ok(()),
        };
        let given = words::quantity(number, unit);
        let bound = words::quantity(bound, unit);
        let message = format!("= {given} is {below} the {word} of {bound} {}", whose());
        Err(Problem::new("out_of_range", message))
    };
    let whose = || format!("for {driver}");
    let drivers = || facts.range.map_or(Ok(()), |range| outside(range, &whose));
    let Some(limit) = limit else { return drivers() };
    // The nearest bound comes first: it is the one that has to be widened first.
    let own = outside(limit, &|| "that this file's limits set".to_owned());
    match (own, drivers(), facts.range) {
        (Err(mut own), Err(_), Some((least, greatest))) => {
            let (least, greatest) = (words::quantity(least, unit), words::quantity(greatest, unit));
            own.message.push_str(&format!("; {driver} itself allows {least} to {greatest}"));
            Err(own)
        }
        (own, drivers, _) => own.and(drivers),
    }
}

/// Whether a value of a hazardous parameter is anything but its harmless state.
pub(super) fn switches_on(value: &Value) -> bool {
    match value {
        Value::Bool(switch) => *switch,
        Value::String(word) => word != "off",
        _ => value.as_f64().is_some_and(|number| number != 0.0),
    }
}
