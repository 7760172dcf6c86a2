//! Whether the clock can be believed when it says what is old.
//!
//! A clock that is wrong for an hour must not cost years of history. The time that was believed
//! last is kept in the database; one that is far beyond it counts only after a day's run.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{
    HistoryOptions,
    database::{Database, EVENTS_BELIEVED, TRENDS_BELIEVED},
};

/// The clock may be beyond what was believed last by this part of the greatest age.
const PART: u32 = 4;
/// How long a clock further beyond has to say so, by a clock that nobody sets.
const DOUBTED: Duration = Duration::from_secs(24 * 60 * 60);

/// Before which time events and readbacks are too old, in microseconds; `None` while that is not
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cuts {
    pub(super) events: Option<i64>,
    pub(super) trends: Option<i64>,
}

/// The clock, asked for two ages.
#[derive(Debug)]
pub(super) struct Clocks {
    events: Clock,
    trends: Clock,
}

#[derive(Debug)]
struct Clock {
    key: &'static str,
    age: Duration,
    /// Since when it is far beyond what was believed last.
    doubted: Option<Instant>,
}

impl Clocks {
    pub(super) fn new(options: HistoryOptions) -> Self {
        let clock = |key, age| Clock { key, age, doubted: None };
        Self {
            events: clock(EVENTS_BELIEVED, options.max_age),
            trends: clock(TRENDS_BELIEVED, options.max_trend_age),
        }
    }

    /// What is too old at `wall`, and `now` by the clock that nobody sets.
    pub(super) fn cuts(
        &mut self,
        database: &Database,
        wall: Timestamp,
        now: Instant,
    ) -> rusqlite::Result<Cuts> {
        Ok(Cuts {
            events: self.events.cut(database, wall, now)?,
            trends: self.trends.cut(database, wall, now)?,
        })
    }
}

impl Clock {
    fn cut(
        &mut self,
        database: &Database,
        wall: Timestamp,
        now: Instant,
    ) -> rusqlite::Result<Option<i64>> {
        let wall = wall.as_microsecond();
        let believed = database.meta(self.key)?;
        if believed.is_some_and(|believed| wall.saturating_sub(believed) > micros(self.age / PART))
        {
            let since = *self.doubted.get_or_insert(now);
            if now.saturating_duration_since(since) < DOUBTED {
                return Ok(None);
            }
        }
        self.doubted = None;
        if believed.is_none_or(|believed| believed < wall) {
            database.set_meta(self.key, wall)?;
        }
        Ok(Some(wall.saturating_sub(micros(self.age))))
    }
}

fn micros(age: Duration) -> i64 {
    i64::try_from(age.as_micros()).unwrap_or(i64::MAX)
}
