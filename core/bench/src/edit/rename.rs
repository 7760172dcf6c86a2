//! Giving a key another name.

use std::{collections::HashSet, ops::Range};

use super::{batch::Patch, inline, spelling, way::Way};
use crate::document::Form;

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
    let all = inline::items(table);
    let starts = inline::starts(text, table, &all);
    let gone: HashSet<usize> =
        inline::items_of(way.last()).iter().map(|item| item.span.start).collect();
    let items = all.iter().zip(starts).filter(|(item, _)| gone.contains(&item.span.start));
    let nth = |start: usize| spelling::names(text, start).into_iter().nth(depth - braces - 1);
    items.filter_map(|(_, start)| nth(start)).map(patch).collect()
}
