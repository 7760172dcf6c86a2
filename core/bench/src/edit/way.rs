//! The way to a key, as far as it exists.

use super::layout::Layout;
use crate::{
    document::{Document, Form, Place},
    path::KeyPath,
    value::Value,
};

/// The places on the way to a key, the top of the file first, as far as they exist.
pub(super) struct Way<'d> {
    pub(super) document: &'d Document,
    pub(super) layout: &'d Layout,
    pub(super) path: &'d KeyPath,
    /// One longer than the number of names that exist.
    pub(super) places: Vec<&'d Place>,
    pub(super) value: &'d Value,
    /// The time for remarks, if there are to be any.
    pub(super) now: Option<&'d str>,
}

impl<'d> Way<'d> {
    pub(super) fn find(
        document: &'d Document,
        layout: &'d Layout,
        path: &'d KeyPath,
        now: Option<&'d str>,
    ) -> Self {
        let places = vec![document.root()];
        let mut way = Self { document, layout, path, places, value: document.values(), now };
        for name in path.names() {
            let found = way.value.as_table().and_then(|table| table.get_full(name));
            let Some((index, _, value)) = found else { break };
            let Some(place) = way.last().parts.get(index) else { break };
            way.places.push(place);
            way.value = value;
        }
        way
    }

    /// The last place that exists.
    pub(super) fn last(&self) -> &'d Place {
        self.places.last().copied().unwrap_or_else(|| self.document.root())
    }

    /// How many of the names exist.
    pub(super) fn depth(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    /// Whether all of them do.
    pub(super) fn exists(&self) -> bool {
        self.depth() == self.path.names().len()
    }

    pub(super) fn text(&self) -> &'d str {
        self.document.text()
    }

    /// The first names of the path.
    pub(super) fn above(&self, depth: usize) -> KeyPath {
        KeyPath::new(self.path.names().iter().take(depth).cloned())
    }

    /// The depth of the closest table that is not itself written as part of a dotted key.
    pub(super) fn owner(&self) -> usize {
        let dotted = |place: &&Place| matches!(place.form, Form::Dotted | Form::InlineDotted);
        let depth = self.depth();
        (0..=depth).rev().find(|at| !self.places.get(*at).is_some_and(dotted)).unwrap_or(0)
    }

    /// How many names the header has under which the last place stands.
    pub(super) fn base(&self) -> usize {
        let above = self.places.get(..self.depth()).unwrap_or_default();
        above.iter().rposition(|place| place.form == Form::Headed).unwrap_or(0)
    }

    /// The depth of the closest pair of braces that the last place stands in.
    pub(super) fn braces(&self) -> Option<usize> {
        let above = self.places.get(..self.depth()).unwrap_or_default();
        above.iter().rposition(|place| place.form == Form::Inline)
    }

    /// The statement that the last place stands in, if it does not hold statements itself.
    pub(super) fn statement(&self) -> Option<&'d Place> {
        let is_statement = |place: &&&Place| {
            matches!(place.form, Form::Plain | Form::Date | Form::List | Form::Inline)
        };
        self.places.iter().find(is_statement).copied()
    }
}
