//! The server over a real runtime: a bench in a temporary folder, asked through its socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the finding")]

use std::{
    fs,
    io::{BufRead, BufReader, Cursor},
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use setpoint_api::ServerHandle;
use setpoint_runtime::{Options, Runtime};
use ureq::{Body, http::Response};

#[path = "served/transactions.rs"]
mod transactions;

const BENCH: &str = r#"# A bench to ask.
format = 1

[instruments.psu]
type = "rigol_dp832"
address = "sim:"

[instruments.psu.set]
ch1.voltage = 3.3  # volts

[sources.ball]
type = "test_pattern"
pattern = "red"
resolution = "64x48"
framerate = 25

[sources.dark]
type = "test_pattern"
enabled = false
"#;

/// Reached only if what is waited for never comes.
const DEADLINE: Duration = Duration::from_secs(30);

struct Served {
    folder: tempfile::TempDir,
    runtime: Runtime,
    server: ServerHandle,
    client: Client,
}

#[derive(Clone)]
struct Client {
    agent: ureq::Agent,
    url: String,
}

struct Told {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|header| header.0 == name).map_or("", |header| &header.1)
    }

    /// The document of a refusal.
    fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()
    }
}

impl Client {
    fn get(&self, path: &str) -> Told {
        self.get_as(path, "*/*")
    }

    fn get_as(&self, path: &str, accept: &str) -> Told {
        told(self.open(path, accept))
    }

    fn open(&self, path: &str, accept: &str) -> Response<Body> {
        let call = self.agent.get(format!("{}{path}", self.url)).header("accept", accept);
        call.header("authorization", "Bearer s3cret").call().unwrap()
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let mut call = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", "Bearer s3cret");
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        told(self.agent.run(call.body(body.to_owned()).unwrap()).unwrap())
    }

    fn patch(&self, edits: Value) -> Told {
        let body = json!({ "edits": edits, "message": "a try" }).to_string();
        self.send("PATCH", "/v1/bench", &[("x-setpoint-author", "Ada")], &body)
    }

    /// Asks until an answer is as wanted.
    fn until(&self, path: &str, wanted: impl Fn(&Told) -> bool) -> Told {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let told = self.get(path);
            if wanted(&told) {
                return told;
            }
            let last = String::from_utf8_lossy(&told.body);
            assert!(Instant::now() < deadline, "{path} stayed at {} {last}", told.status);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn told(mut response: Response<Body>) -> Told {
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Told { status, headers: headers.collect(), body: response.body_mut().read_to_vec().unwrap() }
}

async fn serve() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let bench = folder.path().join("bench.toml");
    fs::write(&bench, BENCH).unwrap();
    let runtime = Runtime::start(Options::new(bench)).await.unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = setpoint_api::serve(runtime.clone(), any, "s3cret".to_owned()).await.unwrap();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(DEADLINE))
        .build()
        .into();
    let client = Client { agent, url: format!("http://{}", server.address) };
    Served { folder, runtime, server, client }
}

/// Runs the asking part of a test where it may block, then stops everything.
fn with_server(asking: impl FnOnce(Client, PathBuf) + Send + 'static) {
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    executor.block_on(async {
        let Served { folder, runtime, server, client } = serve().await;
        let bench = folder.path().join("bench.toml");
        let asked = tokio::task::spawn_blocking(move || asking(client, bench)).await;
        server.shutdown().await;
        runtime.stop().await;
        asked.unwrap();
    });
}

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

#[test]
fn status_has_the_agreed_shape() {
    with_server(|client, bench| {
        let status = client.get("/v1/status").json();
        assert_eq!(status["bench"]["path"], bench.to_str().unwrap());
        assert_eq!(status["reload"]["state"], "in_step");
        assert_eq!(status["transactions"], json!([]));
        assert!(status["revision"]["id"].as_str().unwrap().starts_with('r'));
        let counts = &status["counts"];
        assert_eq!((&counts["instruments"], &counts["sources"]), (&json!(1), &json!(2)));
        client.get("/v1/transactions/none").problem(404);
        client.get("/v1/events?sinc=3").problem(400);
        let wrong = client.send("DELETE", "/v1/status", &[], "");
        wrong.problem(405);
        assert!(wrong.header("allow").contains("GET"), "{}", wrong.header("allow"));
        let unknown = client.get("/v1/nowhere").problem(404);
        assert!(unknown["detail"].as_str().unwrap().contains("/v1/nowhere"), "{unknown}");
    });
}

#[test]
fn bench_is_text_or_values() {
    with_server(|client, _| {
        let text = client.get("/v1/bench");
        assert_eq!(text.text(), BENCH);
        assert_eq!(text.header("content-type"), "application/toml");
        let values = client.get_as("/v1/bench", "application/json");
        assert_eq!(values.json()["instruments"]["psu"]["set"]["ch1"]["voltage"], 3.3);
        let status = client.get("/v1/status").json();
        let tag = format!("\"{}\"", status["revision"]["id"].as_str().unwrap());
        assert_eq!((text.header("etag"), values.header("etag")), (tag.as_str(), tag.as_str()));
    });
}

#[test]
fn change_is_a_revision_that_can_be_undone() {
    with_server(|client, bench| {
        client.until("/v1/instruments/psu", |told| told.json()["state"] == "connected");
        let before = client.get("/v1/bench").header("etag").to_owned();
        let changed = client.patch(json!([{ "path": VOLTAGE, "value": 3.45 }]));
        assert_eq!(changed.status, 200, "{}", changed.text());
        let applied = changed.json();
        let id = applied["revision"]["id"].as_str().unwrap();
        assert_eq!(changed.header("etag"), format!("\"{id}\""));
        assert_eq!(applied["revision"]["author"], "Ada");
        assert_eq!(applied["revision"]["message"], "a try");
        assert_eq!(applied["changes"][0]["path"], VOLTAGE);
        assert!(applied["plan"].as_array().is_some_and(|plan| !plan.is_empty()), "{applied}");

        // The comment keeps its column: the longer number takes one of the spaces before it.
        let expected = BENCH.replace("ch1.voltage = 3.3  #", "ch1.voltage = 3.45 #");
        assert_eq!(fs::read_to_string(&bench).unwrap(), expected);
        let old = before.trim_matches('"');
        assert_eq!(client.get(&format!("/v1/revisions/{old}")).text(), BENCH);
        assert_eq!(client.get("/v1/revisions").json()[0]["id"], id);
        let diff = client.get(&format!("/v1/revisions/{old}/diff/{id}")).json();
        let expected = json!([{ "kind": "changed", "path": VOLTAGE, "old": 3.3, "new": 3.45, "effect": "live" }]);
        assert_eq!(diff["changes"], expected);

        let stale = json!({ "edits": [{ "path": VOLTAGE, "value": 1.0 }] }).to_string();
        client.send("PATCH", "/v1/bench", &[("if-match", &before)], &stale).problem(412);
        client.send("POST", "/v1/revisions/r999/rollback", &[], "").problem(404);
        // One key goes back as an edit of the text that runs, which keeps its digits; the whole
        // revision goes back as the text that it is.
        let path = format!("/v1/revisions/{old}/rollback");
        let other = client.patch(json!([{ "path": "sources.ball.pattern", "value": "blue" }]));
        assert_eq!(other.status, 200, "{}", other.text());
        let back = client.send("POST", &path, &[], &json!({ "only": [VOLTAGE] }).to_string());
        assert_eq!(back.status, 200, "{}", back.text());
        let values = client.get_as("/v1/bench", "application/json").json();
        assert_eq!(values["instruments"]["psu"]["set"]["ch1"]["voltage"], 3.3);
        assert_eq!(values["sources"]["ball"]["pattern"], "blue", "it was not asked to go back");
        let back = client.send("POST", &path, &[], "");
        assert_eq!(back.status, 200, "{}", back.text());
        assert_eq!(fs::read_to_string(&bench).unwrap(), BENCH);
    });
}

#[test]
fn refused_change_leaves_everything_as_it_was() {
    with_server(|client, bench| {
        let before = client.get("/v1/bench").header("etag").to_owned();
        let problem = client.patch(json!([{ "path": VOLTAGE, "value": 900 }])).problem(422);
        assert_eq!(problem["diagnostics"][0]["path"], VOLTAGE);
        assert_eq!(problem["diagnostics"][0]["code"], "out_of_range");
        let text = BENCH.replace("resolution", "resoluton");
        client.send("PUT", "/v1/bench", &[], &text).problem(422);
        client.send("PATCH", "/v1/bench", &[], "{\"edits\":").problem(400);
        client.send("PUT", "/v1/bench", &[("x-setpoint-author", " ")], BENCH).problem(400);
        assert_eq!(client.get("/v1/bench").header("etag"), before);
        assert_eq!(fs::read_to_string(&bench).unwrap(), BENCH);
    });
}

#[test]
fn whole_text_replaces_the_bench() {
    with_server(|client, bench| {
        let text = BENCH.replace("\"red\"", "\"blue\"");
        let tag = client.get("/v1/bench").header("etag").to_owned();
        let told = client.send("PUT", "/v1/bench", &[("if-match", &tag)], &text);
        assert_eq!(told.status, 200, "{}", told.text());
        assert_eq!(told.json()["changes"][0]["path"], "sources.ball.pattern");
        assert_eq!(fs::read_to_string(&bench).unwrap(), text);
    });
}

#[test]
fn parameters_have_ages_and_devices_answer() {
    with_server(|client, _| {
        let read = |told: &Told| {
            let instrument = told.json();
            let parameters = instrument["parameters"].as_array().unwrap();
            let voltage = parameters.iter().find(|one| one["name"] == "ch1.voltage").unwrap();
            voltage["age_ms"].as_u64().is_some()
        };
        let instrument = client.until("/v1/instruments/psu", read).json();
        assert_eq!(
            (&instrument["id"], &instrument["type"]),
            (&json!("psu"), &json!("rigol_dp832"))
        );
        assert_eq!(client.get("/v1/instruments").json()[0]["id"], "psu");
        client.get("/v1/instruments/psv").problem(404);

        let query = |id: &str, body: &str| {
            client.send("POST", &format!("/v1/instruments/{id}/query"), &[], body)
        };
        let reply = query("psu", r#"{"command":"*IDN?"}"#);
        assert!(reply.json()["reply"].as_str().unwrap().starts_with("RIGOL"), "{}", reply.text());
        query("psv", r#"{"command":"*IDN?"}"#).problem(404);
        query("psu", r#"{"command":"*IDN?\n*RST"}"#).problem(400);
        query("psu", "{}").problem(400);
    });
}

#[test]
fn pictures_come_as_png() {
    with_server(|client, _| {
        let png = client.until("/v1/sources/ball/frame.png", |told| told.status == 200);
        assert_eq!(png.header("content-type"), "image/png");
        assert!(png.header("x-setpoint-age-ms").parse::<u64>().is_ok());
        let mut reader = png::Decoder::new(Cursor::new(png.body)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (64, 48));
        assert!(pixels.chunks_exact(4).all(|pixel| pixel[0] > 200 && pixel[2] < 50), "it is red");
        let dark = client.get("/v1/sources/dark/frame.png").problem(503);
        assert!(dark["detail"].as_str().unwrap().contains("sources.dark.enabled"), "{dark}");
        client.get("/v1/sources/none/frame.png").problem(404);

        let live = |told: &Told| told.json()["state"] == "live";
        let ball = client.until("/v1/sources/ball", live).json();
        assert_eq!((&ball["width"], &ball["height"]), (&json!(64), &json!(48)));
        assert_eq!(client.get("/v1/sources").json()[1]["state"], "disabled");
    });
}

#[test]
fn following_the_file_stops_and_starts() {
    with_server(|client, _| {
        let state = || client.get("/v1/status").json()["reload"]["state"].clone();
        let post =
            |path: &str| assert_eq!(client.send("POST", path, &[], "").status, 200, "{path}");
        post("/v1/reload/pause");
        assert_eq!(state(), "paused");
        post("/v1/reload/resume");
        assert_eq!(state(), "in_step");
        post("/v1/reload");
        post("/v1/sync");
    });
}

#[test]
fn events_are_a_list_and_a_stream() {
    with_server(|client, _| {
        let stream = client.open("/v1/events", "text/event-stream");
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let newest = client.get("/v1/events").json().as_array().unwrap().len();
        let told = client.patch(json!([{ "path": "sources.ball.pattern", "value": "blue" }]));
        assert_eq!(told.status, 200, "{}", told.text());

        let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
        let mut data = || {
            let line =
                lines.find_map(|line| Some(line.unwrap().strip_prefix("data: ")?.to_owned()));
            serde_json::from_str::<Value>(&line.unwrap()).unwrap()
        };
        let event = data();
        assert!(event["seq"].as_u64().unwrap() > 0 && event["kind"].is_string(), "{event}");
        let since = event["seq"].as_u64().unwrap() - 1;
        let later = client.get(&format!("/v1/events?since={since}")).json();
        assert_eq!(later[0], event);
        assert!(client.get("/v1/events").json().as_array().unwrap().len() > newest);
        let kind = event["kind"].as_str().unwrap();
        let same = client.get(&format!("/v1/events?kind={kind}")).json();
        assert!(same.as_array().unwrap().iter().all(|one| one["kind"] == kind));

        let commit = client.get("/v1/events?kind=commit_applied&limit=1").json();
        let change = &commit[0]["payload"]["changes"][0];
        assert_eq!(
            (&change["path"], &change["new"]),
            (&json!("sources.ball.pattern"), &json!("blue"))
        );
        assert!(commit[0]["mono_us"].is_u64() && commit[0]["run"].is_string(), "{commit}");
        let all = client.get("/v1/events?since=0").json();
        let one = client.get("/v1/events?since=0&limit=1").json();
        assert_eq!(one.as_array().unwrap()[..], all.as_array().unwrap()[..1]);
        client.get("/v1/events?limit=100000").problem(400);
        client.get("/v1/events?from=yesterday").problem(400);

        // A stream that broke off goes on where it was, with what was missed.
        let open = client.agent.get(format!("{}/v1/events", client.url));
        let open = open.header("accept", "text/event-stream").header("last-event-id", "0");
        let stream = open.header("authorization", "Bearer s3cret").call().unwrap();
        let lines = BufReader::new(stream.into_body().into_reader()).lines();
        let ids: Vec<String> = lines
            .filter_map(|line| Some(line.unwrap().strip_prefix("id: ")?.to_owned()))
            .take(all.as_array().unwrap().len())
            .collect();
        let expected = all.as_array().unwrap().iter().map(|event| event["seq"].to_string());
        assert_eq!(ids, expected.collect::<Vec<_>>());
    });
}

#[test]
fn a_revision_has_readings_and_pictures() {
    with_server(|client, _| {
        client.until("/v1/sources/ball/frame.png", |told| told.status == 200);
        client.until("/v1/instruments/psu", |told| told.json()["state"] == "connected");
        let edit = json!([{ "path": "instruments.psu.set.ch1.voltage", "value": 2.5 }]);
        let told = client.patch(edit);
        assert_eq!(told.status, 200, "{}", told.text());
        let id = told.json()["revision"]["id"].as_str().unwrap().to_owned();
        // Its pictures are made aside.
        let path = format!("/v1/revisions/{id}/facts");
        let facts = client.until(&path, |told| told.status == 200).json();
        assert_eq!((&facts["revision"], &facts["effect"]), (&json!(id), &json!("live")));
        let readings = facts["readings"].as_array().unwrap();
        let of = |reading: &&Value| reading["parameter"] == "ch1.voltage";
        let voltage = readings.iter().find(of).unwrap();
        assert_eq!(voltage["setpoint"], 2.5, "{voltage}");
        assert_eq!((&voltage["instrument"], &voltage["quality"]), (&json!("psu"), &json!("good")));
        assert_eq!(facts["pictures"][0]["source"], "ball", "{facts}");
        let png = client.get(&format!("/v1/revisions/{id}/pictures/ball.png"));
        assert_eq!((png.status, png.header("content-type")), (200, "image/png"));
        let info = png::Decoder::new(Cursor::new(png.body)).read_info().unwrap();
        assert_eq!((info.info().width, info.info().height), (64, 48));
        client.get(&format!("/v1/revisions/{id}/pictures/other.png")).problem(404);
        client.get("/v1/revisions/r99/facts").problem(404);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_open_streams() {
    let Served { folder: _folder, runtime, server, client } = serve().await;
    let opened =
        tokio::task::spawn_blocking(move || client.open("/v1/events", "text/event-stream"));
    let stream = opened.await.unwrap();
    let reading = tokio::task::spawn_blocking(move || stream.into_body().read_to_string());
    server.shutdown().await;
    // A stream that is not ended runs into the client's deadline, which is an error.
    reading.await.unwrap().unwrap();
    runtime.stop().await;
}
