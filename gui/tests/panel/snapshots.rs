//! Pictures of the pages, to be compared with those that a person looked at.
//! `UPDATE_SNAPSHOTS=1` takes new ones: look at each before committing it.

use egui::Theme;
use egui_kittest::{SnapshotResults, kittest::Queryable};
use setpoint::panel::{
    Page,
    intent::ViewIntent,
    pages::start::{Failure, StartState},
};
use setpoint_runtime::Status;

use crate::{
    fixture,
    stage::{SMALL, WINDOW, open, open_start},
};

/// Takes pictures of one bench: dark, light, and in the smallest window.
fn check(name: &str, bench: fn() -> Status, page: Page) {
    let mut results = SnapshotResults::new();
    for (kind, theme, size) in [
        ("dark", Theme::Dark, WINDOW),
        ("light", Theme::Light, WINDOW),
        ("small", Theme::Dark, SMALL),
    ] {
        let mut window = open(bench(), page, theme, size);
        window.run();
        window.snapshot(format!("{name}_{kind}"));
        results.extend_harness(&mut window);
    }
}

#[test]
fn bench_full() {
    check("bench_full", fixture::full, Page::Bench);
}

#[test]
fn bench_empty() {
    check("bench_empty", fixture::empty, Page::Bench);
}

#[test]
fn bench_crowded() {
    check("bench_crowded", fixture::crowded, Page::Bench);
}

#[test]
fn bench_broken() {
    check("bench_broken", fixture::broken, Page::Bench);
}

#[test]
fn bench_source_chosen() {
    let mut window = open(fixture::full(), Page::Bench, Theme::Dark, WINDOW);
    window.get_by_label("pattern source, Live").click();
    window.run();
    window.snapshot("bench_source_dark");
}

#[test]
fn bench_value_refused_and_error_told() {
    let mut window = open(fixture::full(), Page::Bench, Theme::Dark, WINDOW);
    window.state_mut().screen.toasts.error("psu does not answer: timed out after 2 s; check cable");
    window.state_mut().screen.toasts.done("Committed as r42", 0.0);
    window.get_by_label("psu ch2.voltage setpoint").click();
    window.run();
    window.get_by_label("psu ch2.voltage setpoint").type_text("52");
    window.run();
    window.key_press(egui::Key::Enter);
    window.run();
    window.snapshot("bench_refused_dark");
}

#[test]
fn start_page_says_why_a_bench_did_not_open() {
    let failure = Failure {
        path: "/lab/bench.toml".into(),
        message: "/lab/bench.toml is a folder, not a file: name the bench file in it".to_owned(),
        diagnostics: fixture::broken().reload.diagnostics.to_vec(),
    };
    let state =
        StartState { path: "/lab/bench.toml".to_owned(), failure: Some(failure), opening: None };
    let mut results = SnapshotResults::new();
    for (kind, theme) in [("dark", Theme::Dark), ("light", Theme::Light)] {
        let mut window = open_start(state.clone(), theme);
        window.run();
        window.snapshot(format!("start_{kind}"));
        window.get_by_label("Open the demo").click();
        window.run();
        assert_eq!(window.state().1, [ViewIntent::Demo.into()]);
        results.extend_harness(&mut window);
    }
}
