//! Top bar, rail and status bar.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use setpoint::panel::{
    Page,
    intent::{Intent, ReloadIntent, StageIntent, ViewIntent},
};
use setpoint_runtime::ReloadState;

use crate::{
    fixture,
    stage::{Stage, window},
};

fn press(window: &mut egui_kittest::Harness<'static, Stage>, key: Key) {
    window.key_press_modifiers(Modifiers::COMMAND, key);
    window.run();
}

#[test]
fn keys_go_from_page_to_page() {
    let mut window = window(fixture::full(), Page::Bench);
    for (key, page) in [
        (Key::Num2, Page::Changes),
        (Key::Num3, Page::History),
        (Key::Num4, Page::Activity),
        (Key::Num1, Page::Bench),
    ] {
        press(&mut window, key);
        assert_eq!(window.state().screen.page, page);
    }
    press(&mut window, Key::R);
    assert!(window.state().wanted.contains(&Intent::Reload(ReloadIntent::Now)));
}

#[test]
fn ctrl_enter_reviews_first_and_commits_then() {
    let mut window = window(fixture::full(), Page::Bench);
    press(&mut window, Key::Enter);
    assert_eq!(window.state().screen.page, Page::Changes);
    window.state_mut().screen.changes.message = "for the night".to_owned();
    press(&mut window, Key::Enter);
    let commit = StageIntent::Commit { message: "for the night".to_owned() };
    assert!(window.state().wanted.contains(&commit.into()));
}

#[test]
fn nothing_staged_is_nothing_to_review() {
    let mut window = window(fixture::quiet(), Page::Bench);
    window.get_by_label("Review & commit").click();
    press(&mut window, Key::Enter);
    assert_eq!(window.state().screen.page, Page::Bench);
    assert!(window.query_by_label_contains(" staged").is_none());
}

#[test]
fn the_pill_says_how_bench_and_file_stand_and_leads_to_activity() {
    let mut window = window(fixture::broken(), Page::Bench);
    window.get_by_label("File not applied · 2 errors").click();
    window.run();
    assert_eq!(window.state().screen.page, Page::Activity);
    for (state, words) in [
        (ReloadState::InStep, "Live · in step with file"),
        (ReloadState::Applying, "Applying…"),
        (ReloadState::Paused, "Paused"),
    ] {
        window.state_mut().status.reload.state = state;
        window.run();
        window.get_by_label(words);
    }
    let status = &mut window.state_mut().status;
    status.reload.state = ReloadState::InStep;
    status.reload.last.as_mut().unwrap().at = fixture::ago(2);
    status.reload.last.as_mut().unwrap().outcome = setpoint_runtime::Outcome::Applied;
    status.reload.last.as_mut().unwrap().changes = 2;
    window.run();
    window.get_by_label("Reloaded · 2 applied · 6.1 ms");
}

#[test]
fn colours_are_switched_from_the_top_bar() {
    let mut window = window(fixture::full(), Page::Bench);
    window.get_by_label("Light colours").click();
    window.run();
    assert!(window.state().wanted.contains(&ViewIntent::SwitchTheme.into()));
}
