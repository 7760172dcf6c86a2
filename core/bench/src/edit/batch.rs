//! Patches to one text that do not disturb each other.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
};

use super::{annotate, keys::Keys};

/// New text in place of a stretch of old; an insertion where the stretch is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    pub(super) bytes: Range<usize>,
    pub(super) text: String,
    /// Whether it adds tables. At one place keys come first: behind a header they would be another
    /// table's.
    pub(super) tables: bool,
}

impl Patch {
    pub(super) fn new(bytes: Range<usize>, text: String) -> Self {
        Self { bytes, text, tables: false }
    }
}

/// What one edit comes to.
#[derive(Debug, Default)]
pub(super) struct Patches {
    pub(super) list: Vec<Patch>,
    /// The end of a statement whose value changes, and what that was.
    pub(super) changed: Option<(usize, Option<String>)>,
}

impl From<Vec<Patch>> for Patches {
    fn from(list: Vec<Patch>) -> Self {
        Self { list, changed: None }
    }
}

#[derive(Default)]
pub(super) struct Batch {
    patches: Vec<Patch>,
    /// Ends of the stretches to be replaced, by their beginnings.
    stretches: BTreeMap<usize, usize>,
    insertions: BTreeMap<usize, ()>,
    /// Ends of statements whose value changes; what it was, if one value of it changes.
    changed: BTreeMap<usize, Option<String>>,
    /// Keys that are edited.
    pub(super) keys: Keys,
}

impl Batch {
    /// Adds the patches of one edit; false, and nothing added, if they meet others. An empty batch
    /// takes whatever comes.
    pub(super) fn take(&mut self, patches: Patches) -> bool {
        let meets = patches.list.iter().any(|patch| self.meets(&patch.bytes));
        if meets && !self.patches.is_empty() {
            return false;
        }
        for patch in &patches.list {
            if patch.bytes.is_empty() {
                self.insertions.insert(patch.bytes.start, ());
            } else {
                self.stretches.insert(patch.bytes.start, patch.bytes.end);
            }
        }
        self.patches.extend(patches.list);
        if let Some((end, was)) = patches.changed {
            self.changed.entry(end).and_modify(|was| *was = None).or_insert(was);
        }
        true
    }

    fn meets(&self, bytes: &Range<usize>) -> bool {
        let reach = if bytes.is_empty() { bytes.start } else { bytes.end };
        let before = self.stretches.range(..reach).next_back();
        let inside = (Bound::Excluded(bytes.start), Bound::Excluded(bytes.end));
        before.is_some_and(|(_, end)| *end > bytes.start)
            || (bytes.len() > 1 && self.insertions.range(inside).next().is_some())
    }

    /// The text with the patches in it; with remarks on changed values if there is a time for them.
    pub(super) fn written(&self, text: &str, now: Option<&str>) -> String {
        let remark = |(end, was): (&usize, &Option<String>)| {
            Some(annotate::changed(text, *end, was.as_deref(), now?))
        };
        let remarks: Vec<Patch> = self.changed.iter().filter_map(remark).collect();
        let mut order: Vec<&Patch> = self.patches.iter().chain(&remarks).collect();
        // Stable: insertions at one place stay in the order they were asked for.
        order.sort_by_key(|patch| (patch.bytes.start, patch.bytes.end, patch.tables));
        let mut written = String::with_capacity(text.len() + 64);
        let mut done = 0;
        for patch in order {
            written.push_str(text.get(done..patch.bytes.start).unwrap_or_default());
            // Nothing is left that an empty line could part it from.
            let first = patch.tables && written.trim_start_matches('\u{feff}').is_empty();
            let added = &patch.text;
            written.push_str(if first { added.trim_start_matches(['\r', '\n']) } else { added });
            done = patch.bytes.end.max(done);
        }
        written.push_str(text.get(done..).unwrap_or_default());
        written
    }
}
