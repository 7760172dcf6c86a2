//! A change in the middle of which Setpoint is killed.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use setpoint_tests::{
    Api, Bench, FakeSupply, Process, Server,
    program::{self, ends, good, json},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const FINISH: &str = "/v1/unfinished/finish";
const GO_BACK: &str = "/v1/unfinished/go-back";

/// A bench whose server was killed while its supply was being set from 3.3 to 4.75, and that is
/// served again.
fn crashed() -> (Bench, FakeSupply, Server) {
    crashed_in(|bench, _| {
        let mut command = program::command(bench);
        command.arg("set").arg(bench.path()).arg(format!("{VOLTAGE}=4.75")).args(["-m", "more"]);
        command
    })
}

/// The same, killed while a transaction with that in it was being committed; its id.
fn crashed_in_commit() -> (Bench, FakeSupply, Server, String) {
    let mut id = String::new();
    let (bench, supply, again) = crashed_in(|bench, server| {
        let begun = json!({ "message": "more" });
        let begun = server.api.json("POST", "/v1/transactions", &begun).good();
        begun["id"].as_str().expect("an id").clone_into(&mut id);
        let edits = json!({ "edits": [{ "path": VOLTAGE, "value": 4.75 }] });
        server.api.json("POST", &format!("/v1/transactions/{id}/edits"), &edits).good();
        let mut command = program::command(bench);
        command.arg("transaction").arg(bench.path()).args(["commit", &id]);
        command
    });
    (bench, supply, again, id)
}

/// The same, killed while this command waits for an answer.
fn crashed_in(how: impl FnOnce(&Bench, &Server) -> Command) -> (Bench, FakeSupply, Server) {
    let (bench, supply) = FakeSupply::on_the_demo("20s");
    let mut server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    server.api.until_readback("psu", "ch1.voltage", 3.3);

    let mut command = how(&bench, &server);
    supply.silent_from(":SOUR1:VOLT 4.75");
    command.stdout(Stdio::null());
    let mut asking = Process::start(&bench, command);
    let journal = bench.folder().join(".setpoint/journal.toml");
    until("the middle of the change", || {
        let set = supply.received().iter().any(|line| line.contains(":VOLT 4.75"));
        (set && journal.exists()).then_some(())
    });
    server.process.kill();
    let ended = until("the end of set", || asking.child.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(3), "{}", asking.stderr());

    let again = Server::start(&bench);
    again.api.until_instrument("psu", "connected");
    (bench, supply, again)
}

#[test]
fn a_change_that_was_cut_short_is_shown_and_finished() {
    let (bench, _supply, server) = crashed();
    for command in ["recover", "status"] {
        let shown = good(&bench, command, &[]);
        assert!(shown.contains("unfinished") && shown.contains("4.75"), "{command}: {shown}");
        assert!(shown.contains("--finish"), "{command}: {shown}");
    }
    let unfinished = json(&bench, "recover", &[]);
    assert_eq!(unfinished["from_revision"], "r1", "{unfinished:#}");
    let refused = ends(&bench, "set", &["instruments.psu.set.ch2.voltage=5.0"], 1);
    assert!(refused.stderr.contains("recover"), "{refused:?}");

    let finished = json(&bench, "recover", &["--finish"]);
    assert_eq!(finished["changes"][0]["path"], VOLTAGE, "{finished:#}");
    server.api.until_readback("psu", "ch1.voltage", 4.75);
    assert!(bench.text().contains("ch1.voltage = 4.75"), "{}", bench.text());
    assert!(good(&bench, "recover", &[]).contains("no change is unfinished"));
    assert!(!bench.folder().join(".setpoint/journal.toml").exists());
    assert_eq!(ends(&bench, "recover", &["--finish"], 2).stdout, "");
}

#[test]
fn a_change_that_was_cut_short_is_gone_back_from() {
    let (bench, supply, server) = crashed();
    let before = bench.text();
    good(&bench, "recover", &["--go-back"]);
    assert_eq!(bench.text(), before, "the file had not been written yet");
    server.api.until_readback("psu", "ch1.voltage", 3.3);
    let last = supply.received().into_iter().rfind(|line| line.starts_with(":SOUR1:VOLT "));
    assert!(last.as_deref().is_some_and(|line| line.contains("3.3")), "{last:?}");
    server.api.change(&[(VOLTAGE, json!(4.0))], "as usual again").good();
}

/// Decides over HTTP and answers the revision that came of it.
fn decide(server: &Server, path: &str) -> Value {
    let author = [("X-Setpoint-Author", "Ada")];
    let decided = server.api.send("POST", path, &author, None).good();
    assert!(server.api.get("/v1/status")["unfinished"].is_null(), "{decided:#}");
    for path in [FINISH, GO_BACK] {
        assert_eq!(server.api.send("POST", path, &author, None).status, 404, "once: {path}");
    }
    let newest = server.api.revisions()[0].clone();
    assert_eq!(newest, decided["revision"]);
    assert_eq!((&newest["author"], &newest["origin"]), (&"Ada".into(), &"api".into()));
    decided
}

/// What waits for a decision: it is shown, nothing else is changed, and a stranger decides nothing.
fn waits_for_a_decision(server: &Server) {
    let api = &server.api;
    let unfinished = api.get("/v1/status")["unfinished"].clone();
    assert_eq!(unfinished["from_revision"], "r1", "{unfinished:#}");
    assert_eq!(unfinished["file_holds"], "before", "{unfinished:#}");
    let steps = unfinished["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["text"].to_string().contains("4.75")), "{unfinished:#}");
    let blocked = api.change(&[(VOLTAGE, json!(4.0))], "");
    assert_eq!(blocked.status, 409, "{}", blocked.text());
    for path in [FINISH, GO_BACK] {
        let stranger = Api::new(&api.url, "");
        assert_eq!(stranger.send("POST", path, &[], None).status, 401, "{path}");
    }
    assert_eq!(api.get("/v1/status")["unfinished"], unfinished);
}

/// Nothing of it is left after another start.
fn is_settled(bench: &Bench, server: Server, revision: &Value, volts: f64) {
    assert!(!bench.folder().join(".setpoint/journal.toml").exists());
    let text = bench.text();
    assert_eq!(server.stop().code(), Some(0));
    let again = Server::start(bench);
    assert!(again.api.get("/v1/status")["unfinished"].is_null());
    assert_eq!(again.api.revisions()[0]["id"], *revision, "nothing ran since");
    assert_eq!(bench.text(), text);
    again.api.until_instrument("psu", "connected");
    again.api.until_readback("psu", "ch1.voltage", volts);
    again.api.change(&[(VOLTAGE, json!(4.0))], "as usual again").good();
}

#[test]
fn http_finishes_a_commit_that_was_cut_short() {
    let (bench, supply, server, id) = crashed_in_commit();
    waits_for_a_decision(&server);
    let again = server.api.send("POST", &format!("/v1/transactions/{id}/commit"), &[], None);
    assert_eq!(again.status, 409, "{}", again.text());
    server.api.until_readback("psu", "ch1.voltage", 3.3);
    let before = supply.received().len();

    let finished = decide(&server, FINISH);
    assert_eq!(finished["changes"][0]["path"], VOLTAGE, "{finished:#}");
    assert!(bench.text().contains("ch1.voltage = 4.75"), "{}", bench.text());
    server.api.until_readback("psu", "ch1.voltage", 4.75);
    let since = &supply.received()[before..];
    assert!(since.iter().any(|line| line.contains(":SOUR1:VOLT 4.75")), "{since:?}");
    // What it was to bring runs: nothing of it is staged any more.
    let open = server.api.get(&format!("/v1/transactions/{id}"));
    assert_eq!(open["edits"], json!([]), "{open:#}");
    is_settled(&bench, server, &finished["revision"]["id"], 4.75);
}

#[test]
fn http_goes_back_from_a_commit_that_was_cut_short() {
    let (bench, supply, server, id) = crashed_in_commit();
    let before = bench.text();
    waits_for_a_decision(&server);
    let back = decide(&server, GO_BACK);
    assert_eq!(bench.text(), before);
    server.api.until_readback("psu", "ch1.voltage", 3.3);
    let last = supply.received().into_iter().rfind(|line| line.starts_with(":SOUR1:VOLT "));
    assert!(last.as_deref().is_some_and(|line| line.contains("3.3")), "{last:?}");
    // What was staged is staged: it can be committed another time.
    let open = server.api.get(&format!("/v1/transactions/{id}"));
    assert_eq!(open["edits"][0]["path"], VOLTAGE, "{open:#}");
    assert_eq!(open["ok"], true, "{open:#}");
    is_settled(&bench, server, &back["revision"]["id"], 3.3);
}
