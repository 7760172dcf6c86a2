//! Taking steps, and taking them back in reverse with the values read just before.

use std::collections::{BTreeSet, HashSet};

use setpoint_bench::Bench;
use setpoint_instruments::{ParamFacts, ParamValue, SetError};

use crate::{
    catalogue::param_value, components::Components, journaling::Notes, plan::Step, secrets::Secrets,
};

/// A step that was taken, with what it takes to go back.
enum Taken {
    Close {
        instrument: String,
    },
    Bring {
        instrument: String,
    },
    Set {
        instrument: String,
        parameter: String,
        before: Option<ParamValue>,
        facts: Box<ParamFacts>,
    },
    BringSource {
        source: String,
    },
    ChangeSource {
        source: String,
    },
}

/// What a parameter was asked for and what it then read, for the audit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verified {
    pub(crate) path: String,
    pub(crate) asked: ParamValue,
    pub(crate) before: Option<ParamValue>,
    pub(crate) readback: ParamValue,
}

/// Why not all steps were taken, and what became of those that were.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepFailure {
    /// The step and its cause.
    pub(crate) what: String,
    /// What was taken back.
    pub(crate) undone: Vec<String>,
    /// What could not be, and why.
    pub(crate) not_undone: Vec<String>,
}

impl std::fmt::Display for StepFailure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.what)?;
        if !self.undone.is_empty() {
            write!(out, "; undone: {}", self.undone.join(", "))?;
        }
        if self.not_undone.is_empty() {
            out.write_str("; the bench is as it was")
        } else {
            write!(out, "; could not be undone: {}", self.not_undone.join(", "))
        }
    }
}

/// Steps that were taken. Keep it until nothing can fail any more, or take it back.
#[must_use]
#[derive(Default)]
pub(crate) struct Progress {
    /// Each with its index among the steps.
    taken: Vec<(usize, Taken)>,
    pub(crate) verified: Vec<Verified>,
    /// Where the journal is told of it.
    pub(crate) notes: Notes,
    /// What nobody is told.
    secrets: Secrets,
}

/// Takes the steps in order. If one fails, the ones before it are taken back. What is said of it
/// holds no secret.
///
/// # Errors
/// The failure of the first step that fails, with what was and was not undone.
pub(crate) async fn take(
    steps: &[Step],
    components: &mut Components,
    old: &Bench,
    new: &Bench,
    (notes, secrets): (Notes, Secrets),
) -> Result<Progress, StepFailure> {
    let mut progress = Progress { notes, secrets, ..Progress::default() };
    for (index, step) in steps.iter().enumerate() {
        let before = progress.verified.len();
        if let Err(what) = take_one(index, step, components, new, &mut progress).await {
            return Err(take_back(progress, components, old, what).await);
        }
        let set = progress.verified.get(before).and_then(|set| set.before.as_ref());
        progress.notes.done(index, set).await;
    }
    Ok(progress)
}

async fn take_one(
    index: usize,
    step: &Step,
    components: &mut Components,
    new: &Bench,
    progress: &mut Progress,
) -> Result<(), String> {
    match step {
        Step::Close { instrument } => {
            progress.taken.push((index, Taken::Close { instrument: instrument.clone() }));
            components.bring(instrument, None).await;
        }
        Step::Bring { instrument } => {
            progress.taken.push((index, Taken::Bring { instrument: instrument.clone() }));
            components.bring(instrument, new.instrument(instrument)).await;
        }
        Step::Set { instrument, parameter, value, facts } => {
            let handle = components
                .handle(instrument)
                .ok_or_else(|| format!("{instrument} is not running"))?;
            let outcome = handle.set(parameter, value.clone()).await;
            // What a failed attempt left behind is not known, so it is taken back as well.
            let (sent, before) = match &outcome {
                Ok(outcome) => (true, outcome.before.clone()),
                Err(error) => (error.sent, error.before.clone()),
            };
            if sent {
                progress.taken.push((
                    index,
                    Taken::Set {
                        instrument: instrument.clone(),
                        parameter: parameter.clone(),
                        before,
                        facts: facts.clone(),
                    },
                ));
            }
            let failure =
                |error: SetError| progress.secrets.failure(instrument, parameter, &error.cause);
            let outcome = outcome.map_err(failure)?;
            progress.verified.push(Verified {
                path: format!("{instrument}.{parameter}"),
                asked: value.clone(),
                before: outcome.before,
                readback: outcome.readback,
            });
        }
        Step::BringSource { source } => {
            progress.taken.push((index, Taken::BringSource { source: source.clone() }));
            components.bring_source(source, new.source(source)).await;
        }
        Step::ChangeSource { source } => {
            if let Some(definition) = new.source(source) {
                components.change_source(source, definition).await?;
                progress.taken.push((index, Taken::ChangeSource { source: source.clone() }));
            }
        }
        // In force as soon as the manager takes over the new bench.
        Step::Settings => {}
    }
    Ok(())
}

/// Takes everything back, last step first; goes on past what cannot be taken back.
pub(crate) async fn take_back(
    progress: Progress,
    components: &mut Components,
    old: &Bench,
    what: String,
) -> StepFailure {
    let mut failure = StepFailure { what, undone: Vec::new(), not_undone: Vec::new() };
    let (mut broken, mut set) = (HashSet::new(), BTreeSet::new());
    for (index, taken) in progress.taken.into_iter().rev() {
        let failures = failure.not_undone.len();
        match taken {
            // Whatever was closed before it comes back below, when all lines are free again.
            Taken::Bring { instrument } => {
                let before = old.instrument(&instrument).filter(|before| !before.enabled);
                components.bring(&instrument, before).await;
                failure.undone.push(instrument);
            }
            Taken::Close { instrument } => {
                components.bring(&instrument, old.instrument(&instrument)).await;
                if !failure.undone.contains(&instrument) {
                    failure.undone.push(instrument);
                }
            }
            Taken::Set { instrument, parameter, before, facts } => {
                let path = format!("{instrument}.{parameter}");
                set.insert(instrument.clone());
                // Nothing is energised on a device whose other values are not what they were.
                let energises =
                    facts.off_first && before.as_ref().is_some_and(|value| !facts.is_off(value));
                if energises && broken.contains(&instrument) {
                    let why = "left off, since other values could not be put back";
                    failure.not_undone.push(format!("{path}: {why}"));
                    continue;
                }
                let secrets = &progress.secrets;
                let whole = !broken.contains(&instrument);
                let back = match before {
                    Some(value) => Some(Back::Before(value)),
                    None => unread(old, &instrument, &facts, whole),
                };
                match restore(components, &instrument, &parameter, back.as_ref(), secrets).await {
                    Ok(Some(back)) => {
                        let value = secrets.shown(&instrument, &parameter, back.value());
                        match back {
                            Back::Before(_) => {
                                failure.undone.push(format!("{path} back to {value}"))
                            }
                            Back::Asked(_) => failure
                                .undone
                                .push(format!("{path} back to {value}, as the bench had it")),
                            Back::Off(_) => failure.not_undone.push(format!(
                                "{path}: switched off ({value}), since its value before is not \
                                 known"
                            )),
                        }
                    }
                    Ok(None) => {}
                    Err(why) => {
                        failure.not_undone.push(format!("{path}: {why}"));
                        broken.insert(instrument);
                    }
                }
            }
            Taken::BringSource { source } => {
                components.bring_source(&source, old.source(&source)).await;
                failure.undone.push(source);
            }
            Taken::ChangeSource { source } => {
                if let Some(definition) = old.source(&source) {
                    match components.change_source(&source, definition).await {
                        Ok(()) => failure.undone.push(source),
                        Err(why) => failure.not_undone.push(format!("{source}: {why}")),
                    }
                }
            }
        }
        if failure.not_undone.len() == failures {
            progress.notes.undone(index).await;
        }
    }
    // Else a device that comes back would get what was just taken back.
    for instrument in set {
        if let Some(before) = old.instrument(&instrument) {
            components.configure(&instrument, before).await;
        }
    }
    // Whoever clears the journal next must not have lines written behind it.
    progress.notes.flush().await;
    failure
}

/// What a parameter is set back to.
#[derive(Debug, PartialEq)]
enum Back {
    /// What it read just before.
    Before(ParamValue),
    /// What the bench asked of it.
    Asked(ParamValue),
    /// What switches it off.
    Off(ParamValue),
}

impl Back {
    fn value(&self) -> &ParamValue {
        match self {
            Self::Before(value) | Self::Asked(value) | Self::Off(value) => value,
        }
    }
}

/// What a parameter is set back to if nobody knows what it was: what the bench asked of it, else
/// off if it is dangerous. If the device is not `whole`, nothing is energised.
fn unread(old: &Bench, instrument: &str, facts: &ParamFacts, whole: bool) -> Option<Back> {
    let asked = old.instrument(instrument).and_then(|old| old.set.get(&facts.name));
    let asked = asked.map(|value| param_value(facts, value));
    let dangerous = facts.hazard.is_some() || facts.off_first;
    match asked {
        Some(value) if whole || !dangerous || facts.is_off(&value) => Some(Back::Asked(value)),
        _ if dangerous => facts.off().map(Back::Off),
        _ => None,
    }
}

/// Sets a parameter back; `None` if it reads that already.
async fn restore<'a>(
    components: &Components,
    instrument: &str,
    parameter: &str,
    back: Option<&'a Back>,
    secrets: &Secrets,
) -> Result<Option<&'a Back>, String> {
    let handle =
        components.handle(instrument).ok_or_else(|| format!("{instrument} is not running"))?;
    let back = back.ok_or("its value before is not known")?;
    if handle.read(parameter).await.is_ok_and(|now| now == *back.value()) {
        return Ok(None);
    }
    let failure = |error: SetError| secrets.failure(instrument, parameter, &error.cause);
    handle.set(parameter, back.value().clone()).await.map_err(failure)?;
    Ok(Some(back))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalogue::Drivers;

    #[test]
    fn what_nobody_can_read_goes_back_to_what_was_asked_or_off_if_it_is_dangerous() {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let bench = |set: &str| {
            let text = format!(
                "bench.name = \"B\"\n[instruments.psu]\ntype = \"rigol_dp832\"\n\
                 address = \"sim:\"\n{set}"
            );
            setpoint_bench::read("bench.toml", &text, &drivers).bench.unwrap()
        };
        let facts = |name: &str| drivers.facts("rigol_dp832", name).unwrap();
        let (output, voltage) = (facts("ch1.output"), facts("ch1.voltage"));
        let on = bench("set.ch1.output = \"on\"\nset.ch1.voltage = 2.0\n");
        let word = |word: &str| ParamValue::Text(word.to_owned());
        assert_eq!(unread(&on, "psu", &output, true), Some(Back::Asked(word("on"))));
        assert_eq!(unread(&on, "psu", &output, false), Some(Back::Off(word("off"))));
        assert_eq!(unread(&on, "psu", &voltage, false), Some(Back::Asked(ParamValue::Float(2.0))));
        let silent = bench("");
        assert_eq!(unread(&silent, "psu", &output, true), Some(Back::Off(word("off"))));
        assert_eq!(unread(&silent, "psu", &voltage, true), None);
    }
}
