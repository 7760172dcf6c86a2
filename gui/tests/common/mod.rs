//! Parts of a bench on paper, and the window it is shown in. Nothing runs behind either, and all
//! times are fixed.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{path::PathBuf, sync::Arc};

use egui::{Rect, Theme, Ui, UiBuilder, Vec2};
use egui_kittest::{Harness, HarnessBuilder, SnapshotOptions};
use jiff::Timestamp;
use setpoint::panel::{answers::Answers, theme};
use setpoint_bench::{Change, ChangeKind, Diagnostic, Effect, Severity, Span, Value};
use setpoint_instruments::{InstrumentStatus, LinkState, ParameterStatus, Quality};
use setpoint_runtime::{
    BenchInfo, Event, LastReload, Origin, Outcome, PlanStep, Reload, ReloadState, Revision,
    SourceInfo, StagedEdit, Status, Subject, Timings, Tone, Transaction,
};
use setpoint_video::{SourceState, SourceStatus};

/// A bench with nothing on it, in step with its file.
pub fn status(path: &str, last: LastReload) -> Status {
    Status {
        bench: BenchInfo {
            name: "Optics table 3".to_owned(),
            path: PathBuf::from(path),
            environment: "development".to_owned(),
        },
        revision: None,
        reload: Reload {
            state: ReloadState::InStep,
            applied: 38,
            rejected: 3,
            last: Some(last),
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
        drivers_problem: None,
        transactions: Vec::new(),
        instruments: Default::default(),
        sources: Default::default(),
        revisions: Arc::default(),
        events: Arc::default(),
        text: Arc::from(""),
        values: Arc::new(Value::Table(Default::default())),
        disk_text: None,
        cpu_percent: Some(11.0),
    }
}

/// A save of the file.
pub fn reload(at: Timestamp, outcome: Outcome, timings_ms: Timings) -> LastReload {
    LastReload {
        at,
        origin: Origin::File,
        outcome,
        changes: if outcome == Outcome::Applied { 2 } else { 0 },
        interrupted: 0,
        timings_ms,
    }
}

/// Of an operator, or of the file.
pub fn revision(
    id: &str,
    at: Timestamp,
    origin: Origin,
    message: &str,
    label: Option<&str>,
) -> Revision {
    Revision {
        id: id.to_owned(),
        hash: "9c1e07af".to_owned(),
        at,
        author: if origin == Origin::File { "file" } else { "operator" }.to_owned(),
        origin,
        message: message.to_owned(),
        label: label.map(str::to_owned),
    }
}

/// An event of the bench itself.
pub fn event(seq: u64, at: Timestamp, kind: &str, about: (Subject, Tone), message: &str) -> Event {
    Event {
        seq,
        at,
        mono_us: 0,
        run: "run".into(),
        origin: Origin::Bench,
        kind: kind.to_owned().into(),
        subject: about.0,
        tone: about.1,
        path: String::new(),
        message: message.to_owned(),
        took_ms: None,
        payload: None,
    }
}

/// A number that can be set and was never read.
pub fn parameter(name: &str, label: &str, unit: &str, decimals: usize) -> ParameterStatus {
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
        at: None,
        quality: Quality::None,
        in_tolerance: None,
        trend: Arc::default(),
    }
}

/// A power supply that answers.
pub fn instrument(id: &str, parameters: Vec<ParameterStatus>) -> InstrumentStatus {
    InstrumentStatus {
        id: id.to_owned(),
        driver: "rigol_dp832".to_owned(),
        driver_name: "Rigol DP832 power supply".to_owned(),
        address: "sim:".to_owned(),
        link: None,
        state: LinkState::Connected,
        identity: None,
        round_trip_ms: None,
        error: None,
        retry_at: None,
        parameters: parameters.into_iter().map(|one| (one.name.clone(), Arc::new(one))).collect(),
    }
}

/// A test pattern, and what was seen of it: columns, rows, format, rate.
pub fn source(id: &str, state: SourceState, seen: Option<(u32, u32, &str, f64)>) -> SourceInfo {
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
            at: None,
            viewers: 0,
            rtsp_url: None,
            error: None,
        },
        label: None,
        asked_framerate: 30.0,
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

/// One step of a plan.
pub fn step(kind: &'static str, text: &str, note: Option<&str>) -> PlanStep {
    PlanStep { text: text.to_owned(), kind, note: note.map(str::to_owned), hazard: false }
}

/// An edit of a key that had a value; `None` removes it.
pub fn edit(path: setpoint_bench::KeyPath, base: Value, value: Option<Value>) -> StagedEdit {
    StagedEdit { path, base: Some(base), value, clash: None }
}

/// What is staged in the panel, checked and ready.
pub fn transaction(
    opened: Timestamp,
    edits: Vec<StagedEdit>,
    effects: &[Effect],
    plan: Vec<PlanStep>,
) -> Transaction {
    let change = |(edit, effect): (&StagedEdit, &Effect)| Change {
        kind: if edit.value.is_none() { ChangeKind::Removed } else { ChangeKind::Changed },
        path: edit.path.clone(),
        old: edit.base.clone(),
        new: edit.value.clone(),
        effect: *effect,
    };
    Transaction {
        id: "0198-6f2c".to_owned(),
        opened,
        origin: Origin::Panel,
        author: "maria".to_owned(),
        message: String::new(),
        expires: None,
        draft: false,
        pending: false,
        changes: Arc::new(edits.iter().zip(effects).map(change).collect()),
        edits,
        diagnostics: Arc::default(),
        plan: Arc::new(plan),
        ok: true,
    }
}

/// What the history answers of texts: each by its id, and what differs between any two of them,
/// as a bench of one file is compared.
pub fn answers(texts: &[(&str, &str)]) -> Answers {
    let mut answers = Answers::default();
    for (id, text) in texts {
        answers.texts.arrived((*id).to_owned(), Ok(Arc::from(*text)));
    }
    for (old, old_text) in texts {
        for (new, new_text) in texts.iter().filter(|(new, _)| new != old) {
            let values = [old_text, new_text].map(|text| setpoint::values::of(text));
            let changes = setpoint_bench::diff(&values[0], &values[1]);
            let key = ((*old).to_owned(), (*new).to_owned());
            answers.changes.arrived(key, Ok(Arc::new(changes)));
        }
    }
    answers
}

/// A window of a size and theme, its pictures compared with care.
pub fn builder<State>(theme: Theme, size: Vec2) -> HarnessBuilder<State> {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_os(egui::os::OperatingSystem::Nix)
        .with_max_steps(20)
        .with_context_setup(theme::install)
        .with_options(SnapshotOptions::new().threshold(0.8).max_failed_pixels(40))
        .wgpu()
}

/// The whole window: the harness leaves a margin that a window has not.
pub fn whole(ui: &mut Ui, size: Vec2) -> Ui {
    let whole = Rect::from_min_size(egui::Pos2::ZERO, size);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(whole));
    ui.set_clip_rect(whole);
    ui
}
