//! Lists that become longer or shorter.

use super::render;
use crate::{document::Place, value::Value};

/// One item as it stands in the text.
struct Item<'t> {
    /// Line ends, comments and spaces in front of it.
    lead: &'t str,
    value: &'t str,
    /// What stands between it and its comma.
    gap: &'t str,
    comma: bool,
    /// The rest of its line: a comment.
    tail: &'t str,
}

/// A list with other items, at least one more or less: those that stay keep their bytes and
/// comments, and the list its form, on one line or on several.
pub(super) fn resized(text: &str, place: &Place, old: &[Value], new: &[Value]) -> String {
    let inner = place.span.start + 1..place.span.end.saturating_sub(1);
    let (items, close) = items(text, place, inner.end);
    let Some(first) = items.first() else {
        return filled(text.get(inner).unwrap_or_default(), new);
    };
    let trailing = items.last().is_some_and(|item| item.comma);
    let long = items.iter().any(|item| item.lead.contains('\n'));
    let mut written = String::from("[");
    // Comment lines above items that go.
    let mut kept_lines = String::new();
    // What was written last is a comment, which only the end of its line ends.
    let mut commented = false;
    let line_end =
        if text.get(inner.clone()).unwrap_or_default().contains("\r\n") { "\r\n" } else { "\n" };
    let steps = steps(old, new);
    let count = new.len();
    let mut done = 0;
    for step in steps {
        let (item, value) = match step {
            Step::Drop(index) => {
                if let Some(item) = items.get(index)
                    && item.lead.contains('#')
                {
                    kept_lines.push_str(without_indent(item.lead));
                }
                continue;
            }
            Step::Keep(index) => {
                let Some(item) = items.get(index) else { continue };
                (Some(item), item.value.to_owned())
            }
            Step::Change(index, new) => {
                let item = items.get(index);
                (item, render::value(new, item.map(|item| item.value)))
            }
            Step::Add(index, new) => {
                let like = items.get(index.saturating_sub(1)).or(items.last());
                (None, render::value(new, like.map(|item| item.value)))
            }
        };
        let lead = match item {
            _ if done == 0 && !long => first.lead,
            Some(item) if long || item.lead.contains('#') => item.lead,
            Some(item) => {
                if std::ptr::eq(item, first) {
                    between(&items)
                } else {
                    item.lead
                }
            }
            None if long => {
                let broken = items.iter().find(|item| item.lead.contains('\n'));
                broken.map_or(" ", |item| last_line(item.lead))
            }
            None => between(&items),
        };
        done += 1;
        if commented && !kept_lines.contains('\n') && !lead.contains('\n') {
            written.push_str(line_end);
        }
        written.push_str(&std::mem::take(&mut kept_lines));
        written.push_str(lead);
        written.push_str(&value);
        let comma = if done < count || trailing { "," } else { "" };
        written.push_str(item.map_or("", |item| item.gap));
        written.push_str(comma);
        let tail = item.map_or("", |item| item.tail);
        written.push_str(tail);
        commented = tail.contains('#');
    }
    if commented && !kept_lines.contains('\n') && !close.contains('\n') {
        written.push_str(line_end);
    }
    if done > 0 || kept_lines.contains('#') || close.contains('#') {
        written.push_str(&kept_lines);
        written.push_str(close);
    }
    written + "]"
}

/// Items that come into an empty list.
fn filled(inner: &str, new: &[Value]) -> String {
    let items: Vec<String> = new.iter().map(ToString::to_string).collect();
    if !inner.contains('#') {
        return format!("[{}]", items.join(", "));
    }
    // Comments stand in it: behind them comes a line of its own.
    let line_end = if inner.contains("\r\n") { "\r\n" } else { "\n" };
    format!("[{}{line_end}  {},{line_end}]", inner.trim_end(), items.join(", "))
}

/// What is to be done, in the order of the new list.
enum Step<'v> {
    Keep(usize),
    Change(usize, &'v Value),
    Drop(usize),
    /// In front of this item.
    Add(usize, &'v Value),
}

fn steps<'v>(old: &[Value], new: &'v [Value]) -> Vec<Step<'v>> {
    let keeps = |(index, _): (usize, &Value)| Step::Keep(index);
    if let Some(steps) = dropped(old, new) {
        return steps;
    }
    if let Some(steps) = added(old, new) {
        return steps;
    }
    let same = |(old, new): &(&Value, &Value)| old.means(new);
    let front = old.iter().zip(new).take_while(same).count();
    let shorter = old.len().min(new.len()) - front;
    let back = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(same).count();
    let (old_middle, new_middle) = (front..old.len() - back, front..new.len() - back);
    let mut steps: Vec<Step<'v>> = old.iter().enumerate().take(front).map(keeps).collect();
    for at in 0..old_middle.len().max(new_middle.len()) {
        let value = new.get(new_middle.start + at).filter(|_| at < new_middle.len());
        let there = at < old_middle.len();
        match value {
            Some(value) if there => steps.push(Step::Change(old_middle.start + at, value)),
            Some(value) => steps.push(Step::Add(old_middle.end, value)),
            None => steps.push(Step::Drop(old_middle.start + at)),
        }
    }
    steps.extend((old_middle.end..old.len()).map(Step::Keep));
    steps
}

/// If items only go.
fn dropped<'v>(old: &[Value], new: &'v [Value]) -> Option<Vec<Step<'v>>> {
    let mut wanted = new.iter().peekable();
    let step = |(index, value): (usize, &Value)| match wanted.next_if(|new| value.means(new)) {
        Some(_) => Step::Keep(index),
        None => Step::Drop(index),
    };
    let steps = old.iter().enumerate().map(step).collect();
    wanted.peek().is_none().then_some(steps)
}

/// If items only come.
fn added<'v>(old: &[Value], new: &'v [Value]) -> Option<Vec<Step<'v>>> {
    let mut there = old.iter().enumerate().peekable();
    let steps = new
        .iter()
        .map(|value| match there.next_if(|(_, old)| old.means(value)) {
            Some((index, _)) => Step::Keep(index),
            None => Step::Add(there.peek().map_or(old.len(), |(index, _)| *index), value),
        })
        .collect();
    there.peek().is_none().then_some(steps)
}

/// The items as they stand, and what is before the closing bracket.
fn items<'t>(text: &'t str, place: &Place, end: usize) -> (Vec<Item<'t>>, &'t str) {
    let get = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let mut at = place.span.start + 1;
    let mut items = Vec::with_capacity(place.parts.len());
    for (index, part) in place.parts.iter().enumerate() {
        let lead = get(at, part.span.start);
        let next = place.parts.get(index + 1).map_or(end, |next| next.span.start);
        let between = get(part.span.end, next);
        let comma = comma(between);
        let after = comma.map_or(0, |comma| comma + 1);
        // What follows on its line is about it, if that line ends there.
        let rest = between.get(after..).unwrap_or_default();
        let line =
            rest.find('\n').map_or(0, |line| line - usize::from(rest[..line].ends_with('\r')));
        items.push(Item {
            lead,
            value: get(part.span.start, part.span.end),
            gap: between.get(..comma.unwrap_or(0)).unwrap_or_default(),
            comma: comma.is_some(),
            tail: rest.get(..line).unwrap_or_default(),
        });
        at = part.span.end + after + line;
    }
    (items, get(at, end))
}

/// Where a comma is that is not in a comment.
fn comma(between: &str) -> Option<usize> {
    let mut in_comment = false;
    between.bytes().position(|byte| {
        in_comment = (in_comment || byte == b'#') && byte != b'\n';
        byte == b',' && !in_comment
    })
}

/// What stands between two items on one line.
fn between<'t>(items: &[Item<'t>]) -> &'t str {
    items.get(1).map_or(" ", |item| item.lead)
}

/// The line end and indentation before an item.
fn last_line(lead: &str) -> &str {
    let line = lead.rfind('\n').unwrap_or(0);
    let line = line - usize::from(lead[..line].ends_with('\r'));
    &lead[line..]
}

/// Comment lines without the indentation after them.
fn without_indent(lead: &str) -> &str {
    &lead[..lead.len() - last_line(lead).len()]
}
