//! The bench file that runs: read, change, replace.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};
use setpoint_bench::layers::bundle;
use setpoint_runtime::Command;

use super::{Reply, carry_out, tag};
use crate::{edits::Patch, input, problem::Problem, server::Api};

pub(super) const TOML: &str = "application/toml";
pub(super) const JSON: &str = "application/json";

pub(super) async fn read(State(api): State<Api>, headers: HeaderMap) -> Reply {
    let status = api.runtime.status();
    let Some(revision) = &status.revision else {
        let why = status.reload.problem.clone();
        let why = why.unwrap_or_else(|| "the file has had no good text yet".to_owned());
        return Err(Problem::unavailable("no_bench", "No bench runs", why));
    };
    let mut response = if input::prefers(&headers, JSON, TOML) {
        Json(&status.values).into_response()
    } else {
        // The bench file's own text, without the other files that may stand behind it.
        toml(bundle::unpack(&status.text).0.to_owned())
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    tag(&mut response, &revision.id);
    Ok(response)
}

pub(super) async fn replace(State(api): State<Api>, headers: HeaderMap, body: Body) -> Reply {
    let author = input::author(&headers)?;
    let if_match = expected(&api, &headers)?;
    let text = input::text(body).await?;
    let command = Command::Replace { text, author, if_match };
    carry_out(&api, command).await
}

pub(super) async fn change(State(api): State<Api>, headers: HeaderMap, body: Body) -> Reply {
    let author = input::author(&headers)?;
    let if_match = expected(&api, &headers)?;
    let Patch { edits, message } = Patch::read(input::object(body).await?)?;
    let command = Command::Change { edits, message, author, if_match };
    carry_out(&api, command).await
}

/// The revision that the caller wants to change; the runtime compares it when its turn has come.
fn expected(api: &Api, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let status = api.runtime.status();
    input::if_match(headers, status.revision.as_ref().map(|revision| revision.id.as_str()))
}

/// A text as TOML.
pub(super) fn toml(text: String) -> axum::response::Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(TOML))], text).into_response()
}
