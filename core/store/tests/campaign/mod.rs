//! The committer as a child, and what must hold of its bench whatever happened to it.
#![allow(dead_code, reason = "each test uses some of it")]

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use setpoint_store::{
    Audit, BenchFolder, Facts, History, HistoryReader, Intent, Journal, Revisions, TextHash,
    atomic, audit,
    history::{EventFilter, HistoryOptions, Order},
};
use tempfile::TempDir;

pub mod calls;
#[path = "../../campaign/lock.rs"]
mod lock;
#[path = "../../campaign/text.rs"]
mod text;

pub use text::{number, text};

/// Which step of the committer writes the file.
const WRITES: usize = 1;

/// The program.
pub const COMMITTER: &str = env!("CARGO_BIN_EXE_committer");

/// A bench file that holds text 0, and nothing beside it.
pub fn fresh(folder: &Path) -> PathBuf {
    let bench = folder.join("bench.toml");
    fs::write(&bench, text(0)).unwrap();
    bench
}

/// A folder in memory where there is one: what a disturbed call leaves is the same on any disk, and
/// hundreds of them need not wait for one.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A number from the environment, for campaigns of any size.
pub fn asked(variable: &str, otherwise: u64) -> u64 {
    match env::var(variable) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{variable}={value} is no number")),
        Err(_) => otherwise,
    }
}

/// Whether this user may mount; fails where it may not and nobody said that this is all right.
pub fn may_mount() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    assert!(
        env::var_os("SETPOINT_TESTS_WITHOUT_ROOT").is_some(),
        "this test mounts disks and so has to run as root; without, set SETPOINT_TESTS_WITHOUT_ROOT=1 \
         and it passes untested"
    );
    false
}

/// Something mounted on a folder, until this is dropped.
pub struct Mounted(PathBuf);

impl Mounted {
    /// `mount ARGUMENTS FOLDER`
    pub fn new(arguments: &[&str], folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        run(Command::new("mount").args(arguments).arg(folder));
        Self(folder.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes it off, which has to succeed: what is lazily taken off goes on behind its name.
    pub fn unmount(self) {
        run(Command::new("umount").arg(&self.0));
        std::mem::forget(self);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).output();
        if !done.is_ok_and(|done| done.status.success()) {
            let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        }
    }
}

/// Runs a program that has to succeed.
pub fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} ended with {}: {said}", done.status);
}

/// What a committer said.
#[derive(Debug, Default, Clone)]
pub struct Said {
    /// The commit that the file held when it had opened the bench.
    pub opened: Option<u64>,
    /// The last that it acknowledged.
    pub acked: Option<u64>,
    /// Why it gave up, with what: `3: cannot write …`.
    pub failed: Option<String>,
    /// It could not take that back.
    pub stuck: bool,
}

impl Said {
    fn line(&mut self, line: &str) {
        let number = |rest: &str| Some(rest.parse().unwrap());
        if let Some(rest) = line.strip_prefix("open ") {
            self.opened = number(rest);
        } else if let Some(rest) = line.strip_prefix("ack ") {
            self.acked = number(rest);
        } else if let Some(why) = line.strip_prefix("failed ") {
            self.failed = Some(why.to_owned());
        } else if line == "stuck" {
            self.stuck = true;
        } else {
            assert_eq!(line, "start");
        }
    }

    /// Everything that a finished program said.
    pub fn all(stdout: &[u8]) -> Self {
        let mut said = Self::default();
        String::from_utf8_lossy(stdout).lines().for_each(|line| said.line(line));
        said
    }
}

/// A committer at work.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub said: Said,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines, said: Said::default() }
    }

    /// The committer on a bench, without end, with a history.
    pub fn endless(bench: &Path) -> Self {
        Self::start(Command::new(COMMITTER).arg(bench).args(["0", "history"]))
    }

    /// Waits until it has said so many lines more.
    pub fn read_lines(&mut self, count: u64) {
        for _ in 0..count {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return;
            }
            self.said.line(line.trim_end());
        }
    }

    /// Waits until it ends by itself.
    pub fn finish(mut self) -> Said {
        self.read_lines(u64::MAX);
        self.child.wait().unwrap();
        self.said
    }

    /// Kills it and reads what it still had to say.
    pub fn kill(mut self) -> Said {
        self.child.kill().unwrap();
        self.finish()
    }
}

/// What else may have happened than a process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It was killed: what it acknowledged is there.
    Kill,
    /// A call failed and it took the commit back: the file holds what it said.
    Fault,
    /// The power was cut: of what it acknowledged, the last may be missing.
    PowerCut,
}

/// Looks at the history of a bench of which commit `sure` was acknowledged, as a start does.
pub fn inspect_history(bench: &Path, sure: u64) {
    let folder = BenchFolder::open(bench).unwrap();
    let _lock = lock::locked(&folder).unwrap();
    let log = Audit::open(&folder).unwrap();
    let history = History::open(&folder, HistoryOptions::default(), Some(&log)).unwrap();
    assert_eq!((history.problem(), history.take_notes()), (None, Vec::new()));
    history.close();
    only_known(&folder, &[]);
    let filter = EventFilter {
        kind: Some("commit_applied".into()),
        order: Order::NewestFirst,
        ..EventFilter::default()
    };
    let events = HistoryReader::of(&folder).events(&filter).unwrap();
    let noted: Vec<u64> = events
        .iter()
        .map(|event| event.message.strip_prefix("Commit ").unwrap().parse().unwrap())
        .collect();
    assert!(sure == 0 || noted.contains(&sure), "{sure} was acknowledged; noted are {noted:?}");
}

/// Looks at a bench whose last acknowledged commit is `acked`, then opens it as a start does, and
/// says which commit its file holds.
pub fn inspect(bench: &Path, acked: u64, after: After) -> u64 {
    let folder = BenchFolder::of(bench);
    let file = fs::read_to_string(bench).unwrap();
    let holds = number(&file).unwrap_or_else(|| panic!("the file is torn:\n{file}"));
    toml::from_str::<toml::Table>(&file).unwrap();
    let allowed = match after {
        After::Kill => acked..=acked + 1,
        After::Fault => acked..=acked,
        After::PowerCut => acked.saturating_sub(1)..=acked + 1,
    };
    assert!(allowed.contains(&holds), "acknowledged {acked}, the file holds {holds}");

    let journal = Journal::open(&folder);
    let found = journal.found().unwrap();
    journal_is_true(found.as_ref(), holds, acked, after);
    if folder.audit().exists() {
        audit_holds(&folder.audit());
    }

    // As a start does.
    let folder = BenchFolder::open(bench).unwrap();
    let lock = lock::locked(&folder).unwrap();
    atomic::sweep_temporary(bench).unwrap();
    atomic::sweep_folder(&folder).unwrap();
    let log = Audit::open(&folder).unwrap();
    let mut revisions = Revisions::open(&folder, &log).unwrap();
    assert_eq!(revisions.problems(), [] as [&str; 0]);
    audit::verify(&folder.audit()).unwrap();

    // What was acknowledged is a revision. What the file holds is one or the journal knows of it.
    let kept: BTreeSet<u64> = revisions
        .list()
        .iter()
        .map(|kept| number(&revisions.text(&kept.id).unwrap()).expect("a revision is torn"))
        .collect();
    let sure = if after == After::PowerCut { acked.saturating_sub(1) } else { acked };
    assert!(sure == 0 || kept.contains(&sure), "{sure} was acknowledged, {kept:?} are kept");
    let explained = found.is_some() || holds == 0 || kept.contains(&holds);
    assert!(explained, "the file holds {holds}, of which nothing tells; {kept:?} are kept");

    // What the file holds is kept before the journal forgets about it.
    if !kept.contains(&holds) {
        let facts = Facts { author: "file".into(), origin: "file".into(), ..Facts::default() };
        revisions.keep(&file, facts, &log).unwrap();
    }
    journal.clear().unwrap();
    nothing_left_over(bench, &folder);
    drop(lock);
    holds
}

/// A journal is there while a commit is under way, and says what was done of it and no more.
fn journal_is_true(found: Option<&Intent>, holds: u64, acked: u64, after: After) {
    let Some(intent) = found else { return };
    let steps: Vec<usize> = (0..intent.done.len()).collect();
    assert_eq!(intent.done, steps, "steps are noted in their order");
    assert_eq!(TextHash::of(&intent.to_text), intent.to_hash);
    let meant = number(&intent.to_text).expect("the text in the journal is torn");
    match after {
        After::Kill => assert_eq!(meant, acked + 1, "the journal is of the commit under way"),
        // The last acknowledged may have lost what cleared it.
        After::Fault => assert!(meant == acked || meant == acked + 1),
        After::PowerCut => assert!((acked.saturating_sub(1)..=acked + 1).contains(&meant)),
    }
    if intent.done.contains(&WRITES) {
        assert!(holds >= meant, "it says that {meant} is written; the file holds {holds}");
    }
    if intent.done.is_empty() && after == After::Kill {
        assert!(holds < meant, "it says that nothing was done; the file holds {holds}");
    }
}

/// Every whole record is right; the last one may be torn.
fn audit_holds(path: &Path) {
    let Err(fault) = audit::verify(path) else { return };
    let bytes = fs::read(path).unwrap();
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    assert!(!bytes.ends_with(b"\n") && fault.line == lines, "{fault}");
}

/// After a start, only what belongs there is beside the bench file.
fn nothing_left_over(bench: &Path, folder: &BenchFolder) {
    assert_eq!(names(bench.parent().unwrap()), [".setpoint", "bench.toml"]);
    // Those of a database that nobody has closed; the third while it is being made.
    only_known(folder, &["history.sqlite-wal", "history.sqlite-shm", "history.sqlite-journal"]);
    for name in names(&folder.versions()) {
        assert!(name.starts_with("config-") && name.ends_with(".toml"), "{name} is left over");
    }
}

/// Nothing is in the folder `.setpoint` but what belongs there while nobody has the bench open,
/// and `more`.
fn only_known(folder: &BenchFolder, more: &[&str]) {
    let known = ["audit.head", "audit.log", "history.sqlite", "lock", "versions", "versions.json"];
    for name in names(folder.path()) {
        assert!(known.iter().chain(more).any(|known| *known == name), "{name} is left over");
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.retain(|name| name != "lost+found");
    names
}

/// Whether a temporary file lies about.
pub fn has_temporary(bench: &Path) -> bool {
    let folder = BenchFolder::of(bench);
    let folders = [bench.parent().unwrap().to_owned(), folder.path().to_owned(), folder.versions()];
    let found = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| names(folder));
    found.into_iter().any(|name| name.ends_with(".tmp"))
}

/// Numbers that look random and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
