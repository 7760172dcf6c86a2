//! What is under way, what it came to, and how saves are noticed.

use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    intent::{Intent, ReloadIntent},
};
use setpoint_runtime::{Ahead, FileHolds, ReloadState, Status, Unfinished, UnfinishedStep};

use crate::fixture::{Pictures, at, click, dark, says, staged, status};

const R36: &str = "r36 Aligned, beam on axis, yesterday 11:02, operator";

fn unfinished() -> Status {
    let mut status = status();
    let step = UnfinishedStep { text: "write bench.toml".to_owned(), done: false };
    status.unfinished = Some(Arc::new(Unfinished {
        message: "Setpoint ended in the middle of a change by ada from r40, …".to_owned(),
        at: at("10:40:12"),
        from_revision: "r40".to_owned(),
        steps: vec![step],
        file_holds: FileHolds::Before,
        finish: None,
        go_back: None,
    }));
    status
}

#[test]
fn what_takes_long_is_told_and_is_not_asked_for_twice() {
    let mut window = dark(Page::Activity, unfinished());
    assert_eq!(click(&mut window, "Finish it"), [Intent::Reload(ReloadIntent::Finish)]);
    window.state_mut().busy = Some("Finishing the change…".to_owned());
    window.run();
    assert!(says(&window, "Finishing the change…"));
    assert_eq!(click(&mut window, "Finish it"), []);
    assert_eq!(click(&mut window, "Go back to r40"), []);

    let mut window = dark(Page::History, status());
    click(&mut window, R36);
    window.state_mut().busy = Some("Going back to r36…".to_owned());
    window.run();
    assert_eq!(click(&mut window, "Roll back all to r36"), []);

    let mut status = status();
    status.transactions = vec![Arc::new(staged())];
    let mut window = dark(Page::Changes, status);
    window.state_mut().busy = Some("Committing…".to_owned());
    window.run();
    assert_eq!(click(&mut window, "Commit 4 changes"), []);
}

#[test]
fn an_unfinished_change_is_told_once() {
    let window = dark(Page::Activity, unfinished());
    assert!(says(&window, "was not finished: 0 of 1 step known to be done"));
    assert!(!says(&window, "The bench is not what it was"));
    assert!(says(&window, "A change was not finished"));
    let mut status = unfinished();
    status.attention = Some("psu ch1.voltage could not be undone".to_owned());
    let window = dark(Page::Activity, status);
    assert!(says(&window, "The bench is not what it was"));
}

#[test]
fn messages_do_not_cover_what_can_be_clicked() {
    let mut window = dark(Page::History, status());
    click(&mut window, R36);
    window.state_mut().screen.toasts.error("kept");
    window.run();
    let message = window.get_by_label("Dismiss: kept").rect();
    let buttons = window.get_by_label("Roll back all to r36").rect();
    assert!(message.max.y < buttons.min.y, "{message} {buttons}");

    let mut status = status();
    status.transactions = vec![Arc::new(staged())];
    let mut window = dark(Page::Changes, status);
    window.state_mut().screen.toasts.error("kept");
    window.run();
    let message = window.get_by_label("Dismiss: kept").rect();
    let buttons = window.get_by_label("Commit 4 changes").rect();
    assert!(message.max.y < buttons.min.y, "{message} {buttons}");
}

fn ahead() -> Status {
    let mut status = status();
    status.reload.state = ReloadState::Ahead;
    status.reload.ahead = Some(Ahead {
        cause: "cannot write /bench/bench.toml: its disk is read-only".to_owned(),
        since: at("10:46:00"),
        next_try: None,
    });
    status
}

#[test]
fn a_file_that_could_not_be_written_on_leaving_is_told_where_it_was_asked() {
    let mut window = dark(Page::Bench, ahead());
    window.state_mut().screen.leaving = true;
    window.run();
    assert!(says(&window, "Cannot write /bench/bench.toml: its disk is read-only."));
    assert!(!says(&window, "Tried at"));
    let write = click(&mut window, "Write the file and leave");
    assert_eq!(write, [Intent::Reload(ReloadIntent::Sync)]);
    assert!(says(&window, "Tried at 10:47:30: bench.toml still does not hold what runs."));
    click(&mut window, "Stay");
    window.state_mut().screen.leaving = true;
    window.run();
    assert!(!says(&window, "Tried at"), "that was another time");
}

#[test]
fn drafts_are_told_of_where_nothing_is_staged() {
    let mut status = status();
    let mut draft = staged();
    draft.draft = true;
    status.transactions = vec![Arc::new(draft)];
    let window = dark(Page::Changes, status);
    assert!(says(&window, "nothing staged, 1 draft"));
}

fn polling() -> Status {
    let mut status = status();
    let why = "/lab is on a network file system (nfs), which does not tell of all saves";
    status.reload.watch.polling = Some(why.to_owned());
    status
}

#[test]
fn files_that_are_polled_are_not_said_to_be_watched() {
    let mut window = dark(Page::Activity, polling());
    assert!(says(&window, "Polling bench.toml"));
    assert!(!says(&window, "Watching bench.toml"));
    for name in ["Polling bench.toml", "Live · in step with file"] {
        window.get_by_label(name).hover();
        window.run_steps(60);
        let why = "Files are asked once a second. /lab is on a network file system (nfs)";
        assert!(says(&window, why), "{name}");
    }
}

#[test]
fn pictures_of_what_is_told() {
    let mut pictures = Pictures::default();
    pictures.take("activity_polling", Page::Activity, polling, |window| {
        window.get_by_label("Polling bench.toml").hover();
        window.run_steps(60);
    });
    pictures.take("activity_finishing", Page::Activity, unfinished, |window| {
        window.state_mut().busy = Some("Finishing the change…".to_owned());
    });
    pictures.take("leaving_tried", Page::Bench, ahead, |window| {
        window.state_mut().screen.leaving = true;
        window.run();
        click(window, "Write the file and leave");
    });
}
