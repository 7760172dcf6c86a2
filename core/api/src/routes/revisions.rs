//! What ran before.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};
use serde_json::{Value as Shape, json};
use setpoint_bench::{Document, Value};
use setpoint_runtime::{Command, Origin};

use super::{Reply, answered, bench, tag};
use crate::{
    edits,
    input::{self, Fields, type_name},
    problem::Problem,
    server::Api,
};

pub(super) async fn list(State(api): State<Api>) -> Reply {
    Ok(Json(&*api.runtime.status().revisions).into_response())
}

pub(super) async fn text(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    let text = api.runtime.revision_text(&id).await?;
    let mut response = bench::toml(text.to_string());
    tag(&mut response, &id);
    Ok(response)
}

/// What was known when a revision was accepted.
pub(super) async fn facts(State(api): State<Api>, Path(id): Path<String>) -> Reply {
    match api.runtime.revision_facts(&id).await? {
        Some(facts) => Ok(Json(facts).into_response()),
        None => Err(Problem::not_found("record of what was read back at revision", &id)),
    }
}

/// A picture from the moment when a revision was accepted.
pub(super) async fn picture(
    State(api): State<Api>,
    Path((id, name)): Path<(String, String)>,
) -> Reply {
    let source = name.strip_suffix(".png").ok_or_else(|| Problem::not_found("picture", &name))?;
    match api.runtime.revision_picture(&id, source).await? {
        Some(png) => {
            Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/png"))], png)
                .into_response())
        }
        None => {
            let what = format!("picture at revision {id} of source");
            Err(Problem::not_found(&what, source))
        }
    }
}

pub(super) async fn diff(
    State(api): State<Api>,
    Path((one, other)): Path<(String, String)>,
) -> Reply {
    let old = api.runtime.revision_text(&one).await?;
    let new = api.runtime.revision_text(&other).await?;
    let compared = tokio::task::spawn_blocking(move || {
        Ok::<_, Problem>(setpoint_bench::diff(&values(&one, &old)?, &values(&other, &new)?))
    });
    match compared.await {
        Ok(changes) => Ok(Json(json!({ "changes": changes? })).into_response()),
        Err(error) => Err(super::internal(&error)),
    }
}

pub(super) async fn rollback(
    State(api): State<Api>,
    Path(revision): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let author = input::author(&headers)?;
    let only = only(input::optional_object(body).await?)?;
    let command = Command::Rollback { revision, only, author };
    Ok(answered(&api.runtime.call(Origin::Api, command).await?))
}

/// The keys that a rollback is limited to; none: everything.
fn only(mut body: Fields) -> Result<Vec<setpoint_bench::KeyPath>, Problem> {
    let list = body.list("only")?;
    body.finish("only")?;
    if list.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::malformed("only is empty: leave it out to go back as a whole"));
    }
    let list = list.unwrap_or_default();
    list.into_iter()
        .enumerate()
        .map(|(index, json)| match json {
            Shape::String(text) => edits::path(&text, &format!("only[{index}]")),
            other => {
                let found = type_name(&other);
                Err(Problem::malformed(format!("only[{index}] is {found}, not a text")))
            }
        })
        .collect()
}

/// The values of a text that ran once.
fn values(revision: &str, text: &str) -> Result<Value, Problem> {
    Document::parse(text).map(Document::into_values).map_err(|error| {
        let detail = format!("the kept text of {revision} is damaged: {error}");
        Problem::unavailable("storage", "The disk cannot be used", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback_takes_keys() {
        let read = |body: &str| input::parse(body.as_bytes()).and_then(only);
        assert_eq!(read("{}").unwrap(), []);
        assert_eq!(
            read(r#"{"only":["instruments.psu"]}"#).unwrap()[0].to_string(),
            "instruments.psu"
        );
        for (body, expected) in [
            (r#"{"only":[1]}"#, "only[0] is a number"),
            (r#"{"only":["a","b..c"]}"#, "only[1]: “b..c”"),
            (r#"{"only":"a"}"#, "only is a text"),
            (r#"{"only":[]}"#, "only is empty"),
            (r#"{"onyl":[]}"#, "onyl is not a key"),
        ] {
            let problem = read(body).unwrap_err();
            assert!(problem.detail().starts_with(expected), "{}", problem.detail());
        }
    }
}
