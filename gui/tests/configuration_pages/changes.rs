use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    intent::{Intent, StageIntent, ViewIntent},
};
use setpoint_bench::Value;
use setpoint_runtime::{Clash, Keep, Status, Transaction};

use crate::fixture::{Pictures, click, dark, finding, path, says, staged, status};

fn with(transaction: Transaction) -> Status {
    let mut status = status();
    status.transactions = vec![Arc::new(transaction)];
    status
}

fn clashing() -> Transaction {
    let mut open = staged();
    let edit = &mut open.edits[0];
    edit.clash = Some(Clash {
        path: edit.path.clone(),
        base: edit.base.clone(),
        file: Some(Value::Float(3.2)),
        mine: edit.value.clone(),
        renamed: None,
    });
    open.ok = false;
    open
}

#[test]
fn what_is_staged_is_shown_with_old_new_and_effect() {
    let window = dark(Page::Changes, with(staged()));
    for words in [
        "instruments.psu.set.ch1.voltage: 3.300 to 3.450 V, Live",
        "sources.sample.resolution: \"640x480\" to \"1280x720\", Renegotiates, stays connected",
        "instruments.lockin: lakeshore_335 to removed, Disconnects",
        "3 edits, 1 removal",
        "Transaction 0198-6f2c · opened 10:44",
        "2 viewers keep their session",
        "psu is connected",
    ] {
        assert!(says(&window, words), "{words}");
    }
}

#[test]
fn one_edit_or_all_can_be_taken_back() {
    let mut window = dark(Page::Changes, with(staged()));
    let key = "instruments.psu.set.ch1.voltage";
    assert_eq!(
        click(&mut window, &format!("Take back {key}")),
        [Intent::Stage(StageIntent::Unstage(vec![path(key)]))]
    );
    assert_eq!(click(&mut window, "Discard all"), [Intent::Stage(StageIntent::Discard)]);
}

#[test]
fn a_commit_carries_the_reason() {
    let mut window = dark(Page::Changes, with(staged()));
    window.get_by_label("Why, kept in the history").focus();
    window.run();
    window.get_by_label("Why, kept in the history").type_text("Warmer");
    window.run();
    let message = "Warmer".to_owned();
    assert_eq!(
        click(&mut window, "Commit 4 changes"),
        [Intent::Stage(StageIntent::Commit { message })]
    );
}

#[test]
fn errors_keep_the_commit_back_and_say_why() {
    let mut open = staged();
    let text = "ch1.voltage = 52.0\n";
    let message = "voltage 52.0 V is above the maximum of 30 V";
    let key = "instruments.psu.set.ch1.voltage";
    open.diagnostics = Arc::new(vec![finding(text, "52.0", "out_of_range", key, message)]);
    open.plan = Arc::default();
    open.ok = false;
    let mut window = dark(Page::Changes, with(open));
    assert_eq!(click(&mut window, "Commit 4 changes"), []);
    for words in ["1 error to fix first", message, "There is no plan until the checks pass"] {
        assert!(says(&window, words), "{words}");
    }
}

#[test]
fn what_is_being_worked_out_says_so_and_keeps_the_commit_back() {
    let mut open = staged();
    (open.changes, open.plan) = Default::default();
    (open.pending, open.ok) = (true, false);
    let mut window = dark(Page::Changes, with(open));
    assert_eq!(click(&mut window, "Commit 4 changes"), []);
    for words in [
        "The checks are not done yet",
        "The plan is being worked out",
        "instruments.psu.set.ch1.voltage: 3.300 to 3.450 V, Being worked out",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert!(!says(&window, "passed"));
}

#[test]
fn a_clash_is_decided_by_a_person() {
    let mut window = dark(Page::Changes, with(clashing()));
    let key = "instruments.psu.set.ch1.voltage";
    assert!(says(&window, &format!("{key} clashes: was 3.300, in the file 3.200, yours 3.450")));
    assert!(says(&window, "1 clash to decide first"));
    for (name, keep) in [
        (format!("Keep the file’s value of {key}"), Keep::Theirs),
        (format!("Keep the staged value of {key}"), Keep::Mine),
    ] {
        let wanted = Intent::Stage(StageIntent::Resolve(path(key), keep));
        assert_eq!(click(&mut window, &name), [wanted]);
    }
}

#[test]
fn an_empty_page_tells_how_to_stage() {
    let mut window = dark(Page::Changes, status());
    assert!(says(&window, "Nothing is staged"));
    let go = Intent::View(ViewIntent::Go(Page::Bench));
    assert_eq!(click(&mut window, "Go to the bench"), [go]);
}

#[test]
fn pictures_of_the_page() {
    let mut pictures = Pictures::default();
    pictures.take("changes", Page::Changes, || with(staged()), |_| {});
    pictures.take("changes_clash", Page::Changes, || with(clashing()), |_| {});
    pictures.take("changes_empty", Page::Changes, status, |_| {});
}
