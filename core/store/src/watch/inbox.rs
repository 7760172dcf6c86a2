//! What reaches the watcher's thread: hints and wishes, merged, so that there is no queue to
//! overflow and no hint to lose.

use std::{
    collections::BTreeMap,
    mem,
    path::PathBuf,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Beside, WatchOptions};
use crate::{ReadError, TextHash};

/// Which file a hint is about. Never used again for another while the watcher lives.
pub(super) type FileId = u64;

/// The bench file.
pub(super) const MAIN: FileId = 0;

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

    pub(super) fn add(&mut self, sign: Sign) {
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
    pub(super) hints: BTreeMap<FileId, Hints>,
    /// About every file: events were lost, or a folder changed.
    pub(super) everywhere: Option<Hints>,
    /// About names that a pattern could match.
    pub(super) found: Option<Hints>,
    /// A watched folder went away or was replaced, or events were lost.
    pub(super) rearm: bool,
    pub(super) stop: bool,
    pub(super) paused: Option<bool>,
    pub(super) look_now: bool,
    pub(super) options: Option<WatchOptions>,
    /// Later than `options`.
    pub(super) quiet: Option<Duration>,
    /// Texts that the owner is about to write, by file; `None` is the bench file.
    pub(super) beliefs: Vec<(Option<PathBuf>, TextHash, Instant)>,
    /// What the owner found or wrote itself, by file; `None` is the bench file. No finding: it
    /// does not know what the file holds. Later than `beliefs`.
    pub(super) known: BTreeMap<Option<PathBuf>, Option<Result<TextHash, ReadError>>>,
    /// The files beside the bench file from now on.
    pub(super) beside: Option<Beside>,
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

    /// Adds a hint about one file.
    pub(super) fn hint(&self, file: FileId, sign: Sign) {
        self.put(|news| {
            let hints = news.hints.entry(file);
            hints
                .and_modify(|hints| hints.add(sign))
                .or_insert_with(|| Hints::new(sign, Instant::now()));
        });
    }

    /// Adds a hint about every file.
    pub(super) fn hint_everywhere(&self, sign: Sign) {
        self.put(|news| add(&mut news.everywhere, sign));
    }

    /// Adds a hint about names that a pattern could match.
    pub(super) fn hint_found(&self, sign: Sign) {
        self.put(|news| add(&mut news.found, sign));
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

fn add(hints: &mut Option<Hints>, sign: Sign) {
    match hints {
        Some(hints) => hints.add(sign),
        None => *hints = Some(Hints::new(sign, Instant::now())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_say_nothing_of_the_writer() {
        let inbox = Inbox::default();
        inbox.hint(MAIN, Sign::Mark);
        assert!(inbox.wait(None).hints[&MAIN].only_marks);
        inbox.hint(MAIN, Sign::Closed);
        inbox.hint(MAIN, Sign::Mark);
        let hints = inbox.wait(None).hints[&MAIN];
        assert!(hints.finished && !hints.only_marks);
    }

    #[test]
    fn writing_after_a_rename_takes_its_trust_away() {
        let inbox = Inbox::default();
        inbox.hint(MAIN, Sign::Renamed);
        inbox.hint(MAIN, Sign::Mark);
        let hints = inbox.wait(None).hints[&MAIN];
        assert!(hints.finished && hints.renamed);
        inbox.hint(MAIN, Sign::Renamed);
        inbox.hint(MAIN, Sign::Change);
        let hints = inbox.wait(None).hints[&MAIN];
        assert!(!hints.finished && !hints.renamed);
        inbox.hint(MAIN, Sign::Change);
        inbox.hint(MAIN, Sign::Closed);
        let hints = inbox.wait(None).hints[&MAIN];
        assert!(hints.finished && !hints.renamed);
    }
}
