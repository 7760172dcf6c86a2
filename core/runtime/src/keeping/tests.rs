//! A disk that does not answer for a while, and what comes of work that was given up.

use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use setpoint_store::{AccessRules, TextHash};
use tokio::time::timeout;

use super::*;
use crate::{
    journaling::Lines,
    staging::none,
    standing::{Held, Ours},
};

/// Longer than a disk takes that works.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(30);
const BEFORE: &str = "bench.name = \"A\"\n";
const AFTER: &str = "bench.name = \"B\"\n";

/// A lock that a thread holds until this is dropped.
struct Hung {
    _let_go: mpsc::SyncSender<()>,
}

impl Hung {
    /// `hold` takes the lock, and calls what it is given while it has it.
    fn holding(keeping: &Keeping, hold: impl FnOnce(&Inner, &dyn Fn()) + Send + 'static) -> Self {
        let inner = keeping.0.clone();
        let (let_go, until) = mpsc::sync_channel::<()>(1);
        let (begun, begins) = mpsc::sync_channel(1);
        let hold = move || {
            hold(&inner, &|| {
                begun.send(()).unwrap();
                // Ends when the sender goes.
                let _ = until.recv();
            });
        };
        thread::Builder::new().name("hangs".into()).spawn(hold).unwrap();
        begins.recv().unwrap();
        Self { _let_go: let_go }
    }
}

struct Bench {
    keeping: Keeping,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.toml");
        std::fs::write(&path, BEFORE).unwrap();
        let files = Files::new(&path, None, AccessRules::default());
        let drivers = Arc::new(Drivers::beside(&path));
        let shelf = Shelf::open(&path).unwrap();
        let (transactions, _) = Transactions::open(&BenchFolder::of(&path));
        let none = (None, false);
        let keeping = Keeping::new(path.clone(), files, drivers, shelf, none, transactions, SHORT);
        Self { keeping, path, _folder: folder }
    }

    /// Nothing that is stored gets to its end.
    fn hang(&self) -> Hung {
        Hung::holding(&self.keeping, |inner, held| {
            let _shelf = inner.shelf();
            held();
        })
    }

    /// A write stops in the middle: what the file holds was looked at, and is looked at again
    /// before the end.
    fn hang_in_the_middle(&self) -> Hung {
        Hung::holding(&self.keeping, |inner, held| {
            let _watcher = inner.watcher.lock().unwrap();
            held();
        })
    }

    /// Lets go, and returns when the work that hung has ended.
    async fn answers(&self, hung: Hung) {
        drop(hung);
        timeout(LONG, self.keeping.answers()).await.unwrap();
    }

    fn journal(&self) -> Option<Intent> {
        Journal::open(&self.keeping.folder()).found().unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }
}

fn held(text: &str) -> Held {
    Held { text: text.into(), hash: TextHash::of(text) }
}

fn intent(to: &str) -> Intent {
    Intent { to_text: to.to_owned(), ..Intent::now("r1", TextHash::of(to), vec!["a step".into()]) }
}

fn facts() -> Facts {
    Facts {
        author: "ada".into(),
        origin: Origin::Panel,
        message: String::new(),
        verified: Vec::new(),
        written: true,
    }
}

#[tokio::test]
async fn a_journal_that_comes_late_tells_of_nothing_unfinished() {
    let bench = Bench::new();
    let hung = bench.hang();
    assert!(bench.keeping.begin(intent("first")).await.is_err());
    // At once: nothing piles up behind it.
    assert!(timeout(LONG, bench.keeping.begin(intent("second"))).await.unwrap().is_err());
    assert!(bench.keeping.problem().unwrap().contains("the disk has not answered since "));
    bench.answers(hung).await;
    assert_eq!(bench.journal(), None);
    bench.keeping.begin(intent("third")).await.unwrap();
    assert_eq!(bench.journal().unwrap().to_text, "third");
}

#[tokio::test]
async fn the_end_of_an_old_change_takes_no_newer_journal_away() {
    let bench = Bench::new();
    bench.keeping.begin(intent("first")).await.unwrap();
    let hung = bench.hang();
    // The change is accepted, and its journal can only be ended late.
    let told = bench.keeping.accept(&"first".into(), &none(), facts()).await;
    assert_eq!(told.id, "r1");
    assert!(bench.keeping.begin(intent("second")).await.is_err());
    bench.answers(hung).await;
    assert_eq!(bench.journal(), None, "the late end came before anything else");
    bench.keeping.begin(intent("third")).await.unwrap();
    bench.keeping.audit_note("note", "", "", Origin::Panel, "ada").await.unwrap();
    assert_eq!(bench.journal().unwrap().to_text, "third");
    assert_eq!(&*bench.keeping.text("r1").await.unwrap(), "first");
}

#[tokio::test]
async fn a_failed_change_whose_journal_could_not_be_ended_is_ended_later() {
    let bench = Bench::new();
    bench.keeping.begin(intent("first")).await.unwrap();
    let hung = bench.hang();
    let reads = bench.keeping.search(RevisionQuery::default()).await;
    assert!(matches!(reads, Err(CommandError::Storage { .. })), "{reads:?}");
    bench.keeping.give_up("", "no", Origin::Panel, "ada").await;
    bench.answers(hung).await;
    assert!(bench.journal().is_some(), "nothing of it was begun");
    assert!(bench.keeping.keep_at().is_some(), "something is still to be done");
    bench.keeping.keep_unkept().await.unwrap();
    assert_eq!((bench.journal(), bench.keeping.keep_at()), (None, None));
}

#[tokio::test]
async fn steps_are_not_noted_in_the_journal_of_a_later_change() {
    let bench = Bench::new();
    let (journal, base) = bench.keeping.begin(intent("first")).await.unwrap();
    let notes = bench.keeping.notes(journal, base, Lines::of_one_step());
    let hung = bench.hang();
    assert!(bench.keeping.audit_note("note", "", "", Origin::Panel, "ada").await.is_err());
    notes.done(0, None).await;
    timeout(LONG, notes.flush()).await.unwrap();
    bench.answers(hung).await;
    bench.keeping.begin(intent("second")).await.unwrap();
    notes.done(0, None).await;
    notes.flush().await;
    let found = bench.journal().unwrap();
    assert_eq!((found.to_text.as_str(), found.done.as_slice()), ("second", [0; 0].as_slice()));
}

#[tokio::test]
async fn what_ran_meanwhile_keeps_the_numbers_that_were_told() {
    let bench = Bench::new();
    let accept = |text: &str| {
        let (keeping, text) = (bench.keeping.clone(), text.into());
        async move { keeping.accept(&text, &none(), facts()).await.id }
    };
    assert_eq!(accept("one").await, "r1");
    let hung = bench.hang();
    assert_eq!(accept("two").await, "r2");
    assert_eq!(accept("three").await, "r3");
    let snapshot = bench.keeping.snapshot(&"three".into(), Default::default()).await;
    assert!(matches!(snapshot, Err(CommandError::Storage { .. })), "{snapshot:?}");
    let last = accept("four").await;
    // What is asked of it meanwhile does not wait for the disk.
    assert_eq!((bench.keeping.take_lost(), bench.keeping.list().len()), (0, 1));
    // What is kept can be read beside what hangs.
    assert_eq!(&*bench.keeping.text("r1").await.unwrap(), "one");
    bench.answers(hung).await;
    bench.keeping.keep_unkept().await.unwrap();
    for (id, text) in [("r1", "one"), ("r2", "two"), ("r3", "three"), (&last, "four")] {
        assert_eq!(&*bench.keeping.text(id).await.unwrap(), text, "{id}");
    }
    assert_eq!((bench.keeping.list().len(), bench.keeping.problem()), (4, None));
}

#[tokio::test]
async fn a_snapshot_that_comes_late_takes_no_number_that_was_told() {
    let bench = Bench::new();
    let hung = bench.hang();
    let snapshot = bench.keeping.snapshot(&"kept".into(), Default::default()).await;
    assert!(snapshot.is_err());
    let told = bench.keeping.accept(&"runs".into(), &none(), facts()).await;
    bench.answers(hung).await;
    bench.keeping.keep_unkept().await.unwrap();
    assert_eq!(&*bench.keeping.text(&told.id).await.unwrap(), "runs");
    assert_eq!(&*bench.keeping.text("r1").await.unwrap(), "kept");
}

#[tokio::test]
async fn numbers_of_transactions_do_not_wait_and_are_given_once() {
    let bench = Bench::new();
    let next = |all: &Transactions| all.next_id();
    let mut given = vec![bench.keeping.with_transactions(next).await.unwrap()];
    let hung = bench.hang();
    assert!(bench.keeping.with_transactions(next).await.is_err());
    given.push(bench.keeping.passing_transaction_id());
    bench.answers(hung).await;
    given.push(bench.keeping.with_transactions(next).await.unwrap());
    given.push(bench.keeping.passing_transaction_id());
    let all = given.clone();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), all.len(), "{all:?}");
}

#[tokio::test]
async fn what_was_written_late_is_written_over_and_nothing_else_is() {
    let bench = Bench::new();
    let mut ours = Ours::new(held(BEFORE));
    let hung = bench.hang_in_the_middle();
    let written = bench.keeping.write(AFTER.into(), ours.clone()).await;
    assert!(matches!(written, Err(WriteError::GivenUp(_))), "{written:?}");
    ours.add(held(AFTER));
    let newer = "bench.name = \"C\"\n";
    let refused = bench.keeping.write(newer.into(), ours.clone()).await;
    assert!(matches!(refused, Err(WriteError::Failed(_))), "{refused:?}");
    bench.answers(hung).await;
    assert_eq!(bench.text(), AFTER, "it was written after all");
    bench.keeping.write(newer.into(), ours.clone()).await.unwrap();
    assert_eq!(bench.text(), newer);

    // Someone else's save between the end of the waiting and the end of the write.
    let hung = bench.hang_in_the_middle();
    ours.add(held(newer));
    assert!(bench.keeping.write(AFTER.into(), ours.clone()).await.is_err());
    let theirs = "bench.name = \"theirs\"\n";
    std::fs::write(&bench.path, theirs).unwrap();
    bench.answers(hung).await;
    assert_eq!(bench.text(), theirs);
    let refused = bench.keeping.write(newer.into(), ours).await;
    assert!(matches!(refused, Err(WriteError::Changed(_))), "{refused:?}");
}
