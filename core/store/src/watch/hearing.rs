//! The native watch: which folders it covers, and whether it can be relied on.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    WatchMethod, WatchMode, filesystem,
    inbox::Inbox,
    native::{Interest, Native},
    way::Folder,
};

/// The least time between two renewals of the native watch that no change of folders explains.
const REARM_EVERY: Duration = Duration::from_millis(200);

pub(super) struct Hearing {
    inbox: Arc<Inbox>,
    native: Option<Native>,
    interest: Arc<Mutex<Interest>>,
    folders: BTreeSet<Folder>,
    armed_at: Instant,
    rearm_due: Option<Instant>,
    /// Why there is no native watch.
    refused: Option<String>,
    /// Why not all changes are told of by the native watch.
    incomplete: Option<String>,
    /// A change that the native watch did not tell of; it has told of none since.
    deaf: Option<String>,
}

impl Hearing {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            inbox,
            native: None,
            interest: Arc::default(),
            folders: BTreeSet::new(),
            armed_at: Instant::now(),
            rearm_due: None,
            refused: None,
            incomplete: None,
            deaf: None,
        }
    }

    /// Listens for other names, and watches other folders if they are others or there is no watch
    /// yet.
    pub(super) fn cover(
        &mut self,
        mut interest: Interest,
        folders: BTreeSet<Folder>,
        method: WatchMethod,
    ) {
        interest.folders = folders.iter().map(|(path, ..)| path.clone()).collect();
        *self.interest.lock().unwrap_or_else(PoisonError::into_inner) = interest;
        let unwatched = self.native.is_none() && self.refused.is_none();
        if folders != self.folders || unwatched {
            self.folders = folders;
            self.arm(method);
        }
    }

    /// Watches the folders afresh.
    pub(super) fn arm(&mut self, method: WatchMethod) {
        self.rearm_due = None;
        self.armed_at = Instant::now();
        self.incomplete = None;
        self.refused = None;
        if method == WatchMethod::Poll {
            self.native = None;
            self.refused = Some("polling was asked for".into());
            return;
        }
        let paths = || self.folders.iter().map(|(path, ..)| path.as_path());
        if method == WatchMethod::Auto {
            self.incomplete = paths().find_map(filesystem::incomplete);
        }
        // The one before goes only then: no change falls between the two.
        let mut started = Native::start(paths(), &self.interest, &self.inbox);
        if started.is_err() && self.native.take().is_some() {
            started = Native::start(paths(), &self.interest, &self.inbox);
        }
        match started {
            Ok(native) => self.native = Some(native),
            Err(error) => {
                self.native = None;
                self.refused = Some(reason(&error));
            }
        }
    }

    /// The watch may have come to an end: it is armed again soon.
    pub(super) fn rearm_soon(&mut self, now: Instant) {
        self.rearm_due = Some(now.max(self.armed_at + REARM_EVERY));
    }

    pub(super) fn rearm_due(&self) -> Option<Instant> {
        self.rearm_due
    }

    /// Whether it makes sense to try again now and then: there is no watch, or one that may be on
    /// what is not there any more.
    pub(super) fn wants_arming(&self) -> bool {
        self.native.is_none() || self.deaf.is_some()
    }

    pub(super) fn is_native(&self) -> bool {
        self.native.is_some()
    }

    /// The native watch told of a change.
    pub(super) fn heard(&mut self) {
        self.deaf = None;
    }

    /// A change came about that the native watch did not tell of.
    pub(super) fn deaf_to(&mut self, path: &Path) {
        if self.incomplete.is_none() {
            self.deaf.get_or_insert_with(|| {
                format!("{} changed and the system did not tell of it", path.display())
            });
        }
    }

    /// What is relied on just now.
    pub(super) fn mode(&self) -> WatchMode {
        let reason = [&self.refused, &self.incomplete, &self.deaf].into_iter().flatten().next();
        reason.map_or(WatchMode::Native, |reason| WatchMode::Polling { reason: reason.clone() })
    }
}

fn reason(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit of watches is reached (fs.inotify.max_user_watches)".into()
        }
        notify::ErrorKind::Io(e) if e.raw_os_error() == Some(Errno::MFILE.raw_os_error()) => {
            "the system's limit of watching programs is reached (fs.inotify.max_user_instances), \
             or that of open files"
                .into()
        }
        _ => error.to_string(),
    }
}
