//! Taking keys out of a text.

use std::ops::Range;

use super::{
    batch::{Patch, Patches},
    layout,
    plan::Way,
};
use crate::document::{Form, Place};

/// The patches that take a key and everything below it out. Comments on lines of their own stay.
pub(super) fn remove(way: &Way<'_>) -> Patches {
    let above = way.places.get(..way.depth()).unwrap_or_default();
    if let Some(depth) = above.iter().rposition(|place| place.form == Form::Inline) {
        let list = way.places.get(depth).map(|table| from_inline(way, table)).unwrap_or_default();
        return Patches { list, claims: Some(way.above(depth)) };
    }
    Patches { list: lines(way.text(), way.last()), claims: None }
}

/// Whole lines.
fn lines(text: &str, place: &Place) -> Vec<Patch> {
    let mut gone: Vec<Range<usize>> = Vec::new();
    let mut has_header = false;
    layout::statements(place, &mut |bytes, is_header| {
        has_header |= is_header;
        gone.push(layout::line_start(text, bytes.start)..layout::next_line(text, bytes.end));
    });
    gone.sort_by_key(|bytes| bytes.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for bytes in gone {
        match joined.last_mut() {
            // Empty lines between lines that go have nothing to part any more.
            Some(last) if has_header && is_blank(text, last.end..bytes.start) => {
                last.end = bytes.end;
            }
            Some(last) if last.end >= bytes.start => last.end = bytes.end,
            _ => joined.push(bytes),
        }
    }
    if has_header {
        joined.iter_mut().for_each(|bytes| close_gap(text, bytes));
    }
    if let Some(last) = joined.last_mut() {
        keep_ending(text, last);
    }
    joined.into_iter().map(|bytes| Patch::new(bytes, String::new())).collect()
}

/// Of the empty lines before and after a table that goes, those after it go too.
fn close_gap(text: &str, bytes: &mut Range<usize>) {
    let before = text.get(..bytes.start).unwrap_or_default();
    let line_before = before.trim_end_matches(['\r', '\n']);
    let blank_before = before.trim_start_matches('\u{feff}').is_empty()
        || before[line_before.len()..].matches('\n').count() > 1;
    if !blank_before {
        return;
    }
    while bytes.end < text.len() && layout::line(text, bytes.end).trim().is_empty() {
        bytes.end = layout::next_line(text, bytes.end);
    }
    // At the end of the text nothing follows that the lines before could part.
    if bytes.end == text.len() && bytes.start > line_before.len() {
        let keep = layout::next_line(text, line_before.len());
        bytes.start = keep.min(bytes.start);
    }
}

/// A text without a line end at its end goes without one.
fn keep_ending(text: &str, bytes: &mut Range<usize>) {
    if bytes.end == text.len() && !text.ends_with('\n') {
        let before = text.get(..bytes.start).unwrap_or_default();
        let before = before.strip_suffix('\n').unwrap_or(before);
        bytes.start = before.strip_suffix('\r').unwrap_or(before).len();
    }
}

fn is_blank(text: &str, bytes: Range<usize>) -> bool {
    text.get(bytes).is_some_and(|between| between.trim().is_empty())
}

/// Keys of one inline table, in the order they stand.
pub(super) fn items<'p>(table: &'p Place, found: &mut Vec<&'p Place>) {
    for part in &table.parts {
        if part.form == Form::InlineDotted {
            items(part, found);
        } else {
            found.push(part);
        }
    }
    found.sort_by_key(|item| item.span.start);
}

/// Items between braces, each with one comma.
fn from_inline(way: &Way<'_>, table: &Place) -> Vec<Patch> {
    let text = way.text();
    let mut all = Vec::new();
    items(table, &mut all);
    let mut gone = Vec::new();
    match way.last().form {
        Form::InlineDotted => items(way.last(), &mut gone),
        _ => gone.push(way.last()),
    }
    let going: Vec<bool> =
        all.iter().map(|item| gone.iter().any(|gone| gone.span == item.span)).collect();
    let inner = table.span.start + 1..table.span.end.saturating_sub(1);
    if going.iter().all(|going| *going) {
        return vec![Patch::new(inner, String::new())];
    }
    let end = |index: usize| all.get(index).map_or(inner.end, |item| item.span.end);
    // Where the first name of an item stands, which for a dotted key is not its last.
    let start = |index: usize| skip_to_key(text, index.checked_sub(1).map_or(inner.start, end));
    let last_kept = going.iter().rposition(|going| !going).unwrap_or(0);
    let mut patches = Vec::new();
    for index in (0..all.len()).filter(|index| going.get(*index) == Some(&true)) {
        let bytes = if index < last_kept {
            start(index)..start(index + 1)
        } else {
            end(index.saturating_sub(1))..end(index)
        };
        patches.push(Patch::new(bytes, String::new()));
    }
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
