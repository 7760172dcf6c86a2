//! One picture source: its pipelines come and go, its pictures keep coming.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    config::SourceConfig, error::VideoError, frame::FrameSlot, producer::Producer, shared::Shared,
    status::SourceStatus,
};

/// Called after each picture and each failure, from a thread of GStreamer: it must return soon
/// and must not change or drop the source.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// How long a pipeline may take to its first picture.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause before the first attempt to start again; doubled with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A source that runs until it is dropped. A pipeline that breaks is started again by a thread of
/// its own, with growing pauses.
///
/// Dropping it blocks until its pipeline has stopped; after that nothing is published.
pub struct Source {
    inner: Arc<Inner>,
    keeper: Option<JoinHandle<()>>,
}

struct Inner {
    shared: Arc<Shared>,
    /// The running pipeline. Locked for as long as a change takes.
    running: Mutex<Option<Producer>>,
}

impl Source {
    /// Starts a source and returns at once; its state is `starting` until the first picture, and
    /// `fallback` with an error if none can be had. `waker` is called after each picture in the
    /// slot.
    pub fn start(id: impl Into<String>, config: SourceConfig, waker: Option<Waker>) -> Self {
        let id = id.into();
        let name = format!("source-{id}");
        let shared = Arc::new(Shared::new(id, config, waker));
        let inner = Arc::new(Inner { shared, running: Mutex::new(None) });
        let kept = inner.clone();
        // A name with a NUL is not a thread name; the bench file's ids have none.
        let name = name.replace('\0', "");
        let keeper = std::thread::Builder::new().name(name).spawn(move || kept.keep());
        if let Err(error) = &keeper {
            inner.shared.give_up(format!("no thread for this source: {error}"));
        }
        Self { inner, keeper: keeper.ok() }
    }

    /// Changes what runs. Pattern and preview are set on the running pipeline. For everything else
    /// a pipeline is started beside the running one and takes over with its first picture.
    ///
    /// Blocks until then, at most about two seconds.
    ///
    /// # Errors
    /// What the pipeline asked for failed with. The one before runs on, and its settings stay.
    pub fn reconfigure(&self, config: SourceConfig) -> Result<(), VideoError> {
        let mut running = self.inner.running();
        let SourceConfig { pattern, preview, .. } = config.clone();
        let adjusted = SourceConfig { pattern, preview, ..self.inner.shared.config() };
        match running.as_ref() {
            Some(producer) if adjusted == config && self.inner.shared.healthy() => {
                producer.adjust(&config)?;
                self.inner.shared.set_config(config);
                Ok(())
            }
            _ => self.inner.replace(&mut running, &config),
        }
    }

    /// The slot its pictures go to, the same for as long as it lives.
    pub fn slot(&self) -> FrameSlot {
        self.inner.shared.slot().clone()
    }

    /// What it is asked to be.
    pub fn config(&self) -> SourceConfig {
        self.inner.shared.config()
    }

    /// As it is at this moment. Never waits for a pipeline.
    pub fn status(&self) -> SourceStatus {
        self.inner.shared.status()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.inner.shared.stop();
        drop(self.inner.running().take());
        if let Some(keeper) = self.keeper.take()
            && keeper.join().is_err()
        {
            tracing::error!(source = %self.inner.shared.id(), "the thread of a source panicked");
        }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Option<Producer>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a pipeline beside the running one and lets it take over.
    fn replace(
        &self,
        running: &mut Option<Producer>,
        config: &SourceConfig,
    ) -> Result<(), VideoError> {
        let candidate = Producer::start(config, &self.shared)?;
        self.shared.await_first(candidate.generation(), PATIENCE)?;
        self.shared.set_config(config.clone());
        // The one before stops here, after its successor's first picture.
        *running = Some(candidate);
        Ok(())
    }

    /// Starts the pipeline, and again whenever it breaks, until the source is dropped.
    fn keep(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = {
                let mut running = self.running();
                if self.shared.healthy() {
                    // Someone else's change got it going meanwhile.
                    Ok(())
                } else {
                    // The broken one goes first, so that its successor can open the same device.
                    *running = None;
                    self.replace(&mut running, &self.shared.config())
                }
            };
            match attempt {
                Ok(()) => pause = FIRST_PAUSE,
                Err(VideoError::Stopped) => return,
                Err(error) => self.shared.give_up(error.to_string()),
            }
            if self.shared.healthy() && !self.shared.await_failure() {
                return;
            }
            if !self.shared.pause(pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::status::SourceState;

    #[test]
    fn broken_pipeline_is_told_of_and_started_again() {
        let (woken, wakes) = mpsc::sync_channel(1000);
        let waker: Waker = Arc::new(move || woken.try_send(()).unwrap_or_default());
        let config = SourceConfig {
            pattern: "red".into(),
            width: 64,
            height: 64,
            framerate: (25, 1),
            format: "I420".into(),
            preview: true,
        };
        let source = Source::start("camera", config, Some(waker));
        let until = |state| {
            while source.status().state != state {
                wakes.recv_timeout(Duration::from_secs(20)).unwrap();
            }
        };
        until(SourceState::Live);
        source.inner.running().as_ref().unwrap().break_down("the cable came off");
        assert_eq!(source.status().state, SourceState::Fallback);
        let error = source.status().error.unwrap();
        assert!(error.contains("the cable came off"), "{error}");
        until(SourceState::Live);
        assert!(source.slot().latest().is_some());
    }
}
