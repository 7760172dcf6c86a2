//! Setting and removing many keys at once.

use std::collections::{HashMap, HashSet};

use super::{batch::Patches, insert, pass::Pass, remove, render, replace};
use crate::{
    document::{Form, Place},
    path::KeyPath,
    value::Value,
};

/// What a key is to say; nothing if it is to go.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) path: KeyPath,
    pub(super) value: Option<Value>,
    /// How a value that is added is written.
    pub(super) bytes: Option<String>,
}

/// Plans all of them; those that have to wait for the next pass come back.
pub(super) fn take(pass: &mut Pass<'_>, puts: Vec<Put>) -> Vec<Put> {
    let mut todo = Todo::default();
    for put in puts {
        todo.put(pass, put);
    }
    let Todo { order, adds, braces, mut later } = todo;
    let (mut adds, mut braces) = (adds, braces);
    let mut headers = HashSet::new();
    for one in order {
        match one {
            One::Remove(path) => {
                let patches = remove::remove(&pass.way(&path));
                if !pass.batch.take(patches.into()) {
                    later.push(Put { path, value: None, bytes: None });
                }
            }
            One::Replace(put) => {
                let patches = put.value.as_ref().map(|new| replaced(pass, &put.path, new));
                if !pass.batch.take(patches.unwrap_or_default()) {
                    later.push(put);
                }
            }
            One::Add(missing) => {
                let Some(put) = adds.remove(&missing).and_then(|puts| together(missing, puts))
                else {
                    continue;
                };
                let way = pass.way(&put.path);
                let new = put.value.as_ref();
                let made = insert::made(&way, new.is_some_and(|new| new.as_table().is_some()));
                if headers.contains(&made) {
                    later.push(put);
                    continue;
                }
                let patches = new.map(|new| insert::insert(&way, new, put.bytes.as_deref()));
                if !pass.batch.take(patches.unwrap_or_default().into()) {
                    later.push(put);
                    continue;
                }
                pass.batch.keys.note(&made);
                headers.insert(made);
            }
            One::Braces(table) => {
                let Some(Braces { gone, added }) = braces.remove(&table) else { continue };
                // Behind the last of some keys there is room for more.
                let room = gone.is_empty() && !pass.way(&table).last().parts.is_empty();
                if !room {
                    pass.batch.keys.note(&table);
                }
                let item = |put: &Put| {
                    let key = render::dotted(put.path.names().get(table.names().len()..)?);
                    let value = match (&put.bytes, &put.value) {
                        (Some(bytes), _) if !bytes.contains('\n') => bytes.clone(),
                        (_, value) => render::value(value.as_ref()?, None),
                    };
                    Some(format!("{key} = {value}"))
                };
                let items: Vec<String> = added.iter().filter_map(item).collect();
                if !pass.braces(&table, &gone, &items) {
                    let gone = gone.into_iter();
                    later.extend(gone.map(|path| Put { path, value: None, bytes: None }));
                    later.extend(added);
                }
            }
        }
    }
    later
}

fn replaced(pass: &Pass<'_>, path: &KeyPath, new: &Value) -> Patches {
    let way = pass.way(path);
    let list = replace::replace(way.text(), way.last(), way.value, new);
    let was = way.text().get(way.last().span.clone()).map(str::to_owned);
    let changed = way.statement().map(|place| (place.span.end, was));
    Patches { list, changed }
}

/// Several keys that make the same table are added as that table.
fn together(missing: KeyPath, puts: Vec<Put>) -> Option<Put> {
    if puts.len() < 2 {
        return puts.into_iter().next();
    }
    let depth = missing.names().len();
    let mut tree = Tree::default();
    for put in puts {
        let mut at = &mut tree;
        for name in put.path.names().get(depth..)? {
            at = at.below.entry(name.clone()).or_default();
        }
        at.value = put.value;
    }
    Some(Put { path: missing, value: Some(tree.value()), bytes: None })
}

#[derive(Default)]
struct Tree {
    value: Option<Value>,
    below: indexmap::IndexMap<String, Tree>,
}

impl Tree {
    fn value(self) -> Value {
        match self.value {
            Some(value) => value,
            None => Value::Table(
                self.below.into_iter().map(|(name, tree)| (name, tree.value())).collect(),
            ),
        }
    }
}

enum One {
    Remove(KeyPath),
    Replace(Put),
    /// What is to be added from this missing key on.
    Add(KeyPath),
    /// What is to be done between the braces of this table.
    Braces(KeyPath),
}

#[derive(Default)]
struct Braces {
    gone: Vec<KeyPath>,
    added: Vec<Put>,
}

/// What is to be done, in the order it was asked for.
#[derive(Default)]
struct Todo {
    order: Vec<One>,
    adds: HashMap<KeyPath, Vec<Put>>,
    braces: HashMap<KeyPath, Braces>,
    later: Vec<Put>,
}

impl Todo {
    fn put(&mut self, pass: &Pass<'_>, put: Put) {
        let way = pass.way(&put.path);
        let found = way.exists().then(|| (way.value, way.last()));
        match (found, &put.value) {
            (None, None) => {}
            (None, Some(_)) => {
                let braces = way.places.iter().rposition(|place| place.form == Form::Inline);
                let (braces, missing) =
                    (braces.map(|at| way.above(at)), way.above(way.depth() + 1));
                match braces {
                    Some(table) => self.braces(table).added.push(put),
                    None => self.add(missing, put),
                }
            }
            (Some(_), None) => {
                let braces = way.braces().map(|at| way.above(at));
                self.remove(braces, put.path);
            }
            (Some((old, place)), Some(new)) => {
                let braces = way.braces().map(|at| way.above(at));
                self.change(pass, &put.path, braces, (old, place), new);
            }
        }
    }

    fn add(&mut self, missing: KeyPath, put: Put) {
        let puts = self.adds.entry(missing.clone()).or_insert_with(|| {
            self.order.push(One::Add(missing));
            Vec::new()
        });
        puts.push(put);
    }

    fn braces(&mut self, table: KeyPath) -> &mut Braces {
        self.braces.entry(table.clone()).or_insert_with(|| {
            self.order.push(One::Braces(table));
            Braces::default()
        })
    }

    fn remove(&mut self, braces: Option<KeyPath>, path: KeyPath) {
        match braces {
            Some(table) => self.braces(table).gone.push(path),
            None => self.order.push(One::Remove(path)),
        }
    }

    /// A key that is there becomes something else.
    fn change(
        &mut self,
        pass: &Pass<'_>,
        path: &KeyPath,
        braces: Option<KeyPath>,
        (old, place): (&Value, &Place),
        new: &Value,
    ) {
        let put =
            |value: &Value| Put { path: path.clone(), value: Some(value.clone()), bytes: None };
        let written_as_its_keys =
            matches!(place.form, Form::Implied | Form::Dotted | Form::InlineDotted);
        match (old, new) {
            // Without its last key nothing would say that it is there.
            (Value::Table(old), Value::Table(empty))
                if empty.is_empty() && !old.is_empty() && written_as_its_keys =>
            {
                self.later.push(put(new));
                self.remove(braces, path.clone());
            }
            (Value::Table(old), Value::Table(new)) => {
                let inside = if place.form == Form::Inline { Some(path.clone()) } else { braces };
                for (name, _) in old.iter().filter(|(name, _)| !new.contains_key(name)) {
                    self.remove(inside.clone(), path.child(name));
                }
                for (name, value) in new {
                    let child = path.child(name);
                    match old.get_full(name) {
                        Some((index, _, old)) => {
                            if let Some(place) = place.parts.get(index) {
                                self.change(pass, &child, inside.clone(), (old, place), value);
                            }
                        }
                        None => {
                            let value = Some(value.clone());
                            self.put(pass, Put { path: child, value, bytes: None });
                        }
                    }
                }
            }
            (old, new) if old.means(new) => {}
            // Written over several lines with headers or dotted keys of their own.
            (Value::Table(_), _) if place.form != Form::Inline => {
                self.later.push(put(new));
                self.remove(braces, path.clone());
            }
            _ if place.form == Form::Repeated => {
                self.later.push(put(new));
                self.remove(braces, path.clone());
            }
            _ => self.order.push(One::Replace(put(new))),
        }
    }
}
