//! Putting keys somewhere else, with their comments.

use std::ops::Range;

use super::{batch::Patch, insert, layout, puts::Put, remove, render, spelling::spelt, way::Way};
use crate::document::{Form, Place};

/// What moving a key comes to.
pub(super) enum Shift {
    Nothing,
    Patches(Vec<Patch>),
    /// It cannot be moved as text and is removed and set anew.
    Puts(Vec<Put>),
}

/// Moves a key to another table.
pub(super) fn into(way: &Way<'_>, to: &Way<'_>) -> Shift {
    if !way.exists() || way.path == to.path {
        return Shift::Nothing;
    }
    let text = way.text();
    let place = way.last();
    let spelt = spelt(text, place, way.base(), way.depth());
    let headed = spelt.iter().filter(|(place, ..)| place.form == Form::Headed).count();
    let braces = way.braces().is_some() || to.places.iter().any(|at| at.form == Form::Inline);
    if braces || to.exists() || spelt.is_empty() || (headed > 0 && headed < spelt.len()) {
        let is_value = matches!(place.form, Form::Plain | Form::Date | Form::List | Form::Inline);
        let bytes = is_value.then(|| text.get(place.span.clone()).unwrap_or_default().to_owned());
        let gone = Put { path: way.path.clone(), value: None, bytes: None };
        let added = Put { path: to.path.clone(), value: Some(way.value.clone()), bytes };
        return Shift::Puts(vec![gone, added]);
    }
    if headed > 0 {
        return Shift::Patches(tables_into(way, to, &spelt));
    }
    let count = insert::header_above(to, place.form == Form::Dotted);
    // A table that is made at the top has a header.
    let above = to.path.names().len().saturating_sub(1);
    let count = count.or_else(|| (to.depth() == 0 && above > 0).then_some(above));
    let from = count.unwrap_or_else(|| insert::spelt_from(to));
    let names = to.path.names().get(from..).unwrap_or_default();
    let mut lines = Vec::new();
    for (statement, spelt, count) in &spelt {
        let mut key = render::dotted(names);
        let (last, next) = (spelt.last(), spelt.get(*count));
        if let (Some(last), Some(next)) = (last, next) {
            let dot = if key.is_empty() { "" } else { "." };
            key = format!("{key}{dot}{}", text.get(next.start..last.end).unwrap_or_default());
        }
        let start = spelt.first().map_or(statement.span.start, |name| name.start);
        let above = way.layout.comments_above(way.document, start)..layout::line_start(text, start);
        let tail = last.map_or(statement.span.start, |last| last.end);
        let tail = text.get(tail..statement.span.end).unwrap_or_default().to_owned()
            + layout::line(text, statement.span.end);
        let above = text.get(above).unwrap_or_default().to_owned();
        lines.push((start, insert::whole(key, above, tail)));
    }
    lines.sort_by_key(|(start, _)| *start);
    let lines: Vec<insert::Line> = lines.into_iter().map(|(_, line)| line).collect();
    let mut patches = cuts(text, &blocks(way), false);
    patches.push(match count {
        None => insert::after_last_key(to, &lines),
        Some(count) => insert::under_header(to, &to.above(count), lines),
    });
    Shift::Patches(patches)
}

/// Tables with headers go as they are, with other names in front.
fn tables_into(
    way: &Way<'_>,
    to: &Way<'_>,
    spelt: &[(&Place, Vec<Range<usize>>, usize)],
) -> Vec<Patch> {
    let text = way.text();
    let name = render::dotted(to.path.names());
    let mut heads: Vec<Range<usize>> = spelt
        .iter()
        .filter_map(|(_, names, count)| {
            Some(names.first()?.start..names.get(count.checked_sub(1)?)?.end)
        })
        .collect();
    heads.sort_by_key(|bytes| bytes.start);
    let mut heads = heads.into_iter().peekable();
    let blocks = blocks(way);
    let mut written = String::new();
    for block in &blocks {
        let line_end = layout::line_end(text, block.end);
        if !written.is_empty() && is_spaced(text, block) {
            written.push_str(line_end);
        }
        let mut done = block.start;
        while let Some(head) = heads.next_if(|head| head.start < block.end) {
            written.push_str(text.get(done..head.start).unwrap_or_default());
            written.push_str(&name);
            done = head.end;
        }
        written.push_str(text.get(done..block.end).unwrap_or_default());
        if !written.ends_with('\n') {
            written.push_str(line_end);
        }
    }
    let mut patches = cuts(text, &blocks, true);
    patches.push(insert::table_text(to, written));
    patches
}

/// Moves a key in front of another of its table, or behind it. `None` if it cannot stand there.
/// Between braces, see [`super::order`].
pub(super) fn beside(way: &Way<'_>, anchor: &Way<'_>, before: bool) -> Option<Vec<Patch>> {
    let text = way.text();
    let headed = |way: &Way<'_>| {
        let spelt = spelt(text, way.last(), way.base(), way.depth());
        let headed = spelt.iter().filter(|(place, ..)| place.form == Form::Headed).count();
        (headed == 0 || headed == spelt.len()).then_some(headed > 0)
    };
    let tables = headed(way)?;
    if headed(anchor)? != tables {
        return None;
    }
    let (moved, others) = (blocks(way), blocks(anchor));
    let at = if before { others.first()?.start } else { others.last()?.end };
    if let [one] = moved.as_slice()
        && (one.start..=one.end).contains(&at)
    {
        return Some(Vec::new());
    }
    let line_end = layout::line_end(text, at);
    let spaced = tables && moved.iter().chain(&others).any(|block| is_spaced(text, block));
    let mut written = String::new();
    for block in &moved {
        if spaced && !written.is_empty() {
            written.push_str(line_end);
        }
        written.push_str(text.get(block.clone())?);
        if !written.ends_with('\n') {
            written.push_str(line_end);
        }
    }
    match (spaced, before) {
        (true, true) => written.push_str(line_end),
        (true, false) => written.insert_str(0, line_end),
        (false, _) => {}
    }
    if at == text.len() && !text.ends_with('\n') {
        written.insert_str(0, line_end);
        written.truncate(written.len() - line_end.len());
    }
    let mut patches = cuts(text, &moved, tables);
    patches.push(Patch { bytes: at..at, text: written, tables });
    Some(patches)
}

/// The lines of a key and everything below it, comments right above included: for each stretch in
/// which nothing else stands.
fn blocks(way: &Way<'_>) -> Vec<Range<usize>> {
    let text = way.text();
    let mut all = Vec::new();
    layout::statements(way.last(), &mut |bytes, header| all.push((bytes, header)));
    all.sort_by_key(|(bytes, _)| bytes.start);
    let mut blocks: Vec<(Range<usize>, usize)> = Vec::new();
    let headed = all.iter().any(|(_, header)| *header);
    for (bytes, _) in all {
        let end = layout::next_line(text, bytes.end);
        match blocks.last_mut() {
            Some((block, last)) if way.layout.follows(way.document, *last, bytes.start) => {
                *block = block.start..end;
                *last = bytes.start;
            }
            _ => {
                let start = way.layout.comments_above(way.document, bytes.start);
                blocks.push((start..end, bytes.start));
            }
        }
    }
    let blocks = blocks.into_iter().map(|(block, _)| block);
    if !headed {
        return blocks.collect();
    }
    blocks.map(|block| block.start..layout::after_comments(text, block.end)).collect()
}

fn cuts(text: &str, blocks: &[Range<usize>], tables: bool) -> Vec<Patch> {
    let mut cuts = blocks.to_vec();
    if tables {
        cuts.iter_mut().for_each(|bytes| remove::close_gap(text, bytes));
    }
    // Whether the last line has an end is seen to when all is done.
    cuts.into_iter().map(|bytes| Patch::new(bytes, String::new())).collect()
}

/// Whether an empty line stands before or after a block.
fn is_spaced(text: &str, block: &Range<usize>) -> bool {
    let before = layout::line_start(text, block.start.saturating_sub(1));
    let blank = |at: usize| layout::line(text, at).trim().is_empty();
    (before < block.start && blank(before)) || (block.end < text.len() && blank(block.end))
}
