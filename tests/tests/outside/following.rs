//! Reload, pause, resume, sync, and what a file that lost too much waits for.

use setpoint_tests::{
    Bench, Server,
    bench::{demo_text, with},
    program::{ends, good, json},
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

/// The demo bench without its instruments.
fn lost() -> String {
    let text = demo_text();
    let (from, to) = (text.find("# Bias supply"), text.find("[sources.pattern]"));
    let (from, to) = (from.expect("instruments"), to.expect("sources"));
    format!("{}{}", &text[..from], &text[to..])
}

fn asked(bench: &Bench, server: &Server) {
    bench.save_in_place(lost());
    let reload = server.api.until_reload("proposed");
    assert!(reload["question"]["message"].is_string(), "{reload:#}");
}

#[test]
fn a_question_is_shown_and_answered() {
    let (bench, server) = Server::demo();
    asked(&bench, &server);

    let shown = good(&bench, "status", &[]);
    for expected in ["question", "instruments.psu, instruments.thermo", "setpoint sync"] {
        assert!(shown.contains(expected), "{expected} is missing:\n{shown}");
    }
    let refused = ends(&bench, "set", &[&format!("{VOLTAGE}=4.0")], 1);
    assert!(refused.stderr.contains("setpoint reload FILE applies the file"), "{refused:?}");

    let kept = good(&bench, "sync", &[]);
    assert!(kept.contains("bench.toml holds r1, which runs"), "{kept}");
    assert_eq!(bench.text(), demo_text(), "what runs is written again");
    assert!(
        bench
            .versions()
            .iter()
            .any(|(name, text)| { name.starts_with("refused-") && *text == lost() })
    );
    assert_eq!(server.api.reload()["state"], "in_step");

    asked(&bench, &server);
    let applied = json(&bench, "reload", &[]);
    assert_eq!(applied["revision"]["id"], "r2", "{applied:#}");
    assert_eq!(applied["reload"]["state"], "in_step");
    assert_eq!(server.api.get("/v1/instruments"), serde_json::json!([]));
    let again = good(&bench, "reload", &[]);
    assert!(again.contains("bench.toml is what runs already, r2"), "{again}");
    assert_eq!(good(&bench, "reload", &["--quiet"]), "");
}

#[test]
fn a_paused_bench_follows_nothing_until_it_is_resumed() {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    let paused = json(&bench, "pause", &[]);
    assert_eq!(paused["reload"]["state"], "paused", "{paused:#}");
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 4.000"));
    // What waits is read when someone asks, and not before.
    assert!((wire.number(":SOUR1:VOLT?") - 3.3).abs() < 1e-6);
    let resumed = good(&bench, "resume", &[]);
    assert!(resumed.contains("bench.toml is followed again"), "{resumed}");
    wire.until(":SOUR1:VOLT?", 4.0);
    server.api.until_reload("in_step");

    let paused = good(&bench, "pause", &[]);
    assert!(paused.contains("not followed"), "{paused}");
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 5.000"));
    let reloaded = json(&bench, "reload", &[]);
    assert_eq!(reloaded["changes"][0]["new"], 5.0, "{reloaded:#}");
    assert!(
        (wire.number(":SOUR1:VOLT?") - 5.0).abs() < 1e-6,
        "what is asked for is read all the same"
    );
}

#[test]
fn http_stops_and_starts_the_watching() {
    let (bench, server) = Server::demo();
    let post = |path: &str| {
        let answer = server.api.send("POST", path, &[], None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    };
    post("/v1/reload/pause");
    assert_eq!(server.api.reload()["state"], "paused");
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 4.000"));
    post("/v1/reload/resume");
    server.api.until_readback("psu", "ch1.voltage", 4.0);
    server.api.until_reload("in_step");
    bench.save_by_rename("not = = toml\n");
    server.api.until_reload("rejected");
    post("/v1/sync");
    assert!(bench.text().contains("ch1.voltage = 4.000"), "{}", bench.text());
}

#[test]
fn a_file_that_does_not_check_is_told_and_the_bench_runs_on() {
    let (bench, server) = Server::demo();
    json(&bench, "pause", &[]);
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 99.0"));
    let refused = ends(&bench, "reload", &[], 1);
    assert!(refused.stderr.contains("out_of_range"), "{refused:?}");
    let shown = good(&bench, "status", &[]);
    assert!(shown.contains("problem   "), "{shown}");
    assert_eq!(server.api.get("/v1/status")["revision"]["id"], "r1");
    server.stop();
    for command in ["sync", "reload", "pause", "resume"] {
        let nobody = ends(&bench, command, &[], 3);
        assert!(nobody.stderr.contains("no panel or server runs"), "{nobody:?}");
    }
}
