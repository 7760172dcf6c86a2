//! Giving a key another name.

use std::ops::Range;

use super::{batch::Patch, inline, spelling, way::Way};
use crate::document::{Form, Place};

/// The patches that change the last name of a path wherever it is spelt.
pub(super) fn patches(way: &Way<'_>, name: &str) -> Vec<Patch> {
    let text = way.text();
    let depth = way.depth();
    if !way.exists() || depth == 0 || way.path.last() == Some(name) {
        return Vec::new();
    }
    let patch = |bytes: Range<usize>| {
        let new = spelling::like(text.get(bytes.clone()).unwrap_or_default(), name);
        Patch::new(bytes, new)
    };
    let Some(braces) = way.braces() else {
        let spelt = spelling::spelt(text, way.last(), way.base(), depth);
        let nth =
            |(_, names, count): (_, Vec<_>, usize)| names.into_iter().nth(count.checked_sub(1)?);
        return spelt.into_iter().filter_map(nth).map(patch).collect();
    };
    let Some(table) = way.places.get(braces) else { return Vec::new() };
    if let (Some(key), true) = (&way.last().key, way.last().form != Form::InlineDotted) {
        return vec![patch(key.clone())];
    }
    let all = way.layout.items(text, table);
    let start_of = |item: &Place| {
        let index = all.partition_point(|known| known.value.start < item.span.start);
        all.get(index).map(|item| item.start)
    };
    let starts: Vec<usize> =
        inline::items_of(way.last()).into_iter().filter_map(start_of).collect();
    let nth = |start: usize| spelling::names(text, start).into_iter().nth(depth - braces - 1);
    starts.into_iter().filter_map(nth).map(patch).collect()
}
