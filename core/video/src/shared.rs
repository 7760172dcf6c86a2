//! What a source's pipelines, its thread and its readers share: which pipeline may publish, and
//! what was measured of it. Holds no pipeline, so that callbacks of one may hold this.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    config::SourceConfig,
    error::VideoError,
    frame::{Frame, FrameSlot},
    rate::Rate,
    source::Waker,
    status::{SourceState, SourceStatus},
};

/// Numbers the pipelines of one source; each has its own.
pub(crate) type Generation = u64;

/// Pixels of one picture; the sequence number comes with publishing.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgba: Vec<u8>,
}

/// What was measured of one pipeline.
#[derive(Debug, Default)]
struct Measured {
    generation: Generation,
    /// Whether it makes preview pictures. If not, its frames count as soon as they arrive.
    preview: bool,
    /// Width, height and format.
    caps: Option<(u32, u32, String)>,
    rate: Rate,
    failure: Option<String>,
}

struct State {
    /// What the running pipeline was made for.
    config: SourceConfig,
    generations: Generation,
    /// The one that may publish.
    active: Option<Measured>,
    /// The one that takes over with its first picture.
    candidate: Option<Measured>,
    frames: u64,
    sequence: u64,
    last: Option<(Instant, Timestamp)>,
    error: Option<String>,
    stopped: bool,
}

/// See the module.
pub(crate) struct Shared {
    id: String,
    slot: FrameSlot,
    waker: Option<Waker>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn new(id: String, config: SourceConfig, waker: Option<Waker>) -> Self {
        let state = State {
            config,
            generations: 0,
            active: None,
            candidate: None,
            frames: 0,
            sequence: 0,
            last: None,
            error: None,
            stopped: false,
        };
        let (slot, changed) = (FrameSlot::default(), Condvar::new());
        Self { id, slot, waker, state: Mutex::new(state), changed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn slot(&self) -> &FrameSlot {
        &self.slot
    }

    pub(crate) fn config(&self) -> SourceConfig {
        self.lock().config.clone()
    }

    /// The running pipeline is now as this says.
    pub(crate) fn set_config(&self, config: SourceConfig) {
        let mut state = self.lock();
        if let Some(active) = &mut state.active {
            active.preview = config.preview;
        }
        if !config.preview {
            // What is in the slot would grow old there.
            self.slot.clear();
        }
        state.config = config;
    }

    /// Lets one pipeline more take over with its first picture, instead of any that waits for it.
    pub(crate) fn nominate(&self, preview: bool) -> Generation {
        let mut state = self.lock();
        state.generations += 1;
        let generation = state.generations;
        // A stopped source gets no more pictures, whoever is still about to start one.
        if !state.stopped {
            state.candidate = Some(Measured { generation, preview, ..Measured::default() });
        }
        generation
    }

    /// Waits until a candidate took over. If it does not, it no longer can.
    pub(crate) fn await_first(
        &self,
        generation: Generation,
        patience: Duration,
    ) -> Result<(), VideoError> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if state.stopped {
                state.candidate = None;
                return Err(VideoError::Stopped);
            }
            if state.active.as_ref().is_some_and(|active| active.generation == generation) {
                return Ok(());
            }
            let candidate = state.candidate.as_mut().filter(|one| one.generation == generation);
            if let Some(message) = candidate.and_then(|one| one.failure.take()) {
                state.candidate = None;
                return Err(VideoError::Pipeline { message });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.candidate = None;
                let waited_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                return Err(VideoError::NoPicture { waited_ms });
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A pipeline agreed on what its pictures are.
    pub(crate) fn negotiated(&self, generation: Generation, caps: (u32, u32, String)) {
        let mut state = self.lock();
        if let Some(measured) = state.measured(generation) {
            measured.caps = Some(caps);
        }
    }

    /// A frame left a pipeline's first element.
    pub(crate) fn arrived(&self, generation: Generation) {
        let mut state = self.lock();
        let now = Instant::now();
        let Some(measured) = state.measured(generation) else { return };
        measured.rate.count(now);
        // Without a preview nothing comes further than here.
        if !measured.preview && state.admit(generation) {
            state.last = Some((now, Timestamp::now()));
            self.changed.notify_all();
        }
        if state.is_active(generation) {
            state.frames += 1;
        }
    }

    /// A picture is ready to be shown. `false`: its pipeline may not publish (any more).
    pub(crate) fn publish(&self, generation: Generation, picture: Picture) -> bool {
        {
            let mut state = self.lock();
            if !state.measured(generation).is_some_and(|measured| measured.preview) {
                return false;
            }
            let takes_over = !state.is_active(generation);
            if !state.admit(generation) {
                return false;
            }
            state.sequence += 1;
            let at = Timestamp::now();
            state.last = Some((Instant::now(), at));
            let Picture { width, height, rgba } = picture;
            // Still under the lock: pictures must get into the slot in the order of their numbers.
            self.slot.put(Frame { width, height, rgba, sequence: state.sequence, at });
            if takes_over {
                self.changed.notify_all();
            }
        }
        if let Some(waker) = &self.waker {
            waker();
        }
        true
    }

    /// A pipeline broke or ended.
    pub(crate) fn failed(&self, generation: Generation, message: String) {
        let mut state = self.lock();
        if let Some(measured) = state.measured(generation) {
            measured.failure = Some(message.clone());
        }
        if state.is_active(generation) {
            // What a broken pipeline may still push out is not to be shown.
            state.active = None;
            drop(state);
            self.give_up(message);
        } else {
            self.changed.notify_all();
        }
    }

    /// There are no pictures for now.
    pub(crate) fn give_up(&self, message: String) {
        let mut state = self.lock();
        tracing::warn!(source = %self.id, error = %message, "no picture");
        state.error = Some(message);
        self.slot.clear();
        self.changed.notify_all();
        drop(state);
        if let Some(waker) = &self.waker {
            waker();
        }
    }

    /// Whether the running pipeline gives pictures, or gave them and did not break.
    pub(crate) fn healthy(&self) -> bool {
        self.lock().healthy()
    }

    /// Waits until the running pipeline breaks; `false`: the source was stopped.
    pub(crate) fn await_failure(&self) -> bool {
        let mut state = self.lock();
        while state.healthy() && !state.stopped {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.stopped
    }

    /// Waits out a pause between two attempts; `false`: the source was stopped.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let state = self.lock();
        let waiting = |state: &mut State| !state.stopped && !state.healthy();
        let woken = self.changed.wait_timeout_while(state, pause, waiting);
        !woken.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    /// From now on nothing is published.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.active = None;
        state.candidate = None;
        self.changed.notify_all();
    }

    /// As it is at this moment.
    pub(crate) fn status(&self) -> SourceStatus {
        let state = self.lock();
        let now = Instant::now();
        let asked = 1.0 / state.config.frame_time_s();
        let framerate = state.active.as_ref().and_then(|active| active.rate.per_second(now));
        let overdue = 1.0 + 5.0 * state.config.frame_time_s();
        let condition = match (&state.error, state.last) {
            (Some(_), _) => SourceState::Fallback,
            (None, None) => SourceState::Starting,
            (None, Some((last, _))) if (now - last).as_secs_f64() > overdue => SourceState::Frozen,
            _ if framerate.is_some_and(|measured| measured < 0.75 * asked) => SourceState::Slow,
            _ => SourceState::Live,
        };
        let caps = state.active.as_ref().and_then(|active| active.caps.clone());
        let (width, height, format) = match caps {
            Some((width, height, format)) => (Some(width), Some(height), Some(format)),
            None => (None, None, None),
        };
        SourceStatus {
            id: self.id.clone(),
            kind: "test_pattern".to_owned(),
            state: condition,
            width,
            height,
            format,
            framerate,
            frames: state.frames,
            drops: self.slot.drops(),
            at: state.last.map(|(_, at)| at),
            viewers: 0,
            rtsp_url: None,
            error: state.error.clone(),
        }
    }
}

impl State {
    fn measured(&mut self, generation: Generation) -> Option<&mut Measured> {
        [self.active.as_mut(), self.candidate.as_mut()]
            .into_iter()
            .flatten()
            .find(|measured| measured.generation == generation)
    }

    fn is_active(&self, generation: Generation) -> bool {
        self.active.as_ref().is_some_and(|active| active.generation == generation)
    }

    fn healthy(&self) -> bool {
        self.active.is_some() && self.error.is_none()
    }

    /// Whether this pipeline may publish; the candidate may, and takes over with it.
    fn admit(&mut self, generation: Generation) -> bool {
        if self.candidate.as_ref().is_some_and(|one| one.generation == generation) {
            self.active = self.candidate.take();
            self.error = None;
            return true;
        }
        self.is_active(generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        let config = SourceConfig {
            pattern: "smpte".into(),
            width: 64,
            height: 64,
            framerate: (10, 1),
            format: "I420".into(),
            preview: true,
        };
        Shared::new("cam".into(), config, None)
    }

    fn picture() -> Picture {
        Picture { width: 1, height: 1, rgba: vec![0; 4] }
    }

    #[test]
    fn replaced_pipeline_can_publish_nothing() {
        let shared = shared();
        let old = shared.nominate(true);
        assert!(shared.publish(old, picture()));
        let new = shared.nominate(true);
        assert!(shared.publish(old, picture()), "the old one goes on until the new one delivers");
        assert!(shared.publish(new, picture()));
        assert!(!shared.publish(old, picture()));
        assert_eq!(shared.slot().latest().unwrap().sequence, 3);
    }

    #[test]
    fn rejected_candidate_can_not_take_over_late() {
        let shared = shared();
        let old = shared.nominate(true);
        assert!(shared.publish(old, picture()));
        let new = shared.nominate(true);
        let error = shared.await_first(new, Duration::ZERO).unwrap_err();
        assert_eq!(error, VideoError::NoPicture { waited_ms: 0 });
        assert!(!shared.publish(new, picture()));
        assert!(shared.publish(old, picture()));
    }

    #[test]
    fn failure_of_a_candidate_leaves_the_running_one_alone() {
        let shared = shared();
        let old = shared.nominate(true);
        assert!(shared.publish(old, picture()));
        let new = shared.nominate(true);
        shared.failed(new, "no such device".into());
        let error = shared.await_first(new, Duration::from_secs(60)).unwrap_err();
        assert_eq!(error.to_string(), "no such device");
        assert_eq!(shared.status().state, SourceState::Live);
    }

    #[test]
    fn failure_shows_a_stand_in_until_the_next_picture() {
        let shared = shared();
        assert_eq!(shared.status().state, SourceState::Starting);
        let one = shared.nominate(true);
        shared.publish(one, picture());
        shared.failed(one, "unplugged".into());
        let status = shared.status();
        assert_eq!(
            (status.state, status.error.as_deref()),
            (SourceState::Fallback, Some("unplugged"))
        );
        assert_eq!(shared.slot().latest(), None, "an old picture must not look like a new one");
        let two = shared.nominate(true);
        shared.publish(two, picture());
        assert_eq!((shared.status().state, shared.status().error), (SourceState::Live, None));
    }

    #[test]
    fn old_pictures_are_frozen() {
        let shared = shared();
        let one = shared.nominate(true);
        shared.publish(one, picture());
        let overdue = Duration::from_secs(2);
        let (last, at) = shared.lock().last.unwrap();
        shared.lock().last = Some((last.checked_sub(overdue).unwrap(), at));
        assert_eq!(shared.status().state, SourceState::Frozen);
    }

    #[test]
    fn rate_below_three_quarters_is_slow() {
        let shared = shared();
        let one = shared.nominate(true);
        shared.publish(one, picture());
        let now = Instant::now();
        for tenths in (0..=20).rev().step_by(2) {
            let mut state = shared.lock();
            let at = now.checked_sub(Duration::from_millis(tenths * 100)).unwrap();
            state.measured(one).unwrap().rate.count(at);
        }
        assert_eq!(shared.status().state, SourceState::Slow);
    }
}
