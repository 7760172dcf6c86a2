//! Starting after a crash, and where nothing can be kept: the file decides what runs, and a person
//! what becomes of a change that was not finished.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::path::Path;

use common::{BENCH, Bench, edit};
use setpoint_runtime::{
    Answer, Command, CommandError, Decision, FileHolds, Options, ReloadState, Runtime, Status,
};
use setpoint_store::{BenchFolder, Intent, Journal, StepNote, TextHash};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

fn intended() -> String {
    BENCH.replace("3.300", "3.450").replace("0.500", "0.700")
}

fn author() -> String {
    "tester".to_owned()
}

/// What a run leaves that set voltage and current limit and was killed after `done` of the four
/// steps: voltage, limit, file, revision.
fn crashed(bench: &Path, done: usize) {
    let folder = BenchFolder::open(bench).unwrap();
    let steps = ["psu.ch1.voltage 3.3 → 3.45", "psu.ch1.current_limit 0.5 → 0.7", "write", "keep"];
    let touches = ["psu.ch1.voltage", "psu.ch1.current_limit", "", ""];
    let before = [Some(3.25), Some(0.5), None, None];
    let to = intended();
    let intent = Intent {
        from_hash: Some(TextHash::of(BENCH)),
        to_text: to.clone(),
        author: "nora".into(),
        origin: "panel".into(),
        touches: touches.map(str::to_owned).to_vec(),
        ..Intent::now("r1", TextHash::of(&to), steps.map(str::to_owned).to_vec())
    };
    let journal = Journal::open(&folder);
    journal.begin(&intent).unwrap();
    for (step, before) in before.iter().enumerate().take(done) {
        journal.note(&[StepNote::Done { step, before: before.map(Into::into) }]).unwrap();
    }
    if done >= 3 {
        std::fs::write(bench, to).unwrap();
    }
}

fn journal(bench: &Bench) -> Option<Intent> {
    Journal::open(&BenchFolder::of(&bench.file)).found().unwrap()
}

/// A bench that ran, and what it says of the crash when it is opened again.
async fn after_crash(done: usize) -> Bench {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    crashed(&bench.file, done);
    bench.again().await
}

async fn decide(bench: &Bench, command: Command) -> String {
    match bench.ask(command).await.unwrap() {
        Answer::Changed(applied) => applied.revision.message.clone(),
        other => panic!("{other:?}"),
    }
}

fn asks(status: &Status) -> (usize, FileHolds) {
    let unfinished = status.unfinished.as_ref().unwrap();
    assert_eq!((unfinished.from_revision.as_str(), unfinished.steps.len()), ("r1", 4));
    assert!(unfinished.message.contains("in the middle of a change by nora"));
    assert_eq!(status.attention, None, "it is not told twice");
    let done = unfinished.steps.iter().take(3).filter(|step| step.done).count();
    (done, unfinished.file_holds)
}

#[tokio::test(flavor = "multi_thread")]
async fn finishing_brings_what_was_intended_however_far_it_came() {
    for done in 0..3 {
        let bench = after_crash(done).await;
        assert_eq!(asks(&bench.runtime.status()), (done, FileHolds::Before));
        assert_eq!(bench.text(), BENCH);
        let message = decide(&bench, Command::Finish { author: author() }).await;
        assert!(message.starts_with("Finished the change of "), "{message}");
        assert_eq!(bench.text(), intended());
        assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
        assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, "0.700");
        let status = bench.runtime.status();
        assert_eq!((&status.unfinished, &status.attention), (&None, &None));
        assert_eq!(status.revision.as_ref().unwrap().author, "tester");
        assert_eq!(journal(&bench), None);
        bench.runtime.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_puts_devices_where_they_were_just_before() {
    for done in 0..3 {
        let bench = after_crash(done).await;
        // What the crashed run had set.
        if done > 0 {
            bench.device("psu", ":SOUR1:VOLT 3.45").await;
        }
        let message = decide(&bench, Command::GoBack { author: author() }).await;
        assert!(message.starts_with("Went back to r1"), "{message}");
        assert_eq!(bench.text(), BENCH);
        // 3.25 V was read before it was set, though the file asked for 3.3.
        let expected = if done > 0 { "3.250" } else { "3.300" };
        assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, expected);
        assert_eq!(bench.runtime.status().unfinished, None);
        assert_eq!(journal(&bench), None);
        bench.runtime.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_file_runs_and_can_be_finished_or_gone_back_from() {
    for back in [false, true] {
        let bench = Bench::open(BENCH).await;
        bench.runtime.stop().await;
        crashed(&bench.file, 1);
        // The file was written; that this was noted is not on the disk.
        std::fs::write(&bench.file, intended()).unwrap();
        let bench = bench.again().await;
        assert_eq!(asks(&bench.runtime.status()), (1, FileHolds::After));
        let command = match back {
            false => Command::Finish { author: author() },
            true => Command::GoBack { author: author() },
        };
        decide(&bench, command).await;
        assert_eq!(bench.text(), if back { BENCH.to_owned() } else { intended() });
        let expected = if back { "0.500" } else { "0.700" };
        assert_eq!(bench.device("psu", ":SOUR1:CURR?").await, expected);
        assert_eq!(journal(&bench), None);
        bench.runtime.stop().await;
    }
}

/// The text that is brought back, or brought at last, asks for a load to be energised: nobody has
/// seen that step, so it is left to a person.
#[tokio::test(flavor = "multi_thread")]
async fn deciding_switches_nothing_hazardous_on() {
    let on = BENCH.replace("ch1.voltage", "ch1.output = \"on\"\nch1.voltage");
    let off = on.replace("ch1.output = \"on\"", "ch1.output = \"off\"");
    for back in [false, true] {
        let (from, to) = if back { (&on, &off) } else { (&off, &on) };
        let bench = Bench::open(from).await;
        bench.runtime.stop().await;
        let journal = Journal::open(&BenchFolder::open(&bench.file).unwrap());
        let steps = ["psu.ch1.output", "write", "keep"].map(str::to_owned).to_vec();
        let intent = Intent {
            from_hash: Some(TextHash::of(from)),
            to_text: to.clone(),
            touches: ["psu.ch1.output", "", ""].map(str::to_owned).to_vec(),
            ..Intent::now("r1", TextHash::of(to), steps)
        };
        journal.begin(&intent).unwrap();
        // What is asked for is not what the files hold.
        std::fs::write(&bench.file, if back { to } else { from }).unwrap();
        let bench = bench.again().await;
        let command = match back {
            false => Command::Finish { author: author() },
            true => Command::GoBack { author: author() },
        };
        decide(&bench, command).await;
        assert_eq!(bench.text(), on);
        assert_eq!(bench.device("psu", ":OUTP? CH1").await, "OFF");
        let left = bench.runtime.status().attention.clone().unwrap();
        assert_eq!(left.matches("psu.ch1.output").count(), 1, "{left}");
        assert!(left.contains("is hazardous and was left alone"), "{left}");
        bench.runtime.stop().await;
    }
}

/// Nothing is left to decide: every step but the revision is known to be done, and that is kept
/// at the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_lacks_only_its_revision_is_complete() {
    let bench = after_crash(3).await;
    let status = bench.runtime.status();
    assert_eq!((&status.unfinished, &status.attention), (&None, &None));
    assert_eq!(status.revision.as_ref().unwrap().author, "nora");
    assert_eq!(journal(&bench), None);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_again_after_every_start_and_blocks_other_changes() {
    let mut bench = after_crash(1).await;
    for _ in 0..2 {
        let error = bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap_err();
        assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
        assert!(error.to_string().contains("setpoint recover"), "{error}");
        assert_eq!(bench.text(), BENCH);
        bench.runtime.stop().await;
        bench = bench.again().await;
        assert_eq!(asks(&bench.runtime.status()), (1, FileHolds::Before));
    }
    // The file decides: a save is followed, and the question stays.
    let edited = BENCH.replace("3.300", "3.600");
    bench.save(&edited);
    bench.until("the save is followed", |now| now.reload.applied == 1).await;
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.600");
    let unfinished = bench.runtime.status().unfinished.clone().unwrap();
    assert_eq!((unfinished.file_holds, unfinished.steps.len()), (FileHolds::Other, 4));
    let left = journal(&bench).unwrap();
    assert_eq!((left.steps.len(), left.done, left.from_revision.as_str()), (4, vec![0], "r1"));
    // What runs is neither what was before nor what was intended: that is not for us to decide.
    let refused = bench.ask(Command::GoBack { author: author() }).await.unwrap_err();
    assert!(matches!(refused, CommandError::Conflict { .. }), "{refused}");
    assert_eq!(bench.text(), edited);
    bench.save(&intended());
    bench.until("the save is followed", |now| now.reload.applied == 2).await;
    decide(&bench, Command::GoBack { author: author() }).await;
    assert_eq!(bench.text(), BENCH);
    bench.change(vec![edit(VOLTAGE, 4.0)]).await.unwrap();
    bench.runtime.stop().await;
}

fn command(back: bool) -> Command {
    match back {
        false => Command::Finish { author: author() },
        true => Command::GoBack { author: author() },
    }
}

/// What both decisions are said to do to the file, once that is known.
async fn said(bench: &Bench) -> [Decision; 2] {
    let known =
        |now: &Status| now.unfinished.as_ref().is_some_and(|change| change.finish.is_some());
    let status = bench.until("it is known what would be written", known).await;
    let change = status.unfinished.as_ref().unwrap();
    [&change.finish, &change.go_back].map(|said| (**said.as_ref().unwrap()).clone())
}

/// Saved while nobody had decided: it stays, whichever way it is decided, and a parameter that it
/// set is not put back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_meanwhile_stays() {
    let edit_of = |text: &str| {
        let text = text.replace("Test bench", "Edited meanwhile");
        format!("{text}ch2.voltage = 2.000\n")
    };
    for (back, written) in [(false, false), (true, false), (false, true), (true, true)] {
        let bench = after_crash(1).await;
        let held = if written { intended() } else { BENCH.to_owned() };
        bench.save(&edit_of(&held));
        bench.until("the save is followed", |now| now.reload.applied == 1).await;
        let now = edit_of(&held);
        bench
            .until("it is weighed anew", |now| {
                now.unfinished.as_ref().is_some_and(|change| {
                    change.file_holds == FileHolds::Other && change.finish.is_some()
                })
            })
            .await;
        let both = ["psu.ch1.voltage", "psu.ch1.current_limit"];
        let [finish, go_back] = said(&bench).await;
        for (said, writes) in [(finish, !written), (go_back, written)] {
            let named = both.iter().all(|key| said.writes.iter().any(|one| one.starts_with(key)));
            assert_eq!(
                (named, said.writes.len()),
                (writes, if writes { 2 } else { 0 }),
                "{said:?}"
            );
            assert_eq!((said.clashes.len(), said.problem), (0, None));
        }
        decide(&bench, command(back)).await;
        let expected = edit_of(&if back { BENCH.to_owned() } else { intended() });
        assert_eq!(bench.text(), expected, "back: {back}, from {now}");
        assert_eq!(bench.device("psu", ":SOUR2:VOLT?").await, "2.000");
        // 3.25 V was read before it was set.
        let volts = if back { "3.250" } else { "3.450" };
        assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, volts);
        assert_eq!((&bench.runtime.status().unfinished, journal(&bench)), (&None, None));
        bench.runtime.stop().await;
    }
}

/// A save that was followed meanwhile is noted in the same journal, and a crash may have come in the
/// middle of that too: what it set is not put back.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_save_set_stays_set() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    crashed(&bench.file, 1);
    let journal = Journal::open(&BenchFolder::of(&bench.file));
    let mut left = journal.found().unwrap().unwrap();
    left.steps.push("psu.ch2.voltage 1.0 → 2.0".into());
    left.touches.push("psu.ch2.voltage".into());
    left.done.push(4);
    left.before.insert(4, 1.0.into());
    journal.put(&left).unwrap();
    let saved = format!("{BENCH}ch2.voltage = 2.000\n");
    std::fs::write(&bench.file, &saved).unwrap();
    let bench = bench.again().await;
    decide(&bench, command(true)).await;
    assert_eq!(bench.text(), saved);
    assert_eq!(bench.device("psu", ":SOUR2:VOLT?").await, "2.000");
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.250");
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_both_changed_is_for_a_person() {
    let bench = after_crash(1).await;
    let [finish, go_back] = said(&bench).await;
    assert_eq!((finish.writes.len(), go_back), (2, Decision::default()), "{finish:?}");
    let saved = BENCH.replace("3.300", "3.600").replace("Test bench", "Mine");
    bench.save(&saved);
    let clash = "instruments.psu.set.ch1.voltage (before 3.3, intended 3.45, in the file 3.6)";
    bench
        .until("both say that it clashes", |now| {
            now.unfinished.as_ref().is_some_and(|change| {
                [&change.finish, &change.go_back]
                    .iter()
                    .all(|said| said.as_ref().is_some_and(|said| said.clashes == [clash]))
            })
        })
        .await;
    for back in [false, true] {
        let refused = bench.ask(command(back)).await.unwrap_err();
        assert!(matches!(refused, CommandError::Conflict { .. }), "{refused}");
        assert!(refused.to_string().contains(clash), "{refused}");
        assert_eq!(bench.text(), saved);
        assert!(journal(&bench).is_some());
    }
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.600");
    let meant = intended().replace("0.700", "0.500").replace("Test bench", "Mine");
    bench.save(&meant);
    bench.until("the save is followed", |now| now.reload.applied == 2).await;
    decide(&bench, command(false)).await;
    assert_eq!(bench.text(), intended().replace("Test bench", "Mine"));
    bench.runtime.stop().await;
}

/// Without the text from before, what differs is not taken for a part of the change.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_text_from_before_nothing_is_written_over() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    crashed(&bench.file, 1);
    let versions = BenchFolder::of(&bench.file).versions();
    std::fs::remove_dir_all(&versions).unwrap();
    let saved = BENCH.replace("Test bench", "Mine");
    std::fs::write(&bench.file, &saved).unwrap();
    let bench = bench.again().await;
    let refused = bench.ask(command(false)).await.unwrap_err();
    assert!(refused.to_string().contains("bench.name"), "{refused}");
    let refused = bench.ask(command(true)).await.unwrap_err();
    assert!(matches!(refused, CommandError::NotFound { .. }), "{refused}");
    assert_eq!(bench.text(), saved);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_set_aside_and_told() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let folder = BenchFolder::of(&bench.file);
    std::fs::write(folder.journal(), "at = nonsense\n").unwrap();
    let bench = bench.again().await;
    let status = bench.runtime.status();
    assert_eq!(status.unfinished, None);
    assert!(status.events.iter().any(|event| event.message.contains("journal-damaged-")));
    let names = std::fs::read_dir(folder.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert!(names.any(|name| name.starts_with("journal-damaged-")));
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_leaves_no_journal_and_a_failed_one_neither() {
    let text = format!("{BENCH}\n[instruments.knob]\ntype = \"stuck\"\naddress = \"sim:\"\n");
    let bench = Bench::open(&text).await;
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    assert_eq!(journal(&bench), None);
    let edits = vec![edit(VOLTAGE, 3.6), edit("instruments.knob.set.stuck", 1.0)];
    bench.change(edits).await.unwrap_err();
    assert_eq!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    assert_eq!(journal(&bench), None);
    bench.runtime.stop().await;
}

/// Whatever is in the place of the folder, the bench runs, says what is wrong, refuses what it
/// could not remember, and goes on when it is mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_bench_runs_without_its_folder() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let folder = BenchFolder::of(&bench.file).path().to_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let bench = bench.again().await;
    let status = bench.until("it says so", |now| now.history_problem.is_some()).await;
    assert!(status.history_problem.as_ref().unwrap().contains("move it away"));
    assert!(status.instruments.contains_key("psu"));
    // The bench file can be written: the change is in it, and kept as soon as that can be done.
    bench.change(vec![edit(VOLTAGE, 3.45)]).await.unwrap();
    assert_eq!(bench.text(), BENCH.replace("3.300", "3.450"));
    let told = bench.runtime.status().revision.clone().unwrap();
    std::fs::remove_file(&folder).unwrap();
    bench.until("it is kept again", |now| now.history_problem.is_none()).await;
    let kept: Vec<String> =
        bench.runtime.status().revisions.iter().map(|one| one.id.clone()).collect();
    assert_eq!(kept, ["r2", "r1"]);
    assert_eq!(bench.runtime.status().revision.as_ref(), Some(&told), "when it was made, too");
    assert_eq!(bench.runtime.status().revisions[0], told);
    assert_eq!(*bench.runtime.revision_text("r2").await.unwrap(), *bench.text());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_is_no_reason_not_to_run() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let log = BenchFolder::of(&bench.file).audit();
    std::fs::rename(&log, log.with_extension("mine")).unwrap();
    std::fs::create_dir(&log).unwrap();
    let bench = bench.again().await;
    bench.until("it says so", |now| now.history_problem.is_some()).await;
    // What is kept can still be read, and no other Setpoint gets in.
    assert_eq!(&*bench.runtime.revision_text("r1").await.unwrap(), BENCH);
    assert!(Runtime::start(Options::new(bench.file.clone())).await.is_err());
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_runs_the_newest_revision_that_is_whole() {
    let bench = Bench::open(BENCH).await;
    for voltage in [3.4, 3.5, 3.6] {
        bench.change(vec![edit(VOLTAGE, voltage)]).await.unwrap();
    }
    bench.runtime.stop().await;
    // The newest is cut off, the one before is gone.
    let folder = BenchFolder::of(&bench.file);
    let mut versions: Vec<_> =
        std::fs::read_dir(folder.versions()).unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.sort();
    std::fs::write(&versions[3], "[bench]\n").unwrap();
    std::fs::remove_file(&versions[2]).unwrap();
    std::fs::write(&bench.file, "[instruments.psu\n").unwrap();
    let bench = bench.again().await;
    let status = bench.runtime.status();
    assert_eq!(status.revision.as_ref().unwrap().id, "r2");
    assert_eq!(status.reload.state, ReloadState::Rejected);
    bench.runtime.stop().await;
    std::fs::remove_file(&bench.file).unwrap();
    let bench = bench.again().await;
    assert_eq!(bench.runtime.status().revision.as_ref().unwrap().id, "r2");
    assert_eq!(bench.runtime.status().reload.state, ReloadState::Ahead);
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_include_runs_the_last_good_revision() {
    let include = "[instruments.psu]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n";
    let main = "[bench]\nname = \"Parts\"\ninclude = [\"psu.toml\"]\n";
    let bench = Bench::open_with(main, &[("psu.toml", include)]).await;
    bench.runtime.stop().await;
    std::fs::remove_file(bench.file.with_file_name("psu.toml")).unwrap();
    let bench = bench.again().await;
    let status = bench.runtime.status();
    assert_eq!(status.reload.state, ReloadState::Rejected);
    assert!(status.instruments.contains_key("psu"), "{:?}", status.reload);
    bench.runtime.stop().await;
}

/// A crash between a revision's file and its line in the log: the journal knows whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_revision_without_a_record_is_the_journals_authors() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    crashed(&bench.file, 3);
    let folder = BenchFolder::of(&bench.file);
    let hash = TextHash::of(intended()).short();
    // After the first one, whose name says when that was.
    let name = format!("config-21260101T000000.000Z-{hash}.toml");
    std::fs::write(folder.versions().join(name), intended()).unwrap();
    let bench = bench.again().await;
    let status = bench.runtime.status();
    let newest = &status.revisions[0];
    assert_eq!((newest.id.as_str(), newest.author.as_str()), ("r2", "nora"));
    assert_eq!(newest.origin, setpoint_runtime::Origin::Panel);
    assert_eq!(status.unfinished, None);
    bench.runtime.stop().await;
    // And that is written down.
    let audit = std::fs::read_to_string(folder.audit()).unwrap();
    assert_eq!(audit.matches("\"number\":2").count(), 1, "{audit}");
    assert!(setpoint_store::audit::verify(&folder.audit()).is_ok());
    let bench = bench.again().await;
    assert_eq!(bench.runtime.status().revisions[0].author, "nora");
    bench.runtime.stop().await;
}

/// What cannot be read now is not damaged: it is left, looked at again, and never written over.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_read_is_looked_at_again() {
    let bench = Bench::open(BENCH).await;
    bench.runtime.stop().await;
    let path = BenchFolder::of(&bench.file).journal();
    std::fs::create_dir(&path).unwrap();
    let bench = bench.again().await;
    let status = bench.runtime.status();
    assert!(status.attention.as_ref().unwrap().contains("is not known"), "{:?}", status.attention);
    bench.change(vec![edit(VOLTAGE, 3.4)]).await.unwrap();
    assert!(path.is_dir(), "it is left alone");
    bench.change(vec![edit(VOLTAGE, 3.3)]).await.unwrap();
    std::fs::remove_dir(&path).unwrap();
    crashed(&bench.file, 1);
    let found = |status: &Status| status.unfinished.is_some();
    let status = bench.until("it is read", found).await;
    assert!(status.unfinished.as_ref().unwrap().message.contains("by nora"));
    assert_eq!(status.attention, None);
    let error = bench.change(vec![edit(VOLTAGE, 3.4)]).await.unwrap_err();
    assert!(matches!(error, CommandError::Conflict { .. }), "{error}");
    let message = decide(&bench, Command::GoBack { author: author() }).await;
    assert!(message.starts_with("Went back to r1"), "{message}");
    assert_eq!((bench.text(), journal(&bench)), (BENCH.to_owned(), None));
    bench.runtime.stop().await;
}
