//! The page Bench and its inspector.

use egui::Key;
use egui_kittest::{Harness, kittest::Queryable};
use setpoint::panel::{
    Page,
    intent::{InstrumentIntent, Intent, StageIntent},
};
use setpoint_bench::{Edit, KeyPath, Severity, Value};

use crate::{
    fixture,
    stage::{Stage, window},
};

fn stage(path: KeyPath, value: impl Into<Value>) -> Intent {
    StageIntent::Stage(vec![Edit { path, value: Some(value.into()) }]).into()
}

fn enter(window: &mut Harness<'static, Stage>, field: &str, text: &str) {
    window.get_by_label(field).click();
    window.run();
    window.get_by_label(field).type_text(text);
    window.run();
    window.key_press(Key::Enter);
    window.run();
}

#[test]
fn a_value_typed_in_the_inspector_is_staged_once() {
    let mut window = window(fixture::quiet(), Page::Bench);
    enter(&mut window, "psu ch1.voltage setpoint", "3,45");
    let path = KeyPath::setpoint("psu", "ch1.voltage");
    assert_eq!(window.state().wanted, [stage(path, 3.45)]);
}

#[test]
fn escape_gives_up_what_was_typed() {
    let mut window = window(fixture::quiet(), Page::Bench);
    window.get_by_label("psu ch1.voltage setpoint").click();
    window.run();
    window.get_by_label("psu ch1.voltage setpoint").type_text("9");
    window.run();
    window.key_press(Key::Escape);
    window.run();
    assert_eq!(window.state().wanted, []);
    let shown = window.get_by_label("psu ch1.voltage setpoint").value();
    assert_eq!(shown.as_deref(), Some("3.300"));
}

#[test]
fn a_value_out_of_range_is_not_staged_and_says_why() {
    let mut window = window(fixture::quiet(), Page::Bench);
    enter(&mut window, "psu ch2.voltage setpoint", "52");
    assert_eq!(window.state().wanted, []);
    window.get_by_label("above the maximum of 30 V");
    window.get_by_label("Take back psu ch2.voltage setpoint").click();
    window.run();
    assert!(window.query_by_label("above the maximum of 30 V").is_none());
}

#[test]
fn a_switch_stages_the_word_of_its_driver() {
    let mut window = window(fixture::quiet(), Page::Bench);
    window.get_by_label("psu ch1.output setpoint").click();
    window.run();
    let path = KeyPath::setpoint("psu", "ch1.output");
    assert_eq!(window.state().wanted, [stage(path, "off")]);
}

#[test]
fn what_is_staged_is_shown_beside_what_runs_and_can_be_taken_back() {
    let mut window = window(fixture::full(), Page::Bench);
    window.get_by_label("staged 3.300 → 3.450");
    window.get_by_label("Take back psu ch1.voltage setpoint").click();
    window.run();
    let path = KeyPath::setpoint("psu", "ch1.voltage");
    assert_eq!(window.state().wanted, [StageIntent::Unstage(vec![path]).into()]);
}

#[test]
fn what_the_check_says_of_a_staged_value_stands_under_it() {
    let mut status = fixture::full();
    let open = std::sync::Arc::make_mut(&mut status.transactions[0]);
    open.diagnostics = std::sync::Arc::new(vec![fixture::diagnostic(
        Severity::Warning,
        "instruments.psu.set.ch1.voltage",
        "close to the limit",
    )]);
    let mut window = window(status, Page::Bench);
    window.get_by_label("close to the limit");
    window.state_mut().status.transactions.clear();
    window.run();
    assert!(window.query_by_label("close to the limit").is_none());
}

#[test]
fn leaving_by_keys_finishes_the_value_that_is_being_typed() {
    let mut window = window(fixture::full(), Page::Bench);
    window.get_by_label("psu ch2.voltage setpoint").click();
    window.run();
    window.get_by_label("psu ch2.voltage setpoint").type_text("11");
    window.run();
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::Enter);
    window.run();
    assert_eq!(window.state().screen.page, Page::Changes);
    let path = KeyPath::setpoint("psu", "ch2.voltage");
    assert!(window.state().wanted.contains(&stage(path, 11.0)));
}

#[test]
fn the_filter_finds_states_and_units() {
    let mut window = window(fixture::quiet(), Page::Bench);
    for (filter, found, hidden) in [
        ("state:offline", "lockin, Offline · retry 6 s", "psu ch1.voltage, In tolerance"),
        ("unit:nm", "laser wavelength, 4 nm off", "lockin, Offline · retry 6 s"),
        ("state:stale", "meter power, Stale 12 s", "laser wavelength, 4 nm off"),
        ("rigol current", "psu ch1.current_limit, In tolerance", "psu ch1.voltage, In tolerance"),
    ] {
        window.state_mut().screen.bench.filter = filter.to_owned();
        window.run();
        window.get_by_label(found);
        assert!(window.query_by_label(hidden).is_none(), "{filter} leaves {hidden}");
    }
}

#[test]
fn a_row_opens_its_instrument_and_the_arrows_go_on() {
    let mut window = window(fixture::quiet(), Page::Bench);
    window.get_by_label("stage axis1.position, In tolerance").click();
    window.run();
    window.get_by_label("stage axis1.position setpoint");
    window.key_press(Key::ArrowDown);
    window.run();
    window.get_by_label("laser wavelength setpoint");
}

#[test]
fn setpoints_that_the_device_lost_can_be_applied_again() {
    let mut window = window(fixture::broken(), Page::Bench);
    window.get_by_label("2 setpoints differ from what the device reads");
    window.get_by_label("psu ch1.voltage, 0.120 V off");
    window.get_by_label("Apply setpoints of psu").click();
    window.run();
    let wanted = InstrumentIntent::Reapply("psu".to_owned());
    assert_eq!(window.state().wanted, [wanted.into()]);
}

#[test]
fn a_source_is_set_by_its_keys() {
    let mut window = window(fixture::quiet(), Page::Bench);
    window.get_by_label("pattern source, Live").click();
    window.run();
    enter(&mut window, "pattern framerate setting", "25");
    let path = KeyPath::new(["sources", "pattern", "framerate"]);
    assert_eq!(window.state().wanted, [stage(path, 25)]);
}

#[test]
fn a_thousand_instruments_are_drawn_as_far_as_they_are_seen() {
    let mut window = window(fixture::crowded(), Page::Bench);
    window.run();
    let rows = window.get_all_by(|node| node.role() == egui::accesskit::Role::Row).count();
    assert!((5..40).contains(&rows), "{rows} rows are drawn");
}
