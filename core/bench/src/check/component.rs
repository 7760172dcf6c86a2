//! One component looked at by itself.

use std::sync::Arc;

use super::{build, drivers::Drivers, facts::Facts, findings::Findings, walk};
use crate::{
    catalogue::Catalogue,
    document::Place,
    model::{Instrument, RuntimeSettings, Source},
    path::KeyPath,
    schema::{self, Kind},
    value::Value,
};

/// The name of a component: `instruments.psu`, or the name of another top-level key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name<'n> {
    /// The top-level key: `instruments`, `runtime`.
    pub top: &'n str,
    /// The name below it, for tables that hold things by name.
    pub id: Option<&'n str>,
}

impl Name<'_> {
    /// As a path of keys.
    pub fn path(&self) -> KeyPath {
        KeyPath::new(std::iter::once(self.top).chain(self.id))
    }
}

/// What the check of one component needs besides the component.
pub struct Context<'c> {
    /// Facts about instrument types.
    pub catalogue: &'c dyn Catalogue,
    /// What was asked of `catalogue` so far.
    pub drivers: &'c mut Drivers,
    /// The text that places with a number of origin are in.
    pub texts: &'c dyn Fn(u16) -> &'c str,
    /// Whether further files, templates and `${…}` have been put in already.
    pub layered: bool,
}

/// What the check of one component came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What is wrong with it or worth knowing.
    pub findings: Findings,
    /// What the check of the whole bench has to know of it.
    pub facts: Facts,
    /// What it means; `None` if there is an error in it or nothing of it runs.
    pub built: Option<Built>,
}

/// A component as part of the typed bench.
#[derive(Debug, Clone, PartialEq)]
pub enum Built {
    /// `[bench]`: name, if it has one, and environment.
    Bench(Option<Box<str>>, Box<str>),
    /// `[runtime]`
    Runtime(Box<RuntimeSettings>),
    /// `[instruments.<id>]`
    Instrument(Arc<Instrument>),
    /// `[sources.<id>]`
    Source(Arc<Source>),
}

/// Checks one component: a pure function of its value, its place and what `context` knows.
///
/// A table that holds things by name is a component without `id`, of which only that it is a table
/// is checked, and so is each thing in it.
pub fn component(
    name: Name<'_>,
    value: &Value,
    place: &Place,
    context: &mut Context<'_>,
) -> Checked {
    let (findings, facts) = walk::component(name, value, place, context);
    let built = (!findings.any_error()).then(|| build::component(name, value)).flatten();
    Checked { findings, facts, built }
}

/// The components of a document, in file order; each table that holds things by name comes
/// before what it holds.
pub fn components<'d>(
    values: &'d Value,
    root: &'d Place,
) -> impl Iterator<Item = (Name<'d>, &'d Value, &'d Place)> {
    let top = values.as_table().into_iter().flatten().zip(&root.parts);
    top.flat_map(|((top, value), place)| {
        let top: &str = top;
        let named =
            matches!(schema::root().child(top).map(schema::Node::kind), Some(Kind::Named(_)));
        let below = named.then(|| value.as_table()).flatten().into_iter().flatten();
        let below = below.zip(&place.parts).map(move |((id, value), place)| {
            let id: &str = id;
            (Name { top, id: Some(id) }, value, place)
        });
        std::iter::once((Name { top, id: None }, value, place)).chain(below)
    })
}
