//! Whether edited layers come to what was asked for.

use super::{
    LayerEditError, LayeredReading,
    edit::{asking_for_secrets, is_about_layers, written},
};
use crate::{
    edit::Edit,
    path::KeyPath,
    value::{Table, Value},
};

/// Whether layers hold what edits make of values; `shown` are those before, with what is written
/// in place of secrets, and so is what edits ask for.
pub(super) fn puts(
    edits: &[&Edit],
    shown: Value,
    after: &LayeredReading,
) -> Result<(), LayerEditError> {
    let mut found = after.masked_values();
    let is_written = |path: &KeyPath, value: &Value| {
        after.pieces(path).first().is_some_and(|piece| piece.value.means(&written(path, value)))
    };
    let failed = |path: &KeyPath| Err(LayerEditError::NotProven { path: path.clone() });
    if edits.iter().any(|edit| is_about_layers(&edit.path)) {
        // These change other keys too, and which is not for an edit to know.
        for edit in edits {
            let is = found.get(&edit.path);
            let good = match &edit.value {
                Some(value) => {
                    is.is_some_and(|is| value.means(is)) || is_written(&edit.path, value)
                }
                None if is_about_layers(&edit.path) => after.pieces(&edit.path).is_empty(),
                None => is.is_none(),
            };
            if !good {
                return failed(&edit.path);
            }
        }
        return Ok(());
    }
    let mut expected = shown;
    let mut secret = Vec::new();
    for edit in edits {
        put(&mut expected, edit.path.names(), edit.value.as_ref());
        if let Some(value) = &edit.value {
            asking_for_secrets(&edit.path, value, &mut secret);
        }
    }
    // A list that asks for a secret is shown as one text, and a secret that is not set as it is
    // written: such keys have to be written as asked.
    secret.sort_by(|one, other| one.names().cmp(other.names()));
    secret.dedup();
    for path in secret {
        let Some(value) = expected.get(&path) else { continue };
        if found.get(&path).is_some_and(|found| value.means(found)) {
            continue;
        }
        if !is_written(&path, value) {
            return failed(&path);
        }
        for values in [&mut expected, &mut found] {
            put(values, path.names(), None);
        }
    }
    same(&expected, &found)
}

/// Whether values are as expected.
pub(super) fn same(expected: &Value, found: &Value) -> Result<(), LayerEditError> {
    match difference(Some(expected), Some(found), &mut Vec::new()) {
        Some(path) => Err(LayerEditError::NotProven { path }),
        None => Ok(()),
    }
}

/// Values in which a key has another name or place.
pub(super) fn shift(values: &mut Value, path: &KeyPath, to: &KeyPath) {
    if path == to {
        return;
    }
    if let Some(value) = values.get(path).cloned() {
        put(values, path.names(), None);
        put(values, to.names(), Some(&value));
    }
}

fn put(into: &mut Value, names: &[String], value: Option<&Value>) {
    let Some((name, rest)) = names.split_first() else {
        if let Some(value) = value {
            *into = value.clone();
        }
        return;
    };
    let Value::Table(table) = into else { return };
    match (rest, value) {
        ([], None) => {
            table.shift_remove(name);
        }
        ([], Some(value)) => {
            table.insert(name.clone(), value.clone());
        }
        (rest, None) => {
            if let Some(next) = table.get_mut(name) {
                put(next, rest, None);
            }
        }
        (rest, value) => {
            let next = table.get_or_insert_with(name, || Value::Table(Table::new()));
            put(next, rest, value);
        }
    }
}

/// The first key that is not as expected. A table that is expected to be empty need not be there:
/// `ch1` goes with the last `ch1.…`.
fn difference<'v>(
    expected: Option<&'v Value>,
    found: Option<&'v Value>,
    names: &mut Vec<&'v str>,
) -> Option<KeyPath> {
    let equal = match (expected, found) {
        (Some(Value::Table(expected)), Some(Value::Table(found))) => {
            let known = expected.iter().map(|(name, value)| (name, Some(value), found.get(name)));
            let more = found
                .iter()
                .filter(|(name, _)| !expected.contains_key(name))
                .map(|(name, value)| (name, None, Some(value)));
            return known.chain(more).find_map(|(name, expected, found)| {
                names.push(name);
                let path = difference(expected, found, names);
                names.pop();
                path
            });
        }
        (Some(expected), Some(found)) => expected.means(found),
        (Some(expected), None) => is_empty(expected),
        (None, Some(_)) => false,
        (None, None) => true,
    };
    (!equal).then(|| KeyPath::new(names.iter().copied()))
}

fn is_empty(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.values().all(is_empty))
}
