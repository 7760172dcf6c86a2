//! HTTP with the token of a running instance.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Request;

use crate::{Bench, until};

/// The way to one instance.
#[derive(Debug, Clone)]
pub struct Api {
    agent: ureq::Agent,
    /// `http://127.0.0.1:40123`
    pub url: String,
    /// What it wants to see; empty sends none.
    pub token: String,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty without one.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in answer {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, where all went well.
    ///
    /// # Panics
    /// If it did not; the message holds the answer.
    pub fn good(self) -> Value {
        assert!(self.status < 300, "answer {}: {}", self.status, self.text());
        self.json()
    }
}

impl Api {
    /// With address and token as the instance announced them.
    pub fn new(url: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Self { agent: config.new_agent(), url: url.to_owned(), token: token.to_owned() }
    }

    /// Of the instance that `run.json` names, as soon as it answers.
    pub fn of(bench: &Bench) -> Self {
        until("an instance that answers", || {
            let run = bench.run_file()?;
            let api = Self::new(run["url"].as_str()?, run["token"].as_str()?);
            let answer = api.agent.get(format!("{}/healthz", api.url)).call().ok()?;
            answer.status().is_success().then_some(api)
        })
    }

    /// One request. `body` is sent as it is.
    ///
    /// # Panics
    /// If nothing answers.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let content_type = answer.headers().get("content-type");
        Answer {
            status: answer.status().as_u16(),
            content_type: content_type
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .unwrap_or_default(),
            body: answer.body_mut().read_to_vec().expect("a whole body"),
        }
    }

    /// GET, where all must go well.
    pub fn get(&self, path: &str) -> Value {
        self.send("GET", path, &[("Accept", "application/json")], None).good()
    }

    /// A request with a JSON body.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")];
        self.send(method, path, &headers, Some(body.to_string().as_bytes()))
    }

    /// Changes keys of the bench in one go.
    pub fn change(&self, edits: &[(&str, Value)], message: &str) -> Answer {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, value)| serde_json::json!({ "path": path, "value": value }))
            .collect();
        let body = serde_json::json!({ "edits": edits, "message": message });
        self.json("PATCH", "/v1/bench", &body)
    }

    /// `reload` of the status.
    pub fn reload(&self) -> Value {
        self.get("/v1/status")["reload"].clone()
    }

    /// Waits until `reload.state` is this, and returns all of `reload`.
    pub fn until_reload(&self, state: &str) -> Value {
        until(&format!("reload.state {state}"), || {
            let reload = self.reload();
            (reload["state"] == state).then_some(reload)
        })
    }

    /// The kept revisions.
    pub fn revisions(&self) -> Vec<Value> {
        self.get("/v1/revisions").as_array().expect("revisions are a list").clone()
    }

    /// One instrument.
    pub fn instrument(&self, id: &str) -> Value {
        self.get(&format!("/v1/instruments/{id}"))
    }

    /// Waits until an instrument is in this state, and returns it.
    pub fn until_instrument(&self, id: &str, state: &str) -> Value {
        until(&format!("{id} {state}"), || {
            let answer = self.send("GET", &format!("/v1/instruments/{id}"), &[], None);
            // It may not be there yet.
            let instrument = (answer.status == 200).then(|| answer.json())?;
            (instrument["state"] == state).then_some(instrument)
        })
    }

    /// Waits until a source shows pictures at its rate, and returns it.
    pub fn until_live(&self, id: &str) -> Value {
        until(&format!("{id} live"), || {
            let answer = self.send("GET", &format!("/v1/sources/{id}"), &[], None);
            let source = (answer.status == 200).then(|| answer.json())?;
            (source["state"] == "live").then_some(source)
        })
    }

    /// Waits until a parameter reads back as this number.
    pub fn until_readback(&self, id: &str, parameter: &str, value: f64) {
        until(&format!("{id} {parameter} reading {value}"), || {
            let read = self::parameter(&self.instrument(id), parameter)["readback"].as_f64()?;
            ((read - value).abs() < 1e-6).then_some(())
        });
    }
}

/// One parameter of an instrument.
///
/// # Panics
/// If it has no such parameter.
pub fn parameter(instrument: &Value, name: &str) -> Value {
    let all = instrument["parameters"].as_array().expect("parameters are a list");
    let found = all.iter().find(|parameter| parameter["name"] == name);
    found.unwrap_or_else(|| panic!("no parameter {name} in {instrument:#}")).clone()
}
