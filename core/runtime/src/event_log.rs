//! The last events, in order.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use crate::event::{Event, Origin, Subject, Tone};

/// Events kept for screens that open later.
const KEPT: usize = 1_000;

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
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    events: VecDeque<Arc<Event>>,
    last: u64,
    shared: Option<Arc<Vec<Arc<Event>>>>,
}

impl EventLog {
    /// Adds one event, and forgets the oldest if there are too many. Logs it at the level that a
    /// person sees it with.
    pub(crate) fn add(&mut self, told: Told) {
        let Told { origin, kind, subject, tone, path, message, took_ms } = told;
        match tone {
            Tone::Error => tracing::error!(kind, path, origin = origin.as_str(), "{message}"),
            Tone::Warning => tracing::warn!(kind, path, origin = origin.as_str(), "{message}"),
            _ => tracing::info!(kind, path, origin = origin.as_str(), "{message}"),
        }
        self.last += 1;
        let seq = self.last;
        let at = Timestamp::now();
        let event = Event { seq, at, origin, kind, subject, tone, path, message, took_ms };
        self.events.push_back(Arc::new(event));
        if self.events.len() > KEPT {
            self.events.pop_front();
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
            log.add(told(&index.to_string()));
        }
        let list = log.list();
        assert_eq!(list.len(), KEPT);
        assert_eq!(list[0].seq, 2);
        assert_eq!(list[KEPT - 1].seq, KEPT as u64 + 1);
    }
}
