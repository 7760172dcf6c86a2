//! Remarks that edits leave in a text, and how they are known again.

use std::ops::Range;

use super::{batch::Patch, layout, render, spelling};
use crate::path::KeyPath;

const ADDED: &str = "# Added dynamically: ";
const REMOVED: &str = "# Removed: ";
const CHANGED: &str = "# changed ";
const WAS: &str = ", was ";

/// The longest old value that is told, in characters.
const LONGEST: usize = 40;

/// Whether a text is a time as remarks tell it: `2026-01-31T12:00:00Z`.
pub(super) fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00Z";
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        })
}

/// Whether a key is a whole component: an instrument, a source, a module or a template.
pub(super) fn is_component(path: &KeyPath) -> bool {
    match path.names() {
        [group, _] => is_group(group),
        _ => false,
    }
}

/// Whether a top table holds components.
pub(super) fn is_group(name: &str) -> bool {
    matches!(name, "instruments" | "sources" | "modules" | "templates")
}

pub(super) fn added(now: &str) -> String {
    format!("{ADDED}{now}")
}

/// Whether a line says when the one below it was added.
pub(super) fn is_added(line: &str) -> bool {
    line.trim().strip_prefix(ADDED).is_some_and(is_time)
}

pub(super) fn removed(id: &str, now: &str) -> String {
    format!("{REMOVED}{} at {now}", render::key(id))
}

/// The component that a line says was removed.
fn removed_id(line: &str) -> Option<String> {
    let (id, time) = line.trim().strip_prefix(REMOVED)?.rsplit_once(" at ")?;
    let name = spelling::names(id, 0).into_iter().next().filter(|name| name.len() == id.len())?;
    is_time(time).then(|| spelling::meant(id.get(name).unwrap_or_default()))
}

/// The lines that tell of removed components, by their ids. `is_comment` says whether an offset
/// is outside of all statements.
pub(super) fn removed_lines(
    text: &str,
    is_comment: impl Fn(usize) -> bool,
) -> std::collections::HashMap<String, Vec<Range<usize>>> {
    let mut lines: std::collections::HashMap<String, Vec<Range<usize>>> = Default::default();
    for (at, _) in text.match_indices(REMOVED) {
        let bytes = layout::line_start(text, at)..layout::next_line(text, at);
        let alone = text.get(bytes.start..at).is_some_and(|before| before.trim().is_empty());
        if !alone || !is_comment(at) {
            continue;
        }
        if let Some(id) = text.get(at..bytes.end).and_then(removed_id) {
            lines.entry(id).or_default().push(bytes);
        }
    }
    lines
}

/// The remark behind a statement that ends at an offset, in place of the one there is.
pub(super) fn changed(text: &str, end: usize, was: Option<&str>, now: &str) -> Patch {
    let rest = layout::line(text, end);
    let mut remark = format!("{CHANGED}{now}");
    let fits = |was: &&str| {
        was.chars().count() <= LONGEST && !was.contains(|c: char| c == '#' || c.is_control())
    };
    if let Some(was) = was.filter(fits) {
        remark.push_str(WAS);
        remark.push_str(was);
    }
    match ours(rest) {
        Some(bytes) => {
            let space = if rest.len() > bytes.end { " " } else { "" };
            Patch::new(end + bytes.start..end + bytes.end, remark + space)
        }
        None => {
            let before = rest.trim_end();
            let gap = if before.is_empty() { "  " } else { " " };
            let at = end + before.len();
            Patch::new(at..at, format!("{gap}{remark}"))
        }
    }
}

/// Where a comment holds a remark on a change: up to the next `#`, which someone else wrote.
fn ours(comment: &str) -> Option<Range<usize>> {
    comment.match_indices(CHANGED).find_map(|(start, _)| {
        let time = start + CHANGED.len();
        let after = time + 20;
        comment.get(time..after).filter(|time| is_time(time))?;
        let rest = comment.get(after..)?;
        let end = rest.find('#').unwrap_or(rest.len());
        let told = rest.get(..end)?;
        (told.trim().is_empty() || told.starts_with(WAS)).then_some(start..after + end)
    })
}
