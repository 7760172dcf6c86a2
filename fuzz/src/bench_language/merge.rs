//! Two texts that come from a third.

use std::collections::{BTreeMap, BTreeSet};

use setpoint_bench::{
    Clash, Document, KeyPath, Merged, Value, diff,
    merge::{MergeError, Side, resolve},
};

use super::parts;

/// Three texts with a line `=====` between them: base, file and mine. Nobody's change is lost or
/// made up; who is called file and who mine does not matter; one side's changes alone are taken as
/// they are; deciding every clash for mine gives mine.
pub fn merge(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else { return };
    let parts = parts(input);
    let text = |index: usize| parts.get(index).map_or("", |(_, text)| *text);
    let [Ok(base), Ok(file), Ok(mine)] = [0, 1, 2].map(|index| Document::parse(text(index))) else {
        return;
    };
    let sides = [&base, &file, &mine].map(|document| document.values());
    if sides.into_iter().any(has_nan) {
        return;
    }
    let Some(one) = merged(&base, &file, &mine) else { return };
    every_key(sides, &one);
    alone(&base, &mine);
    alone(&base, &file);
    decided(&one);
    if let Some(other) = merged(&base, &mine, &file) {
        let paths = |merged: &Merged| -> BTreeSet<KeyPath> {
            merged.clashes.iter().map(|clash| clash.path.clone()).collect()
        };
        assert_eq!(paths(&one), paths(&other), "{input}");
        let (one, other) = (outside(&one), outside(&other));
        assert!(one.keys().eq(other.keys()), "{one:?}\n{other:?}\n{input}");
        assert!(one.iter().all(|(path, value)| value.means(&other[path])), "{input}");
    }
}

/// Mine in the file; `None` where it cannot be written into the file's text, which is told.
fn merged(base: &Document, file: &Document, mine: &Document) -> Option<Merged> {
    match setpoint_bench::merge(base.values(), file, mine.values()) {
        Ok(merged) => Some(merged),
        Err(MergeError::Edit(setpoint_bench::EditError::NotProven { path })) => {
            panic!("{path} cannot be written\n{}\n{}", file.text(), mine.values())
        }
        Err(_) => None,
    }
}

fn every_key([base, file, mine]: [&Value; 3], merged: &Merged) {
    let text = Document::parse(&merged.text).unwrap();
    let [base, file_leaves, mine] = [base, file, mine].map(leaves);
    let found = leaves(text.values());
    for (path, value) in &found {
        let known = [&base, &file_leaves, &mine].into_iter().any(|all| all.contains_key(path));
        assert!(known, "{path} = {value} was made up\n{}", merged.text);
    }
    let keys: BTreeSet<&KeyPath> =
        base.keys().chain(file_leaves.keys()).chain(mine.keys()).collect();
    for path in keys {
        let [was, theirs, ours, now] =
            [&base, &file_leaves, &mine, &found].map(|all| all.get(path).copied());
        let expected = if covered(path, &merged.clashes) || same(theirs, ours) || same(was, ours) {
            theirs
        } else if same(was, theirs) {
            ours
        } else {
            panic!("{path} clashes and nobody says so\n{}", merged.text)
        };
        assert!(same(now, expected), "{path} is {now:?}, not {expected:?}\n{}", merged.text);
    }
    assert_eq!(merged.changes, diff(file, text.values()));
}

/// What one side changed while the other changed nothing.
fn alone(base: &Document, other: &Document) {
    if let Some(merged) = merged(base, base, other) {
        assert!(merged.clashes.is_empty(), "{merged:?}");
        let found = Document::parse(&merged.text).unwrap();
        assert_eq!(diff(found.values(), other.values()), [], "{}", merged.text);
    }
    let merged = merged(base, other, base);
    assert_eq!(merged.map(|merged| merged.text).as_deref(), Some(other.text()));
}

fn decided(merged: &Merged) {
    let choices: Vec<(KeyPath, Side)> =
        merged.clashes.iter().map(|clash| (clash.path.clone(), Side::Mine)).collect();
    let Ok(after) = resolve(merged, &choices) else { return };
    assert!(after.clashes.is_empty());
    let found = Document::parse(&after.text).unwrap();
    for clash in &merged.clashes {
        let now = found.values().get(&clash.path);
        assert!(same(now, clash.mine.as_ref()), "{clash}: {now:?}\n{}", after.text);
    }
}

fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let nothing = |value: Option<&Value>| {
        value.is_none_or(|value| matches!(value, Value::Table(_)) && leaves(value).is_empty())
    };
    match (one, other) {
        (Some(one), Some(other)) => super::plain(one).means(&super::plain(other)),
        (one, other) => nothing(one) && nothing(other),
    }
}

fn covered(path: &KeyPath, clashes: &[Clash]) -> bool {
    clashes.iter().any(|clash| path.starts_with(&clash.path) || clash.path.starts_with(path))
}

fn outside(merged: &Merged) -> BTreeMap<KeyPath, Value> {
    let document = Document::parse(&merged.text).unwrap();
    let mut all = leaves(document.values());
    all.retain(|path, _| !covered(path, &merged.clashes));
    all.into_iter().map(|(path, value)| (path, value.clone())).collect()
}

fn leaves(value: &Value) -> BTreeMap<KeyPath, &Value> {
    fn walk<'v>(value: &'v Value, path: &KeyPath, all: &mut BTreeMap<KeyPath, &'v Value>) {
        match value {
            Value::Table(table) => {
                table.iter().for_each(|(name, value)| walk(value, &path.child(name), all));
            }
            other => {
                all.insert(path.clone(), other);
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(value, &KeyPath::default(), &mut all);
    all
}

fn has_nan(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::Array(items) => items.iter().any(has_nan),
        Value::Table(table) => table.values().any(has_nan),
        _ => false,
    }
}
