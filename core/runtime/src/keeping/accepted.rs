//! Revisions of what runs, also where they can be kept only later.

use std::{
    collections::VecDeque,
    sync::{Arc, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::json;
use setpoint_bench::Change;
use setpoint_store::{Audit, RevisionRecord, StoreError, TextHash};

use super::{Inner, Keeping, Store, origin, revision};
use crate::{
    apply::Verified, command::CommandError, event::Origin, passage::verified_json, shelf::Shelf,
    status::Revision,
};

/// Texts that ran and could not be kept, so many at most.
const MOST: usize = 50;

/// Who did it and why, for revision and audit.
pub(crate) struct Facts {
    pub(crate) author: String,
    pub(crate) origin: Origin,
    pub(crate) message: String,
    pub(crate) verified: Vec<Verified>,
    /// Whether the files hold it.
    pub(crate) written: bool,
}

/// Texts that ran, to be kept as soon as that can be done. Locked for moments only, never while
/// anything waits for the disk.
pub(super) struct Unkept {
    /// Oldest first.
    texts: VecDeque<Text>,
    /// The number that the next revision gets, going by what was told.
    next: u64,
    /// The number of the one that is being written just now.
    under_way: Option<u64>,
    /// How many are not going to be kept, since someone asked.
    lost: u64,
}

#[derive(Clone)]
struct Text {
    /// The number that was told of it.
    number: u64,
    /// When it was accepted.
    at: Timestamp,
    text: Arc<str>,
    facts: setpoint_store::Facts,
}

impl Text {
    fn revision(&self) -> Revision {
        Revision {
            id: format!("r{}", self.number),
            hash: TextHash::of(&*self.text).short(),
            at: self.at,
            author: self.facts.author.clone(),
            origin: origin(&self.facts.origin),
            message: self.facts.message.clone(),
            label: None,
        }
    }
}

impl Unkept {
    /// Nothing yet, after what is kept.
    pub(super) fn after(shelf: &Shelf) -> Self {
        let next = shelf.revisions().next_number();
        Self { texts: VecDeque::new(), next, under_way: None, lost: 0 }
    }

    /// Revisions were kept, or are others now.
    pub(super) fn follow(&mut self, shelf: &Shelf) {
        // While some wait, the numbers told of them count.
        if self.texts.is_empty() {
            self.next = shelf.revisions().next_number();
        }
    }

    /// A number for a revision that nobody knows of yet.
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// What is told of a text that runs, until it is kept.
    fn add(&mut self, text: Arc<str>, facts: setpoint_store::Facts) -> Revision {
        let now = Timestamp::now();
        // As files are named, so that nothing differs once it is kept.
        let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let text = Text { number: self.number(), at, text, facts };
        let told = text.revision();
        self.texts.push_back(text);
        while self.texts.len() > MOST {
            // The oldest may be on its way to the disk.
            let front = self.texts.front().map(|front| front.number);
            let oldest = usize::from(front.is_some() && front == self.under_way);
            self.texts.remove(oldest);
            self.lost += 1;
        }
        told
    }

    /// Whether the text with this number waits.
    fn holds(&self, number: u64) -> bool {
        self.texts.iter().any(|text| text.number == number)
    }

    /// Takes the oldest in hand, if it has a number below this.
    fn take(&mut self, below: u64) -> Option<Text> {
        let oldest = self.texts.front().filter(|text| text.number < below).cloned();
        self.under_way = oldest.as_ref().map(|text| text.number);
        oldest
    }

    /// It is kept, or could not be.
    fn put_down(&mut self, kept: bool) {
        if kept {
            self.texts.pop_front();
        }
        self.under_way = None;
    }
}

impl Inner {
    pub(super) fn unkept(&self) -> MutexGuard<'_, Unkept> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something waits to be kept, or a journal to be ended.
    pub(super) fn waits(&self) -> bool {
        self.left.owes() || !self.unkept().texts.is_empty()
    }

    /// Keeps what could not be kept when it ran, in the order in which it did, under the numbers
    /// that were told then; those below this.
    fn keep_all(&self, store: &mut Store, below: u64) -> Result<(), StoreError> {
        loop {
            let oldest = self.unkept().take(below);
            let Some(Text { number, at, text, facts }) = oldest else { return Ok(()) };
            pass_to(store, number);
            let kept = store.revisions.keep_of(at, &text, facts, &store.audit);
            self.unkept().put_down(kept.is_ok());
            kept?;
        }
    }

    /// The newest text that ran as a revision, kept or yet to be.
    fn newest(&self, shelf: &Shelf) -> Option<Revision> {
        let waiting = self.unkept().texts.back().map(Text::revision);
        waiting.or_else(|| shelf.revisions().newest().map(revision))
    }
}

/// The next revision is to get this number: those before it were told of others.
fn pass_to(store: &mut Store, number: u64) {
    store.revisions.pass_over(number.saturating_sub(store.revisions.next_number()));
}

impl Keeping {
    /// Station 9: the text as a revision, the change in the audit, the journal cleared. What cannot
    /// be kept now runs all the same, and is kept later.
    pub(crate) async fn accept(
        &self,
        text: &Arc<str>,
        changes: &Arc<Vec<Change>>,
        facts: Facts,
    ) -> Revision {
        let (text, changes) = (text.clone(), changes.clone());
        let Facts { author, origin, message, verified, written } = facts;
        let mut data = json!({ "changes": *changes, "set": verified_json(&verified) });
        if !written {
            data[NOT_WRITTEN] = true.into();
        }
        let origin = origin.as_str().to_owned();
        let facts = setpoint_store::Facts { author, origin, message, label: None, data };
        let told = self.0.unkept().add(text, facts);
        // What is wrong with the disk is noted, and shown.
        let kept = self.keep().await.ok().flatten();
        kept.unwrap_or(told)
    }

    /// Keeps what could not be kept before; answers the revision that runs, kept or not. An error
    /// says that the disk does not answer.
    pub(crate) async fn keep_unkept(&self) -> Result<Option<Revision>, StoreError> {
        self.keep().await
    }

    /// Keeps what runs once more if it is not there any more, because someone deleted the folder
    /// or put another in its place; with what is known of it. Answers the revision it is then.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(crate) async fn keep_lost(
        &self,
        running: &Revision,
        text: &Arc<str>,
        written: bool,
    ) -> Result<Option<Revision>, CommandError> {
        let number = running.id.strip_prefix('r').and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number| !self.0.unkept().holds(*number)) else {
            return Ok(None);
        };
        let (running, text) = (running.clone(), text.clone());
        self.with(move |store| {
            let there = store.revisions.find(&running.id);
            if there.is_some_and(|there| there.short_hash == running.hash) {
                return Ok(None);
            }
            let Revision { at, author, origin, message, label, .. } = running;
            let label = label.filter(|label| store.revisions.check_label(label).is_ok());
            let data = if written { serde_json::Value::Null } else { json!({ NOT_WRITTEN: true }) };
            let origin = origin.as_str().to_owned();
            let facts = setpoint_store::Facts { author, origin, message, label, data };
            let kept = store.revisions.keep_again(number, at, &text, facts, &store.audit)?;
            Ok(Some(revision(&kept)))
        })
        .await
    }

    async fn keep(&self) -> Result<Option<Revision>, StoreError> {
        let inner = self.0.clone();
        inner.left.owe();
        let kept = self.storing(move |_| {
            let mut shelf = inner.shelf();
            let kept = shelf.store(&inner.path).and_then(|store| {
                inner.keep_all(store, u64::MAX)?;
                let ended = inner.left.end(store);
                if let Err(error) = &ended {
                    tracing::warn!("the change is done, its journal stays behind: {error}");
                }
                ended
            });
            inner.note_problem(kept.as_ref().err());
            inner.show(&shelf);
            inner.newest(&shelf)
        });
        kept.await.map_err(|why| self.unkept_because(why))
    }

    /// How many texts that ran were never kept, since this was asked last.
    pub(crate) fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.0.unkept().lost)
    }

    /// Keeps a text as a revision for the sake of keeping it.
    pub(crate) async fn snapshot(
        &self,
        text: &Arc<str>,
        facts: setpoint_store::Facts,
    ) -> Result<Revision, CommandError> {
        let (text, inner) = (text.clone(), self.0.clone());
        // Its own, also if it is given up and kept late.
        let number = inner.unkept().number();
        let record = self.with(move |store| {
            // What ran before has its number already, and what ran since has one too.
            inner.keep_all(store, number)?;
            pass_to(store, number);
            store.revisions.keep(&text, facts, &store.audit)
        });
        Ok(revision(&record.await?))
    }
}

/// Marks a revision in the audit log whose text the files did not get.
pub(crate) const NOT_WRITTEN: &str = "not_written";
/// The kind of audit record that says they got it later.
pub(crate) const WRITTEN: &str = "file_written";

/// Whether a revision was in force and its text never reached the files, going by the audit log up
/// to the revision `found` that was found in them. Blocks.
///
/// # Errors
/// When the audit log cannot be read.
pub(crate) fn never_written(
    audit: &Audit,
    newest: &RevisionRecord,
    found: &str,
) -> Result<bool, StoreError> {
    let mut never = false;
    for line in audit.lines()? {
        if line.kind == WRITTEN {
            never = false;
        } else if line.kind == "revision" {
            let number = line.data.get("number").and_then(serde_json::Value::as_u64);
            if number.is_some_and(|number| format!("r{number}") == found) {
                break;
            }
            let details = line.data.get("details");
            let marked = details.is_some_and(|details| details.get(NOT_WRITTEN).is_some());
            never = number == Some(newest.number) && marked;
        }
    }
    Ok(never)
}

#[cfg(test)]
mod tests {
    use setpoint_store::{AccessRules, BenchFolder, Transactions};

    use super::*;
    use crate::{catalogue::Drivers, files::Files, keeping::PATIENCE, staging::none};

    /// More than are held back: what was announced keeps its number.
    #[tokio::test]
    async fn numbers_that_were_told_stay_those_of_their_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        let folder = BenchFolder::of(&path);
        // Nothing can be kept where a file is in the place of the folder.
        std::fs::write(folder.path(), "").unwrap();
        let files = Files::new(&path, None, AccessRules::default());
        let drivers = std::sync::Arc::new(Drivers::beside(&path));
        let shelf = Shelf::open(&path).unwrap();
        assert!(shelf.problem().is_some());
        let (transactions, _) = Transactions::open(&folder);
        let keeping =
            Keeping::new(path, files, drivers, shelf, (None, false), transactions, PATIENCE);
        assert_eq!(keeping.labelled(), None, "which there are is not known");
        let facts = || Facts {
            author: "ada".into(),
            origin: Origin::Panel,
            message: String::new(),
            verified: Vec::new(),
            written: true,
        };
        for number in 1..=MOST + 5 {
            let text = format!("# {number}\n").into();
            let told = keeping.accept(&text, &none(), facts()).await;
            assert_eq!(told.id, format!("r{number}"));
        }
        std::fs::remove_file(folder.path()).unwrap();
        let newest = keeping.keep_unkept().await.unwrap().unwrap();
        assert_eq!(newest.id, format!("r{}", MOST + 5));
        assert_eq!((keeping.take_lost(), keeping.take_lost()), (5, 0));
        let kept = keeping.list();
        assert_eq!((kept.len(), kept.last().unwrap().id.as_str()), (MOST, "r6"));
        assert_eq!(&*keeping.text("r6").await.unwrap(), "# 6\n");
        assert_eq!(keeping.labelled(), Some(Vec::new()));
        let next = keeping.accept(&"# next\n".into(), &none(), facts()).await;
        assert_eq!(next.id, format!("r{}", MOST + 6));
    }
}
