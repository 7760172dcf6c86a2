//! Several transactions at once: none sees another, none is lost by a restart, and each follows
//! what runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::{fs, sync::Arc};

use common::{BENCH, Bench, edit};
use setpoint_bench::Value;
use setpoint_runtime::{
    Answer, Command, CommandError, Keep, Options, Origin, Runtime, Status, Transaction, Validated,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const CURRENT: &str = "instruments.psu.set.ch1.current_limit";

/// What programs ask.
async fn api(bench: &Bench, command: Command) -> Result<Answer, CommandError> {
    bench.runtime.call(Origin::Api, command).await
}

fn transaction(answer: Answer) -> Arc<Transaction> {
    match answer {
        Answer::Transaction(transaction) => transaction,
        other => panic!("no transaction: {other:?}"),
    }
}

async fn begin(bench: &Bench, message: &str) -> String {
    let command = Command::Begin { message: message.into(), author: "Ada".into() };
    transaction(api(bench, command).await.unwrap()).id.clone()
}

fn stage(id: &str, path: &str, value: impl Into<Value>) -> Command {
    Command::Stage { transaction: Some(id.to_owned()), edits: vec![edit(path, value)] }
}

fn commit(id: &str) -> Command {
    let (message, author) = (String::new(), "Ada".to_owned());
    Command::Commit { transaction: Some(id.to_owned()), message, author }
}

async fn validated(bench: &Bench, id: &str) -> Box<Validated> {
    match api(bench, Command::Validate { transaction: Some(id.to_owned()) }).await.unwrap() {
        Answer::Validated(validated) => validated,
        other => panic!("{other:?}"),
    }
}

fn shown(status: &Status, id: &str) -> Option<Arc<Transaction>> {
    status.transactions.iter().find(|one| one.id == id).cloned()
}

/// Whether everything is worked out.
fn known(status: &Status) -> bool {
    status.transactions.iter().all(|one| !one.pending)
}

fn told(status: &Status, kind: &str) -> usize {
    status.events.iter().filter(|event| event.kind == kind).count()
}

/// Stops the program and starts it again; `between` happens while it is closed.
async fn restart(bench: &mut Bench, between: impl FnOnce(&Bench)) {
    bench.runtime.stop().await;
    between(bench);
    bench.runtime = Runtime::start(Options::new(bench.file.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_are_isolated_and_the_commit_of_one_rebases_the_other() {
    let bench = Bench::open(BENCH).await;
    let (one, two) = (begin(&bench, "more volts").await, begin(&bench, "").await);
    assert_ne!(one, two);
    api(&bench, stage(&one, VOLTAGE, 3.45)).await.unwrap();
    let other = transaction(api(&bench, stage(&two, CURRENT, 0.7)).await.unwrap());
    assert_eq!(other.changes.len(), 1, "{:?}", other.changes);
    assert_eq!(other.changes[0].path.to_string(), CURRENT);
    assert!(other.ok && other.plan.iter().any(|step| step.text.contains("0.7")), "{other:?}");
    // The panel has none of its own.
    let own = Command::Commit { transaction: None, message: String::new(), author: "x".into() };
    assert!(matches!(bench.ask(own).await, Err(CommandError::NotFound { .. })));

    let Answer::Changed(applied) = api(&bench, commit(&one)).await.unwrap() else { panic!() };
    assert_eq!(applied.revision.message, "more volts");
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.450"));
    let status = bench.runtime.status();
    assert!(shown(&status, &one).is_none());
    assert!(shown(&status, &two).is_some());
    let status = bench.until("what the other comes to is known", known).await;
    let other = shown(&status, &two).unwrap();
    assert_eq!((other.ok, other.changes.len()), (true, 1));
    api(&bench, commit(&two)).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.450").replace("0.500", "0.700"));
    assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, "0.700");
    let files = fs::read_dir(bench.runtime.folder().join("transactions")).unwrap();
    let left: Vec<_> = files.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["last"]);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_brings_all_back_and_no_id_is_given_twice() {
    let mut bench = Bench::open(BENCH).await;
    let gone = begin(&bench, "").await;
    api(&bench, Command::Discard { transaction: Some(gone.clone()) }).await.unwrap();
    let kept = begin(&bench, "why").await;
    api(&bench, stage(&kept, VOLTAGE, 3.45)).await.unwrap();
    // One of the panel's, with a whole number, a text and a removal.
    let edits = vec![
        edit("instruments.psu.label", "supply"),
        setpoint_bench::Edit { path: CURRENT.parse().unwrap(), value: None },
    ];
    bench.ask(Command::Stage { transaction: None, edits }).await.unwrap();
    let before = bench.runtime.status().transactions.clone();
    assert_eq!(before.len(), 2);

    restart(&mut bench, |_| {}).await;
    let status = bench.until("what they come to is known", known).await;
    let facts = |all: &[Arc<Transaction>]| -> Vec<_> {
        let one = |one: &Arc<Transaction>| {
            let Transaction { id, origin, author, message, edits, expires, draft, .. } = &**one;
            let who = (id.clone(), *origin, author.clone(), message.clone());
            (who, edits.clone(), *expires, *draft, one.changes.clone(), one.ok)
        };
        all.iter().map(one).collect()
    };
    assert_eq!(facts(&status.transactions), facts(&before));
    let fresh = begin(&bench, "").await;
    assert!(![&gone, &kept].contains(&&fresh), "{fresh}");
    // The panel goes on where it was.
    let own = Command::Commit { transaction: None, message: String::new(), author: "x".into() };
    bench.ask(own).await.unwrap();
    assert!(bench.text().contains("label = \"supply\""), "{}", bench.text());
    assert!(!bench.text().contains("current_limit"), "{}", bench.text());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_while_it_was_closed_is_merged_and_a_clash_is_kept() {
    let mut bench = Bench::open(BENCH).await;
    let (merged, clashing) = (begin(&bench, "").await, begin(&bench, "").await);
    api(&bench, stage(&merged, CURRENT, 0.7)).await.unwrap();
    api(&bench, stage(&clashing, VOLTAGE, 3.45)).await.unwrap();
    restart(&mut bench, |bench| bench.save(&BENCH.replace("3.300", "3.200"))).await;
    let status = bench.until("what they come to is known", known).await;
    assert!(shown(&status, &merged).unwrap().ok);
    assert_eq!(told(&status, "transaction_clash"), 1);
    let clash = |status: &Status| shown(status, &clashing).unwrap().edits[0].clash.clone().unwrap();
    let values = |status: &Status| {
        let clash = clash(status);
        [clash.base, clash.file, clash.mine].map(|value| value.unwrap().as_f64().unwrap())
    };
    assert_eq!(values(&status), [3.3, 3.2, 3.45]);
    // It is still there after another restart, and told once.
    restart(&mut bench, |_| {}).await;
    let status = bench.runtime.status();
    assert_eq!(values(&status), [3.3, 3.2, 3.45]);
    // The events of the run before are there again, and no more than those.
    assert_eq!(told(&status, "transaction_clash"), 1);

    let refused = api(&bench, commit(&clashing)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Conflict { .. }), "{refused}");
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.200"));
    let found = validated(&bench, &clashing).await;
    assert!(!found.ok);
    assert_eq!((found.blocked_by[0].kind, found.blocked_by[0].path.as_str()), ("clash", VOLTAGE));
    let path = VOLTAGE.parse().unwrap();
    let mine = Command::Resolve { transaction: Some(clashing.clone()), path, keep: Keep::Mine };
    api(&bench, mine).await.unwrap();
    assert!(validated(&bench, &clashing).await.ok);
    api(&bench, commit(&clashing)).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.450"));
    bench.runtime.stop().await;
}

/// The program ended between the commit and the removal of what was staged.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_in_effect_already_is_closed_at_the_start() {
    let mut bench = Bench::open(BENCH).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    restart(&mut bench, |bench| bench.save(&BENCH.replace("3.300", "3.450"))).await;
    let status = bench.runtime.status();
    assert!(status.transactions.is_empty());
    assert_eq!(told(&status, "transaction_done"), 1);
    assert!(!bench.runtime.folder().join(format!("transactions/{id}.toml")).exists());
    bench.runtime.stop().await;
}

fn short(timeout: &str) -> String {
    format!("{BENCH}\n[runtime]\ntransaction_timeout = \"{timeout}\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_nobody_touches_becomes_a_draft_that_can_be_taken_up() {
    let mut bench = Bench::open(&short("1s")).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    let staged = Command::Stage { transaction: None, edits: vec![edit(CURRENT, 0.7)] };
    bench.ask(staged).await.unwrap();
    // What is told may be seen a moment before what it is about.
    let expired = |status: &Status| {
        told(status, "transaction_expired") == 2 && status.transactions.iter().all(|one| one.draft)
    };
    let status = bench.until("both expire", expired).await;
    for one in &status.transactions {
        assert!(one.draft && one.expires.is_none(), "{one:?}");
        assert_eq!(one.changes.len(), 1, "what it would do is still shown");
    }
    for command in [stage(&id, VOLTAGE, 3.5), commit(&id)] {
        let refused = api(&bench, command).await.unwrap_err().to_string();
        assert!(refused.contains("take it up first"), "{refused}");
    }
    let own = Command::Commit { transaction: None, message: String::new(), author: "x".into() };
    assert!(bench.ask(own).await.is_err(), "a draft is not what the panel has open");

    // It lives for longer than this test now, and a draft survives a restart.
    bench.save(&short("1h"));
    bench.until("the timeout is taken over", |status| status.text.contains("1h")).await;
    restart(&mut bench, |_| {}).await;
    let status = bench.runtime.status();
    assert!(status.transactions.iter().all(|one| one.draft) && status.transactions.len() == 2);

    let taken = transaction(bench.ask(Command::TakeUp { transaction: id.clone() }).await.unwrap());
    assert!(!taken.draft && taken.expires.is_some());
    assert_eq!(taken.origin, Origin::Panel, "it is the panel's now");
    let own = Command::Commit { transaction: None, message: String::new(), author: "x".into() };
    bench.ask(own).await.unwrap();
    assert_eq!(bench.text(), short("1h").replace("3.300", "3.450"));
    assert_eq!(told(&bench.runtime.status(), "transaction_taken_up"), 1);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_one_up_in_the_panel_sets_aside_what_is_open_there() {
    let bench = Bench::open(&short("1s")).await;
    let first = Command::Stage { transaction: None, edits: vec![edit(VOLTAGE, 3.45)] };
    let first = transaction(bench.ask(first).await.unwrap()).id.clone();
    bench.until("it expires", |status| told(status, "transaction_expired") == 1).await;
    bench.save(&short("1h"));
    bench.until("the timeout is taken over", |status| status.text.contains("1h")).await;
    let second = Command::Stage { transaction: None, edits: vec![edit(CURRENT, 0.7)] };
    let second = transaction(bench.ask(second).await.unwrap()).id.clone();
    assert_ne!(first, second);
    bench.ask(Command::TakeUp { transaction: first.clone() }).await.unwrap();
    let status = bench.runtime.status();
    let draft = |id| shown(&status, id).unwrap().draft;
    assert_eq!((draft(&first), draft(&second)), (false, true));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_passed_while_it_was_closed_counts() {
    let mut bench = Bench::open(&short("1h")).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    restart(&mut bench, |bench| {
        let path = bench.runtime.folder().join(format!("transactions/{id}.toml"));
        let text = fs::read_to_string(&path).unwrap();
        let touched = text.lines().find(|line| line.starts_with("touched")).unwrap();
        let text = text.replace(touched, "touched = 2020-01-31T12:00:00Z");
        fs::write(&path, text).unwrap();
    })
    .await;
    let status = bench.runtime.status();
    assert!(shown(&status, &id).unwrap().draft);
    assert_eq!(told(&status, "transaction_expired"), 1);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_one_is_told_of_and_the_bench_runs() {
    let mut bench = Bench::open(BENCH).await;
    let (good, bad) = (begin(&bench, "").await, begin(&bench, "").await);
    restart(&mut bench, |bench| {
        let path = bench.runtime.folder().join(format!("transactions/{bad}.toml"));
        fs::write(path, "id = ").unwrap();
    })
    .await;
    let status = bench.runtime.status();
    assert!(shown(&status, &good).is_some() && shown(&status, &bad).is_none());
    let words = format!("{bad}.toml is damaged");
    assert!(status.events.iter().any(|event| event.message.contains(&words)), "{bad}");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_is_refused_to_a_program_and_told_to_a_person() {
    let bench = Bench::open(BENCH).await;
    let id = begin(&bench, "").await;
    // In the place of the folder is something that cannot be written into.
    let folder = bench.runtime.folder().join("transactions");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    let refused = api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Storage { .. }), "{refused}");
    assert!(shown(&bench.runtime.status(), &id).unwrap().edits.is_empty());

    let staged = Command::Stage { transaction: None, edits: vec![edit(VOLTAGE, 3.45)] };
    let own = transaction(bench.ask(staged).await.unwrap()).id.clone();
    assert_eq!(told(&bench.runtime.status(), "transaction_unsaved"), 1);
    fs::remove_file(&folder).unwrap();
    let staged = Command::Stage { transaction: None, edits: vec![edit(CURRENT, 0.7)] };
    bench.ask(staged).await.unwrap();
    assert!(folder.join(format!("{own}.toml")).exists());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_cannot_be_written_changes_nothing() {
    let bench = Bench::open(BENCH).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    let refused = api(&bench, stage(&id, "instruments.psu.type.below", 1)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Invalid { .. }), "{refused}");
    assert_eq!(shown(&bench.runtime.status(), &id).unwrap().edits.len(), 1);
    // One that is written down and does not check is staged, and says so.
    let staged = transaction(api(&bench, stage(&id, VOLTAGE, 52.0)).await.unwrap());
    assert!(!staged.ok && staged.diagnostics[0].code == "out_of_range", "{staged:?}");
    let refused = api(&bench, commit(&id)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Invalid { .. }), "{refused}");
    assert_eq!(bench.text(), BENCH);
    let paths = vec![VOLTAGE.parse().unwrap()];
    let answer = api(&bench, Command::Unstage { transaction: Some(id.clone()), paths }).await;
    assert!(transaction(answer.unwrap()).edits.is_empty());
    let found = validated(&bench, &id).await;
    assert_eq!((found.ok, found.blocked_by[0].kind), (false, "empty"));
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_file_cannot_be_removed_does_not_come_back() {
    let bench = Bench::open(BENCH).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    let file = bench.runtime.folder().join(format!("transactions/{id}.toml"));
    let Some(pinned) = common::Mount::pinned(&file) else { return };
    api(&bench, Command::Discard { transaction: Some(id.clone()) }).await.unwrap();
    assert_eq!(told(&bench.runtime.status(), "transaction_left"), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    bench.runtime.stop().await;
    let bench = bench.again().await;
    let status = bench.runtime.status();
    assert!(shown(&status, &id).is_none());
    assert!(!status.events.iter().any(|event| event.message.contains("damaged")));
    bench.runtime.stop().await;
    drop(pinned);
    bench.again().await.runtime.stop().await;
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_file_cannot_be_written_is_told_of_and_does_not_come_back() {
    let bench = Bench::open(BENCH).await;
    let id = begin(&bench, "").await;
    api(&bench, stage(&id, VOLTAGE, 3.45)).await.unwrap();
    let folder = bench.runtime.folder().join("transactions");
    let file = folder.join(format!("{id}.toml"));
    let Some(locked) = common::Mount::read_only(&folder) else { return };
    api(&bench, Command::Discard { transaction: Some(id.clone()) }).await.unwrap();
    assert_eq!(told(&bench.runtime.status(), "transaction_left"), 1);
    assert!(file.exists());
    drop(locked);
    // At the latest now.
    bench.runtime.stop().await;
    assert!(!file.exists());
    let bench = bench.again().await;
    assert!(shown(&bench.runtime.status(), &id).is_none());
    bench.runtime.stop().await;
}
