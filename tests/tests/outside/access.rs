//! Who may ask, and what becomes of questions that make no sense.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use setpoint_tests::{Answer, Api, Bench, Server};

const EDIT: &str = r#"{"edits":[{"path":"instruments.psu.set.ch1.voltage","value":4.0}]}"#;
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.content_type.starts_with("application/problem+json"), "{answer:?}");
    let document = answer.json();
    assert_eq!(document["status"], status, "{document:#}");
    for member in ["type", "title", "detail"] {
        assert!(document[member].is_string(), "{member} in {document:#}");
    }
}

#[test]
fn only_the_token_opens() {
    let bench = Bench::demo();
    let server = Server::start(&bench);
    for token in ["", "wrong", &server.api.token[1..], &format!("{}x", server.api.token)] {
        let stranger = Api::new(&server.api.url, token);
        for (method, path) in [
            ("GET", "/v1/status"),
            ("GET", "/v1/bench"),
            ("GET", "/v1/sources/pattern/frame.png"),
            ("GET", "/v1/no-such-thing"),
        ] {
            let answer = stranger.send(method, path, &[], None);
            assert_eq!(answer.status, 401, "{method} {path} with {token:?}");
        }
        let answer = stranger.send("PATCH", "/v1/bench", &[JSON], Some(EDIT.as_bytes()));
        problem(&answer, 401);
        assert_eq!(stranger.send("GET", "/healthz", &[], None).status, 200);
    }
    assert_eq!(server.api.get("/v1/status")["bench"]["name"], "Demo bench");

    let run_file = bench.folder().join(".setpoint/run.json");
    let mode = std::fs::metadata(run_file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "the token is for its owner only");
    assert!(server.api.url.starts_with("http://127.0.0.1:"), "{}", server.api.url);
}

#[test]
fn questions_that_make_no_sense() {
    let (bench, server) = Server::demo();
    let api = &server.api;
    let before = bench.text();
    for path in [
        "/v1/instruments/nobody",
        "/v1/sources/nobody",
        "/v1/sources/nobody/frame.png",
        "/v1/nothing",
    ] {
        problem(&api.send("GET", path, &[], None), 404);
    }
    for body in ["", "{", "[]", "{\"edits\":7}", "{\"edits\":[{\"value\":1}]}"] {
        problem(&api.send("PATCH", "/v1/bench", &[JSON], Some(body.as_bytes())), 400);
    }
    let unknown = api.change(&[("instruments.psu.set.ch1.volts", json!(1.0))], "");
    problem(&unknown, 422);
    assert_eq!(unknown.json()["diagnostics"][0]["code"], "unknown_parameter", "{}", unknown.text());
    problem(&api.change(&[("instruments.psu.set.ch1.voltage", json!("much"))], ""), 422);
    assert_eq!(bench.text(), before);
}

#[test]
fn a_body_that_is_too_large() {
    let bench = Bench::demo();
    let server = Server::start(&bench);
    let body = vec![b' '; 16 * 1024 * 1024 + 1];
    problem(&server.api.send("PATCH", "/v1/bench", &[JSON], Some(&body)), 413);
    assert_eq!(server.api.get("/v1/status")["bench"]["name"], "Demo bench", "it lives on");
}

#[test]
fn a_stale_idea_of_the_bench() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    let running = server.api.get("/v1/status")["revision"]["id"].clone();
    let running = running.as_str().expect("a revision runs");
    let with = |revision: &str| {
        let headers = [JSON, ("If-Match", revision)];
        server.api.send("PATCH", "/v1/bench", &headers, Some(EDIT.as_bytes()))
    };
    problem(&with("r999"), 412);
    assert_eq!(bench.text(), before);
    assert!(with(running).status < 300);
    problem(&with(running), 412);
}
