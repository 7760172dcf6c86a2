//! What happened: as text, JSON lines and CSV, followed, replayed, of a bench that runs or not.

use std::{
    fs::{self, File},
    process::Stdio,
    time::Instant,
};

use serde_json::{Value, json};
use setpoint_tests::{
    Bench, Process, Server,
    program::{self, ends, good, json_lines},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn numbers(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect()
}

/// The events of a stream that ends, and what its last message was.
fn stream(server: &Server, query: &str) -> (Vec<Value>, String) {
    let headers = [("Accept", "text/event-stream")];
    let answer = server.api.send("GET", &format!("/v1/events?{query}"), &headers, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let messages: Vec<&str> = text.split("\n\n").filter(|one| one.contains("data:")).collect();
    let (last, events) = messages.split_last().expect("an end");
    let data = |message: &&str| {
        let data = message.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
        serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))
    };
    (events.iter().map(data).collect(), (*last).to_owned())
}

#[test]
fn events_are_text_json_and_csv() {
    let (bench, server) = Server::demo();
    server.api.change(&[(VOLTAGE, json!(4.75))], "more, \"light\"").good();
    let check = |bench: &Bench| {
        let text = good(bench, "events", &["--kind", "commit_applied"]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("commit_applied") && text.contains("r2"), "{text}");
        let all = json_lines(bench, "events", &["--since", "0"]);
        assert!(numbers(&all).is_sorted(), "{all:#?}");
        let commit = all.iter().find(|event| event["kind"] == "commit_applied").expect("a commit");
        assert_eq!(commit["payload"]["changes"][0]["path"], VOLTAGE);
        let table = good(bench, "events", &["--since", "0", "--format", "csv"]);
        assert!(table.starts_with("seq,at,mono_us,run,origin,kind,"), "{table}");
        assert!(table.contains("more, \\\"\"light\\\"\""), "quotes are doubled:\n{table}");
        let at = commit["at"].as_str().expect("a time");
        let seq = commit["seq"].as_u64().expect("a number");
        let from = json_lines(bench, "events", &["--from", at]);
        assert!(numbers(&from).first() >= Some(&seq), "{from:#?}");
        let one = json_lines(bench, "events", &["--from", at, "--until", at, "--origin", "api"]);
        assert_eq!(numbers(&one), [seq]);
        let before = json_lines(bench, "events", &["--since", "0", "--before", &seq.to_string()]);
        assert_eq!(numbers(&before).last(), Some(&(seq - 1)));
        let psu = json_lines(bench, "events", &["--path", "instruments.psu", "--limit", "1"]);
        assert_eq!(psu.len(), 1);
        let below = ["--path", "instruments.psu", "--kind", "commit_applied"];
        assert_eq!(numbers(&json_lines(bench, "events", &below)), [seq], "changes have a path");
        let table = good(bench, "events", &[&below[..], &["--format", "csv"]].concat());
        assert!(table.contains(&format!(",{VOLTAGE},")), "{table}");
    };
    check(&bench);
    ends(&bench, "events", &["--from", "yesterday"], 2);
    server.stop();
    check(&bench);
    assert_eq!(good(&bench, "events", &["--quiet"]), "");
    ends(&bench, "events", &["--follow"], 3);
}

#[test]
fn events_are_followed_until_the_bench_is_closed() {
    let (bench, server) = Server::demo();
    let printed = bench.home().join("followed");
    let mut command = program::command(&bench);
    command.arg("events").arg(bench.path());
    command.args(["--follow", "--since", "0", "--format", "json"]);
    command.stdout(Stdio::from(File::create(&printed).expect("a file")));
    let mut follower = Process::start(&bench, command);
    let seen = |kind: &str| {
        let text = fs::read_to_string(&printed).expect("it can be read");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().any(|line| {
            let event: Value = serde_json::from_str(line).expect("one object a line");
            event["kind"] == kind
        })
    };
    until("what was before", || seen("instrument_connected").then_some(()));
    server.api.change(&[(VOLTAGE, json!(4.75))], "").good();
    until("what happens", || seen("commit_applied").then_some(()));
    server.stop();
    let ended = until("its end", || follower.child.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(0));
    assert!(follower.stderr().contains("the bench was closed"), "{}", follower.stderr());
}

#[test]
fn a_range_is_replayed_as_it_would_have_been_followed() {
    let (bench, server) = Server::demo();
    for volts in [4.0, 5.0, 6.0] {
        server.api.change(&[(VOLTAGE, json!(volts))], "").good();
    }
    let all = json_lines(&bench, "events", &["--since", "0"]);
    let commits = json_lines(&bench, "events", &["--since", "0", "--kind", "commit_applied"]);
    assert_eq!(commits.len(), 3);
    let (first, last) = (&commits[0], &commits[2]);
    let word = |event: &Value, key: &str| event[key].as_str().expect("a text").to_owned();

    // Over HTTP: a stream that ends, by number and by time.
    let before = last["seq"].as_u64().expect("a number") + 1;
    let (told, end) = stream(&server, &format!("before={before}&kind=commit_applied"));
    assert_eq!(told, commits);
    assert!(end.contains("event: end") && end.contains("{\"told\":3}"), "{end}");
    let until_first = word(first, "at");
    let (told, _) = stream(&server, &format!("until={until_first}&kind=commit_applied"));
    assert_eq!(told, commits[..1]);
    let (from, to) = (word(&commits[1], "at"), word(last, "at"));
    let (told, _) = stream(&server, &format!("from={from}&until={to}&path=&origin=api"));
    assert_eq!(numbers(&told).first(), commits[1]["seq"].as_u64().as_ref());
    let wrong = [("Accept", "text/event-stream")];
    let wrong = server.api.send("GET", "/v1/events?before=9&limit=1", &wrong, None);
    assert_eq!(wrong.status, 400, "{}", wrong.text());

    let check = |bench: &Bench| {
        let replayed = json_lines(bench, "events", &["--replay", "--kind", "commit_applied"]);
        assert_eq!(replayed, commits);
        let arguments = ["--replay", "--from", &from, "--until", &to, "--kind", "commit_applied"];
        assert_eq!(json_lines(bench, "events", &arguments), commits[1..]);
        let whole = json_lines(bench, "events", &["--replay"]);
        assert_eq!(whole[..all.len()], all);
        let text =
            good(bench, "events", &["--replay", "--since", "0", "--path", "instruments.psu"]);
        assert!(text.contains("instrument_connected"), "{text}");
    };
    check(&bench);

    // At a tenth of its pace it takes ten times as long as it did.
    let mono = |event: &Value| event["mono_us"].as_u64().expect("microseconds");
    let took = (mono(last) - mono(first)) as f64 / 1e6;
    let began = Instant::now();
    let slow = ["--replay", "--kind", "commit_applied", "--speed", "0.1"];
    assert_eq!(json_lines(&bench, "events", &slow), commits);
    assert!(began.elapsed().as_secs_f64() >= took * 10.0, "{took} s were told too fast");

    server.stop();
    check(&bench);
    ends(&bench, "events", &["--replay", "--speed", "0"], 2);
    ends(&bench, "events", &["--speed", "2"], 2);
    ends(&bench, "events", &["--replay", "--follow"], 2);
}
