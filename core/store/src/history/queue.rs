//! What waits to be written, and what is told of it. Bounded by number and by weight.

use std::{
    collections::HashSet,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::Value;

use super::{HistoryEvent, Reading, RevisionFacts, TrendPoint};

/// What may wait to be written; more is lost, and counted.
const QUEUE: usize = 8_192;
/// Bytes that may wait.
const QUEUE_BYTES: usize = 32 << 20;
/// What a reading over time takes, its names included.
const POINT: usize = 160;

/// What can be handed to the thread.
#[derive(Debug)]
pub(super) enum Item {
    Event(Box<HistoryEvent>),
    Facts(Box<RevisionFacts>),
    Trends(Vec<TrendPoint>),
    Flush(SyncSender<()>),
    Suspect,
    /// There is something to look at beside the queue.
    Wake,
}

impl Item {
    /// About what it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => weigh_event(event),
            Self::Facts(facts) => weigh_facts(facts),
            Self::Trends(points) => {
                points.iter().map(|point| POINT + weigh_value(&point.value)).sum()
            }
            Self::Flush(_) | Self::Suspect | Self::Wake => 0,
        }
    }

    /// How many entries of history it is.
    pub(super) fn entries(&self) -> u64 {
        match self {
            Self::Event(_) | Self::Facts(_) => 1,
            Self::Trends(points) => points.len() as u64,
            Self::Flush(_) | Self::Suspect | Self::Wake => 0,
        }
    }
}

fn weigh_event(event: &HistoryEvent) -> usize {
    let HistoryEvent { origin, kind, subject, tone, path, message, payload, .. } = event;
    let texts = [origin, kind, subject, tone, path, message];
    size_of::<HistoryEvent>()
        + texts.iter().map(|text| text.len()).sum::<usize>()
        + payload.as_ref().map_or(0, weigh_value)
}

fn weigh_facts(facts: &RevisionFacts) -> usize {
    let reading = |reading: &Reading| {
        let values = [&reading.setpoint, &reading.readback];
        size_of::<Reading>()
            + reading.instrument.len()
            + reading.parameter.len()
            + values.into_iter().flatten().map(weigh_value).sum::<usize>()
    };
    let pictures = facts.pictures.iter().map(|picture| picture.png.len());
    size_of::<RevisionFacts>()
        + facts.readings.iter().map(reading).sum::<usize>()
        + pictures.sum::<usize>()
}

/// What a value takes beyond itself.
fn weigh_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => {
            values.iter().map(|value| size_of::<Value>() + weigh_value(value)).sum()
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| key.len() + 2 * size_of::<Value>() + weigh_value(value))
            .sum(),
    }
}

/// What handles and thread share.
#[derive(Debug)]
pub(super) struct Shared {
    queue: SyncSender<Item>,
    bytes: AtomicUsize,
    /// Entries since that was told last; 0 while nothing was lost.
    lost: AtomicU64,
    /// Changes only under `told`: else the thread could begin to wait just then.
    closing: AtomicBool,
    told: Mutex<Told>,
    /// Wakes the thread out of waiting for better times.
    hurry: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Told {
    problem: Option<String>,
    notes: Vec<String>,
    begun: Option<u64>,
    /// Not in the queue: it must not get lost where that is full.
    labelled: Option<HashSet<String>>,
}

impl Shared {
    pub(super) fn new() -> (Arc<Self>, Receiver<Item>) {
        let (queue, receiver) = mpsc::sync_channel(QUEUE);
        let shared = Self {
            queue,
            bytes: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            told: Mutex::default(),
            hurry: Condvar::new(),
            thread: Mutex::new(None),
        };
        (Arc::new(shared), receiver)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands something over, or counts it as lost. Never waits.
    pub(super) fn put(&self, item: Item) {
        let (bytes, entries) = (item.bytes(), item.entries());
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting + bytes > QUEUE_BYTES || self.queue.try_send(item).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.lose(entries);
        }
    }

    /// Something is not waiting any more.
    pub(super) fn done_with(&self, item: &Item) {
        self.bytes.fetch_sub(item.bytes(), Ordering::Relaxed);
    }

    /// Counts entries that will not be written.
    pub(super) fn lose(&self, entries: u64) {
        self.lost.fetch_add(entries, Ordering::Relaxed);
    }

    /// How many entries were lost and not told of.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// So many of them are told of.
    pub(super) fn told_lost(&self, entries: u64) {
        self.lost.fetch_sub(entries, Ordering::Relaxed);
    }

    /// How many entries were lost and not told of; from now on they are.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// Whether the thread is to write what waits and end.
    pub(super) fn closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Waits so long, or until there is a hurry.
    pub(super) fn rest(&self, patience: Duration) {
        let told = self.told();
        drop(self.hurry.wait_timeout_while(told, patience, |_| !self.closing()));
    }

    pub(super) fn set_thread(&self, thread: JoinHandle<()>) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    }

    pub(super) fn set_labelled(&self, labelled: HashSet<String>) {
        self.told().labelled = Some(labelled);
        // If the queue is full, the thread is awake and looks by itself.
        let _ = self.queue.try_send(Item::Wake);
    }

    pub(super) fn take_labelled(&self) -> Option<HashSet<String>> {
        self.told().labelled.take()
    }

    pub(super) fn problem(&self) -> Option<String> {
        let lost = self.lost();
        let losing = || {
            (lost > 0).then(|| {
                "The disk takes longer to write history than there is to write: some of it is lost"
                    .to_owned()
            })
        };
        self.told().problem.clone().or_else(losing)
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.told().problem = problem;
    }

    pub(super) fn note(&self, note: String) {
        self.told().notes.push(note);
    }

    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.told().notes)
    }

    pub(super) fn set_begun(&self, first: u64) {
        self.told().begun = Some(first);
    }

    pub(super) fn take_begun(&self) -> Option<u64> {
        self.told().begun.take()
    }

    pub(super) fn flush(&self, patience: Duration) -> bool {
        if self.told().problem.is_some() {
            return false;
        }
        let (done, written) = mpsc::sync_channel(1);
        self.queue.try_send(Item::Flush(done)).is_ok() && written.recv_timeout(patience).is_ok()
    }

    pub(super) fn close(&self) {
        {
            let _told = self.told();
            self.closing.store(true, Ordering::SeqCst);
            self.hurry.notify_all();
        }
        // If the queue is full, the thread is awake and looks at the flag.
        let _ = self.queue.try_send(Item::Wake);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes history failed; please report this");
        }
    }
}
