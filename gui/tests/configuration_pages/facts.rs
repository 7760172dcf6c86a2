//! What was so when a revision was accepted, and what differs in all files of the bench.

use std::{collections::BTreeMap, sync::Arc};

use setpoint::panel::{
    Page,
    answers::Facts,
    intent::{HistoryIntent, Intent},
};
use setpoint_bench::{Change, ChangeKind, Effect, layers::bundle};
use setpoint_runtime::RevisionFacts;
use setpoint_video::Frame;

use crate::fixture::{NOW, Pictures, Window, click, dark, path, says, status};

const R36: &str = "r36 Aligned, beam on axis, yesterday 11:02, operator";

/// A colour chart of a camera's shape.
fn frame(at: &str) -> Arc<Frame> {
    let (width, height) = (320_u32, 180_u32);
    let pixel = |index: u32| {
        let (x, y) = (index % width, index / width);
        [(x * 255 / width) as u8, (y * 255 / height) as u8, 120, 255]
    };
    let rgba = (0..width * height).flat_map(pixel).collect();
    Arc::new(Frame { width, height, rgba, sequence: 1, at: at.parse().unwrap() })
}

fn facts() -> Arc<Facts> {
    let at = "2026-11-20T11:02:00Z";
    let reading =
        |instrument: &str, parameter: &str, values: [Option<f64>; 2], rest: (&str, &str, u64)| {
            let (unit, quality, age) = rest;
            serde_json::json!({
                "instrument": instrument, "parameter": parameter, "unit": unit,
                "setpoint": values[0], "readback": values[1], "quality": quality,
                "age_ms": (quality != "none").then_some(age),
            })
        };
    let readings = serde_json::json!([
        reading("lockin", "phase", [None, None], ("deg", "none", 0)),
        reading("psu", "ch1.voltage", [Some(3.15), Some(3.1493)], ("V", "good", 240)),
        reading("psu", "ch1.current_limit", [Some(0.5), Some(0.5)], ("A", "good", 12_400)),
        reading("thermo", "loop1.setpoint", [Some(295.0), Some(293.11)], ("K", "stale", 42_000)),
    ]);
    let picture = |source: &str, at: &str| setpoint_store::history::Picture {
        source: source.to_owned(),
        at: at.parse().unwrap(),
        width: 320,
        height: 180,
        png: Vec::new(),
    };
    let shown = "2026-11-20T11:01:59.9Z";
    Arc::new(Facts {
        kept: RevisionFacts {
            revision: "r36".to_owned(),
            at: at.parse().unwrap(),
            effect: "renegotiate".to_owned(),
            readings: serde_json::from_value(readings).unwrap(),
            pictures: vec![
                picture("beam_profile", "2026-11-20T11:01:18Z"),
                picture("sample", shown),
            ],
        },
        pictures: BTreeMap::from([("sample".to_owned(), frame(shown))]),
    })
}

fn on_facts() -> Window {
    let mut window = dark(Page::History, status());
    click(&mut window, R36);
    let asked = click(&mut window, "Facts");
    assert!(asked.contains(&need()), "{asked:?}");
    window
}

fn need() -> Intent {
    Intent::History(HistoryIntent::NeedFacts("r36".into()))
}

#[test]
fn facts_are_asked_for_and_shown_beside_what_was_asked() {
    let mut window = on_facts();
    assert!(says(&window, "Reading what was so at r36…"));
    window.state_mut().answers.facts.arrived("r36".to_owned(), Ok(Some(facts())));
    window.run();
    for words in [
        "Aligned, beam on axis",
        "Renegotiates, stays connected",
        "yesterday 11:02 · operator",
        "psu ch1.voltage: asked for 3.150, read back 3.149 V, Fresh",
        "psu ch1.current_limit: asked for 0.500, read back 0.500 A, Read 12 s before",
        "thermo loop1.setpoint: asked for 295.00, read back 293.11 K, Stale 42 s",
        "lockin phase: asked for –, read back – deg, Not read",
        "picture of sample, 11:01:59",
        "picture of beam_profile, 11:01:18, 42 s before",
    ] {
        assert!(says(&window, words), "{words}");
    }
    // The way back is on this view too.
    let back = HistoryIntent::Rollback { revision: "r36".into(), only: Vec::new() };
    assert_eq!(click(&mut window, "Roll back all to r36"), [Intent::History(back)]);
}

#[test]
fn facts_that_cannot_be_had_say_so_and_are_asked_for_again() {
    let mut window = on_facts();
    let damaged = Err("history.sqlite is damaged".to_owned());
    window.state_mut().answers.facts.arrived("r36".to_owned(), damaged);
    window.run();
    assert!(says(&window, "What was so at r36 cannot be read: history.sqlite is damaged"));
    assert_eq!(click(&mut window, "Try again"), [need()]);
    window.state_mut().answers.facts.arrived("r36".to_owned(), Ok(None));
    window.run();
    assert!(says(&window, "Nothing was kept of r36 but its text"));
}

/// A key of an included file differs, which no bench file shows.
fn included() -> Arc<Vec<Change>> {
    Arc::new(vec![Change {
        kind: ChangeKind::Changed,
        path: path("sources.door.framerate"),
        old: Some(25.into()),
        new: Some(30.into()),
        effect: Effect::Renegotiate,
    }])
}

#[test]
fn what_differs_is_asked_of_all_files_of_the_bench() {
    let mut window = dark(Page::History, status());
    window.state_mut().answers.changes = Default::default();
    let asked = click(&mut window, R36);
    for (old, new) in [("r36", "r41"), ("r41", "r36")] {
        let need = HistoryIntent::NeedChanges { old: old.into(), new: new.into() };
        assert!(asked.contains(&Intent::History(need)), "{asked:?}");
    }
    assert!(says(&window, "Comparing key by key…"));
    for key in [("r36", "r41"), ("r41", "r36")] {
        let key = (key.0.to_owned(), key.1.to_owned());
        window.state_mut().answers.changes.arrived(key, Ok(included()));
    }
    window.run();
    for words in ["1 changed", "Going back reshapes door and restarts nothing.", "door.framerate"] {
        assert!(says(&window, words), "{words}");
    }
    click(&mut window, "By parameter");
    assert!(says(&window, "sources.door.framerate: 25 to 30"));
    assert!(!says(&window, "instruments.psu.set.ch1.voltage"));
}

/// The door's camera is in a file of its own.
fn with_a_file_beside(window: &mut Window) {
    let door = |rate: u32| format!("# the door\n[sources.door]\nframerate = {rate}\n");
    let packed = |main: &str, rate| bundle::pack(main, [("cameras.toml", door(rate).as_str())]);
    let shown = window.state_mut();
    shown.status.text = packed(NOW, 30).into();
    shown.answers.texts.arrived("r36".to_owned(), Ok(packed(NOW, 25).into()));
    for key in [("r36", "r41"), ("r41", "r36")] {
        let key = (key.0.to_owned(), key.1.to_owned());
        shown.answers.changes.arrived(key, Ok(included()));
    }
    click(window, R36);
}

#[test]
fn files_beside_the_bench_file_are_shown_by_themselves() {
    let mut window = dark(Page::History, status());
    with_a_file_beside(&mut window);
    for words in
        ["file bench.toml", "file cameras.toml", "was 3: framerate = 25, now 3: framerate = 30"]
    {
        assert!(says(&window, words), "{words}");
    }
}

#[test]
fn where_the_other_files_cannot_be_compared_that_is_told() {
    let mut window = dark(Page::History, status());
    window.state_mut().answers.changes = Default::default();
    click(&mut window, R36);
    for key in [("r36", "r41"), ("r41", "r36")] {
        let key = (key.0.to_owned(), key.1.to_owned());
        let gone = Err("there is no revision r41".to_owned());
        window.state_mut().answers.changes.arrived(key, gone);
    }
    window.run();
    assert!(says(&window, "bench file only"));
    assert!(says(&window, "3 changed"));
}

#[test]
fn pictures_of_the_facts() {
    let mut pictures = Pictures::default();
    pictures.take("history_files", Page::History, status, with_a_file_beside);
    pictures.take("history_facts", Page::History, status, |window| {
        window.state_mut().answers.facts.arrived("r36".to_owned(), Ok(Some(facts())));
        click(window, R36);
        click(window, "Facts");
    });
}
