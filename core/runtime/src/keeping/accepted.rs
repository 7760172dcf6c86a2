//! Revisions of what runs, also where they can be kept only later.

use std::{
    collections::VecDeque,
    sync::{Arc, MutexGuard, PoisonError},
};

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

/// Texts that ran, to be kept as soon as that can be done.
#[derive(Default)]
pub(super) struct Unkept {
    /// Oldest first.
    texts: VecDeque<Text>,
    /// How many before these are not going to be: their numbers were told.
    dropped: u64,
    /// The same of all, since someone asked.
    lost: u64,
}

struct Text {
    text: Arc<str>,
    facts: setpoint_store::Facts,
}

impl Unkept {
    fn add(&mut self, more: Option<Text>) {
        self.texts.extend(more);
        while self.texts.len() > MOST {
            self.texts.pop_front();
            self.dropped += 1;
            self.lost += 1;
        }
    }
}

impl Inner {
    fn unkept(&self) -> MutexGuard<'_, Unkept> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something waits to be kept.
    pub(super) fn waits(&self) -> bool {
        !self.unkept().texts.is_empty()
    }
}

/// The newest text that ran as a revision, kept or yet to be.
fn newest(shelf: &Shelf, unkept: &Unkept) -> Option<Revision> {
    let revisions = shelf.revisions();
    let Some(Text { text, facts }) = unkept.texts.back() else {
        return revisions.newest().map(revision);
    };
    let waiting = unkept.dropped + unkept.texts.len() as u64;
    Some(Revision {
        id: format!("r{}", revisions.next_number() - 1 + waiting),
        hash: TextHash::of(&**text).short(),
        at: jiff::Timestamp::now(),
        author: facts.author.clone(),
        origin: origin(&facts.origin),
        message: facts.message.clone(),
        label: None,
    })
}

impl Store {
    /// Keeps what could not be kept when it ran, in the order in which it did, under the numbers
    /// that were told then.
    fn keep_all(&mut self, unkept: &mut Unkept) -> Result<(), StoreError> {
        self.revisions.pass_over(std::mem::take(&mut unkept.dropped));
        while let Some(Text { text, facts }) = unkept.texts.front() {
            self.revisions.keep(text, facts.clone(), &self.audit)?;
            unkept.texts.pop_front();
        }
        Ok(())
    }
}

impl Keeping {
    /// Station 9: the text as a revision, the change in the audit, the journal cleared. What cannot
    /// be kept now runs all the same, and is kept later.
    pub(crate) async fn accept(
        &self,
        text: &Arc<str>,
        changes: &Arc<Vec<Change>>,
        facts: Facts,
    ) -> Result<Revision, CommandError> {
        let (text, changes) = (text.clone(), changes.clone());
        let Facts { author, origin, message, verified, written } = facts;
        let mut data = json!({ "changes": *changes, "set": verified_json(&verified) });
        if !written {
            data[NOT_WRITTEN] = true.into();
        }
        let origin = origin.as_str().to_owned();
        let facts = setpoint_store::Facts { author, origin, message, label: None, data };
        self.keep(Some(Text { text, facts })).await
    }

    /// Keeps what could not be kept before; answers the revision that runs.
    pub(crate) async fn keep_unkept(&self) -> Result<Revision, CommandError> {
        self.keep(None).await
    }

    async fn keep(&self, more: Option<Text>) -> Result<Revision, CommandError> {
        let inner = self.0.clone();
        let kept = tokio::task::spawn_blocking(move || {
            // Always in this order: whoever holds the store may look whether something waits.
            let mut shelf = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            let mut unkept = inner.unkept();
            unkept.add(more);
            let kept = shelf.store(&inner.path).and_then(|store| {
                store.keep_all(&mut unkept)?;
                Ok(store)
            });
            let kept = kept.map(|store| inner.left.end(store));
            if let Ok(Err(error)) = &kept {
                tracing::warn!("the change is done, its journal stays behind: {error}");
            }
            inner.note_problem(kept.as_ref().err());
            inner.show(&shelf);
            newest(&shelf, &unkept)
        });
        kept.await.ok().flatten().ok_or_else(|| CommandError::Storage {
            message: "keeping a revision failed; please report this".to_owned(),
        })
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
        let record = self.with(move |store| {
            // What ran before has its number already.
            let mut unkept = inner.unkept();
            store.keep_all(&mut unkept)?;
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
    use crate::{catalogue::Drivers, files::Files, staging::none};

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
        let keeping = Keeping::new(path, files, drivers, shelf, (None, false), transactions);
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
            let told = keeping.accept(&text, &none(), facts()).await.unwrap();
            assert_eq!(told.id, format!("r{number}"));
        }
        std::fs::remove_file(folder.path()).unwrap();
        let newest = keeping.keep_unkept().await.unwrap();
        assert_eq!(newest.id, format!("r{}", MOST + 5));
        assert_eq!((keeping.take_lost(), keeping.take_lost()), (5, 0));
        let kept = keeping.list();
        assert_eq!((kept.len(), kept.last().unwrap().id.as_str()), (MOST, "r6"));
        assert_eq!(&*keeping.text("r6").await.unwrap(), "# 6\n");
        assert_eq!(keeping.labelled(), Some(Vec::new()));
        let next = keeping.accept(&"# next\n".into(), &none(), facts()).await.unwrap();
        assert_eq!(next.id, format!("r{}", MOST + 6));
    }
}
