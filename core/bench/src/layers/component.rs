//! One component (`instruments.psu`, a source, a module, or another top table) out of what all
//! layers and its templates say about it.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::{
    expand::{self, Part},
    merge::{Merge, Piece, Secret},
    origin::{Origin, part},
};
use crate::{
    catalogue::Catalogue,
    check::{Finding, Problem, nearest},
    document::Place,
    path::KeyPath,
    schema::{self, Kind},
    value::Value,
};

/// How many templates may stand behind each other.
pub(crate) const MOST_TEMPLATES: usize = 32;

/// Where there are more templates, no name is looked for that was probably meant.
const MOST_COMPARED: usize = 100;

/// Where variables and secrets are looked up.
pub trait Variables {
    /// The value of a variable; `None` if it is not set.
    fn variable(&self, name: &str) -> Option<String>;
    /// The value of a secret; `None` if it is not set.
    fn secret(&self, name: &str) -> Option<String>;
}

/// What all layers say about each template, lower layers first.
pub type Templates<'a> = IndexMap<&'a str, Vec<Piece<'a>>>;

/// What a component needs to know besides its own pieces.
pub struct Context<'a> {
    /// The texts that places point into.
    pub origins: &'a [Origin],
    /// `[templates.NAME]`
    pub templates: &'a Templates<'a>,
    /// For `${NAME}` and `${secret:NAME}`.
    pub variables: &'a dyn Variables,
    /// For the types of instruments' parameters.
    pub catalogue: &'a dyn Catalogue,
}

/// What a component comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Its effective value, without `template` and `with`.
    pub value: Value,
    /// The place of every part of it.
    pub place: Place,
    /// What is wrong with how it is put together.
    pub findings: Vec<Finding>,
    /// The keys in it that hold a secret.
    pub secrets: Vec<Secret>,
    /// The origin and bytes of texts that could not be made whole. Whatever else there is to say
    /// of them follows from that.
    pub broken: Vec<(u16, std::ops::Range<usize>)>,
    /// Whether there is a template that could not be found: keys may be missing for that.
    pub partial: bool,
    /// The templates it is made from.
    pub templates: Vec<String>,
    /// The variables that were looked up for it; secrets as `secret:NAME`.
    pub variables: Vec<String>,
}

/// Whether components of this kind may be made from templates.
pub(super) fn takes_template(names: &[&str]) -> bool {
    let [top, _] = names else { return false };
    let kind = schema::root().child(top).and_then(|node| node.child("*")).map(|node| node.kind());
    matches!(kind, Some(Kind::Instrument | Kind::Source | Kind::Module))
}

/// Puts one component together. `names` is its path, `pieces` what each layer says, lower ones
/// first. The result depends on nothing but the arguments: as long as the pieces, the templates
/// and the variables that it names are the same, so is the result. `None` without pieces.
pub fn resolve_component<'a>(
    names: &[&'a str],
    pieces: &[Piece<'a>],
    context: &'a Context<'a>,
) -> Option<Resolved> {
    let mut merge = Merge::new(context, names.to_vec());
    let mut chain = Chain::default();
    let resolved = if takes_template(names) {
        chain = templates(names, pieces, context.templates);
        chain.findings_count = chain.findings.len();
        merge.findings.append(&mut chain.findings);
        let all: Vec<Piece<'a>> = chain.pieces.iter().chain(pieces).copied().collect();
        merge.user = chain.user;
        let touched = all.iter().any(|piece| {
            piece
                .value
                .as_table()
                .is_some_and(|table| table.contains_key("template") || table.contains_key("with"))
        });
        if touched {
            with(&mut merge, &all, chain.user.is_some());
        }
        // Only texts that are put in wait for an instrument's type to know what they mean.
        let waits = |piece: &Piece<'a>| {
            let origin = context.origins.get(usize::from(piece.place.origin));
            origin.is_some_and(|origin| origin.dollars || !origin.kind.is_file())
        };
        if names.first() == Some(&"instruments") && all.iter().any(waits) {
            merge.driver = driver(&mut merge, &all);
        }
        if touched {
            let tables = all.iter().rposition(|piece| piece.value.as_table().is_none());
            match tables {
                None => Some(merge.tables(&all, &["template", "with"])),
                Some(_) => merge.merge(&all),
            }
        } else {
            merge.merge(&all)
        }
    } else {
        merge.merge(pieces)
    };
    let (value, place) = resolved?;
    if chain.findings_count == 0 && chain.user.is_some() {
        unused(&mut merge, names, pieces, &chain.pieces);
    }
    let mut variables = merge.variables;
    variables.sort_unstable();
    variables.dedup();
    Some(Resolved {
        value,
        place,
        findings: merge.findings,
        secrets: merge.secrets,
        broken: merge.broken,
        partial: chain.findings_count > 0,
        templates: chain.names.into_iter().map(str::to_owned).collect(),
        variables,
    })
}

/// Warns of what a component gives to its templates and none of them asks for.
fn unused<'a>(
    merge: &mut Merge<'a>,
    names: &[&'a str],
    own: &[Piece<'a>],
    templates: &[Piece<'a>],
) {
    let given: Vec<(&'a str, &'a Place)> = own
        .iter()
        .filter_map(|piece| part(piece.value, piece.place, "with"))
        .filter_map(|(value, place)| Some(value.as_table()?.iter().zip(&place.parts)))
        .flat_map(|with| with.map(|((name, _), place)| -> (&'a str, &'a Place) { (name, place) }))
        .collect();
    if given.is_empty() {
        return;
    }
    let mut holes = HashSet::new();
    for piece in templates {
        collect_holes(piece.value, &mut holes);
    }
    for (name, place) in given.into_iter().filter(|(name, _)| !holes.contains(name)) {
        let message = format!("{name} has no effect: no template of this component has $({name})");
        let path = KeyPath::new(names.iter().copied().chain(["with", name]));
        let problem = Problem::new("no_effect", message);
        merge.findings.push(Finding::of_warning(place, path.to_string(), problem));
    }
}

fn collect_holes<'v>(value: &'v Value, holes: &mut HashSet<&'v str>) {
    match value {
        Value::String(text) if text.contains("$(") => {
            holes.extend(expand::parts(text, true).into_iter().filter_map(
                |(part, _)| match part {
                    Part::Hole(name) => Some(name),
                    _ => None,
                },
            ));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_holes(item, holes)),
        Value::Table(table) => table.values().for_each(|item| collect_holes(item, holes)),
        _ => {}
    }
}

/// The templates of a component.
#[derive(Default)]
pub(super) struct Chain<'a> {
    /// Nearest first.
    pub(super) names: Vec<&'a str>,
    /// Of all of them, lowest first.
    pub(super) pieces: Vec<Piece<'a>>,
    /// Where the component names its template.
    pub(super) user: Option<&'a Place>,
    pub(super) findings: Vec<Finding>,
    findings_count: usize,
}

/// The templates behind a component, as far as they can be found.
pub(super) fn templates<'a>(
    names: &[&str],
    pieces: &[Piece<'a>],
    known: &Templates<'a>,
) -> Chain<'a> {
    let mut chain = Chain::default();
    let mut groups: Vec<&[Piece<'a>]> = Vec::new();
    let mut seen = HashSet::new();
    let mut from = pieces.to_vec();
    loop {
        let named = from.iter().rev().find_map(|piece| part(piece.value, piece.place, "template"));
        let Some((value, place)) = named else { break };
        if groups.is_empty() && chain.user.is_none() {
            chain.user = Some(place);
        }
        let path = || match chain.names.last() {
            None => KeyPath::new(names.iter().copied().chain(["template"])).to_string(),
            Some(name) => KeyPath::new(["templates", *name, "template"]).to_string(),
        };
        let Some(name) = value.as_str() else {
            let message = format!(
                "template takes the name of a template as text, not a {}",
                value.type_name()
            );
            let problem = Problem::new("wrong_type", message);
            chain.findings.push(Finding::of_error(place, path(), problem));
            break;
        };
        let Some((name, group)) = known.get_key_value(name) else {
            let most = if known.len() <= MOST_COMPARED { known.len() } else { 0 };
            let candidates = known.keys().copied().take(most);
            let meant = nearest(name, candidates);
            let shown: String = name.chars().take(40).collect();
            let message =
                format!("there is no template “{shown}”: a template stands under [templates.NAME]");
            let problem = Problem::new("unknown_template", message).suggest(meant);
            chain.findings.push(Finding::of_error(place, path(), problem));
            break;
        };
        if !seen.insert(*name) {
            let start = chain.names.iter().position(|known| known == name).unwrap_or(0);
            let mut circle = chain.names.get(start..).unwrap_or_default().to_vec();
            circle.push(name);
            let message =
                format!("templates use each other in a circle: {}", circle.join(" uses "));
            let problem = Problem::new("template_circle", message);
            chain.findings.push(Finding::of_error(place, path(), problem));
            break;
        }
        if seen.len() > MOST_TEMPLATES {
            let message = format!("more than {MOST_TEMPLATES} templates stand behind each other");
            let problem = Problem::new("template_circle", message);
            chain.findings.push(Finding::of_error(place, path(), problem));
            break;
        }
        chain.names.push(name);
        groups.push(group);
        from = group.clone();
    }
    for (name, group) in chain.names.iter().zip(groups).rev() {
        chain.pieces.extend(group.iter().map(|piece| Piece { template: Some(name), ..*piece }));
    }
    chain
}

/// What the component and its templates give for `$(name)`.
fn with<'a>(merge: &mut Merge<'a>, all: &[Piece<'a>], has_template: bool) {
    let mut given: Vec<Piece<'a>> = Vec::new();
    for piece in all {
        let Some((value, place)) = part(piece.value, piece.place, "with") else { continue };
        let problem = if value.as_table().is_none() {
            let message = format!(
                "with takes a table such as {{ channel = 1 }}, not a {}",
                value.type_name()
            );
            Some(Finding::of_error(place, String::new(), Problem::new("wrong_type", message)))
        } else if !has_template {
            let message = "with has no effect: this component has no template".to_owned();
            Some(Finding::of_warning(place, String::new(), Problem::new("no_effect", message)))
        } else {
            None
        };
        match problem {
            Some(mut finding) => {
                finding.path = merge.path().child("with").to_string();
                merge.findings.push(finding);
            }
            None => given.push(Piece { value, place, template: None }),
        }
    }
    if given.is_empty() {
        return;
    }
    // A component of its own, so that secrets carry the path below `with`.
    let mut inner = Merge::new(merge.context, Vec::new());
    let (value, place) = inner.tables(&given, &[]);
    merge.findings.append(&mut inner.findings);
    merge.variables.append(&mut inner.variables);
    merge.broken.append(&mut inner.broken);
    merge.with_secrets = inner.secrets;
    merge.with_untyped = inner.untyped;
    if let Value::Table(table) = value {
        let parts = table.iter().zip(place.parts);
        merge.with =
            parts.map(|((name, value), place)| (name.to_owned(), (value.clone(), place))).collect();
    }
}

/// The type of an instrument, so far as it can be told. What is wrong with it is found when the
/// whole is put together.
fn driver<'a>(merge: &mut Merge<'a>, all: &[Piece<'a>]) -> Option<String> {
    let part_of = |piece: &Piece<'a>| {
        let (value, place) = part(piece.value, piece.place, "type")?;
        Some(Piece { value, place, template: piece.template })
    };
    let kinds: Vec<Piece<'a>> = all.iter().filter_map(part_of).collect();
    let (findings, secrets) = (merge.findings.len(), merge.secrets.len());
    let broken = merge.broken.len();
    merge.names.push("type");
    let kind = merge.merge(&kinds);
    merge.names.pop();
    merge.findings.truncate(findings);
    merge.secrets.truncate(secrets);
    merge.broken.truncate(broken);
    match kind? {
        (Value::String(name), _) => Some(name),
        _ => None,
    }
}
