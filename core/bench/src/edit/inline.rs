//! Adding keys between the braces of one table, and taking them out.

use std::{collections::HashSet, ops::Range};

use super::{batch::Patch, layout};
use crate::document::{Form, Place};

/// Keys of one inline table, in the order they stand.
pub(super) fn items(table: &Place) -> Vec<&Place> {
    fn collect<'p>(table: &'p Place, found: &mut Vec<&'p Place>) {
        for part in &table.parts {
            if part.form == Form::InlineDotted {
                collect(part, found);
            } else {
                found.push(part);
            }
        }
    }
    let mut found = Vec::new();
    collect(table, &mut found);
    found.sort_by_key(|item| item.span.start);
    found
}

/// The items that one key of an inline table stands for.
pub(super) fn items_of(place: &Place) -> Vec<&Place> {
    if place.form == Form::InlineDotted { items(place) } else { vec![place] }
}

/// What is between the braces.
pub(super) fn inner(table: &Place) -> Range<usize> {
    table.span.start + 1..table.span.end.saturating_sub(1)
}

/// Where each item begins, the first name of its key included.
pub(super) fn starts(text: &str, table: &Place, items: &[&Place]) -> Vec<usize> {
    let before = std::iter::once(inner(table).start).chain(items.iter().map(|item| item.span.end));
    before.take(items.len()).map(|before| skip_to_key(text, before)).collect()
}

/// The patches that take items out, each with one comma, and add others (`a = 1`) at the end.
pub(super) fn patches(text: &str, table: &Place, gone: &[&Place], added: &[String]) -> Vec<Patch> {
    let all = items(table);
    let gone: HashSet<usize> = gone.iter().map(|item| item.span.start).collect();
    let going: Vec<bool> = all.iter().map(|item| gone.contains(&item.span.start)).collect();
    let inner = inner(table);
    let Some(last_kept) = going.iter().rposition(|going| !going) else {
        let written =
            if added.is_empty() { String::new() } else { format!(" {} ", added.join(", ")) };
        // Comments between the braces stay.
        let comments = all.is_empty() && text.get(inner.clone()).is_some_and(|i| i.contains('#'));
        let bytes = if comments { inner.start..inner.start } else { inner };
        return vec![Patch::new(bytes, written)];
    };
    let end = |index: usize| all.get(index).map_or(inner.end, |item| item.span.end);
    let starts = starts(text, table, &all);
    let start = |index: usize| starts.get(index).copied().unwrap_or(inner.end);
    let mut patches = Vec::new();
    for index in (0..all.len()).filter(|index| going.get(*index) == Some(&true)) {
        let bytes = if index < last_kept {
            start(index)..start(index + 1)
        } else {
            end(index.saturating_sub(1))..end(index)
        };
        patches.push(Patch::new(bytes, String::new()));
    }
    let at = end(last_kept);
    patches.extend(added.iter().map(|item| Patch::new(at..at, format!(", {item}"))));
    patches
}

/// Past spaces, line ends, comments and commas.
fn skip_to_key(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let next = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        at += rest.len() - next.len();
        if !next.starts_with('#') {
            return at;
        }
        at = layout::next_line(text, at);
    }
}
