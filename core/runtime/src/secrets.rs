//! What nobody is shown: the values of keys that hold secrets, as numbers and words of devices too.

use std::sync::Arc;

use jiff::Timestamp;
use setpoint_bench::{KeyPath, Value, layers::Secret};
use setpoint_instruments::{InstrumentStatus, ParamValue, ParameterStatus, SessionError};

use crate::{catalogue::value_of_kind, files::Meaning, manager::about};

/// What stands for a value that is secret.
pub(crate) const HIDDEN: &str = "••••••";

/// Benches that are remembered because keys of theirs held secrets and do not any more, or hold
/// others.
const GONE: usize = 4;

/// The secrets of what runs, of what is about to, and of what ran.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    now: Vec<Arc<Meaning>>,
    /// Until when they counted: what a device said before that is still not shown.
    gone: Vec<(Arc<Meaning>, Timestamp)>,
}

impl Secrets {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.now.is_empty() && self.gone.is_empty()
    }

    /// A bench is about to run.
    pub(crate) fn comes(&mut self, bench: &Arc<Meaning>) {
        self.now.extend(bench.has_secrets().then(|| bench.clone()));
    }

    /// A bench runs, and no other does.
    pub(crate) fn runs(&mut self, bench: &Arc<Meaning>) {
        let held = |secret: &Secret| bench.secrets().iter().any(|now| now.is(secret));
        for before in std::mem::take(&mut self.now) {
            if !before.secrets().iter().all(held) {
                self.gone.push((before, Timestamp::now()));
            }
        }
        let surplus = self.gone.len().saturating_sub(GONE);
        self.gone.drain(..surplus);
        self.comes(bench);
    }

    /// Whether the setpoint of a parameter (`ch1.voltage`) is put together with one, or was not
    /// long ago: what the device held before is as secret.
    pub(crate) fn holds(&self, instrument: &str, parameter: &str) -> bool {
        self.written(instrument, parameter).is_some()
            || self.held_until(instrument, parameter).is_some()
    }

    /// Whether what a device said of a parameter at a time may give one away.
    pub(crate) fn hides(&self, instrument: &str, parameter: &str, at: Option<Timestamp>) -> bool {
        let before = |until| at.is_none_or(|at| at <= until);
        self.written(instrument, parameter).is_some()
            || self.held_until(instrument, parameter).is_some_and(before)
    }

    /// What the file has in place of it.
    pub(crate) fn written(&self, instrument: &str, parameter: &str) -> Option<&str> {
        let path = KeyPath::setpoint(instrument, parameter);
        let at = |secret: &&Secret| secret.path == path;
        self.secrets().find(at).map(|secret| secret.written.as_str())
    }

    /// Until when it held one, if it does not any more.
    fn held_until(&self, instrument: &str, parameter: &str) -> Option<Timestamp> {
        if self.gone.is_empty() {
            return None;
        }
        let path = KeyPath::setpoint(instrument, parameter);
        let held = |bench: &Meaning| bench.secrets().iter().any(|secret| secret.path == path);
        self.gone.iter().filter(|(bench, _)| held(bench)).map(|(_, until)| *until).max()
    }

    /// A text for people without them in it.
    pub(crate) fn hide(&self, text: String) -> String {
        let all = self.now.iter().chain(self.gone.iter().map(|(bench, _)| bench));
        all.fold(text, |text, bench| bench.hide(text))
    }

    /// The value of a parameter, or dots.
    pub(crate) fn shown(&self, instrument: &str, parameter: &str, value: &ParamValue) -> String {
        match self.holds(instrument, parameter) {
            true => HIDDEN.to_owned(),
            false => value.to_string(),
        }
    }

    /// Why a parameter could not be set or read, naming its instrument.
    pub(crate) fn failure(
        &self,
        instrument: &str,
        parameter: &str,
        error: &SessionError,
    ) -> String {
        if !self.holds(instrument, parameter) {
            return self.hide(about(instrument, error));
        }
        let what = match error {
            SessionError::Refused { .. } => "the device refused the value, which is a secret",
            SessionError::NotVerified { .. } => {
                "the device reads something else than was asked for, which is a secret"
            }
            SessionError::Value(_) => "its value, which is a secret, cannot be set",
            _ => return self.hide(about(instrument, error)),
        };
        format!("{instrument}.{parameter}: {what}")
    }

    /// A sentence about an instrument. Where it is about a parameter that holds a secret, all of
    /// it could give that away.
    pub(crate) fn hide_about(&self, instrument: &str, text: String) -> String {
        let mut setpoints = self.secrets().filter_map(|secret| secret.path.as_setpoint());
        match setpoints.find(|(id, name)| *id == instrument && text.contains(name.as_str())) {
            Some((_, parameter)) => format!(
                "{instrument}.{parameter} is not as asked for; what the device says of it is not \
                 shown, for its value is a secret"
            ),
            None => self.hide(text),
        }
    }

    /// A status for everybody: the address of a device, or what it is set to, may be a secret.
    /// `values` are those of what runs, as they are written.
    pub(crate) fn hide_status(
        &self,
        status: Arc<InstrumentStatus>,
        values: &Value,
    ) -> Arc<InstrumentStatus> {
        if self.is_empty() {
            return status;
        }
        let mut status = Arc::unwrap_or_clone(status);
        status.address = self.hide(status.address);
        status.link = status.link.map(|link| self.hide(link));
        let id = status.id.clone();
        status.error = status.error.map(|error| self.hide_about(&id, error));
        for (name, parameter) in &mut status.parameters {
            if let Some(written) = self.written(&id, name) {
                hide_parameter(Arc::make_mut(parameter), written);
            } else if let Some(until) = self.held_until(&id, name) {
                let asked = values.get(&KeyPath::setpoint(&id, name));
                hide_until(Arc::make_mut(parameter), until, asked);
            }
        }
        Arc::new(status)
    }

    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.now.iter().flat_map(|bench| bench.secrets())
    }
}

fn hide_parameter(parameter: &mut ParameterStatus, written: &str) {
    let text = |text: &str| ParamValue::Text(text.to_owned());
    parameter.setpoint = parameter.setpoint.take().map(|_| text(written));
    parameter.readback = parameter.readback.take().map(|_| text(HIDDEN));
    parameter.trend = Default::default();
}

/// A session learns of a setpoint a moment after it is accepted, and reads it back later still.
fn hide_until(parameter: &mut ParameterStatus, until: Timestamp, asked: Option<&Value>) {
    parameter.setpoint = asked.map(|asked| value_of_kind(asked, parameter.kind == "float"));
    if parameter.at.is_none_or(|at| at <= until) {
        parameter.readback = parameter.readback.take().map(|_| ParamValue::Text(HIDDEN.into()));
    }
    let trend = Arc::make_mut(&mut parameter.trend);
    trend.retain(|(at, _)| *at > until);
}
