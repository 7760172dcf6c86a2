//! File and bench: read it now, stop and start following it, write it.

use axum::extract::State;
use setpoint_runtime::{Command, Origin};

use super::{Reply, answered};
use crate::server::Api;

pub(super) async fn reload(State(api): State<Api>) -> Reply {
    carry_out(&api, Command::Reload).await
}

pub(super) async fn pause(State(api): State<Api>) -> Reply {
    carry_out(&api, Command::Pause).await
}

pub(super) async fn resume(State(api): State<Api>) -> Reply {
    carry_out(&api, Command::Resume).await
}

pub(super) async fn sync(State(api): State<Api>) -> Reply {
    carry_out(&api, Command::Sync).await
}

async fn carry_out(api: &Api, command: Command) -> Reply {
    Ok(answered(&api.runtime.call(Origin::Api, command).await?))
}
