//! The one bench of the window: none, on its way, or open.

use std::path::PathBuf;

use egui::Context;
use tokio::runtime::Handle;

use super::{
    opening::{Arrival, ComingBench, Target, open},
    pages::start::Failure,
    session::Session,
};
use crate::author;

/// Holds at most one bench, open or on its way: none goes on running unseen.
pub struct Slot {
    session: Option<Session>,
    opening: Option<(PathBuf, ComingBench)>,
    workers: Handle,
    ctx: Context,
}

impl Slot {
    /// No bench yet. The window is woken when one arrives.
    pub fn new(workers: Handle, ctx: Context) -> Self {
        Self { session: None, opening: None, workers, ctx }
    }

    /// The open bench.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The open bench, to ask things of.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// Opens a bench in place of the one that is open. Returns whether it does: not while another
    /// is on its way.
    pub fn open(&mut self, target: Target) -> bool {
        if let Some((coming, _)) = &self.opening {
            tracing::info!("{} is still being opened", coming.display());
            return false;
        }
        let name = target.name();
        let coming = open(&self.workers, &self.ctx, self.session.take(), target);
        self.opening = Some((name, coming));
        true
    }

    /// What became of the bench that was on its way, once. Never waits.
    pub fn poll(&mut self) -> Option<Result<(), Failure>> {
        let (name, coming) = self.opening.as_mut()?;
        let opened = match coming.poll() {
            Arrival::NotYet => return None,
            Arrival::Here(opened) => opened,
            Arrival::Never => Err(Failure {
                path: name.clone(),
                message: "Opening it ended in a fault of the program; the log says more."
                    .to_owned(),
                diagnostics: Vec::new(),
            }),
        };
        self.opening = None;
        Some(opened.map(|serving| {
            let (workers, ctx) = (self.workers.clone(), self.ctx.clone());
            self.session = Some(Session::new(serving, workers, ctx, author::name()));
        }))
    }

    /// Ends the bench, also one that is on its way; returns when devices and folder are free.
    pub async fn stop(&mut self) {
        if let Some((_, coming)) = self.opening.take() {
            coming.stop().await;
        }
        if let Some(session) = self.session.take() {
            session.stop().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc, time::Duration};

    use setpoint_store::BenchFolder;
    use tempfile::TempDir;
    use tokio::{sync::Notify, time::timeout};

    use setpoint_runtime::{EventFilter, RevisionQuery};

    use super::*;
    use crate::{
        demo,
        panel::{answers::Search, intent::HistoryIntent},
    };

    const DEADLINE: Duration = Duration::from_secs(30);

    struct Bench {
        folder: TempDir,
        ctx: Context,
        woken: Arc<Notify>,
    }

    impl Bench {
        /// A bench without pictures: what is tested here does not need any.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let end = demo::TEXT.find("[sources.pattern]").unwrap();
            fs::write(folder.path().join("bench.toml"), &demo::TEXT[..end]).unwrap();
            let (ctx, woken) = (Context::default(), Arc::new(Notify::new()));
            let wake = woken.clone();
            ctx.set_repaint_observer(move |_| wake.notify_one());
            Self { folder, ctx, woken }
        }

        fn slot(&self) -> Slot {
            Slot::new(Handle::current(), self.ctx.clone())
        }

        /// Nothing is remembered between runs of the program.
        fn target(&self) -> Target {
            Target::DemoFile(self.folder.path().join("bench.toml"))
        }

        async fn arrival(&self, slot: &mut Slot) -> Result<(), Failure> {
            let arrival = async {
                loop {
                    if let Some(opened) = slot.poll() {
                        return opened;
                    }
                    self.woken.notified().await;
                }
            };
            timeout(DEADLINE, arrival).await.unwrap()
        }

        /// Fails if anything still has the bench at this moment.
        fn assert_free(&self) {
            let folder = BenchFolder::of(&self.folder.path().join("bench.toml"));
            drop(folder.lock().unwrap_or_else(|error| panic!("{error}")));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_open_bench_can_be_opened_again() {
        let bench = Bench::new();
        let mut slot = bench.slot();
        for _ in 0..2 {
            assert!(slot.open(bench.target()));
            assert_eq!(bench.arrival(&mut slot).await, Ok(()));
        }
        assert!(slot.session().is_some());
        slot.stop().await;
        bench.assert_free();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_bench_is_opened_at_a_time() {
        let (bench, other) = (Bench::new(), Bench::new());
        let mut slot = bench.slot();
        assert!(slot.open(bench.target()));
        assert!(!slot.open(other.target()));
        assert_eq!(bench.arrival(&mut slot).await, Ok(()));
        let status = slot.session().unwrap().runtime().status();
        assert_eq!(Target::DemoFile(status.bench.path.clone()), bench.target());
        slot.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_pages_ask_for_arrives_in_the_window() {
        let bench = Bench::new();
        let mut slot = bench.slot();
        assert!(slot.open(bench.target()));
        assert_eq!(bench.arrival(&mut slot).await, Ok(()));
        let session = slot.session_mut().unwrap();
        let search = Search { typed: "evening".to_owned(), stamp: String::new() };
        let label = Some("evening".to_owned());
        let told = session.carry_out(&HistoryIntent::Snapshot { label }.into());
        assert_eq!((told, session.busy()), (None, Some("Keeping…")));
        let waited = async {
            while session.poll().is_empty() {
                bench.woken.notified().await;
            }
            let text = RevisionQuery { text: "evening".to_owned(), ..RevisionQuery::default() };
            let (r1, r2) = ("r1".to_owned(), "r2".to_owned());
            for intent in [
                HistoryIntent::NeedFacts(r2.clone()),
                HistoryIntent::NeedChanges { old: r1.clone(), new: r2.clone() },
                HistoryIntent::Find(search.clone(), text),
                HistoryIntent::FindEvents(search.clone(), EventFilter::default()),
            ] {
                session.carry_out(&intent.into());
            }
            loop {
                assert_eq!(session.poll(), []);
                let answers = session.answers();
                if let (Some(facts), Some(changes), Some(found), Some(events)) = (
                    answers.facts.get(&r2),
                    answers.changes.get(&(r1.clone(), r2.clone())),
                    answers.revisions.get(&search),
                    answers.events.get(&search),
                ) {
                    let facts = facts.as_ref().unwrap().as_ref();
                    assert_eq!(facts.map(|facts| facts.kept.revision.as_str()), Some("r2"));
                    assert_eq!(changes, &Ok(Arc::default()));
                    assert_eq!(found.as_ref().unwrap().as_slice(), ["r2"]);
                    assert!(!events.as_ref().unwrap().is_empty());
                    break;
                }
                bench.woken.notified().await;
            }
        };
        timeout(DEADLINE, waited).await.unwrap();
        assert_eq!(slot.session().unwrap().busy(), None);
        slot.stop().await;
    }

    // On one thread, nothing that was merely dropped has ended by the next look.
    #[tokio::test]
    async fn a_bench_on_its_way_is_stopped_with_the_window() {
        let bench = Bench::new();
        let mut slot = bench.slot();
        assert!(slot.open(bench.target()));
        slot.stop().await;
        assert!(slot.session().is_none());
        let opened = timeout(Duration::ZERO, bench.woken.notified()).await;
        assert!(opened.is_ok(), "it was waited for");
        bench.assert_free();
    }

    // On one thread, nothing that was merely dropped has ended by the next look.
    #[tokio::test]
    async fn a_bench_that_nobody_waits_for_is_stopped() {
        let bench = Bench::new();
        drop(open(&Handle::current(), &bench.ctx, None, bench.target()));
        // The task wakes the window when it is done with everything.
        timeout(DEADLINE, bench.woken.notified()).await.unwrap();
        bench.assert_free();
    }
}
