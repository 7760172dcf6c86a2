//! Picture sources and their newest picture.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use serde_json::Value as Shape;
use setpoint_runtime::SourceInfo;
use setpoint_video::SourceState;

use super::Reply;
use crate::{picture, problem::Problem, server::Api};

/// Counts the source's pictures.
const SEQUENCE: HeaderName = HeaderName::from_static("x-setpoint-sequence");
/// How old the picture was when it was sent, in milliseconds.
const AGE: HeaderName = HeaderName::from_static("x-setpoint-age-ms");

pub(super) async fn list(State(api): State<Api>) -> Reply {
    let (status, now) = (api.runtime.status(), Timestamp::now());
    let shapes: Result<Vec<_>, _> =
        status.sources.values().map(|source| shape(source, now)).collect();
    Ok(Json(shapes?).into_response())
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    match api.runtime.status().sources.get(&id) {
        Some(source) => Ok(Json(shape(source, Timestamp::now())?).into_response()),
        None => Err(Problem::not_found("source", &id)),
    }
}

pub(super) async fn frame(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    let status = api.runtime.status();
    let source = status.sources.get(&id).ok_or_else(|| Problem::not_found("source", &id))?;
    let frame = api.runtime.frame(&id).ok_or_else(|| {
        Problem::unavailable("no_picture", "There is no picture", why_none(&id, source))
    })?;
    let (sequence, at) = (frame.sequence, frame.at);
    let encoded = tokio::task::spawn_blocking(move || picture::png(&frame)).await;
    let png = match encoded {
        Ok(Ok(png)) => png,
        Ok(Err(error)) => return Err(super::internal(&error)),
        Err(error) => return Err(super::internal(&error)),
    };
    let mut response = (StatusCode::OK, png).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(SEQUENCE, sequence.into());
    headers.insert(AGE, super::age_ms(Some(at), Timestamp::now()).unwrap_or(0).into());
    Ok(response)
}

/// Why a source has no picture, in a sentence.
fn why_none(id: &str, source: &SourceInfo) -> String {
    let measured = &source.measured;
    match (&measured.error, measured.state) {
        (Some(error), _) => format!("source “{id}” has no picture: {error}"),
        (None, SourceState::Disabled) => {
            format!("source “{id}” is not enabled; set sources.{id}.enabled to true")
        }
        (None, SourceState::Starting) => {
            format!("source “{id}” is starting and has no picture yet; ask again soon")
        }
        (None, _) => {
            format!("source “{id}” keeps no picture; set sources.{id}.preview to true")
        }
    }
}

fn shape(source: &SourceInfo, now: Timestamp) -> Result<Shape, Problem> {
    let mut shape = super::to_json(source)?;
    shape["age_ms"] = super::age_ms(source.measured.at, now).into();
    Ok(shape)
}
