//! What goes to the history database: every event, what every instrument had read back and a
//! picture of every source at each accepted revision, readbacks as they change. Handed over to
//! the database's own thread; nobody waits for it.

mod ask;
mod picture;
mod readings;

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::Value;
use setpoint_bench::{Change, Effect};
use setpoint_instruments::InstrumentStatus;
use setpoint_store::{
    Audit, BenchFolder, History, HistoryReader, StoreError,
    history::{EventFilter, HistoryOptions, Order, RevisionFacts, TrendPoint},
};
use tokio::time::MissedTickBehavior;

use crate::{
    event::{Event, Origin, Subject, Tone},
    event_log::{KEPT, Told},
    frames::Frames,
    keeping::Keeping,
    manager::Running,
    publish::Publisher,
    secrets::Secrets,
    shelf::UNKEPT,
    status::Status,
};

/// How often readbacks are looked at, and the database asked how it does.
const TICK: Duration = Duration::from_secs(1);

/// The history, opened, and the last events in it.
pub(crate) struct Opened {
    history: History,
    reader: HistoryReader,
    earlier: Vec<Event>,
}

/// Opens the history of a bench, with its audit log where that can be written. Reads from the
/// disk.
///
/// # Errors
/// When the system gives no thread or no random bytes; a database that does not work is none.
pub(crate) fn open(folder: &BenchFolder, audit: Option<&Audit>) -> Result<Opened, StoreError> {
    let history = History::open(folder, HistoryOptions::default(), audit)?;
    let reader = HistoryReader::of(folder);
    let last = EventFilter { limit: KEPT, order: Order::NewestFirst, ..EventFilter::default() };
    // What is wrong with it the history itself says.
    let mut earlier = reader.events(&last).unwrap_or_default();
    earlier.reverse();
    let earlier = earlier.into_iter().map(Event::recalled).collect();
    Ok(Opened { history, reader, earlier })
}

/// Hands to the history what happens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recording(Arc<Inner>);

struct Inner {
    history: History,
    reader: HistoryReader,
    publisher: Publisher,
    frames: Frames,
    keeping: Keeping,
    facts_of: std::sync::Mutex<String>,
    ticking: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Recording {
    /// Numbers and keeps events from now on, and starts looking at readbacks.
    pub(crate) fn start(
        opened: Opened,
        publisher: &Publisher,
        frames: &Frames,
        keeping: &Keeping,
    ) -> Self {
        let Opened { history, reader, earlier } = opened;
        publisher.keep_events(history.clone(), earlier);
        let recording = Self(Arc::new(Inner {
            history,
            reader,
            publisher: publisher.clone(),
            frames: frames.clone(),
            keeping: keeping.clone(),
            facts_of: std::sync::Mutex::default(),
            ticking: std::sync::Mutex::default(),
        }));
        let ticking = tokio::spawn(recording.clone().tick());
        *recording.ticking() = Some(ticking);
        recording
    }

    fn ticking(&self) -> std::sync::MutexGuard<'_, Option<tokio::task::JoinHandle<()>>> {
        self.0.ticking.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Keeps what is known at this moment with a revision that was just accepted. Nothing is
    /// asked of a device.
    pub(crate) fn accepted(&self, running: &Running, changes: &[Change]) {
        let effect = changes.iter().map(|change| change.effect).max().unwrap_or(Effect::None);
        self.keep_facts(running, effect);
    }

    /// The same for what runs, if nobody said it was accepted: a bench that was just opened, a
    /// change that an earlier run had begun. Facts that are kept stay as they are.
    pub(crate) fn noticed(&self, running: &Running) {
        if *self.facts_of() != running.revision.id {
            self.keep_facts(running, Effect::None);
        }
    }

    /// The revision whose facts were handed over last.
    fn facts_of(&self) -> std::sync::MutexGuard<'_, String> {
        self.0.facts_of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn keep_facts(&self, running: &Running, effect: Effect) {
        let now = jiff::Timestamp::now();
        let now = jiff::Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let revision = running.revision.id.clone();
        (*self.facts_of()).clone_from(&revision);
        if revision == UNKEPT {
            return;
        }
        let devices = self.0.publisher.devices();
        let mut secrets = self.0.publisher.secrets();
        secrets.comes(&running.meaning);
        let readings = readings::all(&devices, running, &secrets, now);
        let sources = self.0.publisher.sources();
        let frames: Vec<_> = sources
            .into_iter()
            .filter_map(|id| self.0.frames.latest(&id).map(|frame| (id, frame)))
            .collect();
        let effect = readings::word(&effect);
        let history = self.0.history.clone();
        // Pictures take some milliseconds each.
        tokio::task::spawn_blocking(move || {
            let pictures = frames
                .iter()
                .filter_map(|(id, frame)| match picture::small(id, frame) {
                    Ok(picture) => Some(picture),
                    Err(error) => {
                        tracing::warn!("no picture of {id} is kept with {revision}: {error}");
                        None
                    }
                })
                .collect();
            history.put_facts(RevisionFacts { revision, at: now, effect, readings, pictures });
        });
    }

    async fn tick(self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trends = Trends::default();
        let mut problem = None;
        let mut labelled = None;
        let mut begun = None;
        loop {
            tick.tick().await;
            let status = self.0.publisher.status().load_full();
            let secrets = self.0.publisher.secrets();
            self.0.history.put_trends(trends.changed(&status, &secrets));
            self.tell_labels(&mut labelled);
            self.tell_problem(&mut problem);
            self.tell_notes(&status, &mut begun).await;
        }
    }

    /// The status does not know of them at first, and what has no label is forgotten one day.
    fn tell_labels(&self, before: &mut Option<Vec<String>>) {
        let Some(labelled) = self.0.keeping.labelled() else { return };
        if before.as_ref() != Some(&labelled) {
            self.0.history.set_labelled(labelled.clone());
            *before = Some(labelled);
        }
    }

    /// Shows what does not work, and tells when that begins and ends.
    fn tell_problem(&self, before: &mut Option<String>) {
        let problem = self.0.history.problem();
        if problem == *before {
            return;
        }
        let (began, ended) = (before.is_none(), problem.is_none());
        before.clone_from(&problem);
        let mut others = false;
        self.0.publisher.update(|core| {
            core.database_problem.clone_from(&problem);
            others = core.history_problem.is_some();
        });
        if began && let Some(problem) = problem {
            let message = format!("History is not kept: {problem}. The bench runs on without it.");
            self.tell("history_failing", Tone::Warning, message);
        } else if ended && !others {
            // Else that is said when the rest works again too.
            self.tell("history_works", Tone::Good, "The history is kept again".to_owned());
        }
    }

    /// `begun` is the number of a database whose beginning is not in the audit log yet.
    async fn tell_notes(&self, status: &Status, begun: &mut Option<u64>) {
        if let Some(first) = self.0.history.take_begun() {
            *begun = Some(first);
            // The audit log knows less than what is in memory.
            for event in status.events.iter() {
                self.0.history.put_event(event.kept());
            }
        }
        if let Some(first) = *begun
            && self.0.keeping.audit_record(History::record_begun(first)).await.is_ok()
        {
            *begun = None;
        }
        for note in self.0.history.take_notes() {
            self.tell("history_note", Tone::Warning, note);
        }
        for note in self.0.keeping.take_audit_notes() {
            self.tell("audit_note", Tone::Warning, note);
        }
    }

    fn tell(&self, kind: &'static str, tone: Tone, message: String) {
        self.0.publisher.tell(Told {
            origin: Origin::Bench,
            kind,
            subject: Subject::Configuration,
            tone,
            path: String::new(),
            message,
            took_ms: None,
        });
    }

    /// Writes what waits and closes the database.
    pub(crate) async fn close(&self) {
        if let Some(ticking) = self.ticking().take() {
            ticking.abort();
        }
        let history = self.0.history.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || history.close()).await {
            tracing::error!("closing the history failed: {error}");
        }
    }
}

/// What was handed over of every parameter last.
#[derive(Default)]
struct Trends {
    seen: HashMap<String, Arc<InstrumentStatus>>,
    last: HashMap<(String, String), Value>,
}

impl Trends {
    /// Readbacks that differ from those before.
    fn changed(&mut self, status: &Status, secrets: &Secrets) -> Vec<TrendPoint> {
        let mut points = Vec::new();
        for (id, instrument) in &status.instruments {
            if self.seen.get(id).is_some_and(|seen| Arc::ptr_eq(seen, instrument)) {
                continue;
            }
            self.seen.insert(id.clone(), instrument.clone());
            for (name, parameter) in &instrument.parameters {
                let Some((readback, at)) = parameter.readback.as_ref().zip(parameter.at) else {
                    continue;
                };
                let value = readings::plain(readback);
                let key = (id.clone(), name.clone());
                if self.last.get(&key) == Some(&value) || secrets.hides(id, name, Some(at)) {
                    continue;
                }
                self.last.insert(key, value.clone());
                let (instrument, parameter) = (id.clone(), name.clone());
                points.push(TrendPoint { instrument, parameter, at, value });
            }
        }
        self.seen.retain(|id, _| status.instruments.contains_key(id));
        self.last.retain(|(id, _), _| status.instruments.contains_key(id));
        points
    }
}

#[cfg(test)]
mod tests;
