//! What ran before.

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Shape, json};
use setpoint_runtime::{Answer, Command, Origin, RevisionQuery};

use super::{Reply, answered, bench, carry_out, tag};
use crate::{
    edits,
    input::{self, Fields, type_name},
    problem::Problem,
    server::Api,
};

/// Which revisions are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Words in message, label, changed keys and values.
    text: Option<String>,
    /// Who.
    author: Option<String>,
    /// An instrument of which something changed.
    instrument: Option<String>,
    /// Through which door.
    origin: Option<String>,
    /// Kept at this time or later.
    from: Option<Timestamp>,
    /// Kept before this time.
    to: Option<Timestamp>,
    /// Only those with a label.
    labelled: Option<bool>,
    /// At most so many.
    limit: Option<usize>,
}

impl From<Wanted> for RevisionQuery {
    fn from(wanted: Wanted) -> Self {
        let Wanted { text, author, instrument, origin, from, to, labelled, limit } = wanted;
        let (text, labelled) = (text.unwrap_or_default(), labelled.unwrap_or(false));
        Self { text, author, instrument, origin, from, to, labelled, limit }
    }
}

pub(super) async fn list(State(api): State<Api>, Query(wanted): Query<Wanted>) -> Reply {
    let query = RevisionQuery::from(wanted);
    if query == RevisionQuery::default() {
        return Ok(Json(&*api.runtime.status().revisions).into_response());
    }
    Ok(Json(api.runtime.search_revisions(query).await?).into_response())
}

pub(super) async fn snapshot(State(api): State<Api>, headers: HeaderMap, body: Body) -> Reply {
    let author = input::author(&headers)?;
    let mut body = input::optional_object(body).await?;
    let (label, message) = (body.text("label")?, edits::message(&mut body)?);
    body.finish("label and message")?;
    let command = Command::Snapshot { label, message, author };
    let answer = api.runtime.call(Origin::Api, command).await?;
    let mut response = answered(&answer);
    if let Answer::Kept { revision } = &answer {
        tag(&mut response, &revision.id);
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(place) = HeaderValue::from_str(&format!("/v1/revisions/{}", revision.id)) {
            response.headers_mut().insert(header::LOCATION, place);
        }
    }
    Ok(response)
}

pub(super) async fn label(
    State(api): State<Api>,
    Path(revision): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let author = input::author(&headers)?;
    let label = named(input::object(body).await?)?;
    let command = Command::Label { revision, label, author };
    carry_out(&api, command).await
}

/// The label that a revision is to get; `null`: none.
fn named(mut body: Fields) -> Result<Option<String>, Problem> {
    let label = match body.any("label") {
        None => return Err(Problem::malformed("label is missing; null takes it away")),
        Some(Shape::Null) => None,
        Some(Shape::String(label)) => Some(label),
        Some(other) => {
            let found = type_name(&other);
            return Err(Problem::malformed(format!("label is {found}, not a text or null")));
        }
    };
    body.finish("label")?;
    Ok(label)
}

/// Its text, or as JSON all that is known of it.
pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Reply {
    // A label does not say which revision it is: `If-Match` takes an id.
    let id = api.runtime.revision(&id)?.id;
    let mut response = if input::prefers(&headers, bench::JSON, bench::TOML) {
        Json(api.runtime.kept_revision(&id).await?).into_response()
    } else {
        bench::toml(api.runtime.revision_text(&id).await?.to_string())
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
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
    let changes = api.runtime.revision_changes(&one, &other).await?;
    Ok(Json(json!({ "changes": changes })).into_response())
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
    carry_out(&api, command).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_text_or_null() {
        let read = |body: &str| input::parse(body.as_bytes()).and_then(named);
        assert_eq!(read(r#"{"label":"aligned"}"#).unwrap().as_deref(), Some("aligned"));
        assert_eq!(read(r#"{"label":null}"#).unwrap(), None);
        for (body, expected) in [
            ("{}", "label is missing"),
            (r#"{"label":1}"#, "label is a number"),
            (r#"{"label":"a","lable":"b"}"#, "lable is not a key"),
        ] {
            let problem = read(body).unwrap_err();
            assert!(problem.detail().starts_with(expected), "{}", problem.detail());
        }
    }

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
