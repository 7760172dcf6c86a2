//! A bad edit of the bench file is refused with its place; the bench runs on.

use serde_json::Value;
use setpoint_tests::{
    Server,
    bench::{demo_text, with},
    until,
};

/// Saves a bad text, checks that it is refused and that a good one is taken afterwards, and
/// returns what was found.
fn refused(text: impl AsRef<[u8]>) -> Vec<Value> {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    let before = bench.text();
    let revisions = server.api.revisions().len();

    bench.save_by_rename(&text);
    let reload = server.api.until_reload("rejected");
    assert_eq!(reload["last"]["origin"], "file", "{reload:#}");
    assert_eq!(reload["last"]["outcome"], "rejected", "{reload:#}");
    assert_eq!(reload["rejected"], 1, "{reload:#}");
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6, "the device is as it was");
    assert_eq!(server.api.instrument("psu")["state"], "connected");
    assert_eq!(server.api.revisions().len(), revisions, "no revision of it");
    let running = server.api.send("GET", "/v1/bench", &[("Accept", "application/toml")], None);
    assert_eq!(running.text(), before, "what ran before runs on");
    let disk = std::fs::read(bench.path()).expect("it is there");
    assert_eq!(disk, text.as_ref(), "nobody writes over what a person typed");

    bench.save_by_rename(with(&before, "ch1.voltage = 3.300", "ch1.voltage = 4.250"));
    wire.until(":SOUR1:VOLT?", 4.25);
    let reload = server.api.until_reload("in_step");
    assert_eq!(reload["diagnostics"].as_array().map(Vec::len), Some(0), "{reload:#}");
    server.process.stderr();
    let found = reload_diagnostics(&reload_of(&bench, &server, text));
    assert!(!found.is_empty(), "a refusal says why");
    found
}

/// The same bad text once more, for its findings.
fn reload_of(bench: &setpoint_tests::Bench, server: &Server, text: impl AsRef<[u8]>) -> Value {
    bench.save_in_place(text);
    server.api.until_reload("rejected")
}

fn reload_diagnostics(reload: &Value) -> Vec<Value> {
    let found = reload["diagnostics"].as_array().expect("a list").clone();
    for one in &found {
        assert_eq!(one["file"], "bench.toml", "{one:#}");
        assert!(one["line"].as_u64() >= Some(1) && one["column"].as_u64() >= Some(1), "{one:#}");
        assert!(one["message"].as_str().is_some_and(|message| !message.is_empty()), "{one:#}");
    }
    found
}

/// Line and column, counted from 1, of the place where `needle` stands.
fn place(text: &str, needle: &str) -> (u64, u64) {
    let (at, line) = text
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(needle))
        .expect("it is in the text");
    let column = line[..line.find(needle).expect("found above")].chars().count();
    (at as u64 + 1, column as u64 + 1)
}

fn at(diagnostic: &Value) -> (u64, u64) {
    let number = |name: &str| diagnostic[name].as_u64().expect("a number");
    (number("line"), number("column"))
}

#[test]
fn a_value_above_its_range() {
    let text = with(&demo_text(), "ch2.voltage = 12.000", "ch2.voltage = 52.5");
    let found = refused(&text);
    assert_eq!(found[0]["code"], "out_of_range", "{found:#?}");
    assert_eq!(found[0]["path"], "instruments.psu.set.ch2.voltage");
    assert_eq!(at(&found[0]), place(&text, "52.5"), "the span is that of the value");
    assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("30")), "{found:#?}");
}

#[test]
fn a_key_that_is_misspelt() {
    let text = with(&demo_text(), "resolution = \"640x480\"", "resoluton = \"640x480\"");
    let found = refused(&text);
    let unknown: Vec<_> = found.iter().filter(|one| one["code"] == "unknown_key").collect();
    assert_eq!(unknown.len(), 1, "{found:#?}");
    assert_eq!(at(unknown[0]), place(&text, "resoluton"), "the span is that of the key");
    assert_eq!(unknown[0]["suggestion"], "resolution");
}

#[test]
fn two_mistakes_at_once_in_file_order() {
    let text = with(&demo_text(), "ch2.voltage = 12.000", "ch2.voltage = 52.5");
    let text = with(&text, "pattern = \"ball\"", "patern = \"ball\"");
    let found = refused(&text);
    assert!(found.len() >= 2, "{found:#?}");
    let places: Vec<_> = found.iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn no_toml() {
    let text = with(&demo_text(), "ch2.voltage = 12.000", "ch2.voltage = = 12");
    let found = refused(&text);
    assert_eq!(found[0]["code"], "syntax", "{found:#?}");
    assert_eq!(at(&found[0]).0, place(&text, "= = 12").0);
}

#[test]
fn an_empty_file() {
    let (bench, server) = Server::demo();
    bench.save_by_rename("");
    let reload = server.api.until_reload("proposed");
    assert_eq!(reload["question"]["removed"].as_array().map(Vec::len), Some(4), "{reload:#}");
    server.api.until_instrument("psu", "connected");
    assert_eq!(bench.text(), "", "nobody writes over it unasked");
    assert_eq!(server.api.json("POST", "/v1/sync", &serde_json::json!({})).status, 200);
    server.api.until_reload("in_step");
    assert_eq!(bench.text(), demo_text());
}

#[test]
fn a_torn_file() {
    let text = demo_text();
    let cut =
        text.find("[sources.pattern]").expect("it has sources") + "[sources.pattern]\ntyp".len();
    refused(&text[..cut]);
}

#[test]
fn no_utf_8() {
    let (bench, server) = Server::demo();
    bench.save_by_rename(b"name = \"caf\xe9\"\n");
    let reload = server.api.until_reload("rejected");
    let shown = reload.to_string().to_lowercase();
    assert!(shown.contains("utf-8"), "{reload:#}");
    bench.save_by_rename(demo_text());
    server.api.until_reload("in_step");
}

#[test]
fn a_file_that_goes_and_comes_back() {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    std::fs::remove_file(bench.path()).expect("it can be removed");
    let problem =
        until("the loss to be told", || server.api.reload()["problem"].as_str().map(str::to_owned));
    assert!(problem.contains("bench.toml"), "{problem}");
    assert_eq!(server.api.reload()["state"], "ahead");
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6, "the bench runs on");

    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 4.250"));
    wire.until(":SOUR1:VOLT?", 4.25);
    server.api.until_reload("in_step");
}
