//! The real panel in a real window: what happens to the file is seen in device, API and window.

use setpoint_tests::{Api, Bench, Panel, Wire, bench::with, until};

#[test]
fn an_edit_of_the_file_is_seen_in_the_window() {
    let bench = Bench::demo();
    let mut panel = Panel::start(&bench, &["--theme", "light"], 2);
    let api = Api::of(&bench);
    let mut wire = Wire::of(&api, "psu");
    panel.until_word("Connected", |word| word == "Connected");
    let before = panel.picture();
    assert!(!before.text().contains("7.125"), "not there before");

    bench.save_by_rename(with(&bench.text(), "ch1.voltage = 3.300", "ch1.voltage = 7.125"));

    wire.until(":SOUR1:VOLT?", 7.125);
    api.until_readback("psu", "ch1.voltage", 7.125);
    panel.until_word("7.125", |word| word.contains("7.125"));
    let reload = api.until_reload("in_step");
    assert_eq!(reload["last"]["origin"], "file", "{reload:#}");

    bench.save_in_place(with(&bench.text(), "ch1.voltage = 7.125", "ch1.voltage = 52.5"));
    api.until_reload("rejected");
    panel.until_word("applied", |word| word.contains("applied"));
    assert!((wire.number(":SOUR1:VOLT?") - 7.125).abs() < 1e-6, "the bench runs on");
}

#[test]
fn the_panel_opens_on_a_file_that_is_wrong() {
    for text in ["", "[bench\n", "format = 1\n[instruments.psu]\ntype = \"no_such\"\n"] {
        let bench = Bench::of(text);
        let mut panel = Panel::start(&bench, &["--theme", "light"], 2);
        panel.until_word("bench.toml", |word| word.contains("bench.toml"));
        assert_eq!(panel.process.terminate().code(), Some(0), "{text:?}");
    }
}

#[test]
fn pictures_move_in_the_window() {
    let bench = Bench::demo();
    let mut panel = Panel::start(&bench, &["--theme", "dark"], 1);
    panel.until_word("ball", |word| word.contains("ball"));
    let mut pixels = || panel.picture().pixels().2;
    let first = pixels();
    until("a window that changes", || (pixels() != first).then_some(()));
}
