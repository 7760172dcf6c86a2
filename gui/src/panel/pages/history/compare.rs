//! Two texts and what they come to.

use std::sync::Arc;

use setpoint_bench::{
    Change, ChangeKind,
    diff::{Row, side_by_side},
};
use setpoint_runtime::Revision;

use super::{HistoryState, need};
use crate::{
    panel::{
        intent::{HistoryIntent, Intent},
        pages::View,
    },
    values,
};

/// Unchanged lines that are shown around each difference.
const CONTEXT: usize = 4;

/// What two texts come to.
#[derive(Debug)]
pub struct Comparison {
    /// The revision's text.
    old: Arc<str>,
    /// The text it is compared with.
    new: Arc<str>,
    /// The text that runs.
    running: Arc<str>,
    unfolded: bool,
    /// Lines beside each other.
    pub rows: Vec<Row>,
    /// The first row of each difference.
    pub differences: Vec<usize>,
    /// Keys that differ, from the revision to what it is compared with; `None` while they are
    /// worked out from all files of the bench.
    pub changes: Option<Arc<Vec<Change>>>,
    /// Keys that differ, from what runs to the revision: what going back would do.
    pub back: Option<Arc<Vec<Change>>>,
    /// Why the keys are those of the bench file alone.
    pub alone: Option<String>,
    /// Whether lines are folded away, or would be.
    pub folds: bool,
    /// Characters of the longest line.
    pub longest: usize,
}

impl Comparison {
    /// Keys changed, added and removed; `None` while they are worked out.
    pub fn counts(&self) -> Option<[usize; 3]> {
        let changes = self.changes.as_ref()?;
        Some(
            [ChangeKind::Changed, ChangeKind::Added, ChangeKind::Removed]
                .map(|kind| changes.iter().filter(|change| change.kind == kind).count()),
        )
    }

    /// Keys that going back would change; none while they are worked out.
    pub fn back(&self) -> &[Change] {
        self.back.as_ref().map_or(&[], |back| back.as_slice())
    }
}

/// Sees to it that the state holds the comparison of what is chosen. Returns what to say while it
/// cannot.
pub fn prepare(
    view: &View<'_>,
    selected: &Revision,
    state: &mut HistoryState,
    intents: &mut Vec<Intent>,
) -> Result<(), String> {
    let old = text(view, &selected.id, intents);
    let running = view.status.text.clone();
    let new = match &state.with {
        Some(id) => text(view, id, intents),
        None => Ok(running.clone()),
    };
    let (old, new) = (old?, new?);
    let fresh = state.comparison.as_ref().is_some_and(|it| {
        it.unfolded == state.unfolded && it.old == old && it.new == new && it.running == running
    });
    if !fresh {
        state.comparison = Some(compare(old, new, running, state.unfolded));
        if let Some(comparison) = &state.comparison {
            let first = comparison.differences.first().copied().unwrap_or(0);
            state.scroll_to = Some(first);
        }
    }
    if let Some(comparison) = &mut state.comparison {
        let running = view.status.revision.as_ref().map(|running| running.id.as_str());
        let with = state.with.as_deref().or(running);
        let id = Some(selected.id.as_str());
        if comparison.changes.is_none() {
            let texts = (comparison.old.clone(), comparison.new.clone());
            comparison.changes = keys(view, (id, with), &texts, &mut comparison.alone, intents);
        }
        if comparison.back.is_none() {
            let texts = (comparison.running.clone(), comparison.old.clone());
            comparison.back = keys(view, (running, id), &texts, &mut comparison.alone, intents);
        }
    }
    Ok(())
}

/// What differs between two revisions, all files of the bench read; asks for it if it is not there
/// yet. Where it cannot be had, the bench files alone are compared, and `alone` says why.
fn keys(
    view: &View<'_>,
    (old, new): (Option<&str>, Option<&str>),
    (old_text, new_text): &(Arc<str>, Arc<str>),
    alone: &mut Option<String>,
    intents: &mut Vec<Intent>,
) -> Option<Arc<Vec<Change>>> {
    if old_text == new_text {
        return Some(Arc::default());
    }
    let (Some(old), Some(new)) = (old, new) else {
        return Some(Arc::new(setpoint_bench::diff(&values::of(old_text), &values::of(new_text))));
    };
    match view.answers.changes.get(&(old.to_owned(), new.to_owned())) {
        Some(Ok(changes)) => Some(changes.clone()),
        Some(Err(why)) => {
            *alone = Some(why.clone());
            Some(Arc::new(setpoint_bench::diff(&values::of(old_text), &values::of(new_text))))
        }
        None => {
            let (old, new) = (old.to_owned(), new.to_owned());
            intents.push(HistoryIntent::NeedChanges { old, new }.into());
            None
        }
    }
}

/// The text of a revision; asks for it if it is not there yet.
fn text(view: &View<'_>, id: &str, intents: &mut Vec<Intent>) -> Result<Arc<str>, String> {
    if view.status.revision.as_ref().is_some_and(|running| running.id == id) {
        return Ok(view.status.text.clone());
    }
    match view.answers.texts.get(&id.to_owned()) {
        Some(Ok(text)) => Ok(text.clone()),
        Some(Err(why)) => Err(format!("The text of {id} cannot be read: {why}")),
        None => {
            intents.push(need(id));
            Err(format!("Reading {id}…"))
        }
    }
}

fn compare(old: Arc<str>, new: Arc<str>, running: Arc<str>, unfolded: bool) -> Comparison {
    let context = if unfolded { usize::MAX } else { CONTEXT };
    let rows = side_by_side(&old, &new, context);
    let differs = |row: &Row| matches!(row, Row::Differs(..));
    let differences = (0..rows.len())
        .filter(|&at| differs(&rows[at]) && (at == 0 || !differs(&rows[at - 1])))
        .collect();
    let longest =
        old.lines().chain(new.lines()).map(|line| line.chars().count()).max().unwrap_or(0);
    let folds = unfolded || rows.iter().any(|row| matches!(row, Row::Folded(_)));
    Comparison {
        old,
        new,
        running,
        unfolded,
        rows,
        differences,
        changes: None,
        back: None,
        alone: None,
        folds,
        longest,
    }
}
