//! Keys between braces that change places.

use std::rc::Rc;

use super::{batch::Patch, inline, layout::Item, way::Way};
use crate::document::Place;

/// The keys of one inline table in another order: a chain, so that to move one takes the same time
/// in a long table as in a short one.
pub(super) struct Order {
    items: Rc<Vec<Item>>,
    /// For each item, the one behind it; the last entry leads to the first item, and stands behind
    /// the last one.
    next: Vec<usize>,
    /// For each item, the one in front of it.
    before: Vec<usize>,
}

impl Order {
    /// As they stand.
    pub(super) fn new(way: &Way<'_>, table: &Place) -> Self {
        let items = way.layout.items(way.text(), table);
        let count = items.len();
        let next = (1..=count).chain([0]).collect();
        let before = std::iter::once(count).chain(0..count).collect();
        Self { items, next, before }
    }

    /// Puts one key in front of another, or behind it.
    pub(super) fn put(&mut self, moved: &Place, anchor: &Place, in_front: bool) {
        let (moved, anchor) = (self.indices(moved), self.indices(anchor));
        // The items of one key are always in the order in which they stand in the text.
        let found = if in_front { anchor.first() } else { anchor.last() };
        let Some(mut at) = found.copied() else { return };
        for index in &moved {
            let (before, next) = (self.before_of(*index), self.next_of(*index));
            self.join(before, next);
        }
        if in_front {
            at = self.before_of(at);
        }
        let behind = self.next_of(at);
        for index in moved {
            self.join(at, index);
            at = index;
        }
        self.join(at, behind);
    }

    /// The items that a key stands for.
    fn indices(&self, place: &Place) -> Vec<usize> {
        let index =
            |item: &Place| self.items.partition_point(|known| known.value.start < item.span.start);
        inline::items_of(place).into_iter().map(index).collect()
    }

    fn next_of(&self, index: usize) -> usize {
        self.next.get(index).copied().unwrap_or_default()
    }

    fn before_of(&self, index: usize) -> usize {
        self.before.get(index).copied().unwrap_or_default()
    }

    fn join(&mut self, one: usize, next: usize) {
        if let (Some(behind), Some(before)) = (self.next.get_mut(one), self.before.get_mut(next)) {
            (*behind, *before) = (next, one);
        }
    }

    /// The patches for it; what is between the keys stays.
    pub(super) fn patches(&self, text: &str) -> Vec<Patch> {
        let bytes = |index: usize| {
            let item = self.items.get(index)?;
            Some(item.start..item.value.end)
        };
        let count = self.items.len();
        let order = std::iter::successors(Some(self.next_of(count)), |at| Some(self.next_of(*at)));
        let places = order.take(count).enumerate().filter(|(slot, index)| slot != index);
        places
            .filter_map(|(slot, index)| {
                Some(Patch::new(bytes(slot)?, text.get(bytes(index)?)?.to_owned()))
            })
            .collect()
    }
}
