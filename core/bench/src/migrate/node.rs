//! What a file holds, whichever language it is written in, with the place of everything.

use std::{fmt::Write as _, ops::Range};

use crate::{
    document,
    value::{self, Value},
};

/// More keys and items than this are refused; a bench of 10,000 instruments has 100,000.
pub(crate) const MOST_NODES: usize = 400_000;
/// Longer keys are refused: every one below is told with its whole path.
pub(super) const LONGEST_KEY: usize = document::LONGEST_KEY;
/// Deeper nesting is refused.
pub(super) const DEEPEST: usize = document::DEEPEST;

/// One value, list item or table.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) data: Data,
    /// Where to point: its key, or the item of a list. Bytes.
    pub(super) at: Range<usize>,
    /// Its value, where it stands in one piece; for the comments in it.
    pub(super) extent: Range<usize>,
    /// Where comments can hold on to it.
    pub(super) anchor: Anchor,
    pub(super) comments: Comments,
}

/// How comments hold on to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Not at all: it has no line of its own.
    None,
    /// To a key at this byte.
    Key(usize),
    /// To the header of a table at this byte.
    Header(usize),
}

/// Comments of one key, each with its `#`; an empty text is a blank line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Comments {
    pub(super) above: Vec<String>,
    pub(super) beside: Vec<String>,
    /// Lines right below it, with a blank line after them.
    pub(super) below: Vec<String>,
}

/// The content of a node.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// One value that is neither list nor table, and its spelling where a bench file may keep it.
    Plain(Value, Option<String>),
    /// What a bench file has no value for: its spelling, and what it is.
    Odd(String, &'static str),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn new(data: Data, at: Range<usize>) -> Self {
        Self { data, extent: at.clone(), at, anchor: Anchor::None, comments: Comments::default() }
    }

    pub(super) fn map(&self) -> Option<&[(String, Node)]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry of a name. Only for tables that a person wrote: it looks at them one by one.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.map()?.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Plain(value, _) => value.as_str(),
            _ => None,
        }
    }

    pub(super) fn plain(&self) -> Option<&Value> {
        match &self.data {
            Data::Plain(value, _) => Some(value),
            _ => None,
        }
    }

    /// What in it a bench file has no value for.
    pub(super) fn oddity(&self) -> Option<&'static str> {
        match &self.data {
            Data::Plain(..) => None,
            Data::Odd(_, what) => Some(what),
            Data::List(items) => items.iter().find_map(Self::oddity),
            Data::Map(entries) => entries.iter().find_map(|(_, node)| node.oddity()),
        }
    }

    /// As a bench file writes it, on one line.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, true);
        out
    }

    /// The same for a comment: nothing in it is kept as it was spelt.
    pub(super) fn shown(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, false);
        out
    }

    fn write(&self, out: &mut String, spelling: bool) {
        match &self.data {
            Data::Plain(_, Some(spelt)) if spelling => out.push_str(spelt),
            Data::Plain(value, _) => {
                let _ = write!(out, "{value}");
            }
            Data::Odd(spelt, _) => out.push_str(spelt),
            Data::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.write(out, spelling);
                }
                out.push(']');
            }
            Data::Map(entries) => {
                out.push('{');
                for (index, (name, item)) in entries.iter().enumerate() {
                    out.push_str(if index == 0 { " " } else { ", " });
                    out.push_str(&key(name));
                    out.push_str(" = ");
                    item.write(out, spelling);
                }
                out.push_str(if entries.is_empty() { "}" } else { " }" });
            }
        }
    }

    /// Its value for a check; `None` for tables and what a bench file has no value for.
    pub(super) fn value(&self) -> Option<Value> {
        match &self.data {
            Data::Plain(value, _) => Some(value.clone()),
            Data::List(items) => {
                items.iter().map(Self::value).collect::<Option<_>>().map(Value::Array)
            }
            Data::Odd(..) | Data::Map(_) => None,
        }
    }

    /// Its comments and those of everything in it.
    pub(super) fn all_comments(&self) -> Comments {
        let mut all = Comments::default();
        self.gather(&mut all);
        all
    }

    fn gather(&self, all: &mut Comments) {
        all.add(self.comments.clone());
        match &self.data {
            Data::List(items) => items.iter().for_each(|item| item.gather(all)),
            Data::Map(entries) => entries.iter().for_each(|(_, node)| node.gather(all)),
            Data::Plain(..) | Data::Odd(..) => {}
        }
    }

    /// Keys and items in it, itself included, and the bytes of its texts.
    pub(super) fn weight(&self) -> (usize, usize) {
        let add = |(nodes, bytes), (more, longer)| (nodes + more, bytes + longer);
        match &self.data {
            Data::Plain(Value::String(text), _) | Data::Odd(text, _) => (1, text.len()),
            Data::Plain(..) => (1, 8),
            Data::List(items) => items.iter().map(Self::weight).fold((1, 0), add),
            Data::Map(entries) => entries
                .iter()
                .map(|(name, node)| add(node.weight(), (0, name.len())))
                .fold((1, 0), add),
        }
    }

    /// It stands where it was not written: comments hold on to the original.
    pub(super) fn without_anchors(mut self) -> Self {
        self.drop_anchors();
        self
    }

    fn drop_anchors(&mut self) {
        self.anchor = Anchor::None;
        match &mut self.data {
            Data::List(items) => items.iter_mut().for_each(Self::drop_anchors),
            Data::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.drop_anchors()),
            Data::Plain(..) | Data::Odd(..) => {}
        }
    }
}

impl Comments {
    pub(super) fn add(&mut self, other: Self) {
        self.above.extend(other.above);
        self.beside.extend(other.beside);
        self.below.extend(other.below);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.above.is_empty() && self.beside.is_empty() && self.below.is_empty()
    }

    /// All of them as lines.
    pub(super) fn lines(self) -> Vec<String> {
        self.above.into_iter().chain(self.beside).chain(self.below).collect()
    }
}

/// A key as a bench file writes it.
pub(super) fn key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { value::basic(name) }
}

/// The path of an entry below a path.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) }
}

/// What one file holds.
#[derive(Debug)]
pub(super) struct Tree {
    /// A table.
    pub(super) root: Node,
    /// Comments at the head of the file.
    pub(super) head: Vec<String>,
    /// Comments after everything else.
    pub(super) tail: Vec<String>,
    /// What the reader could not keep, and where.
    pub(super) remarks: Vec<(Range<usize>, String)>,
}

/// Why a text could not be read.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) at: usize,
}

impl Refused {
    pub(super) fn new(message: impl Into<String>, at: usize) -> Self {
        Self { message: message.into(), at }
    }

    pub(super) fn too_deep(at: usize) -> Self {
        Self::new(format!("this is nested more than {DEEPEST} deep"), at)
    }

    pub(super) fn too_many(at: usize) -> Self {
        Self::new(format!("there are more than {MOST_NODES} keys and list items"), at)
    }

    pub(super) fn long_key(at: usize) -> Self {
        Self::new(format!("a key is longer than {LONGEST_KEY} bytes"), at)
    }
}
