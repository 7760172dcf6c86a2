//! From the parser's events to values and their places.
//!
//! The parser knows the grammar, goes on after an error and tells of each; what keys mean (tables
//! that are defined twice, dotted keys, lists of tables) is decided here, by the rules of TOML 1.1.

mod events;
mod scalar;

use std::{collections::HashMap, ops::Range};

use foldhash::fast::RandomState;
use smol_str::SmolStr;
use toml_parser::{ErrorSink, ParseError, Source, Span};

use super::place::{Form, Place};
use crate::{table::Table, value::Value};

/// Up to this many keys a look through all of them is faster than a hash.
const FEW: usize = 16;

/// A value while it is being read. Nodes below one another are linked by number, 0 being none.
struct Node {
    name: SmolStr,
    key: Option<Range<usize>>,
    span: Range<usize>,
    form: Form,
    /// What a plain value is.
    value: Value,
    /// How many nodes are directly below it.
    parts: usize,
    first: usize,
    last: usize,
    /// The next one of the same node.
    next: usize,
    /// Tables and lists above it.
    depth: usize,
}

/// One name of a key.
struct Name {
    name: SmolStr,
    span: Range<usize>,
    /// Whether it cannot be read, which was told.
    bad: bool,
}

/// What the names that are being read belong to.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    /// A key, or nothing yet.
    Key,
    /// `[a.b]`, which begins here.
    Header { start: usize, repeated: bool },
}

/// Where the value that comes next belongs.
enum Slot {
    /// Nowhere: its key cannot be used.
    Nowhere,
    Key {
        parent: usize,
        name: SmolStr,
        key: Range<usize>,
    },
}

/// Memory that building one document leaves to the next.
#[derive(Default)]
pub(super) struct Room {
    nodes: Vec<Node>,
    names: Vec<Name>,
    open: Vec<Option<usize>>,
}

/// Takes the events of one text.
pub(super) struct Builder<'t> {
    source: Source<'t>,
    nodes: Vec<Node>,
    /// Where each name below a node is, for nodes that have many.
    indexes: HashMap<usize, HashMap<SmolStr, usize, RandomState>, RandomState>,
    /// The table that keys at the beginning of a line belong to.
    current: usize,
    /// Lists and tables in braces that are open; `None` for one that is not kept.
    open: Vec<Option<usize>>,
    names: Vec<Name>,
    reading: Reading,
    slot: Option<Slot>,
}

const TOP: usize = 0;

/// Tables and lists in each other. Walking a tree that is deeper could overflow the stack of a
/// thread.
pub const DEEPEST: usize = 100;

/// The longest name in a key, in bytes. Every finding below it spells it out, and there may be
/// thousands.
pub const LONGEST_KEY: usize = 256;

impl<'t> Builder<'t> {
    /// `expected` is how many values there may be.
    pub(super) fn new(source: Source<'t>, room: Room, expected: usize) -> Self {
        let Room { mut nodes, mut names, mut open } = room;
        nodes.clear();
        names.clear();
        open.clear();
        nodes.reserve(expected + 1);
        nodes.push(Node::new(SmolStr::default(), None, 0..0, Form::Headed));
        Self {
            source,
            nodes,
            indexes: HashMap::default(),
            current: TOP,
            open,
            names,
            reading: Reading::Key,
            slot: None,
        }
    }

    /// What was read, and the memory that it took to read it.
    pub(super) fn finish(mut self, error: &mut dyn ErrorSink) -> (Value, Place, Room) {
        self.end_line(error);
        let (value, place) = self.taken(TOP);
        let Self { nodes, names, open, .. } = self;
        (value, place, Room { nodes, names, open })
    }

    /// The value and place of a node, moved out.
    fn taken(&mut self, at: usize) -> (Value, Place) {
        let node = &mut self.nodes[at];
        let (key, span, form) = (node.key.take(), node.span.clone(), node.form);
        let mut parts = Vec::new();
        let (mut part, count) = (node.first, node.parts);
        let value = match form {
            Form::Plain | Form::Date | Form::Broken => {
                std::mem::replace(&mut node.value, Value::Bool(false))
            }
            Form::List | Form::Repeated => {
                let mut items = Vec::with_capacity(count);
                parts.reserve_exact(count);
                while part != 0 {
                    let (value, place) = self.taken(part);
                    items.push(value);
                    parts.push(place);
                    part = self.nodes[part].next;
                }
                Value::Array(items)
            }
            _ => {
                let mut entries = Vec::with_capacity(count);
                parts.reserve_exact(count);
                while part != 0 {
                    let name = std::mem::take(&mut self.nodes[part].name);
                    let (value, place) = self.taken(part);
                    entries.push((name, value));
                    parts.push(place);
                    part = self.nodes[part].next;
                }
                Value::Table(Table::from_distinct(entries))
            }
        };
        (value, Place { origin: 0, key, span, form, parts })
    }

    fn find(&self, parent: usize, name: &str) -> Option<usize> {
        let above = &self.nodes[parent];
        if above.parts > FEW {
            return self.indexes.get(&parent)?.get(name).copied();
        }
        let mut part = above.first;
        while part != 0 {
            let node = &self.nodes[part];
            if node.name == name {
                return Some(part);
            }
            part = node.next;
        }
        None
    }

    fn add(&mut self, parent: usize, mut node: Node) -> usize {
        let at = self.nodes.len();
        let above = &mut self.nodes[parent];
        node.depth = above.depth + 1;
        above.parts += 1;
        let before = std::mem::replace(&mut above.last, at);
        if before == 0 {
            above.first = at;
        }
        let (parts, first) = (above.parts, above.first);
        let named = !matches!(above.form, Form::List | Form::Repeated);
        let name = node.name.clone();
        self.nodes.push(node);
        if before != 0 {
            self.nodes[before].next = at;
        }
        if named && parts > FEW {
            let nodes = &self.nodes;
            let index = self.indexes.entry(parent).or_insert_with(|| {
                let all = std::iter::successors(Some(first), |part| match nodes[*part].next {
                    0 => None,
                    next => Some(next),
                });
                all.map(|part| (nodes[part].name.clone(), part)).collect()
            });
            index.insert(name, at);
        }
        at
    }

    /// The table that all names but the last lead to, made where it is not there. `dotted` names
    /// come from a key, others from a header.
    fn descend(
        &mut self,
        mut at: usize,
        names: &[Name],
        dotted: bool,
        error: &mut dyn ErrorSink,
    ) -> Option<usize> {
        for Name { name, span, .. } in names {
            let Some(next) = self.find(at, name) else {
                if self.nodes[at].depth >= DEEPEST {
                    error.report_error(too_deep(span));
                    return None;
                }
                let inline = matches!(self.nodes[at].form, Form::Inline | Form::InlineDotted);
                let form = match (dotted, inline) {
                    (true, true) => Form::InlineDotted,
                    (true, false) => Form::Dotted,
                    (false, _) => Form::Implied,
                };
                let node = Node::new(name.clone(), Some(span.clone()), span.clone(), form);
                at = self.add(at, node);
                continue;
            };
            let node = &mut self.nodes[next];
            at = match node.form {
                // A header goes on with the last item.
                Form::Repeated if !dotted && node.last != 0 => node.last,
                Form::Implied if dotted => {
                    node.form = Form::Dotted;
                    next
                }
                Form::Implied | Form::Dotted | Form::InlineDotted => next,
                Form::Headed if !dotted => next,
                Form::Headed | Form::Repeated => {
                    let old = node.head();
                    error.report_error(duplicate(span, &old));
                    return None;
                }
                Form::Broken => return None,
                Form::Plain | Form::Date | Form::List | Form::Inline => {
                    let what = node.what();
                    let old = node.span.clone();
                    let message = format!("“{name}” is {what} already and cannot hold keys too");
                    error.report_error(
                        ParseError::new(message)
                            .with_unexpected(spanned(span))
                            .with_context(spanned(&old)),
                    );
                    return None;
                }
            };
        }
        Some(at)
    }

    /// `[a.b]` or `[[a.b]]` is complete.
    fn header(&mut self, span: Range<usize>, repeated: bool, error: &mut dyn ErrorSink) {
        let mut names = std::mem::take(&mut self.names);
        self.reading = Reading::Key;
        let bad = names.iter().any(|name| name.bad);
        let last = names.pop();
        let parent = if bad { None } else { self.descend(TOP, &names, false, error) };
        names.clear();
        self.names = names;
        let (Some(parent), Some(Name { name, span: key, .. })) = (parent, last) else {
            return self.nowhere(span);
        };
        let there = self.find(parent, &name);
        if there.is_none() && self.nodes[parent].depth >= DEEPEST {
            error.report_error(too_deep(&key));
            return self.nowhere(span);
        }
        let item = |span| Node::new(SmolStr::default(), None, span, Form::Headed);
        self.current = match (repeated, there) {
            (true, None) => {
                let list = Node::new(name, Some(key), span.clone(), Form::Repeated);
                let list = self.add(parent, list);
                self.add(list, item(span))
            }
            (true, Some(list)) if self.nodes[list].form == Form::Repeated => {
                self.nodes[list].span.end = span.end;
                self.add(list, item(span))
            }
            (false, None) => self.add(parent, Node::new(name, Some(key), span, Form::Headed)),
            (false, Some(table)) if self.nodes[table].form == Form::Implied => {
                let node = &mut self.nodes[table];
                (node.form, node.key, node.span) = (Form::Headed, Some(key), span);
                table
            }
            (_, Some(there)) => {
                let old = self.nodes[there].head();
                error.report_error(duplicate(&key, &old));
                return self.nowhere(span);
            }
        };
    }

    /// Keys that follow go to a table that nobody sees, and are read for mistakes only.
    fn nowhere(&mut self, span: Range<usize>) {
        self.current = self.nodes.len();
        self.nodes.push(Node::new(SmolStr::default(), None, span, Form::Headed));
    }

    /// The names read are those of a key whose value comes next.
    fn key(&mut self, error: &mut dyn ErrorSink) {
        let mut names = std::mem::take(&mut self.names);
        let table = match self.open.last() {
            Some(table) => *table,
            None => Some(self.current),
        };
        let bad = names.iter().any(|name| name.bad);
        let last = names.pop();
        let parent =
            table.filter(|_| !bad).and_then(|table| self.descend(table, &names, true, error));
        names.clear();
        self.names = names;
        self.slot = Some(match (parent, last) {
            (Some(parent), Some(Name { name, span: key, .. })) => match self.find(parent, &name) {
                None => Slot::Key { parent, name, key },
                Some(there) => {
                    let old = self.nodes[there].head();
                    error.report_error(duplicate(&key, &old));
                    Slot::Nowhere
                }
            },
            _ => Slot::Nowhere,
        });
    }

    /// Puts a value where it belongs; `None` if that is nowhere.
    fn put(&mut self, span: Range<usize>, form: Form, value: Value) -> Option<usize> {
        let (parent, name, key) = match self.slot.take() {
            Some(Slot::Nowhere) => return None,
            Some(Slot::Key { parent, name, key }) => (parent, name, Some(key)),
            None => {
                // Items of a list have no key; anything else is a mistake that was told.
                let list = (*self.open.last()?)?;
                if self.nodes[list].form != Form::List {
                    return None;
                }
                (list, SmolStr::default(), None)
            }
        };
        let mut node = Node::new(name, key, span, form);
        node.value = value;
        Some(self.add(parent, node))
    }

    /// A line is over: a header or key that did not come to its end never will.
    fn end_line(&mut self, error: &mut dyn ErrorSink) {
        if let Reading::Header { start, repeated } = self.reading {
            let end = self.names.last().map_or(start + 1, |name| name.span.end);
            self.header(start..end, repeated, error);
        }
        if self.open.is_empty() {
            self.broken(error);
        }
    }

    /// A key without a value is kept, so that nobody is told that it is missing.
    fn broken(&mut self, error: &mut dyn ErrorSink) {
        if self.slot.is_none() && !self.names.is_empty() {
            self.key(error);
        }
        if let Some(Slot::Key { key, .. }) = &self.slot {
            let span = key.clone();
            self.put(span, Form::Broken, Value::Bool(false));
        }
        self.slot = None;
    }

    /// A list or a table in braces begins; false if that is too deep.
    fn enter(&mut self, span: Span, form: Form, error: &mut dyn ErrorSink) -> bool {
        let node = self.put(range(span), form, Value::Bool(false));
        let depth = node.map_or(self.open.len(), |node| self.nodes[node].depth);
        self.open.push(node);
        if depth >= DEEPEST {
            error.report_error(too_deep(&range(span)));
        }
        depth < DEEPEST
    }
}

impl Node {
    fn new(name: SmolStr, key: Option<Range<usize>>, span: Range<usize>, form: Form) -> Self {
        let value = Value::Bool(false);
        Self { name, key, span, form, value, parts: 0, first: 0, last: 0, next: 0, depth: 0 }
    }

    fn head(&self) -> Range<usize> {
        self.key.clone().unwrap_or_else(|| self.span.clone())
    }

    fn what(&self) -> &'static str {
        match (self.form, &self.value) {
            (Form::List, _) => "a list",
            (Form::Inline, _) => "a table in braces",
            (Form::Date, _) => "a date",
            (_, Value::String(_)) => "a text",
            (_, Value::Bool(_)) => "true or false",
            _ => "a number",
        }
    }
}

fn spanned(range: &Range<usize>) -> Span {
    Span::new_unchecked(range.start, range.end)
}

fn range(span: Span) -> Range<usize> {
    span.start()..span.end()
}

/// The words of the parser's own family for it; `errors` has better ones.
pub(super) const DUPLICATE: &str = "duplicate key";
pub(super) const TOO_DEEP: &str = "recursion limit";

fn too_deep(at: &Range<usize>) -> ParseError {
    ParseError::new(TOO_DEEP).with_unexpected(spanned(at))
}

fn duplicate(key: &Range<usize>, old: &Range<usize>) -> ParseError {
    ParseError::new(DUPLICATE).with_unexpected(spanned(key)).with_context(spanned(old))
}
