//! Adding keys to a text.

use std::ops::Range;

use super::{annotate, batch::Patch, layout, remove, render, spelling, way::Way};
use crate::{
    document::Form,
    path::KeyPath,
    schema::{self, Kind},
    value::Value,
};

/// The patches that add a key which is not there, outside of braces; `bytes` is how its value is
/// to be written.
pub(super) fn insert(way: &Way<'_>, new: &Value, bytes: Option<&str>) -> Vec<Patch> {
    let mut patches = vec![added(way, new, bytes)];
    if way.now.is_some() {
        let ids = components(way.path, new);
        let mut lines: Vec<_> =
            ids.iter().flat_map(|id| way.layout.removed(way.document, id)).cloned().collect();
        lines.sort_by_key(|line| line.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for line in lines {
            match joined.last_mut() {
                Some(last) if last.end == line.start => last.end = line.end,
                _ => joined.push(line),
            }
        }
        patches.extend(joined.into_iter().map(|mut bytes| {
            remove::close_gap(way.text(), &mut bytes);
            Patch::new(bytes, String::new())
        }));
    }
    patches
}

/// The ids of the components that a value holds.
fn components(path: &KeyPath, value: &Value) -> Vec<String> {
    match path.names() {
        [_, id] if annotate::is_component(path) => vec![id.clone()],
        [group] if annotate::is_group(group) => {
            let table = value.as_table();
            table.into_iter().flat_map(|table| table.keys()).map(|id| id.to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

fn added(way: &Way<'_>, new: &Value, bytes: Option<&str>) -> Patch {
    let names = way.path.names();
    match header_above(way, matches!(new, Value::Table(_))) {
        None => {
            let lines = lines(&names[spelt_from(way)..], way.path, new, bytes);
            after_last_key(way, &lines)
        }
        Some(count) => {
            let mut blocks = Vec::new();
            if count == names.len() {
                tables(way.path, new, &mut blocks);
            } else {
                let lines = lines(&names[count..], way.path, new, bytes);
                blocks.push(Block { header: way.above(count), lines });
            }
            new_tables(way, &blocks)
        }
    }
}

/// How many names of a key that is to be added are in the header above it.
pub(super) fn spelt_from(way: &Way<'_>) -> usize {
    if way.last().form == Form::Dotted { way.owner() } else { way.depth() }
}

/// How many names of a key that is to be added go into a header of its own: that of the nearest
/// table that has a header, or ought to have one. None, if it can do without.
pub(super) fn header_above(way: &Way<'_>, is_table: bool) -> Option<usize> {
    if way.last().form == Form::Dotted {
        return None;
    }
    let (depth, count) = (way.depth(), way.path.names().len());
    let deepest = if is_table { count } else { count.saturating_sub(1) };
    let headed = (depth + 1..=deepest).rev().find(|count| {
        let node = schema::at(&way.above(*count));
        node.is_some_and(|node| node.key.is_some() && node.kind().has_header())
    });
    headed.or_else(|| (way.last().form == Form::Implied).then_some(depth))
}

/// The table, or the key, that adding a key makes: no other edit is to make it too.
pub(super) fn made(way: &Way<'_>, is_table: bool) -> KeyPath {
    let depth = way.depth();
    way.above(header_above(way, is_table).map_or(depth + 1, |count| count.min(depth + 1)))
}

/// A header and the lines under it.
struct Block {
    header: KeyPath,
    lines: Vec<Line>,
}

/// A key and its value.
pub(super) struct Line {
    pub(super) key: String,
    /// Its last name as it is written.
    pub(super) name: String,
    pub(super) content: Content,
}

/// What stands behind a key.
pub(super) enum Content {
    Value(Value),
    /// The value as it is to be written.
    Bytes(String),
    /// Comments above it, and everything behind the key up to the end of its line.
    Whole {
        above: String,
        tail: String,
    },
}

/// A value as lines under a header: one, or one for each parameter of `set` and `limits`.
fn lines(names: &[String], path: &KeyPath, value: &Value, bytes: Option<&str>) -> Vec<Line> {
    match value {
        Value::Table(table) if !table.is_empty() && spreads(path) => table
            .iter()
            .flat_map(|(name, value)| {
                let mut names = names.to_vec();
                names.push(name.to_owned());
                lines(&names, &path.child(name), value, None)
            })
            .collect(),
        _ => vec![Line {
            key: render::dotted(names),
            name: names.last().map(|name| render::key(name)).unwrap_or_default(),
            content: match bytes {
                Some(bytes) => Content::Bytes(bytes.to_owned()),
                None => Content::Value(value.clone()),
            },
        }],
    }
}

impl Line {
    /// As it is written, with the lines above it; `like` is how a value beside it is.
    fn written(&self, indent: &str, equals: &str, like: Option<&str>) -> String {
        let Self { key, content, .. } = self;
        match content {
            Content::Value(value) => {
                // A whole number is not made a fraction, or the other way round, by its neighbours.
                let like =
                    like.filter(|like| matches!(value, Value::Float(_)) && like.contains('.'));
                format!("{indent}{key}{equals}{}", render::value(value, like))
            }
            Content::Bytes(bytes) => format!("{indent}{key}{equals}{bytes}"),
            Content::Whole { above, tail } => format!("{above}{indent}{key}{tail}"),
        }
    }
}

/// Whether a table is written as one line for each of its keys, not between braces.
fn spreads(path: &KeyPath) -> bool {
    match schema::covering(path).kind() {
        Kind::Line | Kind::Roles | Kind::With => false,
        Kind::Module | Kind::Template => schema::at(path).is_some(),
        _ => true,
    }
}

/// A table and the tables below it that have headers of their own.
fn tables(path: &KeyPath, value: &Value, blocks: &mut Vec<Block>) {
    let Some(table) = value.as_table() else { return };
    let has_header = |name: &str| {
        let node = schema::at(&path.child(name));
        node.is_some_and(|node| node.key.is_some() && node.kind().has_header())
    };
    let (headed, plain): (Vec<_>, Vec<_>) =
        table.iter().partition(|(name, value)| value.as_table().is_some() && has_header(name));
    if !plain.is_empty() || headed.is_empty() {
        let mut all = Vec::new();
        for (name, value) in plain {
            all.extend(lines(&[name.to_owned()], &path.child(name), value, None));
        }
        blocks.push(Block { header: path.clone(), lines: all });
    }
    for (name, value) in headed {
        tables(&path.child(name), value, blocks);
    }
}

/// Tables after the last one of the table that they belong to.
fn new_tables(way: &Way<'_>, blocks: &[Block]) -> Patch {
    let line_end = layout::line_end(way.text(), after_last_table(way));
    let mut written = String::new();
    let mut component: Option<&[String]> = None;
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            written.push_str(line_end);
        }
        let names = block.header.names();
        let whole = names.get(..names.len().min(2));
        if let Some(now) = way.now.filter(|_| component != whole) {
            written.push_str(&format!("{}{line_end}", annotate::added(now)));
        }
        component = whole;
        written.push_str(&format!("[{}]{line_end}", block.header));
        for line in &block.lines {
            written.push_str(&line.written("", " = ", None));
            written.push_str(line_end);
        }
    }
    table_text(way, written)
}

/// Lines in a table that is made for them.
pub(super) fn under_header(way: &Way<'_>, header: &KeyPath, lines: Vec<Line>) -> Patch {
    new_tables(way, &[Block { header: header.clone(), lines }])
}

/// Where a table is added: after the last one of the table that it belongs to.
fn after_last_table(way: &Way<'_>) -> usize {
    let above = way.path.names().get(..way.depth()).unwrap_or_default();
    let end = way.layout.end_below(way.document, above, way.last());
    end.map_or(way.text().len(), |end| way.layout.after_table(way.document, end))
}

/// Whole tables as text, each line with its end, with empty lines around them.
pub(super) fn table_text(way: &Way<'_>, written: String) -> Patch {
    let text = way.text();
    let at = after_last_table(way);
    let line_end = layout::line_end(text, at);
    let mut added = String::new();
    let before = text.get(..at).unwrap_or_default();
    let open = !before.is_empty() && !before.ends_with(['\n', '\u{feff}']);
    if open {
        added.push_str(line_end);
    }
    if !before.trim_start_matches('\u{feff}').trim().is_empty() {
        added.push_str(line_end);
    }
    added.push_str(&written);
    if at < text.len() && !layout::line(text, at).trim().is_empty() {
        added.push_str(line_end);
    }
    if open {
        added.truncate(added.len() - line_end.len());
    }
    Patch { bytes: at..at, text: added, tables: true }
}

/// The lines for a table that has a header or is the top, or those of a dotted one.
pub(super) fn after_last_key(way: &Way<'_>, lines: &[Line]) -> Patch {
    let text = way.text();
    let place = way.last();
    let above = way.path.names().get(..way.depth()).unwrap_or_default();
    let own = way.layout.own(text, above, place);
    let anchor = match own.keys.last() {
        Some(last) => last.value.end,
        None if way.depth() == 0 => return first_of_all(way, lines),
        None => place.span.end,
    };
    let start = layout::line_start(text, own.keys.last().map_or(anchor, |last| last.value.start));
    // The value of a key may begin with brackets and go on below: its line is the one of its key.
    let start = own.keys.last().map_or(start, |last| layout::line_start(text, last.key.start));
    let begin = text.get(start..anchor).unwrap_or_default();
    let indent =
        if own.keys.is_empty() { "" } else { &begin[..begin.len() - begin.trim_start().len()] };
    let tight =
        own.keys.last().is_some_and(|last| text.get(last.key.end..last.value.start) == Some("="));
    let equals = if tight { "=" } else { " = " };
    let at = layout::next_line(text, anchor);
    let line_end = layout::line_end(text, at);
    let open = !text.get(..at).unwrap_or_default().ends_with('\n');
    let like = |line: &Line| own.like(&line.name).and_then(|key| text.get(key.value.clone()));
    let added: Vec<String> =
        lines.iter().map(|line| line.written(indent, equals, like(line))).collect();
    Patch::new(at..at, joined(&remarked(added, indent, line_end, way.now), line_end, open))
}

/// Lines with the time above each, if it is to be told.
fn remarked(lines: Vec<String>, indent: &str, line_end: &str, now: Option<&str>) -> Vec<String> {
    let Some(now) = now else { return lines };
    let above = format!("{indent}{}{line_end}", annotate::added(now));
    lines.into_iter().map(|line| above.clone() + &line).collect()
}

/// Lines for a text; `open` if its last line has no end, which then stays so.
fn joined(lines: &[String], line_end: &str, open: bool) -> String {
    let one = |line: &String| {
        if open { format!("{line_end}{line}") } else { format!("{line}{line_end}") }
    };
    lines.iter().map(one).collect()
}

/// Keys at the top of a text that has none there: they stand before all tables.
fn first_of_all(way: &Way<'_>, lines: &[Line]) -> Patch {
    let text = way.text();
    let plain: Vec<String> = lines.iter().map(|line| line.written("", " = ", None)).collect();
    let Some(at) = way.layout.before_tables(way.document) else {
        let line_end = layout::line_end(text, text.len());
        let open = !text.is_empty() && !text.ends_with(['\n', '\u{feff}']);
        let lines = remarked(plain, "", line_end, way.now);
        return Patch::new(text.len()..text.len(), joined(&lines, line_end, open));
    };
    let line_end = layout::line_end(text, at);
    let lines = remarked(plain, "", line_end, way.now);
    let written = joined(&lines, line_end, false) + line_end;
    Patch::new(at..at, written)
}

/// A line that keeps everything behind its key.
pub(super) fn whole(key: String, above: String, tail: String) -> Line {
    let name = spelling::names(&key, 0).pop().and_then(|name| key.get(name).map(str::to_owned));
    Line { name: name.unwrap_or_default(), key, content: Content::Whole { above, tail } }
}
