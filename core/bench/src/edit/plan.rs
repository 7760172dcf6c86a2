//! From one edit to patches of the text.

use super::{Edit, EditError, batch::Patches, insert, layout::Layout, remove, replace};
use crate::{
    document::{Document, Form, Place},
    path::KeyPath,
    value::Value,
};

pub(super) enum Plan {
    /// The text says so already.
    Nothing,
    /// These edits come to the same.
    First(Vec<Edit>),
    /// This is to be done to the text.
    Patches(Patches),
}

/// The places on the way to a key, the top of the file first, as far as they exist.
pub(super) struct Way<'d> {
    pub(super) document: &'d Document,
    pub(super) layout: &'d Layout,
    pub(super) path: &'d KeyPath,
    /// One longer than the number of names that exist.
    pub(super) places: Vec<&'d Place>,
    value: &'d Value,
}

impl<'d> Way<'d> {
    /// The last place that exists.
    pub(super) fn last(&self) -> &'d Place {
        self.places.last().copied().unwrap_or_else(|| self.document.root())
    }

    /// How many of the names exist.
    pub(super) fn depth(&self) -> usize {
        self.places.len().saturating_sub(1)
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
}

pub(super) fn plan(document: &Document, layout: &Layout, edit: &Edit) -> Result<Plan, EditError> {
    let way = find(document, layout, &edit.path)?;
    let exists = way.depth() == edit.path.names().len();
    let Some(new) = &edit.value else {
        if !exists || edit.path.is_empty() {
            return Err(EditError::Missing { path: edit.path.clone() });
        }
        return Ok(Plan::Patches(remove::remove(&way)));
    };
    if !exists {
        return Ok(Plan::Patches(insert::insert(&way, new)));
    }
    match (way.value, new) {
        (Value::Table(old), Value::Table(new)) => {
            let mut instead = Vec::new();
            for name in old.keys().filter(|name| !new.contains_key(name)) {
                instead.push(Edit { path: edit.path.child(name), value: None });
            }
            for (name, value) in new {
                if !old.get(name).is_some_and(|old| old.means(value)) {
                    instead.push(Edit { path: edit.path.child(name), value: Some(value.clone()) });
                }
            }
            Ok(if instead.is_empty() { Plan::Nothing } else { Plan::First(instead) })
        }
        (old, new) if old.means(new) => Ok(Plan::Nothing),
        _ if edit.path.is_empty() => Err(EditError::NotATable {
            path: edit.path.clone(),
            blocker: edit.path.clone(),
            found: new.type_name(),
        }),
        // Written over several lines with headers of their own.
        (Value::Table(_), _) if way.last().form != Form::Inline => Ok(remove_first(edit)),
        _ if way.last().form == Form::Repeated => Ok(remove_first(edit)),
        (old, new) => Ok(Plan::Patches(Patches {
            list: replace::replace(document.text(), way.last(), old, new),
            claims: None,
        })),
    }
}

fn remove_first(edit: &Edit) -> Plan {
    Plan::First(vec![Edit { path: edit.path.clone(), value: None }, edit.clone()])
}

fn find<'d>(
    document: &'d Document,
    layout: &'d Layout,
    path: &'d KeyPath,
) -> Result<Way<'d>, EditError> {
    let mut way =
        Way { document, layout, path, places: vec![document.root()], value: document.values() };
    for name in path.names() {
        let Some(table) = way.value.as_table() else {
            return Err(EditError::NotATable {
                path: path.clone(),
                blocker: way.above(way.depth()),
                found: way.value.type_name(),
            });
        };
        let Some((index, _, value)) = table.get_full(name) else { break };
        let Some(place) = way.last().parts.get(index) else { break };
        way.places.push(place);
        way.value = value;
    }
    Ok(way)
}
