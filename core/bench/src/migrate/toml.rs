//! TOML as a tree.

use std::ops::Range;

use super::{
    comments,
    node::{self, Anchor, Data, Node, Refused, Tree},
};
use crate::{
    document::{Document, Form, Place},
    value::Value,
};

pub(super) fn read(text: &str, document: &Document) -> Result<Tree, Refused> {
    let mut reader = Reader { text, left: node::MOST_NODES, taken: Vec::new() };
    let root = reader.node(document.values(), document.root())?;
    let Reader { mut taken, .. } = reader;
    let mut tree = Tree { root, head: Vec::new(), tail: Vec::new(), remarks: Vec::new() };
    taken.sort_by_key(|stretch| stretch.start);
    comments::attach(text, &mut tree, &gaps(text, &taken));
    Ok(tree)
}

struct Reader<'t> {
    text: &'t str,
    left: usize,
    /// Keys and values, in which a `#` is no comment.
    taken: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn node(&mut self, value: &Value, place: &Place) -> Result<Node, Refused> {
        let at = place.key.clone().unwrap_or_else(|| place.span.clone());
        self.left = self.left.checked_sub(1).ok_or_else(|| Refused::too_many(at.start))?;
        self.taken.extend(place.key.clone());
        let spelt = self.text.get(place.span.clone()).unwrap_or_default();
        let mut node = match value {
            Value::Table(table) => {
                let mut entries = Vec::with_capacity(table.len());
                for ((name, value), place) in table.iter().zip(&place.parts) {
                    let name: &str = name;
                    if name.len() > node::LONGEST_KEY {
                        return Err(Refused::long_key(place.head().start));
                    }
                    entries.push((name.to_owned(), self.node(value, place)?));
                }
                Node::new(Data::Map(entries), at)
            }
            Value::Array(items) => {
                let items = items.iter().zip(&place.parts);
                let items =
                    items.map(|(item, place)| self.node(item, place)).collect::<Result<_, _>>()?;
                Node::new(Data::List(items), at)
            }
            _ if place.form == Form::Date => {
                self.taken.push(place.span.clone());
                Node::new(Data::Odd(spelt.to_owned(), "a date"), at)
            }
            value => {
                self.taken.push(place.span.clone());
                let kept = !spelt.is_empty() && !spelt.contains(['\n', '\r']);
                Node::new(Data::Plain(value.clone(), kept.then(|| spelt.to_owned())), at)
            }
        };
        (node.anchor, node.extent) = match (place.form, &place.key) {
            (Form::Headed, _) if !place.span.is_empty() => {
                // The header's name is a quoted one now and then.
                self.taken.push(place.span.clone());
                (Anchor::Header(place.span.start), place.span.clone())
            }
            (Form::Plain | Form::Date | Form::List | Form::Inline, Some(key)) => {
                (Anchor::Key(key.start), place.span.clone())
            }
            _ => (Anchor::None, node.at.clone()),
        };
        Ok(node)
    }
}

/// Stretches from a `#` outside of keys and values to the end of its line.
fn gaps(text: &str, taken: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let mut from = 0;
    let mut taken = taken.iter().peekable();
    while let Some(found) = text.get(from..).and_then(|rest| rest.find('#')) {
        let at = from + found;
        while taken.next_if(|stretch| stretch.end <= at).is_some() {}
        if let Some(stretch) = taken.peek()
            && stretch.start <= at
        {
            from = stretch.end;
            continue;
        }
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        comments.push(at..end);
        from = end;
    }
    comments
}
