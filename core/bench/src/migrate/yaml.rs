//! YAML as a tree: plain scalars by the core schema of YAML 1.2, merge keys (`<<`) taken in,
//! anchors followed as far as the limits on keys and bytes go.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::{
    comments,
    node::{self, Anchor, Data, Node, Refused, Tree},
    scalar,
};
use crate::{document::LONGEST, value::Value};

/// Reads a text; offsets are of `text`, from `start` on.
pub(super) fn read(text: &str, start: usize) -> Result<Tree, Refused> {
    let body = text.get(start..).unwrap_or_default();
    let options = granit_parser::options! {
        block_nesting_limit: node::DEEPEST,
        flow_nesting_limit: node::DEEPEST,
        max_buffered_comment_events: node::MOST_NODES,
    };
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(body, options) {
        let (event, span) = next.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0);
            Refused::new(error.info(), start + at)
        })?;
        let bytes = span.byte_range().unwrap_or(0..0);
        builder.event(event, start + bytes.start..start + bytes.end)?;
    }
    let Some(root) = builder.root else {
        return Err(Refused::new("there is nothing in the file", start));
    };
    if root.map().is_none() {
        return Err(Refused::new("a file begins with a table of keys, each with a “:”", start));
    }
    let mut tree = Tree { root, head: Vec::new(), tail: Vec::new(), remarks: builder.remarks };
    builder.comments.sort_by_key(|comment| comment.start);
    comments::attach(text, &mut tree, &builder.comments);
    Ok(tree)
}

#[derive(Default)]
struct Builder {
    /// What is open, outermost first.
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    comments: Vec<Range<usize>>,
    /// Complete nodes that have an anchor.
    anchors: HashMap<usize, Node>,
    nodes: usize,
    copied: usize,
    remarks: Vec<(Range<usize>, String)>,
}

struct Open {
    at: Range<usize>,
    anchor: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Entries),
}

#[derive(Default)]
struct Entries {
    list: Vec<(String, Node)>,
    seen: HashSet<String>,
    key: Option<(String, Range<usize>)>,
    /// Tables that `<<` takes in.
    merged: Vec<Node>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Refused> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins here; a bench is one document";
                    return Err(Refused::new(message, at.start));
                }
            }
            Event::Comment(..) => self.comments.push(at),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if let Some(Open { content: Content::Map(entries), .. }) = self.open.last_mut()
                    && entries.key.is_none()
                {
                    return entries.begin(&text, plain, at);
                }
                let data = data(&text, plain, tag.as_deref());
                let node = Node::new(data, at);
                self.count(&node, 1)?;
                self.finish(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Content::List(Vec::new()), anchor, tag.as_deref(), at)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(Content::Map(Entries::default()), anchor, tag.as_deref(), at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Refused::new("this refers to what it stands in", at.start));
                };
                let node = node.clone().without_anchors();
                if self.open.len() + depth(&node) > node::DEEPEST {
                    return Err(Refused::too_deep(at.start));
                }
                self.copy(&node, at.start)?;
                self.place(Node { at, ..node })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<&Tag>,
        at: Range<usize>,
    ) -> Result<(), Refused> {
        if let Some(Open { content: Content::Map(entries), .. }) = self.open.last()
            && entries.key.is_none()
        {
            return Err(Refused::new("a key is a plain word, not a list or table", at.start));
        }
        if self.open.len() >= node::DEEPEST {
            return Err(Refused::too_deep(at.start));
        }
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none()) {
            self.remarks.push((at.clone(), format!("the tag {} is left out", tag.original())));
        }
        self.nodes += 1;
        self.open.push(Open { at, anchor, depth: self.open.len(), content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let Some(Open { at, anchor, content, .. }) = self.open.pop() else { return Ok(()) };
        let data = match content {
            Content::List(items) => Data::List(items),
            Content::Map(mut entries) => {
                for merged in std::mem::take(&mut entries.merged) {
                    let Data::Map(taken) = merged.data else { continue };
                    for (name, node) in taken {
                        if entries.seen.insert(name.clone()) {
                            entries.list.push((name, node));
                        }
                    }
                }
                Data::Map(entries.list)
            }
        };
        self.finish(Node::new(data, at), anchor)
    }

    /// A complete node, written here.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Refused> {
        if anchor != 0 {
            self.copy(&node, node.at.start)?;
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node)
    }

    /// Puts a node where it belongs.
    fn place(&mut self, mut node: Node) -> Result<(), Refused> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => {
                if node.map().is_some() {
                    node.anchor = Anchor::Header(node.at.start);
                    node.extent = node.at.start..node.at.start;
                }
                items.push(node);
            }
            Content::Map(entries) => {
                let Some((name, key)) = entries.key.take() else {
                    return Err(Refused::new("a key is a plain word", node.at.start));
                };
                if name == "<<" {
                    return entries.merge(node);
                }
                let last = end(&node);
                let map = node.map().is_some();
                // Keys of the outermost tables are what headers are in TOML.
                let header = map && open.depth < 2;
                node.anchor =
                    if header { Anchor::Header(key.start) } else { Anchor::Key(key.start) };
                node.extent = if map || holds_maps(&node) { key.clone() } else { key.start..last };
                node.at = key;
                entries.list.push((name, node));
            }
        }
        Ok(())
    }

    fn count(&mut self, node: &Node, nodes: usize) -> Result<(), Refused> {
        self.nodes += nodes;
        if self.nodes > node::MOST_NODES {
            return Err(Refused::too_many(node.at.start));
        }
        Ok(())
    }

    /// What is kept twice counts, in keys and in bytes: a few lines can ask for billions.
    fn copy(&mut self, node: &Node, at: usize) -> Result<(), Refused> {
        let (nodes, bytes) = node.weight();
        self.nodes += nodes;
        self.copied += bytes;
        if self.nodes > node::MOST_NODES || self.copied > LONGEST {
            let message = "anchors and aliases (& and *) repeat too much here";
            return Err(Refused::new(message, at));
        }
        Ok(())
    }
}

impl Entries {
    fn begin(&mut self, name: &str, plain: bool, at: Range<usize>) -> Result<(), Refused> {
        if name.len() > node::LONGEST_KEY {
            return Err(Refused::long_key(at.start));
        }
        let merge = plain && name == "<<";
        if !merge && !self.seen.insert(name.to_owned()) {
            let message = format!("“{name}” is there already; a key may stand once");
            return Err(Refused::new(message, at.start));
        }
        self.key = Some((name.to_owned(), at));
        Ok(())
    }

    fn merge(&mut self, node: Node) -> Result<(), Refused> {
        let at = node.at.start;
        let all = match node.data {
            Data::List(items) => items,
            data => vec![Node { data, ..node }],
        };
        if all.iter().any(|node| node.map().is_none()) {
            return Err(Refused::new("“<<” takes in tables only", at));
        }
        self.merged.extend(all.into_iter().map(Node::without_anchors));
        Ok(())
    }
}

fn data(text: &str, plain: bool, tag: Option<&Tag>) -> Data {
    let string = || Data::Plain(Value::String(text.to_owned()), None);
    match tag {
        None if plain => scalar::core(text),
        None => string(),
        Some(tag) => match tag.core_suffix() {
            Some("str") => string(),
            Some("int" | "float" | "bool" | "null") => scalar::core(text),
            _ if tag.original() == "!" => string(),
            _ => {
                let spelt = format!("{} {}", tag.original(), Value::from(text));
                Data::Odd(spelt.replace(char::is_control, "?"), "a value with a tag")
            }
        },
    }
}

/// Where the last scalar in it ends.
fn end(node: &Node) -> usize {
    match &node.data {
        Data::List(items) => items.last().map_or(node.at.end, end),
        _ => node.at.end,
    }
}

fn holds_maps(node: &Node) -> bool {
    matches!(&node.data, Data::List(items) if items.iter().any(|item| item.map().is_some()))
}

fn depth(node: &Node) -> usize {
    let deepest = match &node.data {
        Data::List(items) => items.iter().map(depth).max(),
        Data::Map(entries) => entries.iter().map(|(_, node)| depth(node)).max(),
        Data::Plain(..) | Data::Odd(..) => return 0,
    };
    1 + deepest.unwrap_or(0)
}
