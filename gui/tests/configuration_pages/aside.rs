//! What stands between bench and file, and what waits for a person: shown, and decided with a
//! click.

use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    intent::{HistoryIntent, Intent, ReloadIntent, StageIntent, ViewIntent},
};
use setpoint_runtime::{
    Ahead, Decision, FileHolds, Question, ReloadState, Status, Suspended, Unfinished,
    UnfinishedStep,
};

use crate::fixture::{Pictures, at, click, dark, rejected, says, staged, status};

fn ahead() -> Status {
    let mut status = status();
    status.reload.state = ReloadState::Ahead;
    status.reload.ahead = Some(Ahead {
        cause: "/bench/bench.toml cannot be written: no space left on the disk".to_owned(),
        since: at("10:46:00"),
        next_try: Some(at("10:48:00")),
    });
    status
}

fn question() -> Status {
    let mut status = status();
    status.reload.state = ReloadState::Proposed;
    let removed = (1..=23).map(|number| format!("instruments.psu{number}")).collect();
    let message = "23 of 30 instruments would be removed".to_owned();
    status.reload.question = Some(Question { message, removed });
    status
}

fn suspended() -> Status {
    let mut status = rejected();
    status.reload.state = ReloadState::Suspended;
    status.reload.suspended = Some(Suspended { failures: 5, until: at("10:47:40") });
    status
}

const CLASH: &str = "instruments.psu.set.ch1.voltage (before 3.3, intended 3.45, in the file 3.6)";

/// What is [`unfinished`], and the file was saved since with another value of what it set.
fn clashing() -> Status {
    let mut status = unfinished();
    let clashes = Arc::new(Decision { clashes: vec![CLASH.to_owned()], ..Decision::default() });
    if let Some(change) = status.unfinished.as_mut().map(Arc::make_mut) {
        (change.finish, change.go_back) = (Some(clashes.clone()), Some(clashes));
        change.file_holds = FileHolds::Other;
    }
    status
}

fn unfinished() -> Status {
    let mut status = status();
    let step = |text: &str, done| UnfinishedStep { text: text.to_owned(), done };
    status.unfinished = Some(Arc::new(Unfinished {
        message: "Setpoint ended in the middle of a change from r40, …".to_owned(),
        at: at("10:40:12"),
        from_revision: "r40".to_owned(),
        steps: vec![
            step("psu.ch1.voltage 3.300 → 3.450 V, verify ±0.001", true),
            step("laser.power 10.0 → 12.0 mW", false),
            step("write bench.toml", false),
        ],
        file_holds: FileHolds::Before,
        finish: None,
        go_back: None,
    }));
    status.history_problem = Some(
        "history.sqlite was damaged and is kept as history-damaged-20261121T104200Z.sqlite; it \
         was made anew from revisions and audit."
            .to_owned(),
    );
    status
}

fn drafts() -> Status {
    let mut status = status();
    let mut draft = staged();
    (draft.id, draft.draft) = ("t7".to_owned(), true);
    let mut other = staged();
    (other.id, other.origin) = ("t8".to_owned(), setpoint_runtime::Origin::Api);
    (other.author, other.message) = ("sweep.py".to_owned(), "Night sweep".to_owned());
    status.transactions = vec![Arc::new(draft), Arc::new(other)];
    status
}

#[test]
fn a_bench_ahead_of_its_file_says_why_and_writes_again() {
    let mut window = dark(Page::Activity, ahead());
    for words in [
        "Ahead of the file",
        "no space left on the disk. Since 10:46:00.",
        "tried again at 10:48:00",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert_eq!(click(&mut window, "Write it now"), [Intent::Reload(ReloadIntent::Sync)]);
}

#[test]
fn leaving_a_bench_ahead_of_its_file_asks_first() {
    let mut window = dark(Page::Bench, ahead());
    window.state_mut().screen.leaving = true;
    window.run();
    assert!(says(&window, "What runs is not in bench.toml"));
    let write = click(&mut window, "Write the file and leave");
    assert_eq!(write, [Intent::Reload(ReloadIntent::Sync)]);
    assert_eq!(click(&mut window, "Stay"), [Intent::View(ViewIntent::Stay)]);
    assert!(!says(&window, "Leave anyway"));
    window.state_mut().screen.leaving = true;
    window.run();
    assert_eq!(click(&mut window, "Leave anyway"), [Intent::View(ViewIntent::Leave)]);
    // Once it is written, nothing keeps the window.
    window.state_mut().screen.leaving = true;
    window.state_mut().status = status();
    window.state().intents.borrow_mut().clear();
    window.run();
    assert_eq!(window.state().intents.take(), [Intent::View(ViewIntent::Leave)]);
}

#[test]
fn a_text_in_doubt_is_applied_or_refused_by_a_person() {
    let mut window = dark(Page::Activity, question());
    assert!(says(&window, "23 of 30 instruments would be removed: apply or keep?"));
    assert!(says(&window, "instruments.psu1, instruments.psu2"));
    assert!(says(&window, "and 15 more"));
    assert_eq!(click(&mut window, "Keep what runs"), [Intent::Reload(ReloadIntent::Sync)]);
    assert_eq!(click(&mut window, "Apply anyway"), [Intent::Reload(ReloadIntent::Now)]);
}

#[test]
fn reloads_that_are_held_back_say_until_when() {
    let mut window = dark(Page::Activity, suspended());
    for words in ["Reloads suspended", "5 saves in a row", "looked at again at 10:47:40"] {
        assert!(says(&window, words), "{words}");
    }
    assert!(says(&window, "voltage 52.0 V is above the maximum of 30 V"));
    assert_eq!(click(&mut window, "Look now"), [Intent::Reload(ReloadIntent::Now)]);
}

#[test]
fn a_change_that_was_not_finished_is_finished_or_taken_back() {
    let mut window = dark(Page::Activity, unfinished());
    for words in [
        "A change was not finished",
        "was not finished: 1 of 3 steps known to be done",
        "bench.toml holds the text from before it",
        "Something is wrong with the history; the bench runs on",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert_eq!(click(&mut window, "Finish it"), [Intent::Reload(ReloadIntent::Finish)]);
    assert_eq!(click(&mut window, "Go back to r40"), [Intent::Reload(ReloadIntent::GoBack)]);
}

#[test]
fn what_a_decision_writes_is_said_before_it_is_made() {
    let shown = |finish: Decision, go_back: Decision| {
        let mut status = unfinished();
        let change = Arc::make_mut(status.unfinished.as_mut().expect("one"));
        (change.finish, change.go_back) = (Some(Arc::new(finish)), Some(Arc::new(go_back)));
        dark(Page::Activity, status)
    };
    let writes = vec!["psu.ch1.voltage 3.3 → 3.45".to_owned(), "laser.power 10.0 → 12.0".into()];
    let finish = Decision { writes, ..Decision::default() };
    let mut window = shown(finish, Decision::default());
    for words in [
        "Going back leaves the file as it is.",
        "Finishing writes into the file: psu.ch1.voltage 3.3 → 3.45, laser.power 10.0 → 12.0.",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert_eq!(click(&mut window, "Finish it"), [Intent::Reload(ReloadIntent::Finish)]);

    let mut window = dark(Page::Activity, clashing());
    assert!(says(&window, CLASH));
    assert!(says(&window, "Save the value from before or the intended one"));
    assert_eq!(click(&mut window, "Finish it"), []);
    assert_eq!(click(&mut window, "Go back to r40"), []);
}

#[test]
fn drafts_are_taken_up_or_discarded() {
    let mut window = dark(Page::Changes, drafts());
    assert!(says(&window, "Nothing is staged"));
    assert!(says(&window, "t8 of sweep.py, open"));
    let take_up = click(&mut window, "Take up t7");
    assert_eq!(take_up, [Intent::Stage(StageIntent::TakeUp("t7".to_owned()))]);
    let discard = click(&mut window, "Discard t8");
    assert_eq!(discard, [Intent::Stage(StageIntent::DiscardOne("t8".to_owned()))]);
    assert!(window.query_by_label("Take up t8").is_none());
}

#[test]
fn what_is_staged_by_others_is_not_the_panels() {
    let mut status = drafts();
    let transactions = Arc::make_mut(&mut status.transactions[0]);
    transactions.draft = false;
    let mut window = dark(Page::Changes, status);
    assert!(says(&window, "Transaction t7"));
    assert!(says(&window, "t8 of sweep.py, open"));
    assert_eq!(click(&mut window, "Discard all"), [Intent::Stage(StageIntent::Discard)]);
}

#[test]
fn what_runs_is_kept_with_a_name() {
    let mut window = dark(Page::History, status());
    click(&mut window, "Snapshot");
    window.get_by_label("Name of the snapshot").type_text("evening");
    window.run();
    let kept = HistoryIntent::Snapshot { label: Some("evening".to_owned()) };
    assert_eq!(click(&mut window, "Keep"), [Intent::History(kept)]);
    assert!(window.query_by_label("Name of the snapshot").is_none());
}

#[test]
fn a_revision_is_named_once() {
    let mut window = dark(Page::History, status());
    click(&mut window, "Name r40");
    let taken = status().revisions.iter().find_map(|one| one.label.clone()).unwrap();
    window.get_by_label("Name of r40").type_text(&taken);
    window.run();
    assert!(says(&window, "has that name already"));
    assert_eq!(click(&mut window, "Name it"), []);
    window.get_by_label("Name of r40").focus();
    window.run();
    window.get_by_label("Name of r40").type_text(" 2");
    window.run();
    let label = Some(format!("{taken} 2"));
    let named = HistoryIntent::Label { revision: "r40".to_owned(), label };
    assert_eq!(click(&mut window, "Name it"), [Intent::History(named)]);
}

#[test]
fn pictures_of_what_waits() {
    let mut pictures = Pictures::default();
    pictures.take("activity_ahead", Page::Activity, ahead, |_| {});
    pictures.take("activity_question", Page::Activity, question, |_| {});
    pictures.take("activity_suspended", Page::Activity, suspended, |_| {});
    pictures.take("activity_unfinished", Page::Activity, unfinished, |_| {});
    pictures.take("activity_clash", Page::Activity, clashing, |_| {});
    pictures.take("changes_drafts", Page::Changes, drafts, |_| {});
    pictures.take("history_snapshot", Page::History, status, |window| {
        click(window, "Snapshot");
    });
    pictures.take("leaving", Page::Bench, ahead, |window| {
        window.state_mut().screen.leaving = true;
    });
}
