//! A bench on paper, and a window that shows it.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, rc::Rc, sync::Arc};

use egui_kittest::{Harness, SnapshotOptions, SnapshotResults, kittest::Queryable as _};
use jiff::{Timestamp, tz::TimeZone};
use setpoint::panel::{Page, Screen, intent::Intent, pages::View, theme};
use setpoint_bench::{Change, ChangeKind, Diagnostic, Effect, Severity, Span, Value};
use setpoint_instruments::{InstrumentStatus, LinkState, ParameterStatus, Quality};
use setpoint_runtime::{
    BenchInfo, Event, LastReload, Origin, Outcome, PlanStep, Reload, ReloadState, Revision,
    SourceInfo, StagedEdit, Status, Subject, Timings, Tone, Transaction,
};
use setpoint_video::{SourceState, SourceStatus};

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

fn parameter(name: &str, decimals: usize, unit: &str) -> ParameterStatus {
    ParameterStatus {
        name: name.into(),
        label: name.into(),
        kind: "float",
        unit: Some(unit.into()),
        access: "rw",
        range: Some((0.0, 30.0)),
        choices: Vec::new(),
        decimals: Some(decimals),
        hazard: None,
        setpoint: None,
        readback: None,
        at: None,
        quality: Quality::None,
        in_tolerance: None,
        trend: Arc::default(),
    }
}

fn instrument(id: &str, state: LinkState, parameters: &[(&str, usize, &str)]) -> InstrumentStatus {
    InstrumentStatus {
        id: id.into(),
        driver: "rigol_dp832".into(),
        driver_name: "Rigol DP832 power supply".into(),
        address: "sim:".into(),
        link: None,
        state,
        identity: None,
        round_trip_ms: None,
        error: (state == LinkState::Offline).then(|| "no such device".into()),
        retry_at: None,
        parameters: parameters
            .iter()
            .map(|(name, decimals, unit)| {
                ((*name).to_owned(), Arc::new(parameter(name, *decimals, unit)))
            })
            .collect(),
    }
}

fn revision(id: &str, at: &str, message: &str, origin: Origin, label: Option<&str>) -> Revision {
    Revision {
        id: id.into(),
        hash: "9c1e07af".into(),
        at: at.parse().unwrap(),
        author: if origin == Origin::File { "file" } else { "operator" }.into(),
        origin,
        message: message.into(),
        label: label.map(str::to_owned),
    }
}

fn event(seq: u64, time: &str, subject: Subject, tone: Tone, message: &str, ms: f64) -> Arc<Event> {
    Arc::new(Event {
        seq,
        at: at(time),
        origin: Origin::Bench,
        mono_us: 0,
        run: "run".into(),
        kind: "test".into(),
        subject,
        tone,
        path: match subject {
            Subject::Configuration => String::new(),
            Subject::Instruments => "instruments.lockin".into(),
            Subject::Sources => "sources.sample".into(),
        },
        message: message.into(),
        took_ms: (ms > 0.0).then_some(ms),
        payload: None,
    })
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
    Status {
        bench: BenchInfo {
            name: "Optics table 3".into(),
            path: PathBuf::from("/lab/bench.toml"),
            environment: "development".into(),
        },
        revision: Some(revisions[0].clone()),
        reload: Reload {
            state: ReloadState::InStep,
            applied: 38,
            rejected: 3,
            last: Some(LastReload {
                at: at("10:42:07.655"),
                origin: Origin::File,
                outcome: Outcome::Applied,
                changes: 2,
                interrupted: 0,
                timings_ms: Timings {
                    settle: 52.3,
                    parse: 0.9,
                    check: 0.6,
                    plan: 0.4,
                    apply: 70.1,
                    write: 0.0,
                    total: 131.0,
                },
            }),
            diagnostics: Arc::default(),
            problem: None,
            ahead: None,
            question: None,
            suspended: None,
            watch: Default::default(),
        },
        attention: None,
        unfinished: None,
        history_problem: None,
        transactions: Vec::new(),
        instruments: [
            ("psu".to_owned(), Arc::new(instrument("psu", LinkState::Connected, psu))),
            ("thermo".to_owned(), Arc::new(instrument("thermo", LinkState::Connected, thermo))),
            ("lockin".to_owned(), Arc::new(instrument("lockin", LinkState::Offline, &[]))),
        ]
        .into_iter()
        .collect(),
        sources: [(
            "sample".to_owned(),
            Arc::new(SourceInfo {
                measured: SourceStatus {
                    id: "sample".into(),
                    kind: "test_pattern".into(),
                    state: SourceState::Live,
                    width: Some(640),
                    height: Some(480),
                    format: Some("I420".into()),
                    framerate: Some(15.0),
                    frames: 100,
                    drops: 0,
                    at: None,
                    viewers: 2,
                    rtsp_url: None,
                    error: None,
                },
                label: None,
                asked_framerate: 15.0,
            }),
        )]
        .into_iter()
        .collect(),
        revisions: Arc::new(revisions),
        events: Arc::new(events),
        text: NOW.into(),
        values: Arc::new(setpoint::values::of(NOW)),
        disk_text: None,
        cpu_percent: Some(11.0),
    }
}

fn edit(key: &str, base: Value, value: Option<Value>) -> StagedEdit {
    StagedEdit { path: path(key), base: Some(base), value, clash: None }
}

fn change(edit: &StagedEdit, effect: Effect) -> Change {
    Change {
        kind: if edit.value.is_none() { ChangeKind::Removed } else { ChangeKind::Changed },
        path: edit.path.clone(),
        old: edit.base.clone(),
        new: edit.value.clone(),
        effect,
    }
}

/// Four edits, three sets and a removal.
pub fn staged() -> Transaction {
    let lockin = setpoint::values::of("type = \"lakeshore_335\"\naddress = \"sim:\"\n");
    let edits = vec![
        edit("instruments.psu.set.ch1.voltage", 3.3.into(), Some(3.45.into())),
        edit("instruments.psu.set.ch2.current_limit", 1.0.into(), Some(0.8.into())),
        edit("sources.sample.resolution", "640x480".into(), Some("1280x720".into())),
        edit("instruments.lockin", lockin, None),
    ];
    let effects = [Effect::Live, Effect::Live, Effect::Renegotiate, Effect::Disconnect];
    let changes = edits.iter().zip(effects).map(|(edit, effect)| change(edit, effect)).collect();
    let step = |kind, text: &str, note: Option<&str>| PlanStep {
        text: text.into(),
        kind,
        note: note.map(str::to_owned),
        hazard: false,
    };
    Transaction {
        id: "0198-6f2c".into(),
        opened: at("10:44:00"),
        origin: Origin::Panel,
        author: "maria".to_owned(),
        message: String::new(),
        expires: None,
        draft: false,
        edits,
        diagnostics: Arc::default(),
        changes: Arc::new(changes),
        plan: Arc::new(vec![
            step("snapshot", "snapshot r41", None),
            step("disconnect", "lockin disconnect", None),
            step("set", "psu.ch2.current_limit 1.000 → 0.800 A, verify ±0.01", None),
            step(
                "set",
                "psu.ch1.voltage 3.300 → 3.450 V, verify ±0.005",
                Some("the output is on: the load sees it at once"),
            ),
            step("settings", "sample caps 640x480 → 1280x720", None),
            step("write", "write bench.toml", None),
        ]),
        ok: true,
    }
}

pub fn finding(text: &str, needle: &str, code: &str, key: &str, message: &str) -> Diagnostic {
    let index = text.lines().position(|line| line.contains(needle)).unwrap();
    let line = text.lines().nth(index).unwrap();
    let start = line[..line.find(needle).unwrap()].chars().count() as u32 + 1;
    let line = index as u32 + 1;
    let end_column = start + needle.chars().count() as u32;
    Diagnostic {
        severity: Severity::Error,
        code: code.into(),
        path: key.into(),
        message: message.into(),
        file: "bench.toml".into(),
        span: Span { line, column: start, end_line: line, end_column },
        suggestion: None,
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
    pub texts: BTreeMap<String, Result<Arc<str>, String>>,
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

pub fn window(page: Page, status: Status, kind: &Kind) -> Window {
    let texts = [("r36".to_owned(), Ok(then().into())), ("r40".to_owned(), Ok(NOW.into()))];
    let shown = Shown {
        status,
        screen: Screen::new(page, "operator"),
        texts: texts.into_iter().collect(),
        intents: Rc::default(),
    };
    let size = egui::Vec2::from(kind.size);
    let mut harness = Harness::builder()
        .with_size(kind.size)
        .with_theme(kind.theme)
        .with_max_steps(20)
        .with_render_cursor(false)
        .with_os(egui::os::OperatingSystem::Nix)
        .with_context_setup(theme::install)
        .with_options(SnapshotOptions::new().threshold(0.8).max_failed_pixels(40))
        .wgpu()
        .build_ui_state(
            move |ui, shown: &mut Shown| {
                // The harness leaves a margin that a window has not.
                let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
                let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(whole));
                ui.set_clip_rect(whole);
                let view = View {
                    status: &shown.status,
                    now: at("10:47:30"),
                    zone: &TimeZone::UTC,
                    texts: &shown.texts,
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
