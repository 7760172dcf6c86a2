//! One file that is followed: what was reported of it, and what a look makes of it now.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    doubt::may_be_torn,
    inbox::{FileId, Hints},
    way::Way,
};
use crate::{
    FileText, ReadError, TextHash,
    atomic::{Stat, read_with_stat},
};

/// How long a text in doubt must stay the same.
const HOLD: Duration = Duration::from_secs(1);
/// How long texts in doubt, another one each time, are waited out: after that the owner is to know.
const MOST_HOLD: Duration = Duration::from_secs(5);
/// How long a missing file may be on its way back: some programs save by moving the old one away.
const GONE: Duration = Duration::from_millis(250);

/// What the owner was told last, or knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reported {
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
pub(super) struct Pending {
    pub(super) hints: Hints,
    /// The file's state when last asked: still means that it stays the same.
    pub(super) stat: Option<Stat>,
    /// No word of the system led to it.
    pub(super) unhinted: bool,
    /// What it held while it was waited for.
    coming: Option<FileText>,
    held: Option<(Held, Instant)>,
    /// Since when something or other is held back.
    held_since: Option<Instant>,
}

/// What came of a change that was noticed.
#[derive(Debug)]
pub(super) enum Found {
    /// What was there before.
    Same,
    Text(FileText),
    Trouble(ReadError),
}

/// How a look is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) now: Instant,
    pub(super) quiet: Duration,
    /// How long a stream of writes is waited for.
    pub(super) patience: Duration,
    /// A person asked: believe what is there.
    pub(super) asked: bool,
}

#[derive(Debug)]
pub(super) struct Followed {
    pub(super) id: FileId,
    pub(super) path: PathBuf,
    pub(super) way: Way,
    /// A pattern matched it: when it is gone and that was told, it is forgotten.
    pub(super) matched: bool,
    pub(super) reported: Reported,
    /// The last text that was believed, to judge the next by.
    before: Option<Arc<str>>,
    /// State of the file at the last look that came to an end.
    pub(super) stat: Option<Stat>,
    pub(super) pending: Option<Pending>,
}

impl Followed {
    pub(super) fn new(id: FileId, path: PathBuf) -> Self {
        Self {
            id,
            way: Way::to_file(&path),
            path,
            matched: false,
            reported: Reported::Nothing,
            before: None,
            stat: None,
            pending: None,
        }
    }

    /// One that came to be while its folder was watched.
    pub(super) fn appeared(id: FileId, path: PathBuf) -> Self {
        // An empty one is in doubt then: its writer has only just made it.
        let before = Some("".into());
        Self { matched: true, reported: Reported::Gone, before, ..Self::new(id, path) }
    }

    /// One that the owner has read; `None` if it has not, or there was none. True if what is
    /// there is something else.
    pub(super) fn known(&mut self, known: Option<TextHash>) -> bool {
        match (read_with_stat(&self.path), known) {
            (Ok(reading), Some(known)) if reading.text.hash == known => {
                self.before = Some(reading.text.text);
                self.stat = Some(reading.stat);
                self.reported = Reported::Text(known);
                false
            }
            (Err(error), None) if error.is_missing() => {
                self.reported = Reported::Gone;
                false
            }
            (_, Some(known)) => {
                self.reported = Reported::Text(known);
                true
            }
            _ => true,
        }
    }

    /// What the owner found or wrote without a report; `None` if it does not know what there is.
    /// True if that is not what was reported last.
    pub(super) fn owner_knows(&mut self, found: Option<Result<TextHash, ReadError>>) -> bool {
        let known = match found {
            None => Reported::Nothing,
            Some(Ok(hash)) => Reported::Text(hash),
            Some(Err(error)) => reported(&error),
        };
        let other = known != self.reported;
        self.reported = known;
        other
    }

    /// Whether it was there at the last look and is not now.
    pub(super) fn was_there_and_is_gone(&self) -> bool {
        self.stat.is_some() && Stat::of(&self.path).is_none()
    }

    /// Something may have changed: hints are merged with those before.
    pub(super) fn notice(&mut self, hints: Hints, unhinted: bool) {
        let stat = Stat::of(&self.path);
        let pending = self.pending.get_or_insert(Pending {
            hints,
            stat,
            unhinted,
            coming: None,
            held: None,
            held_since: None,
        });
        if !hints.only_marks {
            pending.hints = Hints { first: pending.hints.first, ..hints };
        }
        pending.unhinted &= unhinted;
        pending.stat = stat;
    }

    /// Whether an unfinished save went on since it was last asked.
    pub(super) fn goes_on(&mut self) -> bool {
        match &mut self.pending {
            Some(pending) if !pending.hints.finished => {
                let stat = Stat::of(&self.path);
                let moved = stat != pending.stat;
                pending.stat = stat;
                moved
            }
            _ => false,
        }
    }

    /// Whether a change that is not settled left something else than was reported last.
    pub(super) fn moved(&self) -> bool {
        let looked_at = self.reported != Reported::Nothing;
        let Some(pending) = self.pending.as_ref().filter(|_| looked_at) else { return false };
        pending.stat != self.stat
            && match read_with_stat(&self.path) {
                Ok(reading) => self.reported != Reported::Text(reading.text.hash),
                Err(error) => self.reported != reported(&error),
            }
    }

    /// What the file holds while it is not known whether that will last; `None` if it is not
    /// worth preparing for.
    pub(super) fn read_coming(&mut self) -> Option<FileText> {
        let pending = self.pending.as_mut()?;
        let reading = read_with_stat(&self.path).ok()?;
        let FileText { text, hash } = &reading.text;
        let known = self.reported == Reported::Text(*hash)
            || pending.coming.as_ref().is_some_and(|coming| coming.hash == *hash);
        let torn = self.before.as_ref().is_some_and(|before| may_be_torn(before, text, true));
        if known || torn || !reading.still || pending.stat != Some(reading.stat) {
            return None;
        }
        pending.coming = Some(reading.text.clone());
        Some(reading.text)
    }

    /// Looks at what is there.
    ///
    /// # Errors
    /// When to look again, where it may not last.
    pub(super) fn look(
        &mut self,
        ours: impl FnOnce(TextHash) -> bool,
        how: Manner,
    ) -> Result<Found, Instant> {
        match read_with_stat(&self.path) {
            Ok(reading) if !reading.still => self.found_moving(how),
            Ok(reading) => {
                self.stat = Some(reading.stat);
                self.found_text(reading.text, ours, how)
            }
            Err(error) => self.found_trouble(error, how),
        }
    }

    /// It was written to while it was read: no whole text. The owner is to know if that never ends.
    fn found_moving(&mut self, how: Manner) -> Result<Found, Instant> {
        let Some(pending) = &mut self.pending else { return Ok(Found::Same) };
        let since = *pending.held_since.get_or_insert(how.now);
        if how.now.saturating_duration_since(since) < MOST_HOLD {
            return Err(how.now + (how.quiet / 5).max(Duration::from_millis(5)));
        }
        let reason = "it is written to without a pause, so that nothing whole can be read; stop \
                      the program that writes it";
        let error = ReadError::Other { path: self.path.clone(), reason: reason.to_owned() };
        self.found_trouble(error, how)
    }

    fn found_text(
        &mut self,
        file: FileText,
        ours: impl FnOnce(TextHash) -> bool,
        how: Manner,
    ) -> Result<Found, Instant> {
        let hash = file.hash;
        if ours(hash) {
            self.reported = Reported::Text(hash);
            self.before = Some(file.text);
            return Ok(Found::Same);
        }
        if self.reported == Reported::Text(hash) {
            self.before = Some(file.text);
            return Ok(Found::Same);
        }
        // The owner may have made something of that very text.
        let coming = self.pending.as_mut().and_then(|pending| pending.coming.take());
        let file = coming.filter(|coming| coming.hash == hash).unwrap_or(file);
        let hints = self.pending.as_ref().map(|pending| pending.hints);
        let renamed = hints.is_some_and(|hints| hints.renamed);
        let closed = hints.is_some_and(|hints| hints.finished);
        let trusted = how.asked || (renamed && !file.text.is_empty());
        let before = self.before.as_ref().filter(|_| !trusted);
        if before.is_some_and(|before| may_be_torn(before, &file.text, closed)) {
            self.hold(Held::Text(hash), HOLD, how.now)?;
        }
        Ok(Found::Text(file))
    }

    fn found_trouble(&mut self, error: ReadError, how: Manner) -> Result<Found, Instant> {
        self.stat = Stat::of(&self.path);
        if self.reported == reported(&error) {
            return Ok(Found::Same);
        }
        let renamed = self.pending.as_ref().is_some_and(|pending| pending.hints.renamed);
        // A name can be missing for a moment, and half a file can end in half a character.
        let long = match &error {
            ReadError::Missing { .. } => GONE.max(how.patience),
            ReadError::NotUtf8 { .. } if !renamed => HOLD,
            _ => Duration::ZERO,
        };
        if !how.asked {
            self.hold(Held::Error(error.clone()), long, how.now)?;
        }
        Ok(Found::Trouble(error))
    }

    /// Asks for another look unless the same thing has been found for long enough.
    fn hold(&mut self, what: Held, long: Duration, now: Instant) -> Result<(), Instant> {
        let Some(pending) = &mut self.pending else { return Ok(()) };
        let since = match &pending.held {
            Some((held, since)) if *held == what => *since,
            _ => now,
        };
        let until = *pending.held_since.get_or_insert(now) + MOST_HOLD.max(long);
        if now >= until || now.saturating_duration_since(since) >= long {
            return Ok(());
        }
        pending.held = Some((what, since));
        Err(until.min(since + long))
    }

    /// Takes what was found for what the owner knows from now on. Gives back the hints that led
    /// to it.
    pub(super) fn settle(&mut self, found: &Found) -> Option<Pending> {
        match found {
            Found::Same => {}
            Found::Text(file) => {
                self.reported = Reported::Text(file.hash);
                self.before = Some(file.text.clone());
            }
            Found::Trouble(error) => self.reported = reported(error),
        }
        self.pending.take()
    }

    /// The last text that was believed, if that is what was reported last.
    pub(super) fn text(&self) -> Option<FileText> {
        match (&self.reported, &self.before) {
            (Reported::Text(hash), Some(text)) => {
                Some(FileText { text: text.clone(), hash: *hash })
            }
            _ => None,
        }
    }
}

fn reported(error: &ReadError) -> Reported {
    match error {
        ReadError::Missing { .. } => Reported::Gone,
        other => Reported::Unreadable(other.clone()),
    }
}
