//! One file for each group of calls, and the table of all of them.

mod bench;
mod events;
mod instruments;
mod reload;
mod revisions;
mod sources;
mod status;
mod transactions;
mod trend;

use axum::{
    Json, Router,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use setpoint_runtime::{Answer, Command, Origin};

use crate::{guard, problem::Problem, server::Api};

/// What every handler returns.
type Reply = Result<Response, Problem>;

/// All calls.
pub(crate) fn all(api: Api) -> Router {
    let router = Router::new()
        .route(guard::OPEN, get(async || Json(json!({ "ok": true }))))
        .route("/v1/status", get(status::status))
        .route("/v1/transactions", get(transactions::list).post(transactions::begin))
        .route("/v1/transactions/{id}", get(transactions::one).delete(transactions::discard))
        .route("/v1/transactions/{id}/edits", post(transactions::stage))
        .route("/v1/transactions/{id}/resolve", post(transactions::resolve))
        .route("/v1/transactions/{id}/validate", post(transactions::validate))
        .route("/v1/transactions/{id}/commit", post(transactions::commit))
        .route("/v1/transactions/{id}/take-up", post(transactions::take_up))
        .route("/v1/instruments", get(instruments::list))
        .route("/v1/instruments/{id}", get(instruments::one))
        .route("/v1/instruments/{id}/query", post(instruments::query))
        .route("/v1/instruments/{id}/trend", get(trend::trend))
        .route("/v1/sources", get(sources::list))
        .route("/v1/sources/{id}", get(sources::one))
        .route("/v1/sources/{id}/frame.png", get(sources::frame))
        .route("/v1/bench", get(bench::read).put(bench::replace).patch(bench::change))
        .route("/v1/revisions", get(revisions::list).post(revisions::snapshot))
        .route("/v1/revisions/{id}", get(revisions::one).patch(revisions::label))
        .route("/v1/revisions/{id}/diff/{other}", get(revisions::diff))
        .route("/v1/revisions/{id}/facts", get(revisions::facts))
        .route("/v1/revisions/{id}/pictures/{name}", get(revisions::picture))
        .route("/v1/revisions/{id}/rollback", post(revisions::rollback))
        .route("/v1/reload", post(reload::reload))
        .route("/v1/reload/pause", post(reload::pause))
        .route("/v1/reload/resume", post(reload::resume))
        .route("/v1/sync", post(reload::sync))
        .route("/v1/unfinished/finish", post(reload::finish))
        .route("/v1/unfinished/go-back", post(reload::go_back))
        .route("/v1/events", get(events::events));
    with_fallbacks(router).with_state(api)
}

/// Problem documents for unknown paths and wrong methods.
pub(crate) fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let unknown = async |uri: Uri| Problem::not_found("path", uri.path());
    let wrong = async |method: Method, uri: Uri| {
        let detail =
            format!("{} does not take {method}; the header Allow has what it does", uri.path());
        Problem::from_status(StatusCode::METHOD_NOT_ALLOWED, &detail)
    };
    router.fallback(unknown).method_not_allowed_fallback(wrong)
}

/// Has a command carried out and answers with what it came to.
async fn carry_out(api: &Api, command: Command) -> Reply {
    Ok(answered(&api.runtime.call(Origin::Api, command).await?))
}

/// What a command came to, as JSON; a change with the tag of the revision that runs now.
fn answered(answer: &Answer) -> Response {
    let mut response = Json(answer).into_response();
    if let Answer::Changed(applied) = answer {
        tag(&mut response, &applied.revision.id);
    }
    response
}

/// Says which revision an answer is of.
fn tag(response: &mut Response, revision: &str) {
    // Revision ids are `r` and digits; whatever else they were would go without a tag.
    if let Ok(value) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// Milliseconds since `at`; never negative, whatever the clock was set to meanwhile.
fn age_ms(at: Option<Timestamp>, now: Timestamp) -> Option<u64> {
    at.map(|at| u64::try_from(now.as_millisecond() - at.as_millisecond()).unwrap_or(0))
}

/// Plain data as JSON.
fn to_json(data: &impl Serialize) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(data).map_err(|error| internal(&error))
}

/// 500: a defect of Setpoint. The caller hears what the log says.
fn internal(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a call failed");
    Problem::from_status(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}
