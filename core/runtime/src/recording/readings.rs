//! What instruments had said at a moment, without what is secret.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use setpoint_bench::KeyPath;
use setpoint_instruments::{InstrumentStatus, ParamValue, ParameterStatus};
use setpoint_store::history::Reading;

use crate::{
    manager::Running,
    secrets::{HIDDEN, Secrets},
};

/// Every parameter of every instrument, as the statuses have it but for what `secrets` hide.
pub(super) fn all(
    devices: &[Arc<InstrumentStatus>],
    running: &Running,
    secrets: &Secrets,
    now: Timestamp,
) -> Vec<Reading> {
    let of = |device: &Arc<InstrumentStatus>| {
        let id = device.id.clone();
        let parameters: Vec<_> = device.parameters.values().cloned().collect();
        parameters.into_iter().map(move |parameter| (id.clone(), parameter))
    };
    devices
        .iter()
        .flat_map(of)
        .map(|(id, parameter)| {
            // A session learns of a setpoint a moment after it is accepted. As it is written, it
            // shows no secret.
            let asked = running.values.get(&KeyPath::setpoint(&id, &parameter.name));
            let asked = asked.and_then(|value| serde_json::to_value(value).ok());
            let secret = secrets.hides(&id, &parameter.name, parameter.at);
            reading(id, &parameter, asked, secret, now)
        })
        .collect()
}

fn reading(
    instrument: String,
    from: &ParameterStatus,
    asked: Option<Value>,
    secret: bool,
    now: Timestamp,
) -> Reading {
    let shown = |value: Value| if secret { HIDDEN.into() } else { value };
    let age = |at: Timestamp| now.as_millisecond() - at.as_millisecond();
    Reading {
        instrument,
        parameter: from.name.clone(),
        unit: from.unit.clone(),
        setpoint: asked,
        readback: from.readback.as_ref().map(plain).map(shown),
        quality: word(&from.quality),
        age_ms: from.at.map(|at| u64::try_from(age(at)).unwrap_or(0)),
    }
}

/// A value as JSON: a number, a truth value or a text.
pub(super) fn plain(value: &ParamValue) -> Value {
    match value {
        ParamValue::Bool(value) => (*value).into(),
        ParamValue::Int(value) => (*value).into(),
        ParamValue::Float(value) => (*value).into(),
        ParamValue::Text(value) => value.as_str().into(),
    }
}

/// What a plain enum is written as.
pub(super) fn word(of: &impl Serialize) -> String {
    let written = serde_json::to_value(of).ok();
    written.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
