//! A followed bench in a temporary folder, and what was seen of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

use setpoint_store::{FileSeen, TextHash, WatchMethod, WatchMode, WatchOptions, Watcher};
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
        let bench = Self { dir, file, watcher, seen };
        bench.expect(FIRST);
        assert_eq!(bench.watcher.mode() == WatchMode::Native, how == How::Native);
        bench
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
            other => panic!("{other:?} instead of nothing"),
        }
    }

    /// Exactly one report, of this text.
    #[track_caller]
    pub fn only(&self, expected: &str) -> Save {
        let save = self.expect(expected);
        self.expect_nothing();
        save
    }

    /// Files beside the bench file that the next report names, sorted, without their folder.
    #[track_caller]
    pub fn beside(&self) -> Vec<String> {
        let changed = match self.settled() {
            FileSeen::Beside { changed, .. } => changed,
            FileSeen::Text { beside, .. } if !beside.is_empty() => beside,
            other => panic!("{other:?} instead of files beside it"),
        };
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

pub fn follow(file: &Path, options: WatchOptions) -> (Watcher, Receiver<FileSeen>) {
    let (to, seen) = sync_channel(1000);
    let watcher = Watcher::start(file, options, move |seen| to.send(seen).unwrap()).unwrap();
    (watcher, seen)
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
    let (watcher, _seen) = follow(&dir.path().join("bench.toml"), WatchOptions::default());
    match watcher.mode() {
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
