//! Pieces of several layers to one value, with the place of each part.

use std::{collections::HashSet, fmt, ops::Range};

use indexmap::IndexMap;

use super::{component::Context, fill::Room};
use crate::{
    check::{Finding, Problem},
    document::{self, Form, Place},
    path::KeyPath,
    value::{Table, Value},
};

/// What one layer says about one key.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The value as written.
    pub value: &'a Value,
    /// Where; its `origin` tells the layer.
    pub place: &'a Place,
    /// The template that it comes from.
    pub template: Option<&'a str>,
}

/// A value that holds a secret: its path and what the file has in its place.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// The key.
    pub path: KeyPath,
    /// As it is written: `${secret:TOKEN}`.
    pub written: String,
    /// The index of the text where it is written.
    pub(super) origin: u16,
    /// Where.
    pub(super) bytes: Range<usize>,
    /// What must not be seen.
    pub(super) value: String,
}

impl Secret {
    /// Whether this is the same value at the same key, wherever it is written.
    pub fn is(&self, other: &Self) -> bool {
        self.path == other.path && self.value == other.value
    }
}

/// Without what must not be seen.
impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, written, .. } = self;
        out.debug_struct("Secret").field("path", path).field("written", written).finish()
    }
}

/// Puts pieces together; one for each component.
pub(super) struct Merge<'a> {
    pub(super) context: &'a Context<'a>,
    /// What the component gives to its template.
    pub(super) with: IndexMap<String, (Value, Place)>,
    /// Secrets in it, by the name below `with`.
    pub(super) with_secrets: Vec<Secret>,
    /// What in it is the text of a variable, of which the key decides what it means.
    pub(super) with_untyped: HashSet<KeyPath>,
    /// The same of this component.
    pub(super) untyped: HashSet<KeyPath>,
    /// The type of the instrument.
    pub(super) driver: Option<String>,
    /// Where the component names its template; findings about placeholders belong there.
    pub(super) user: Option<&'a Place>,
    /// The key being looked at.
    pub(super) names: Vec<&'a str>,
    pub(super) findings: Vec<Finding>,
    pub(super) secrets: Vec<Secret>,
    /// Texts that are not what they are meant to be: their place.
    pub(super) broken: Vec<(u16, Range<usize>)>,
    /// Names of variables and secrets that were looked up.
    pub(super) variables: Vec<String>,
    /// For what is put into its texts.
    pub(super) room: Room,
}

impl<'a> Merge<'a> {
    pub(super) fn new(context: &'a Context<'a>, names: Vec<&'a str>) -> Self {
        Self {
            context,
            with: IndexMap::new(),
            with_secrets: Vec::new(),
            with_untyped: HashSet::new(),
            untyped: HashSet::new(),
            driver: None,
            user: None,
            names,
            findings: Vec::new(),
            secrets: Vec::new(),
            broken: Vec::new(),
            variables: Vec::new(),
            room: Room::of(document::LONGEST),
        }
    }

    pub(super) fn path(&self) -> KeyPath {
        KeyPath::new(self.names.iter().copied())
    }

    /// One key of all layers, lower ones first; there is at least one.
    pub(super) fn merge(&mut self, pieces: &[Piece<'a>]) -> Option<(Value, Place)> {
        let (top, below) = pieces.split_last()?;
        let Some(next) = below.last() else { return Some(self.take(*top)) };
        // What cannot be read says nothing, so far as another layer does.
        let is_broken = |piece: &Piece<'_>| piece.place.form == Form::Broken;
        if pieces.iter().any(is_broken) {
            let whole: Vec<Piece<'a>> =
                pieces.iter().filter(|piece| !is_broken(piece)).copied().collect();
            return if whole.is_empty() { Some(self.take(*top)) } else { self.merge(&whole) };
        }
        match (top.value, next.value) {
            (Value::Table(_), _) => {
                let is_plain = |piece: &Piece<'_>| !matches!(piece.value, Value::Table(_));
                let start = pieces.iter().rposition(is_plain).map_or(0, |index| index + 1);
                let tables = pieces.get(start..)?;
                if let (Some(plain), Some(table)) =
                    (start.checked_sub(1).and_then(|at| pieces.get(at)), tables.first())
                {
                    self.conflict(plain, table);
                }
                if tables.len() == 1 {
                    Some(self.take(*top))
                } else {
                    Some(self.tables(tables, &[]))
                }
            }
            (_, Value::Table(_)) => {
                self.conflict(next, top);
                Some(self.take(*top))
            }
            (Value::Array(_), Value::Array(_)) if self.appends(top) => {
                let (lower, mut place) = self.merge(below)?;
                let (upper, top) = self.take(*top);
                let (Value::Array(mut items), Value::Array(more)) = (lower, upper) else {
                    return None;
                };
                items.extend(more);
                place.parts.extend(top.parts);
                let Place { origin, key, span, form, .. } = top;
                Some((Value::Array(items), Place { origin, key, span, form, parts: place.parts }))
            }
            _ => Some(self.take(*top)),
        }
    }

    /// Tables of several layers, keys of lower ones first. `without` are keys left out.
    pub(super) fn tables(&mut self, pieces: &[Piece<'a>], without: &[&str]) -> (Value, Place) {
        let mut keys: IndexMap<&'a str, Vec<Piece<'a>>> = IndexMap::new();
        for piece in pieces {
            let Some(table) = piece.value.as_table() else { continue };
            for ((name, value), place) in table.iter().zip(&piece.place.parts) {
                let name: &'a str = name;
                if !without.contains(&name) {
                    let template = piece.template;
                    keys.entry(name).or_default().push(Piece { value, place, template });
                }
            }
        }
        let mut values = Table::with_capacity(keys.len());
        let mut parts = Vec::with_capacity(keys.len());
        for (name, pieces) in keys {
            self.names.push(name);
            if let Some((value, place)) = self.merge(&pieces) {
                values.insert(name.to_owned(), value);
                parts.push(place);
            }
            self.names.pop();
        }
        // What is missing in it is missing where it is first written, not in a template.
        let own = pieces.iter().find(|piece| piece.template.is_none()).or(pieces.first());
        let mut place = own.map_or_else(nowhere, |piece| head(piece.place));
        place.parts = parts;
        (Value::Table(values), place)
    }

    fn appends(&self, piece: &Piece<'_>) -> bool {
        let origin = self.context.origins.get(usize::from(piece.place.origin));
        // A template's list stands under the component's own path.
        origin.is_some_and(|origin| {
            !origin.append.is_empty()
                && piece.template.is_none()
                && origin.append.contains(&self.path())
        })
    }

    fn conflict(&mut self, lower: &Piece<'_>, upper: &Piece<'_>) {
        let name = |piece: &Piece<'_>| {
            let origin = self.context.origins.get(usize::from(piece.place.origin));
            origin.map(|origin| origin.name.to_string()).unwrap_or_default()
        };
        let template = lower.template.map(|name| format!("template {name} in "));
        let message = format!(
            "{} is a {} here and a {} in {}{}: both have to be the same kind of thing",
            self.names.last().copied().unwrap_or_default(),
            upper.value.type_name(),
            lower.value.type_name(),
            template.unwrap_or_default(),
            name(lower),
        );
        let mut finding = Finding::of_error(
            upper.place,
            self.path().to_string(),
            Problem::new("layer_conflict", message),
        );
        finding.bytes = upper.place.head();
        self.findings.push(finding);
    }
}

/// A place without its parts.
pub(super) fn head(place: &Place) -> Place {
    let Place { origin, key, span, form, .. } = place;
    Place { origin: *origin, key: key.clone(), span: span.clone(), form: *form, parts: Vec::new() }
}

pub(super) fn nowhere() -> Place {
    Place { origin: 0, key: None, span: 0..0, form: Form::Headed, parts: Vec::new() }
}
