//! The transactions of a bench: several at once, none in the way of another.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    command::CommandError,
    event::Origin,
    files::Meaning,
    manager::Manager,
    staging::{Staging, none},
    status::{StagedEdit, Transaction},
};

mod commands;
mod commit;
mod disk;
mod following;
mod preview;

pub(crate) use preview::{LookingAhead, Preview, aside};

/// Most transactions of a bench, drafts among them. A program that begins them and forgets them
/// should hear of it before it has filled a disk.
pub(crate) const MOST: usize = 200;

/// How long after a failure one that is done with is taken from the disk again.
const FORGET_AGAIN: Duration = Duration::from_secs(5);

/// Up to this, two times on the clock are one that was worked out twice.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(1);

/// All transactions, oldest first. At most one that is open came through the panel: that is what
/// commands mean that name none.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    all: Vec<Staging>,
    /// Ids of those that are done with and still on the disk, and when that is tried again.
    left_behind: Vec<String>,
    forget_at: Option<Instant>,
}

impl Transactions {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Staging> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One by its id; `None`: the panel's open one.
    pub(crate) fn find(&self, id: Option<&str>) -> Option<&Staging> {
        self.all.iter().find(|one| match id {
            Some(id) => one.id == id,
            None => one.origin == Origin::Panel && !one.draft,
        })
    }

    /// One that has to be there.
    ///
    /// # Errors
    /// [`CommandError::NotFound`]
    pub(crate) fn get(&self, id: &str) -> Result<&Staging, CommandError> {
        let missing = || CommandError::NotFound { what: "transaction", name: id.to_owned() };
        self.find(Some(id)).ok_or_else(missing)
    }

    /// Puts one in its place, or at the end if it is not there.
    pub(crate) fn put(&mut self, staging: Staging) {
        match self.all.iter_mut().find(|one| one.id == staging.id) {
            Some(there) => *there = staging,
            None => {
                // By number: the clock may have been set meanwhile.
                let new = (staging.id.len(), &staging.id);
                let after = self.all.iter().rposition(|one| (one.id.len(), &one.id) < new);
                self.all.insert(after.map_or(0, |index| index + 1), staging);
            }
        }
    }

    /// Takes one out.
    pub(crate) fn take(&mut self, id: &str) -> Option<Staging> {
        let index = self.all.iter().position(|one| one.id == id)?;
        Some(self.all.remove(index))
    }

    /// One that is done with could not be taken from the disk. Answers whether that is new.
    pub(crate) fn left_behind(&mut self, id: &str) -> bool {
        self.forget_at = Some(Instant::now() + FORGET_AGAIN);
        let new = !self.left_behind.iter().any(|there| there == id);
        self.left_behind.extend(new.then(|| id.to_owned()));
        new
    }

    /// When that is to be tried again.
    pub(crate) fn forget_at(&self) -> Option<Instant> {
        self.forget_at
    }

    /// Takes out which those are.
    pub(crate) fn take_left_behind(&mut self) -> Vec<String> {
        self.forget_at = None;
        std::mem::take(&mut self.left_behind)
    }

    /// Those that nobody has touched for `timeout`.
    pub(crate) fn expired(&self, timeout: Duration) -> Vec<String> {
        let now = Instant::now();
        let over = |one: &&Staging| one.expires(timeout).is_some_and(|at| at <= now);
        self.all.iter().filter(over).map(|one| one.id.clone()).collect()
    }

    /// When the next one expires, if nothing happens before.
    pub(crate) fn next_expiry(&self, timeout: Duration) -> Option<Instant> {
        self.all.iter().filter_map(|one| one.expires(timeout)).min()
    }

    /// Something else runs than what was looked ahead from, perhaps.
    pub(crate) fn over(&mut self, running: &Arc<Meaning>) {
        for one in &mut self.all {
            if one.preview.as_ref().is_some_and(|preview| !preview.is_over(running)) {
                one.changed();
            }
        }
    }

    fn shown(&mut self, timeout: Duration) -> Vec<Arc<Transaction>> {
        self.all.iter_mut().map(|one| one.show(timeout)).collect()
    }
}

impl Manager {
    /// All as the status shows them.
    pub(crate) fn shown_transactions(&mut self) -> Vec<Arc<Transaction>> {
        self.transactions.over(&self.running.meaning);
        self.transactions.shown(self.running.bench.runtime.transaction_timeout)
    }
}

impl Staging {
    /// As the status shows it; the same value again as long as nothing about it changes.
    pub(crate) fn show(&mut self, timeout: Duration) -> Arc<Transaction> {
        let expires = self.shown_expiry(timeout);
        if let Some(shown) = &self.shown
            && shown.expires == expires
        {
            return shown.clone();
        }
        let preview = self.preview.as_ref();
        let shown = Arc::new(Transaction {
            id: self.id.clone(),
            opened: self.opened,
            origin: self.origin,
            author: self.author.clone(),
            message: self.message.clone(),
            expires,
            draft: self.draft,
            edits: self.edits.clone(),
            diagnostics: preview.map_or_else(none, |preview| preview.diagnostics.clone()),
            changes: preview.map_or_else(none, |preview| preview.changes.clone()),
            plan: preview.map_or_else(none, |preview| preview.plan.clone()),
            ok: preview.is_some_and(|preview| preview.checks) && !self.clashes(),
            pending: preview.is_none(),
        });
        self.shown = Some(shown.clone());
        shown
    }

    /// When it expires, on the clock as it is set now: a timeout after the last touch, unless that
    /// was by another clock. What was shown stays as long as it is right.
    fn shown_expiry(&self, timeout: Duration) -> Option<Timestamp> {
        let left = self.expires(timeout)?.saturating_duration_since(Instant::now());
        let expires = Timestamp::now().checked_add(left).ok()?;
        let shown = self.shown.as_ref().and_then(|shown| shown.expires);
        let mut known = [shown, Some(self.touched + timeout)].into_iter().flatten();
        let agrees = |known: &Timestamp| known.duration_since(expires).abs() < SAME_TIME;
        known.find(agrees).or(Some(expires))
    }

    /// How it is spoken of: `t3 by Ada`.
    pub(crate) fn name(&self) -> String {
        match self.author.as_str() {
            "" => self.id.clone(),
            author => format!("{} by {author}", self.id),
        }
    }

    /// How many edits wait for a decision.
    pub(crate) fn clash_count(&self) -> usize {
        self.edits.iter().filter(|edit| edit.clash.is_some()).count()
    }
}

/// `1 change`, `3 changes`
pub(crate) fn counted(edits: &[StagedEdit]) -> String {
    match edits.len() {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staging(id: &str, origin: Origin) -> Staging {
        Staging::open(id.to_owned(), origin)
    }

    #[tokio::test]
    async fn each_lives_until_nobody_has_touched_it_for_long_enough() {
        let mut all = Transactions::default();
        let timeout = Duration::from_secs(300);
        let idle = |id: &str, seconds| {
            let idle_before = Duration::from_secs(seconds);
            Staging { idle_before, ..staging(id, Origin::Api) }
        };
        all.put(idle("t1", 200));
        all.put(idle("t2", 400));
        assert_eq!(all.expired(timeout), ["t2"]);
        crate::standing::until(all.next_expiry(timeout)).await;
        let mut touched = all.take("t2").unwrap();
        touched.touch();
        all.put(touched);
        assert!(all.expired(timeout).is_empty());
        let first = all.get("t1").unwrap().since + Duration::from_secs(100);
        assert_eq!(all.next_expiry(timeout), Some(first));
        // A shorter timeout counts at once.
        assert_eq!(all.expired(Duration::from_secs(50)), ["t1"]);
    }

    #[tokio::test]
    async fn a_draft_does_not_expire_and_is_not_the_panels() {
        let mut all = Transactions::default();
        let mut draft = staging("t1", Origin::Panel);
        draft.draft = true;
        all.put(draft);
        all.put(staging("t2", Origin::Api));
        assert!(all.find(None).is_none());
        all.put(staging("t3", Origin::Panel));
        assert_eq!(all.find(None).unwrap().id, "t3");
        assert!(all.get("t1").unwrap().expires(Duration::ZERO).is_none());
        assert_eq!(all.get("t9").unwrap_err().to_string(), "there is no transaction “t9”");
    }

    #[tokio::test]
    async fn what_is_shown_is_the_same_value_until_something_changes() {
        let mut all = Transactions::default();
        all.put(staging("t1", Origin::Api));
        let timeout = Duration::from_secs(300);
        let first = all.shown(timeout);
        assert!(Arc::ptr_eq(&first[0], &all.shown(timeout)[0]));
        let longer = all.shown(timeout * 2);
        assert!(longer[0].expires > first[0].expires);
    }
}
