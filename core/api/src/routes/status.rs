//! The bench at a glance.

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Value as Shape, json};
use setpoint_instruments::LinkState;
use setpoint_runtime::Status;
use setpoint_video::SourceState;

use super::Reply;
use crate::server::Api;

pub(super) async fn status(State(api): State<Api>) -> Reply {
    Ok(Json(overview(&api.runtime.status())).into_response())
}

fn overview(status: &Status) -> Shape {
    let unfinished = status.unfinished.as_ref().map(|change| &change.message);
    json!({
        "bench": status.bench,
        "revision": status.revision,
        "reload": status.reload,
        "attention": status.attention.as_ref().or(unfinished),
        "unfinished": status.unfinished,
        "history_problem": status.history_problem,
        "drivers_problem": status.drivers_problem,
        "transactions": status.transactions,
        "counts": counts(status),
        "cpu_percent": status.cpu_percent,
    })
}

fn counts(status: &Status) -> Shape {
    let links = |state: LinkState| {
        status.instruments.values().filter(|instrument| instrument.state == state).count()
    };
    let pictures = |state: SourceState| {
        status.sources.values().filter(|source| source.measured.state == state).count()
    };
    json!({
        "instruments": status.instruments.len(),
        "connected": links(LinkState::Connected),
        "connecting": links(LinkState::Connecting),
        "offline": links(LinkState::Offline),
        "disabled": links(LinkState::Disabled) + pictures(SourceState::Disabled),
        "sources": status.sources.len(),
        "live": pictures(SourceState::Live),
        "staged": status.transactions.iter().map(|one| one.edits.len()).sum::<usize>(),
        "revisions": status.revisions.len(),
    })
}
