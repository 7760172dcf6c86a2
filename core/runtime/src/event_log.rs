//! The last events, in order.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use jiff::Timestamp;
use serde_json::Value;
use setpoint_store::History;

use crate::event::{Event, Origin, Subject, Tone};

/// Events kept for screens that open later.
pub(crate) const KEPT: usize = 1_000;

/// What is told; number and time are added as it is logged.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) origin: Origin,
    pub(crate) kind: &'static str,
    pub(crate) subject: Subject,
    pub(crate) tone: Tone,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) took_ms: Option<f64>,
}

/// The last events and the number of the next.
#[derive(Debug)]
pub(crate) struct EventLog {
    events: VecDeque<Arc<Event>>,
    last: u64,
    shared: Option<Arc<Vec<Arc<Event>>>>,
    /// Where they are kept, and what numbers them.
    history: Option<History>,
    run: Arc<str>,
    began: Instant,
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            last: 0,
            shared: None,
            history: None,
            run: "".into(),
            began: Instant::now(),
        }
    }
}

impl EventLog {
    /// Adds one event, and forgets the oldest if there are too many. Logs it at the level that a
    /// person sees it with.
    pub(crate) fn add(&mut self, told: Told, payload: Option<Value>) {
        let Told { origin, kind, subject, tone, path, message, took_ms } = told;
        match tone {
            Tone::Error => tracing::error!(kind, path, origin = origin.as_str(), "{message}"),
            Tone::Warning => tracing::warn!(kind, path, origin = origin.as_str(), "{message}"),
            _ => tracing::info!(kind, path, origin = origin.as_str(), "{message}"),
        }
        self.last = self.history.as_ref().map_or(self.last + 1, History::number);
        // As precise as it is kept.
        let now = Timestamp::now();
        let event = Event {
            seq: self.last,
            at: Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now),
            mono_us: u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            run: self.run.clone(),
            origin,
            kind: kind.into(),
            subject,
            tone,
            path,
            message,
            took_ms,
            payload: payload.map(Arc::new),
        };
        if let Some(history) = &self.history {
            history.put_event(event.kept());
        }
        self.events.push_back(Arc::new(event));
        if self.events.len() > KEPT {
            self.events.pop_front();
        }
        self.shared = None;
    }

    /// Goes on behind what was kept: `earlier` are its last events, oldest first.
    pub(crate) fn go_on(&mut self, history: History, earlier: Vec<Event>) {
        self.run = history.run().clone();
        self.history = Some(history);
        for event in earlier.into_iter().rev().take(KEPT - self.events.len().min(KEPT)) {
            self.events.push_front(Arc::new(event));
        }
        self.shared = None;
    }

    /// All kept events, oldest first; the list is built again only after an addition.
    pub(crate) fn list(&mut self) -> Arc<Vec<Arc<Event>>> {
        let events = &self.events;
        self.shared.get_or_insert_with(|| Arc::new(events.iter().cloned().collect())).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Told {
        Told {
            origin: Origin::Bench,
            kind: "test",
            subject: Subject::Configuration,
            tone: Tone::Info,
            path: String::new(),
            message: message.to_owned(),
            took_ms: None,
        }
    }

    #[test]
    fn numbers_go_on_when_old_events_are_forgotten() {
        let mut log = EventLog::default();
        for index in 0..=KEPT {
            log.add(told(&index.to_string()), None);
        }
        let list = log.list();
        assert_eq!(list.len(), KEPT);
        assert_eq!(list[0].seq, 2);
        assert_eq!(list[KEPT - 1].seq, KEPT as u64 + 1);
    }
}
