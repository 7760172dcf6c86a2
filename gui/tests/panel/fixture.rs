//! Benches to draw: a full one, an empty one, a crowded one, a broken one. All times are fixed.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use setpoint_bench::{Change, ChangeKind, Diagnostic, Effect, KeyPath, Severity, Span, Value};
use setpoint_instruments::{
    InstrumentStatus, LinkState, ParamValue, ParameterStatus, Quality, Trend,
};
use setpoint_runtime::{
    BenchInfo, Event, LastReload, Origin, Outcome, PlanStep, Reload, ReloadState, Revision,
    SourceInfo, StagedEdit, Status, Subject, Timings, Tone, Transaction,
};
use setpoint_video::{Frame, SourceState, SourceStatus};

/// The moment all fixtures are looked at.
pub fn now() -> Timestamp {
    "2026-11-21T10:42:30Z".parse().unwrap()
}

/// A moment so many seconds before [`now`].
pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// The bench of the design: everything there is, at once.
pub fn full() -> Status {
    let mut status = quiet();
    status.transactions = vec![Arc::new(transaction())];
    status
}

/// The same bench with nothing staged.
pub fn quiet() -> Status {
    let mut status = empty();
    status.bench.name = "Optics table 3".to_owned();
    for instrument in [psu(), thermo(), stage(), laser(), meter(), lockin()] {
        status.instruments.insert(instrument.id.clone(), Arc::new(instrument));
    }
    for source in [
        source("pattern", SourceState::Live, Some((1280, 720, "I420", 30.0))),
        source("beam_profile", SourceState::Live, Some((1936, 1216, "GRAY8", 29.9))),
        source("sample", SourceState::Slow, Some((640, 480, "YUY2", 14.8))),
        SourceInfo {
            measured: SourceStatus {
                at: Some(ago(8)),
                error: Some("rtsp://192.0.2.9/1 refused".to_owned()),
                ..source("door", SourceState::Fallback, None).measured
            },
            ..source("door", SourceState::Fallback, None)
        },
    ] {
        status.sources.insert(source.measured.id.clone(), Arc::new(source));
    }
    let pattern = table([
        ("type", "test_pattern".into()),
        ("pattern", "smpte".into()),
        ("resolution", "1280x720".into()),
        ("framerate", Value::Int(30)),
        ("format", "I420".into()),
    ]);
    status.values = Arc::new(table([("sources", table([("pattern", pattern)]))]));
    status
}

/// A bench file with nothing in it.
pub fn empty() -> Status {
    Status {
        bench: BenchInfo {
            name: "Empty bench".to_owned(),
            path: PathBuf::from("/bench/bench.toml"),
            environment: "development".to_owned(),
        },
        revision: Some(revision("r41", 23, Origin::File, "bench.toml changed on disk", None)),
        reload: Reload {
            state: ReloadState::InStep,
            applied: 38,
            rejected: 3,
            last: Some(last(Outcome::Applied, 23)),
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
        instruments: Default::default(),
        sources: Default::default(),
        revisions: Arc::new(vec![
            revision("r41", 23, Origin::File, "bench.toml changed on disk", None),
            revision("r40", 680, Origin::Panel, "Slow the lock-in sweep, add SR830", None),
            revision("r39", 2600, Origin::Rollback, "Rolled back to r36", None),
            revision("r37", 58_000, Origin::Panel, "Evening shutdown state", None),
            revision("r36", 85_000, Origin::Panel, "Aligned, beam on axis", Some("aligned-nov")),
            revision("r31", 265_000, Origin::Panel, "Commissioned", Some("factory")),
        ]),
        events: Arc::new(events()),
        text: Arc::from(TEXT),
        values: Arc::new(Value::Table(Default::default())),
        disk_text: None,
        cpu_percent: Some(11.2),
    }
}

/// A thousand instruments, many of them not well.
pub fn crowded() -> Status {
    let mut status = empty();
    status.bench.name =
        "A bench with a very long name that somebody thought was helpful".to_owned();
    for number in 0..1000 {
        let mut instrument = psu();
        instrument.id = format!("supply_{number:04}");
        if number % 7 == 3 {
            instrument.state = LinkState::Offline;
            instrument.retry_at = Some(now() + SignedDuration::from_secs(number % 30 + 1));
        }
        if number % 11 == 5 {
            let voltage = parameter_mut(&mut instrument, "ch1.voltage");
            voltage.quality = Quality::Stale;
            voltage.at = Some(ago(number));
        }
        status.instruments.insert(instrument.id.clone(), Arc::new(instrument));
    }
    for number in 0..14 {
        let source =
            source(&format!("camera_{number}"), SourceState::Live, Some((640, 480, "I420", 25.0)));
        status.sources.insert(source.measured.id.clone(), Arc::new(source));
    }
    status
}

/// A file that was refused, and devices that do not answer or do not do as told.
pub fn broken() -> Status {
    let mut status = quiet();
    status.reload.state = ReloadState::Rejected;
    status.reload.last = Some(last(Outcome::Rejected, 40));
    status.reload.diagnostics = Arc::new(vec![
        Diagnostic {
            code: "out_of_range".to_owned(),
            span: Span { line: 29, column: 15, end_line: 29, end_column: 19 },
            ..diagnostic(
                Severity::Error,
                "instruments.psu.set.ch2.voltage",
                "voltage 52.0 V is above the maximum of 30 V",
            )
        },
        Diagnostic {
            span: Span { line: 42, column: 1, end_line: 42, end_column: 10 },
            suggestion: Some("resolution".to_owned()),
            ..diagnostic(Severity::Error, "sources.sample.resoluton", "unknown key “resoluton”")
        },
    ]);
    let disk = TEXT.replace("ch2.voltage = 12.0", "ch2.voltage = 52.0");
    status.disk_text = Some(Arc::from(disk.replace("resolution", "resoluton")));
    for id in ["thermo", "stage"] {
        let instrument = Arc::make_mut(status.instruments.get_mut(id).unwrap());
        instrument.state = LinkState::Offline;
        instrument.error = Some(format!(
            "{} does not answer: connection refused; check power and cable",
            instrument.address
        ));
        instrument.retry_at = Some(now() + SignedDuration::from_secs(6));
    }
    let psu = Arc::make_mut(status.instruments.get_mut("psu").unwrap());
    for name in ["ch1.voltage", "ch1.output"] {
        let parameter = parameter_mut(psu, name);
        parameter.in_tolerance = Some(false);
        parameter.readback = Some(match name {
            "ch1.voltage" => ParamValue::Float(3.18),
            _ => text("off"),
        });
    }
    status
}

/// Texts of revisions as the history page asks for them.
pub fn texts() -> BTreeMap<String, Result<Arc<str>, String>> {
    let older = TEXT.replace("ch1.voltage = 3.300", "ch1.voltage = 3.150");
    [("r41".to_owned(), Ok(Arc::from(TEXT))), ("r36".to_owned(), Ok(Arc::from(older)))].into()
}

/// The running text.
pub const TEXT: &str = r#"# Optics table 3
format = 1

[bench]
name = "Optics table 3"
environment = "development"

# bias supply, do not exceed 3.6 V on ch1
[instruments.psu]
type = "rigol_dp832"
address = "tcp://192.0.2.21:5555"

[instruments.psu.set]
ch1.voltage = 3.300
ch1.current_limit = 0.500
ch1.output = "on"
ch2.voltage = 12.0
ch2.current_limit = 1.00

[instruments.thermo]
type = "lakeshore_335"
address = "sim:"

[instruments.thermo.set]
loop1.setpoint = 295.00

[sources.pattern]
type = "test_pattern"
pattern = "smpte"
resolution = "1280x720"
framerate = 30
format = "I420"
"#;

/// The newest picture of a source.
pub fn picture(source: &str) -> Option<Arc<Frame>> {
    const BARS: [[u8; 3]; 7] = [
        [192, 192, 192],
        [192, 192, 0],
        [0, 192, 192],
        [0, 192, 0],
        [192, 0, 192],
        [192, 0, 0],
        [0, 0, 192],
    ];
    let (width, height) = match source {
        "sample" => (320_u32, 240_u32),
        "door" => return None,
        _ => (320, 180),
    };
    let mut rgba = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = match source {
                "beam_profile" => {
                    let (dx, dy) = (x.abs_diff(190), y.abs_diff(80));
                    let near = 255_u32.saturating_sub((dx * dx + dy * dy) / 24);
                    [(near / 3) as u8, (near / 2) as u8, (near * 4 / 5 + 20) as u8]
                }
                "sample" => {
                    let within = |cx: u32, cy: u32, radius: u32| {
                        x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < radius * radius
                    };
                    match (within(130, 150, 46), within(210, 100, 32)) {
                        (true, _) => [106, 83, 64],
                        (_, true) => [81, 69, 56],
                        _ => [40, 36, 33],
                    }
                }
                _ => BARS[(x * 7 / width) as usize],
            };
            rgba.extend([r, g, b, 255]);
        }
    }
    Some(Arc::new(Frame { width, height, rgba, sequence: 1, at: now() }))
}

fn table<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.to_owned())
}

fn last(outcome: Outcome, seconds: i64) -> LastReload {
    LastReload {
        at: ago(seconds),
        origin: Origin::File,
        outcome,
        changes: if outcome == Outcome::Applied { 2 } else { 0 },
        interrupted: 0,
        timings_ms: Timings {
            settle: 52.0,
            parse: 0.4,
            check: 0.9,
            plan: 0.6,
            apply: 4.1,
            write: 0.0,
            total: 6.1,
        },
    }
}

fn revision(id: &str, age: i64, origin: Origin, message: &str, label: Option<&str>) -> Revision {
    Revision {
        id: id.to_owned(),
        hash: "9c1e07af".to_owned(),
        at: ago(age),
        author: if origin == Origin::File { "file" } else { "operator" }.to_owned(),
        origin,
        message: message.to_owned(),
        label: label.map(str::to_owned),
    }
}

/// A finding about a key, at the beginning of the file.
pub fn diagnostic(severity: Severity, path: &str, message: &str) -> Diagnostic {
    Diagnostic {
        severity,
        code: "unknown_key".to_owned(),
        path: path.to_owned(),
        message: message.to_owned(),
        file: "bench.toml".to_owned(),
        span: Span { line: 1, column: 1, end_line: 1, end_column: 1 },
        suggestion: None,
    }
}

fn events() -> Vec<Arc<Event>> {
    let event = |seq, seconds, kind, subject, tone, path: &str, message: &str, took_ms| {
        Arc::new(Event {
            seq,
            at: ago(seconds),
            mono_us: 0,
            run: "run".into(),
            origin: Origin::Bench,
            kind: std::borrow::Cow::Borrowed(kind),
            subject,
            tone,
            path: path.to_owned(),
            message: message.to_owned(),
            took_ms,
            payload: None,
        })
    };
    let (file, device) = (Subject::Configuration, Subject::Instruments);
    vec![
        event(
            1,
            681,
            "snapshot_kept",
            file,
            Tone::Kept,
            "",
            "Snapshot r39 kept before commit",
            Some(3.2),
        ),
        event(
            2,
            680,
            "commit_applied",
            file,
            Tone::Good,
            "",
            "Commit r40 applied: 1 added, 1 changed",
            Some(212.0),
        ),
        event(3, 24, "file_changed", file, Tone::Info, "", "bench.toml changed on disk", None),
        event(
            4,
            23,
            "reload_applied",
            file,
            Tone::Good,
            "",
            "Reload applied as r41: 2 changed, 0 streams interrupted",
            Some(6.1),
        ),
        event(
            5,
            15,
            "instrument_offline",
            device,
            Tone::Warning,
            "instruments.lockin",
            "lockin stopped answering; retry in 8 s",
            None,
        ),
        event(
            6,
            9,
            "staged",
            file,
            Tone::Staged,
            "instruments.psu.set.ch1.voltage",
            "operator staged psu.ch1.voltage 3.300 → 3.450 V",
            None,
        ),
    ]
}

fn transaction() -> Transaction {
    let edit = |path: KeyPath, base: Value, value: Value| StagedEdit {
        path,
        base: Some(base),
        value: Some(value),
        clash: None,
    };
    let edits = vec![
        edit(KeyPath::setpoint("psu", "ch1.voltage"), 3.3.into(), 3.45.into()),
        edit(KeyPath::setpoint("psu", "ch2.current_limit"), 1.0.into(), 0.8.into()),
        edit(
            KeyPath::new(["sources", "pattern", "resolution"]),
            "1280x720".into(),
            "640x480".into(),
        ),
    ];
    let changes = edits
        .iter()
        .zip([Effect::Live, Effect::Live, Effect::Renegotiate])
        .map(|(edit, effect)| Change {
            kind: ChangeKind::Changed,
            path: edit.path.clone(),
            old: edit.base.clone(),
            new: edit.value.clone(),
            effect,
        })
        .collect();
    let step =
        |text: &str, kind| PlanStep { text: text.to_owned(), kind, note: None, hazard: false };
    Transaction {
        id: "0198-6f2c".to_owned(),
        opened: ago(90),
        origin: Origin::Panel,
        author: "maria".to_owned(),
        message: String::new(),
        expires: None,
        draft: false,
        edits,
        diagnostics: Arc::default(),
        changes: Arc::new(changes),
        plan: Arc::new(vec![
            step("snapshot r41", "snapshot"),
            step("psu.ch2.current_limit 1.000 → 0.800 A, verify ±0.001", "set"),
            step("psu.ch1.voltage 3.300 → 3.450 V, verify ±0.001", "set"),
            step("pattern resolution 1280x720 → 640x480", "settings"),
            step("write bench.toml", "write"),
        ]),
        ok: true,
    }
}

/// A parameter of a fixture's instrument, to be changed.
pub fn parameter_mut<'a>(
    instrument: &'a mut InstrumentStatus,
    name: &str,
) -> &'a mut ParameterStatus {
    Arc::make_mut(instrument.parameters.get_mut(name).unwrap())
}

fn instrument(
    id: &str,
    driver: &str,
    name: &str,
    address: &str,
    parameters: Vec<ParameterStatus>,
) -> InstrumentStatus {
    InstrumentStatus {
        id: id.to_owned(),
        driver: driver.to_owned(),
        driver_name: name.to_owned(),
        address: address.to_owned(),
        link: Some(address.to_owned()),
        state: LinkState::Connected,
        identity: Some("DP832 · DP8C1234567".to_owned()),
        round_trip_ms: Some(3.1),
        error: None,
        retry_at: None,
        parameters: parameters.into_iter().map(|one| (one.name.clone(), Arc::new(one))).collect(),
    }
}

fn float(name: &str, label: &str, unit: &str, decimals: usize) -> ParameterStatus {
    ParameterStatus {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: "float",
        unit: Some(unit.to_owned()),
        access: "rw",
        range: None,
        choices: Vec::new(),
        decimals: Some(decimals),
        hazard: None,
        setpoint: None,
        readback: None,
        at: Some(now()),
        quality: Quality::Good,
        in_tolerance: None,
        trend: Trend::default(),
    }
}

fn asked(
    parameter: ParameterStatus,
    range: (f64, f64),
    setpoint: f64,
    readback: f64,
) -> ParameterStatus {
    let scale = 10f64.powi(-(parameter.decimals.unwrap_or(3) as i32));
    ParameterStatus {
        range: Some(range),
        setpoint: Some(ParamValue::Float(setpoint)),
        readback: Some(ParamValue::Float(readback)),
        in_tolerance: Some((setpoint - readback).abs() < 30.0 * scale),
        trend: wave(readback, 12.0 * scale),
        ..parameter
    }
}

fn read(parameter: ParameterStatus, readback: f64) -> ParameterStatus {
    let scale = 10f64.powi(-(parameter.decimals.unwrap_or(3) as i32));
    ParameterStatus {
        access: "r",
        readback: Some(ParamValue::Float(readback)),
        trend: wave(readback, 15.0 * scale),
        ..parameter
    }
}

fn switch(name: &str, setpoint: Option<&str>, readback: &str) -> ParameterStatus {
    ParameterStatus {
        kind: "enum",
        unit: None,
        choices: vec!["off".to_owned(), "on".to_owned()],
        decimals: None,
        hazard: Some("energises the load".to_owned()),
        setpoint: setpoint.map(text),
        readback: Some(text(readback)),
        in_tolerance: setpoint.map(|word| word == readback),
        ..float(name, "Output", "", 0)
    }
}

/// A curve that looks alive and is the same every time.
fn wave(around: f64, swing: f64) -> Trend {
    let mut seed = 7_u32;
    let points: VecDeque<_> = (0..60)
        .map(|second| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(seed >> 16) / 65_536.0 - 0.5;
            let value = around + swing * (0.4 * (f64::from(second) / 7.0).sin() + 0.5 * noise);
            (ago(60 - i64::from(second)), value)
        })
        .collect();
    Arc::new(points)
}

fn psu() -> InstrumentStatus {
    let (v, a) = ((0.0, 30.0), (0.0, 3.2));
    instrument(
        "psu",
        "rigol_dp832",
        "Rigol DP832 power supply",
        "tcp://192.0.2.21:5555",
        vec![
            asked(float("ch1.voltage", "Voltage", "V", 3), v, 3.3, 3.2998),
            asked(float("ch1.current_limit", "Current limit", "A", 3), a, 0.5, 0.5),
            switch("ch1.output", Some("on"), "on"),
            read(float("ch1.measured_voltage", "Measured voltage", "V", 3), 3.2998),
            asked(float("ch2.voltage", "Voltage", "V", 3), v, 12.0, 12.0),
            asked(float("ch2.current_limit", "Current limit", "A", 3), a, 1.0, 1.0),
            switch("ch2.output", None, "off"),
        ],
    )
}

fn thermo() -> InstrumentStatus {
    instrument(
        "thermo",
        "lakeshore_335",
        "Lake Shore 335 temperature controller",
        "sim:",
        vec![
            read(float("a.temperature", "Temperature", "K", 2), 294.82),
            asked(float("loop1.setpoint", "Setpoint", "K", 2), (0.0, 350.0), 295.0, 295.0),
            ParameterStatus {
                kind: "enum",
                unit: None,
                decimals: None,
                choices: ["off", "low", "medium", "high"].map(str::to_owned).to_vec(),
                readback: Some(text("low")),
                ..float("loop1.heater_range", "Heater range", "", 0)
            },
        ],
    )
}

fn stage() -> InstrumentStatus {
    let position = float("axis1.position", "Position", "mm", 3);
    instrument(
        "stage",
        "newport_esp301",
        "Newport ESP301",
        "serial:///dev/serial/by-id/usb-ESP301",
        vec![asked(position, (-50.0, 50.0), 12.5, 12.498)],
    )
}

fn laser() -> InstrumentStatus {
    let wavelength = float("wavelength", "Wavelength", "nm", 0);
    let wavelength = asked(wavelength, (690.0, 1040.0), 800.0, 796.0);
    let wavelength = ParameterStatus { in_tolerance: Some(false), ..wavelength };
    instrument("laser", "mai_tai", "Mai Tai", "tcp://192.0.2.30:4001", vec![wavelength])
}

fn meter() -> InstrumentStatus {
    let power = ParameterStatus {
        quality: Quality::Stale,
        at: Some(ago(12)),
        ..read(float("power", "Power", "mW", 2), 12.41)
    };
    instrument("meter", "newport_1830c", "Newport 1830-C", "tcp://192.0.2.31:4001", vec![power])
}

fn lockin() -> InstrumentStatus {
    let mut lockin =
        instrument("lockin", "sr830", "SR830", "serial:///dev/serial/by-id/usb-FTDI_A60", vec![]);
    lockin.state = LinkState::Offline;
    lockin.link = None;
    lockin.identity = None;
    lockin.error = Some("/dev/serial/by-id/usb-FTDI_A60 is not there".to_owned());
    lockin.retry_at = Some(now() + SignedDuration::from_secs(6));
    lockin
}

fn source(id: &str, state: SourceState, seen: Option<(u32, u32, &str, f64)>) -> SourceInfo {
    SourceInfo {
        measured: SourceStatus {
            id: id.to_owned(),
            kind: "test_pattern".to_owned(),
            state,
            width: seen.map(|(width, ..)| width),
            height: seen.map(|(_, height, ..)| height),
            format: seen.map(|(_, _, format, _)| format.to_owned()),
            framerate: seen.map(|(.., rate)| rate),
            frames: 1234,
            drops: 0,
            at: Some(now()),
            viewers: 0,
            rtsp_url: None,
            error: None,
        },
        label: None,
        asked_framerate: 30.0,
    }
}
