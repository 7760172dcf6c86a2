//! Adding keys to a text.

use super::{
    batch::{Patch, Patches},
    layout,
    plan::Way,
    remove, render,
};
use crate::{
    document::{Form, Place},
    path::KeyPath,
    schema::{self, Kind},
    value::Value,
};

/// The patches that add a key which is not there.
pub(super) fn insert(way: &Way<'_>, new: &Value) -> Patches {
    let depth = way.depth();
    let names = way.path.names();
    if let Some(at) = way.places.iter().rposition(|place| place.form == Form::Inline) {
        let list = way.places.get(at).map(|table| into_inline(way, at, table, new));
        return Patches { list: list.into_iter().collect(), claims: Some(way.above(at)) };
    }
    if way.last().form == Form::Dotted {
        let lines = lines(&names[way.owner()..], way.path, new);
        return Patches { list: vec![after_last_key(way, &lines)], claims: None };
    }
    // The table nearest to the key that has a header, or ought to have one.
    let is_table = matches!(new, Value::Table(_));
    let deepest = if is_table { names.len() } else { names.len() - 1 };
    let headed = (depth + 1..=deepest).rev().find(|count| {
        let node = schema::at(&way.above(*count));
        node.is_some_and(|node| node.key.is_some() && node.kind().has_header())
    });
    let headed = headed.or_else(|| (way.last().form == Form::Implied).then_some(depth));
    match headed {
        None => {
            let lines = lines(&names[depth..], way.path, new);
            Patches { list: vec![after_last_key(way, &lines)], claims: None }
        }
        Some(count) => {
            let mut blocks = Vec::new();
            if count == names.len() {
                tables(way.path, new, &mut blocks);
            } else {
                let lines = lines(&names[count..], way.path, new);
                blocks.push(Block { header: way.above(count), lines });
            }
            Patches { list: vec![new_tables(way, &blocks)], claims: Some(way.above(count)) }
        }
    }
}

/// A header and the lines under it.
struct Block {
    header: KeyPath,
    lines: Vec<Line>,
}

/// A key and its value.
struct Line {
    key: String,
    /// Its last name.
    name: String,
    value: Value,
}

/// A value as lines under a header: one, or one for each parameter of `set` and `limits`.
fn lines(names: &[String], path: &KeyPath, value: &Value) -> Vec<Line> {
    match value {
        Value::Table(table) if !table.is_empty() && spreads(path) => table
            .iter()
            .flat_map(|(name, value)| {
                let names: Vec<String> = names.iter().cloned().chain([name.to_owned()]).collect();
                lines(&names, &path.child(name), value)
            })
            .collect(),
        _ => vec![Line {
            key: render::dotted(names),
            name: names.last().cloned().unwrap_or_default(),
            value: value.clone(),
        }],
    }
}

impl Line {
    /// As it is written; `like` is how a value beside it is.
    fn written(&self, equals: &str, like: Option<&str>) -> String {
        // A whole number is not made a fraction, or the other way round, by its neighbours.
        let like = like.filter(|like| matches!(self.value, Value::Float(_)) && like.contains('.'));
        format!("{}{equals}{}", self.key, render::value(&self.value, like))
    }
}

/// Whether a table is written as one line for each of its keys, not between braces.
fn spreads(path: &KeyPath) -> bool {
    match schema::covering(path).kind() {
        Kind::Line | Kind::Roles => false,
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
        let key =
            |(name, value): (&str, &Value)| lines(&[name.to_owned()], &path.child(name), value);
        let lines = plain.into_iter().flat_map(key).collect();
        blocks.push(Block { header: path.clone(), lines });
    }
    for (name, value) in headed {
        tables(&path.child(name), value, blocks);
    }
}

/// Tables after the last one of the table that they belong to.
fn new_tables(way: &Way<'_>, blocks: &[Block]) -> Patch {
    let text = way.text();
    let end = way.layout.end_below(&way.above(way.depth()), way.last());
    let at = end.map_or(text.len(), |end| way.layout.after_table(text, end));
    let line_end = layout::line_end(text, at);
    let mut added = String::new();
    let before = text.get(..at).unwrap_or_default();
    let open = !before.is_empty() && !before.ends_with(['\n', '\u{feff}']);
    if open {
        added.push_str(line_end);
    }
    let first = before.trim_start_matches('\u{feff}').trim().is_empty();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 || !first {
            added.push_str(line_end);
        }
        added.push_str(&format!("[{}]{line_end}", block.header));
        for line in &block.lines {
            added.push_str(&line.written(" = ", None));
            added.push_str(line_end);
        }
    }
    if at < text.len() && !layout::line(text, at).trim().is_empty() {
        added.push_str(line_end);
    }
    if open {
        added.truncate(added.len() - line_end.len());
    }
    Patch { bytes: at..at, text: added, tables: true }
}

/// Lines after the last key of the table that the new one belongs to.
fn after_last_key(way: &Way<'_>, lines: &[Line]) -> Patch {
    let text = way.text();
    let place = way.last();
    let mut keys = Vec::new();
    layout::own(place, &mut keys);
    keys.sort_by_key(|key| key.span.start);
    let is_top = way.depth() == 0;
    let anchor = match keys.last() {
        Some(last) => last.span.end,
        None if is_top => return first_of_all(way, lines),
        None => place.span.end,
    };
    let start = layout::line_start(text, keys.last().map_or(anchor, |last| last.span.start));
    let begin = layout::line(text, start);
    let indent =
        if keys.is_empty() { "" } else { &begin[..begin.len() - begin.trim_start().len()] };
    let tight = keys.last().is_some_and(|last| {
        let key = last.key.as_ref().map_or(last.span.start, |key| key.end);
        text.get(key..last.span.start) == Some("=")
    });
    let equals = if tight { "=" } else { " = " };
    let at = layout::next_line(text, anchor);
    let line_end = layout::line_end(text, at);
    let open = !text.get(..at).unwrap_or_default().ends_with('\n');
    // Something to be like: a key of the same name, else the last one.
    let named = |key: &Place| key.key.clone().and_then(|bytes| text.get(bytes));
    let like = |line: &Line| {
        let same = keys.iter().rev().find(|key| named(key) == Some(&line.name));
        same.or(keys.last()).and_then(|key| text.get(key.span.clone()))
    };
    let added: Vec<String> =
        lines.iter().map(|line| format!("{indent}{}", line.written(equals, like(line)))).collect();
    Patch::new(at..at, joined(&added, line_end, open))
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
    let plain: Vec<String> = lines.iter().map(|line| line.written(" = ", None)).collect();
    let Some(header) = way.layout.first_header() else {
        let line_end = layout::line_end(text, text.len());
        let open = !text.is_empty() && !text.ends_with(['\n', '\u{feff}']);
        let text = joined(&plain, line_end, open);
        return Patch::new(way.text().len()..way.text().len(), text);
    };
    // Comments right above the first table are about that table.
    let mut at = layout::line_start(text, header);
    loop {
        let before = layout::line_start(text, at.saturating_sub(1));
        if before >= at || !layout::line(text, before).trim_start().starts_with('#') {
            break;
        }
        at = before;
    }
    let line_end = layout::line_end(text, header);
    let text = joined(&plain, line_end, false) + line_end;
    Patch::new(at..at, text)
}

/// A key between the braces of an inline table.
fn into_inline(way: &Way<'_>, depth: usize, table: &Place, new: &Value) -> Patch {
    let text = way.text();
    let mut all = Vec::new();
    remove::items(table, &mut all);
    let key = render::dotted(&way.path.names()[depth..]);
    let value = render::value(new, None);
    match all.last() {
        Some(last) => {
            let at = last.span.end;
            Patch::new(at..at, format!(", {key} = {value}"))
        }
        None => {
            let inner = table.span.start + 1..table.span.end.saturating_sub(1);
            let empty = text.get(inner.clone()).is_some_and(|inner| inner.trim().is_empty());
            let bytes = if empty { inner } else { inner.start..inner.start };
            Patch::new(bytes, format!(" {key} = {value} "))
        }
    }
}
