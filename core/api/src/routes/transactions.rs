//! Staged transactions: begun, filled, checked and committed in calls of their own.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use serde_json::Value as Shape;
use setpoint_runtime::{Answer, Command, Keep, Origin};

use super::{Reply, answered, carry_out, to_json};
use crate::{
    edits::{self, Staged},
    input,
    problem::Problem,
    server::Api,
};

pub(super) async fn list(State(api): State<Api>) -> Reply {
    Ok(Json(&api.runtime.status().transactions).into_response())
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    Ok(Json(shown(&api, &id)?).into_response())
}

pub(super) async fn begin(State(api): State<Api>, headers: HeaderMap, body: Body) -> Reply {
    let author = input::author(&headers)?;
    let mut body = input::optional_object(body).await?;
    let message = edits::message(&mut body)?;
    body.finish("message")?;
    let answer = api.runtime.call(Origin::Api, Command::Begin { message, author }).await?;
    let mut response = (StatusCode::CREATED, Json(&answer)).into_response();
    if let Answer::Transaction(transaction) = &answer
        && let Ok(place) = HeaderValue::from_str(&format!("/v1/transactions/{}", transaction.id))
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

pub(super) async fn discard(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    carry_out(&api, Command::Discard { transaction: Some(id) }).await
}

pub(super) async fn stage(State(api): State<Api>, Path(id): Path<String>, body: Body) -> Reply {
    let staged = Staged::read(input::object(body).await?)?;
    let transaction = Some(id);
    let command = match staged {
        Staged::Edits(edits) => Command::Stage { transaction, edits },
        Staged::Unstage(paths) => Command::Unstage { transaction, paths },
    };
    carry_out(&api, command).await
}

pub(super) async fn resolve(State(api): State<Api>, Path(id): Path<String>, body: Body) -> Reply {
    let mut body = input::object(body).await?;
    let path = edits::path(&body.needed_text("path")?, "path")?;
    let keep = match body.needed_text("keep")?.as_str() {
        "mine" => Keep::Mine,
        "theirs" => Keep::Theirs,
        other => {
            let detail = format!("keep is “{other}”: it takes “mine” or “theirs”");
            return Err(Problem::malformed(detail));
        }
    };
    body.finish("path and keep")?;
    carry_out(&api, Command::Resolve { transaction: Some(id), path, keep }).await
}

pub(super) async fn validate(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    carry_out(&api, Command::Validate { transaction: Some(id) }).await
}

pub(super) async fn take_up(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    carry_out(&api, Command::TakeUp { transaction: id }).await
}

pub(super) async fn commit(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let author = input::author(&headers)?;
    let mut body = input::optional_object(body).await?;
    let message = edits::message(&mut body)?;
    body.finish("message")?;
    let command = Command::Commit { transaction: Some(id.clone()), message, author };
    let error = match api.runtime.call(Origin::Api, command).await {
        Ok(answer) => return Ok(answered(&answer)),
        Err(error) => error,
    };
    let problem = Problem::from(error);
    if !matches!(problem.status(), StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
        return Err(problem);
    }
    // What `validate` answers, in the same document: the caller need not ask again.
    let command = Command::Validate { transaction: Some(id) };
    match api.runtime.call(Origin::Api, command).await.map(|found| to_json(&found)) {
        Ok(Ok(Shape::Object(found))) => Err(problem.with_members(found)),
        _ => Err(problem),
    }
}

fn shown(api: &Api, id: &str) -> Result<std::sync::Arc<setpoint_runtime::Transaction>, Problem> {
    let status = api.runtime.status();
    let found = status.transactions.iter().find(|transaction| transaction.id == id);
    found.cloned().ok_or_else(|| Problem::not_found("transaction", id))
}
