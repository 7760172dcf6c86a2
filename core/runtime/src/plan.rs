//! From two benches to the ordered steps that lead from one to the other.

use setpoint_bench::{
    Bench, Value,
    model::{Instrument, OnReconnect, Source},
};
use setpoint_instruments::{LinkState, ParamFacts, ParamValue};

use crate::{
    catalogue::{Drivers, param_value},
    files::Meaning,
    manager::Running,
    status::PlanStep,
};

/// One step. How it is taken back, [`crate::apply`] knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Closes an instrument's link and forgets it.
    Close { instrument: String },
    /// Opens an instrument's link, or keeps it as disabled, as its definition now says.
    Bring { instrument: String },
    /// Sets one parameter and verifies it.
    Set { instrument: String, parameter: String, value: ParamValue, facts: Box<ParamFacts> },
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
    /// By index of a step: which of `lines` tells of it.
    pub(crate) line_of: Vec<usize>,
    /// Sources that stop showing pictures for a moment.
    pub(crate) interrupted: usize,
}

impl Plan {
    /// Puts the lines for what comes before and after the steps around them; `writes` is the file
    /// that is written, if one is. What is secret in either bench is hidden.
    pub(crate) fn tell_around(
        &mut self,
        running: &Running,
        meaning: &Meaning,
        writes: Option<&String>,
    ) {
        self.tell_first("snapshot", format!("keep {}", running.revision.id));
        if let Some(file) = writes {
            self.tell("write", format!("write {file}"), None);
        }
        for secrets in [meaning, &running.meaning] {
            if !secrets.has_secrets() {
                continue;
            }
            for line in &mut self.lines {
                line.text = secrets.hide(std::mem::take(&mut line.text));
                line.note = line.note.take().map(|note| secrets.hide(note));
            }
        }
    }

    fn add(&mut self, step: Step, kind: &'static str, text: String, note: Option<String>) {
        self.steps.push(step);
        self.line_of.push(self.lines.len());
        self.lines.push(PlanStep { text, kind, note, hazard: false });
    }

    /// A step that a line tells of already: the last one that starts with the words.
    fn add_told(&mut self, step: Step, words: &str) {
        let told = self.lines.iter().rposition(|line| line.text.starts_with(words));
        self.steps.push(step);
        self.line_of.push(told.unwrap_or(self.lines.len()));
    }

    /// A line before all others.
    pub(crate) fn tell_first(&mut self, kind: &'static str, text: String) {
        self.lines.insert(0, PlanStep { text, kind, note: None, hazard: false });
        self.line_of.iter_mut().for_each(|line| *line += 1);
    }

    /// Takes out the steps that switch on what is hazardous, and says so in their lines.
    pub(crate) fn leave_hazards_alone(&mut self) {
        let (steps, line_of) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.line_of));
        for (step, line) in steps.into_iter().zip(line_of) {
            let told = self.lines.get_mut(line).filter(|told| told.hazard);
            match (&step, told) {
                (Step::Set { .. }, Some(told)) => told.note = Some(LEFT_ALONE.to_owned()),
                _ => {
                    self.steps.push(step);
                    self.line_of.push(line);
                }
            }
        }
    }

    /// A line that tells of something and does nothing by itself.
    pub(crate) fn tell(&mut self, kind: &'static str, text: String, note: Option<String>) {
        self.lines.push(PlanStep { text, kind, note, hazard: false });
    }

    /// Marks the last line as dangerous.
    fn warn(&mut self, hazard: bool) {
        if let Some(line) = self.lines.last_mut() {
            line.hazard = hazard;
        }
    }
}

/// What the line of a step says that would switch on something hazardous and is not taken.
pub(crate) const LEFT_ALONE: &str = "hazardous: left as it is";

/// A parameter to be set, with what decides its place.
struct Wanted {
    instrument: String,
    parameter: String,
    old: Option<Value>,
    value: Value,
    asked: ParamValue,
    facts: ParamFacts,
    going_off: bool,
    waits: Option<&'static str>,
}

/// What going from one bench to another takes, in order, for reading. Nothing is asked and nothing
/// is done: every instrument that is enabled in `old` is taken to answer.
pub fn plan_between(old: &Bench, new: &Bench, drivers: &Drivers) -> Vec<PlanStep> {
    plan(old, new, drivers, &|_| Some(LinkState::Connected)).lines
}

/// The steps from `old` to `new`: what goes off first, links closed, links opened, values in
/// their drivers' order, sources, settings. Limits and rules need no step: instruments get them
/// when nothing can fail any more.
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
        collect_sets(id, old.instrument(id), now, drivers, link, &mut wanted);
    }
    // Stable, so that the file's order decides between equals.
    wanted.sort_by_key(|set| (!set.going_off, set.facts.order));
    let rest = wanted.iter().position(|set| !set.going_off).unwrap_or(wanted.len());
    let (off_first, in_order) = wanted.split_at(rest);

    off_first.iter().for_each(|set| add_set(&mut plan, set));
    // All that close before any that open: a line may go from one to another.
    for (id, before) in &old.instruments {
        add_close(&mut plan, id, before, new.instrument(id));
    }
    for (id, now) in &new.instruments {
        add_open(&mut plan, id, old.instrument(id), now);
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
        add_source(&mut plan, id, old.source(id), now);
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
    let Some(old) = old.filter(|old| old.enabled) else { return };
    let answers = link(id) == Some(LinkState::Connected);
    for (parameter, value) in &new.set {
        let before = old.set.get(parameter);
        if before.is_some_and(|before| before.means(value)) {
            continue;
        }
        // A parameter without facts does not pass the checks.
        let Some(facts) = drivers.facts(&new.driver, parameter) else { continue };
        let asked = param_value(&facts, value);
        let going_off = facts.off_first && facts.is_off(&asked);
        // What goes off goes off while the device can still be told.
        let last_chance = going_off && old.driver == new.driver;
        let waits = if !answers {
            Some("does not answer now; compared when it does")
        } else if relinks(old, new) && !last_chance {
            Some("loses its link first; compared when it answers again")
        } else {
            None
        };
        wanted.push(Wanted {
            instrument: id.to_owned(),
            parameter: parameter.clone(),
            old: before.cloned(),
            value: value.clone(),
            asked,
            facts,
            going_off,
            waits,
        });
    }
}

fn add_set(plan: &mut Plan, set: &Wanted) {
    let Wanted { instrument, parameter, old, value, asked, facts, waits, .. } = set;
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
            let note = facts.hazard.clone().filter(|_| !facts.is_off(asked));
            let step = Step::Set {
                instrument: instrument.clone(),
                parameter: parameter.clone(),
                value: asked.clone(),
                facts: Box::new(facts.clone()),
            };
            let hazard = note.is_some();
            plan.add(step, "set", text, note);
            plan.warn(hazard);
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

fn add_close(plan: &mut Plan, id: &str, old: &Instrument, new: Option<&Instrument>) {
    let step = Step::Close { instrument: id.to_owned() };
    match new {
        None => plan.add(step, "disconnect", format!("{id} disconnect"), None),
        Some(new) if old.enabled && relinks(old, new) => {
            let (kind, verb) =
                if new.enabled { ("restart", "reconnect") } else { ("disconnect", "disconnect") };
            plan.add(step, kind, format!("{id} {verb}"), None);
        }
        Some(_) => {}
    }
}

fn add_open(plan: &mut Plan, id: &str, old: Option<&Instrument>, new: &Instrument) {
    let step = Step::Bring { instrument: id.to_owned() };
    let connect = format!("{id} connect {}", new.address);
    match old {
        None if new.enabled => plan.add(step, "connect", connect, on_connect(new)),
        None => plan.add(step, "settings", format!("{id} added, disabled"), None),
        Some(old) if relinks(old, new) && new.enabled => {
            plan.add(step, "connect", connect, on_connect(new));
        }
        // It has been told that it is disconnected.
        Some(old) if relinks(old, new) => plan.add_told(step, &format!("{id} disconnect")),
        Some(old) => {
            // Values have lines of their own.
            let same_values = Instrument { set: new.set.clone(), ..old.clone() };
            if same_values != *new {
                let same_label = Instrument { label: new.label.clone(), ..same_values };
                let what = if same_label == *new { "label" } else { "limits and rules" };
                plan.tell("settings", format!("{id} {what}"), None);
            }
        }
    }
}

/// What happens to an instrument's values once it answers.
fn on_connect(new: &Instrument) -> Option<String> {
    let values = match new.set.len() {
        0 => return None,
        1 => "its value is".to_owned(),
        many => format!("its {many} values are"),
    };
    Some(match new.on_reconnect {
        OnReconnect::Compare => format!("{values} compared, none is set"),
        OnReconnect::Reapply => format!("{values} compared, what differs is set but for hazards"),
        OnReconnect::Ignore => format!("{values} not looked at"),
    })
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const RUNNING: &str = r#"
[instruments.a]
type = "rigol_dp832"
address = "tcp://192.0.2.1:5555"
[instruments.a.set]
ch1.voltage = 5.0
ch1.output = "on"
[instruments.b]
type = "rigol_dp832"
address = "tcp://192.0.2.2:5555"
"#;

    fn bench(text: &str) -> Bench {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let reading = setpoint_bench::read("bench.toml", text, &drivers);
        reading.bench.unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
    }

    fn lines(new: &str, link: LinkState) -> Vec<String> {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let plan = plan(&bench(RUNNING), &bench(new), &drivers, &|_| Some(link));
        plan.steps
            .iter()
            .map(|step| match step {
                Step::Close { instrument } => format!("close {instrument}"),
                Step::Bring { instrument } => format!("bring {instrument}"),
                Step::Set { instrument, parameter, value, .. } => {
                    format!("set {instrument}.{parameter} {value}")
                }
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_goes_off_goes_off_first() {
        let new = RUNNING.replace("5.0", "2.0").replace("\"on\"", "\"off\"");
        let expected = ["set a.ch1.output off", "set a.ch1.voltage 2.0"];
        assert_eq!(lines(&new, LinkState::Connected), expected);
    }

    #[test]
    fn what_goes_on_goes_on_last() {
        let off = RUNNING.replace("\"on\"", "\"off\"");
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let on = RUNNING.replace("5.0", "2.0");
        let plan = plan(&bench(&off), &bench(&on), &drivers, &|_| Some(LinkState::Connected));
        assert!(
            matches!(&plan.steps[0], Step::Set { parameter, .. } if parameter == "ch1.voltage")
        );
        assert!(matches!(&plan.steps[1], Step::Set { parameter, .. } if parameter == "ch1.output"));
        let [.., output] = plan.lines.as_slice() else { panic!("no lines") };
        assert_eq!(output.note.as_deref(), Some("energises the load"));
    }

    #[test]
    fn a_device_is_switched_off_before_its_link_goes() {
        let new = RUNNING.replace("\"on\"", "\"off\"").replace("5.0", "2.0");
        let new = new.replacen("[instruments.a.set]", "enabled = false\n[instruments.a.set]", 1);
        let expected = ["set a.ch1.output off", "close a", "bring a"];
        assert_eq!(lines(&new, LinkState::Connected), expected);
    }

    #[test]
    fn addresses_can_be_swapped() {
        let new = RUNNING.replace("0.2.1", "0.2.9").replace("0.2.2", "0.2.1");
        let new = new.replace("0.2.9", "0.2.2");
        assert_eq!(lines(&new, LinkState::Connected), ["close a", "close b", "bring a", "bring b"]);
    }

    #[test]
    fn without_asking_anyone_the_order_is_the_same_and_hazards_are_marked() {
        let off = RUNNING.replace("\"on\"", "\"off\"");
        let on = RUNNING.replace("5.0", "2.0");
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let steps = plan_between(&bench(&off), &bench(&on), &drivers);
        let marked: Vec<_> = steps.iter().map(|step| (&*step.text, step.hazard)).collect();
        assert_eq!(
            marked,
            [
                ("a.ch1.voltage 5.000 → 2.000 V, verify ±0.001", false),
                ("a.ch1.output off → on", true)
            ]
        );
        assert!(plan_between(&bench(&on), &bench(&on), &drivers).is_empty());
    }

    #[test]
    fn connecting_tells_what_becomes_of_the_values() {
        let moved = RUNNING.replace("0.2.1", "0.2.7");
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let steps = plan_between(&bench(RUNNING), &bench(&moved), &drivers);
        let notes: Vec<_> = steps.iter().map(|step| step.note.as_deref()).collect();
        assert_eq!(notes, [None, Some("its 2 values are compared, none is set")]);
    }

    #[test]
    fn a_label_is_no_rule() {
        let named = RUNNING.replacen("type =", "label = \"Bias\"\ntype =", 1);
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let steps = plan_between(&bench(RUNNING), &bench(&named), &drivers);
        assert_eq!(steps.iter().map(|step| &*step.text).collect::<Vec<_>>(), ["a label"]);
    }

    #[test]
    fn a_device_that_does_not_answer_is_left_to_its_rule() {
        let new = RUNNING.replace("5.0", "2.0");
        assert!(lines(&new, LinkState::Offline).is_empty());
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let plan = plan(&bench(RUNNING), &bench(&new), &drivers, &|_| Some(LinkState::Offline));
        assert!(plan.lines[0].note.as_ref().is_some_and(|note| note.contains("does not answer")));
    }
}
