//! Refusals as RFC 9457 problem documents.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use setpoint_bench::Diagnostic;
use setpoint_runtime::CommandError;

/// The content type of every refusal.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Seconds after which a busy bench may be asked again.
const RETRY_AFTER_S: u32 = 1;

/// Why a request was not carried out. Nothing was changed by it, unless the detail says so.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    diagnostics: Vec<Diagnostic>,
    /// Boxed: most have none, and all are handed on.
    members: Box<Map<String, Json>>,
    retry_after_s: Option<u32>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[Diagnostic]>::is_empty")]
    diagnostics: &'a [Diagnostic],
    #[serde(flatten)]
    members: Map<String, Json>,
}

impl Problem {
    /// A problem of its own kind; `kind` is a stable word that programs may compare.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let (diagnostics, members, retry_after_s) = (Vec::new(), Box::default(), None);
        Self { status, kind, title, detail: detail.into(), diagnostics, members, retry_after_s }
    }

    /// The same with further members in its document, in place of its own findings if they bring
    /// some.
    #[must_use]
    pub fn with_members(mut self, members: Map<String, Json>) -> Self {
        if members.contains_key("diagnostics") {
            self.diagnostics.clear();
        }
        self.members = Box::new(members);
        self
    }

    /// 400: the request itself is wrong.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request is malformed", detail)
    }

    /// 404
    pub fn not_found(what: &str, name: &str) -> Self {
        let detail = format!("there is no {what} “{name}”");
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing", detail)
    }

    /// 503: it can be had later, perhaps.
    pub fn unavailable(kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, title, detail)
    }

    /// 413
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("a request body may have {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large", detail)
    }

    /// What a bare status means, with the words that came with it.
    pub fn from_status(status: StatusCode, detail: &str) -> Self {
        let (kind, title) = match status {
            StatusCode::NOT_FOUND => ("not_found", "There is no such thing"),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "This cannot be done here"),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The request is too large"),
            status if status.is_client_error() => ("malformed", "The request is malformed"),
            _ => ("internal", "Something went wrong inside Setpoint"),
        };
        let detail = match detail.trim() {
            "" => status.canonical_reason().unwrap_or("refused").to_lowercase(),
            words => words.to_owned(),
        };
        Self::new(status, kind, title, detail)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What happened, in a sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let (status, kind, title) = match &error {
            CommandError::Invalid { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The bench would not check")
            }
            CommandError::Failed { .. } => {
                (StatusCode::CONFLICT, "failed", "A step failed and the change was undone")
            }
            CommandError::Conflict { .. } => {
                (StatusCode::CONFLICT, "conflict", "Another change is in the way")
            }
            CommandError::Locked { .. } => {
                (StatusCode::LOCKED, "suspended", "Reloads of the file are suspended")
            }
            CommandError::ReadOnly { .. } => {
                (StatusCode::LOCKED, "read_only", "The file is read-only")
            }
            CommandError::Stale { .. } => {
                (StatusCode::PRECONDITION_FAILED, "stale", "The bench has changed meanwhile")
            }
            CommandError::NotFound { .. } => {
                (StatusCode::NOT_FOUND, "not_found", "There is no such thing")
            }
            CommandError::Storage { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "storage", "The disk cannot be used")
            }
            CommandError::Device { .. } => {
                (StatusCode::BAD_GATEWAY, "device", "The device did not do what was asked")
            }
            CommandError::Busy { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy", "The bench is busy")
            }
            CommandError::Stopping => {
                (StatusCode::SERVICE_UNAVAILABLE, "stopping", "Setpoint is stopping")
            }
        };
        let retry_after_s = matches!(error, CommandError::Busy { .. }).then_some(RETRY_AFTER_S);
        let diagnostics = error.diagnostics().to_vec();
        let (detail, members) = (error.to_string(), Box::default());
        Self { status, kind, title, detail, diagnostics, members, retry_after_s }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: format!("urn:setpoint:problem:{}", self.kind),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            diagnostics: &self.diagnostics,
            members: *self.members,
        };
        // Strings and numbers always serialise; the title stands in if that ever changes.
        let body = serde_json::to_vec(&document).unwrap_or_else(|_| self.title.into());
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))];
        let mut response = (self.status, kind, body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Turns refusals that the web framework makes by itself into problem documents. Their other
/// headers stay: `Allow` of a wrong method is one.
pub(crate) async fn everywhere(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !is_error || kind.is_some_and(|kind| kind == CONTENT_TYPE) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let words = to_bytes(body, 4096).await.unwrap_or_default();
    let problem = Problem::from_status(status, &String::from_utf8_lossy(&words));
    let (new, body) = problem.into_response().into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(new.headers);
    Response::from_parts(parts, Body::new(body))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn json(response: Response) -> serde_json::Value {
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn message() -> String {
        "because".to_owned()
    }

    #[test]
    fn each_failure_of_the_runtime_has_its_status() {
        let none = || Arc::new(Vec::new());
        let invalid = CommandError::Invalid { message: message(), diagnostics: none() };
        let conflict = CommandError::Conflict { message: message(), diagnostics: none() };
        let stale = CommandError::Stale { expected: "r1".into(), running: "r2".into() };
        let missing = CommandError::NotFound { what: "revision", name: "r9".into() };
        for (error, status) in [
            (invalid, 422),
            (CommandError::Failed { message: message() }, 409),
            (conflict, 409),
            (stale, 412),
            (missing, 404),
            (CommandError::Storage { message: message() }, 503),
            (CommandError::Device { message: message() }, 502),
            (CommandError::Busy { waiting: 64 }, 503),
            (CommandError::Locked { message: message() }, 423),
            (CommandError::ReadOnly { message: message() }, 423),
            (CommandError::Stopping, 503),
        ] {
            let (words, busy) = (error.to_string(), matches!(error, CommandError::Busy { .. }));
            let problem = Problem::from(error);
            assert_eq!(problem.status().as_u16(), status, "{words}");
            assert_eq!(problem.detail(), words);
            let response = problem.into_response();
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), busy, "{words}");
        }
    }

    #[tokio::test]
    async fn findings_are_in_the_document() {
        let finding = Diagnostic {
            severity: setpoint_bench::Severity::Error,
            code: "out_of_range".into(),
            path: "instruments.psu.set.ch1.voltage".into(),
            message: "too much".into(),
            file: "bench.toml".into(),
            span: setpoint_bench::Span { line: 3, column: 5, end_line: 3, end_column: 8 },
            suggestion: None,
        };
        let diagnostics = Arc::new(vec![finding]);
        let error = CommandError::Invalid { message: "too much".into(), diagnostics };
        let response = Problem::from(error).into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        let document = json(response).await;
        assert_eq!(document["type"], "urn:setpoint:problem:invalid");
        assert_eq!((&document["status"], &document["detail"]), (&422.into(), &"too much".into()));
        assert_eq!(document["diagnostics"][0]["line"], 3);
    }

    #[tokio::test]
    async fn refusals_of_the_framework_become_documents() {
        let plain = (StatusCode::BAD_REQUEST, [(header::ALLOW, "GET")], "no such query");
        let response = everywhere(plain.into_response()).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        assert_eq!(response.headers()[header::ALLOW], "GET");
        assert_eq!(json(response).await["detail"], "no such query");
        let good = everywhere("fine".into_response()).await;
        assert_eq!(to_bytes(good.into_body(), 10).await.unwrap(), "fine");
    }
}
