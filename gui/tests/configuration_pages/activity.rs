use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    intent::{Intent, ReloadIntent},
};
use setpoint_bench::{Diagnostic, Severity, Span};
use setpoint_runtime::{Event, ReloadState, Status};

use crate::fixture::{Pictures, click, dark, rejected, says, status};

#[test]
fn a_refused_file_is_shown_with_line_and_way_out() {
    let mut window = dark(Page::Activity, rejected());
    for words in [
        "bench.toml was edited and not applied. The bench still runs r41.",
        "voltage 52.0 V is above the maximum of 30 V",
        "ch2.voltage = 52.0",
        "did you mean “resolution”?",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert_eq!(
        click(&mut window, "Keep mine, rewrite the file"),
        [Intent::Reload(ReloadIntent::Sync)]
    );
}

/// A change failed, and so did the way back.
fn not_put_back() -> Status {
    let mut status = rejected();
    status.attention = Some(
        "psu ch1.voltage could not be undone: no answer within 2000 ms. It was 3.300 V before the \
         change to 3.450 V and may be either: look at the device, then commit or reload."
            .to_owned(),
    );
    status
}

#[test]
fn a_bench_that_needs_a_person_says_why_above_all_else() {
    let mut window = dark(Page::Bench, not_put_back());
    click(&mut window, "Check the bench");
    assert_eq!(window.state().screen.page, Page::Activity);
    let title = window.get_by_label("The bench is not what it was").rect();
    let refused = window.get_by_label_contains("was edited and not applied").rect();
    assert!(title.max.y < refused.min.y);
    assert!(says(&window, "psu ch1.voltage could not be undone: no answer within 2000 ms."));
    window.state_mut().status.attention = None;
    window.run();
    assert!(!says(&window, "The bench is not what it was"));
    assert!(!says(&window, "Check the bench"));
}

#[test]
fn driver_files_that_are_not_used_are_told_of_as_long_as_they_are_not() {
    let mut status = status();
    status.drivers_problem = Some("own.toml is empty".to_owned());
    let mut window = dark(Page::Bench, status);
    click(&mut window, "Driver files not used");
    assert_eq!(window.state().screen.page, Page::Activity);
    assert!(says(&window, "own.toml is empty"));
    window.state_mut().status.drivers_problem = None;
    window.run();
    assert!(!says(&window, "own.toml is empty"));
    assert!(!says(&window, "Driver files not used"));
}

#[test]
fn nothing_refused_shows_no_card() {
    let window = dark(Page::Activity, status());
    assert!(!says(&window, "was edited and not applied"));
}

#[test]
fn watching_is_paused_and_resumed() {
    let mut window = dark(Page::Activity, status());
    assert_eq!(click(&mut window, "Pause watching"), [Intent::Reload(ReloadIntent::Pause)]);
    assert_eq!(click(&mut window, "Reload now"), [Intent::Reload(ReloadIntent::Now)]);
    let mut paused = status();
    paused.reload.state = ReloadState::Paused;
    let mut window = dark(Page::Activity, paused);
    assert_eq!(click(&mut window, "Resume watching"), [Intent::Reload(ReloadIntent::Resume)]);
}

#[test]
fn figures_show_only_what_was_measured() {
    let window = dark(Page::Activity, status());
    for words in
        ["Reloads applied: 38, since 08:02", "Save to applied: 131 ms", "Validate + plan: 1.9 ms"]
    {
        assert!(says(&window, words), "{words}");
    }
    let mut fresh = status();
    fresh.reload.last = None;
    let window = dark(Page::Activity, fresh);
    assert!(says(&window, "Save to applied: —"));
    assert!(says(&window, "Streams interrupted: —"));
    let window = dark(Page::Activity, rejected());
    assert!(says(&window, "Save to applied: —, the last one was refused"));
}

#[test]
fn events_are_filtered_by_subject_and_text() {
    let mut window = dark(Page::Activity, status());
    let staged = "10:44:31.118 operator staged psu.ch1.voltage";
    assert!(says(&window, staged));
    click(&mut window, "Instruments");
    assert!(!says(&window, staged));
    assert!(says(&window, "10:46:55.020 lockin stopped answering"));
    click(&mut window, "All");
    window.get_by_label("Filter events").focus();
    window.run();
    window.get_by_label("Filter events").type_text("path:sources");
    window.run();
    assert!(says(&window, "sample shows 640x480"));
    assert!(!says(&window, staged));
}

/// A change of two instruments.
fn changed() -> Status {
    let mut status = status();
    let mut events: Vec<_> = status.events.to_vec();
    let last = events[events.len() - 1].clone();
    for (kind, path, message) in [
        ("commit_applied", "instruments", "Commit r42 by ada: 2 changed"),
        ("component_changed", "instruments.psu", "r42 changed psu: ch1.voltage 3.3 → 3.45"),
        ("component_changed", "instruments.thermo", "r42 changed thermo: label changed"),
    ] {
        events.push(Arc::new(Event {
            seq: events.last().map_or(0, |event| event.seq) + 1,
            kind: kind.into(),
            path: path.to_owned(),
            message: message.to_owned(),
            ..(*last).clone()
        }));
    }
    status.events = Arc::new(events);
    status
}

#[test]
fn what_a_change_did_to_each_component_is_shown_to_who_looks_for_it() {
    let mut window = dark(Page::Activity, changed());
    assert!(says(&window, "Commit r42 by ada"));
    assert!(!says(&window, "r42 changed"));
    window.get_by_label("Filter events").focus();
    window.run();
    window.get_by_label("Filter events").type_text("path:instruments.psu");
    window.run();
    assert!(says(&window, "r42 changed psu: ch1.voltage 3.3 → 3.45"));
    assert!(!says(&window, "r42 changed thermo") && !says(&window, "Commit r42"));
}

const EXPOSED: &str = ".env holds secrets, and every user of this computer may read it";

fn exposed() -> Status {
    let mut exposed = status();
    exposed.reload.diagnostics = Arc::new(vec![Diagnostic {
        severity: Severity::Warning,
        code: "secrets_exposed".to_owned(),
        path: String::new(),
        message: EXPOSED.to_owned(),
        file: ".env".to_owned(),
        span: Span::default(),
        suggestion: None,
    }]);
    exposed.drivers_problem = Some("own.toml is empty".to_owned());
    exposed
}

#[test]
fn secrets_that_others_may_read_are_shown() {
    assert!(says(&dark(Page::Activity, exposed()), EXPOSED));
    assert!(!says(&dark(Page::Activity, status()), EXPOSED));
}

#[test]
fn pictures_of_the_page() {
    let mut pictures = Pictures::default();
    pictures.take("activity", Page::Activity, status, |_| {});
    pictures.take("activity_refused", Page::Activity, rejected, |_| {});
    pictures.take("activity_attention", Page::Activity, not_put_back, |_| {});
    pictures.take("activity_exposed", Page::Activity, exposed, |_| {});
}
