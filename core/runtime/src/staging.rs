//! One transaction: edits staged, checked, rebased, not yet in effect.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use setpoint_bench::{
    Edit, KeyPath, TextEdit, Value,
    merge::{Reconciled, reconcile},
};
use tokio::time::Instant;

use crate::{
    command::Keep,
    event::Origin,
    status::{StagedEdit, Transaction},
    transactions::Preview,
};

/// Edits waiting for a commit, each with the value its key had when it was staged.
#[derive(Debug, Clone)]
pub(crate) struct Staging {
    pub(crate) id: String,
    pub(crate) opened: Timestamp,
    pub(crate) touched: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) author: String,
    pub(crate) message: String,
    /// The revision that the edits were compared with when they changed last.
    pub(crate) base: String,
    /// Nobody touched it for long: it has to be taken up again.
    pub(crate) draft: bool,
    /// Someone asked for it by itself: it stays also with nothing in it.
    pub(crate) begun: bool,
    pub(crate) edits: Vec<StagedEdit>,
    /// Whether the disk has it as it is.
    pub(crate) saved: bool,
    /// What a commit would do, once it is known.
    pub(crate) preview: Option<Preview>,
    /// As it was shown last.
    pub(crate) shown: Option<Arc<Transaction>>,
    /// Time without a touch before `since`, on a clock that nobody sets.
    pub(crate) idle_before: Duration,
    pub(crate) since: Instant,
}

impl Staging {
    /// The keys it edits.
    pub(crate) fn paths(&self) -> Vec<KeyPath> {
        self.edits.iter().map(|edit| edit.path.clone()).collect()
    }

    /// A transaction with nothing in it.
    pub(crate) fn open(id: String, origin: Origin) -> Self {
        let now = Timestamp::now();
        Self {
            id,
            opened: now,
            touched: now,
            origin,
            author: String::new(),
            message: String::new(),
            base: String::new(),
            draft: false,
            begun: false,
            edits: Vec::new(),
            saved: true,
            preview: None,
            shown: None,
            idle_before: Duration::ZERO,
            since: Instant::now(),
        }
    }

    /// Somebody did something to it: it lives on from now.
    pub(crate) fn touch(&mut self) {
        self.touched = Timestamp::now();
        self.idle_before = Duration::ZERO;
        self.since = Instant::now();
        self.shown = None;
    }

    /// When it becomes a draft unless someone touches it; `None` for a draft.
    pub(crate) fn expires(&self, timeout: Duration) -> Option<Instant> {
        (!self.draft).then(|| self.since + timeout.saturating_sub(self.idle_before))
    }

    /// The edits have changed, or what runs: what was found out about them is out of date.
    pub(crate) fn changed(&mut self) {
        self.preview = None;
        self.shown = None;
    }

    /// Stages edits over the running values. An edit back to the running value is taken out, and
    /// a second one of a key takes the place of the first. Where a table above or below the key is
    /// staged too, the order counts: what was said last comes last, whatever it says.
    pub(crate) fn stage(&mut self, edits: Vec<Edit>, running: &Value) {
        self.changed();
        for Edit { path, value } in edits {
            let base = running.get(&path).cloned();
            let kept = self.edits.iter().position(|staged| staged.path == path);
            let around = |other: &KeyPath| other.starts_with(&path) || path.starts_with(other);
            let in_order =
                self.edits.iter().any(|staged| staged.path != path && around(&staged.path));
            let idle = same(value.as_ref(), base.as_ref()) && !in_order;
            let edit = StagedEdit { path, base, value, clash: None };
            match kept {
                Some(index) if !idle && !in_order => self.edits[index] = edit,
                kept => {
                    kept.map(|index| self.edits.remove(index));
                    if !idle {
                        self.edits.push(edit);
                    }
                }
            }
        }
    }

    /// Takes edits out.
    pub(crate) fn unstage(&mut self, paths: &[KeyPath]) {
        self.changed();
        self.edits.retain(|staged| !paths.contains(&staged.path));
    }

    /// Follows a change of what runs: edits it already holds are done, edits of keys it changed
    /// otherwise clash, the rest stays as it is. Of an edit of a whole table, that is said key by
    /// key. Says how many clash.
    pub(crate) fn rebase(&mut self, running: &Value) -> usize {
        self.changed();
        let mut edits = Vec::with_capacity(self.edits.len());
        for staged in self.edits.drain(..) {
            let StagedEdit { path, base, value, .. } = &staged;
            let theirs = running.get(path);
            if same(base.as_ref(), theirs) {
                edits.push(StagedEdit { clash: None, ..staged });
                continue;
            }
            let Reconciled { edits: kept, clashes } =
                reconcile(path, base.as_ref(), theirs, value.as_ref());
            edits.extend(kept.into_iter().map(|Edit { path, value }| {
                let base = running.get(&path).cloned();
                StagedEdit { path, base, value, clash: None }
            }));
            edits.extend(clashes.into_iter().map(|clash| StagedEdit {
                path: clash.path.clone(),
                base: clash.base.clone(),
                value: clash.mine.clone(),
                clash: Some(clash),
            }));
        }
        // One a key: an edit of a key that came with a whole table too is the later one.
        let mut seen = HashSet::with_capacity(edits.len());
        edits.reverse();
        edits.retain(|edit| seen.insert(edit.path.clone()));
        edits.reverse();
        self.edits = edits;
        self.edits.iter().filter(|staged| staged.clash.is_some()).count()
    }

    /// Decides a clash; `false` if there is none at that key.
    pub(crate) fn resolve(&mut self, path: &KeyPath, keep: Keep) -> bool {
        self.changed();
        let Some(index) =
            self.edits.iter().position(|staged| staged.path == *path && staged.clash.is_some())
        else {
            return false;
        };
        match keep {
            Keep::Theirs => {
                self.edits.remove(index);
            }
            Keep::Mine => {
                let staged = &mut self.edits[index];
                if let Some(clash) = staged.clash.take() {
                    staged.base = clash.file;
                }
            }
        }
        true
    }

    /// The edits for [`setpoint_bench::apply_with`]. A removal of a key that is gone is left out.
    pub(crate) fn edits(&self, running: &Value) -> Vec<TextEdit> {
        let wanted =
            |staged: &&StagedEdit| staged.value.is_some() || running.get(&staged.path).is_some();
        let edit = |staged: &StagedEdit| {
            TextEdit::Put(Edit { path: staged.path.clone(), value: staged.value.clone() })
        };
        self.edits.iter().filter(wanted).map(edit).collect()
    }

    /// Whether an edit waits for a decision.
    pub(crate) fn clashes(&self) -> bool {
        self.edits.iter().any(|staged| staged.clash.is_some())
    }
}

/// Edits that were asked for when `base` ran, for what runs now.
///
/// # Errors
/// The keys that were changed otherwise meanwhile, in words.
pub(crate) fn follow(
    edits: &[TextEdit],
    base: &Value,
    running: &Value,
) -> Result<Vec<TextEdit>, String> {
    let mut followed = Vec::with_capacity(edits.len());
    let mut clashes = Vec::new();
    for edit in edits {
        // A key that is renamed or moved takes along whatever it holds by then.
        let TextEdit::Put(put) = edit else {
            followed.push(edit.clone());
            continue;
        };
        let (was, is) = (base.get(&put.path), running.get(&put.path));
        if same(was, is) {
            followed.push(edit.clone());
            continue;
        }
        let found = reconcile(&put.path, was, is, put.value.as_ref());
        followed.extend(found.edits.into_iter().map(TextEdit::Put));
        clashes.extend(found.clashes.iter().map(ToString::to_string));
    }
    if clashes.is_empty() { Ok(followed) } else { Err(clashes.join("; ")) }
}

/// Whether two optional values mean the same.
pub(crate) fn same(mine: Option<&Value>, theirs: Option<&Value>) -> bool {
    match (mine, theirs) {
        (None, None) => true,
        (Some(mine), Some(theirs)) => mine.means(theirs),
        _ => false,
    }
}

/// Something shared that is empty most of the time.
pub(crate) fn none<T>() -> Arc<Vec<T>> {
    Arc::new(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(volts: f64, amps: f64) -> Value {
        let set: setpoint_bench::value::Table =
            [("volts".to_owned(), Value::from(volts)), ("amps".to_owned(), Value::from(amps))]
                .into_iter()
                .collect();
        Value::Table([("set".to_owned(), Value::Table(set))].into_iter().collect())
    }

    fn edit(path: &str, value: f64) -> Edit {
        Edit { path: path.parse().unwrap(), value: Some(Value::from(value)) }
    }

    fn staged() -> Staging {
        let mut staging = Staging::open("t1".to_owned(), Origin::Panel);
        staging.stage(vec![edit("set.volts", 3.45)], &values(3.3, 0.5));
        staging
    }

    #[test]
    fn an_edit_back_to_the_running_value_is_taken_out() {
        let mut staging = staged();
        staging.stage(vec![edit("set.volts", 3.3)], &values(3.3, 0.5));
        assert!(staging.edits.is_empty());
    }

    #[test]
    fn a_second_edit_of_a_key_replaces_the_first() {
        let mut staging = staged();
        staging.stage(vec![edit("set.volts", 3.5)], &values(3.3, 0.5));
        assert_eq!(staging.edits.len(), 1);
        assert_eq!(staging.edits[0].value, Some(Value::from(3.5)));
    }

    #[test]
    fn what_is_staged_last_of_a_key_and_its_table_counts() {
        let running = values(3.3, 0.5);
        let table = Edit {
            path: "set".parse().unwrap(),
            value: values(12.0, 0.5).get(&"set".parse().unwrap()).cloned(),
        };
        let orders = |staging: &Staging| {
            staging.edits.iter().map(|edit| edit.path.to_string()).collect::<Vec<_>>()
        };
        let mut staging = staged();
        staging.stage(vec![table.clone()], &running);
        staging.stage(vec![edit("set.volts", 3.5)], &running);
        assert_eq!(orders(&staging), ["set", "set.volts"]);
        assert_eq!(staging.edits[1].value, Some(Value::from(3.5)));
        // What runs has to be said too: the table says something else.
        staging.stage(vec![edit("set.volts", 3.3)], &running);
        assert_eq!(orders(&staging), ["set", "set.volts"]);
        assert_eq!(staging.edits[1].value, Some(Value::from(3.3)));
        staging.stage(vec![table], &running);
        assert_eq!(orders(&staging), ["set.volts", "set"]);
    }

    #[test]
    fn a_change_elsewhere_leaves_an_edit_alone() {
        let mut staging = staged();
        assert_eq!(staging.rebase(&values(3.3, 0.7)), 0);
        assert_eq!(staging.edits.len(), 1);
    }

    #[test]
    fn a_change_of_the_same_key_is_shown_and_decided_by_a_person() {
        let path: KeyPath = "set.volts".parse().unwrap();
        let mut staging = staged();
        assert_eq!(staging.rebase(&values(3.2, 0.5)), 1);
        assert!(staging.clashes());
        let clash = staging.edits[0].clash.clone().unwrap();
        assert_eq!(clash.path, path);
        assert_eq!(
            [clash.base, clash.file, clash.mine],
            [3.3, 3.2, 3.45].map(|volts| Some(Value::from(volts)))
        );
        assert!(staging.resolve(&path, Keep::Mine));
        assert!(!staging.clashes());
        assert_eq!(staging.edits[0].base, Some(Value::from(3.2)));
        assert!(!staging.resolve(&path, Keep::Mine));
    }

    #[test]
    fn the_files_value_can_be_taken() {
        let mut staging = staged();
        staging.rebase(&values(3.2, 0.5));
        assert!(staging.resolve(&"set.volts".parse().unwrap(), Keep::Theirs));
        assert!(staging.edits.is_empty());
    }

    #[test]
    fn an_edit_that_someone_else_made_too_is_done() {
        let mut staging = staged();
        assert_eq!(staging.rebase(&values(3.45, 0.5)), 0);
        assert!(staging.edits.is_empty());
    }

    #[test]
    fn a_whole_table_follows_key_by_key() {
        let mut staging = Staging::open("t1".to_owned(), Origin::Panel);
        let path: KeyPath = "set".parse().unwrap();
        let value = values(3.45, 0.6).get(&path).cloned();
        staging.stage(vec![Edit { path: path.clone(), value }], &values(3.3, 0.5));
        // Somewhere else: it stays one edit.
        let mut elsewhere = values(3.3, 0.5);
        if let Value::Table(table) = &mut elsewhere {
            table.insert("other", Value::from(1));
        }
        assert_eq!(staging.rebase(&elsewhere), 0);
        assert_eq!(staging.edits.iter().map(|edit| &edit.path).collect::<Vec<_>>(), [&path]);
        // One of its keys: the other follows, this one is to be decided.
        assert_eq!(staging.rebase(&values(3.2, 0.5)), 1);
        let edits: Vec<_> = staging
            .edits
            .iter()
            .map(|edit| (edit.path.to_string(), edit.value.clone(), edit.clash.is_some()))
            .collect();
        assert_eq!(
            edits,
            [
                ("set.amps".to_owned(), Some(Value::from(0.6)), false),
                ("set.volts".to_owned(), Some(Value::from(3.45)), true),
            ]
        );
    }

    #[test]
    fn edits_follow_what_was_saved_meanwhile_or_say_where_they_clash() {
        let (base, edits) = (values(3.3, 0.5), [TextEdit::Put(edit("set.volts", 3.45))]);
        assert_eq!(follow(&edits, &base, &values(3.3, 0.7)).unwrap(), edits);
        assert_eq!(follow(&edits, &base, &values(3.45, 0.7)).unwrap(), []);
        assert_eq!(
            follow(&edits, &base, &values(3.2, 0.5)).unwrap_err(),
            "set.volts: was 3.3, the file says 3.2, mine is 3.45"
        );
    }
}
