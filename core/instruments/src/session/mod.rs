//! One running instrument: a task that owns the link, polls, and carries requests out.
//!
//! Requests come before polls. Each wait for the device has a deadline. Nothing is ever written
//! to a device unless it is asked for, by [`Handle::set`], or by a bench file that says
//! `on_reconnect = "reapply"`; a parameter with a `hazard` is never set unasked.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    address::Address,
    driver::{Driver, WireOverrides},
    status::{InstrumentStatus, LinkState},
    value::ParamValue,
};

mod board;
mod error;
mod exchange;
mod reapply;
mod task;

pub use error::{SessionError, SetError};
pub use reapply::{Reapplied, Written};

/// Requests that may wait; one more is refused.
const QUEUE: usize = 64;

/// What a bench file says of one instrument.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name in the bench file.
    pub id: String,
    /// The driver that its `type` names.
    pub driver: Arc<Driver>,
    /// Where it is.
    pub address: Address,
    /// What replaces the driver's wire settings.
    pub wire: WireOverrides,
    /// Parameter to the value asked for.
    pub setpoints: IndexMap<String, ParamValue>,
    /// Parameter to the range that narrows the driver's in what the status shows. A set is not
    /// checked against it: who asks has checked, or puts back what was there before.
    pub limits: IndexMap<String, (f64, f64)>,
    /// What happens to setpoints when it answers (again).
    pub on_reconnect: ReconnectRule,
    /// Takes what [`ReconnectRule::Reapply`] did on each connect, if there is anything to tell. A
    /// report that finds it full goes to the log.
    pub reports: Option<mpsc::Sender<Reapplied>>,
}

/// What happens to setpoints when a device answers (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReconnectRule {
    /// Read back and show what differs; write nothing.
    #[default]
    Compare,
    /// Set what differs, except parameters with a `hazard`.
    Reapply,
    /// Read back, and do not remark on differences.
    Ignore,
}

/// What came of setting a value.
#[derive(Debug, Clone, PartialEq)]
pub struct SetOutcome {
    /// The value just before; `None` if it cannot be read.
    pub before: Option<ParamValue>,
    /// What the device reads now; what was asked for if it cannot be read.
    pub readback: ParamValue,
}

/// One request to the task.
enum Command {
    Set {
        parameter: String,
        value: ParamValue,
        answer: oneshot::Sender<Result<SetOutcome, SetError>>,
    },
    Read {
        parameter: String,
        answer: oneshot::Sender<Result<ParamValue, SessionError>>,
    },
    Query {
        line: String,
        answer: oneshot::Sender<Result<String, SessionError>>,
    },
    Reapply {
        answer: oneshot::Sender<Result<Reapplied, SessionError>>,
    },
}

/// What can change while an instrument runs.
#[derive(Debug, Clone)]
struct Settings {
    setpoints: IndexMap<String, ParamValue>,
    limits: IndexMap<String, (f64, f64)>,
    on_reconnect: ReconnectRule,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            setpoints: config.setpoints.clone(),
            limits: config.limits.clone(),
            on_reconnect: config.on_reconnect,
        }
    }
}

/// Starts instruments.
pub struct Instrument;

impl Instrument {
    /// The same as [`Handle::start`].
    pub fn start(config: Config) -> Handle {
        Handle::start(config)
    }
}

/// The way to a running instrument. Cheap to clone. The session ends with [`Handle::stop`], or
/// when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Handle {
    id: Arc<str>,
    commands: mpsc::Sender<Command>,
    settings: Arc<watch::Sender<Settings>>,
    stop: Arc<watch::Sender<bool>>,
    status: watch::Receiver<Arc<InstrumentStatus>>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Command")
    }
}

impl Handle {
    /// Starts the session of an instrument. Returns at once; the link is opened in the background.
    /// Must be called inside a tokio runtime.
    pub fn start(config: Config) -> Self {
        let id: Arc<str> = config.id.as_str().into();
        let (commands, requests) = mpsc::channel(QUEUE);
        let (settings, incoming) = watch::channel(Settings::of(&config));
        let (stop, stopping) = watch::channel(false);
        let (publish, status) = watch::channel(Arc::new(board::blank(&config)));
        tokio::spawn(task::run(config, requests, incoming, stopping, publish));
        Self { id, commands, settings: settings.into(), stop: stop.into(), status }
    }

    /// Everything known of it, as of now. Never waits.
    pub fn status(&self) -> Arc<InstrumentStatus> {
        self.status.borrow().clone()
    }

    /// Tells of a changed status, at most 30 times a second.
    pub fn changes(&self) -> watch::Receiver<Arc<InstrumentStatus>> {
        self.status.clone()
    }

    /// Sets a value and proves it: range of the driver, reading before, command, error query,
    /// readback. The bench file's limits are not looked at. Should the device come back before
    /// [`Handle::configure`], it is this value that [`ReconnectRule::Reapply`] sets.
    ///
    /// # Errors
    /// [`SetError`]; its `sent` tells whether the device may have changed.
    pub async fn set(&self, parameter: &str, value: ParamValue) -> Result<SetOutcome, SetError> {
        let (answer, pending) = oneshot::channel();
        let unsent = |cause| SetError::unsent(parameter, cause);
        self.send(Command::Set { parameter: parameter.to_owned(), value, answer })
            .map_err(unsent)?;
        // The session ended with the command in hand: how far it came is not known.
        pending.await.map_err(|_| SetError { sent: true, ..unsent(self.stopped()) })?
    }

    /// Reads a value from the device now.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn read(&self, parameter: &str) -> Result<ParamValue, SessionError> {
        let (answer, pending) = oneshot::channel();
        self.send(Command::Read { parameter: parameter.to_owned(), answer })?;
        pending.await.map_err(|_| self.stopped())?
    }

    /// Sends one raw line and gives the reply; for a line that is one of the driver's set commands
    /// an empty one, for those have none. It waits its turn from the call on, awaited or not.
    ///
    /// # Errors
    /// [`SessionError`]
    pub fn query(
        &self,
        line: &str,
    ) -> impl Future<Output = Result<String, SessionError>> + Send + use<> {
        let (answer, pending) = oneshot::channel();
        let sent = self.send(Command::Query { line: line.to_owned(), answer });
        let stopped = self.stopped();
        async move {
            sent?;
            pending.await.map_err(|_| stopped)?
        }
    }

    /// Sets every setpoint whose readback differs: first what is to go off, then in the driver's
    /// order. A parameter with a `hazard` is set only if that switches it off. The first that
    /// cannot be set ends it; the ones before it hold, see [`Reapplied`]. It waits its turn from
    /// the call on, awaited or not.
    ///
    /// # Errors
    /// Only if nothing was tried: offline, stopped, busy.
    pub fn reapply(&self) -> impl Future<Output = Result<Reapplied, SessionError>> + Send + use<> {
        let (answer, pending) = oneshot::channel();
        let sent = self.send(Command::Reapply { answer });
        let stopped = self.stopped();
        async move {
            sent?;
            pending.await.map_err(|_| stopped)?
        }
    }

    /// Hands over setpoints, limits and the rule for reconnecting, for comparison and from the
    /// next connect on; nothing is sent to the device. What else `config` holds is for a start.
    pub async fn configure(&self, config: Config) {
        self.settings.send_replace(Settings::of(&config));
    }

    /// Ends the session; the link is closed when this returns. The device keeps its values.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        // The task cancels its work at the next wait, so this is a matter of microseconds; the
        // deadline is for a system call that hangs.
        if tokio::time::timeout(Duration::from_secs(5), self.commands.closed()).await.is_err() {
            tracing::error!("{}: the link did not close within 5 s", self.id);
        }
    }

    fn send(&self, command: Command) -> Result<(), SessionError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                SessionError::Busy { instrument: self.id.to_string(), waiting: QUEUE }
            }
            mpsc::error::TrySendError::Closed(_) => self.stopped(),
        })
    }

    fn stopped(&self) -> SessionError {
        SessionError::Stopped { instrument: self.id.to_string() }
    }
}

/// The status of an instrument that stays in the bench file and is not run.
pub fn disabled_status(config: &Config) -> InstrumentStatus {
    InstrumentStatus { state: LinkState::Disabled, ..board::blank(config) }
}
