//! Bodies and headers, read with limits and checked.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use futures_core::Stream;
use serde_json::{Map, Value as Json};

use crate::problem::Problem;

/// Most bytes of a request body.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// A larger body is read to its end up to this, so that whoever sends it hears why it is refused.
const DRAIN_LIMIT: usize = 4 * BODY_LIMIT;
/// A body that is not there by then is not waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Most characters of an author's name.
const AUTHOR_LIMIT: usize = 100;

/// Says who asks, where the token does not.
pub const AUTHOR: HeaderName = HeaderName::from_static("x-setpoint-author");

/// A whole request body.
///
/// # Errors
/// 413 if it is over [`BODY_LIMIT`], 408 if it takes too long, 400 if it breaks off.
pub async fn bytes(body: Body) -> Result<Vec<u8>, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, collect(body)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "The request took too long",
            format!("its body was not there after {} s", BODY_TIMEOUT.as_secs()),
        )),
    }
}

async fn collect(body: Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut read, mut size) = (Vec::new(), 0_usize);
    while let Some(chunk) = poll_fn(|context| Pin::new(&mut chunks).poll_next(context)).await {
        let chunk =
            chunk.map_err(|error| Problem::malformed(format!("the body broke off: {error}")))?;
        size = size.saturating_add(chunk.len());
        if size <= BODY_LIMIT {
            read.extend_from_slice(&chunk);
        } else if size > DRAIN_LIMIT {
            break;
        } else {
            read = Vec::new();
        }
    }
    if size > BODY_LIMIT { Err(Problem::too_large(BODY_LIMIT)) } else { Ok(read) }
}

/// A body that is text.
///
/// # Errors
/// As [`bytes`], and 400 with the place if it is not UTF-8.
pub async fn text(body: Body) -> Result<String, Problem> {
    String::from_utf8(bytes(body).await?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Problem::malformed(format!("the body is not UTF-8 text: see byte {place}"))
    })
}

/// A body that is one JSON object.
///
/// # Errors
/// As [`bytes`], and 400 with line and column if it is not JSON.
pub async fn object(body: Body) -> Result<Fields, Problem> {
    parse(&bytes(body).await?)
}

/// Like [`object`]; an empty body is an empty object.
///
/// # Errors
/// As [`object`].
pub async fn optional_object(body: Body) -> Result<Fields, Problem> {
    let bytes = bytes(body).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Fields { map: Map::new(), place: String::new() });
    }
    parse(&bytes)
}

/// An object out of the text of a body.
///
/// # Errors
/// 400
pub fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
    let json = serde_json::from_slice(bytes)
        .map_err(|error| Problem::malformed(format!("the body is not JSON: {error}")))?;
    Fields::new(json, String::new())
}

/// The keys of a JSON object, taken one by one; what is left is not understood.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Json>,
    place: String,
}

impl Fields {
    /// The keys of `json`; `place` says where in the body it stands (`edits[2]`), empty for the
    /// body itself.
    ///
    /// # Errors
    /// 400 if it is not an object.
    pub fn new(json: Json, place: String) -> Result<Self, Problem> {
        match json {
            Json::Object(map) => Ok(Self { map, place }),
            other => {
                let place = if place.is_empty() { "the body" } else { &place };
                Err(Problem::malformed(format!("{place} is {}, not an object", type_name(&other))))
            }
        }
    }

    /// Where a key stands: `edits[2].path`.
    pub fn place(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// Takes a key, whatever it holds.
    pub fn any(&mut self, key: &str) -> Option<Json> {
        self.map.shift_remove(key)
    }

    /// Takes a text; `null` is as good as nothing.
    ///
    /// # Errors
    /// 400 if it is something else.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, Problem> {
        match self.any(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", &other)),
        }
    }

    /// Takes a text that has to be there.
    ///
    /// # Errors
    /// 400 if it is missing or something else.
    pub fn needed_text(&mut self, key: &str) -> Result<String, Problem> {
        let missing = || Problem::malformed(format!("{} is missing", self.place(key)));
        let missing = missing();
        self.text(key)?.ok_or(missing)
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    /// 400 if it is something else.
    pub fn flag(&mut self, key: &str) -> Result<Option<bool>, Problem> {
        match self.any(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.wrong(key, "true or false", &other)),
        }
    }

    /// Takes a list.
    ///
    /// # Errors
    /// 400 if it is something else.
    pub fn list(&mut self, key: &str) -> Result<Option<Vec<Json>>, Problem> {
        match self.any(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.wrong(key, "a list", &other)),
        }
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// 400 with the first key left; `known` names those that exist.
    pub fn finish(self, known: &str) -> Result<(), Problem> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(Problem::malformed(format!(
                "{} is not a key of this request; it takes {known}",
                self.place(key)
            ))),
        }
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Json) -> Problem {
        let (place, found) = (self.place(key), type_name(found));
        Problem::malformed(format!("{place} is {found}, not {wanted}"))
    }
}

/// What a person calls a JSON type.
pub fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Who asks: the header [`AUTHOR`], else `api`.
///
/// # Errors
/// 400 if it is not a name that can stand in a history: empty, over 100 characters, not UTF-8 or
/// with control characters.
pub fn author(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get(AUTHOR) else { return Ok("api".to_owned()) };
    let name = std::str::from_utf8(value.as_bytes()).unwrap_or("").trim();
    let proper = !name.is_empty()
        && name.chars().count() <= AUTHOR_LIMIT
        && !name.chars().any(char::is_control);
    if proper {
        Ok(name.to_owned())
    } else {
        Err(Problem::malformed(format!(
            "the header {AUTHOR} is not a name of 1 to {AUTHOR_LIMIT} characters"
        )))
    }
}

/// The revision that must be running: the header `If-Match` with `r41` or `"r41"`. Of several the
/// one that runs is taken. `None`: any will do.
///
/// # Errors
/// 400 if the header cannot be read.
pub fn if_match(headers: &HeaderMap, running: Option<&str>) -> Result<Option<String>, Problem> {
    let malformed = || Problem::malformed("the header If-Match is not a revision such as \"r41\"");
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let mut first = None;
    for tag in value.to_str().map_err(|_| malformed())?.split(',') {
        let tag = tag.trim();
        if tag == "*" {
            return Ok(None);
        }
        let bare = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag);
        if bare.is_empty() || !bare.chars().all(|one| one.is_ascii_graphic() && one != '"') {
            return Err(malformed());
        }
        if running == Some(bare) {
            return Ok(Some(bare.to_owned()));
        }
        first = first.or(Some(bare.to_owned()));
    }
    Ok(first)
}

/// Whether a caller would rather have `wanted` than `default`, by its `Accept` header.
pub fn prefers(headers: &HeaderMap, wanted: &str, default: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    let ranges: Vec<_> = accepted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(weighed)
        .collect();
    quality(&ranges, wanted) > quality(&ranges, default)
}

/// A media range and its weight: `application/json;q=0.5`.
fn weighed(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or("");
    let weight =
        parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
    (kind, weight.unwrap_or(0.0))
}

/// The weight of the most specific range that covers a type.
fn quality(ranges: &[(&str, f32)], kind: &str) -> f32 {
    let family = kind.split_once('/').map_or(kind, |(family, _)| family);
    [kind, &format!("{family}/*"), "*/*"]
        .iter()
        .find_map(|covers| ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(covers)))
        .map_or(0.0, |(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn bodies_over_the_limit_are_refused() {
        assert_eq!(bytes(Body::from(vec![0; BODY_LIMIT])).await.unwrap().len(), BODY_LIMIT);
        let problem = bytes(Body::from(vec![0; BODY_LIMIT + 1])).await.unwrap_err();
        assert_eq!(problem.status(), 413);
    }

    #[tokio::test]
    async fn text_that_is_not_utf_8_says_where() {
        let problem = text(Body::from(vec![b'a', b'b', 0xff])).await.unwrap_err();
        assert_eq!(problem.status(), 400);
        assert!(problem.detail().contains("byte 2"), "{}", problem.detail());
    }

    #[test]
    fn malformed_json_says_where() {
        let problem = parse(b"{\n\"edits\": [}").unwrap_err();
        assert_eq!(problem.status(), 400);
        assert!(problem.detail().contains("line 2 column 11"), "{}", problem.detail());
        let problem = parse(b"[]").unwrap_err();
        assert_eq!(problem.detail(), "the body is a list, not an object");
    }

    #[test]
    fn left_over_keys_are_refused() {
        let mut fields = parse(br#"{"command":"*IDN?","comand":1}"#).unwrap();
        assert_eq!(fields.needed_text("command").unwrap(), "*IDN?");
        let problem = fields.finish("command").unwrap_err();
        assert!(problem.detail().starts_with("comand is not a key"), "{}", problem.detail());
    }

    #[test]
    fn wrong_types_are_named() {
        let mut fields = parse(br#"{"a":1,"b":"x","c":{}}"#).unwrap();
        assert_eq!(fields.needed_text("a").unwrap_err().detail(), "a is a number, not a text");
        assert_eq!(fields.flag("b").unwrap_err().detail(), "b is a text, not true or false");
        assert_eq!(fields.list("c").unwrap_err().detail(), "c is an object, not a list");
        assert_eq!(fields.needed_text("d").unwrap_err().detail(), "d is missing");
    }

    #[test]
    fn authors_are_names() {
        assert_eq!(author(&HeaderMap::new()).unwrap(), "api");
        assert_eq!(author(&headers("x-setpoint-author", " Ada ")).unwrap(), "Ada");
        let mut umlaut = HeaderMap::new();
        umlaut.insert(AUTHOR, axum::http::HeaderValue::from_bytes("Jörg".as_bytes()).unwrap());
        assert_eq!(author(&umlaut).unwrap(), "Jörg");
        for wrong in ["", "  ", "a\tb", &"x".repeat(101)] {
            assert_eq!(author(&headers("x-setpoint-author", wrong)).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn if_match_takes_plain_and_quoted_revisions() {
        let found =
            |value| if_match(&headers("if-match", value), Some("r41")).map_err(|p| p.status());
        assert_eq!(if_match(&HeaderMap::new(), Some("r41")).unwrap(), None);
        assert_eq!(found("*"), Ok(None));
        for value in ["r41", "\"r41\"", "\"r40\", \"r41\"", "r39 , r41"] {
            assert_eq!(found(value), Ok(Some("r41".to_owned())), "{value}");
        }
        assert_eq!(found("\"r40\", \"r39\""), Ok(Some("r40".to_owned())));
        for value in ["", "\"\"", "\"r41", "r 41", ","] {
            assert_eq!(found(value), Err(StatusCode::BAD_REQUEST), "{value}");
        }
        // A weak tag never matches where a strong one is asked for.
        assert_eq!(found("W/r41"), Ok(Some("W/r41".to_owned())));
    }

    #[test]
    fn toml_is_the_default_and_json_is_asked_for() {
        let json =
            |accept| prefers(&headers("accept", accept), "application/json", "application/toml");
        for accept in [
            "application/json",
            "text/html, application/json;q=0.5",
            "application/toml;q=0.1, application/*",
        ] {
            assert!(json(accept), "{accept}");
        }
        for accept in ["*/*", "application/*", "application/toml, application/json", "text/plain"] {
            assert!(!json(accept), "{accept}");
        }
        assert!(!prefers(&HeaderMap::new(), "application/json", "application/toml"));
    }
}
