//! Whether edited layers come to what was asked for.

use crate::{
    edit::Edit,
    path::KeyPath,
    value::{Table, Value},
};

/// The values that edits make of others.
pub(super) fn expected(values: &Value, edits: &[Edit]) -> Value {
    let mut expected = values.clone();
    for edit in edits {
        put(&mut expected, edit.path.names(), edit.value.as_ref());
    }
    expected
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
pub(super) fn difference<'v>(
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
