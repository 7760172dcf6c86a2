//! A clock that is set while a bench runs: back, years forward, back again, and one that stands.

use std::{
    collections::HashSet,
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use setpoint_tests::{
    Bench, Process, Server,
    bench::{demo_text, with},
    program::{self, json_lines},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const KELVIN: &str = "instruments.thermo.set.loop1.setpoint";

/// The clock of the wall as a program sees it. How much time has passed is told as it is.
struct Clock {
    file: PathBuf,
    library: String,
}

impl Clock {
    /// One that is right.
    fn of(bench: &Bench) -> Self {
        let asked = Command::new("faketime").args(["-f", "+0d", "printenv", "LD_PRELOAD"]).output();
        let asked = asked.expect("this test needs faketime (Debian: apt-get install faketime)");
        let library = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
        assert!(!library.is_empty(), "{asked:?}");
        let clock = Self { file: bench.home().join("clock"), library };
        clock.set("+0d");
        clock
    }

    /// Sets it by so much, or makes it stand at a time.
    fn set(&self, to: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{to}\n")).expect("a file can be written");
        fs::rename(new, &self.file).expect("it can be renamed");
    }

    /// Serves a bench by this clock.
    fn serve(&self, bench: &Bench) -> Server {
        let mut command = program::command(bench);
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        let server = Server::start_as(bench, command);
        for instrument in ["psu", "thermo"] {
            server.api.until_instrument(instrument, "connected");
        }
        server
    }
}

/// The demo bench without its sources.
fn text() -> String {
    let text =
        with(&demo_text(), "quiet = \"50ms\"", "transaction_timeout = \"1h\"\nquiet = \"50ms\"");
    text.split("[sources.").next().expect("a beginning").to_owned()
}

/// What happened to a bench, as it was told when it happened.
struct Told {
    bench: Bench,
    /// The voltage of each revision, from the first on.
    volts: Vec<f64>,
    events: Vec<u64>,
    readbacks: HashSet<String>,
}

impl Told {
    /// What was saved or made now runs, as the newest revision.
    fn accepted(&mut self, server: &Server, volts: f64, origin: &str) {
        self.volts.push(volts);
        let id = format!("r{}", self.volts.len());
        until(&format!("{id} by {origin}"), || {
            let newest = server.api.revisions().into_iter().next()?;
            (newest["id"] == id.as_str() && newest["origin"] == origin).then_some(())
        });
        server.wire("psu").until(":SOUR1:VOLT?", volts);
        assert!(self.bench.text().contains(&format!("ch1.voltage = {volts:.1}")), "{id}");
    }

    /// A save, and a change over HTTP.
    fn goes_on(&mut self, server: &Server, saved: f64, made: f64) {
        let now = self.volts.last().expect("one runs");
        let (now, then) = (format!("ch1.voltage = {now:.1}"), format!("ch1.voltage = {saved:.1}"));
        self.bench.save_by_rename(with(&self.bench.text(), &now, &then));
        self.accepted(server, saved, "file");
        server.api.change(&[(VOLTAGE, json!(made))], "made").good();
        self.accepted(server, made, "api");
    }

    /// Everything that was told before is there, in the order in which it happened.
    fn is_all_there(&mut self) {
        let list = program::json(&self.bench, "history", &[]);
        let ids: Vec<_> = list.as_array().expect("a list").iter().map(|one| &one["id"]).collect();
        let made: Vec<_> = (1..=self.volts.len()).rev().map(|n| format!("r{n}")).collect();
        assert_eq!(ids, made.iter().collect::<Vec<_>>(), "{list:#}");
        assert_eq!(self.bench.versions().len(), self.volts.len(), "each has a file of its own");
        let path = self.bench.path().display().to_string();
        let audit = program::run(&self.bench, &["audit", "verify", &path]);
        assert_eq!(audit.code, Some(0), "{audit:?}");

        let all = json_lines(&self.bench, "events", &["--since", "0"]);
        let all: Vec<_> =
            all.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
        assert!(all.is_sorted_by(|one, next| one < next), "{all:?}");
        assert!(self.events.iter().all(|seq| all.contains(seq)), "{:?} in {all:?}", self.events);
        self.events = all;
        let readbacks = self.readbacks();
        assert!(self.readbacks.is_subset(&readbacks), "{:?} in {readbacks:?}", self.readbacks);
        self.readbacks = readbacks;
    }

    fn readbacks(&self) -> HashSet<String> {
        let ever = ["psu.ch1.voltage", "--from", "1990-01-01", "--until", "2100-01-01"];
        let points = json_lines(&self.bench, "trend", &ever);
        points.iter().map(|point| format!("{} {}", point["at"], point["value"])).collect()
    }

    /// The text of each revision is the one that was accepted.
    fn every_text_is_its_own(&self, server: &Server) {
        for (index, volts) in self.volts.iter().enumerate() {
            let path = format!("/v1/revisions/r{}", index + 1);
            let text = server.api.send("GET", &path, &[], None).text();
            assert!(text.contains(&format!("ch1.voltage = {volts:.1}")), "{path}: {text}");
        }
    }
}

fn transaction(server: &Server, id: &str) -> Value {
    server.api.get(&format!("/v1/transactions/{id}"))
}

fn time(at: &Value) -> jiff::Timestamp {
    at.as_str().expect("a time").parse().expect("a time")
}

fn year(revision: &Value) -> i32 {
    let at = revision["at"].as_str().expect("a time");
    at[..4].parse().expect("a year")
}

#[test]
fn the_clock_may_be_set_while_a_bench_runs() {
    let bench = Bench::of(text());
    let clock = Clock::of(&bench);
    let server = clock.serve(&bench);
    let mut told = Told { bench, volts: vec![3.3], events: Vec::new(), readbacks: HashSet::new() };
    let followed = told.bench.home().join("followed");
    let mut follow = program::command(&told.bench);
    follow.arg("events").arg(told.bench.path());
    follow.args(["--follow", "--since", "0", "--format", "json"]);
    follow.stdout(Stdio::from(File::create(&followed).expect("a file")));
    let mut follower = Process::start(&told.bench, follow);

    let opened = server.api.json("POST", "/v1/transactions", &json!({ "message": "warmer" }));
    let id = opened.good()["id"].as_str().expect("an id").to_owned();
    let edit = json!({ "edits": [{ "path": KELVIN, "value": 300.0 }] });
    server.api.json("POST", &format!("/v1/transactions/{id}/edits"), &edit).good();
    told.goes_on(&server, 4.0, 4.1);
    until("a readback in the trend", || (!told.readbacks().is_empty()).then_some(()));

    for (n, to) in ["-1d", "+1460d", "-1d", "2020-02-02 02:02:02", "+1460d"].into_iter().enumerate()
    {
        clock.set(to);
        let volts = 5.0 + f64::from(u8::try_from(n).expect("few"));
        told.goes_on(&server, volts, volts + 0.1);
        // The same text at what may be the same instant.
        told.goes_on(&server, volts, volts + 0.1);
        told.is_all_there();
        let open = transaction(&server, &id);
        assert_eq!(open["draft"], false, "{to}: {open:#}");
        assert_eq!(open["edits"].as_array().map(Vec::len), Some(1), "{to}: {open:#}");
        // Within the hour, by the clock that made the last revision.
        let newest = server.api.revisions().swap_remove(0);
        let left = time(&open["expires"]).duration_since(time(&newest["at"]));
        assert!(left.as_secs() > 0 && left.as_mins() <= 60, "{to}: {open:#}, {newest:#}");
    }
    let list = server.api.revisions();
    let years: HashSet<i32> = list.iter().map(year).collect();
    let begun = year(list.last().expect("the first"));
    assert!(years.contains(&2020) && years.iter().any(|year| *year >= begun + 3), "{years:?}");
    told.every_text_is_its_own(&server);

    // What is open and left alone grows old all the same, also where the clock stands.
    clock.set("2020-02-02 02:02:02");
    server.api.change(&[("runtime.transaction_timeout", json!("1s"))], "").good();
    told.accepted(&server, *told.volts.last().expect("one"), "api");
    until("a draft", || (transaction(&server, &id)["draft"] == true).then_some(()));
    server.api.change(&[("runtime.transaction_timeout", json!("1h"))], "").good();
    told.accepted(&server, *told.volts.last().expect("one"), "api");
    server.api.send("POST", &format!("/v1/transactions/{id}/take-up"), &[], None).good();
    clock.set("+1460d");
    server.api.send("POST", &format!("/v1/transactions/{id}/commit"), &[], None).good();
    told.accepted(&server, *told.volts.last().expect("one"), "api");
    told.is_all_there();

    // Opened at a time that is years off: what was before is not too old.
    assert_eq!(server.stop().code(), Some(0));
    until("the follower's end", || follower.child.try_wait().expect("a child"));
    let server = clock.serve(&told.bench);
    told.goes_on(&server, 3.0, 3.1);
    told.is_all_there();
    assert_eq!(server.stop().code(), Some(0));
    told.is_all_there();

    let server = Server::start(&told.bench);
    server.api.until_instrument("psu", "connected");
    told.is_all_there();
    told.every_text_is_its_own(&server);
    told.goes_on(&server, 4.0, 4.1);
    told.is_all_there();
    assert_eq!(server.stop().code(), Some(0));

    let lines = fs::read_to_string(followed).expect("what was followed");
    let followed: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seq"].as_u64())
        .map(|seq| seq.expect("a number"))
        .collect();
    assert!(followed.len() > told.volts.len(), "{lines}");
    let last = followed.last().expect("events");
    let kept: Vec<_> = told.events.iter().copied().filter(|seq| seq <= last).collect();
    assert_eq!(followed, kept, "each once, in the order of their numbers");
}
