//! All components of a bench.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::{
    component::{Context, Templates, Variables, resolve_component},
    fill::{Room, size},
    load::MOST_BYTES,
    merge::{Merge, Piece, Secret, head, nowhere},
    origin::{Layer, Origin, part},
};
use crate::{
    catalogue::Catalogue,
    check::{Finding, Problem},
    document::Place,
    path::KeyPath,
    schema::{self, Kind},
    value::{Table, Value},
};

/// Keys at the top of a file that say how layers go together, and are no part of the bench.
const ABOUT_LAYERS: [&str; 2] = ["append", "templates"];

/// A bench put together.
pub(super) struct Whole {
    pub(super) values: Value,
    pub(super) root: Place,
    pub(super) findings: Vec<Finding>,
    pub(super) secrets: Vec<Secret>,
    /// Origin and beginning of texts that could not be made whole.
    pub(super) broken: HashSet<(u16, usize)>,
    /// Paths of components of which a template could not be found.
    pub(super) partial: HashSet<String>,
}

/// Whether a table holds components by their names.
pub(super) fn is_group(name: &str) -> bool {
    let node = schema::root().child(name);
    node.is_some_and(|node| matches!(node.kind(), Kind::Named(_))) && name != "templates"
}

/// What each layer says about each key of a table.
pub(super) fn by_name<'a>(
    pieces: impl IntoIterator<Item = Piece<'a>>,
) -> IndexMap<&'a str, Vec<Piece<'a>>> {
    let mut keys: IndexMap<&'a str, Vec<Piece<'a>>> = IndexMap::new();
    for piece in pieces {
        let Some(table) = piece.value.as_table() else { continue };
        for ((name, value), place) in table.iter().zip(&piece.place.parts) {
            let name: &'a str = name;
            keys.entry(name).or_default().push(Piece { value, place, template: None });
        }
    }
    keys
}

/// The top tables of all layers.
pub(super) fn tops(layers: &[Layer]) -> impl Iterator<Item = Piece<'_>> {
    layers.iter().map(|layer| Piece { value: &layer.values, place: &layer.root, template: None })
}

/// What all layers say about each template.
pub(super) fn templates(layers: &[Layer]) -> Templates<'_> {
    by_name(tops(layers).filter_map(|top| {
        let (value, place) = part(top.value, top.place, "templates")?;
        Some(Piece { value, place, template: None })
    }))
}

/// Whether one file says all, and says it as it is meant.
pub(super) fn is_plain(layers: &[Layer], origins: &[Origin]) -> bool {
    // Variables that set no key are no layer.
    let ([layer], Some(origin)) = (layers, origins.first()) else { return false };
    let Some(table) = layer.values.as_table() else { return false };
    let made =
        |name: &str| {
            let group = table.get(name).and_then(Value::as_table);
            group.into_iter().flat_map(|group| group.values()).filter_map(Value::as_table).any(
                |component| component.contains_key("template") || component.contains_key("with"),
            )
        };
    !origin.dollars
        && !ABOUT_LAYERS.iter().any(|name| table.contains_key(name))
        && !table.iter().any(|(name, _)| is_group(name) && made(name))
}

/// Puts all components together.
pub(super) fn resolve(
    layers: &[Layer],
    origins: &[Origin],
    variables: &dyn Variables,
    catalogue: &dyn Catalogue,
) -> Whole {
    let templates = templates(layers);
    let context = Context { origins, templates: &templates, variables, catalogue };
    let mut findings = Vec::new();
    let mut secrets = Vec::new();
    let mut broken = HashSet::new();
    let mut partial = HashSet::new();
    let mut used: HashSet<String> = HashSet::new();
    let mut values = Table::new();
    let mut parts = Vec::new();
    let mut room = Room::of(MOST_BYTES);
    let mut full = false;
    let mut add =
        |names: &[&str], pieces: &[Piece<'_>], values: &mut Table, parts: &mut Vec<Place>| {
            if full {
                return;
            }
            let Some(resolved) = resolve_component(names, pieces, &context) else { return };
            let Some(name) = names.last() else { return };
            full = !room.take(size(&resolved.value));
            if full {
                findings.push(too_large(names, &resolved.place));
                return;
            }
            values.insert((*name).to_owned(), resolved.value);
            parts.push(resolved.place);
            findings.extend(resolved.findings);
            secrets.extend(resolved.secrets);
            broken.extend(resolved.broken.into_iter().map(|(origin, bytes)| (origin, bytes.start)));
            used.extend(resolved.templates);
            if resolved.partial {
                partial.insert(KeyPath::new(names.iter().copied()).to_string());
            }
        };
    for (name, pieces) in by_name(tops(layers)) {
        if ABOUT_LAYERS.contains(&name) {
            continue;
        }
        let all_tables = pieces.iter().all(|piece| piece.value.as_table().is_some());
        if !(is_group(name) && all_tables) {
            add(&[name], &pieces, &mut values, &mut parts);
            continue;
        }
        let mut group = Table::new();
        let mut place = pieces.first().map_or_else(nowhere, |piece| head(piece.place));
        for (id, pieces) in by_name(pieces) {
            add(&[name, id], &pieces, &mut group, &mut place.parts);
        }
        values.insert(name.to_owned(), Value::Table(group));
        parts.push(place);
    }
    template_findings(layers, &templates, &used, &mut findings);
    let mut root = layers.first().map_or_else(nowhere, |layer| head(&layer.root));
    root.parts = parts;
    Whole { values: Value::Table(values), root, findings, secrets, broken, partial }
}

fn too_large(names: &[&str], place: &Place) -> Finding {
    let message = format!(
        "with what templates and variables make of it the bench is longer than {} MiB here; what \
         follows is not read",
        MOST_BYTES >> 20
    );
    let path = KeyPath::new(names.iter().copied()).to_string();
    let mut finding = Finding::of_error(place, path, Problem::new("too_large", message));
    finding.bytes = place.head();
    finding
}

/// Templates that are no tables, or that nothing is made from.
fn template_findings<'a>(
    layers: &'a [Layer],
    templates: &Templates<'a>,
    used: &HashSet<String>,
    findings: &mut Vec<Finding>,
) {
    for top in tops(layers) {
        let Some((value, place)) = part(top.value, top.place, "templates") else { continue };
        if value.as_table().is_none() {
            let message = format!(
                "templates takes tables such as [templates.NAME], not a {}",
                value.type_name()
            );
            let problem = Problem::new("wrong_type", message);
            findings.push(Finding::of_error(place, "templates".to_owned(), problem));
        }
    }
    // A template that a used one uses is used.
    for (name, pieces) in templates {
        let path = KeyPath::new(["templates", *name]);
        for piece in pieces.iter().filter(|piece| piece.value.as_table().is_none()) {
            let message =
                format!("{name} takes a table of keys, not a {}", piece.value.type_name());
            let problem = Problem::new("wrong_type", message);
            findings.push(Finding::of_error(piece.place, path.to_string(), problem));
        }
        if used.contains(*name) {
            continue;
        }
        let Some(piece) = pieces.first() else { continue };
        let message = format!("{name} has no effect: nothing is made from this template");
        let problem = Problem::new("no_effect", message);
        let mut finding = Finding::of_warning(piece.place, path.to_string(), problem);
        finding.bytes = piece.place.head();
        findings.push(finding);
        // Its own templates are looked at all the same.
        let chain = super::component::templates(&["templates", name], pieces, templates);
        findings
            .extend(chain.findings.into_iter().filter(|it| it.code == "template_circle").take(1));
    }
}

/// One key of all layers below the overlay, before the environment is known.
pub(super) fn early(
    layers: &[Layer],
    origins: &[Origin],
    names: &[&str],
    variables: &dyn Variables,
    catalogue: &dyn Catalogue,
) -> Option<Value> {
    let templates = Templates::new();
    let context = Context { origins, templates: &templates, variables, catalogue };
    let pieces: Vec<Piece<'_>> = tops(layers)
        .filter_map(|top| {
            let found = names
                .iter()
                .try_fold((top.value, top.place), |(value, place), name| part(value, place, name));
            let (value, place) = found?;
            Some(Piece { value, place, template: None })
        })
        .collect();
    let mut merge = Merge::new(&context, names.to_vec());
    merge.merge(&pieces).map(|(value, _)| value)
}
