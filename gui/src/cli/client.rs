//! Talking to the panel or server that runs a bench.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use setpoint_bench::Diagnostic;
use setpoint_store::{BenchFolder, run::RunFile};

use crate::{
    author,
    cli::{out::Failure, sources::Sources, status},
};

/// How long an instance may take to say that it is there.
const HEALTH_DEADLINE: Duration = Duration::from_secs(2);
/// How long it may take to answer; a commit waits for devices.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// A running instance, known to answer.
pub struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Client {
    /// The instance that runs this bench, if there is one.
    ///
    /// # Errors
    /// [`Failure`] if `run.json` is there and cannot be read, or another bench of the same folder
    /// runs.
    pub fn find(bench: &Path) -> Result<Option<Self>, Failure> {
        let folder = BenchFolder::of(bench);
        for run in RunFile::read_all(&folder) {
            let run = run.map_err(|error| Failure::unusable(error.to_string()))?;
            if let Some(client) = Self::of(&run, &folder)? {
                return Ok(Some(client));
            }
        }
        Ok(None)
    }

    /// The instance that a `run.json` tells of, if it answers and runs this bench.
    fn of(run: &RunFile, folder: &BenchFolder) -> Result<Option<Self>, Failure> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // An instance is on this machine or at the address it gave; no proxy is in between.
            .proxy(None)
            .timeout_global(Some(ANSWER_DEADLINE))
            .build();
        let client = Self { agent: config.into(), url: run.url.clone(), token: run.token.clone() };
        let health = client
            .agent
            .get(format!("{}/healthz", client.url))
            .config()
            .timeout_global(Some(HEALTH_DEADLINE))
            .build()
            .call();
        if !health.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(None);
        }
        match Runs::of(run, folder) {
            Runs::This => Ok(Some(client)),
            // The whole folder was copied, run.json with it.
            Runs::Original => Ok(None),
            Runs::Renamed => Err(Failure::unusable(format!(
                "{} is run by process {} as {}: its folder was renamed since. Give it that name \
                 back, or stop that process and open the bench here",
                folder.bench().display(),
                run.pid,
                run.bench.display(),
            ))),
            Runs::Another => Err(Failure::unusable(format!(
                "{} belongs to {}, which runs; keep each bench in a folder of its own",
                folder.path().display(),
                run.bench.file_name().unwrap_or(run.bench.as_os_str()).display(),
            ))),
        }
    }

    /// The instance that runs this bench.
    ///
    /// # Errors
    /// [`Failure`] with what to do if there is none.
    pub fn require(bench: &Path) -> Result<Self, Failure> {
        // First: a bench runs on without its file.
        let found = match Self::find(bench) {
            Ok(Some(client)) => return Ok(client),
            found => found,
        };
        if let Err(error) = std::fs::metadata(bench) {
            return Err(Failure::unusable(format!("{} cannot be read: {error}", bench.display())));
        }
        found?.ok_or_else(|| {
            let shown = bench.display();
            Failure::unusable(format!(
                "no panel or server runs {shown}: open it with “setpoint {shown}” or serve it \
                 with “setpoint serve {shown}”"
            ))
        })
    }

    /// GET, answered as JSON.
    ///
    /// # Errors
    /// [`Failure`] if it does not answer, or answers with a problem.
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "application/json");
        self.answer(request.call())
    }

    /// GET of a stream of events, which goes on until the instance stops.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn stream(&self, path: &str) -> Result<impl std::io::BufRead + use<>, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "text/event-stream")
            .config()
            .timeout_global(None)
            .timeout_recv_response(Some(ANSWER_DEADLINE))
            .build();
        let answer = request.call();
        if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            let answer = answer.map_err(|error| Failure::unusable(error.to_string()))?;
            return Ok(std::io::BufReader::new(answer.into_body().into_reader()));
        }
        let (status, text) = self.read(answer)?;
        Err(problem(status, serde_json::from_str(&text).ok().as_ref(), &self.url))
    }

    /// GET, answered as text.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn text(&self, path: &str) -> Result<String, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token));
        let (status, text) = self.read(request.call())?;
        if status < 300 {
            return Ok(text);
        }
        Err(problem(status, serde_json::from_str(&text).ok().as_ref(), &self.url))
    }

    /// GET, answered as bytes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token));
        let answer = request.call();
        if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            let read = answer.and_then(|mut answer| answer.body_mut().read_to_vec());
            return read.map_err(|error| self.broke_off(&error));
        }
        let (status, text) = self.read(answer)?;
        Err(problem(status, serde_json::from_str(&text).ok().as_ref(), &self.url))
    }

    /// POST or PATCH of a JSON body, answered as JSON.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url);
        let request = match method {
            Method::Post => self.agent.post(url),
            Method::Patch => self.agent.patch(url),
        };
        let request = request
            .header("Authorization", format!("Bearer {}", self.token))
            .header("X-Setpoint-Author", author::name())
            .header("Accept", "application/json");
        self.answer(request.send_json(body))
    }

    /// The same for a change of the bench. Where it is refused and the file holds something that is
    /// not in effect, it is said how to get past that.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn change(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(method, path, body).map_err(|failure| {
            let reload = self.get("/v1/status").unwrap_or_default()["reload"].take();
            match status::way_out(&reload) {
                Some(way_out) => failure.adding(way_out),
                None => failure,
            }
        })
    }

    /// DELETE, answered as JSON.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn delete(&self, path: &str) -> Result<Value, Failure> {
        let request = self
            .agent
            .delete(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("X-Setpoint-Author", author::name())
            .header("Accept", "application/json");
        self.answer(request.call())
    }

    fn answer(&self, answer: Answer) -> Result<Value, Failure> {
        let (status, text) = self.read(answer)?;
        let body = serde_json::from_str::<Value>(&text);
        if status < 300 {
            return body.map_err(|error| {
                Failure::unusable(format!("the answer from {} is no JSON: {error}", self.url))
            });
        }
        Err(problem(status, body.ok().as_ref(), &self.url))
    }

    fn read(&self, answer: Answer) -> Result<(u16, String), Failure> {
        let mut answer = answer.map_err(|error| {
            Failure::unusable(format!("the instance at {} does not answer: {error}", self.url))
        })?;
        let text = answer.body_mut().read_to_string().map_err(|error| self.broke_off(&error))?;
        Ok((answer.status().as_u16(), text))
    }

    fn broke_off(&self, error: &ureq::Error) -> Failure {
        Failure::unusable(format!("the answer from {} broke off: {error}", self.url))
    }
}

/// How the bench that `run.json` tells of stands to the one beside it.
enum Runs {
    This,
    /// It is this one, under the name that its folder had.
    Renamed,
    /// It is elsewhere, and this one a copy of it.
    Original,
    /// It is another file in the same folder.
    Another,
}

impl Runs {
    fn of(run: &RunFile, folder: &BenchFolder) -> Self {
        let (running, asked) = (resolved(&run.bench), resolved(folder.bench()));
        if running == asked {
            return Self::This;
        }
        if running.parent() == asked.parent() || run.bench.file_name() != folder.bench().file_name()
        {
            return Self::Another;
        }
        match RunFile::read(&BenchFolder::of(&run.bench)) {
            Ok(Some(there)) if there == *run => Self::Original,
            _ => Self::Renamed,
        }
    }
}

/// A path without links. Of a file that is gone, at least its folder is resolved.
fn resolved(path: &Path) -> PathBuf {
    let of_folder = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(of_folder).unwrap_or_else(|| path.to_owned())
}

/// A text as it can stand in an address, between slashes or behind an equals sign.
pub fn segment(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// `?author=ada&limit=5`, of those that are given; nothing if none is.
pub fn query<'k>(parameters: impl IntoIterator<Item = (&'k str, Option<String>)>) -> String {
    let given = parameters.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let pairs: Vec<String> =
        given.map(|(key, value)| format!("{key}={}", segment(&value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// How a body is sent.
#[derive(Debug, Clone, Copy)]
pub enum Method {
    /// Do something.
    Post,
    /// Change the bench.
    Patch,
}

/// A problem document as a failure: what is wrong with the bench ends with 1, what was asked
/// wrongly with 2, everything else with 3.
fn problem(status: u16, body: Option<&Value>, url: &str) -> Failure {
    let word = |key: &str| body.and_then(|body| body.get(key)).and_then(Value::as_str);
    let mut message = match word("detail").or(word("title")) {
        Some(detail) => detail.to_owned(),
        None => format!("the instance at {url} answered with status {status}"),
    };
    let blockers = body.and_then(|body| body.get("blocked_by")).and_then(Value::as_array);
    for blocker in blockers.into_iter().flatten() {
        if let Some(words) = blocker.get("message").and_then(Value::as_str)
            && words != message
        {
            message.push_str("\n  ");
            message.push_str(words);
        }
    }
    let findings = body
        .and_then(|body| body.get("diagnostics"))
        .and_then(|list| serde_json::from_value::<Vec<Diagnostic>>(list.clone()).ok())
        .unwrap_or_default();
    let failure = match status {
        409 | 422 => Failure::wrong(message),
        400 | 404 | 412 => Failure::usage(message),
        401 | 403 => Failure::unusable(format!(
            "{message}\nThe token in .setpoint/run.json is not the one the instance at {url} \
             expects; restart the panel or server of this bench"
        )),
        _ => Failure::unusable(message),
    };
    // The text they are about is the one that would have come out, which nobody has.
    failure.with_findings(&findings, &mut Sources::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_can_stand_in_an_address() {
        assert_eq!(segment("r41"), "r41");
        assert_eq!(segment("für α/β?&=+ .."), "f%C3%BCr%20%CE%B1%2F%CE%B2%3F%26%3D%2B%20..");
    }
}
