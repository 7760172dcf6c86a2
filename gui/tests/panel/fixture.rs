//! Benches to draw: a full one, an empty one, a crowded one, a broken one. All times are fixed.

mod instruments;
mod pictures;
mod text;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use setpoint::panel::answers::Answers;
use setpoint_bench::{Diagnostic, Effect, KeyPath, Severity, Span, Value};
use setpoint_instruments::{LinkState, ParamValue, Quality};
use setpoint_runtime::{
    Event, LastReload, Origin, Outcome, ReloadState, Revision, SourceInfo, Status, Subject,
    Timings, Tone, Transaction,
};
use setpoint_video::{SourceState, SourceStatus};

pub use crate::common::diagnostic;
use crate::common::{self, edit, step};
pub use instruments::parameter_mut;
use instruments::{laser, lockin, meter, psu, stage, thermo};
pub use pictures::picture;
pub use text::TEXT;

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
    let mut status = common::status("/bench/bench.toml", last(Outcome::Applied, 23));
    status.bench.name = "Empty bench".to_owned();
    let revisions = vec![
        revision("r41", 23, Origin::File, "bench.toml changed on disk", None),
        revision("r40", 680, Origin::Panel, "Slow the lock-in sweep, add SR830", None),
        revision("r39", 2600, Origin::Rollback, "Rolled back to r36", None),
        revision("r37", 58_000, Origin::Panel, "Evening shutdown state", None),
        revision("r36", 85_000, Origin::Panel, "Aligned, beam on axis", Some("aligned-nov")),
        revision("r31", 265_000, Origin::Panel, "Commissioned", Some("factory")),
    ];
    status.revision = revisions.first().cloned();
    status.revisions = Arc::new(revisions);
    status.events = Arc::new(events());
    status.text = Arc::from(TEXT);
    status.cpu_percent = Some(11.2);
    status
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
            _ => ParamValue::Text("off".to_owned()),
        });
    }
    status
}

/// What the history answers the history page.
pub fn answers() -> Answers {
    let older = TEXT.replace("ch1.voltage = 3.300", "ch1.voltage = 3.150");
    common::answers(&[("r41", TEXT), ("r36", &older)])
}

fn table<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn last(outcome: Outcome, seconds: i64) -> LastReload {
    let timings = Timings {
        settle: 52.0,
        parse: 0.4,
        check: 0.9,
        plan: 0.6,
        apply: 4.1,
        write: 0.0,
        total: 6.1,
    };
    common::reload(ago(seconds), outcome, timings)
}

fn revision(id: &str, age: i64, origin: Origin, message: &str, label: Option<&str>) -> Revision {
    common::revision(id, ago(age), origin, message, label)
}

fn events() -> Vec<Arc<Event>> {
    let (file, device) = (Subject::Configuration, Subject::Instruments);
    let event = |seq, seconds, kind, about, path: &str, message, took_ms| {
        let event = common::event(seq, ago(seconds), kind, about, message);
        Arc::new(Event { path: path.to_owned(), took_ms, ..event })
    };
    let kept = "Snapshot r39 kept before commit";
    let committed = "Commit r40 applied: 1 added, 1 changed";
    let reloaded = "Reload applied as r41: 2 changed, 0 streams interrupted";
    let lost = "lockin stopped answering; retry in 8 s";
    let staged = "operator staged psu.ch1.voltage 3.300 → 3.450 V";
    let (voltage, lockin) = ("instruments.psu.set.ch1.voltage", "instruments.lockin");
    vec![
        event(1, 681, "snapshot_kept", (file, Tone::Kept), "", kept, Some(3.2)),
        event(2, 680, "commit_applied", (file, Tone::Good), "", committed, Some(212.0)),
        event(3, 24, "file_changed", (file, Tone::Info), "", "bench.toml changed on disk", None),
        event(4, 23, "reload_applied", (file, Tone::Good), "", reloaded, Some(6.1)),
        event(5, 15, "instrument_offline", (device, Tone::Warning), lockin, lost, None),
        event(6, 9, "staged", (file, Tone::Staged), voltage, staged, None),
    ]
}

fn transaction() -> Transaction {
    let edits = vec![
        edit(KeyPath::setpoint("psu", "ch1.voltage"), 3.3.into(), Some(3.45.into())),
        edit(KeyPath::setpoint("psu", "ch2.current_limit"), 1.0.into(), Some(0.8.into())),
        edit(
            KeyPath::new(["sources", "pattern", "resolution"]),
            "1280x720".into(),
            Some("640x480".into()),
        ),
    ];
    let plan = vec![
        step("snapshot", "snapshot r41", None),
        step("set", "psu.ch2.current_limit 1.000 → 0.800 A, verify ±0.001", None),
        step("set", "psu.ch1.voltage 3.300 → 3.450 V, verify ±0.001", None),
        step("settings", "pattern resolution 1280x720 → 640x480", None),
        step("write", "write bench.toml", None),
    ];
    let effects = [Effect::Live, Effect::Live, Effect::Renegotiate];
    common::transaction(ago(90), edits, &effects, plan)
}

fn source(id: &str, state: SourceState, seen: Option<(u32, u32, &str, f64)>) -> SourceInfo {
    let mut source = common::source(id, state, seen);
    source.measured.at = Some(now());
    source
}
