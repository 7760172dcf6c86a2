//! The instruments and sources that run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use indexmap::IndexMap;
use setpoint_bench::{
    Bench,
    model::{Instrument, Source},
};
use setpoint_instruments::{Config, InstrumentStatus, LinkState, Reapplied, session};
use setpoint_video::SourceConfig;
use tokio::sync::{mpsc, watch};

use crate::{catalogue::Drivers, frames::Frames, publish::Publisher};

/// How long a pipeline may take to stop.
const STOPPING: Duration = Duration::from_secs(10);
/// How long a change waits for an instrument that is being connected.
const SETTLING: Duration = Duration::from_secs(3);

/// An instrument that runs, or stays in the file without being run.
pub(crate) enum Device {
    Running(session::Handle),
    Disabled(Arc<InstrumentStatus>),
}

impl Device {
    /// As it is now.
    pub(crate) fn status(&self) -> Arc<InstrumentStatus> {
        match self {
            Self::Running(handle) => handle.status(),
            Self::Disabled(status) => status.clone(),
        }
    }

    /// What tells of its changes, if anything changes.
    pub(crate) fn changes(&self) -> Option<watch::Receiver<Arc<InstrumentStatus>>> {
        match self {
            Self::Running(handle) => Some(handle.changes()),
            Self::Disabled(_) => None,
        }
    }
}

/// Everything that runs. Belongs to the manager; nothing else starts or stops a component.
pub(crate) struct Components {
    drivers: Arc<Drivers>,
    publisher: Publisher,
    frames: Frames,
    devices: IndexMap<String, Device>,
    sources: IndexMap<String, Arc<setpoint_video::Source>>,
    /// Where sessions tell of what they set by rule.
    reports: mpsc::Sender<Reapplied>,
}

impl Components {
    pub(crate) fn new(
        drivers: Arc<Drivers>,
        publisher: Publisher,
        frames: Frames,
        reports: mpsc::Sender<Reapplied>,
    ) -> Self {
        let (devices, sources) = (IndexMap::new(), IndexMap::new());
        Self { drivers, publisher, frames, devices, sources, reports }
    }

    /// Other drivers from now on; what runs goes on with those it was started with.
    pub(crate) fn set_drivers(&mut self, drivers: Arc<Drivers>) {
        self.drivers = drivers;
    }

    fn config(&self, id: &str, instrument: &Instrument) -> Option<Config> {
        let config = self.drivers.config(id, instrument)?;
        Some(Config { reports: Some(self.reports.clone()), ..config })
    }

    /// Hands every instrument that goes on running what changed of its definition.
    pub(crate) async fn configure_all(&mut self, old: &Bench, new: &Bench) {
        for (id, now) in &new.instruments {
            if old.instrument(id).is_some_and(|before| *before != **now) {
                self.configure(id, now).await;
            }
        }
    }

    /// Whether an instrument answers now; `None` if there is none of that name.
    pub(crate) fn link(&self, id: &str) -> Option<LinkState> {
        self.devices.get(id).map(|device| device.status().state)
    }

    /// The same of all, for a thread of its own.
    pub(crate) fn links(&self) -> HashMap<String, LinkState> {
        self.devices.iter().map(|(id, device)| (id.clone(), device.status().state)).collect()
    }

    /// Waits until an instrument that is being connected answers or is known not to, a few
    /// seconds at most: a value for it should not be left waiting by a moment.
    pub(crate) async fn settle(&self, id: &str) {
        self.settle_all(&BTreeSet::from([id])).await;
    }

    /// The same of several, in no more time than one takes.
    pub(crate) async fn settle_all(&self, ids: &BTreeSet<&str>) {
        let deadline = tokio::time::Instant::now() + SETTLING;
        for id in ids {
            let Some(Device::Running(handle)) = self.devices.get(*id) else { continue };
            let mut changes = handle.changes();
            let settled = changes.wait_for(|status| status.state != LinkState::Connecting);
            // Too late or closed: what the state is then, the plan asks itself.
            let _ = tokio::time::timeout_at(deadline, settled).await;
        }
    }

    /// The handle of an instrument that is run.
    pub(crate) fn handle(&self, id: &str) -> Option<&session::Handle> {
        match self.devices.get(id)? {
            Device::Running(handle) => Some(handle),
            Device::Disabled(_) => None,
        }
    }

    /// Makes an instrument what its definition says, starting from nothing; `None` removes it.
    /// Waits until a link that has to go is closed.
    pub(crate) async fn bring(&mut self, id: &str, definition: Option<&Instrument>) {
        if let Some(Device::Running(handle)) = self.devices.get(id) {
            handle.stop().await;
        }
        let config = definition.and_then(|instrument| self.config(id, instrument));
        match config {
            None => {
                self.devices.shift_remove(id);
                self.publisher.forget_device(id);
            }
            Some(config) => {
                let device = if definition.is_some_and(|instrument| instrument.enabled) {
                    Device::Running(session::Handle::start(config))
                } else {
                    Device::Disabled(Arc::new(session::disabled_status(&config)))
                };
                self.publisher.watch_device(id, &device);
                self.devices.insert(id.to_owned(), device);
            }
        }
    }

    /// Hands a running instrument its limits, rules and setpoints; nothing is sent to the device.
    pub(crate) async fn configure(&mut self, id: &str, definition: &Instrument) {
        let Some(config) = self.config(id, definition) else { return };
        match self.devices.get(id) {
            Some(Device::Running(handle)) => handle.configure(config).await,
            Some(Device::Disabled(_)) => {
                let device = Device::Disabled(Arc::new(session::disabled_status(&config)));
                self.publisher.watch_device(id, &device);
                self.devices.insert(id.to_owned(), device);
            }
            None => {}
        }
    }

    /// Makes a source what its definition says, starting from nothing; `None` removes it.
    pub(crate) async fn bring_source(&mut self, id: &str, definition: Option<&Source>) {
        let shown = self.publisher.forget_source(id);
        if let Some(source) = self.sources.shift_remove(id) {
            self.frames.remove(id);
            // Stopping a pipeline may block on a device.
            let stopping = tokio::task::spawn_blocking(move || drop((shown, source)));
            match tokio::time::timeout(STOPPING, stopping).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!("stopping source {id} failed: {error}"),
                Err(_) => tracing::error!("source {id} did not stop within {STOPPING:?}"),
            }
        }
        match definition {
            None => {}
            Some(definition) if !definition.enabled => {
                self.publisher.watch_source(id, definition, None);
            }
            Some(definition) => {
                let (name, config) = (id.to_owned(), config(definition));
                let start = move || setpoint_video::Source::start(name, config, None);
                let started = tokio::task::spawn_blocking(start).await;
                match started {
                    Ok(source) => {
                        let source = Arc::new(source);
                        self.frames.set(id, source.slot());
                        self.publisher.watch_source(id, definition, Some(source.clone()));
                        self.sources.insert(id.to_owned(), source);
                    }
                    Err(error) => tracing::error!("starting source {id} failed: {error}"),
                }
            }
        }
    }

    /// Changes a source while it runs; on an error it runs on as it was.
    pub(crate) async fn change_source(
        &mut self,
        id: &str,
        definition: &Source,
    ) -> Result<(), String> {
        let source = self.sources.get(id).cloned();
        if let Some(source) = &source {
            let (source, config) = (source.clone(), config(definition));
            tokio::task::spawn_blocking(move || source.reconfigure(config))
                .await
                .map_err(|error| error.to_string())?
                .map_err(|error| error.to_string())?;
        }
        self.publisher.watch_source(id, definition, source);
        Ok(())
    }

    /// Starts everything a bench holds.
    pub(crate) async fn start(&mut self, bench: &Bench) {
        for (id, instrument) in &bench.instruments {
            self.bring(id, Some(instrument)).await;
        }
        for (id, source) in &bench.sources {
            self.bring_source(id, Some(source)).await;
        }
    }

    /// Stops everything. Devices keep the values they have.
    pub(crate) async fn stop(&mut self) {
        let devices = std::mem::take(&mut self.devices);
        for device in devices.values() {
            if let Device::Running(handle) = device {
                handle.stop().await;
            }
        }
        for id in self.sources.keys().cloned().collect::<Vec<_>>() {
            self.bring_source(&id, None).await;
        }
    }
}

fn config(source: &Source) -> SourceConfig {
    let (width, height) = source.resolution;
    SourceConfig {
        pattern: source.pattern.clone(),
        width,
        height,
        framerate: source.framerate,
        format: source.format.clone(),
        preview: source.preview,
    }
}
