//! Two texts and what they come to.

use std::sync::Arc;

use setpoint_bench::{
    Change, ChangeKind,
    diff::{Row, side_by_side},
};
use setpoint_runtime::Revision;

use super::{HistoryState, need};
use crate::{
    panel::{intent::Intent, pages::View},
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
    /// Keys that differ, from the revision to what it is compared with.
    pub changes: Vec<Change>,
    /// Keys that differ, from what runs to the revision: what going back would do.
    pub back: Vec<Change>,
    /// Whether lines are folded away, or would be.
    pub folds: bool,
    /// Characters of the longest line.
    pub longest: usize,
}

impl Comparison {
    /// Keys changed, added and removed.
    pub fn counts(&self) -> [usize; 3] {
        [ChangeKind::Changed, ChangeKind::Added, ChangeKind::Removed]
            .map(|kind| self.changes.iter().filter(|change| change.kind == kind).count())
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
    Ok(())
}

/// The text of a revision; asks for it if it is not there yet.
fn text(view: &View<'_>, id: &str, intents: &mut Vec<Intent>) -> Result<Arc<str>, String> {
    if view.status.revision.as_ref().is_some_and(|running| running.id == id) {
        return Ok(view.status.text.clone());
    }
    match view.texts.get(id) {
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
    let (old_values, new_values) = (values::of(&old), values::of(&new));
    let changes = setpoint_bench::diff(&old_values, &new_values);
    let back = if running == new {
        setpoint_bench::diff(&new_values, &old_values)
    } else {
        setpoint_bench::diff(&values::of(&running), &old_values)
    };
    let longest =
        old.lines().chain(new.lines()).map(|line| line.chars().count()).max().unwrap_or(0);
    let folds = unfolded || rows.iter().any(|row| matches!(row, Row::Folded(_)));
    Comparison { old, new, running, unfolded, rows, differences, changes, back, folds, longest }
}
