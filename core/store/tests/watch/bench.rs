//! A followed bench in a temporary folder, and what was seen of it.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

use setpoint_store::{FileSeen, TextHash, WatchMethod, WatchMode, WatchOptions, Watcher, atomic};
use tempfile::TempDir;

pub const DEADLINE: Duration = Duration::from_secs(10);
/// Longer than anything but a text in doubt is waited for.
pub const A_WHILE: Duration = Duration::from_millis(400);
pub const FIRST: &str = "[a]\nx = 1\n\n[b]\nx = 2\n\n[c]\nx = 3\n";

/// A file that is being followed, and what was seen of it.
pub struct Bench {
    pub dir: TempDir,
    pub file: PathBuf,
    pub watcher: Watcher,
    pub seen: Receiver<FileSeen>,
    /// The last text that was reported, and those the owner wrote since.
    known: RefCell<Vec<String>>,
}

impl Bench {
    /// A plain `bench.toml` with [`FIRST`] in it, already reported.
    pub fn new() -> Self {
        Self::with(|folder| {
            fs::write(folder.join("bench.toml"), FIRST).unwrap();
            folder.join("bench.toml")
        })
    }

    pub fn with(make: impl FnOnce(&Path) -> PathBuf) -> Self {
        Self::how(How::Native, make)
    }

    /// The same, followed in one of two ways.
    pub fn how(how: How, make: impl FnOnce(&Path) -> PathBuf) -> Self {
        let dir = folder();
        let file = make(dir.path());
        let (watcher, seen) = follow(&file, how.options());
        let bench = Self::of(dir, file, watcher, seen);
        bench.expect(FIRST);
        assert_eq!(bench.watcher.mode() == WatchMode::Native, how == How::Native);
        bench
    }

    /// Of parts.
    pub fn of(dir: TempDir, file: PathBuf, watcher: Watcher, seen: Receiver<FileSeen>) -> Self {
        Self { dir, file, watcher, seen, known: RefCell::default() }
    }

    /// A plain bench file, followed in one of two ways.
    pub fn plain(how: How) -> Self {
        Self::how(how, plain)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn next(&self) -> FileSeen {
        self.seen.recv_timeout(DEADLINE).unwrap()
    }

    /// The next that is not on its way to something else.
    pub fn settled(&self) -> FileSeen {
        loop {
            match self.next() {
                FileSeen::Settling | FileSeen::Mode(_) => {}
                seen => return seen,
            }
        }
    }

    #[track_caller]
    pub fn expect(&self, expected: &str) -> Save {
        match self.settled() {
            FileSeen::Text { text, hash, first_sign, finished_save, .. } => {
                assert_eq!(&*text, expected);
                assert_eq!(hash, TextHash::of(expected));
                self.known.replace(vec![expected.to_owned()]);
                Save { settled: first_sign.elapsed(), finished: finished_save }
            }
            other => panic!("{other:?} instead of a text"),
        }
    }

    #[track_caller]
    pub fn expect_nothing(&self) {
        match self.seen.recv_timeout(A_WHILE) {
            Err(RecvTimeoutError::Timeout) => {}
            // Where a change is found by asking, it is told that nothing else told of it.
            Ok(FileSeen::Mode(_)) => self.expect_nothing(),
            // Asking can come upon a file that is just being touched.
            Ok(FileSeen::Settling) if self.polled() => {
                self.settled_as_before();
                self.expect_nothing();
            }
            other => panic!("{other:?} instead of nothing"),
        }
    }

    fn polled(&self) -> bool {
        self.watcher.mode() != WatchMode::Native
    }

    /// What was settling is what it was before, which is said.
    #[track_caller]
    pub fn settled_as_before(&self) {
        match self.settled() {
            FileSeen::Text { text, beside, .. } => {
                let known = self.known.borrow();
                assert!(known.iter().any(|known| **known == *text), "{text:?} of {known:?}");
                assert_eq!(beside, [] as [PathBuf; 0]);
            }
            FileSeen::Beside { changed, .. } => assert!(changed.is_empty(), "{changed:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// Exactly one report, of this text.
    #[track_caller]
    pub fn only(&self, expected: &str) -> Save {
        let save = self.expect(expected);
        self.expect_nothing();
        save
    }

    /// Writes as the owner does.
    pub fn write_own(&self, text: &str) {
        self.known.borrow_mut().push(text.to_owned());
        self.watcher.believe(TextHash::of(text));
        atomic::replace(&self.file, text.as_bytes()).unwrap();
    }

    /// Files beside the bench file that the next report names, sorted, without their folder; it
    /// names nothing else.
    #[track_caller]
    pub fn beside(&self) -> Vec<String> {
        match self.settled() {
            FileSeen::Beside { changed, .. } => self.names(changed),
            other => panic!("{other:?} instead of files beside it"),
        }
    }

    /// The same of a report that also has this text of the bench file.
    #[track_caller]
    pub fn together(&self, expected: &str) -> Vec<String> {
        match self.settled() {
            FileSeen::Text { text, beside, .. } => {
                assert_eq!(&*text, expected);
                self.known.replace(vec![expected.to_owned()]);
                self.names(beside)
            }
            other => panic!("{other:?} instead of a text"),
        }
    }

    fn names(&self, changed: Vec<PathBuf>) -> Vec<String> {
        let name = |path: PathBuf| {
            path.strip_prefix(self.dir.path()).unwrap().to_str().unwrap().to_owned()
        };
        let mut names: Vec<String> = changed.into_iter().map(name).collect();
        names.sort();
        names
    }

    /// Saves as editors do that write a new file and rename it.
    pub fn save_over(&self, text: &str) {
        save_over(&self.file, text);
    }
}

/// How a text came.
pub struct Save {
    pub settled: Duration,
    pub finished: bool,
}

/// What is reported, without what is only coming.
pub fn follow(file: &Path, options: WatchOptions) -> (Watcher, Receiver<FileSeen>) {
    follow_with(file, options, |seen| !matches!(seen, FileSeen::Coming { .. }))
}

/// What is reported, as far as it is `wanted`.
pub fn follow_with(
    file: &Path,
    options: WatchOptions,
    wanted: impl Fn(&FileSeen) -> bool + Send + 'static,
) -> (Watcher, Receiver<FileSeen>) {
    let (to, seen) = sync_channel(1000);
    let sink = move |seen| {
        if wanted(&seen) {
            to.send(seen).unwrap();
        }
    };
    (Watcher::start(file, options, sink).unwrap(), seen)
}

pub fn save_over(file: &Path, text: &str) {
    let temporary = file.with_extension("new");
    fs::write(&temporary, text).unwrap();
    fs::rename(temporary, file).unwrap();
}

pub fn edited(n: usize) -> String {
    FIRST.replace("x = 1", &format!("x = {n}"))
}

/// By which means a bench is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As the system tells.
    Native,
    /// As asking for the state of the files tells.
    Poll,
}

impl How {
    /// Polling is quick, so that tests are.
    pub fn options(self) -> WatchOptions {
        match self {
            Self::Native => WatchOptions::default(),
            Self::Poll => WatchOptions {
                poll_every: Duration::from_millis(20),
                compare_every: Duration::from_millis(60),
                method: WatchMethod::Poll,
                ..WatchOptions::default()
            },
        }
    }
}

/// `bench.toml` with [`FIRST`] in it.
pub fn plain(folder: &Path) -> PathBuf {
    fs::write(folder.join("bench.toml"), FIRST).unwrap();
    folder.join("bench.toml")
}

/// A temporary folder on a file system whose changes are all told of: in a container the usual
/// one is on an overlay.
pub fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (watcher, seen) = follow(&dir.path().join("bench.toml"), WatchOptions::default());
    let mode = watcher.mode();
    // In this order: it may be about to tell.
    drop((watcher, seen));
    match mode {
        WatchMode::Native => dir,
        WatchMode::Polling { .. } => tempfile::tempdir_in("/dev/shm").unwrap(),
    }
}

/// Makes each function a test by native watching and one by polling.
macro_rules! both_ways {
    ($($name:ident),* $(,)?) => {
        mod native { $( #[test] fn $name() { super::$name(crate::bench::How::Native); } )* }
        mod poll { $( #[test] fn $name() { super::$name(crate::bench::How::Poll); } )* }
    };
}
pub(crate) use both_ways;
