//! Taking keys out of a text.

use std::ops::Range;

use super::{annotate, batch::Patch, layout, way::Way};
use crate::document::Place;

/// The patches that take a key and everything below it out with its lines. Comments on lines of
/// their own stay, but for those that say when what goes was added.
pub(super) fn remove(way: &Way<'_>) -> Vec<Patch> {
    let text = way.text();
    let mut patches = lines(text, way.last(), way.now.is_some() && is_remarkable(way));
    let Some(now) = way.now.filter(|_| is_remarkable(way)) else { return patches };
    let ids: Vec<String> = match way.path.names() {
        [_, id] => vec![id.clone()],
        _ => {
            let table = way.value.as_table();
            table.into_iter().flat_map(|table| table.keys()).map(|id| id.to_owned()).collect()
        }
    };
    if let Some(first) = patches.first_mut() {
        let line_end = layout::line_end(text, first.bytes.start);
        let start = layout::line_start(text, first.bytes.start) == first.bytes.start;
        for id in &ids {
            let remark = annotate::removed(id, now);
            let one = if start { remark + line_end } else { line_end.to_owned() + &remark };
            first.text.push_str(&one);
        }
        // The last line of the text had no end.
        if start && first.bytes.end == text.len() && !text.ends_with('\n') {
            let length = first.text.len() - line_end.len();
            first.text.truncate(length);
        }
    }
    for id in &ids {
        let old = way.layout.removed(way.document, id).iter();
        let gone = |line: &&Range<usize>| {
            !patches
                .iter()
                .any(|patch| patch.bytes.start <= line.start && line.end <= patch.bytes.end)
        };
        let old: Vec<Patch> =
            old.filter(gone).map(|line| Patch::new(line.clone(), String::new())).collect();
        patches.extend(old);
    }
    patches
}

/// Whether it is told that this is gone: a component, or a table of components.
fn is_remarkable(way: &Way<'_>) -> bool {
    match way.path.names() {
        [group] => annotate::is_group(group) && way.value.as_table().is_some(),
        _ => annotate::is_component(way.path),
    }
}

/// Whole lines; `told` if a remark comes in their place.
fn lines(text: &str, place: &Place, told: bool) -> Vec<Patch> {
    let mut gone: Vec<Range<usize>> = Vec::new();
    let mut has_header = false;
    layout::statements(place, &mut |bytes, is_header| {
        has_header |= is_header;
        let start = layout::line_start(text, bytes.start);
        gone.push(with_remark(text, start)..layout::next_line(text, bytes.end));
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
        let from = usize::from(told);
        joined.iter_mut().skip(from).for_each(|bytes| close_gap(text, bytes));
    }
    if let Some(last) = joined.last_mut() {
        keep_ending(text, last);
    }
    joined.into_iter().map(|bytes| Patch::new(bytes, String::new())).collect()
}

/// The beginning of the line that says when the one at an offset was added, if one does.
fn with_remark(text: &str, start: usize) -> usize {
    let before = layout::line_start(text, start.saturating_sub(1));
    if before < start && annotate::is_added(layout::line(text, before)) { before } else { start }
}

/// Of the empty lines before and after a table that goes, those after it go too.
pub(super) fn close_gap(text: &str, bytes: &mut Range<usize>) {
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
