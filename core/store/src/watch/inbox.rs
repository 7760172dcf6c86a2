//! What reaches the watcher's thread: hints and wishes, merged, so that there is no queue to
//! overflow and no hint to lose.

use std::{
    mem,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::WatchOptions;
use crate::TextHash;

/// What a hint tells of the last thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Bytes were written, or something went away: more may follow.
    Change,
    /// A mark on the file changed, which says nothing of its content.
    Mark,
    /// Its writer closed it.
    Closed,
    /// A whole file got this name.
    Renamed,
}

/// Hints since the last look, merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hints {
    /// When the first came.
    pub(super) first: Instant,
    /// The writer is done.
    pub(super) finished: bool,
    /// The file was renamed into place and not written to since.
    pub(super) renamed: bool,
    /// Nothing but marks changed: the rest of this says nothing.
    pub(super) only_marks: bool,
}

impl Hints {
    pub(super) fn new(sign: Sign, now: Instant) -> Self {
        let mut hints = Self { first: now, finished: false, renamed: false, only_marks: true };
        hints.add(sign);
        hints
    }

    fn add(&mut self, sign: Sign) {
        self.only_marks &= sign == Sign::Mark;
        match sign {
            Sign::Change => (self.finished, self.renamed) = (false, false),
            Sign::Mark => {}
            Sign::Closed => self.finished = true,
            Sign::Renamed => (self.finished, self.renamed) = (true, true),
        }
    }
}

/// Everything since the thread last asked.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) hints: Option<Hints>,
    /// A watched folder went away or was replaced, or events were lost.
    pub(super) rearm: bool,
    pub(super) stop: bool,
    pub(super) paused: Option<bool>,
    pub(super) look_now: bool,
    pub(super) options: Option<WatchOptions>,
    /// Later than `options`.
    pub(super) quiet: Option<Duration>,
    pub(super) beliefs: Vec<(TextHash, Instant)>,
}

/// Where the news is put.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    news: Mutex<(bool, News)>,
    arrived: Condvar,
}

impl Inbox {
    pub(super) fn put(&self, change: impl FnOnce(&mut News)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut news.1);
        news.0 = true;
        self.arrived.notify_one();
    }

    pub(super) fn hint(&self, sign: Sign) {
        self.put(|news| match &mut news.hints {
            Some(hints) => hints.add(sign),
            None => news.hints = Some(Hints::new(sign, Instant::now())),
        });
    }

    /// Waits for news, until `deadline` at most.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> News {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        while !news.0 {
            news = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    let waited = self.arrived.wait_timeout(news, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.arrived.wait(news).unwrap_or_else(PoisonError::into_inner),
            };
        }
        news.0 = false;
        mem::take(&mut news.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_say_nothing_of_the_writer() {
        let inbox = Inbox::default();
        inbox.hint(Sign::Mark);
        assert!(inbox.wait(None).hints.unwrap().only_marks);
        inbox.hint(Sign::Closed);
        inbox.hint(Sign::Mark);
        let hints = inbox.wait(None).hints.unwrap();
        assert!(hints.finished && !hints.only_marks);
    }

    #[test]
    fn writing_after_a_rename_takes_its_trust_away() {
        let inbox = Inbox::default();
        inbox.hint(Sign::Renamed);
        inbox.hint(Sign::Mark);
        let hints = inbox.wait(None).hints.unwrap();
        assert!(hints.finished && hints.renamed);
        inbox.hint(Sign::Renamed);
        inbox.hint(Sign::Change);
        let hints = inbox.wait(None).hints.unwrap();
        assert!(!hints.finished && !hints.renamed);
        inbox.hint(Sign::Change);
        inbox.hint(Sign::Closed);
        let hints = inbox.wait(None).hints.unwrap();
        assert!(hints.finished && !hints.renamed);
    }
}
