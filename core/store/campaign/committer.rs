//! Commits to a bench as the runtime does, for tests that kill it, fail its calls and cut its power.
//!
//! `committer BENCH COUNT [history]` opens the bench, says `start` before and `open N` after (N is
//! the commit that the bench file holds), then commits COUNT times, without end if that is 0. It
//! says `ack N` when commit N is done; with `history`, each is an event in `history.sqlite` too,
//! and on the disk before that. If one fails it takes it back, says `failed N: why` and ends with
//! 1; if that fails too it says `stuck` before. If the bench cannot be opened it says
//! `failed open: why`.
#![allow(clippy::print_stdout, reason = "whoever started it reads what it says")]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use serde_json::Value;
use setpoint_store::{
    Audit, AuditRecord, BenchFolder, Facts, FolderLock, History, Intent, Journal, Revisions,
    StoreError, TextHash, atomic,
    history::{HistoryEvent, HistoryOptions},
};

mod lock;
mod text;

/// How many revisions are kept.
const KEPT: usize = 20;

/// How long the history may take for an event.
const PATIENCE: Duration = Duration::from_secs(30);

/// The steps of each commit; the last one is taken when the file is written.
const STEPS: [&str; 2] = ["psu.ch1.voltage 3.3 → 3.45 V", "write bench.toml"];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let bench = arguments.next().map(PathBuf::from);
    let count = arguments.next().and_then(|count| count.to_str()?.parse::<u64>().ok());
    let (Some(bench), Some(count)) = (bench, count) else {
        say("usage: committer BENCH COUNT [history]");
        return ExitCode::from(2);
    };
    let with_history = arguments.next().is_some();
    say("start");
    let mut store = match Store::open(&bench, with_history) {
        Ok(store) => store,
        Err(error) => {
            say(&format!("failed open: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let first = store.number + 1;
    say(&format!("open {}", store.number));
    for number in first.. {
        if count > 0 && number - first >= count {
            break;
        }
        if let Err(error) = store.commit(number) {
            say(&format!("failed {number}: {error}"));
            return ExitCode::FAILURE;
        }
        say(&format!("ack {number}"));
    }
    ExitCode::SUCCESS
}

/// Says a line in one write. Where nobody listens any more, there is nothing to do about it.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

/// A bench that is open.
struct Store {
    bench: PathBuf,
    audit: Audit,
    revisions: Revisions,
    journal: Journal,
    history: Option<History>,
    /// The commit that the bench file holds.
    number: u64,
    _lock: FolderLock,
}

impl Store {
    fn open(bench: &Path, with_history: bool) -> Result<Self, StoreError> {
        let folder = BenchFolder::open(bench)?;
        let lock = lock::locked(&folder)?;
        atomic::sweep_temporary(bench)?;
        atomic::sweep_folder(&folder)?;
        let audit = Audit::open(&folder)?;
        let mut revisions = Revisions::open(&folder, &audit)?;
        let open = || History::open(&folder, HistoryOptions::default(), Some(&audit));
        let history = with_history.then(open).transpose()?;
        let journal = Journal::open(&folder);
        journal.found()?;
        let file = atomic::read(bench)?;
        let number = text::number(&file.text).ok_or_else(|| StoreError::Damaged {
            path: bench.to_owned(),
            what: "it holds none of the texts that were written".into(),
        })?;
        if revisions.newest().map(|newest| newest.hash) != Some(file.hash) {
            revisions.keep(&file.text, facts("As found"), &audit)?;
        }
        // The file decides what runs; what it holds is kept before the journal forgets about it.
        journal.clear()?;
        let bench = bench.to_owned();
        Ok(Self { bench, audit, revisions, journal, history, number, _lock: lock })
    }

    /// Stations 6 to 9.
    fn commit(&mut self, number: u64) -> Result<(), StoreError> {
        let text = text::text(number);
        let from = self.revisions.newest().map(|newest| newest.id.clone()).unwrap_or_default();
        let intent = Intent::now(from, TextHash::of(&text), STEPS.map(str::to_owned).to_vec());
        let intent = Intent { to_text: text.clone(), ..intent };
        if let Err(error) = self.carry_out(number, &text, &intent) {
            if self.take_back(&text, &error).is_err() {
                say("stuck");
            }
            return Err(error);
        }
        self.number = number;
        // Both as the runtime: the commit is done, whatever becomes of these.
        let _ = self.journal.clear();
        let _ = self.revisions.prune(KEPT, None);
        self.note(number)
    }

    /// The commit as an event of the history, on the disk when this returns.
    fn note(&self, number: u64) -> Result<(), StoreError> {
        let Some(history) = &self.history else { return Ok(()) };
        history.put_event(HistoryEvent {
            seq: history.number(),
            at: jiff::Timestamp::now(),
            mono_us: 0,
            run: history.run().clone(),
            origin: "panel".into(),
            kind: "commit_applied".into(),
            subject: "configuration".into(),
            tone: "good".into(),
            path: String::new(),
            message: format!("Commit {number}"),
            took_ms: None,
            payload: None,
        });
        if history.flush(PATIENCE) && history.problem().is_none() {
            return Ok(());
        }
        let what = history.problem().unwrap_or_else(|| "it takes no events".into());
        Err(StoreError::Damaged { path: self.bench.clone(), what })
    }

    fn carry_out(&mut self, number: u64, text: &str, intent: &Intent) -> Result<(), StoreError> {
        self.journal.begin(intent)?;
        // As the runtime: what is not noted counts as perhaps done.
        let _ = self.journal.step_done(0);
        atomic::replace(&self.bench, text.as_bytes())?;
        let _ = self.journal.step_done(1);
        let message = format!("Commit {number}");
        self.audit.append(AuditRecord::new("step", "panel", "anna", "bench.name", &message))?;
        self.revisions.keep(text, facts(&message), &self.audit)?;
        Ok(())
    }

    /// The file as it was, the failure noted, the journal cleared.
    fn take_back(&mut self, text: &str, why: &StoreError) -> Result<(), StoreError> {
        if atomic::read(&self.bench).is_ok_and(|file| *file.text == *text) {
            atomic::replace(&self.bench, text::text(self.number).as_bytes())?;
        }
        self.journal.clear()?;
        let why = why.to_string();
        self.audit.append(AuditRecord::new("change_failed", "panel", "anna", "", &why))
    }
}

fn facts(message: &str) -> Facts {
    Facts {
        author: "anna".into(),
        origin: "panel".into(),
        message: message.into(),
        label: None,
        data: Value::Null,
    }
}
