//! Instruments and their parameters.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::IntoResponse,
};
use jiff::Timestamp;
use serde_json::Value as Shape;
use setpoint_instruments::InstrumentStatus;
use setpoint_runtime::Command;

use super::{Reply, carry_out};
use crate::{input, problem::Problem, server::Api};

pub(super) async fn list(State(api): State<Api>) -> Reply {
    let (status, now) = (api.runtime.status(), Timestamp::now());
    let shapes: Result<Vec<_>, _> =
        status.instruments.values().map(|instrument| shape(instrument, now)).collect();
    Ok(Json(shapes?).into_response())
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    match api.runtime.status().instruments.get(&id) {
        Some(instrument) => Ok(Json(shape(instrument, Timestamp::now())?).into_response()),
        None => Err(Problem::not_found("instrument", &id)),
    }
}

/// More bytes than this are no line for an instrument; all of it goes into the audit log.
const COMMAND_LIMIT: usize = 4_096;

pub(super) async fn query(
    State(api): State<Api>,
    Path(instrument): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let author = input::author(&headers)?;
    let mut fields = input::object(body).await?;
    let command = fields.needed_text("command")?;
    fields.finish("command")?;
    if command.is_empty() || command.chars().any(|one| matches!(one, '\r' | '\n')) {
        return Err(Problem::malformed("command is not one line: send it without its terminator"));
    }
    if command.len() > COMMAND_LIMIT {
        let detail = format!("command is longer than {COMMAND_LIMIT} bytes");
        return Err(Problem::malformed(detail));
    }
    let command = Command::Query { instrument, command, author };
    carry_out(&api, command).await
}

/// An instrument as JSON; every parameter with the age of its readback at this moment.
fn shape(instrument: &InstrumentStatus, now: Timestamp) -> Result<Shape, Problem> {
    let mut shape = super::to_json(instrument)?;
    if let Some(parameters) = shape.get_mut("parameters").and_then(Shape::as_array_mut) {
        // The list has the parameters in the order of the map.
        for (json, parameter) in parameters.iter_mut().zip(instrument.parameters.values()) {
            json["age_ms"] = super::age_ms(parameter.at, now).into();
        }
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use setpoint_instruments::{LinkState, ParamValue, ParameterStatus, Quality};

    use super::*;

    fn parameter(name: &str, at: Option<Timestamp>) -> (String, Arc<ParameterStatus>) {
        let parameter = ParameterStatus {
            name: name.into(),
            label: "Voltage".into(),
            kind: "float",
            unit: Some("V".into()),
            access: "rw",
            range: Some((0.0, 3.6)),
            choices: vec![],
            decimals: Some(3),
            hazard: None,
            setpoint: Some(ParamValue::Float(3.3)),
            readback: at.map(|_| ParamValue::Float(3.299)),
            at,
            quality: Quality::Good,
            in_tolerance: Some(true),
            trend: Arc::default(),
        };
        (name.to_owned(), Arc::new(parameter))
    }

    #[test]
    fn parameters_are_a_list_with_ages() {
        let now: Timestamp = "2030-01-01T00:00:10Z".parse().unwrap();
        let read: Timestamp = "2030-01-01T00:00:08.750Z".parse().unwrap();
        let instrument = InstrumentStatus {
            id: "psu".into(),
            driver: "rigol_dp832".into(),
            driver_name: "Rigol DP832 power supply".into(),
            address: "sim:".into(),
            link: None,
            state: LinkState::Connected,
            identity: None,
            round_trip_ms: Some(1.5),
            error: None,
            retry_at: None,
            parameters: [parameter("ch1.voltage", Some(read)), parameter("ch2.voltage", None)]
                .into_iter()
                .collect(),
        };
        let shape = shape(&instrument, now).unwrap();
        assert_eq!((&shape["id"], &shape["type"]), (&"psu".into(), &"rigol_dp832".into()));
        assert_eq!(shape["state"], "connected");
        let first = &shape["parameters"][0];
        for (key, expected) in [
            ("name", Shape::from("ch1.voltage")),
            ("setpoint", 3.3.into()),
            ("readback", 3.299.into()),
            ("range", vec![0.0, 3.6].into()),
            ("quality", "good".into()),
            ("age_ms", 1250.into()),
        ] {
            assert_eq!(first[key], expected, "{key}");
        }
        let second = &shape["parameters"][1];
        assert_eq!((&second["name"], &second["age_ms"]), (&"ch2.voltage".into(), &Shape::Null));
    }
}
