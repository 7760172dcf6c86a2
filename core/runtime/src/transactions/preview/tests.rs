use std::{path::PathBuf, sync::Arc, time::Duration};

use setpoint_bench::{Edit, Value};

use crate::{Answer, Command, CommandError, Options, Origin, Runtime, Status, status::Transaction};

/// Long enough for a loaded machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Holds up what is worked out beside the manager of a bench.
pub(super) mod gate {
    use std::{
        path::{Path, PathBuf},
        sync::{Condvar, Mutex},
    };

    use super::PATIENCE;

    /// Benches whose gate is shut, each with how many wait before it.
    static SHUT: Mutex<Vec<(PathBuf, usize)>> = Mutex::new(Vec::new());
    static CHANGED: Condvar = Condvar::new();

    /// Waits until the gate is open.
    pub(in super::super) fn pass(bench: &Path) {
        let mut shut = SHUT.lock().unwrap();
        if let Some((_, waiting)) = shut.iter_mut().find(|(path, _)| path == bench) {
            *waiting += 1;
            CHANGED.notify_all();
        }
        while shut.iter().any(|(path, _)| path == bench) {
            shut = CHANGED.wait(shut).unwrap();
        }
    }

    /// Shut until it is dropped.
    pub(super) struct Gate(PathBuf);

    impl Gate {
        pub(super) fn shut(bench: &Path) -> Self {
            SHUT.lock().unwrap().push((bench.to_owned(), 0));
            Self(bench.to_owned())
        }

        /// Blocks until someone waits before it.
        pub(super) fn reached(&self) {
            let free = |shut: &mut Vec<(PathBuf, usize)>| {
                !shut.iter().any(|(path, waiting)| *path == self.0 && *waiting > 0)
            };
            let shut = SHUT.lock().unwrap();
            let (_shut, waited) = CHANGED.wait_timeout_while(shut, PATIENCE, free).unwrap();
            assert!(!waited.timed_out(), "nobody came to the gate");
        }
    }

    impl Drop for Gate {
        fn drop(&mut self) {
            SHUT.lock().unwrap().retain(|(path, _)| *path != self.0);
            CHANGED.notify_all();
        }
    }
}

use gate::Gate;

const TEXT: &str = "[bench]\nname = \"B\"\n\n[instruments.psu]\ntype = \"rigol_dp832\"\n\
                    address = \"sim:\"\n\n[instruments.psu.set]\nch1.voltage = 3.3\n\
                    ch1.current_limit = 0.5\n";
const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const CURRENT: &str = "instruments.psu.set.ch1.current_limit";

struct Bench {
    runtime: Runtime,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.toml");
        std::fs::write(&file, TEXT).unwrap();
        let runtime = Runtime::start(Options::new(file.clone())).await.unwrap();
        Self { runtime, file, _folder: folder }
    }

    async fn ask(&self, command: Command) -> Result<Answer, CommandError> {
        let asked = self.runtime.call(Origin::Api, command);
        tokio::time::timeout(PATIENCE, asked).await.expect("it is answered")
    }

    async fn change(&self, path: &str, value: f64) {
        let (message, author, if_match) = (String::new(), "Ada".to_owned(), None);
        let edits = vec![edit(path, value).into()];
        self.ask(Command::Change { edits, message, author, if_match }).await.unwrap();
    }

    async fn begin(&self, path: &str, value: f64) -> String {
        let begin = Command::Begin { message: String::new(), author: "Ada".into() };
        let Answer::Transaction(begun) = self.ask(begin).await.unwrap() else { panic!() };
        assert!(!self.stage(&begun.id, path, value).await.pending);
        begun.id.clone()
    }

    async fn stage(&self, id: &str, path: &str, value: f64) -> Arc<Transaction> {
        let (transaction, edits) = (Some(id.to_owned()), vec![edit(path, value)]);
        match self.ask(Command::Stage { transaction, edits }).await.unwrap() {
            Answer::Transaction(staged) => staged,
            other => panic!("{other:?}"),
        }
    }

    fn shown(&self, id: &str) -> Arc<Transaction> {
        shown(&self.runtime.status(), id)
    }

    async fn until_known(&self, id: &str) -> Arc<Transaction> {
        let mut changes = self.runtime.changes();
        let known = async {
            while self.shown(id).pending {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, known).await.expect("what it comes to is worked out");
        self.shown(id)
    }
}

fn shown(status: &Status, id: &str) -> Arc<Transaction> {
    status.transactions.iter().find(|one| one.id == id).cloned().unwrap()
}

fn edit(path: &str, value: f64) -> Edit {
    Edit { path: path.parse().unwrap(), value: Some(Value::from(value)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_does_not_wait_for_what_others_have_staged() {
    let bench = Bench::open().await;
    let one = bench.begin(CURRENT, 0.7).await;
    let two = bench.begin(CURRENT, 0.8).await;
    let gate = Gate::shut(&bench.file);
    bench.change(VOLTAGE, 3.4).await;
    gate.reached();
    for id in [&one, &two] {
        let shown = bench.shown(id);
        assert!(shown.pending && !shown.ok && shown.plan.is_empty(), "{shown:?}");
    }
    // Who asks is told the truth all the same.
    let validate = Command::Validate { transaction: Some(two.clone()) };
    let Answer::Validated(found) = bench.ask(validate).await.unwrap() else { panic!() };
    assert!(found.ok && found.changes.len() == 1 && !found.plan.is_empty(), "{found:?}");
    let (message, author) = (String::new(), "Ada".to_owned());
    let commit = Command::Commit { transaction: Some(two), message, author };
    bench.ask(commit).await.unwrap();
    // It clashes now, and what it would come to is known once it is worked out from what runs.
    assert!(bench.shown(&one).edits[0].clash.is_some() && bench.shown(&one).pending);
    drop(gate);
    let known = bench.until_known(&one).await;
    let (old, new) = (known.changes[0].old.clone(), known.changes[0].new.clone());
    assert_eq!((old, new), (Some(Value::from(0.8)), Some(Value::from(0.7))));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_worked_out_for_edits_that_are_others_by_now_is_thrown_away() {
    let bench = Bench::open().await;
    let one = bench.begin(CURRENT, 0.7).await;
    let two = bench.begin(CURRENT, 0.8).await;
    let gate = Gate::shut(&bench.file);
    bench.change(VOLTAGE, 3.4).await;
    gate.reached();
    assert_eq!(bench.stage(&one, VOLTAGE, 3.5).await.changes.len(), 2);
    drop(gate);
    // One at a time: the first is through when the second is.
    assert!(bench.until_known(&two).await.ok);
    assert_eq!(bench.shown(&one).changes.len(), 2);
    bench.runtime.stop().await;
}

/// A restart, too, does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_staged_earlier_is_worked_out_after_the_start() {
    let bench = Bench::open().await;
    let one = bench.begin(CURRENT, 0.7).await;
    bench.runtime.stop().await;
    let gate = Gate::shut(&bench.file);
    let start = Runtime::start(Options::new(bench.file.clone()));
    let runtime = tokio::time::timeout(PATIENCE, start).await.expect("it starts").unwrap();
    let bench = Bench { runtime, ..bench };
    gate.reached();
    assert!(bench.shown(&one).pending);
    drop(gate);
    assert!(bench.until_known(&one).await.ok);
    bench.runtime.stop().await;
}
