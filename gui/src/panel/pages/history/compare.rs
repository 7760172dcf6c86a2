//! Two texts and what they come to.

use std::sync::Arc;

use setpoint_bench::{
    Change, ChangeKind,
    diff::{Row, side_by_side},
    layers::bundle,
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

/// One row of two texts beside each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Here begins a file of the bench; only where there are several.
    File(String),
    /// Lines of it.
    Lines(Row),
}

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
    pub rows: Vec<Shown>,
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
        let name = view.status.bench.path.file_name().unwrap_or_default().to_string_lossy();
        state.comparison = Some(compare(&name, old, new, running, state.unfolded));
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

/// Both texts file by file, each with its own line numbers: a revision of a bench of several files
/// keeps the others behind the bench file, as comments. `name` is the bench file's.
fn rows(name: &str, old: &str, new: &str, context: usize) -> Vec<Shown> {
    let ((old_main, old_files), (new_main, new_files)) = (bundle::unpack(old), bundle::unpack(new));
    let lines =
        |old: &str, new: &str| side_by_side(old, new, context).into_iter().map(Shown::Lines);
    if old_files.is_empty() && new_files.is_empty() {
        return lines(old_main, new_main).collect();
    }
    let mut rows = vec![Shown::File(name.to_owned())];
    rows.extend(lines(old_main, new_main));
    let text = |files: &[(String, String)], name: &str| {
        files.iter().find(|(one, _)| one == name).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let added = new_files.iter().filter(|(name, _)| !old_files.iter().any(|(old, _)| old == name));
    for (name, _) in old_files.iter().chain(added) {
        rows.push(Shown::File(name.clone()));
        rows.extend(lines(&text(&old_files, name), &text(&new_files, name)));
    }
    rows
}

fn compare(
    name: &str,
    old: Arc<str>,
    new: Arc<str>,
    running: Arc<str>,
    unfolded: bool,
) -> Comparison {
    let context = if unfolded { usize::MAX } else { CONTEXT };
    let rows = rows(name, &old, &new, context);
    let differs = |row: &Shown| matches!(row, Shown::Lines(Row::Differs(..)));
    let differences = (0..rows.len())
        .filter(|&at| differs(&rows[at]) && (at == 0 || !differs(&rows[at - 1])))
        .collect();
    let longest =
        old.lines().chain(new.lines()).map(|line| line.chars().count()).max().unwrap_or(0);
    let folds = unfolded || rows.iter().any(|row| matches!(row, Shown::Lines(Row::Folded(_))));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(main: &str, others: &[(&str, &str)]) -> String {
        bundle::pack(main, others.iter().copied())
    }

    #[test]
    fn files_of_a_bench_are_compared_each_with_its_own_lines() {
        let old = packed("a = 1\n", &[("one.toml", "b = 1\n"), ("gone.toml", "c = 1\n")]);
        let new = packed("a = 1\n", &[("one.toml", "b = 2\n"), ("new.toml", "d = 1\n")]);
        let rows = rows("bench.toml", &old, &new, 4);
        let files: Vec<&str> = rows
            .iter()
            .filter_map(|row| match row {
                Shown::File(name) => Some(name.as_str()),
                Shown::Lines(_) => None,
            })
            .collect();
        assert_eq!(files, ["bench.toml", "one.toml", "gone.toml", "new.toml"]);
        let numbers: Vec<_> = rows
            .iter()
            .filter_map(|row| match row {
                Shown::Lines(Row::Differs(old, new)) => {
                    Some([old, new].map(|line| line.as_ref().map(|line| line.number)))
                }
                _ => None,
            })
            .collect();
        assert_eq!(numbers, [[Some(1), Some(1)], [Some(1), None], [None, Some(1)]]);
    }

    #[test]
    fn a_bench_of_one_file_needs_no_name() {
        let rows = rows("bench.toml", "a = 1\n", "a = 2\n", 4);
        assert!(rows.iter().all(|row| matches!(row, Shown::Lines(_))));
    }
}
