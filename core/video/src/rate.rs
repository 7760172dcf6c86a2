//! Frames a second, counted.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Arrivals older than this do not count, as long as there are two newer ones.
const WINDOW: Duration = Duration::from_secs(2);
/// Less than this says nothing yet.
const LEAST: Duration = Duration::from_secs(1);

/// Remembers the arrivals of the last two seconds.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<Instant>);

impl Rate {
    /// One more frame.
    pub(crate) fn count(&mut self, at: Instant) {
        self.0.push_back(at);
        while self.0.len() > 2 && self.0.front().is_some_and(|first| at - *first > WINDOW) {
            self.0.pop_front();
        }
    }

    /// Frames a second up to `now`; `None` until a second has been counted. It falls while
    /// frames are overdue.
    pub(crate) fn per_second(&self, now: Instant) -> Option<f64> {
        let (first, last) = (*self.0.front()?, *self.0.back()?);
        let intervals = u32::try_from(self.0.len() - 1).ok().filter(|count| *count > 0)?;
        let counted = last - first;
        let silent = now.saturating_duration_since(last);
        // Half an interval early or late is ordinary; two without a frame are not.
        let span = if silent > 2 * counted / intervals { now - first } else { counted };
        (span >= LEAST.mul_f64(0.95)).then(|| f64::from(intervals) / span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(frames: u32, every_ms: u64) -> (Rate, Instant) {
        let start = Instant::now();
        let mut rate = Rate::default();
        let mut at = start;
        for _ in 0..frames {
            rate.count(at);
            at += Duration::from_millis(every_ms);
        }
        (rate, at - Duration::from_millis(every_ms))
    }

    #[test]
    fn says_nothing_before_a_second() {
        let (rate, last) = counted(20, 40);
        assert_eq!(rate.per_second(last), None);
        assert_eq!(Rate::default().per_second(last), None);
    }

    #[test]
    fn counts_fast_and_slow_ones() {
        for (frames, every_ms, expected) in [(200, 20, 50.0), (40, 100, 10.0), (4, 3000, 1.0 / 3.0)]
        {
            let (rate, last) = counted(frames, every_ms);
            let found = rate.per_second(last).unwrap();
            assert!((found - expected).abs() < 0.01, "{found} instead of {expected}");
        }
    }

    #[test]
    fn falls_while_nothing_comes() {
        let (rate, last) = counted(100, 20);
        let later = rate.per_second(last + Duration::from_secs(2)).unwrap();
        assert!(later < 30.0, "{later}");
    }
}
