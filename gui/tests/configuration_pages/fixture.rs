//! A bench on paper, and a window that shows it.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use egui_kittest::{Harness, SnapshotResults, kittest::Queryable as _};
use jiff::{Timestamp, tz::TimeZone};
use setpoint::panel::{Page, Screen, answers::Answers, intent::Intent, pages::View};
use setpoint_bench::{Diagnostic, Effect, Severity, Span};
use setpoint_instruments::{LinkState, ParameterStatus};
use setpoint_runtime::{
    Event, Origin, Outcome, ReloadState, Revision, Status, Subject, Timings, Tone, Transaction,
};
use setpoint_video::SourceState;

use crate::common::{self, builder, edit, step, whole};

pub fn at(text: &str) -> Timestamp {
    format!("2026-11-21T{text}Z").parse().unwrap()
}

pub fn path(text: &str) -> setpoint_bench::KeyPath {
    text.parse().unwrap()
}

pub const NOW: &str = r#"# Optics table 3
format = 1

[bench]
name = "Optics table 3"
environment = "development"

[runtime]
hot_reload = "apply"
quiet = "50ms"
snapshot_retention = 10
transaction_timeout = "5min"
log_level = "info"

# bias supply, do not exceed 3.6 V on ch1
[instruments.psu]
type = "rigol_dp832"
address = "tcp://192.0.2.21:5555"
on_reconnect = "reapply"
wire = { gap = "20ms" }

[instruments.psu.set]
ch1.voltage = 3.300
ch1.current_limit = 0.500
ch1.output = "on"
ch2.voltage = 12.000
ch2.current_limit = 1.000

# cryostat
[instruments.thermo]
type = "lakeshore_335"
address = "sim:"

[instruments.thermo.set]
loop1.setpoint = 295.00

[sources.sample]
type = "test_pattern"
pattern = "smpte"
resolution = "640x480"
framerate = 15
format = "I420"

[instruments.lockin]
type = "lakeshore_335"
address = "serial:///dev/serial/by-id/usb-FTDI_A60"
"#;

/// The text of an earlier revision.
pub fn then() -> String {
    let text = NOW
        .replace("on_reconnect = \"reapply\"\nwire", "on_reconnect = \"compare\"\nwire")
        .replace("wire = { gap = \"20ms\" }\n", "")
        .replace("ch1.voltage = 3.300", "ch1.voltage = 3.150")
        .replace("640x480", "1280x720");
    let end = text.find("\n[instruments.lockin]").unwrap();
    text[..end].to_owned()
}

fn parameters(all: &[(&str, usize, &str)]) -> Vec<ParameterStatus> {
    let parameter = |(name, decimals, unit): &(&str, usize, &str)| ParameterStatus {
        range: Some((0.0, 30.0)),
        ..common::parameter(name, name, unit, *decimals)
    };
    all.iter().map(parameter).collect()
}

fn revision(id: &str, at: &str, message: &str, origin: Origin, label: Option<&str>) -> Revision {
    common::revision(id, at.parse().unwrap(), origin, message, label)
}

fn event(seq: u64, time: &str, subject: Subject, tone: Tone, message: &str, ms: f64) -> Arc<Event> {
    let path = match subject {
        Subject::Configuration => "",
        Subject::Instruments => "instruments.lockin",
        Subject::Sources => "sources.sample",
    };
    let event = common::event(seq, at(time), "test", (subject, tone), message);
    Arc::new(Event { path: path.to_owned(), took_ms: (ms > 0.0).then_some(ms), ..event })
}

pub fn status() -> Status {
    let psu: &[_] = &[
        ("ch1.voltage", 3, "V"),
        ("ch1.current_limit", 3, "A"),
        ("ch2.voltage", 3, "V"),
        ("ch2.current_limit", 3, "A"),
    ];
    let thermo: &[_] = &[("loop1.setpoint", 2, "K")];
    let revisions = vec![
        revision("r41", "2026-11-21T10:42:07Z", "bench.toml changed on disk", Origin::File, None),
        revision("r40", "2026-11-21T10:31:09Z", "Slow the sweep, add lockin", Origin::Panel, None),
        revision("r39", "2026-11-21T09:58:00Z", "Rolled back to r36", Origin::Rollback, None),
        revision("r37", "2026-11-20T18:20:00Z", "Evening shutdown state", Origin::Panel, None),
        revision(
            "r36",
            "2026-11-20T11:02:00Z",
            "Aligned, beam on axis",
            Origin::Panel,
            Some("aligned-nov"),
        ),
        revision(
            "r35",
            "2026-11-20T10:47:00Z",
            "Loop gain from the tuning script",
            Origin::Api,
            None,
        ),
        revision("r34", "2026-11-19T16:12:00Z", "Replaced power meter", Origin::Panel, None),
        revision("r31", "2026-11-18T09:00:00Z", "Commissioned", Origin::Panel, Some("factory")),
    ];
    use Subject::{Configuration, Instruments, Sources};
    let events = vec![
        event(1, "08:02:11.004", Configuration, Tone::Info, "bench.toml opened as r39", 0.0),
        event(2, "10:31:08.901", Configuration, Tone::Kept, "Snapshot r39 kept before commit", 3.2),
        event(
            3,
            "10:31:09.114",
            Configuration,
            Tone::Good,
            "Commit r40 applied: 1 added, 1 changed",
            212.0,
        ),
        event(
            4,
            "10:42:07.520",
            Configuration,
            Tone::Info,
            "File changed on disk, waiting for it to settle",
            0.0,
        ),
        event(
            5,
            "10:42:07.655",
            Configuration,
            Tone::Good,
            "Reload applied as r41: 2 changed, 0 restarted, 0 streams interrupted",
            6.1,
        ),
        event(
            6,
            "10:44:31.118",
            Configuration,
            Tone::Staged,
            "operator staged psu.ch1.voltage 3.300 → 3.450 V",
            0.0,
        ),
        event(7, "10:45:02.500", Sources, Tone::Info, "sample shows 640x480 at 15.0 fps", 0.0),
        event(
            8,
            "10:46:55.020",
            Instruments,
            Tone::Warning,
            "lockin stopped answering; its values are marked stale",
            0.0,
        ),
    ];
    let timings = Timings {
        settle: 52.3,
        parse: 0.9,
        check: 0.6,
        plan: 0.4,
        apply: 70.1,
        write: 0.0,
        total: 131.0,
    };
    let last = common::reload(at("10:42:07.655"), Outcome::Applied, timings);
    let mut lockin = common::instrument("lockin", Vec::new());
    lockin.state = LinkState::Offline;
    lockin.error = Some("no such device".to_owned());
    let psu = common::instrument("psu", parameters(psu));
    let thermo = common::instrument("thermo", parameters(thermo));
    let seen = Some((640, 480, "I420", 15.0));
    let mut sample = common::source("sample", SourceState::Live, seen);
    sample.measured.viewers = 2;
    sample.asked_framerate = 15.0;
    let instruments = [psu, thermo, lockin];
    Status {
        revision: revisions.first().cloned(),
        instruments: instruments.into_iter().map(|it| (it.id.clone(), Arc::new(it))).collect(),
        sources: [("sample".to_owned(), Arc::new(sample))].into_iter().collect(),
        revisions: Arc::new(revisions),
        events: Arc::new(events),
        text: NOW.into(),
        values: Arc::new(setpoint::values::of(NOW)),
        ..common::status("/lab/bench.toml", last)
    }
}

/// Four edits, three sets and a removal.
pub fn staged() -> Transaction {
    let lockin = setpoint::values::of("type = \"lakeshore_335\"\naddress = \"sim:\"\n");
    let edits = vec![
        edit(path("instruments.psu.set.ch1.voltage"), 3.3.into(), Some(3.45.into())),
        edit(path("instruments.psu.set.ch2.current_limit"), 1.0.into(), Some(0.8.into())),
        edit(path("sources.sample.resolution"), "640x480".into(), Some("1280x720".into())),
        edit(path("instruments.lockin"), lockin, None),
    ];
    let effects = [Effect::Live, Effect::Live, Effect::Renegotiate, Effect::Disconnect];
    let loads = "the output is on: the load sees it at once";
    let plan = vec![
        step("snapshot", "snapshot r41", None),
        step("disconnect", "lockin disconnect", None),
        step("set", "psu.ch2.current_limit 1.000 → 0.800 A, verify ±0.01", None),
        step("set", "psu.ch1.voltage 3.300 → 3.450 V, verify ±0.005", Some(loads)),
        step("settings", "sample caps 640x480 → 1280x720", None),
        step("write", "write bench.toml", None),
    ];
    common::transaction(at("10:44:00"), edits, &effects, plan)
}

pub fn finding(text: &str, needle: &str, code: &str, key: &str, message: &str) -> Diagnostic {
    let index = text.lines().position(|line| line.contains(needle)).unwrap();
    let line = text.lines().nth(index).unwrap();
    let start = line[..line.find(needle).unwrap()].chars().count() as u32 + 1;
    let line = index as u32 + 1;
    let end_column = start + needle.chars().count() as u32;
    Diagnostic {
        code: code.into(),
        span: Span { line, column: start, end_line: line, end_column },
        ..common::diagnostic(Severity::Error, key, message)
    }
}

/// The file holds two errors.
pub fn rejected() -> Status {
    let mut status = status();
    let text = NOW
        .replace("ch2.voltage = 12.000", "ch2.voltage = 52.0")
        .replace("resolution =", "resoluton =");
    let mut unknown = finding(
        &text,
        "resoluton",
        "unknown_key",
        "sources.sample.resoluton",
        "unknown key “resoluton”",
    );
    unknown.suggestion = Some("resolution".into());
    let range = "voltage 52.0 V is above the maximum of 30 V";
    let key = "instruments.psu.set.ch2.voltage";
    let range = finding(&text, "52.0", "out_of_range", key, range);
    status.reload.state = ReloadState::Rejected;
    status.reload.rejected = 4;
    if let Some(last) = &mut status.reload.last {
        last.outcome = Outcome::Rejected;
    }
    status.reload.diagnostics = Arc::new(vec![range, unknown]);
    status.disk_text = Some(text.into());
    let mut events = status.events.to_vec();
    let message = "Reload rejected: 2 errors in bench.toml. Running configuration unchanged.";
    events.push(event(9, "10:47:12.402", Subject::Configuration, Tone::Error, message, 4.8));
    status.events = Arc::new(events);
    status
}

/// What the window shows and what was asked of it.
pub struct Shown {
    pub status: Status,
    pub screen: Screen,
    pub answers: Answers,
    pub busy: Option<String>,
    pub intents: Rc<RefCell<Vec<Intent>>>,
}

pub type Window = Harness<'static, Shown>;

pub struct Kind {
    pub theme: egui::Theme,
    pub size: [f32; 2],
}

/// Both themes at both sizes, with the names that pictures of them carry.
pub const KINDS: [(&str, Kind); 4] = [
    ("dark", Kind { theme: egui::Theme::Dark, size: [1440.0, 900.0] }),
    ("light", Kind { theme: egui::Theme::Light, size: [1440.0, 900.0] }),
    ("small", Kind { theme: egui::Theme::Dark, size: [1024.0, 700.0] }),
    ("small_light", Kind { theme: egui::Theme::Light, size: [1024.0, 700.0] }),
];

/// What the history answers of texts.
pub fn answers() -> Answers {
    let then = then();
    common::answers(&[("r41", NOW), ("r36", &then), ("r40", NOW)])
}

pub fn window(page: Page, status: Status, kind: &Kind) -> Window {
    let shown = Shown {
        status,
        screen: Screen::new(page, "operator"),
        answers: answers(),
        busy: None,
        intents: Rc::default(),
    };
    let size = egui::Vec2::from(kind.size);
    let mut harness = builder(kind.theme, size).with_render_cursor(false).build_ui_state(
        move |ui, shown: &mut Shown| {
            let mut ui = whole(ui, size);
            let view = View {
                status: &shown.status,
                now: at("10:47:30"),
                zone: &TimeZone::UTC,
                answers: &shown.answers,
                busy: shown.busy.as_deref(),
                pictures: &|_| None,
            };
            let intents = shown.screen.show(&mut ui, &view);
            shown.intents.borrow_mut().extend(intents);
        },
        shown,
    );
    harness.run();
    harness
}

pub fn dark(page: Page, status: Status) -> Window {
    window(page, status, &KINDS[0].1)
}

/// Clicks what has this accessible name and returns what was asked for.
pub fn click(window: &mut Window, name: &str) -> Vec<Intent> {
    window.state().intents.borrow_mut().clear();
    window.get_by_label(name).click();
    window.run();
    window.state().intents.take()
}

/// Whether something has this in its accessible name.
pub fn says(window: &Window, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

/// What pictures of pages came to; looked at when it goes out of scope.
#[derive(Default)]
pub struct Pictures(SnapshotResults);

impl Pictures {
    /// Pictures of a page in both themes and sizes.
    pub fn take(
        &mut self,
        name: &str,
        page: Page,
        status: impl Fn() -> Status,
        prepare: impl Fn(&mut Window),
    ) {
        for (kind_name, kind) in &KINDS {
            let mut window = window(page, status(), kind);
            prepare(&mut window);
            window.run();
            self.0.add(window.try_snapshot(format!("{name}_{kind_name}")));
        }
    }
}
