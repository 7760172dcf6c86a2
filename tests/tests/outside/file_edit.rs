//! The bench file saved in an editor: device, API and history follow.

use setpoint_tests::{
    Bench, Server,
    bench::{demo_text, with},
    until,
};

#[test]
fn a_save_by_rename_is_followed() {
    follows(Bench::save_by_rename);
}

#[test]
fn a_save_in_place_is_followed() {
    follows(Bench::save_in_place);
}

fn follows(save: fn(&Bench, String)) {
    let (bench, server) = Server::demo();
    let mut wire = server.wire("psu");
    wire.until(":SOUR1:VOLT?", 3.3);
    let revisions = server.api.revisions().len();

    // More than one save: some ways of watching a file lose it after the first.
    for (before, after) in [("3.300", "7.125"), ("7.125", "2.500"), ("2.500", "6.000")] {
        let old = format!("ch1.voltage = {before}");
        let text = with(&bench.text(), &old, &format!("ch1.voltage = {after}"));
        save(&bench, text.clone());

        let value = after.parse().expect("a number");
        wire.until(":SOUR1:VOLT?", value);
        server.api.until_readback("psu", "ch1.voltage", value);
        let reload = server.api.until_reload("in_step");
        assert_eq!(reload["last"]["origin"], "file", "{reload:#}");
        assert_eq!(reload["last"]["outcome"], "applied", "{reload:#}");
        assert_eq!(reload["last"]["changes"], 1, "{reload:#}");
        assert_eq!(bench.text(), text, "nobody else writes into the file");
    }

    let reload = server.api.reload();
    assert_eq!((&reload["applied"], &reload["rejected"]), (&3.into(), &0.into()), "{reload:#}");
    assert_eq!(server.api.revisions().len(), revisions + 3);
}

#[test]
fn a_comment_changes_nothing_on_the_bench() {
    let (bench, server) = Server::demo();
    let text = with(&bench.text(), "# Cryostat thermometer", "# The thermometer");
    bench.save_by_rename(&text);
    until("the save to be seen", || {
        let last = server.api.reload()["last"].clone();
        (last["origin"] == "file" && last["outcome"] == "unchanged").then_some(())
    });
    let running = server.api.send("GET", "/v1/bench", &[("Accept", "application/toml")], None);
    assert_eq!(running.text(), text, "what runs is the text with the new comment");
}

#[test]
fn an_instrument_and_a_source_come_and_go() {
    let (bench, server) = Server::demo();
    let more = "\n[instruments.second]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n\
        \n[sources.snow]\ntype = \"test_pattern\"\npattern = \"snow\"\n\
        resolution = \"320x240\"\nframerate = 10\n";
    bench.save_by_rename(demo_text() + more);
    server.api.until_instrument("second", "connected");
    server.api.until_live("snow");

    // What is left is the beginning of what ran, as half a save would be: that is asked about.
    bench.save_by_rename(demo_text());
    let reload = server.api.until_reload("proposed");
    let removed = serde_json::json!(["instruments.second", "sources.snow"]);
    assert_eq!(reload["question"]["removed"], removed, "{reload:#}");
    server.api.json("POST", "/v1/reload", &serde_json::json!({})).good();
    until("they are gone", || {
        let gone = |path: &str| server.api.send("GET", path, &[], None).status == 404;
        (gone("/v1/instruments/second") && gone("/v1/sources/snow")).then_some(())
    });
    server.api.until_instrument("psu", "connected");
}

#[test]
fn our_own_write_is_not_taken_for_an_edit() {
    let (bench, server) = Server::demo();
    let edits = [("instruments.psu.set.ch1.voltage", 4.0.into())];
    server.api.change(&edits, "").good();
    // An edit after it is handled after it, so whatever the write caused has happened by then.
    bench.save_by_rename(with(&bench.text(), "loop1.setpoint = 295.00", "loop1.setpoint = 290.00"));
    server.api.until_readback("thermo", "loop1.setpoint", 290.0);
    let reload = server.api.until_reload("in_step");
    assert_eq!(reload["last"]["changes"], 1, "{reload:#}");
    let origins: Vec<_> = server.api.revisions().iter().map(|r| r["origin"].clone()).collect();
    assert_eq!(origins[..2], ["file", "api"], "{origins:?}");
    assert_eq!(origins.len(), 3, "the start, the commit, the edit: {origins:?}");
}
