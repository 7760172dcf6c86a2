//! A range of the past, told as it would have been followed.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use setpoint_store::history::HistoryEvent;

use super::{Events, Printer, Told, page};
use crate::cli::{Failure, client::Client};

/// How much faster than it happened: more than nothing.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "a speed is a number greater than 0: 10 is ten times as fast".to_owned())
}

/// Of a bench that runs: as a stream that ends.
pub(super) fn of_running(
    client: &Client,
    command: &Events,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let newest = page(client, "/v1/events?limit=1")?.last().map_or(0, |event| event.seq);
    let before = command.before.unwrap_or(u64::MAX).min(newest + 1);
    let stream = client.stream(&command.address(command.since, Some(before), None))?;
    let mut pace = Pace::new(command.speed);
    let told = super::told(stream, |event| {
        pace.wait_for(event);
        printer.event(event)
    });
    match told {
        Told::Whole | Told::Enough => Ok(()),
        Told::BrokeOff => {
            Err(Failure::unusable("the bench was closed before all was told; ask again"))
        }
    }
}

/// Of a bench that nobody runs.
pub(super) fn kept(bench: &Path, command: &Events, printer: &mut Printer) -> Result<(), Failure> {
    let mut pace = Pace::new(command.speed);
    super::kept(bench, |reader| {
        let told = reader.replay(&command.filter(), |event| {
            pace.wait_for(event);
            printer.event(event)
        });
        told.map(drop)
    })
}

/// When the events of a replay are due.
struct Pace {
    /// `None`: at once.
    speed: Option<f64>,
    began: Instant,
    due: Duration,
    last: Option<(Arc<str>, u64, Timestamp)>,
}

impl Pace {
    fn new(speed: Option<f64>) -> Self {
        Self { speed, began: Instant::now(), due: Duration::ZERO, last: None }
    }

    /// Waits as long after the event before as it took then.
    fn wait_for(&mut self, event: &HistoryEvent) {
        if let Some(due) = self.due(event) {
            thread::sleep(due.saturating_sub(self.began.elapsed()));
        }
    }

    /// When an event is due, counted from the first one.
    fn due(&mut self, event: &HistoryEvent) -> Option<Duration> {
        let speed = self.speed?;
        let now = (event.run.clone(), event.mono_us, event.at);
        if let Some((run, mono_us, at)) = self.last.replace(now) {
            // Within a run a clock counts that nobody sets.
            let took = match event.mono_us.checked_sub(mono_us) {
                Some(took) if run == event.run && event.mono_us > 0 => Duration::from_micros(took),
                _ => event.at.duration_since(at).max(SignedDuration::ZERO).unsigned_abs(),
            };
            let scaled = Duration::try_from_secs_f64(took.as_secs_f64() / speed);
            self.due = self.due.saturating_add(scaled.unwrap_or(Duration::MAX));
        }
        Some(self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(run: &str, mono_us: u64, at: &str) -> HistoryEvent {
        HistoryEvent {
            seq: 1,
            at: at.parse().unwrap(),
            mono_us,
            run: run.into(),
            origin: "panel".into(),
            kind: "k".into(),
            subject: "configuration".into(),
            tone: "info".into(),
            path: String::new(),
            message: String::new(),
            took_ms: None,
            payload: None,
        }
    }

    #[test]
    fn events_are_due_as_they_happened() {
        let mut pace = Pace::new(Some(10.0));
        let mut due = |run, mono_us, at| pace.due(&event(run, mono_us, at)).unwrap().as_millis();
        assert_eq!(due("a", 5_000_000, "2026-11-21T10:00:00Z"), 0);
        assert_eq!(due("a", 7_000_000, "2026-11-21T11:00:00Z"), 200, "the clock was set");
        assert_eq!(due("b", 1_000, "2026-11-21T11:00:30Z"), 3_200, "another run");
        assert_eq!(due("c", 1_000, "2026-11-21T10:00:00Z"), 3_200, "never backwards");
        assert_eq!(due("audit", 0, "2026-11-21T10:00:00Z"), 3_200);
        assert_eq!(due("audit", 0, "2026-11-21T10:00:10Z"), 4_200, "no clock but the time");
        assert_eq!(Pace::new(None).due(&event("a", 1, "2026-11-21T10:00:00Z")), None);
    }

    #[test]
    fn a_speed_is_more_than_nothing() {
        assert_eq!(speed("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "fast", "inf", "nan"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }
}
