//! Setting again what the bench file asks for: what is told of it.

use tokio::sync::{mpsc, oneshot};

use super::{SessionError, SetError};
use crate::value::ParamValue;

/// What came of setting every setpoint whose readback differs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reapplied {
    /// The instrument.
    pub instrument: String,
    /// What was set and proven, in order.
    pub set: Vec<Written>,
    /// Hazardous parameters that differ, or whose readback is not known, and were left as they are.
    pub skipped: Vec<String>,
    /// Why it stopped before the end, if it did; names instrument and parameter. That parameter
    /// may have changed on the device; those that were to follow have not.
    pub failed: Option<String>,
}

/// One value that was set.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The parameter.
    pub parameter: String,
    /// The value just before; `None` if it cannot be read.
    pub before: Option<ParamValue>,
    /// What was asked for.
    pub asked: ParamValue,
    /// What the device reads now; what was asked for if it cannot be read.
    pub readback: ParamValue,
}

impl Reapplied {
    /// Whether there is nothing to tell: all setpoints hold.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.skipped.is_empty() && self.failed.is_none()
    }

    fn fails(&mut self, parameter: &str, why: &str) {
        let why = why.strip_prefix(&format!("{parameter}: ")).unwrap_or(why);
        self.failed = Some(format!("{}.{parameter}: {why}", self.instrument));
    }
}

/// Who is told.
pub(super) enum Listener {
    /// Who asked for it.
    Asker(oneshot::Sender<Result<Reapplied, SessionError>>),
    /// Who follows what is done by rule, if anybody does.
    Rule(Option<mpsc::Sender<Reapplied>>),
}

/// One that is under way. Tells when it is dropped, so that nothing set stays unsaid when the
/// session ends in the middle.
pub(super) struct Applying {
    done: Reapplied,
    listener: Option<Listener>,
}

impl Applying {
    pub(super) fn new(instrument: &str, skipped: Vec<String>, listener: Listener) -> Self {
        let instrument = instrument.to_owned();
        let done = Reapplied { instrument, skipped, ..Reapplied::default() };
        Self { done, listener: Some(listener) }
    }

    /// The next one is about to be set; until its outcome is known it counts as failed.
    pub(super) fn begins(&mut self, parameter: &str) {
        self.done.fails(parameter, "the session ended while it was being set");
    }

    pub(super) fn wrote(&mut self, written: Written) {
        self.done.failed = None;
        self.done.set.push(written);
    }

    pub(super) fn failed(&mut self, error: &SetError) {
        self.done.fails(&error.parameter, &error.to_string());
    }
}

impl Drop for Applying {
    fn drop(&mut self) {
        let done = std::mem::take(&mut self.done);
        match self.listener.take() {
            Some(Listener::Asker(answer)) => drop(answer.send(Ok(done))),
            Some(Listener::Rule(Some(reports))) if !done.is_empty() => {
                if let Err(error) = reports.try_send(done) {
                    let why = error.to_string();
                    let lost = error.into_inner();
                    tracing::warn!("{}: a report was not taken ({why}): {lost:?}", lost.instrument);
                }
            }
            _ => {}
        }
    }
}
