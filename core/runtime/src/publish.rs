//! Putting the status together: on every wake-up, at most 30 times a second, and at once where a
//! caller is owed what it just changed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use indexmap::IndexMap;
use setpoint_bench::{Value, model::Source};
use setpoint_instruments::{InstrumentStatus, LinkState};
use setpoint_video::{SourceState, SourceStatus};
use tokio::{
    sync::{Notify, watch},
    time::MissedTickBehavior,
};

use crate::{
    components::Device,
    cpu::CpuMeter,
    event::{Event, Origin, Subject, Tone},
    event_log::{EventLog, Told},
    secrets::Secrets,
    staging::none,
    status::{
        BenchInfo, Reload, ReloadState, Revision, SourceInfo, Status, Transaction, Unfinished,
    },
};

/// Least time between two status values.
const PACE: Duration = Duration::from_millis(33);
/// Sources and the processor are looked at this often.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What the manager knows; the rest is asked of the components.
#[derive(Debug, Clone)]
pub(crate) struct Core {
    pub(crate) bench: BenchInfo,
    pub(crate) revision: Option<Revision>,
    pub(crate) reload: Reload,
    pub(crate) attention: Option<String>,
    pub(crate) unfinished: Option<Arc<Unfinished>>,
    pub(crate) history_problem: Option<String>,
    pub(crate) drivers_problem: Option<String>,
    /// What the history database does not do; shown where nothing worse is.
    pub(crate) database_problem: Option<String>,
    pub(crate) transactions: Vec<Arc<Transaction>>,
    pub(crate) revisions: Arc<Vec<Revision>>,
    pub(crate) text: Arc<str>,
    pub(crate) values: Arc<Value>,
    pub(crate) disk_text: Option<Arc<str>>,
    pub(crate) instrument_order: Vec<String>,
    pub(crate) source_order: Vec<String>,
    /// What is not shown of what runs, and of what is about to.
    pub(crate) secrets: Secrets,
}

impl Core {
    /// Before anything runs.
    pub(crate) fn empty(path: PathBuf) -> Self {
        Self {
            bench: BenchInfo { name: String::new(), path, environment: String::new() },
            revision: None,
            reload: Reload {
                state: ReloadState::InStep,
                applied: 0,
                rejected: 0,
                last: None,
                diagnostics: none(),
                problem: None,
                ahead: None,
                question: None,
                suspended: None,
                watch: crate::status::WatchShown::default(),
            },
            attention: None,
            unfinished: None,
            history_problem: None,
            drivers_problem: None,
            database_problem: None,
            transactions: Vec::new(),
            revisions: none(),
            text: Arc::from(""),
            values: Arc::new(Value::Table(setpoint_bench::value::Table::new())),
            disk_text: None,
            instrument_order: Vec::new(),
            source_order: Vec::new(),
            secrets: Secrets::default(),
        }
    }
}

enum DeviceSlot {
    Changing(watch::Receiver<Arc<InstrumentStatus>>),
    Fixed(Arc<InstrumentStatus>),
}

impl DeviceSlot {
    fn status(&self) -> Arc<InstrumentStatus> {
        match self {
            Self::Changing(receiver) => receiver.borrow().clone(),
            Self::Fixed(status) => status.clone(),
        }
    }
}

struct SourceSlot {
    definition: Source,
    running: Option<Arc<setpoint_video::Source>>,
    last: Option<Arc<SourceInfo>>,
}

struct Parts {
    core: Core,
    devices: IndexMap<String, DeviceSlot>,
    sources: IndexMap<String, SourceSlot>,
    events: EventLog,
    cpu: CpuMeter,
    count: u64,
}

struct Inner {
    parts: Mutex<Parts>,
    status: Arc<ArcSwap<Status>>,
    changed: watch::Sender<u64>,
    wake: Notify,
}

/// Puts the status together. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher(Arc<Inner>);

impl Publisher {
    pub(crate) fn new(core: Core) -> Self {
        let mut parts = Parts {
            core,
            devices: IndexMap::new(),
            sources: IndexMap::new(),
            events: EventLog::default(),
            cpu: CpuMeter::new(),
            count: 0,
        };
        let status = Arc::new(ArcSwap::from_pointee(parts.build()));
        let (changed, _) = watch::channel(0);
        Self(Arc::new(Inner { parts: Mutex::new(parts), status, changed, wake: Notify::new() }))
    }

    pub(crate) fn status(&self) -> Arc<ArcSwap<Status>> {
        self.0.status.clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Lets the manager change its part, for the next status.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Core)) {
        change(&mut self.parts().core);
        self.0.wake.notify_one();
    }

    /// Tells what happened.
    pub(crate) fn tell(&self, told: Told) {
        self.tell_with(told, None);
    }

    /// The same with details for programs.
    pub(crate) fn tell_with(&self, told: Told, payload: Option<serde_json::Value>) {
        self.parts().events.add(told, payload);
        self.0.wake.notify_one();
    }

    /// Numbers and keeps events from now on; those of earlier runs come before them.
    pub(crate) fn keep_events(&self, history: setpoint_store::History, earlier: Vec<Event>) {
        self.parts().events.go_on(history, earlier);
    }

    /// Every instrument as it is now, in no order.
    pub(crate) fn devices(&self) -> Vec<Arc<InstrumentStatus>> {
        self.parts().devices.values().map(DeviceSlot::status).collect()
    }

    /// The names of all sources.
    pub(crate) fn sources(&self) -> Vec<String> {
        self.parts().sources.keys().cloned().collect()
    }

    /// What must not be shown of what runs, and of what is about to.
    pub(crate) fn secrets(&self) -> Secrets {
        self.parts().core.secrets.clone()
    }

    fn hidden(&self, status: Arc<InstrumentStatus>) -> Arc<InstrumentStatus> {
        let (secrets, values) = {
            let core = &self.parts().core;
            (core.secrets.clone(), core.values.clone())
        };
        secrets.hide_status(status, &values)
    }

    /// Follows an instrument from now on, in place of one of that name.
    pub(crate) fn watch_device(&self, id: &str, device: &Device) {
        let slot = match device.changes() {
            None => DeviceSlot::Fixed(device.status()),
            Some(receiver) => {
                tokio::spawn(self.clone().follow(receiver.clone()));
                DeviceSlot::Changing(receiver)
            }
        };
        self.parts().devices.insert(id.to_owned(), slot);
        self.0.wake.notify_one();
    }

    /// Forgets an instrument.
    pub(crate) fn forget_device(&self, id: &str) {
        self.parts().devices.shift_remove(id);
        self.0.wake.notify_one();
    }

    /// Follows a source from now on; `running` is `None` for one that is disabled.
    pub(crate) fn watch_source(
        &self,
        id: &str,
        definition: &Source,
        running: Option<Arc<setpoint_video::Source>>,
    ) {
        let slot = SourceSlot { definition: definition.clone(), running, last: None };
        self.parts().sources.insert(id.to_owned(), slot);
        self.0.wake.notify_one();
    }

    /// Forgets a source. What it ran is handed back: stopping a pipeline may take its time, which
    /// nobody should wait for here.
    pub(crate) fn forget_source(&self, id: &str) -> Option<Arc<setpoint_video::Source>> {
        let slot = self.parts().sources.shift_remove(id);
        self.0.wake.notify_one();
        slot?.running
    }

    /// Publishes now, for a caller that will look at once.
    pub(crate) fn publish(&self) {
        let count = {
            let mut parts = self.parts();
            let status = parts.build();
            parts.count += 1;
            self.0.status.store(Arc::new(status));
            parts.count
        };
        self.0.changed.send_replace(count);
    }

    /// Publishes whenever something changed, at a bounded pace, until the task is ended.
    pub(crate) async fn run(self) {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.0.wake.notified() => {}
                _ = heartbeat.tick() => {}
            }
            self.publish();
            tokio::time::sleep(PACE).await;
        }
    }

    /// Wakes the publisher on each change of one instrument and tells of it coming and going.
    async fn follow(self, mut receiver: watch::Receiver<Arc<InstrumentStatus>>) {
        let mut before = LinkState::Connecting;
        let mut told_error = None;
        loop {
            let status = receiver.borrow_and_update().clone();
            let status = self.hidden(status);
            if let Some(told) = transition(&status, before, &mut told_error) {
                self.tell(told);
            }
            before = status.state;
            self.0.wake.notify_one();
            if receiver.changed().await.is_err() {
                return;
            }
        }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    fn build(&mut self) -> Status {
        for (id, slot) in &mut self.sources {
            let info = slot.look(id);
            if let Some(told) = slot.transition(&info) {
                self.events.add(told, None);
            }
            slot.last = Some(Arc::new(info));
        }
        let core = self.core.clone();
        let (secrets, values) = (core.secrets, core.values);
        Status {
            bench: core.bench,
            revision: core.revision,
            reload: core.reload,
            attention: core.attention,
            unfinished: core.unfinished,
            history_problem: core.history_problem.or(core.database_problem),
            drivers_problem: core.drivers_problem,
            transactions: core.transactions,
            instruments: in_order(&core.instrument_order, &self.devices, |slot| {
                secrets.hide_status(slot.status(), &values)
            }),
            sources: in_order(&core.source_order, &self.sources, |slot| {
                slot.last.clone().unwrap_or_else(|| Arc::new(slot.look("")))
            }),
            revisions: core.revisions,
            events: self.events.list(),
            text: core.text,
            values,
            disk_text: core.disk_text,
            cpu_percent: self.cpu.percent(),
        }
    }
}

/// What `of` makes of each slot, in the file's order; one that the file does not (yet) name last.
fn in_order<S, T>(
    order: &[String],
    slots: &IndexMap<String, S>,
    of: impl Fn(&S) -> T,
) -> IndexMap<String, T> {
    let named = order.iter().filter_map(|id| slots.get_key_value(id));
    let mut all: IndexMap<String, T> = named.map(|(id, slot)| (id.clone(), of(slot))).collect();
    for (id, slot) in slots {
        if !all.contains_key(id) {
            all.insert(id.clone(), of(slot));
        }
    }
    all
}

impl SourceSlot {
    fn look(&self, id: &str) -> SourceInfo {
        let (frames, seconds) = self.definition.framerate;
        let measured = match &self.running {
            Some(source) => source.status(),
            None => SourceStatus {
                id: id.to_owned(),
                kind: "test_pattern".to_owned(),
                state: SourceState::Disabled,
                width: None,
                height: None,
                format: None,
                framerate: None,
                frames: 0,
                drops: 0,
                at: None,
                viewers: 0,
                rtsp_url: None,
                error: None,
            },
        };
        SourceInfo {
            measured,
            label: self.definition.label.clone(),
            asked_framerate: f64::from(frames) / f64::from(seconds.max(1)),
        }
    }

    fn transition(&self, now: &SourceInfo) -> Option<Told> {
        let before = self.last.as_ref()?.measured.state;
        let state = now.measured.state;
        if before == state {
            return None;
        }
        let id = &now.measured.id;
        let why = now.measured.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let (kind, tone, message) = match state {
            SourceState::Live => ("source_live", Tone::Good, format!("{id} shows pictures")),
            SourceState::Slow => {
                ("source_slow", Tone::Warning, format!("{id} is slower than asked for"))
            }
            SourceState::Frozen => {
                ("source_frozen", Tone::Warning, format!("{id} sends no pictures any more{why}"))
            }
            SourceState::Fallback => {
                ("source_failed", Tone::Error, format!("{id} has no picture{why}"))
            }
            SourceState::Starting | SourceState::Disabled => return None,
        };
        Some(Told {
            origin: Origin::Bench,
            kind,
            subject: Subject::Sources,
            tone,
            path: format!("sources.{id}"),
            message,
            took_ms: None,
        })
    }
}

/// What there is to tell of an instrument. The same failure is told once, not at every attempt.
fn transition(
    now: &InstrumentStatus,
    before: LinkState,
    told_error: &mut Option<String>,
) -> Option<Told> {
    let id = &now.id;
    let (kind, tone, message) = match now.state {
        LinkState::Connected if before != LinkState::Connected => {
            *told_error = None;
            let identity = now.identity.as_deref().unwrap_or(&now.driver_name);
            ("instrument_connected", Tone::Good, format!("{id} connected: {identity}"))
        }
        LinkState::Offline if before != LinkState::Offline && now.error != *told_error => {
            told_error.clone_from(&now.error);
            let why = now.error.as_deref().unwrap_or("it does not answer");
            ("instrument_offline", Tone::Warning, format!("{id} is offline: {why}"))
        }
        _ => return None,
    };
    Some(Told {
        origin: Origin::Bench,
        kind,
        subject: Subject::Instruments,
        tone,
        path: format!("instruments.{id}"),
        message,
        took_ms: None,
    })
}
