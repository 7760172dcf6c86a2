//! Keys of today's format, written anew as they are.

use super::{
    node::{self, Data, Node},
    page::{At, Line},
    work::{Key, Work},
};
use crate::{
    KeyPath,
    schema::{self, Kind},
};

/// A bench that is written in another language.
pub(super) fn bench(work: &mut Work, root: &Node) {
    for (name, node) in root.map().unwrap_or_default() {
        let from = node::below("", name);
        let key = Key { from: &from, name, node };
        if name == "format" {
            work.carried(key, "format");
            let comments = node.comments.clone();
            if !comments.is_empty() {
                work.page.head.extend(comments.lines());
            }
        } else {
            top(work, key);
        }
    }
}

/// One key at the top of the file.
pub(super) fn top(work: &mut Work, key: Key<'_>) {
    let known = schema::root().child(key.name);
    if key.node.map().is_some() {
        return table(work, known, key, &KeyPath::new([key.name]));
    }
    // Above all tables, where nothing but single keys can stand.
    if let Some(what) = key.node.oddity() {
        let at = work.page.between();
        let why = format!("a bench file cannot hold {what}");
        return work.lose(at, key, why, "write the value that is meant");
    }
    let name = node::key(key.name);
    let line = Line::key(&name, &key.node.written(), key.node.all_comments());
    work.page.top.push(line);
    work.carried(key, name);
}

/// A table with a header and everything in it.
fn table(work: &mut Work, known: Option<&schema::Node>, key: Key<'_>, path: &KeyPath) {
    let entries = key.node.map().unwrap_or_default();
    let headless = !entries.is_empty()
        && matches!(known.map(schema::Node::kind), Some(Kind::Named(_)))
        && entries.iter().all(|(_, node)| node.map().is_some());
    if headless {
        // `[instruments]` by itself says nothing; what was said about it goes to the first of them.
        if !key.node.comments.is_empty() {
            let at = work.page.between();
            work.page.remark(at, key.node.comments.clone().lines());
        }
    } else {
        let at = work.page.table(path);
        work.page.about(at, key.node.comments.clone());
        if entries.is_empty() {
            work.carried(key, path.to_string());
        }
    }
    for (name, node) in entries {
        let from = node::below(key.from, name);
        entry(work, known, Key { from: &from, name, node }, path);
    }
}

/// One key of a table: on a line, or a table of its own.
pub(super) fn entry(work: &mut Work, known: Option<&schema::Node>, key: Key<'_>, parent: &KeyPath) {
    let child = known.and_then(|known| known.child(key.name));
    let header = child.is_some_and(|child| child.kind().has_header());
    match known.map(schema::Node::kind) {
        _ if header && key.node.map().is_some() => {
            table(work, child, key, &parent.child(key.name));
        }
        Some(Kind::Setpoints | Kind::Limits) => {
            let at = work.page.table(parent);
            parameter(work, at, key, &node::key(key.name), 0);
        }
        _ => {
            let at = work.page.table(parent);
            work.keep(at, &node::key(key.name), key);
        }
    }
}

/// `ch1: { voltage: 3.3 }` as `ch1.voltage = 3.3`
fn parameter(work: &mut Work, at: At, key: Key<'_>, dotted: &str, depth: usize) {
    match &key.node.data {
        Data::Map(entries) if !entries.is_empty() && depth < 4 => {
            if !key.node.comments.is_empty() {
                work.page.remark(at, key.node.comments.clone().lines());
            }
            for (name, node) in entries {
                let from = node::below(key.from, name);
                let dotted = node::below(dotted, name);
                parameter(work, at, Key { from: &from, name, node }, &dotted, depth + 1);
            }
        }
        _ => work.keep(at, dotted, key),
    }
}
