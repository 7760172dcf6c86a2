//! File and bench: read it now, stop and start following it, write it; and what becomes of a
//! change that was not finished.

use axum::{extract::State, http::HeaderMap};
use setpoint_runtime::Command;

use super::{Reply, carry_out};
use crate::{input, server::Api};

pub(super) async fn reload(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::Reload { author: input::author(&headers)? }).await
}

pub(super) async fn pause(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::Pause { author: input::author(&headers)? }).await
}

pub(super) async fn resume(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::Resume { author: input::author(&headers)? }).await
}

pub(super) async fn sync(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::Sync { author: input::author(&headers)? }).await
}

pub(super) async fn finish(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::Finish { author: input::author(&headers)? }).await
}

pub(super) async fn go_back(State(api): State<Api>, headers: HeaderMap) -> Reply {
    carry_out(&api, Command::GoBack { author: input::author(&headers)? }).await
}
