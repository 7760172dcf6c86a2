//! Patches to one text that do not disturb each other.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashSet},
    ops::{Bound, Range},
};

use super::layout::Layout;
use crate::{document::Document, path::KeyPath};

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
    /// A table that the patches make or rewrite as a whole: no other edit below it can be planned
    /// by the old text.
    pub(super) claims: Option<KeyPath>,
}

#[derive(Default)]
pub(super) struct Batch {
    patches: Vec<Patch>,
    /// Ends of the stretches to be replaced, by their beginnings.
    stretches: BTreeMap<usize, usize>,
    insertions: BTreeMap<usize, ()>,
    /// Keys that are edited.
    keys: HashSet<KeyPath>,
    /// Keys above them.
    above: HashSet<KeyPath>,
    layout: OnceCell<Layout>,
}

impl Batch {
    /// The layout of the text that the batch is for.
    pub(super) fn layout(&self, document: &Document) -> &Layout {
        self.layout.get_or_init(|| Layout::new(document))
    }

    /// Whether an edit of a key, of one above it or of one below it waits in the batch.
    pub(super) fn concerns(&self, path: &KeyPath) -> bool {
        let names = path.names();
        self.above.contains(path)
            || (0..=names.len())
                .any(|count| self.keys.contains(&KeyPath::new(names[..count].iter().cloned())))
    }

    /// Adds the patches of one edit; false, and nothing added, if they meet others. An empty batch
    /// takes whatever comes.
    pub(super) fn take(&mut self, path: &KeyPath, patches: Patches) -> bool {
        let claimed = patches.claims.as_ref().is_some_and(|claims| self.concerns(claims));
        let meets = claimed || patches.list.iter().any(|patch| self.meets(&patch.bytes));
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
        for mut key in [Some(path.clone()), patches.claims].into_iter().flatten() {
            self.keys.insert(key.clone());
            while let Some(parent) = key.parent() {
                self.above.insert(parent.clone());
                key = parent;
            }
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

    /// The text with the patches in it.
    pub(super) fn written(&self, text: &str) -> String {
        let mut order: Vec<&Patch> = self.patches.iter().collect();
        // Stable: insertions at one place stay in the order they were asked for.
        order.sort_by_key(|patch| (patch.bytes.start, patch.bytes.end, patch.tables));
        let mut written = String::with_capacity(text.len() + 64);
        let mut done = 0;
        for patch in order {
            written.push_str(text.get(done..patch.bytes.start).unwrap_or_default());
            written.push_str(&patch.text);
            done = patch.bytes.end.max(done);
        }
        written.push_str(text.get(done..).unwrap_or_default());
        written
    }
}
