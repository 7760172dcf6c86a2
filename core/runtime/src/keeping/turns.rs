//! Turns on the disk, and an end to waiting for one: a network disk that went away may answer
//! never. What is given up goes on in its thread and keeps its turn until it ends, so that nothing
//! overtakes it; meanwhile nothing else is begun.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

/// How long one piece of work may take. The one place that says so, but for tests, which wait for
/// less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no result, and since when the disk has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nothing was begun: what was begun before has not ended.
    NotBegun(Timestamp),
    /// It goes on, and may well be done in the end.
    GivenUp(Timestamp),
    /// It ended in a panic: not the disk's fault.
    Failed,
}

/// Work on one disk, a few pieces at a time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Inner>);

struct Inner {
    free: Arc<Semaphore>,
    at_once: usize,
    patience: Duration,
    under_way: Mutex<Vec<UnderWay>>,
    /// Told when something that was given up has ended.
    ended: Arc<Notify>,
}

struct UnderWay {
    number: u64,
    since: Timestamp,
    /// From when on it counts as stuck.
    stuck: Instant,
}

impl Turns {
    /// So many at once, each with so much patience; `ended` is told when something ends that was
    /// given up.
    pub(crate) fn new(at_once: usize, patience: Duration, ended: Arc<Notify>) -> Self {
        Self(Arc::new(Inner {
            free: Arc::new(Semaphore::new(at_once)),
            at_once,
            patience,
            under_way: Mutex::default(),
            ended,
        }))
    }

    /// Since when the disk has not answered, if nothing can be begun because of that.
    pub(crate) fn stuck(&self) -> Option<Timestamp> {
        let under_way = self.0.under_way();
        let now = Instant::now();
        let all = under_way.len() == self.0.at_once && under_way.iter().all(|it| it.stuck <= now);
        if all { under_way.iter().map(|one| one.since).min() } else { None }
    }

    /// When that is going to be so, if nothing ends before.
    fn stuck_at(&self) -> Option<Instant> {
        let under_way = self.0.under_way();
        let all = under_way.len() == self.0.at_once;
        if all { under_way.iter().map(|one| one.stuck).max() } else { None }
    }

    /// Works on a thread that may block, when it is its turn.
    ///
    /// # Errors
    /// [`Unanswered`], after twice the patience at the latest; at once where work is stuck.
    pub(crate) async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Waited) -> R + Send + 'static,
    ) -> Result<R, Unanswered> {
        self.work_within(self.0.patience, work).await
    }

    /// The same with a tenth of the patience: for a disk of which more is known to be stuck.
    pub(crate) async fn work_in_a_hurry<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Waited) -> R + Send + 'static,
    ) -> Result<R, Unanswered> {
        self.work_within(self.0.patience / 10, work).await
    }

    async fn work_within<R: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Waited) -> R + Send + 'static,
    ) -> Result<R, Unanswered> {
        let turn = self.turn(patience).await?;
        let (since, due) = (Timestamp::now(), Instant::now() + patience);
        let number = self.0.begin(since, due);
        let waited = Waited::default();
        let ends = Ends { inner: self.0.clone(), number, waited: waited.clone(), _turn: turn };
        // Also where the caller is not interested any more.
        let leaves = Leaves(waited);
        let mut working = spawn_blocking(move || work(&ends.waited));
        let done = match timeout_at(due, &mut working).await {
            Ok(done) => done,
            Err(_) if leaves.0.leave() => return Err(Unanswered::GivenUp(since)),
            // It has what it wanted of the disk, and is about to say so.
            Err(_) => working.await,
        };
        match done {
            Ok(done) => Ok(done),
            Err(error) => {
                tracing::error!("disk work failed: {error}; please report this");
                Err(Unanswered::Failed)
            }
        }
    }

    async fn turn(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Unanswered> {
        let due = Instant::now() + patience;
        loop {
            let until = self.stuck_at().map_or(due, |stuck| stuck.min(due));
            if let Ok(Ok(turn)) = timeout_at(until, self.0.free.clone().acquire_owned()).await {
                return Ok(turn);
            }
            // The one in the way may have ended just now, and another begun.
            if let Some(since) = self.stuck() {
                return Err(Unanswered::NotBegun(since));
            }
            if Instant::now() >= due {
                let oldest = self.0.under_way().iter().map(|one| one.since).min();
                return Err(Unanswered::NotBegun(oldest.unwrap_or_else(Timestamp::now)));
            }
        }
    }
}

impl Inner {
    fn under_way(&self) -> MutexGuard<'_, Vec<UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, since: Timestamp, stuck: Instant) -> u64 {
        let mut under_way = self.under_way();
        let number = under_way.last().map_or(0, |last| last.number + 1);
        under_way.push(UnderWay { number, since, stuck });
        number
    }
}

/// Work that has its turn; dropped when it ends, in whatever way.
struct Ends {
    inner: Arc<Inner>,
    number: u64,
    waited: Waited,
    // Free for the next one when this has gone.
    _turn: OwnedSemaphorePermit,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.inner.under_way().retain(|one| one.number != self.number);
        if !self.waited.claim() {
            self.inner.ended.notify_one();
        }
    }
}

/// Whether someone still waits for a piece of work; decided once.
#[derive(Clone, Default)]
pub(crate) struct Waited(Arc<AtomicU8>);

const WAITED_FOR: u8 = 0;
const CLAIMED: u8 = 1;
const LEFT: u8 = 2;

impl Waited {
    /// Asked by the work when it is done with the disk. If so, whoever waits gets the result,
    /// however late it is; if not, it was given up, and nobody will know of it.
    pub(crate) fn claim(&self) -> bool {
        self.decide(CLAIMED) != LEFT
    }

    /// Gives it up; answers whether that was in time.
    fn leave(&self) -> bool {
        self.decide(LEFT) != CLAIMED
    }

    fn decide(&self, how: u8) -> u8 {
        let decided = self.0.compare_exchange(WAITED_FOR, how, Ordering::SeqCst, Ordering::SeqCst);
        decided.map_or_else(|before| before, |_| how)
    }
}

/// Gives work up when it is dropped.
struct Leaves(Waited);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    /// Longer than it takes to begin.
    const SHORT: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(20);

    fn turns(at_once: usize, patience: Duration) -> (Turns, Arc<Notify>) {
        let ended = Arc::new(Notify::new());
        (Turns::new(at_once, patience, ended.clone()), ended)
    }

    /// Work that hangs until it is let go, and then answers whether it was waited for.
    fn hanging() -> (mpsc::SyncSender<()>, impl FnOnce(&Waited) -> bool + Send + 'static) {
        let (answer, disk) = mpsc::sync_channel::<()>(1);
        let hangs = move |waited: &Waited| {
            let _ = disk.recv();
            waited.claim()
        };
        (answer, hangs)
    }

    #[tokio::test]
    async fn what_hangs_is_given_up_and_nothing_else_is_begun_until_it_ends() {
        let (turns, ended) = turns(1, SHORT);
        let (answer, hangs) = hanging();
        let (told, late) = oneshot::channel();
        let given_up = turns.work(move |waited| told.send(hangs(waited))).await.unwrap_err();
        let Unanswered::GivenUp(since) = given_up else { panic!("{given_up:?}") };
        assert_eq!(turns.stuck(), Some(since));
        for _ in 0..3 {
            let another = turns.work(|_| panic!("a second piece of work was begun")).await;
            assert_eq!(another, Err::<(), _>(Unanswered::NotBegun(since)));
        }
        answer.send(()).unwrap();
        timeout(LONG, ended.notified()).await.unwrap();
        assert!(!late.await.unwrap(), "it was told that nobody waits");
        assert_eq!(turns.stuck(), None);
        assert_eq!(timeout(LONG, turns.work(|_| 2)).await.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn what_claims_its_result_is_waited_for() {
        let (turns, _) = turns(1, SHORT);
        let (answer, disk) = mpsc::sync_channel::<()>(1);
        let (claimed, is_claimed) = oneshot::channel();
        let work = turns.work(move |waited| {
            let _ = claimed.send(waited.claim());
            let _ = disk.recv();
            7
        });
        let let_go = async {
            assert!(is_claimed.await.unwrap());
            // Its time is up when nothing else is begun any more because of it.
            let another = turns.work(|_| ()).await;
            assert!(matches!(another, Err(Unanswered::NotBegun(_))), "{another:?}");
            answer.send(()).unwrap();
        };
        let (done, ()) = tokio::join!(timeout(LONG, work), let_go);
        assert_eq!(done.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn nobody_waits_where_the_caller_went_away() {
        let (turns, ended) = turns(1, LONG);
        let (answer, hangs) = hanging();
        let (told, late) = oneshot::channel();
        let work = turns.work(move |waited| told.send(hangs(waited)));
        assert!(timeout(SHORT, work).await.is_err());
        answer.send(()).unwrap();
        timeout(LONG, ended.notified()).await.unwrap();
        assert!(!late.await.unwrap());
    }

    #[tokio::test]
    async fn of_several_at_once_all_have_to_be_stuck() {
        let (turns, _) = turns(2, SHORT);
        let (first, hangs) = hanging();
        turns.work(hangs).await.unwrap_err();
        assert_eq!((turns.stuck(), turns.work(|_| 1).await), (None, Ok(1)));
        let (_second, hangs) = hanging();
        turns.work(hangs).await.unwrap_err();
        let none = turns.work(|_| panic!("a third was begun")).await;
        assert!(matches!(none, Err::<(), _>(Unanswered::NotBegun(_))));
        drop(first);
        let free = async {
            while turns.stuck().is_some() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, free).await.unwrap();
        assert_eq!(turns.work(|_| 3).await, Ok(3));
    }
}
