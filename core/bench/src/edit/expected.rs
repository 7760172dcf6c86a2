//! What a text is to say after edits, and whether it does.

use std::collections::{HashSet, VecDeque};

use indexmap::IndexMap;

use super::{Edit, EditError, Spot, TextEdit, keys, pass::Job, puts::Put};
use crate::{document::Document, path::KeyPath, value::Value};

/// Values with edits in them. Tables that no edit concerns are those of the text.
pub(super) struct Expected<'v>(Node<'v>);

/// Keys of a table; `None` where one was taken out.
type Keys<'v> = IndexMap<&'v str, Option<Node<'v>>>;

#[derive(Default)]
struct Node<'v> {
    /// What it is if nothing below it was changed; `None` for a table that edits made.
    same: Option<&'v Value>,
    /// The keys of a table with changes below it.
    keys: Option<Keys<'v>>,
}

/// Why there is no table to find a key in.
enum Blocked {
    /// After so many names there is something else.
    By(usize, &'static str),
    Missing,
}

impl<'v> Node<'v> {
    fn new(value: &'v Value) -> Self {
        Self { same: Some(value), keys: None }
    }

    /// What it is if it is not a table.
    fn plain(&self) -> Option<&'v Value> {
        self.same.filter(|value| self.keys.is_none() && value.as_table().is_none())
    }

    /// The keys of a table.
    fn open(&mut self) -> &mut Keys<'v> {
        let same = self.same;
        self.keys.get_or_insert_with(|| {
            let keys = same.and_then(Value::as_table).into_iter().flat_map(|table| table.iter());
            keys.map(|(name, value)| (name, Some(Self::new(value)))).collect()
        })
    }

    fn value(&self) -> Value {
        match (&self.keys, self.same) {
            (Some(keys), _) => {
                let there = |(name, node): (&&str, &Option<Node<'_>>)| {
                    Some(((*name).to_owned(), node.as_ref()?.value()))
                };
                Value::Table(keys.iter().filter_map(there).collect())
            }
            (None, Some(value)) => value.clone(),
            (None, None) => Value::Table(std::iter::empty::<(String, Value)>().collect()),
        }
    }

    fn is_empty(&self) -> bool {
        match (&self.keys, self.same) {
            (Some(keys), _) => keys.values().flatten().all(Self::is_empty),
            (None, same) => same.is_none_or(is_empty),
        }
    }
}

impl<'v> Expected<'v> {
    pub(super) fn new(values: &'v Value) -> Self {
        Self(Node::new(values))
    }

    /// Makes the edits and says what is to be done to the text for them: values that are to be set
    /// or removed, none of which is above another, and what has to come between them.
    pub(super) fn jobs(&mut self, edits: &'v [TextEdit]) -> Result<VecDeque<Job>, EditError> {
        let mut jobs = VecDeque::new();
        let mut touched: Vec<&'v KeyPath> = Vec::new();
        let mut noted = keys::Keys::default();
        for edit in edits {
            if let TextEdit::Put(edit) = edit {
                self.put(edit)?;
                noted.note(&edit.path);
                touched.push(&edit.path);
                continue;
            }
            // Values of other keys can as well be set later, all in one go.
            if edit.keys().iter().any(|path| noted.concern(path)) {
                jobs.extend(self.puts(std::mem::take(&mut touched)));
                noted = keys::Keys::default();
            }
            match edit {
                TextEdit::Put(_) => {}
                TextEdit::Rename { path, name } => {
                    self.rename(path, name)?;
                    jobs.push_back(Job::Rename { path: path.clone(), name: name.clone() });
                }
                TextEdit::Move { path, to: Spot::Into(table) } => {
                    self.relocate(path, table)?;
                    let to = table.child(path.last().unwrap_or_default());
                    jobs.push_back(Job::Into { path: path.clone(), to });
                }
                TextEdit::Move { path, to: Spot::Before(name) } => {
                    self.both(path, name)?;
                    let name = name.clone();
                    jobs.push_back(Job::Beside { path: path.clone(), name, before: true });
                }
                TextEdit::Move { path, to: Spot::After(name) } => {
                    self.both(path, name)?;
                    let name = name.clone();
                    jobs.push_back(Job::Beside { path: path.clone(), name, before: false });
                }
            }
        }
        jobs.extend(self.puts(touched));
        Ok(jobs)
    }

    /// The values that a run of edits comes to.
    fn puts(&self, touched: Vec<&'v KeyPath>) -> Option<Job> {
        let all: HashSet<&[String]> = touched.iter().map(|path| path.names()).collect();
        let mut told: HashSet<&[String]> = HashSet::new();
        let mut puts = Vec::new();
        for path in touched {
            let names = path.names();
            let shortest = (0..=names.len())
                .filter_map(|count| names.get(..count))
                .find(|names| all.contains(names))
                .unwrap_or(names);
            if told.insert(shortest) {
                let path = KeyPath::new(shortest.iter().cloned());
                puts.push(Put { value: self.get(shortest).map(Node::value), path, bytes: None });
            }
        }
        (!puts.is_empty()).then_some(Job::Puts(puts))
    }

    fn get(&self, names: &[String]) -> Option<&Node<'v>> {
        let mut node = &self.0;
        for name in names {
            node = node.keys.as_ref()?.get(name.as_str())?.as_ref()?;
        }
        Some(node)
    }

    /// The keys of the table at a path, made if it is asked for.
    fn table(&mut self, names: &'v [String], make: bool) -> Result<&mut Keys<'v>, Blocked> {
        let mut node = &mut self.0;
        for (depth, name) in names.iter().enumerate() {
            if let Some(value) = node.plain() {
                return Err(Blocked::By(depth, value.type_name()));
            }
            let keys = node.open();
            node = if make {
                keys.entry(name).or_default().get_or_insert_with(Node::default)
            } else {
                keys.get_mut(name.as_str()).and_then(Option::as_mut).ok_or(Blocked::Missing)?
            };
        }
        match node.plain() {
            Some(value) => Err(Blocked::By(names.len(), value.type_name())),
            None => Ok(node.open()),
        }
    }

    fn put(&mut self, edit: &'v Edit) -> Result<(), EditError> {
        let path = &edit.path;
        let missing = || EditError::Missing { path: path.clone() };
        let Some((name, above)) = path.names().split_last() else {
            let value = edit.value.as_ref().ok_or_else(missing)?;
            if value.as_table().is_none() {
                return Err(blocked(path, 0, value.type_name()));
            }
            self.0 = Node::new(value);
            // Nothing is above it that could be open.
            return Ok(());
        };
        let keys = match self.table(above, edit.value.is_some()) {
            Ok(keys) => keys,
            Err(Blocked::By(depth, found)) => return Err(blocked(path, depth, found)),
            Err(Blocked::Missing) => return Err(missing()),
        };
        match &edit.value {
            Some(value) => {
                keys.insert(name, Some(Node::new(value)));
            }
            None => {
                keys.get_mut(name.as_str()).and_then(Option::take).ok_or_else(missing)?;
            }
        }
        Ok(())
    }

    /// The keys of the table that a key to be renamed or moved is in.
    fn around(
        &mut self,
        path: &'v KeyPath,
        name: &str,
    ) -> Result<(&'v str, &mut Keys<'v>), EditError> {
        let absent = |absent: KeyPath| EditError::Absent { path: path.clone(), absent };
        let Some((last, above)) = path.names().split_last() else {
            return Err(absent(path.clone()));
        };
        let keys = match self.table(above, false) {
            Ok(keys) => keys,
            Err(Blocked::By(depth, found)) => return Err(blocked(path, depth, found)),
            Err(Blocked::Missing) => return Err(absent(path.clone())),
        };
        for name in [last.as_str(), name] {
            if !keys.get(name).is_some_and(Option::is_some) {
                return Err(absent(KeyPath::new(above.iter().cloned()).child(name)));
            }
        }
        Ok((last, keys))
    }

    fn both(&mut self, path: &'v KeyPath, beside: &str) -> Result<(), EditError> {
        self.around(path, beside).map(|_| ())
    }

    fn rename(&mut self, path: &'v KeyPath, name: &'v str) -> Result<(), EditError> {
        let last = path.last().unwrap_or_default();
        let (last, keys) = self.around(path, last)?;
        if last == name {
            return Ok(());
        }
        if keys.get(name).is_some_and(Option::is_some) {
            let taken = path.parent().unwrap_or_default().child(name);
            return Err(EditError::Taken { path: path.clone(), taken });
        }
        let node = keys.get_mut(last).and_then(Option::take);
        keys.insert(name, node);
        Ok(())
    }

    fn relocate(&mut self, path: &'v KeyPath, table: &'v KeyPath) -> Result<(), EditError> {
        let last = path.last().unwrap_or_default();
        let (last, keys) = self.around(path, last)?;
        if table.starts_with(path) {
            return Err(EditError::IntoItself { path: path.clone(), into: table.clone() });
        }
        if path.parent().as_ref() == Some(table) {
            return Ok(());
        }
        let node = keys.get_mut(last).and_then(Option::take);
        let keys = match self.table(table.names(), true) {
            Ok(keys) => keys,
            Err(Blocked::By(depth, found)) => return Err(blocked(table, depth, found)),
            Err(Blocked::Missing) => &mut Keys::default(),
        };
        if keys.get(last).is_some_and(Option::is_some) {
            return Err(EditError::Taken { path: path.clone(), taken: table.child(last) });
        }
        keys.insert(last, node);
        Ok(())
    }

    /// Reads the text and compares.
    pub(super) fn holds(&self, text: &str, edits: &[TextEdit]) -> Result<(), EditError> {
        let Ok(document) = Document::parse(text) else {
            let path = edits.first().map(|edit| edit.path().clone()).unwrap_or_default();
            return Err(EditError::NotProven { path });
        };
        let mut names = Vec::new();
        match differs(Some(&self.0), Some(document.values()), &mut names) {
            false => Ok(()),
            true => Err(EditError::NotProven { path: KeyPath::new(names) }),
        }
    }
}

fn blocked(path: &KeyPath, depth: usize, found: &'static str) -> EditError {
    let blocker = KeyPath::new(path.names().iter().take(depth).cloned());
    EditError::NotATable { path: path.clone(), blocker, found }
}

/// Whether a text says something else than expected; `names` is then where. A table that is
/// expected to be empty need not be there: `ch1` goes with the last `ch1.…`.
fn differs<'v>(
    expected: Option<&'v Node<'_>>,
    found: Option<&'v Value>,
    names: &mut Vec<&'v str>,
) -> bool {
    match (expected, found) {
        (Some(expected), found) => match (&expected.keys, found) {
            (Some(keys), Some(Value::Table(found))) => {
                let known = keys.iter().any(|(name, node)| {
                    below(names, name, |names| differs(node.as_ref(), found.get(name), names))
                });
                known
                    || found
                        .iter()
                        .any(|(name, _)| below(names, name, |_| !keys.contains_key(name)))
            }
            (Some(_), Some(_)) => true,
            (Some(_), None) => !expected.is_empty(),
            (None, found) => match (expected.same, found) {
                (Some(same), found) => value_differs(same, found, names),
                (None, found) => found.is_some_and(|found| !is_empty(found)),
            },
        },
        (None, found) => found.is_some(),
    }
}

fn value_differs<'v>(
    expected: &'v Value,
    found: Option<&'v Value>,
    names: &mut Vec<&'v str>,
) -> bool {
    match (expected, found) {
        (Value::Table(expected), Some(Value::Table(found))) => {
            let known = expected.iter().any(|(name, value)| {
                below(names, name, |names| value_differs(value, found.get(name), names))
            });
            known
                || found
                    .iter()
                    .any(|(name, _)| below(names, name, |_| !expected.contains_key(name)))
        }
        (expected, Some(found)) => !reads_as(expected, found),
        (expected, None) => !is_empty(expected),
    }
}

/// Looks below a table; keeps the name if something differs there.
fn below<'v>(
    names: &mut Vec<&'v str>,
    name: &'v str,
    differs: impl FnOnce(&mut Vec<&'v str>) -> bool,
) -> bool {
    names.push(name);
    let found = differs(names);
    if !found {
        names.pop();
    }
    found
}

/// Whether a value was read back. What is no number has no sign.
fn reads_as(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(expected, found)| reads_as(expected, found))
        }
        (Value::Float(expected), Value::Float(found)) if expected.is_nan() => found.is_nan(),
        _ => expected.means(found),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.values().all(is_empty))
}
