//! Who may ask.
//!
//! Two checks come before every call: the `Host` must name this computer, so that a web page that
//! points its own name at the loopback address gets nothing (DNS rebinding); and the bearer token
//! of `run.json` must be there.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

/// The path that needs no token.
pub const OPEN: &str = "/healthz";

/// What is compared.
#[derive(Debug)]
pub struct Guard {
    token: String,
    address: SocketAddr,
}

impl Guard {
    /// Lets in who has `token` and asks for the host that `address` belongs to.
    pub fn new(token: String, address: SocketAddr) -> Self {
        Self { token, address }
    }

    /// Whether a request may go on.
    ///
    /// # Errors
    /// A 403 or 401 problem.
    pub fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        // A request line with a whole address in it counts more than the header.
        let host = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        };
        if !host.is_some_and(|host| is_own(host, self.address)) {
            let asked = host.unwrap_or("none");
            let detail = format!(
                "this is not the host “{asked}”: use the address that run.json gives, {}",
                self.address
            );
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "foreign_host",
                "This host is not served here",
                detail,
            ));
        }
        if uri.path() == OPEN || self.has_token(headers) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The token is missing or wrong",
            "send “Authorization: Bearer TOKEN” with the token that run.json holds, in the folder \
             .setpoint beside the bench file",
        ))
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return false };
        let value = value.as_bytes();
        match value.split_at_checked("Bearer ".len()) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
                same(token.trim_ascii(), self.token.as_bytes())
            }
            _ => false,
        }
    }
}

/// The check as a layer.
pub(crate) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.admit(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Whether two texts are the same, in a time that tells nothing of where they differ. An empty
/// token is never right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    if expected.is_empty() || given.len() != expected.len() {
        return false;
    }
    let differing = given.iter().zip(expected).fold(0, |sum, (one, other)| sum | (one ^ other));
    std::hint::black_box(differing) == 0
}

/// Whether a `Host` names the computer this listens on. A server that listens on all addresses
/// takes any address, but no name: rebinding needs a name.
fn is_own(host: &str, address: SocketAddr) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inside, after)) if after.is_empty() || after.starts_with(':') => inside,
            _ => return false,
        },
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    match name.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip == address.ip() || address.ip().is_unspecified(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn admitted(path: &str, headers: &[(&'static str, &str)]) -> Result<(), u16> {
        let guard = Guard::new("s3cret".into(), address("127.0.0.1:4000"));
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let uri = path.parse().unwrap();
        guard.admit(&uri, &headers).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn token_is_asked_for() {
        const HOST: (&str, &str) = ("host", "127.0.0.1:4000");
        let with = |value| admitted("/v1/status", &[HOST, ("authorization", value)]);
        assert_eq!(with("Bearer s3cret"), Ok(()));
        assert_eq!(with("bearer s3cret"), Ok(()));
        for wrong in [
            "Bearer s3creT",
            "Bearer s3cre",
            "Bearer s3cret0",
            "Bearer",
            "s3cret",
            "",
            "Basic s3cret",
        ] {
            assert_eq!(with(wrong), Err(401), "{wrong}");
        }
        assert_eq!(admitted("/v1/status", &[HOST]), Err(401));
        assert_eq!(admitted("/healthz", &[HOST]), Ok(()));
        assert_eq!(admitted("/healthz/", &[HOST]), Err(401));
    }

    #[test]
    fn empty_token_lets_nobody_in() {
        let guard = Guard::new(String::new(), address("127.0.0.1:4000"));
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost".parse().unwrap());
        headers.insert("authorization", "Bearer ".parse().unwrap());
        assert!(guard.admit(&"/v1/status".parse().unwrap(), &headers).is_err());
    }

    #[test]
    fn foreign_hosts_are_refused() {
        let token = ("authorization", "Bearer s3cret");
        for host in
            ["evil.example", "evil.example:4000", "127.0.0.1.evil.example", "192.0.2.7", "[::1", ""]
        {
            assert_eq!(admitted("/v1/status", &[("host", host), token]), Err(403), "{host}");
        }
        assert_eq!(admitted("/v1/status", &[token]), Err(403));
        assert_eq!(admitted("/healthz", &[("host", "evil.example")]), Err(403));
        let whole = "http://evil.example/v1/status";
        assert_eq!(admitted(whole, &[("host", "localhost"), token]), Err(403));
    }

    #[test]
    fn own_names_are_taken() {
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.2:9", "[::1]", "[::1]:4000"]
        {
            assert!(is_own(host, address("127.0.0.1:4000")), "{host}");
        }
        assert!(is_own("192.0.2.7:80", address("192.0.2.7:80")));
        assert!(is_own("192.0.2.7", address("0.0.0.0:80")));
        assert!(!is_own("lab.example", address("0.0.0.0:80")));
    }
}
