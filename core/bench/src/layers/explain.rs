//! Where a value comes from, and what it overrides.

use std::{cell::OnceCell, ops::Range, sync::Arc};

use serde::Serialize;

use super::{
    LayeredReading,
    component::{Templates, takes_template, templates},
    expand::{self, Part},
    merge::Piece,
    origin::{LayerKind, at, part},
    quiet::quiet,
    whole,
};
use crate::{diagnostic::Span, document::Cursor, path::KeyPath, value::Value};

/// One place that says something about a key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// The text it is in: a file's name as findings have it, `environment` or `--env`.
    pub file: Arc<str>,
    /// The kind of layer that is.
    pub layer: LayerKind,
    /// Where the value stands in that text; the header of a table that has one.
    #[serde(flatten)]
    pub span: Span,
    /// The value as it is written there, before anything is put in: `"tcp://${HOST}:5555"`.
    /// Never shows a secret.
    pub raw: Value,
    /// The template that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What is put into it, as written: `${HOST}`, `${secret:TOKEN}`, `$(channel)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
    /// Whether it is part of what holds: true for the first, for what lies below a list that is
    /// added behind it, and for every layer of a table.
    pub holds: bool,
    /// The index of the text.
    #[serde(skip)]
    pub origin: u16,
}

impl LayeredReading {
    /// Everything that says something about a key: first what holds, then what it overrides, from
    /// the highest layer down. Empty if no layer has the key: then its default holds, if it has
    /// one. Of a table, every layer that has it. Of a part of a value that was put in as a whole
    /// (`"$(range)"`), what there is to say of that value.
    pub fn explain(&self, path: &KeyPath) -> Vec<Provenance> {
        let found = self.pieces(path);
        // What was put in as a whole has no keys of its own in any file.
        if let (true, Some(above), Some(_)) =
            (found.is_empty(), path.parent(), self.resolved.get(path))
        {
            return self.explain(&above);
        }
        let mut all: Vec<Provenance> = Vec::with_capacity(found.len());
        let mut holds = true;
        for (index, piece) in found.iter().enumerate() {
            if let (Some(above), true) = (index.checked_sub(1).and_then(|at| found.get(at)), holds)
            {
                holds = match (above.value, piece.value) {
                    (Value::Table(_), Value::Table(_)) => true,
                    (Value::Array(_), Value::Array(_)) => self.appends(above, path),
                    _ => false,
                };
            }
            all.push(self.provenance(piece, holds, path));
        }
        all
    }

    /// What each layer and template says about a key, highest first.
    pub(super) fn pieces<'r>(&'r self, path: &KeyPath) -> Vec<Piece<'r>> {
        self.pieces_with(path, &OnceCell::new())
    }

    /// The same for many keys: the templates are looked up once.
    pub(super) fn pieces_with<'r>(
        &'r self,
        path: &KeyPath,
        known: &OnceCell<Templates<'r>>,
    ) -> Vec<Piece<'r>> {
        let layers = self.layers();
        let names = path.names();
        let component: Vec<&str> = names.iter().take(2).map(String::as_str).collect();
        let own = |names: &[String]| -> Vec<Piece<'r>> {
            whole::tops(layers)
                .filter_map(|top| {
                    let (value, place) = at(top.value, top.place, names)?;
                    Some(Piece { value, place, template: None })
                })
                .collect()
        };
        let mut all = Vec::new();
        // `template` and `with` of a template are its own.
        let inner = names.get(2).is_some_and(|name| name != "template" && name != "with");
        if inner && takes_template(&component) {
            let pieces = own(names.get(..2).unwrap_or_default());
            let made =
                pieces.iter().any(|piece| part(piece.value, piece.place, "template").is_some());
            let none = Templates::new();
            let known = if made { known.get_or_init(|| whole::templates(layers)) } else { &none };
            let rest = names.get(2..).unwrap_or_default();
            let chain = templates(&component, &pieces, known).pieces.into_iter();
            all.extend(chain.filter_map(|piece| {
                let (value, place) = at(piece.value, piece.place, rest)?;
                Some(Piece { value, place, ..piece })
            }));
        }
        all.extend(own(names));
        all.reverse();
        all
    }

    pub(super) fn appends(&self, piece: &Piece<'_>, path: &KeyPath) -> bool {
        let origin = self.origins.get(usize::from(piece.place.origin));
        piece.template.is_none() && origin.is_some_and(|origin| origin.append.contains(path))
    }

    fn provenance(&self, piece: &Piece<'_>, holds: bool, path: &KeyPath) -> Provenance {
        let text = self.origins.get(usize::from(piece.place.origin));
        let span = Cursor::new(text.map_or("", |origin| &origin.text)).span(bytes(piece));
        self.provenance_at(piece, holds, span, path)
    }

    /// The same where lines and columns are known.
    pub(super) fn provenance_at(
        &self,
        piece: &Piece<'_>,
        holds: bool,
        span: Span,
        path: &KeyPath,
    ) -> Provenance {
        let origin = piece.place.origin;
        let text = self.origins.get(usize::from(origin));
        let layer = text.map_or(LayerKind::Main, |origin| origin.kind);
        let mut through = Vec::new();
        if layer.is_file() {
            written(piece.value, piece.template.is_some(), &mut through);
        }
        Provenance {
            file: text.map_or_else(|| "".into(), |origin| origin.name.clone()),
            layer,
            span,
            raw: quiet(path, piece.value),
            template: piece.template.map(str::to_owned),
            through,
            holds,
            origin,
        }
    }
}

/// Where a value stands; of a table that has a header, the header.
pub(super) fn bytes(piece: &Piece<'_>) -> Range<usize> {
    match piece.value {
        Value::Table(_) => piece.place.head(),
        _ => piece.place.span.clone(),
    }
}

/// What is put into a value, as written; of a table nothing, since its keys are asked for one by
/// one.
fn written(value: &Value, template: bool, through: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let parts = expand::parts(text, template).into_iter();
            through.extend(parts.filter_map(|(part, range)| match part {
                Part::Text(_) | Part::Bad(_) => None,
                _ => text.get(range).map(str::to_owned),
            }));
        }
        Value::Array(items) => items.iter().for_each(|item| written(item, template, through)),
        _ => {}
    }
}
