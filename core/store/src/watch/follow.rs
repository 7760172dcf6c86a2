//! The watcher's thread: when to look, what to make of it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    FileSeen, WatchMode, WatchOptions,
    doubt::may_be_torn,
    inbox::{Hints, Inbox, News, Sign},
    native::{Native, Scope},
};
use crate::{
    FileText, ReadError, TextHash,
    atomic::{Stat, read_with_stat},
};

/// How long a text in doubt must stay the same.
const HOLD: Duration = Duration::from_secs(1);
/// How long a missing file may be on its way back: some programs save by moving the old one away.
const GONE: Duration = Duration::from_millis(250);
/// How often the content is compared even if nothing points to a change, and native watching is
/// tried again.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// The least time between two renewals of the native watch that no change of folders explains.
const REARM_EVERY: Duration = Duration::from_millis(200);
/// How long an announced text of our own is waited for.
const BELIEF: Duration = Duration::from_secs(10);
/// A stream of writes delays a look by so many times the quiet time.
const PATIENCE: u32 = 5;

/// What the owner was told last.
#[derive(Debug, PartialEq, Eq)]
enum Reported {
    Nothing,
    Text(TextHash),
    Gone,
    Unreadable(ReadError),
}

/// What a look found that may not last.
#[derive(Debug, PartialEq, Eq)]
enum Held {
    Text(TextHash),
    Error(ReadError),
}

/// A change that was noticed and is not settled.
#[derive(Debug)]
struct Pending {
    hints: Hints,
    /// When to look.
    due: Instant,
    /// Until when more writing can put the look off; counts from the first sign since the last
    /// look.
    latest: Option<Instant>,
    /// The file's state when last asked: still means that it stays the same.
    stat: Option<Stat>,
    held: Option<(Held, Instant)>,
    /// A person asked: believe what is there.
    asked: bool,
}

pub(super) struct Follower {
    path: PathBuf,
    options: WatchOptions,
    inbox: Arc<Inbox>,
    mode: Arc<Mutex<WatchMode>>,
    sink: Box<dyn FnMut(FileSeen) + Send>,

    native: Option<Native>,
    scope: Scope,
    armed_at: Instant,
    rearm_due: Option<Instant>,

    reported: Reported,
    /// The last text that was believed, to judge the next by.
    before: Option<Arc<str>>,
    /// State of the file at the last look that came to an end.
    stat: Option<Stat>,
    beliefs: Vec<(TextHash, Instant)>,
    pending: Option<Pending>,
    paused: bool,
    /// The owner was told that the file is settling, and not yet to what.
    settling: bool,
    next_stat: Instant,
    next_compare: Instant,
}

impl Follower {
    pub(super) fn new(
        path: PathBuf,
        options: WatchOptions,
        inbox: Arc<Inbox>,
        mode: Arc<Mutex<WatchMode>>,
        sink: Box<dyn FnMut(FileSeen) + Send>,
    ) -> Self {
        let now = Instant::now();
        Self {
            path,
            options,
            inbox,
            mode,
            sink,
            native: None,
            scope: Scope::default(),
            armed_at: now,
            rearm_due: None,
            reported: Reported::Nothing,
            before: None,
            stat: None,
            beliefs: Vec::new(),
            pending: None,
            paused: false,
            settling: false,
            next_stat: now + options.poll_every,
            next_compare: now + COMPARE_EVERY,
        }
    }

    pub(super) fn run(mut self) {
        self.look_as_asked(Instant::now());
        loop {
            let now = Instant::now();
            self.tick(now);
            self.look_if_due(now);
            let news = self.inbox.wait(self.deadline());
            if news.stop {
                return;
            }
            self.take(news, Instant::now());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let tick = (!self.paused).then_some(self.next_stat);
        let due = self.pending.as_ref().map(|pending| pending.due);
        [tick, due, self.rearm_due].into_iter().flatten().min()
    }

    fn take(&mut self, news: News, now: Instant) {
        self.options = news.options.unwrap_or(self.options);
        self.options.quiet = news.quiet.unwrap_or(self.options.quiet);
        self.next_stat = self.next_stat.min(now + self.options.poll_every);
        for belief in news.beliefs {
            // Said again of what is there already, it would hide a later change back to it.
            if self.reported != Reported::Text(belief.0) || !self.beliefs.is_empty() {
                self.beliefs.push(belief);
            }
        }
        if news.rearm {
            self.rearm_due = Some(now.max(self.armed_at + REARM_EVERY));
        }
        match news.paused {
            Some(true) => {
                self.paused = true;
                self.pending = None;
            }
            Some(false) if self.paused => {
                self.paused = false;
                self.next_stat = now;
                self.notice(Hints::new(Sign::Change, now), now);
            }
            _ => {}
        }
        if let Some(hints) = news.hints
            && !self.paused
        {
            self.notice(hints, now);
        }
        if news.look_now {
            self.look_as_asked(now);
        }
    }

    /// Something may have changed: plans a look.
    fn notice(&mut self, hints: Hints, now: Instant) {
        let quiet = self.options.quiet;
        let stat = Stat::of(&self.path);
        let pending = self.pending.get_or_insert_with(|| Pending {
            hints,
            due: now + quiet,
            latest: None,
            stat,
            held: None,
            asked: false,
        });
        if !hints.only_marks {
            pending.hints = Hints { first: pending.hints.first, ..hints };
        }
        pending.stat = stat;
        let latest = *pending.latest.get_or_insert(hints.first + quiet * PATIENCE);
        pending.due = if hints.finished { now } else { latest.min(now + quiet) };
    }

    fn look_as_asked(&mut self, now: Instant) {
        self.notice(Hints::new(Sign::Closed, now), now);
        if let Some(pending) = &mut self.pending {
            pending.asked = true;
        }
    }

    /// What has to be done regularly.
    fn tick(&mut self, now: Instant) {
        if self.rearm_due.is_some_and(|due| due <= now) {
            self.arm();
            self.notice_unhinted(now);
        }
        if self.paused || now < self.next_stat {
            return;
        }
        self.next_stat = now + self.options.poll_every;
        let moved = self.arm_if_moved();
        let compare = now >= self.next_compare;
        if compare {
            self.next_compare = now + COMPARE_EVERY;
            if self.native.is_none() {
                self.arm();
            }
        }
        if moved || compare || Stat::of(&self.path) != self.stat {
            self.notice_unhinted(now);
        }
    }

    /// Notices a change that no hint told of, unless one is being looked into already.
    fn notice_unhinted(&mut self, now: Instant) {
        if self.pending.is_none() && !self.paused {
            self.notice(Hints::new(Sign::Change, now), now);
        }
    }

    fn look_if_due(&mut self, now: Instant) {
        let Some(mut pending) = self.pending.take_if(|pending| pending.due <= now) else {
            return;
        };
        if let Some(latest) = pending.latest.take()
            && !pending.hints.finished
            && now < latest
        {
            let stat = Stat::of(&self.path);
            if stat != pending.stat {
                pending.stat = stat;
                pending.latest = Some(latest);
                pending.due = latest.min(now + self.options.quiet);
                return self.put_off(pending);
            }
        }
        // Watch, then read: a change in between is then a hint.
        self.arm_if_moved();
        match read_with_stat(&self.path) {
            Ok(reading) if !reading.still => {
                pending.due = now + (self.options.quiet / PATIENCE).max(Duration::from_millis(5));
                self.put_off(pending);
            }
            Ok(reading) => self.found_text(reading.text, reading.stat, pending, now),
            Err(error) => self.found_trouble(error, pending, now),
        }
    }

    fn found_text(&mut self, file: FileText, stat: Stat, pending: Pending, now: Instant) {
        self.stat = Some(stat);
        self.beliefs.retain(|(_, since)| now.saturating_duration_since(*since) < BELIEF);
        let hash = file.hash;
        if let Some(ours) = self.beliefs.iter().position(|(belief, _)| *belief == hash) {
            self.beliefs.drain(..=ours);
            self.reported = Reported::Text(hash);
            self.before = Some(file.text.clone());
        }
        if self.reported == Reported::Text(hash) {
            if self.settling {
                self.report_text(file, &pending);
            }
            return;
        }
        let trusted = pending.asked || (pending.hints.renamed && !file.text.is_empty());
        let doubtful = self
            .before
            .as_ref()
            .is_some_and(|before| may_be_torn(before, &file.text, pending.hints.finished));
        if doubtful && !trusted {
            let Some(pending) = self.hold(Held::Text(hash), HOLD, pending, now) else {
                return;
            };
            return self.report_text(file, &pending);
        }
        self.report_text(file, &pending);
    }

    fn report_text(&mut self, file: FileText, pending: &Pending) {
        self.beliefs.clear();
        self.reported = Reported::Text(file.hash);
        self.before = Some(file.text.clone());
        self.settling = false;
        (self.sink)(FileSeen::text(file, pending.hints));
    }

    fn found_trouble(&mut self, error: ReadError, pending: Pending, now: Instant) {
        self.stat = Stat::of(&self.path);
        let reported = match &error {
            ReadError::Missing { .. } => Reported::Gone,
            other => Reported::Unreadable(other.clone()),
        };
        if self.reported == reported && !self.settling {
            return;
        }
        // A name can be missing for a moment, and half a file can end in half a character.
        let hold = match &error {
            ReadError::Missing { .. } => GONE.max(self.options.quiet * PATIENCE),
            ReadError::NotUtf8 { .. } if !pending.hints.renamed => HOLD,
            _ => Duration::ZERO,
        };
        let hold = if self.reported == reported { Duration::ZERO } else { hold };
        if !pending.asked && self.hold(Held::Error(error.clone()), hold, pending, now).is_none() {
            return;
        }
        self.reported = reported;
        self.settling = false;
        (self.sink)(match error {
            ReadError::Missing { .. } => FileSeen::Gone,
            error => FileSeen::Unreadable(error),
        });
    }

    /// Plans another look unless the same thing has been found for long enough; gives `pending`
    /// back in that case.
    fn hold(
        &mut self,
        what: Held,
        long: Duration,
        mut pending: Pending,
        now: Instant,
    ) -> Option<Pending> {
        let since = match &pending.held {
            Some((held, since)) if *held == what => *since,
            _ => now,
        };
        if now.saturating_duration_since(since) >= long {
            return Some(pending);
        }
        pending.held = Some((what, since));
        pending.due = since + long;
        self.put_off(pending);
        None
    }

    fn put_off(&mut self, pending: Pending) {
        if !self.settling {
            self.settling = true;
            (self.sink)(FileSeen::Settling);
        }
        self.pending = Some(pending);
    }

    /// Watches where the path leads now, if that is elsewhere than before.
    fn arm_if_moved(&mut self) -> bool {
        let moved = Scope::of(&self.path) != self.scope;
        if moved {
            self.arm();
        }
        moved
    }

    /// Watches where the path leads now.
    pub(super) fn arm(&mut self) {
        self.rearm_due = None;
        self.armed_at = Instant::now();
        self.scope = Scope::of(&self.path);
        self.native = None;
        let mode = match Native::start(&self.scope, &self.inbox) {
            Ok(native) => {
                self.native = Some(native);
                WatchMode::Native
            }
            Err(e) => WatchMode::Polling { reason: reason(&e) },
        };
        let mut told = self.mode.lock().unwrap_or_else(PoisonError::into_inner);
        if let WatchMode::Polling { reason } = &mode
            && *told != mode
        {
            tracing::warn!(file = %self.path.display(), reason, "polling");
        }
        *told = mode;
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

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc::sync_channel, thread};

    use super::*;

    /// Ends the follower also when the test fails: the scope waits for its thread.
    struct Stop(Arc<Inbox>);

    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.put(|news| news.stop = true);
        }
    }

    /// Where the system tells nothing, as on network disks.
    #[test]
    fn polling_alone_finds_every_kind_of_save() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        fs::write(&path, "x = 1\n").unwrap();
        let options = WatchOptions {
            quiet: Duration::from_millis(10),
            poll_every: Duration::from_millis(20),
        };
        let (to, seen) = sync_channel(100);
        let inbox = Arc::new(Inbox::default());
        let mode = Arc::new(Mutex::new(WatchMode::Native));
        let sink = Box::new(move |seen| to.send(seen).unwrap());
        let mut follower = Follower::new(path.clone(), options, inbox.clone(), mode, sink);
        // As if it was armed already; nothing is.
        follower.scope = Scope::of(&path);
        let expect = |expected: &str| {
            loop {
                match seen.recv_timeout(Duration::from_secs(10)).unwrap() {
                    FileSeen::Text { text, .. } => return assert_eq!(&*text, expected),
                    FileSeen::Settling => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        thread::scope(|scope| {
            let _stop = Stop(inbox);
            scope.spawn(|| follower.run());
            expect("x = 1\n");
            for n in 10..15 {
                fs::write(&path, format!("x = {n}\n")).unwrap();
                expect(&format!("x = {n}\n"));
                let temporary = dir.path().join("new");
                fs::write(&temporary, format!("y = {n}\n")).unwrap();
                fs::rename(&temporary, &path).unwrap();
                expect(&format!("y = {n}\n"));
            }
        });
    }
}
