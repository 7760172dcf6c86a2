//! A circuit breaker for reloads: a program that saves nonsense over and over is looked at less
//! and less often, until it saves something good.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::status::Suspended;

/// So many failures within [`WINDOW`] are too many.
const FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// The first pause; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);

/// Counts reloads that failed, and says when the file may be looked at again.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// Failures within the window, oldest first.
    recent: VecDeque<Instant>,
    in_a_row: usize,
    /// The last pause; `None` while there is no need for one.
    pause: Option<Duration>,
    /// Reloads are held back until then.
    held: Option<(Instant, Timestamp)>,
}

impl Breaker {
    /// A reload failed. Answers how long the next is held back, if it is.
    pub(crate) fn failed(&mut self, now: Instant) -> Option<Duration> {
        let calm = |last: &Instant| now.saturating_duration_since(*last) > WINDOW + LONGEST;
        if self.recent.back().is_some_and(calm) {
            self.good();
        }
        self.in_a_row += 1;
        self.recent.push_back(now);
        while self.recent.len() > FAILURES {
            self.recent.pop_front();
        }
        let within =
            self.recent.iter().filter(|at| now.saturating_duration_since(**at) <= WINDOW).count();
        let pause = match self.pause {
            Some(last) => (last * 2).min(LONGEST),
            None if within >= FAILURES => FIRST,
            None => return None,
        };
        self.pause = Some(pause);
        self.held = Some((now + pause, Timestamp::now() + pause));
        Some(pause)
    }

    /// The file holds something good: nothing is held back any more. Answers whether something was.
    pub(crate) fn good(&mut self) -> bool {
        let tripped = self.pause.is_some();
        *self = Self::default();
        tripped
    }

    /// Whether reloads are held back.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// When the pause ends.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.map(|(at, _)| at)
    }

    /// The pause is over: the next look may be made.
    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// For the status.
    pub(crate) fn shown(&self) -> Option<Suspended> {
        let (_, until) = self.held?;
        Some(Suspended { failures: self.in_a_row, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn five_failures_within_a_minute_hold_back_longer_each_time() {
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        for _ in 0..4 {
            assert_eq!(breaker.failed(now), None);
            now += seconds(10);
        }
        for expected in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.failed(now), Some(seconds(expected)));
            assert!(breaker.holds());
            now = breaker.due().unwrap();
            breaker.release();
            assert!(!breaker.holds());
        }
        assert!(breaker.good());
        assert_eq!(breaker.failed(now), None);
        assert!(!breaker.good());
    }

    #[test]
    fn failures_far_apart_hold_nothing_back() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        for count in 0..20_u64 {
            assert_eq!(breaker.failed(now + seconds(count * 16)), None);
        }
    }

    #[test]
    fn a_long_calm_begins_anew() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        let last = (0..5).map(|_| breaker.failed(now)).last().unwrap();
        assert_eq!(last, Some(FIRST));
        breaker.release();
        assert_eq!(breaker.failed(now + seconds(200)), None);
        assert_eq!(breaker.shown(), None);
    }
}
