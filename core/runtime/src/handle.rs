//! The way to a running bench, for screens and servers.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use setpoint_bench::Change;
use setpoint_store::history::{EventFilter, HistoryEvent, RevisionFacts, TrendPoint};
use setpoint_store::{BenchFolder, RevisionQuery};
use setpoint_video::Frame;
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    command::{Answer, Command, CommandError},
    event::Origin,
    frames::Frames,
    keeping::Keeping,
    kept::KeptRevision,
    recording::Recording,
    status::{Revision, Status},
};

/// Requests that may wait; one more is refused.
pub(crate) const QUEUE: usize = 64;

/// A request on its way.
pub(crate) struct Envelope {
    pub(crate) command: Command,
    pub(crate) origin: Origin,
    pub(crate) answer: oneshot::Sender<Result<Answer, CommandError>>,
}

/// A running bench. Cheap to clone; the bench stops with [`Runtime::stop`].
#[derive(Clone)]
pub struct Runtime {
    pub(crate) commands: mpsc::Sender<Envelope>,
    pub(crate) status: Arc<ArcSwap<Status>>,
    pub(crate) changed: watch::Receiver<u64>,
    pub(crate) frames: Frames,
    pub(crate) folder: PathBuf,
    pub(crate) keeping: Keeping,
    pub(crate) recording: Recording,
    pub(crate) stop: mpsc::Sender<()>,
    pub(crate) managing: Arc<Mutex<Option<JoinHandle<()>>>>,
    pub(crate) ending: Ending,
}

/// What has to end before the bench has, in a few words.
#[derive(Clone)]
pub(crate) struct Ending(Arc<ArcSwap<&'static str>>);

impl Default for Ending {
    fn default() -> Self {
        Self(Arc::new(ArcSwap::from_pointee("a call or change that is being carried out")))
    }
}

impl Ending {
    /// That is what is waited for from now on.
    pub(crate) fn waits_for(&self, what: &'static str) {
        self.0.store(Arc::new(what));
    }
}

/// Reads the status of a bench, also after it has stopped. Cheap to clone.
#[derive(Clone)]
pub struct StatusReader(Arc<ArcSwap<Status>>);

impl StatusReader {
    /// Everything a screen needs, as of now. Never waits.
    pub fn status(&self) -> Arc<Status> {
        self.0.load_full()
    }
}

/// What a request came to, when it is asked for from a thread that must not wait.
pub type Pending = oneshot::Receiver<Result<Answer, CommandError>>;

impl Runtime {
    /// Everything a screen needs, as of now. Never waits.
    pub fn status(&self) -> Arc<Status> {
        self.status.load_full()
    }

    /// Reads the status and keeps nothing running: for what should end with the bench.
    pub fn reader(&self) -> StatusReader {
        StatusReader(self.status.clone())
    }

    /// The newest picture of a source. Never waits for one.
    pub fn frame(&self, source: &str) -> Option<Arc<Frame>> {
        self.frames.latest(source)
    }

    /// Tells of a changed status; the number counts changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// The folder `.setpoint` beside the bench file.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Hands a request over without waiting; the answer can be fetched from what is returned.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait, [`CommandError::Stopping`] if the bench stopped.
    pub fn send(&self, origin: Origin, command: Command) -> Result<Pending, CommandError> {
        let (answer, pending) = oneshot::channel();
        match self.commands.try_send(Envelope { command, origin, answer }) {
            Ok(()) => Ok(pending),
            Err(mpsc::error::TrySendError::Full(_)) => Err(CommandError::Busy { waiting: QUEUE }),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(CommandError::Stopping),
        }
    }

    /// Carries a request out and waits for what comes of it.
    ///
    /// # Errors
    /// Whatever the request failed with; see [`CommandError`].
    pub async fn call(&self, origin: Origin, command: Command) -> Result<Answer, CommandError> {
        self.send(origin, command)?.await.map_err(|_| CommandError::Stopping)?
    }

    /// The text of a kept revision, by id or label.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Storage`] if its file cannot be read.
    pub async fn revision_text(&self, id: &str) -> Result<Arc<str>, CommandError> {
        self.keeping.text(id).await
    }

    /// Kept revisions that are asked for, newest first.
    ///
    /// # Errors
    /// [`CommandError::Storage`] if the folder was deleted and cannot be made again.
    pub async fn search_revisions(
        &self,
        query: RevisionQuery,
    ) -> Result<Vec<Revision>, CommandError> {
        self.keeping.search(query).await
    }

    /// What differs between two kept revisions, by id or label, key by key: all files of the bench
    /// as they were then.
    ///
    /// # Errors
    /// As [`Runtime::revision_text`].
    pub async fn revision_changes(
        &self,
        old: &str,
        new: &str,
    ) -> Result<Vec<Change>, CommandError> {
        self.keeping.changes(old, new).await
    }

    /// A kept revision by id or label.
    ///
    /// # Errors
    /// [`CommandError::NotFound`].
    pub fn revision(&self, name: &str) -> Result<Revision, CommandError> {
        self.keeping.find(name)
    }

    /// The number of the newest event, also of one that no status shows yet.
    pub fn last_event(&self) -> u64 {
        self.recording.last_event()
    }

    /// Events of this run and earlier ones, from the history database. What happened before the
    /// call is among them. Without a database that can be read, the last 1,000 events are looked
    /// through.
    pub async fn events(&self, filter: EventFilter) -> Vec<HistoryEvent> {
        self.recording.events(filter).await
    }

    /// A kept revision with what it changed and what was known when it was accepted; by id or
    /// label. Where the database cannot be read, that is told in it.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Storage`] if the audit log cannot be read.
    pub async fn kept_revision(&self, id: &str) -> Result<KeptRevision, CommandError> {
        let folder = BenchFolder::of(&self.status().bench.path);
        self.recording.revision(folder, self.keeping.find(id)?).await
    }

    /// What a parameter read back over time, oldest first, both ends of the time included, at most
    /// `limit`. A readback is kept when it differs from the one before, at most once a second.
    ///
    /// # Errors
    /// [`CommandError::Storage`] if the database cannot be read.
    pub async fn trend(
        &self,
        instrument: &str,
        parameter: &str,
        time: (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<TrendPoint>, CommandError> {
        self.recording.trend(instrument.to_owned(), parameter.to_owned(), time, limit).await
    }

    /// What was known when a revision was accepted, pictures without their bytes; by id or label.
    /// `None` if nothing was kept of it.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Storage`] if the database cannot be read.
    pub async fn revision_facts(&self, id: &str) -> Result<Option<RevisionFacts>, CommandError> {
        let id = self.keeping.find(id)?.id;
        self.recording.facts(id).await
    }

    /// A small picture of a source from the moment when a revision was accepted, as PNG; by id or
    /// label. `None` if none was kept.
    ///
    /// # Errors
    /// As [`Runtime::revision_facts`].
    pub async fn revision_picture(
        &self,
        id: &str,
        source: &str,
    ) -> Result<Option<Vec<u8>>, CommandError> {
        let id = self.keeping.find(id)?.id;
        self.recording.picture(id, source.to_owned()).await
    }

    /// What [`Runtime::stop`] waits for now, in a few words. Never waits.
    pub fn ends_after(&self) -> &'static str {
        &self.ending.0.load()
    }

    /// Ends everything: links closed, pipelines stopped, the folder free for another program.
    /// Devices keep the values they have. Returns when that is done; a second call returns as
    /// well.
    pub async fn stop(&self) {
        // Fails only when the manager has ended already.
        let _ = self.stop.send(()).await;
        if let Some(managing) = self.managing.lock().await.take()
            && let Err(error) = managing.await
        {
            tracing::error!("the bench did not stop cleanly: {error}");
        }
    }
}
