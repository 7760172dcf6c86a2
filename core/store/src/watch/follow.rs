//! The watcher's thread: when to look, what to make of it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

mod arming;
mod files;

use super::{
    FileSeen, WatchMode, WatchOptions,
    beside::Lookouts,
    file::{Followed, Found, Manner, Pending, Reported},
    hearing::Hearing,
    inbox::{FileId, Hints, Inbox, MAIN, News, Sign},
};
use crate::{FileText, ReadError, TextHash, atomic::Stat};

/// How long an announced text of our own is waited for.
const BELIEF: Duration = Duration::from_secs(10);
/// A wait longer than this is told of: a shorter one would only flicker.
const TOLD_WAIT: Duration = Duration::from_millis(200);
/// A stream of writes delays a look by so many times the quiet time,
const PATIENCE: u32 = 5;
/// and by no more than this besides it.
const MOST_PATIENCE: Duration = Duration::from_secs(5);

/// Changes of one or several files that were noticed and are reported together.
#[derive(Debug)]
struct Group {
    /// When to look.
    due: Instant,
    /// When to read what is there so far, before that.
    coming: Option<Instant>,
    /// Until when more writing can put the look off; counts from the first sign since the last
    /// look.
    latest: Option<Instant>,
    /// A person asked: believe what is there.
    asked: bool,
}

impl Group {
    fn new(now: Instant) -> Self {
        Self { due: now, coming: None, latest: None, asked: false }
    }

    /// Looks after a quiet time, and reads what is there so far once half of it was quiet.
    fn wait(&mut self, now: Instant, quiet: Duration, latest: Instant) {
        self.due = latest.min(now + quiet);
        self.coming = Some(now + quiet / 2);
    }
}

/// A text that the owner is about to write.
struct Belief {
    path: PathBuf,
    hash: TextHash,
    since: Instant,
}

pub(super) struct Follower {
    options: WatchOptions,
    inbox: Arc<Inbox>,
    mode: Arc<Mutex<WatchMode>>,
    sink: Box<dyn FnMut(FileSeen) + Send>,

    /// The bench file first, always; then those beside it.
    files: Vec<Followed>,
    next_id: FileId,
    lookouts: Lookouts,

    hearing: Hearing,

    beliefs: Vec<Belief>,
    group: Option<Group>,
    paused: bool,
    /// The owner was told that a file is settling, and not yet to what.
    settling: bool,
    next_stat: Instant,
    next_compare: Instant,
    /// The owner is told of another mode from then on.
    begun: bool,
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
        let hearing = Hearing::new(inbox.clone());
        Self {
            options,
            inbox,
            mode,
            sink,
            files: vec![Followed::new(MAIN, path)],
            next_id: MAIN + 1,
            lookouts: Lookouts::default(),
            hearing,
            beliefs: Vec::new(),
            group: None,
            paused: false,
            settling: false,
            next_stat: now + options.poll_every,
            next_compare: now + options.compare_every,
            begun: false,
        }
    }

    pub(super) fn run(mut self) {
        self.begun = true;
        self.look_as_asked(Instant::now());
        loop {
            let now = Instant::now();
            self.tick(now);
            self.look_if_due(now);
            self.read_coming_if_due(now);
            self.tell_long_wait(now);
            let news = self.inbox.wait(self.deadline());
            if news.stop {
                return;
            }
            self.take(news, Instant::now());
        }
    }

    /// A file that was written to is going to be waited for: the owner is told, if that takes long.
    fn tell_long_wait(&mut self, now: Instant) {
        let Some(group) = &self.group else { return };
        if self.settling || group.asked || group.due.saturating_duration_since(now) < TOLD_WAIT {
            return;
        }
        // What the owner itself has just written is waited for as well, and is nothing.
        let ours = |file: &Followed| self.beliefs.iter().any(|belief| belief.path == file.path);
        if self.files.iter().any(|file| file.moved() && !ours(file)) {
            self.tell_settling();
        }
    }

    fn tell_settling(&mut self) {
        if !self.settling {
            self.settling = true;
            (self.sink)(FileSeen::Settling);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let tick = (!self.paused).then_some(self.next_stat);
        let due = self.group.as_ref().map(|group| group.due);
        let coming = self.group.as_ref().and_then(|group| group.coming);
        [tick, due, coming, self.hearing.rearm_due()].into_iter().flatten().min()
    }

    /// The bench file.
    fn bench(&self) -> PathBuf {
        self.files.first().map(|file| file.path.clone()).unwrap_or_default()
    }

    fn take(&mut self, news: News, now: Instant) {
        let method = self.options.method;
        self.options = news.options.unwrap_or(self.options);
        self.options.quiet = news.quiet.unwrap_or(self.options.quiet);
        self.next_stat = self.next_stat.min(now + self.options.poll_every);
        self.next_compare = self.next_compare.min(now + self.options.compare_every);
        if self.options.method != method {
            self.arm();
        }
        if let Some(beside) = news.beside {
            self.set_beside(&beside, now);
        }
        for (path, hash, since) in news.beliefs {
            let path = path.unwrap_or_else(|| self.bench());
            // Said again of what is there already, it would hide a later change back to it.
            let there = self
                .files
                .iter()
                .any(|file| file.path == path && file.reported == Reported::Text(hash));
            if !there || self.beliefs.iter().any(|belief| belief.path == path) {
                self.beliefs.push(Belief { path, hash, since });
            }
        }
        for (path, found) in news.known {
            self.owner_knows(&path.unwrap_or_else(|| self.bench()), found, now);
        }
        if news.rearm {
            self.hearing.rearm_soon(now);
        }
        match news.paused {
            Some(true) => {
                self.paused = true;
                self.group = None;
                for file in &mut self.files {
                    file.pending = None;
                }
            }
            Some(false) if self.paused => {
                self.paused = false;
                self.next_stat = now;
                self.find_matching(Hints::new(Sign::Change, now), now);
                self.notice_all(Hints::new(Sign::Change, now), false, now);
            }
            _ => {}
        }
        if !self.paused {
            self.take_hints(news.hints.into_iter(), news.everywhere, news.found, now);
        }
        if news.look_now {
            self.look_as_asked(now);
        }
    }

    /// The owner knows what a file held without having been told of it.
    fn owner_knows(
        &mut self,
        path: &Path,
        found: Option<Result<TextHash, ReadError>>,
        now: Instant,
    ) {
        if let Some(Ok(hash)) = found {
            // Else it would hide a later change back to it.
            is_ours(&mut self.beliefs, path, hash);
        }
        let Some(at) = self.files.iter().position(|file| file.path == path) else { return };
        let Some(file) = self.files.get_mut(at) else { return };
        if file.owner_knows(found) && !self.paused {
            // Whoever may be writing it just now is not hurried.
            self.notice(at, Hints::new(Sign::Mark, now), false, now);
        }
    }

    fn take_hints(
        &mut self,
        hints: impl Iterator<Item = (FileId, Hints)>,
        everywhere: Option<Hints>,
        found: Option<Hints>,
        now: Instant,
    ) {
        let mut heard = false;
        for (id, hints) in hints {
            // Of a file that is not followed any more otherwise.
            if let Some(at) = self.files.iter().position(|file| file.id == id) {
                self.notice(at, hints, false, now);
                heard = true;
            }
        }
        if let Some(hints) = everywhere {
            self.notice_all(hints, false, now);
        }
        if let Some(hints) = found {
            self.find_matching(hints, now);
        }
        if heard {
            self.hearing.heard();
            self.tell_mode();
        }
    }

    /// Something may have changed: plans a look.
    fn notice(&mut self, at: usize, hints: Hints, unhinted: bool, now: Instant) {
        let Some(file) = self.files.get_mut(at) else { return };
        file.notice(hints, unhinted);
        // Files that are saved together are one change: the others get their time.
        let several = self.files.iter().skip(1).any(|file| file.stat.is_some());
        let finished = !several
            && self
                .files
                .iter()
                .filter_map(|file| file.pending.as_ref())
                .all(|pending| pending.hints.finished);
        let (quiet, patience) = (self.options.quiet, self.patience());
        let group = self.group.get_or_insert(Group::new(now));
        let latest = *group.latest.get_or_insert(hints.first + patience);
        if finished {
            group.due = now;
        } else {
            group.wait(now, quiet, latest);
        }
    }

    fn notice_all(&mut self, hints: Hints, unhinted: bool, now: Instant) {
        for at in 0..self.files.len() {
            self.notice(at, hints, unhinted, now);
        }
    }

    /// How long a stream of writes is waited for.
    fn patience(&self) -> Duration {
        let quiet = self.options.quiet;
        (quiet * PATIENCE).min(quiet + MOST_PATIENCE)
    }

    fn look_as_asked(&mut self, now: Instant) {
        self.find_matching(Hints::new(Sign::Closed, now), now);
        self.notice_all(Hints::new(Sign::Closed, now), false, now);
        if let Some(group) = &mut self.group {
            group.asked = true;
            group.due = now;
        }
    }

    /// What has to be done regularly.
    fn tick(&mut self, now: Instant) {
        if self.hearing.rearm_due().is_some_and(|due| due <= now) {
            self.arm();
            self.find_matching(Hints::new(Sign::Change, now), now);
            self.notice_unasked(|_| true, false, now);
        }
        if self.paused || now < self.next_stat {
            return;
        }
        self.next_stat = now + self.options.poll_every;
        let compare = now >= self.next_compare;
        if compare {
            self.next_compare = now + self.options.compare_every;
            if self.hearing.wants_arming() {
                self.arm();
            }
        }
        let moved = self.arm_if_moved(compare);
        if compare || self.lookouts.changed() {
            self.find_matching(Hints::new(Sign::Change, now), now);
        }
        let differs = |file: &Followed| Stat::of(&file.path) != file.stat;
        self.notice_unasked(|file| moved || compare || differs(file), !moved, now);
    }

    /// Notices changes of files that are not looked into already. `unhinted`: the system should
    /// have told of them.
    fn notice_unasked(&mut self, which: impl Fn(&Followed) -> bool, unhinted: bool, now: Instant) {
        if self.paused {
            return;
        }
        for at in 0..self.files.len() {
            let file = self.files.get(at);
            if file.is_some_and(|file| file.pending.is_none() && which(file)) {
                self.notice(at, Hints::new(Sign::Change, now), unhinted, now);
            }
        }
    }

    fn look_if_due(&mut self, now: Instant) {
        let Some(mut group) = self.group.take_if(|group| group.due <= now) else {
            return;
        };
        if let Some(latest) = group.latest.take()
            && now < latest
            && self.goes_on()
        {
            group.latest = Some(latest);
            group.wait(now, self.options.quiet, latest);
            return self.put_off(group);
        }
        // Watch, then read: a change in between is then a hint.
        if self.arm_if_moved(false) {
            // The system could not tell of it.
            self.files.iter_mut().filter_map(|file| file.pending.as_mut()).for_each(|pending| {
                pending.unhinted = false;
            });
        }
        let how = Manner {
            now,
            quiet: self.options.quiet,
            patience: self.patience(),
            asked: group.asked,
        };
        self.beliefs.retain(|belief| now.saturating_duration_since(belief.since) < BELIEF);
        let (mut found, mut again) = (Vec::new(), None);
        for (at, file) in self.files.iter_mut().enumerate() {
            if file.pending.is_none() {
                continue;
            }
            let path = file.path.clone();
            let beliefs = &mut self.beliefs;
            match file.look(|hash| is_ours(beliefs, &path, hash), how) {
                Ok(what) => found.push((at, what)),
                Err(due) => again = Some(again.map_or(due, |other: Instant| other.min(due))),
            }
        }
        if let Some(due) = again {
            group.due = due;
            return self.put_off(group);
        }
        self.report(found);
    }

    /// While a save of the bench file is waited out, the owner gets to know what is there so far.
    fn read_coming_if_due(&mut self, now: Instant) {
        let Some(group) = &mut self.group else { return };
        if group.coming.take_if(|at| *at <= now).is_none() {
            return;
        }
        let Some(file) = self.files.first_mut() else { return };
        let Some(FileText { text, hash }) = file.read_coming() else { return };
        let ours = |belief: &Belief| belief.path == file.path && belief.hash == hash;
        if self.beliefs.iter().any(ours) {
            return;
        }
        let long = group.due.saturating_duration_since(now) >= TOLD_WAIT;
        if long {
            self.tell_settling();
        }
        (self.sink)(FileSeen::Coming { text, hash });
    }

    /// Whether one of the saves that were noticed went on since that was last asked. All are
    /// asked: each file remembers its state for the next time.
    fn goes_on(&mut self) -> bool {
        let mut any = false;
        for file in &mut self.files {
            any |= file.goes_on();
        }
        any
    }

    fn put_off(&mut self, group: Group) {
        self.tell_settling();
        self.group = Some(group);
    }

    /// Tells the owner what came of a group of changes, in one word where that is possible.
    fn report(&mut self, found: Vec<(usize, Found)>) {
        let (mut main, mut changed, mut first_sign) = (None, Vec::new(), None);
        let (mut finished_save, mut renamed, mut silent) = (true, true, None);
        for (at, found) in found {
            let Some(file) = self.files.get_mut(at) else { continue };
            let Some(Pending { hints, unhinted, .. }) = file.settle(&found) else { continue };
            let is_main = file.id == MAIN;
            if !matches!(found, Found::Same) {
                self.beliefs.retain(|belief| belief.path != file.path);
                first_sign =
                    Some(first_sign.map_or(hints.first, |first: Instant| first.min(hints.first)));
                finished_save &= hints.finished;
                renamed &= hints.renamed;
                if unhinted && self.hearing.is_native() && !matches!(found, Found::Trouble(_)) {
                    silent = Some(file.path.clone());
                }
                if !is_main {
                    changed.push(file.path.clone());
                }
            }
            if is_main {
                main = Some((found, hints));
            }
        }
        // What a pattern matched and is gone is forgotten, now that it was told.
        self.files.retain(|file| {
            file.id == MAIN
                || !file.matched
                || file.reported != Reported::Gone
                || file.stat.is_some()
        });
        if let Some(path) = silent {
            self.hearing.deaf_to(&path);
            self.tell_mode();
        }
        let mut settling = std::mem::take(&mut self.settling);
        let first_sign = first_sign.unwrap_or_else(Instant::now);
        match main {
            Some((Found::Text(FileText { text, hash }), _)) => {
                let beside = changed;
                let seen =
                    FileSeen::Text { text, hash, first_sign, finished_save, renamed, beside };
                return (self.sink)(seen);
            }
            Some((Found::Trouble(error), _)) => {
                settling = false;
                (self.sink)(if error.is_missing() {
                    FileSeen::Gone
                } else {
                    FileSeen::Unreadable(error)
                });
            }
            Some((Found::Same, hints)) if settling && changed.is_empty() => {
                if let Some(FileText { text, hash }) = self.files.first().and_then(Followed::text) {
                    return (self.sink)(FileSeen::Text {
                        text,
                        hash,
                        first_sign: hints.first,
                        finished_save: hints.finished,
                        renamed: hints.renamed,
                        beside: changed,
                    });
                }
            }
            _ => {}
        }
        if settling || !changed.is_empty() {
            (self.sink)(FileSeen::Beside { changed, first_sign, finished_save, renamed });
        }
    }
}

/// Whether a text is one that the owner announced for a file; it is then done with, and so are
/// those announced before it.
fn is_ours(beliefs: &mut Vec<Belief>, path: &Path, hash: TextHash) -> bool {
    let ours = |belief: &Belief| belief.path == path && belief.hash == hash;
    let Some(at) = beliefs.iter().position(ours) else { return false };
    let mut index = 0;
    beliefs.retain(|belief| {
        let keep = index > at || belief.path != path;
        index += 1;
        keep
    });
    true
}
