//! Following the bench file through every way in which programs save.
//!
//! What the system says about a folder is a hint and no more: the content decides. A look asks
//! the state of the file, reads it, asks the state again and compares fingerprints; the same
//! content as before is nothing. What no hint tells of (network disks, mounts, lost events) is
//! found by asking the state every [`WatchOptions::poll_every`] and reading every ten seconds.
//!
//! A finished save (a file renamed into place, a file closed after writing) is read at once. After
//! a bare write the file must be still for [`WatchOptions::quiet`], but a stream of writes delays
//! a look by five times that at most (and five seconds). After half of it the text is told as coming,
//! so that the rest of the wait is of use. A text that may be half of one (empty, the
//! beginning of the one before, a fifth of the lines gone, its last line not ended) is held back until
//! it has stayed the same for a second, or has been another such text each time for five, unless it
//! was renamed into place.
//!
//! Files beside the bench file (see [`Beside`]) are followed with the same care. As long as there
//! are some, every save waits for the quiet time: what is saved together is reported together.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use crate::{ReadError, StoreError, TextHash};

mod artefact;
mod beside;
mod doubt;
mod file;
mod filesystem;
mod follow;
mod hearing;
mod inbox;
mod native;
mod way;

pub(crate) use artefact::is_artefact;
pub use beside::Beside;
use follow::Follower;
use inbox::Inbox;

/// How closely a file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    /// Stillness wanted after a bare write, and after any save where there are files beside the
    /// bench file: those saved within it are one change.
    pub quiet: Duration,
    /// How often the state of the file is asked for, besides what the system tells.
    pub poll_every: Duration,
    /// How often the content is compared even if nothing points to a change, and native watching
    /// is tried again where it did not work.
    pub compare_every: Duration,
    /// What is relied on.
    pub method: WatchMethod,
}

impl Default for WatchOptions {
    /// 50 ms, one second, ten seconds.
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(50),
            poll_every: Duration::from_secs(1),
            compare_every: Duration::from_secs(10),
            method: WatchMethod::Auto,
        }
    }
}

/// What is relied on to notice changes. Asking for the state of the files belongs to each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WatchMethod {
    /// What the system offers; on network and layered file systems it is known not to be enough.
    #[default]
    Auto,
    /// What the system offers, on every file system.
    Native,
    /// Asking for the state of the files, and nothing else.
    Poll,
}

/// What was seen of the files.
#[derive(Debug, Clone)]
pub enum FileSeen {
    /// The bench file holds another text than was reported last, or than was being written.
    Text {
        /// The whole text.
        text: Arc<str>,
        /// Its fingerprint.
        hash: TextHash,
        /// When the first sign of this save was seen; from then to now it settled.
        first_sign: Instant,
        /// Its writer had visibly finished; otherwise stillness decided.
        finished_save: bool,
        /// It was renamed into place, and not written to since.
        renamed: bool,
        /// Files beside it that changed together with it.
        beside: Vec<PathBuf>,
    },
    /// The bench file is being saved and may hold this text when that is over; it is not to be
    /// believed yet. Whoever reads and checks it now has that done when it is reported: the same
    /// text then comes as the same `Arc`.
    Coming {
        /// The whole text so far.
        text: Arc<str>,
        /// Its fingerprint.
        hash: TextHash,
    },
    /// Files beside the bench file changed, came or went, and the bench file did not. None, if
    /// what was settling is what it was before.
    Beside {
        /// Their paths.
        changed: Vec<PathBuf>,
        /// As of a text.
        first_sign: Instant,
        /// As of a text.
        finished_save: bool,
        /// All of them were renamed into place.
        renamed: bool,
    },
    /// The bench file is not there any more, nor was it for a while.
    Gone,
    /// The bench file is there and cannot be read as text: why, with its path and what to do.
    Unreadable(ReadError),
    /// A file is being written and waited for for longer than a moment, or holds what may be half a
    /// text. What it settles to follows, also when that is what was reported before.
    Settling,
    /// Changes are noticed in another way from now on; [`Watcher::mode`] is this.
    Mode(WatchMode),
}

/// How changes are noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchMode {
    /// The system tells of them.
    Native,
    /// What the system tells is nothing, or not enough: the state of the files is asked for every
    /// [`WatchOptions::poll_every`].
    Polling {
        /// Why, in a sentence.
        reason: String,
    },
}

/// Follows a file in a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    inbox: Arc<Inbox>,
    mode: Arc<Mutex<WatchMode>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to follow a file; it need not exist yet, nor its folder. The first thing reported is
    /// what the file holds now, so that no change between an earlier reading and this call is
    /// lost.
    ///
    /// `sink` is called from the watcher's thread. It should not block for long: nothing is
    /// noticed meanwhile, and dropping the watcher waits for it.
    ///
    /// # Errors
    /// When the system gives no thread. That native watching does not work is no error; see
    /// [`Watcher::mode`].
    pub fn start(
        path: &Path,
        options: WatchOptions,
        sink: impl FnMut(FileSeen) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let inbox = Arc::new(Inbox::default());
        let mode = Arc::new(Mutex::new(WatchMode::Native));
        // A later change of the process's folder must not change which file this is.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut follower =
            Follower::new(path.clone(), options, inbox.clone(), mode.clone(), Box::new(sink));
        // Watching begins before this returns: what is written next is noticed.
        follower.begin();
        let thread = Builder::new()
            .name("setpoint-watch".into())
            .spawn(move || follower.run())
            .map_err(|e| StoreError::NoThread { path, reason: e.to_string() })?;
        Ok(Self { inbox, mode, thread: Some(thread) })
    }

    /// Stops reporting; what happens to the file goes unnoticed.
    pub fn pause(&self) {
        self.inbox.put(|news| news.paused = Some(true));
    }

    /// Goes on, beginning with what the file holds now.
    pub fn resume(&self) {
        self.inbox.put(|news| news.paused = Some(false));
    }

    /// Looks at once, paused or not, and believes what is there, however it looks: a person asked.
    /// As always, only what differs from the last report is reported.
    pub fn look_now(&self) {
        self.inbox.put(|news| news.look_now = true);
    }

    /// Follows more or less closely from now on.
    pub fn set_options(&self, options: WatchOptions) {
        self.inbox.put(|news| (news.options, news.quiet) = (Some(options), None));
    }

    /// The same for the stillness wanted after a bare write alone.
    pub fn set_quiet(&self, quiet: Duration) {
        self.inbox.put(|news| news.quiet = Some(quiet));
    }

    /// The owner is about to write the text with this fingerprint: when it appears within ten
    /// seconds and before any other change, it is not reported. Call it before writing, so that
    /// the watcher cannot be faster.
    pub fn believe(&self, hash: TextHash) {
        self.inbox.put(|news| news.beliefs.push((None, hash, Instant::now())));
    }

    /// The same of a file beside the bench file.
    pub fn believe_beside(&self, path: &Path, hash: TextHash) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.inbox.put(|news| news.beliefs.push((Some(path), hash, Instant::now())));
    }

    /// The owner has read or written a file itself, and knows that it held this text or could not
    /// be read; `None` is the bench file. What differs from that is a change, even if it is what
    /// was reported last: a file that goes back to it between two looks would not be noticed else.
    pub fn knows(&self, path: Option<&Path>, found: Result<TextHash, ReadError>) {
        let path = path.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        self.inbox.put(|news| drop(news.known.insert(path, Some(found))));
    }

    /// What was reported last of the bench file was not taken in: what it holds is reported once
    /// more, whatever that is.
    pub fn look_again(&self) {
        self.inbox.put(|news| drop(news.known.insert(None, None)));
    }

    /// From now on these files belong to the bench, besides the bench file. Those that did before
    /// are followed on as if nothing was said.
    pub fn set_beside(&self, beside: Beside) {
        self.inbox.put(|news| news.beside = Some(beside));
    }

    /// How changes are noticed just now.
    pub fn mode(&self) -> WatchMode {
        self.mode.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.inbox.put(|news| news.stop = true);
        if let Some(thread) = self.thread.take() {
            // It only fails if the sink panicked, which has been told by then.
            let _ = thread.join();
        }
    }
}
