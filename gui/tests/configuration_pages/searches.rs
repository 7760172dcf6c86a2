//! Searches that ask the history.

use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use setpoint::panel::{
    Page,
    answers::Search,
    intent::{HistoryIntent, Intent},
};
use setpoint_runtime::{Event, EventFilter, Status, Subject, Tone};

use crate::{
    common,
    fixture::{Pictures, Window, at, dark, says, status},
};

/// Types into a field and returns what was asked for.
fn type_into(window: &mut Window, field: &str, text: &str) -> Vec<Intent> {
    window.get_by_label(field).focus();
    window.run();
    window.state().intents.borrow_mut().clear();
    window.get_by_label(field).type_text(text);
    window.run();
    window.state().intents.take()
}

/// The search that was asked for last.
fn search(asked: &[Intent]) -> Option<Search> {
    asked.iter().rev().find_map(|intent| match intent {
        Intent::History(HistoryIntent::Find(search, _) | HistoryIntent::FindEvents(search, _)) => {
            Some(search.clone())
        }
        _ => None,
    })
}

#[test]
fn revisions_are_looked_for_in_the_history() {
    let mut window = dark(Page::History, status());
    let asked = type_into(&mut window, "Search revisions", "instrument:psu author:ada since:2h");
    let Some(Intent::History(HistoryIntent::Find(search, query))) = asked.last() else {
        panic!("{asked:?}");
    };
    assert_eq!(query.instrument.as_deref(), Some("psu"));
    assert_eq!(query.author.as_deref(), Some("ada"));
    assert_eq!(query.from, Some(at("08:47:30")));
    assert!(says(&window, "Searching…"));
    let (found, search) = (Arc::new(vec!["r34".to_owned()]), search.clone());
    window.state_mut().answers.revisions.arrived(search, Ok(found));
    window.run();
    assert!(says(&window, "r34 Replaced power meter"));
    assert!(!says(&window, "r36 Aligned, beam on axis"));
}

#[test]
fn plain_words_are_found_at_once_and_in_changed_keys() {
    let mut window = dark(Page::History, status());
    let asked = type_into(&mut window, "Search revisions", "meter");
    assert!(says(&window, "r34 Replaced power meter"), "it is in memory");
    let found = Arc::new(vec!["r40".to_owned()]);
    window.state_mut().answers.revisions.arrived(search(&asked).unwrap(), Ok(found));
    window.run();
    assert!(says(&window, "r34 Replaced power meter"));
    assert!(says(&window, "r40 Slow the sweep, add lockin"), "it changed a key of that name");
    assert!(!says(&window, "r31 Commissioned"));
}

#[test]
fn a_search_that_cannot_be_says_why_and_hides_nothing() {
    let mut window = dark(Page::History, status());
    type_into(&mut window, "Search revisions", "since:noon");
    assert!(says(&window, "“noon” is no time"));
    assert!(says(&window, "r31 Commissioned"));
    let mut window = dark(Page::History, status());
    let asked = type_into(&mut window, "Search revisions", "factory");
    let failed = Err("the folder is gone".to_owned());
    window.state_mut().answers.revisions.arrived(search(&asked).unwrap(), failed);
    window.run();
    assert!(says(&window, "The history could not be searched: the folder is gone"));
    assert!(says(&window, "r31 Commissioned"));
}

#[test]
fn an_empty_search_tells_its_words() {
    let mut window = dark(Page::History, status());
    assert!(!says(&window, "instrument:psu, author:ada"));
    window.get_by_label("Search revisions").focus();
    window.run();
    assert!(says(&window, "instrument:psu, author:ada, origin:api, since:2h"));
}

/// Events 1 to 1,000 are in the history alone.
fn long_ago() -> Status {
    let mut status = status();
    let later =
        |event: &Arc<Event>| Arc::new(Event { seq: event.seq + 1_000, ..(**event).clone() });
    status.events = Arc::new(status.events.iter().map(later).collect());
    status
}

#[test]
fn events_that_are_not_in_memory_are_looked_for_in_the_history() {
    let mut window = dark(Page::Activity, long_ago());
    let asked = type_into(&mut window, "Filter events", "path:instruments.lockin slipped");
    let Some(Intent::History(HistoryIntent::FindEvents(search, filter))) = asked.last() else {
        panic!("{asked:?}");
    };
    let wanted = EventFilter {
        before: Some(1_009),
        path: Some("instruments.lockin".to_owned()),
        ..filter.clone()
    };
    assert_eq!(filter, &wanted);
    assert!(says(&window, "Searching the history…"));
    let about = (Subject::Instruments, Tone::Warning);
    let event = |seq, path: &str, message: &str| {
        let event = common::event(seq, at("07:00:00"), "test", about, message);
        Arc::new(Event { path: path.to_owned(), ..event })
    };
    let found = vec![
        event(900, "instruments.lockin", "lockin slipped"),
        event(800, "instruments.lockin", "lockin connected"),
    ];
    let search = search.clone();
    window.state_mut().answers.events.arrived(search, Ok(Arc::new(found)));
    window.run();
    assert!(says(&window, "07:00:00.000 lockin slipped"));
    assert!(!says(&window, "lockin connected"));

    // One more event, and memory lets go of its oldest: nobody is asked again for that.
    let mut events = window.state().status.events.to_vec();
    events.remove(0);
    events.push(event(1_009, "instruments.lockin", "lockin slipped again"));
    window.state_mut().status.events = Arc::new(events);
    window.state().intents.borrow_mut().clear();
    window.run();
    assert_eq!(window.state().intents.take(), []);
    assert!(says(&window, "lockin slipped again"));
    assert!(says(&window, "07:00:00.000 lockin slipped"));
}

#[test]
fn what_is_all_in_memory_asks_nobody() {
    let mut window = dark(Page::Activity, status());
    let asked = type_into(&mut window, "Filter events", "kind:test");
    assert_eq!(asked, []);
    assert!(says(&window, "lockin stopped answering"));
}

#[test]
fn half_a_key_finds_nothing() {
    let mut window = dark(Page::Activity, status());
    type_into(&mut window, "Filter events", "path:instruments.lock");
    assert!(says(&window, "Nothing matches"));
    type_into(&mut window, "Filter events", "in");
    assert!(says(&window, "lockin stopped answering"));
}

#[test]
fn pictures_of_searches() {
    let mut pictures = Pictures::default();
    pictures.take("history_search", Page::History, status, |window| {
        let asked = type_into(window, "Search revisions", "instrument:psu since:3d");
        let found = Arc::new(["r40", "r36", "r34"].map(str::to_owned).to_vec());
        window.state_mut().answers.revisions.arrived(search(&asked).unwrap(), Ok(found));
    });
    pictures.take("history_search_words", Page::History, status, |window| {
        window.get_by_label("Search revisions").focus();
    });
}
