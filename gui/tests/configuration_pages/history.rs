use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    intent::{HistoryIntent, Intent, StageIntent},
};
use setpoint_bench::Edit;

use crate::fixture::{Pictures, Window, click, dark, path, says, status};

const R36: &str = "r36 Aligned, beam on axis, yesterday 11:02, operator";

fn r36() -> Window {
    let mut window = dark(Page::History, status());
    click(&mut window, R36);
    window
}

#[test]
fn texts_are_asked_for_and_compared() {
    let mut window = dark(Page::History, status());
    let need = Intent::History(HistoryIntent::NeedText("r34".into()));
    let asked = click(&mut window, "r34 Replaced power meter, Thu 16:12, operator");
    assert!(asked.contains(&need), "{asked:?}");
    assert!(says(&window, "Reading r34…"));

    let window = r36();
    for words in [
        "was 22: ch1.voltage = 3.150, now 23: ch1.voltage = 3.300",
        "3 changed",
        "2 added since",
        "0 removed since",
    ] {
        assert!(says(&window, words), "{words}");
    }
}

#[test]
fn a_text_that_could_not_be_read_is_asked_for_again() {
    let mut window = r36();
    let gone = Err("the disk is gone".to_owned());
    window.state_mut().answers.texts.arrived("r36".to_owned(), gone);
    window.run();
    assert!(says(&window, "The text of r36 cannot be read: the disk is gone"));
    let need = Intent::History(HistoryIntent::NeedText("r36".into()));
    assert_eq!(click(&mut window, R36), [need]);
}

#[test]
fn everything_goes_back_with_one_click() {
    let mut window = r36();
    let wanted = HistoryIntent::Rollback { revision: "r36".into(), only: Vec::new() };
    assert_eq!(click(&mut window, "Roll back all to r36"), [Intent::History(wanted)]);
}

#[test]
fn chosen_keys_are_staged() {
    let mut window = r36();
    for key in [
        "psu.on_reconnect\"reapply\" → \"compare\"",
        "psu.wire.gapremoved",
        "lockinremoved",
        "sample.resolution\"640x480\" → \"1280x720\"",
    ] {
        click(&mut window, key);
    }
    let intents = click(&mut window, "Stage these 1");
    let Some(Intent::Stage(StageIntent::Stage(edits))) = intents.first() else {
        panic!("{intents:?}");
    };
    let voltage = path("instruments.psu.set.ch1.voltage");
    assert_eq!(edits, &[Edit { path: voltage, value: Some(3.15.into()) }]);
}

#[test]
fn the_list_can_be_searched() {
    let mut window = r36();
    window.get_by_label("Search revisions").focus();
    window.run();
    window.get_by_label("Search revisions").type_text("FACTORY");
    window.run();
    assert!(says(&window, "r31 Commissioned"));
    assert!(!says(&window, "r34 Replaced power meter"));
}

#[test]
fn differences_can_be_jumped_to_and_shown_by_key() {
    let mut window = r36();
    click(&mut window, "Next difference");
    assert!(says(&window, "1 of "));
    click(&mut window, "By parameter");
    assert!(says(&window, "instruments.psu.set.ch1.voltage: 3.150 to 3.300"));
}

#[test]
fn what_runs_has_nothing_to_go_back_to() {
    let mut window = dark(Page::History, status());
    click(&mut window, "r41 bench.toml changed on disk, runs now, today 10:42, edited in the file");
    assert!(says(&window, "This is what runs."));
    assert!(window.query_by_label_contains("Roll back").is_none());
}

#[test]
fn pictures_of_the_page() {
    let mut pictures = Pictures::default();
    let choose = |window: &mut Window| {
        click(window, R36);
    };
    pictures.take("history", Page::History, status, choose);
    pictures.take("history_parameters", Page::History, status, |window| {
        click(window, R36);
        click(window, "By parameter");
    });
}
