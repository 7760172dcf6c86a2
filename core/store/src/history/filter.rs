//! Which events are wanted.

use jiff::Timestamp;

use super::HistoryEvent;

/// Which events are wanted; every condition given has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those with a higher number.
    pub after: Option<u64>,
    /// Only those with a lower number.
    pub before: Option<u64>,
    /// Only those at this time or later.
    pub from: Option<Timestamp>,
    /// Only those at this time or earlier.
    pub until: Option<Timestamp>,
    /// Only those about this key and what lies below it: `instruments.psu` is not
    /// `instruments.psu2`.
    pub path: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those from this origin.
    pub origin: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// Which come first, and are left when there are more than the limit.
    pub order: Order,
}

/// In which order events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By rising numbers.
    OldestFirst,
    /// By falling numbers.
    NewestFirst,
}

impl Default for EventFilter {
    /// The oldest 200 events.
    fn default() -> Self {
        Self {
            after: None,
            before: None,
            from: None,
            until: None,
            path: None,
            kind: None,
            origin: None,
            limit: 200,
            order: Order::OldestFirst,
        }
    }
}

impl EventFilter {
    /// Whether an event is wanted; limit and order aside.
    pub fn fits(&self, event: &HistoryEvent) -> bool {
        self.fits_parts(event.seq, event.at, &event.path, &event.kind, &event.origin)
    }

    /// The same, for an event in another shape.
    pub fn fits_parts(
        &self,
        seq: u64,
        at: Timestamp,
        path: &str,
        kind: &str,
        origin: &str,
    ) -> bool {
        let below = |prefix: &str| match path.strip_prefix(prefix) {
            Some(rest) => prefix.is_empty() || rest.is_empty() || rest.starts_with('.'),
            None => false,
        };
        self.after.is_none_or(|after| seq > after)
            && self.before.is_none_or(|before| seq < before)
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at <= until)
            && self.path.as_deref().is_none_or(below)
            && self.kind.as_deref().is_none_or(|wanted| kind == wanted)
            && self.origin.as_deref().is_none_or(|wanted| origin == wanted)
    }

    /// Whether path, kind or origin matter.
    pub(super) fn by_topic(&self) -> bool {
        self.path.as_ref().is_some_and(|path| !path.is_empty())
            || self.kind.is_some()
            || self.origin.is_some()
    }
}
