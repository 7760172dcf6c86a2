//! How bench and file stand to each other.

mod found;
mod ours;

use std::{future, sync::Arc, time::Duration};

use jiff::Timestamp;
use setpoint_bench::Diagnostic;
use setpoint_store::TextHash;
use tokio::time::Instant;

use self::ours::MOST;
pub(crate) use self::{
    found::{Found, Unreadable, Wait, are_rights},
    ours::{Held, Ours},
};
use crate::{
    breaker::Breaker,
    files::OnDiskText,
    status::{Ahead, Question, ReloadState},
};

/// Writing is tried again by itself after so long, then after twice as long, and so on.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// How often rights that are in the way are looked at, and the files in a pause.
const RIGHTS: Duration = Duration::from_secs(3);

/// What runs and could not be written.
#[derive(Debug, Clone)]
pub(crate) struct Unwritten {
    /// What the files may hold: nothing else may be written over.
    left: Ours,
    /// Which file could not be written, and why.
    cause: String,
    since: Timestamp,
    /// How long was waited for the next attempt.
    wait: Duration,
    due: Instant,
    due_at: Timestamp,
}

impl Unwritten {
    fn put_off(&mut self, wait: Duration) {
        self.wait = wait.min(LONGEST_RETRY);
        self.due = Instant::now() + self.wait;
        self.due_at = Timestamp::now() + self.wait;
    }
}

/// What the files hold, compared with what runs.
#[derive(Debug, Clone)]
enum OnDisk {
    /// What runs.
    Same,
    /// What was there before the changes that could not be written.
    Left(Unwritten),
    /// Something else.
    Other { found: Found, unwritten: Option<Unwritten> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Following {
    /// Nothing moves.
    Still,
    /// A file is being written; what it settles to follows.
    Settling,
    /// Nobody looks.
    Paused,
}

/// How bench and file stand to each other.
#[derive(Debug)]
pub(crate) struct FileSide {
    on_disk: OnDisk,
    following: Following,
    breaker: Breaker,
    /// The last change was given up because a file was saved while it was applied.
    overtaken: bool,
    /// When rights that are in the way are looked at next.
    look_at: Option<Instant>,
    /// Texts whose writing was given up, until it is known that it ended: each may still appear
    /// in the files.
    late: Vec<Held>,
}

/// What the status says of it.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// What is wrong with the file; `None`: nothing, what runs counts.
    pub(crate) diagnostics: Option<Arc<Vec<Diagnostic>>>,
    pub(crate) problem: Option<String>,
    pub(crate) disk_text: Option<Arc<str>>,
    pub(crate) ahead: Option<Ahead>,
    pub(crate) question: Option<Question>,
}

impl FileSide {
    /// The file holds what runs, or what was found instead.
    pub(crate) fn new(found: Option<Found>) -> Self {
        let on_disk = match found {
            None => OnDisk::Same,
            Some(found) => OnDisk::Other { found, unwritten: None },
        };
        let mut side = Self {
            on_disk,
            following: Following::Still,
            breaker: Breaker::default(),
            overtaken: false,
            look_at: None,
            late: Vec::new(),
        };
        side.looked_at_rights();
        side
    }

    /// When rights that are in the way are looked at again, and what the files hold while nobody
    /// tells of saves.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at.filter(|_| self.paused() || self.found().is_some_and(Found::by_rights))
    }

    /// They were looked at.
    pub(crate) fn looked_at_rights(&mut self) {
        self.look_at = Some(Instant::now() + RIGHTS);
    }

    /// The pill. `clashes`: what is staged clashes with what runs.
    pub(crate) fn state(&self, clashes: bool) -> ReloadState {
        let settling = self.following == Following::Settling;
        let paused = self.following == Following::Paused;
        match &self.on_disk {
            OnDisk::Other { found: Found::Unreadable { .. }, .. } => ReloadState::Ahead,
            OnDisk::Other { .. } if self.breaker.holds() => ReloadState::Suspended,
            OnDisk::Other { found: Found::Refused { .. }, .. } if settling => ReloadState::Settling,
            OnDisk::Other { found: Found::Refused { .. }, .. } => ReloadState::Rejected,
            _ if clashes => ReloadState::Conflict,
            _ if settling => ReloadState::Settling,
            OnDisk::Left(_) => ReloadState::Ahead,
            OnDisk::Other { found: Found::Waiting { why, .. }, .. } => match why {
                Wait::Decision => ReloadState::Conflict,
                Wait::Answer(_) => ReloadState::Proposed,
                Wait::Off => ReloadState::Paused,
                _ if paused => ReloadState::Paused,
                _ => ReloadState::Proposed,
            },
            OnDisk::Same if paused => ReloadState::Paused,
            OnDisk::Same => ReloadState::InStep,
        }
    }

    /// What the status says, for a bench file of this name.
    pub(crate) fn shown(&self, file: &str) -> Shown {
        let ahead = |unwritten: &Unwritten, tries: bool| Ahead {
            cause: unwritten.cause.clone(),
            since: unwritten.since,
            next_try: tries.then_some(unwritten.due_at),
        };
        let (found, unwritten) = match &self.on_disk {
            OnDisk::Same => return Shown::default(),
            OnDisk::Left(unwritten) => {
                let ahead = Some(ahead(unwritten, true));
                return Shown { problem: Some(unwritten.cause.clone()), ahead, ..Shown::default() };
            }
            OnDisk::Other { found, unwritten } => (found, unwritten),
        };
        let mut shown = Shown {
            disk_text: found.text().cloned(),
            ahead: unwritten.as_ref().map(|unwritten| ahead(unwritten, false)),
            ..Shown::default()
        };
        match found {
            Found::Refused { diagnostics, why, .. } => {
                shown.diagnostics = Some(diagnostics.clone());
                shown.problem = Some(why.clone());
            }
            Found::Waiting { why, .. } => {
                shown.problem = Some(match why {
                    Wait::Answer(question) => {
                        shown.question = Some(question.clone());
                        format!("{file} is not applied unasked: {}", question.message)
                    }
                    Wait::Decision => format!(
                        "{file} holds an edit, and what runs was never written: reload the edit, \
                         or write what runs over it"
                    ),
                    Wait::Off => format!(
                        "{file} is not what runs, and saves are not followed (hot_reload = \
                         \"off\"): reload it to apply it"
                    ),
                    Wait::Operator(changes) => format!(
                        "{file} holds an edit that waits for an operator: {changes}. Reload it to \
                         apply it, or write what runs over it"
                    ),
                    Wait::Reload | Wait::Resume | Wait::Calm => {
                        format!("{file} holds an edit that is not in effect yet")
                    }
                });
            }
            Found::Unreadable { why, .. } => shown.problem = Some(why.clone()),
        }
        shown
    }

    /// Whether the files hold what runs.
    pub(crate) fn in_step(&self) -> bool {
        matches!(self.on_disk, OnDisk::Same)
    }

    /// What they hold instead, if it is something that someone put there.
    pub(crate) fn found(&self) -> Option<&Found> {
        match &self.on_disk {
            OnDisk::Other { found, .. } => Some(found),
            OnDisk::Same | OnDisk::Left(_) => None,
        }
    }

    /// The text that they hold instead: files that it alone names matter too.
    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        self.found()?.text()
    }

    /// Why what runs is not on disk, if that is because it could not be written.
    pub(crate) fn unwritten(&self) -> Option<&str> {
        self.behind().map(|unwritten| unwritten.cause.as_str())
    }

    fn behind(&self) -> Option<&Unwritten> {
        match &self.on_disk {
            OnDisk::Same => None,
            OnDisk::Left(unwritten) => Some(unwritten),
            OnDisk::Other { unwritten, .. } => unwritten.as_ref(),
        }
    }

    /// What may be written over. `running` is what the files hold where everything that ran was
    /// written.
    pub(crate) fn ours(&self, running: Held) -> Ours {
        let left = self.behind().map(|unwritten| unwritten.left.clone());
        let mut ours = left.unwrap_or_else(|| Ours::new(running));
        self.late.iter().cloned().for_each(|late| ours.add(late));
        ours
    }

    /// What the files held before what runs, where that could not be written.
    pub(crate) fn left(&self) -> Option<&Held> {
        self.behind()?.left.first()
    }

    /// Whether the files hold what was there before what runs, which could not be written, or
    /// something whose writing was given up.
    pub(crate) fn is_left(&self, file: &OnDiskText, running: Held) -> bool {
        let late = !self.late.is_empty() && file.hash != running.hash;
        (late || self.behind().is_some()) && self.ours(running).hold(file)
    }

    /// Writing a text was given up: it may appear in the files later.
    pub(crate) fn may_come(&mut self, text: Held) {
        self.late.retain(|late| late.hash != text.hash);
        self.late.push(text);
        if self.late.len() > MOST {
            self.late.remove(0);
        }
    }

    /// Whether something may still appear in the files whose writing was given up.
    pub(crate) fn waits_for_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Nothing is being written any more: what the files hold is told by reading them.
    pub(crate) fn none_is_late(&mut self) {
        let late = std::mem::take(&mut self.late);
        if let OnDisk::Left(unwritten) | OnDisk::Other { unwritten: Some(unwritten), .. } =
            &mut self.on_disk
        {
            late.into_iter().for_each(|late| unwritten.left.add(late));
        }
    }

    /// Whether a text on disk has been dealt with, is not in effect, and need not be looked at
    /// again.
    pub(crate) fn knows(&self, text: &Arc<str>) -> bool {
        let Some(found) = self.found() else { return false };
        let over = match found {
            Found::Waiting { why: Wait::Resume, .. } => !self.paused(),
            Found::Waiting { why: Wait::Calm, .. } => !self.breaker.holds(),
            _ => false,
        };
        !over && found.text() == Some(text)
    }

    /// The files hold what runs.
    pub(crate) fn matches(&mut self) {
        self.on_disk = OnDisk::Same;
    }

    /// Whether a text is one whose writing was given up.
    pub(crate) fn is_late(&self, hash: TextHash) -> bool {
        self.late.iter().any(|late| late.hash == hash)
    }

    /// The files were written, and nothing that was given up before can appear in them any more.
    pub(crate) fn written(&mut self) {
        self.late.clear();
        self.matches();
    }

    /// They hold what was there before what runs, which could not be written. Answers whether they
    /// held something else until now.
    pub(crate) fn left_again(&mut self) -> bool {
        match std::mem::replace(&mut self.on_disk, OnDisk::Same) {
            OnDisk::Other { unwritten: Some(unwritten), .. } => {
                self.on_disk = OnDisk::Left(unwritten);
                true
            }
            other => {
                self.on_disk = other;
                false
            }
        }
    }

    /// They hold something that someone put there.
    pub(crate) fn holds(&mut self, found: Found) {
        let unwritten = self.behind().cloned();
        self.on_disk = OnDisk::Other { found, unwritten };
        self.looked_at_rights();
    }

    /// What runs now could not be written, and `left` is what the files hold. Answers whether that
    /// was so before.
    pub(crate) fn not_written(&mut self, left: Ours, cause: String) -> bool {
        let before = self.behind().cloned();
        let again = before.is_some();
        let mut unwritten = before.unwrap_or_else(|| Unwritten {
            left,
            cause: String::new(),
            since: Timestamp::now(),
            wait: FIRST_RETRY,
            due: Instant::now(),
            due_at: Timestamp::now(),
        });
        unwritten.cause = cause;
        unwritten.put_off(FIRST_RETRY);
        self.on_disk = OnDisk::Left(unwritten);
        again
    }

    /// The next attempt to write comes at once: the disk answers again.
    pub(crate) fn hurry(&mut self) {
        if let OnDisk::Left(unwritten) = &mut self.on_disk {
            unwritten.put_off(Duration::ZERO);
            unwritten.wait = FIRST_RETRY;
        }
    }

    /// An attempt to write by itself failed: the next comes later.
    pub(crate) fn not_written_again(&mut self, cause: String) {
        if let OnDisk::Left(unwritten) = &mut self.on_disk {
            unwritten.cause = cause;
            unwritten.put_off(unwritten.wait * 2);
        }
    }

    /// When writing is to be tried again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        match &self.on_disk {
            OnDisk::Left(unwritten) => Some(unwritten.due),
            OnDisk::Same | OnDisk::Other { .. } => None,
        }
    }

    pub(crate) fn breaker(&mut self) -> &mut Breaker {
        &mut self.breaker
    }

    /// For the status.
    pub(crate) fn suspended(&self) -> Option<crate::status::Suspended> {
        self.breaker.shown()
    }

    /// When there is something to do by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        [self.retry_at(), self.breaker.due(), self.look_at()].into_iter().flatten().min()
    }

    pub(crate) fn paused(&self) -> bool {
        self.following == Following::Paused
    }

    pub(crate) fn pause(&mut self) {
        self.following = Following::Paused;
        self.looked_at_rights();
    }

    pub(crate) fn resume(&mut self) {
        self.following = Following::Still;
    }

    /// The watcher sees that a file is being written, or that it is not any more.
    pub(crate) fn settles(&mut self, settling: bool) {
        if !self.paused() {
            self.following = if settling { Following::Settling } else { Following::Still };
        }
    }

    /// A change was, or was not, given up because a file was saved while it was applied.
    pub(crate) fn overtaken(&mut self, overtaken: bool) {
        self.overtaken = overtaken;
    }

    /// Whether the last change was; asked once.
    pub(crate) fn was_overtaken(&mut self) -> bool {
        std::mem::take(&mut self.overtaken)
    }
}

/// Waits until then; for ever, if never.
pub(crate) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(text: &str) -> Held {
        Held { text: text.into(), hash: TextHash::of(text) }
    }

    fn left(text: &str) -> Ours {
        Ours::new(held(text))
    }

    fn is_left(side: &FileSide, text: &str) -> bool {
        side.is_left(&OnDiskText::of(text), held("running"))
    }

    fn waiting(text: &str, why: Wait) -> Found {
        Found::Waiting { text: text.into(), why }
    }

    #[test]
    fn writing_is_tried_again_later_each_time() {
        let mut side = FileSide::new(None);
        assert!(!side.not_written(left("old"), "full".into()));
        let wait = |side: &FileSide| side.behind().unwrap().wait.as_secs();
        for seconds in [5, 10, 20, 40, 60, 60] {
            assert_eq!(wait(&side), seconds);
            side.not_written_again("full".into());
        }
        // Another change, and what the files hold is still what they held before the first.
        assert!(side.not_written(left("newer"), "full".into()));
        assert_eq!(wait(&side), 5);
        assert!(is_left(&side, "old"));
        assert_eq!(side.state(false), ReloadState::Ahead);
    }

    #[test]
    fn an_edit_meanwhile_stops_the_attempts_until_it_is_gone() {
        let mut side = FileSide::new(None);
        side.not_written(left("old"), "full".into());
        side.holds(waiting("edit", Wait::Decision));
        assert_eq!((side.state(false), side.retry_at()), (ReloadState::Conflict, None));
        assert!(side.shown("bench.toml").ahead.is_some_and(|ahead| ahead.next_try.is_none()));
        assert!(is_left(&side, "old"));
        assert!(side.left_again() && !side.left_again());
        assert_eq!(side.state(false), ReloadState::Ahead);
        assert!(side.retry_at().is_some());
        side.matches();
        assert!(side.in_step() && side.left().is_none());
    }

    #[test]
    fn what_was_given_up_is_ours_until_it_is_known_to_have_ended() {
        let mut side = FileSide::new(None);
        side.may_come(held("late"));
        assert!(is_left(&side, "late") && !is_left(&side, "theirs"));
        // The files hold what runs, and the late one may still come over that.
        side.matches();
        assert!(side.in_step() && is_left(&side, "late") && !is_left(&side, "running"));
        side.none_is_late();
        assert!(!is_left(&side, "late"));
        // What it came over was never written.
        side.may_come(held("late"));
        side.not_written(left("old"), "silent".into());
        side.none_is_late();
        assert!(is_left(&side, "late") && is_left(&side, "old") && !side.waits_for_late());
        side.may_come(held("later"));
        side.written();
        assert!(!is_left(&side, "later") && !is_left(&side, "late"));
    }

    #[test]
    fn what_waits_for_an_end_is_looked_at_then() {
        let mut side = FileSide::new(None);
        let text: Arc<str> = "edit".into();
        side.pause();
        side.holds(waiting("edit", Wait::Resume));
        assert!(side.knows(&text));
        assert_eq!(side.state(false), ReloadState::Paused);
        side.resume();
        assert!(!side.knows(&text));
        (0..5).for_each(|_| {
            assert!(side.breaker().failed(Instant::now()).is_none_or(|pause| !pause.is_zero()))
        });
        side.holds(waiting("edit", Wait::Calm));
        assert!(side.knows(&text));
        assert_eq!(side.state(false), ReloadState::Suspended);
        side.breaker().release();
        assert!(!side.knows(&text));
    }
}
